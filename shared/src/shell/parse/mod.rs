//! Text → statements. The part of PowerShell's grammar that the documents' lines and scripts of
//! administrators use.

mod ast;
mod expression;
mod quoted;
mod statement;
mod value;

use std::fmt;

pub use ast::{Argument, Command, Expr, Part, Pipeline, Stage, Statement, Step, Target};

/// What is wrong, and where (byte offsets into the text).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What, and what to do.
    pub message: String,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

impl ParseError {
    /// An error at a place.
    pub fn new(message: impl Into<String>, start: usize, end: usize) -> Self {
        Self { message: message.into(), start, end }
    }

    /// The same error at `span`, unless it has a place already.
    pub fn or_at(mut self, span: (usize, usize)) -> Self {
        if self.end == 0 {
            (self.start, self.end) = span;
        }
        self
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Deepest nesting of parentheses and blocks.
const MAX_DEPTH: usize = 64;

/// Longest chain of operators or properties.
const MAX_CHAIN: usize = 64;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

type Done<T> = Result<T, ParseError>;

/// Hyphen and the dashes that word processors make of it.
pub fn dash(c: char) -> bool {
    matches!(c, '-' | '\u{2013}' | '\u{2014}' | '\u{2015}')
}

fn double_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

fn single_quote(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}')
}

/// A name with hyphens for dashes.
pub fn hyphens(name: &str) -> String {
    name.replace(dash, "-")
}

/// Reads a script.
///
/// # Errors
/// What is wrong and where.
pub fn script(text: &str) -> Done<Vec<Statement>> {
    Parser { text, at: 0, depth: 0 }.statements(None)
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, c: char) -> bool {
        let hit = self.peek() == Some(c);
        if hit {
            self.bump();
        }
        hit
    }

    fn fail<T>(&self, message: impl Into<String>, start: usize) -> Done<T> {
        // What is missing at the end is shown at the last character.
        let last = self.text.char_indices().next_back().map_or(0, |(i, _)| i);
        let start = start.min(last);
        let one = self.text[start..].chars().next().map_or(0, char::len_utf8);
        Err(ParseError::new(message, start, self.at.max(start + one).min(self.text.len())))
    }

    /// Blanks, comments and continued lines; line ends too when `lines`.
    fn blanks(&mut self, lines: bool) {
        while let Some(c) = self.peek() {
            let rest = self.rest();
            if c == '#' {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("<#") {
                self.at += rest.find("#>").map_or(rest.len(), |n| n + 2);
            } else if rest.starts_with("`\n") || rest.starts_with("`\r\n") {
                while self.bump() != Some('\n') {}
            } else if (c.is_whitespace() && c != '\n' && c != '\r') || (lines && (c == '\n' || c == '\r')) {
                self.bump();
            } else {
                return;
            }
        }
    }

    fn enter(&mut self) -> Done<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { self.fail("This is nested too deeply.", self.at) } else { Ok(()) }
    }

    fn identifier(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            self.bump();
        }
        self.text[start..self.at].to_owned()
    }

    /// A bare word: up to blank or a sign that has a meaning of its own.
    fn word(&mut self) -> String {
        let start = self.at;
        let ends =
            |c: char| c.is_whitespace() || "|;,(){}'\"=`".contains(c) || double_quote(c) || single_quote(c);
        while self.peek().is_some_and(|c| !ends(c)) {
            self.bump();
        }
        self.text[start..self.at].to_owned()
    }
}
