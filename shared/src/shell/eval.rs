//! Runs statements: variables, pipelines, the language's own cmdlets, and calls of ours through [`Host`].

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::bind::{Bound, bind, find, text_of};
use super::filter::{compare, property, select, sort, truthy};
use super::parse::{self, Argument, Command, Expr, ParseError, Part, Pipeline, Stage, Statement};
use super::print;
use crate::cmdlet::{Nature, Spec};
use crate::cmdlets;
use crate::error::{ApiError, ErrorCode};
use crate::plan::{CmdletResponse, Confirm, Invocation, Mode, Plan};

/// What the shell needs of where it runs.
#[expect(async_fn_in_trait, reason = "both hosts run the shell on one thread; no Send is wanted")]
pub trait Host {
    /// Calls a cmdlet; waits for what it starts and puts its text into the answer.
    async fn invoke(&self, spec: &'static Spec, invocation: Invocation) -> Result<CmdletResponse, ApiError>;
    /// Asks for a password without echo; none when nobody can be asked.
    async fn read_password(&self, user: &str) -> Option<String>;
    /// Asks a yes-or-no question.
    async fn confirm(&self, question: &str) -> bool;
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputPart {
    /// Printed text.
    Text(String),
    /// A warning.
    Warning(String),
    /// An error with the piece of the line it stands at.
    Error {
        /// Message.
        text: String,
        /// Byte range in the line.
        position: Option<(usize, usize)>,
    },
}

/// What a line printed and whether all of it went well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineResult {
    /// Output in order.
    pub output: Vec<OutputPart>,
    /// No error.
    pub ok: bool,
}

/// Formatting that a pipeline ended with.
enum Output {
    Objects(Vec<Value>),
    Text(String),
}

/// A shell session: its variables.
#[derive(Debug, Default)]
pub struct Session {
    variables: BTreeMap<String, Value>,
}

type Done<T> = Result<T, ParseError>;

fn plain(text: impl Into<String>) -> ParseError {
    ParseError::new(text, 0, 0)
}

/// Evaluates an expression without variables and commands.
pub fn constant(e: &Expr) -> Done<Value> {
    literal(e, &BTreeMap::new(), None)
}

fn literal(e: &Expr, variables: &BTreeMap<String, Value>, item: Option<&Value>) -> Done<Value> {
    let eval = |e: &Expr| literal(e, variables, item);
    Ok(match e {
        Expr::Text(s) => Value::from(s.as_str()),
        Expr::Number(n) => (*n).into(),
        Expr::Bool(b) => (*b).into(),
        Expr::Null => Value::Null,
        Expr::Variable(n) if n == "_" && item.is_some() => item.cloned().unwrap_or_default(),
        Expr::Variable(n) => {
            variables.get(n).cloned().ok_or_else(|| plain(format!("The variable ${n} has no value yet.")))?
        }
        Expr::Property(of, name) => property(&eval(of)?, name),
        Expr::List(items) => Value::Array(items.iter().map(eval).collect::<Done<_>>()?),
        Expr::Table(pairs) => {
            Value::Object(pairs.iter().map(|(k, v)| Ok((k.clone(), eval(v)?))).collect::<Done<Map<_, _>>>()?)
        }
        Expr::Not(inner) => (!truthy(&eval(inner)?)).into(),
        Expr::Binary(a, op, b) => match op.as_str() {
            "and" => (truthy(&eval(a)?) && truthy(&eval(b)?)).into(),
            "or" => (truthy(&eval(a)?) || truthy(&eval(b)?)).into(),
            op => compare(&eval(a)?, op, &eval(b)?).map_err(plain)?,
        },
        Expr::Template(parts) => {
            let mut out = String::new();
            for p in parts {
                match p {
                    Part::Literal(t) => out.push_str(t),
                    Part::Variable(n) => {
                        out.push_str(&print::cell(&literal(&Expr::Variable(n.clone()), variables, item)?));
                    }
                }
            }
            out.into()
        }
        Expr::Block(_) => {
            return Err(plain("A script block { } stands only after Where-Object and ForEach-Object."));
        }
        Expr::Sub(_) => return Err(plain("A command in parentheses cannot be evaluated here.")),
    })
}

impl Session {
    /// A fresh session.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a line (or a script of several).
    pub async fn run_line<H: Host>(&mut self, host: &H, line: &str) -> LineResult {
        let mut out = Vec::new();
        let statements = match parse::script(line) {
            Ok(s) => s,
            Err(e) => {
                let position = (e.end > e.start).then_some((e.start, e.end));
                return LineResult {
                    output: vec![OutputPart::Error { text: e.message, position }],
                    ok: false,
                };
            }
        };
        let mut ok = true;
        for s in &statements {
            // A statement that fails does not stop the next one, as in PowerShell.
            if let Err(e) = self.statement(host, s, &mut out).await {
                let position = (e.end > e.start).then_some((e.start, e.end));
                out.push(OutputPart::Error { text: e.message, position });
                ok = false;
            }
        }
        LineResult { output: out, ok }
    }

