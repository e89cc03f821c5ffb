//! The cmdlets of the language itself: their names and parameters, and which function runs each.

mod help;
mod objects;
mod output;
mod shape;
mod table;

use serde_json::Value;

use super::bind::COMMON;
use super::eval::{Done, ErrorAction, Halt, Host, Output, Run, at};
use super::names;
use super::parse::{Argument, Command, Expr, ParseError, Statement};

pub use help::about;
pub use table::{ALL, Form, Own, find};

use Form::{First, Named, Rest, Second, Switch};

/// An argument: its parameter, its value (true for a switch), and the expression for blocks.
struct Arg<'c> {
    name: &'static str,
    value: Value,
    expr: Option<&'c Expr>,
}

/// The arguments of a call, under the names of their parameters.
pub struct Given<'c> {
    command: &'c Command,
    list: Vec<Arg<'c>>,
}

fn error(a: &Argument, text: impl Into<String>) -> ParseError {
    ParseError::new(text, a.span.0, a.span.1)
}

/// Sorts arguments to parameters; what is misspelt is refused.
fn given<'c>(own: &'static Own, c: &'c Command) -> Result<Given<'c>, ParseError> {
    let common = COMMON.iter().map(|(n, _)| *n).filter(|n| !matches!(*n, "WhatIf" | "Confirm" | "Force"));
    let known = own.params.iter().map(|(n, _)| *n).chain(common);
    let mut list = Vec::new();
    let mut places = own.params.iter().filter(|(_, f)| matches!(f, First | Second | Rest)).peekable();
    for a in &c.args {
        let mut free = a.value.as_ref();
        if let Some(typed) = &a.name {
            let short = COMMON.iter().find(|(_, s)| s.eq_ignore_ascii_case(typed)).map(|(n, _)| *n);
            let name = match short {
                Some(n) => n,
                None => names::parameter(own.name, typed, known.clone()).map_err(|e| error(a, e))?,
            };
            let form = own
                .params
                .iter()
                .find(|(n, _)| *n == name)
                .map_or(if name.ends_with("Action") { Named } else { Switch }, |(_, f)| *f);
            let value = if form == Switch && !a.colon { None } else { free.take() };
            if form != Switch && value.is_none() {
                return Err(error(a, format!("-{name} needs a value.")));
            }
            list.push(Arg { name, value: Value::Bool(true), expr: value });
        }
        if let Some(value) = free {
            let Some((name, form)) = places.peek() else {
                return Err(error(a, format!("{} takes no further value here.", own.name)));
            };
            list.push(Arg { name, value: Value::Bool(true), expr: Some(value) });
            if *form != Rest {
                places.next();
            }
        }
    }
    Ok(Given { command: c, list })
}

impl<'c> Given<'c> {
    fn arg(&self, name: &str) -> Option<&Arg<'c>> {
        self.list.iter().find(|a| a.name == name)
    }

    /// The block that was given for a parameter.
    fn block(&self, name: &str) -> Option<&'c [Statement]> {
        match self.arg(name)?.expr {
            Some(Expr::Block(body, _)) => Some(body),
            _ => None,
        }
    }

    fn wrong(&self, text: impl Into<String>) -> Halt {
        ParseError::new(text, self.command.span.0, self.command.span.1).into()
    }

    /// The values of a parameter, in one list.
    fn values(&self, name: &str) -> Vec<Value> {
        let mut out = Vec::new();
        for a in self.list.iter().filter(|a| a.name == name) {
            match &a.value {
                Value::Array(a) => out.extend(a.iter().cloned()),
                v => out.push(v.clone()),
            }
        }
        out
    }

    fn texts(&self, name: &str) -> Vec<String> {
        self.values(name).iter().map(super::print::words).collect()
    }

    fn word(&self, name: &str) -> Option<String> {
        self.texts(name).into_iter().next()
    }

    fn number(&self, name: &str) -> Done<Option<usize>> {
        let Some(w) = self.word(name) else { return Ok(None) };
        match w.trim().parse() {
            Ok(n) => Ok(Some(n)),
            Err(_) => Err(self.wrong(format!("-{name}: '{w}' is not a whole number."))),
        }
    }

    fn switch(&self, name: &str) -> bool {
        self.arg(name).is_some_and(|a| super::filter::truthy(&a.value))
    }
}

impl<H: Host> Run<'_, H> {
    /// Runs a cmdlet of the language.
    pub(super) async fn builtin(
        &mut self,
        own: &'static Own,
        c: &Command,
        input: Vec<Value>,
        piped: bool,
    ) -> Done<Output> {
        let mut g = given(own, c)?;
        for a in &mut g.list {
            if let Some(e) = a.expr {
                a.value = self.eval(e).await.map_err(|h| at(h, c.span))?;
            }
        }
        let action = g.word("ErrorAction").and_then(|w| ErrorAction::parse(&w));
        let done = match own.name {
            "Where-Object" | "ForEach-Object" => self.with_blocks(own, &g, input).await,
            "Read-Host" | "Get-Credential" => self.ask(own, &g).await,
            "Select-Object" | "Format-List" | "Format-Table" => match self.chosen(&g, input).await {
                Ok(input) => self.run_own(own, &g, input, piped),
                Err(h) => Err(h),
            },
            _ => self.run_own(own, &g, input, piped),
        };
        match (done.map_err(|h| at(h, c.span)), action) {
            (Err(h), Some(ErrorAction::Stop)) => Err(Halt { line: true, ..h }),
            (Err(h), Some(ErrorAction::Silent)) if !h.line => Ok(Output::default()),
            (done, _) => done,
        }
    }

    /// Those that need neither blocks nor the host.
    fn run_own(&mut self, own: &Own, g: &Given<'_>, input: Vec<Value>, piped: bool) -> Done<Output> {
        match own.name {
            "Select-Object" => objects::select(g, input),
            "Sort-Object" => Ok(objects::sort_by(g, input)),
            "Group-Object" => Ok(shape::group(g, input)),
            "Measure-Object" => Ok(shape::measure(g, &input)),
            "Get-Member" => shape::members(g, &input),
            "Get-Command" => help::commands(g),
            "Get-Help" => help::help(g),
            _ => output::run(&mut self.out, own, g, input, piped),
        }
    }
}
