//! The Management Shell: grammar, evaluation and output. It runs where the person is (page or command
//! line) and calls cmdlets through [`Host`], so variables and credentials never live in the server.

mod bind;
mod builtin;
mod complete;
mod eval;
mod examples;
mod filter;
mod line;
mod names;
mod parse;
mod pattern;
mod print;
mod value;

pub use complete::{Completion, complete};
pub use eval::{Host, LineResult, OutputPart, Session};
pub use examples::of as examples_of;
pub use line::line_for;
pub use parse::ParseError;

use serde_json::{Map, Value};

use crate::cmdlet::Spec;

/// Reads a line of one cmdlet with constant arguments: the inverse of [`line_for`].
///
/// # Errors
/// What is wrong and where.
pub fn parse_args(line: &str) -> Result<(&'static Spec, Map<String, Value>), ParseError> {
    let script = parse::script(line)?;
    let command = script.first().and_then(parse::Statement::single_command);
    let command = command.ok_or_else(|| ParseError::new("Write one cmdlet.", 0, line.len()))?;
    let value = |a: &parse::Argument| {
        a.value.as_ref().map(|e| eval::constant(e).map_err(|e| e.or_at(a.span))).transpose()
    };
    let values = command.args.iter().map(value).collect::<Result<_, _>>()?;
    let bound = bind::bind(command, values)?;
    Ok((bound.spec, bound.args))
}

#[cfg(test)]
mod tests;