    async fn statement<H: Host>(&mut self, host: &H, s: &Statement, out: &mut Vec<OutputPart>) -> Done<()> {
        match s {
            Statement::Assign(name, p) => {
                // What failed must not leave an older value to be acted on.
                self.variables.remove(name);
                let value = match self.pipeline(host, p, Vec::new(), out).await? {
                    Output::Objects(mut v) if v.len() == 1 => v.remove(0),
                    Output::Objects(v) => Value::Array(v),
                    Output::Text(t) => t.into(),
                };
                self.variables.insert(name.clone(), value);
            }
            Statement::Run(p) => {
                let text = match self.pipeline(host, p, Vec::new(), out).await? {
                    Output::Objects(v) => print::list(&v),
                    Output::Text(t) => t,
                };
                if !text.is_empty() {
                    out.push(OutputPart::Text(text));
                }
            }
        }
        Ok(())
    }

    async fn pipeline<H: Host>(
        &mut self,
        host: &H,
        p: &Pipeline,
        input: Vec<Value>,
        out: &mut Vec<OutputPart>,
    ) -> Done<Output> {
        let mut current = Output::Objects(input);
        for (i, stage) in p.iter().enumerate() {
            let objects = match current {
                Output::Objects(v) => v,
                Output::Text(t) => vec![t.into()],
            };
            current = match stage {
                Stage::Expr(e) => match self.expression(host, e, out).await? {
                    Value::Array(a) => Output::Objects(a),
                    Value::Null => Output::Objects(Vec::new()),
                    v => Output::Objects(vec![v]),
                },
                Stage::Command(c) => self.command(host, c, objects, i > 0, out).await?,
            };
        }
        Ok(current)
    }

    /// An expression in which commands may stand in parentheses.
    async fn expression<H: Host>(&mut self, host: &H, e: &Expr, out: &mut Vec<OutputPart>) -> Done<Value> {
        let mut subs = Vec::new();
        collect(e, &mut subs);
        let mut known = self.variables.clone();
        let mut flat = e.clone();
        for (i, p) in subs.into_iter().enumerate() {
            let value = match Box::pin(self.pipeline(host, &p, Vec::new(), out)).await? {
                Output::Objects(mut v) if v.len() == 1 => v.remove(0),
                Output::Objects(v) => Value::Array(v),
                Output::Text(t) => t.into(),
            };
            known.insert(format!("(sub {i})"), value);
        }
        let mut n = 0;
        replace(&mut flat, &mut n);
        literal(&flat, &known, None)
    }

