//! Runs statements: variables, pipelines, the language's own cmdlets, and calls of ours through [`Host`].

mod assign;
mod compute;
mod invoke;
mod rich_log;
mod value;

use std::collections::BTreeMap;

use serde_json::Value;

use super::parse::{self, ParseError, Pipeline, Stage, Statement};
use super::print;
use crate::cmdlet::Spec;
use crate::error::ApiError;
use crate::plan::{CmdletResponse, Invocation};

pub(super) use compute::of;
pub use value::constant;

/// What the shell needs of where it runs.
#[expect(async_fn_in_trait, reason = "both hosts run the shell on one thread; no Send is wanted")]
pub trait Host {
    /// Calls a cmdlet; waits for what it starts and puts its text into the answer.
    async fn invoke(&self, spec: &'static Spec, invocation: Invocation) -> Result<CmdletResponse, ApiError>;
    /// Asks for a password without echo; none when nobody can be asked.
    async fn read_password(&self, user: &str) -> Option<String>;
    /// Asks for a line, without echo when `secret`; none when nobody can be asked.
    async fn read_line(&self, prompt: &str, secret: bool) -> Option<String>;
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

/// What a pipeline gave: objects, and the text that is printed instead of their properties.
#[derive(Debug, Clone, Default)]
pub(super) struct Output {
    pub objects: Vec<Value>,
    pub text: Option<String>,
}

impl Output {
    pub fn objects(objects: Vec<Value>) -> Self {
        Self { objects, text: None }
    }

    pub fn text(text: String) -> Self {
        Self { objects: Vec::new(), text: Some(text) }
    }

    /// What the next stage gets.
    pub fn values(self) -> Vec<Value> {
        match self.text {
            Some(t) if self.objects.is_empty() => vec![t.into()],
            _ => self.objects,
        }
    }

    /// What a variable gets: nothing, the one object, or a list.
    pub fn value(self) -> Value {
        let mut v = self.values();
        match v.len() {
            0 => Value::Null,
            1 => v.remove(0),
            _ => Value::Array(v),
        }
    }

    fn display(&self) -> String {
        self.text.clone().unwrap_or_else(|| print::list(&self.objects))
    }

    pub fn append(&mut self, more: Self) {
        if self.text.is_some() || more.text.is_some() {
            self.text = Some(self.display() + &more.display());
        }
        self.objects.extend(more.values());
    }
}

/// An error on its way out.
#[derive(Debug)]
pub(super) struct Halt {
    pub error: ParseError,
    /// It ends the whole line, not only its statement.
    pub line: bool,
}

impl From<ParseError> for Halt {
    fn from(error: ParseError) -> Self {
        Self { error, line: false }
    }
}

pub(super) type Done<T> = Result<T, Halt>;

/// An error without a place; who knows the place adds it.
pub(super) fn plain(text: impl Into<String>) -> ParseError {
    ParseError::new(text, 0, 0)
}

/// What to do with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorAction {
    /// Report it and go on.
    Continue,
    /// Report it and end the line.
    Stop,
    /// Go on without a word.
    Silent,
}

impl ErrorAction {
    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_lowercase().as_str() {
            "continue" => Some(Self::Continue),
            "stop" => Some(Self::Stop),
            "silentlycontinue" | "ignore" => Some(Self::Silent),
            _ => None,
        }
    }
}

/// A shell session: its variables.
#[derive(Debug, Default)]
pub struct Session {
    variables: BTreeMap<String, Value>,
    json: bool,
}

impl Session {
    /// A fresh session.
    pub fn new() -> Self {
        Self::default()
    }

    /// A session whose objects are printed as JSON, a list for each statement, for scripts.
    pub fn json() -> Self {
        Self { json: true, ..Self::default() }
    }

    /// Sets or takes away a variable; gives what it was.
    pub(super) fn set(&mut self, name: &str, value: Option<Value>) -> Option<Value> {
        match value {
            Some(v) => self.variables.insert(name.to_owned(), v),
            None => self.variables.remove(name),
        }
    }

    /// Names of the variables, lower case.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// Runs a line (or a script of several).
    pub async fn run_line<H: Host>(&mut self, host: &H, line: &str) -> LineResult {
        let mut run = Run { host, session: self, out: Vec::new(), failed: false };
        match parse::script(line) {
            Ok(statements) => {
                if let Err(h) = run.block(&statements, None).await {
                    run.report(h.error);
                }
            }
            Err(e) => run.report(e),
        }
        LineResult { output: run.out, ok: !run.failed }
    }
}

/// A line as it runs.
pub(super) struct Run<'a, H> {
    pub host: &'a H,
    pub session: &'a mut Session,
    pub out: Vec<OutputPart>,
    failed: bool,
}

