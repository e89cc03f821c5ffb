//! The Management Shell: grammar, evaluation and output. It runs where the person is (page or command
//! line) and calls cmdlets through [`Host`], so variables and credentials never live in the server.

mod bind;
mod eval;
mod filter;
mod line;
mod parse;
mod pattern;
mod print;

pub use eval::{Host, LineResult, OutputPart, Session};
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
    let bound = bind::bind(command, &mut |e| eval::constant(e))?;
    Ok((bound.spec, bound.args))
}

#[cfg(test)]
mod tests;