    async fn command<H: Host>(
        &mut self,
        host: &H,
        c: &Command,
        input: Vec<Value>,
        piped: bool,
        out: &mut Vec<OutputPart>,
    ) -> Done<Output> {
        if let Some(o) = self.builtin(host, c, &input, out).await? {
            return Ok(o);
        }
        let spec = find(c)?;
        // Arguments first, so that commands in parentheses run once.
        let mut values = Vec::new();
        for a in &c.args {
            let v = match &a.value {
                Some(e) => Some(self.expression(host, e, out).await.map_err(|e| place(e, a))?),
                None => None,
            };
            values.push(v);
        }
        let mut given = values.into_iter().flatten();
        let bound = bind(c, &mut |_| Ok(given.next().unwrap_or(Value::Null)))?;
        if !piped {
            return self.invoke(host, &bound, c, out).await;
        }
        // An identity in the line stands for itself, however much is piped.
        let named = spec.params.iter().any(|p| p.pipe.is_some() && bound.args.contains_key(p.name));
        let input = if named { vec![Value::Null] } else { input };
        let mut all = Vec::new();
        for object in input {
            let mut one = bound.clone();
            from_pipe(&mut one, spec, &object);
            match self.invoke(host, &one, c, out).await? {
                Output::Objects(v) => all.extend(v),
                Output::Text(t) => all.push(t.into()),
            }
        }
        Ok(Output::Objects(all))
    }

    async fn invoke<H: Host>(
        &mut self,
        host: &H,
        b: &Bound,
        c: &Command,
        out: &mut Vec<OutputPart>,
    ) -> Done<Output> {
        let fail = |e: ApiError| {
            let id = e.request_id.as_ref().map(|i| format!(" (request {i})")).unwrap_or_default();
            let more: String = e.problems.iter().skip(1).map(|p| format!("\n{}", p.text)).collect();
            ParseError::new(format!("{}{more}{id}", e.message), c.span.0, c.span.1)
        };
        let mut inv = Invocation { args: b.args.clone(), ..Invocation::default() };
        if b.spec.nature != Nature::Query {
            inv.mode = Mode::WhatIf;
            let plan = host.invoke(b.spec, inv.clone()).await.map_err(fail)?.plan.unwrap_or_default();
            if b.what_if {
                let lines: String = plan.sentences.iter().map(|s| format!("What if: {s}\n")).collect();
                problems(&plan, out);
                if let Some(b) = plan.blockers.first() {
                    return Err(ParseError::new(
                        format!("It would be refused: {}", b.text),
                        c.span.0,
                        c.span.1,
                    ));
                }
                return Ok(Output::Text(lines));
            }
            let asks = plan.confirm != Confirm::None
                && plan.blockers.is_empty()
                && !b.force
                && b.confirm != Some(false);
            if (asks || b.confirm == Some(true)) && !host.confirm(&question(&plan)).await {
                return Err(ParseError::new("Not confirmed; nothing was done.", c.span.0, c.span.1));
            }
            inv.mode = Mode::Run;
            inv.confirmed = true;
            inv.fingerprint = Some(plan.fingerprint);
        }
        let answer = host.invoke(b.spec, inv).await.map_err(|e| {
            if e.code == ErrorCode::Forbidden {
                fail(ApiError { problems: Vec::new(), ..e })
            } else {
                fail(e)
            }
        })?;
        out.extend(answer.warnings.into_iter().map(OutputPart::Warning));
        Ok(match answer.text {
            Some(t) => Output::Text(t),
            None => Output::Objects(answer.output),
        })
    }