impl<H: Host> Run<'_, H> {
    pub fn report(&mut self, e: ParseError) {
        let position = (e.end > e.start).then_some((e.start, e.end));
        self.out.push(OutputPart::Error { text: e.message, position });
        self.failed = true;
    }

    /// `$ErrorActionPreference`.
    fn preference(&self) -> ErrorAction {
        let word = self.session.variables.get("erroractionpreference").and_then(Value::as_str);
        word.and_then(ErrorAction::parse).unwrap_or(ErrorAction::Continue)
    }

    /// Takes an error as `action` says; gives it back when it ends the line.
    pub fn settle(&mut self, h: Halt, action: Option<ErrorAction>) -> Done<()> {
        match action.unwrap_or_else(|| self.preference()) {
            _ if h.line => Err(h),
            ErrorAction::Stop => Err(Halt { line: true, ..h }),
            ErrorAction::Silent => Ok(()),
            ErrorAction::Continue => {
                self.report(h.error);
                Ok(())
            }
        }
    }

    /// Runs statements. A statement that fails does not stop the next one, as in PowerShell. What they give
    /// goes to `into`, else it is printed.
    pub async fn block(&mut self, body: &[Statement], mut into: Option<&mut Output>) -> Done<()> {
        for s in body {
            if let Err(h) = Box::pin(self.statement(s, into.as_deref_mut())).await {
                self.settle(h, None)?;
            }
        }
        Ok(())
    }

    async fn statement(&mut self, s: &Statement, mut into: Option<&mut Output>) -> Done<()> {
        match s {
            Statement::Assign(target, op, value) => {
                let given = match self.given(value).await {
                    Ok(v) => v,
                    Err(h) => {
                        // What failed must not leave an older value to be acted on.
                        self.session.variables.remove(&target.name);
                        return Err(h);
                    }
                };
                self.assign(target, *op, given).await.map_err(|h| at(h, target.span))
            }
            Statement::If(branches, other) => {
                for (condition, body) in branches {
                    if super::filter::truthy(&self.eval(condition).await?) {
                        return self.block(body, into).await;
                    }
                }
                self.block(other, into).await
            }
            Statement::ForEach(name, list, body) => {
                for x in elements(self.eval(list).await?) {
                    self.session.variables.insert(name.clone(), x);
                    self.block(body, into.as_deref_mut()).await?;
                }
                Ok(())
            }
            Statement::Run(p) => {
                let output = self.pipeline(p).await?;
                match into {
                    Some(all) => all.append(output),
                    None => self.show(p, output),
                }
                Ok(())
            }
        }
    }

    /// The right side of an assignment.
    async fn given(&mut self, s: &Statement) -> Done<Value> {
        // A list that was written stays one, also with one member or none.
        if let Some(e) = s.single_expression() {
            return self.eval(e).await;
        }
        let mut all = Output::default();
        Box::pin(self.statement(s, Some(&mut all))).await?;
        Ok(all.value())
    }

    /// Prints what a statement gave.
    fn show(&mut self, p: &Pipeline, output: Output) {
        let text = if self.session.json {
            let list = match output.text {
                Some(t) if output.objects.is_empty() => t.lines().map(Value::from).collect(),
                _ => output.objects,
            };
            // A question that finds nothing is answered all the same.
            let silent = list.is_empty() && !asks(p);
            if silent { String::new() } else { print::json(&Value::Array(list), false) + "\n" }
        } else {
            output.display()
        };
        if !text.is_empty() {
            self.out.push(OutputPart::Text(text));
        }
    }

    pub async fn pipeline(&mut self, p: &Pipeline) -> Done<Output> {
        let mut current = Output::default();
        for (i, stage) in p.iter().enumerate() {
            current = match stage {
                Stage::Expr(e, span) => {
                    let v = self.eval(e).await.map_err(|h| at(h, *span))?;
                    Output::objects(elements(v))
                }
                Stage::Command(c) => self.command(c, current.values(), i > 0).await?,
            };
        }
        Ok(current)
    }
}

/// The error at `span`, unless it has a place already.
pub(super) fn at(h: Halt, span: (usize, usize)) -> Halt {
    Halt { error: h.error.or_at(span), ..h }
}

/// What a pipeline takes of a value: the members of a list, nothing of null.
pub(super) fn elements(v: Value) -> Vec<Value> {
    match v {
        Value::Array(a) => a,
        Value::Null => Vec::new(),
        v => vec![v],
    }
}

/// Whether a pipeline ends with what gives objects: a query, a filter or a value.
fn asks(p: &Pipeline) -> bool {
    match p.last() {
        Some(Stage::Command(c)) => match super::builtin::find(&c.name) {
            Some(own) => own.name.ends_with("-Object"),
            None => crate::cmdlets::find(&c.name).is_some_and(|s| s.nature == crate::cmdlet::Nature::Query),
        },
        Some(Stage::Expr(..)) => true,
        None => false,
    }
}