    /// The cmdlets of the language itself; none when `c` is not one.
    async fn builtin<H: Host>(
        &mut self,
        host: &H,
        c: &Command,
        input: &[Value],
        out: &mut Vec<OutputPart>,
    ) -> Done<Option<Output>> {
        let objects = |v: Vec<Value>| Ok(Some(Output::Objects(v)));
        match c.name.to_lowercase().as_str() {
            "where-object" | "where" | "?" => {
                let condition = condition(c)?;
                let mut kept = Vec::new();
                for x in input {
                    if truthy(
                        &literal(&condition, &self.variables, Some(x)).map_err(|e| place_command(e, c))?,
                    ) {
                        kept.push(x.clone());
                    }
                }
                objects(kept)
            }
            "foreach-object" | "foreach" | "%" => {
                let Some(Expr::Block(body)) = c.args.first().and_then(|a| a.value.clone()) else {
                    return Err(ParseError::new(
                        "ForEach-Object needs a script block { … }.",
                        c.span.0,
                        c.span.1,
                    ));
                };
                let mut all = Vec::new();
                for x in input {
                    all.extend(self.body(host, &body, x, out).await?);
                }
                objects(all)
            }
            "select-object" | "select" => {
                let names = self.names(c, "property")?;
                let expand = self.names(c, "expandproperty")?;
                let mut list: Vec<Value> = match expand.first() {
                    Some(p) => input
                        .iter()
                        .flat_map(|x| match property(x, p) {
                            Value::Array(a) => a,
                            v => vec![v],
                        })
                        .collect(),
                    None => input.iter().map(|x| select(x, &names)).collect(),
                };
                if let Some(n) = self.number(c, "first")? {
                    list.truncate(n);
                }
                if let Some(n) = self.number(c, "last")? {
                    list.drain(..list.len().saturating_sub(n));
                }
                objects(list)
            }
            "sort-object" | "sort" => {
                let mut list = input.to_vec();
                let down = c
                    .args
                    .iter()
                    .any(|a| a.name.as_ref().is_some_and(|n| n.to_lowercase().starts_with("desc")));
                sort(&mut list, &self.names(c, "property")?, down);
                objects(list)
            }
            "measure-object" | "measure" => objects(vec![json!({ "Count": input.len() })]),
            "format-list" | "fl" => {
                let names = self.names(c, "property")?;
                Ok(Some(Output::Text(print::list(
                    &input.iter().map(|x| select(x, &names)).collect::<Vec<_>>(),
                ))))
            }
            "format-table" | "ft" => {
                let names = self.names(c, "property")?;
                Ok(Some(Output::Text(print::table(
                    &input.iter().map(|x| select(x, &names)).collect::<Vec<_>>(),
                ))))
            }
            "get-credential" => {
                let user = self.names(c, "credential")?.into_iter().next().unwrap_or_default();
                let password = host.read_password(&user).await;
                let password = password.ok_or_else(|| {
                    ParseError::new(format!("No password was given for {user}."), c.span.0, c.span.1)
                })?;
                objects(vec![json!({ "UserName": user, "Password": password })])
            }
            "get-command" | "get-help" | "help" => {
                let wanted = self.names(c, "name")?.into_iter().next().unwrap_or_else(|| "*".to_owned());
                Ok(Some(Output::Text(help(&wanted))))
            }
            _ => Ok(None),
        }
    }

    async fn body<H: Host>(
        &mut self,
        host: &H,
        body: &[Statement],
        item: &Value,
        out: &mut Vec<OutputPart>,
    ) -> Done<Vec<Value>> {
        let before = self.variables.insert("_".to_owned(), item.clone());
        let mut all = Vec::new();
        for s in body {
            let Statement::Run(p) = s else { continue };
            if let Output::Objects(v) = Box::pin(self.pipeline(host, p, Vec::new(), out)).await? {
                all.extend(v);
            }
        }
        match before {
            Some(v) => self.variables.insert("_".to_owned(), v),
            None => self.variables.remove("_"),
        };
        Ok(all)
    }

    /// Texts of a parameter (by unique prefix) or of the positional arguments.
    fn names(&self, c: &Command, parameter: &str) -> Done<Vec<String>> {
        let positional = matches!(parameter, "property" | "credential" | "name");
        let wanted = |a: &&Argument| match &a.name {
            Some(n) => !n.is_empty() && parameter.starts_with(&n.to_lowercase()),
            None => positional,
        };
        let mut out = Vec::new();
        for e in c.args.iter().filter(wanted).filter_map(|a| a.value.as_ref()) {
            match literal(e, &self.variables, None)? {
                Value::Array(a) => out.extend(a.iter().filter_map(text_of)),
                v => out.extend(text_of(&v)),
            }
        }
        Ok(out)
    }

    fn number(&self, c: &Command, parameter: &str) -> Done<Option<usize>> {
        Ok(self.names(c, parameter)?.first().and_then(|n| n.parse().ok()))
    }
}

fn place(mut e: ParseError, a: &Argument) -> ParseError {
    if e.end == 0 {
        (e.start, e.end) = a.span;
    }
    e
}

fn place_command(mut e: ParseError, c: &Command) -> ParseError {
    if e.end == 0 {
        (e.start, e.end) = c.span;
    }
    e
}

fn collect(e: &Expr, out: &mut Vec<Pipeline>) {
    match e {
        Expr::Sub(p) => out.push((**p).clone()),
        Expr::Property(x, _) | Expr::Not(x) => collect(x, out),
        Expr::List(l) => l.iter().for_each(|x| collect(x, out)),
        Expr::Table(t) => t.iter().for_each(|(_, x)| collect(x, out)),
        Expr::Binary(a, _, b) => {
            collect(a, out);
            collect(b, out);
        }
        _ => {}
    }
}

fn replace(e: &mut Expr, n: &mut usize) {
    match e {
        Expr::Sub(_) => {
            *e = Expr::Variable(format!("(sub {n})"));
            *n += 1;
        }
        Expr::Property(x, _) | Expr::Not(x) => replace(x, n),
        Expr::List(l) => l.iter_mut().for_each(|x| replace(x, n)),
        Expr::Table(t) => t.iter_mut().for_each(|(_, x)| replace(x, n)),
        Expr::Binary(a, _, b) => {
            replace(a, n);
            replace(b, n);
        }
        _ => {}
    }
}

/// The condition of Where-Object: a block, or the short form `Where-Object PoolState -eq FailedOver`.
fn condition(c: &Command) -> Done<Expr> {
    let wrong = || {
        ParseError::new(
            "Where-Object needs a condition, for example {$_.PoolState -eq \"FailedOver\"}.",
            c.span.0,
            c.span.1,
        )
    };
    let mut args = c.args.iter();
    let first = args.next().ok_or_else(wrong)?;
    if let Some(Expr::Block(body)) = &first.value {
        return match body.as_slice() {
            [Statement::Run(p)] => match p.as_slice() {
                [Stage::Expr(e)] => Ok(e.clone()),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        };
    }
    let (Some(Expr::Text(name)), Some(op)) = (&first.value, args.next()) else { return Err(wrong()) };
    let left = Expr::Property(Box::new(Expr::Variable("_".to_owned())), name.clone());
    let operator = op.name.clone().ok_or_else(wrong)?.to_lowercase();
    let right = op.value.clone().ok_or_else(wrong)?;
    Ok(Expr::Binary(Box::new(left), operator, Box::new(right)))
}

/// Takes what a piped object gives: `-Instance` is not needed when the identity is.
fn from_pipe(b: &mut Bound, spec: &'static Spec, object: &Value) {
    for p in spec.params {
        let Some(name) = p.pipe else { continue };
        if !b.args.contains_key(p.name) {
            let v = if object.is_object() { property(object, name) } else { object.clone() };
            if let Some(t) = text_of(&v) {
                b.args.insert(p.name.to_owned(), t.into());
            }
        }
    }
}

fn problems(plan: &Plan, out: &mut Vec<OutputPart>) {
    let all = plan.blockers.iter().chain(&plan.warnings);
    out.extend(all.map(|p| OutputPart::Warning(p.text.clone())));
    if let Some((name, text)) = &plan.acknowledge {
        out.push(OutputPart::Warning(format!("{text} (-{name} accepts this)")));
    }
}

fn question(plan: &Plan) -> String {
    let warnings: String = plan.warnings.iter().map(|w| format!("\nWARNING: {}", w.text)).collect();
    let loss = plan.acknowledge.as_ref().map(|(_, t)| format!("\nWARNING: {t}")).unwrap_or_default();
    format!("Confirm\n{}{warnings}{loss}", plan.sentences.join("\n"))
}

fn help(wanted: &str) -> String {
    let hits: Vec<&Spec> =
        cmdlets::ALL.iter().filter(|s| crate::identity::wildcard_match(wanted, s.name)).collect();
    if let [one] = hits.as_slice() {
        let mut out = format!("\n{}\n    {}\n\n", one.name, one.synopsis.trim());
        for p in one.params {
            let must = if p.required { " (required)" } else { "" };
            out.push_str(&format!("    -{}{must}\n        {}\n", p.name, p.help.trim()));
        }
        return out;
    }
    hits.iter().map(|s| format!("{:<36} {}\n", s.name, s.synopsis.trim())).collect()
}
