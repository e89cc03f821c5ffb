//! The grammar: text → statements. PowerShell reads one way where a command is named (bare words are
//! texts) and another where a value stands (bare words are errors); so there is no separate lexer.
//! Nothing here looks at cmdlet definitions.

mod argument;
mod expression;
mod strings;

use super::ast::{Command, Fault, Pipeline, Span, Stage, Statement};

/// Brackets in brackets; far more than anyone types, far less than the stack holds.
const MAX_DEPTH: usize = 24;

/// Words of PowerShell's language that would otherwise look like unknown cmdlets.
const KEYWORDS: [&str; 16] = [
    "begin", "break", "continue", "do", "elseif", "else", "exit", "for", "function", "if", "param", "return", "switch",
    "throw", "try", "while",
];

/// Reads a line or a script.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>, Fault> {
    let mut p = Parser { chars: text.chars().collect(), at: 0, depth: 0 };
    p.statements(None)
}

/// Hyphen, en dash, em dash and horizontal bar: the documents print all of them before parameters.
fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2013}' | '\u{2014}' | '\u{2015}')
}

fn is_double_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

fn is_single_quote(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}')
}

fn is_line_end(c: char) -> bool {
    c == '\n' || c == '\r'
}

fn is_blank(c: char) -> bool {
    (c.is_whitespace() && !is_line_end(c)) || c == '\u{feff}' || c == '\u{200b}'
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn peek_is(&self, test: impl Fn(char) -> bool) -> bool {
        self.peek().is_some_and(test)
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn span_from(&self, from: usize) -> Span {
        Span { from, to: self.at.max(from) }
    }

    fn here(&self) -> Span {
        Span { from: self.at, to: (self.at + 1).min(self.chars.len()).max(self.at) }
    }

    fn text(&self, span: Span) -> String {
        self.chars[span.from..span.to].iter().collect()
    }

    fn take_while(&mut self, test: impl Fn(char) -> bool) -> String {
        let from = self.at;
        while self.peek_is(&test) {
            self.at += 1;
        }
        self.text(self.span_from(from))
    }

    /// Blanks, comments and lines continued by a backtick.
    fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(c) if is_blank(c) => self.at += 1,
                Some('`') if self.peek_at(1).is_none_or(is_line_end) => {
                    self.at += 1;
                    self.skip_line_end();
                }
                Some('#') => {
                    self.take_while(|c| !is_line_end(c));
                }
                Some('<') if self.peek_at(1) == Some('#') => self.skip_block_comment(),
                _ => return,
            }
        }
    }

    fn skip_line_end(&mut self) {
        if self.eat('\r') {
            self.eat('\n');
        } else {
            self.eat('\n');
        }
    }

    fn skip_block_comment(&mut self) {
        self.at += 2;
        while let Some(c) = self.bump() {
            if c == '#' && self.eat('>') {
                return;
            }
        }
    }

    /// Blanks and line ends, where a line may be broken.
    fn skip_space(&mut self) {
        loop {
            self.skip_blanks();
            if !self.peek_is(is_line_end) {
                return;
            }
            self.at += 1;
        }
    }

    /// Runs `inner` one bracket deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::at(self.here(), format!("More than {MAX_DEPTH} brackets in each other.")));
        }
        self.depth += 1;
        let out = inner(self);
        self.depth -= 1;
        out
    }

    fn close(&mut self, open: Span, bracket: char) -> Result<(), Fault> {
        self.skip_space();
        if self.eat(bracket) {
            return Ok(());
        }
        if self.peek().is_none() {
            return Err(Fault::incomplete(open, format!("The closing '{bracket}' is missing.")));
        }
        Err(self.unexpected())
    }

    fn unexpected(&self) -> Fault {
        let mut end = self.at;
        while self.chars.get(end).is_some_and(|c| !c.is_whitespace() && !"|;(){},".contains(*c)) {
            end += 1;
        }
        let span = Span { from: self.at, to: end.max(self.here().to) };
        match self.peek() {
            None => Fault::incomplete(span, "The line ends too early."),
            Some('<') => Fault::at(
                span,
                "'<' cannot stand here. If it marks a placeholder such as <pool FQDN>, write your own value instead.",
            ),
            Some('>') => Fault::at(span, "Output cannot be redirected with '>'; take it from the page or the command's own output."),
            Some('&') => Fault::at(span, "'&' is not part of this shell; write ';' between commands."),
            Some(_) => Fault::at(span, format!("Unexpected '{}'.", self.text(span))),
        }
    }

    /// Statements until the end, or until `close` (which is left for the caller).
    fn statements(&mut self, close: Option<char>) -> Result<Vec<Statement>, Fault> {
        let mut out = Vec::new();
        loop {
            self.skip_space();
            if self.eat(';') {
                continue;
            }
            if self.peek().is_none() || self.peek() == close {
                return Ok(out);
            }
            out.push(self.statement()?);
            self.skip_blanks();
            let ended = self.peek().is_none_or(|c| c == ';' || is_line_end(c) || Some(c) == close);
            if !ended {
                return Err(self.unexpected());
            }
        }
    }

    fn statement(&mut self) -> Result<Statement, Fault> {
        if let Some((variable, path, target)) = self.assignment() {
            self.skip_space();
            return Ok(Statement::Assign { variable, path, target, value: self.pipeline()? });
        }
        Ok(Statement::Run(self.pipeline()?))
    }

    /// `$name =` or `$name.Property =`, taken as far as the sign; otherwise nothing is taken.
    fn assignment(&mut self) -> Option<(String, Vec<String>, Span)> {
        let start = self.at;
        let found = self.assignment_target();
        if found.is_none() {
            self.at = start;
        }
        found
    }

    fn assignment_target(&mut self) -> Option<(String, Vec<String>, Span)> {
        let start = self.at;
        if !self.eat('$') {
            return None;
        }
        let variable = self.take_while(is_name);
        let mut path = Vec::new();
        while self.eat('.') {
            path.push(self.take_while(is_name));
        }
        let target = self.span_from(start);
        self.skip_blanks();
        let named = !variable.is_empty() && path.iter().all(|p| !p.is_empty());
        (named && self.eat('=') && self.peek() != Some('=')).then_some((variable, path, target))
    }

    fn pipeline(&mut self) -> Result<Pipeline, Fault> {
        let start = self.at;
        let mut stages = vec![self.stage()?];
        loop {
            let end = self.at;
            self.skip_blanks();
            let bar = self.here();
            if self.peek() != Some('|') || self.peek_at(1) == Some('|') {
                return Ok(Pipeline { stages, span: Span { from: start, to: end } });
            }
            self.at += 1;
            self.skip_space();
            if self.peek().is_none() {
                return Err(Fault::incomplete(bar, "Nothing follows the '|'."));
            }
            stages.push(self.stage()?);
            if let Some(Stage::Value(e)) = stages.last() {
                return Err(Fault::at(e.span, "Only the first part of a pipeline may be a value; here a cmdlet is expected."));
            }
        }
    }

    fn stage(&mut self) -> Result<Stage, Fault> {
        let c = self.peek().ok_or_else(|| self.unexpected())?;
        let signed = is_dash(c) && self.peek_at(1).is_some_and(|d| d.is_ascii_digit());
        let not = is_dash(c) && self.word_after_dash().eq_ignore_ascii_case("not");
        let value = c.is_ascii_digit() || "$(@{![".contains(c) || is_double_quote(c) || is_single_quote(c);
        if value || signed || not {
            return Ok(Stage::Value(self.expression()?));
        }
        Ok(Stage::Command(self.command()?))
    }

    fn word_after_dash(&self) -> String {
        self.chars[self.at + 1..].iter().take_while(|c| c.is_ascii_alphabetic()).collect()
    }

    fn command(&mut self) -> Result<Command, Fault> {
        let start = self.at;
        let ends = |c: char| c.is_whitespace() || "|;&(){}<>,$=".contains(c) || is_double_quote(c) || is_single_quote(c);
        let name: String = self.take_while(|c| !ends(c)).chars().map(|c| if is_dash(c) { '-' } else { c }).collect();
        let span = self.span_from(start);
        if name.is_empty() {
            return Err(self.unexpected());
        }
        let lower = name.to_lowercase();
        if KEYWORDS.contains(&lower.as_str()) || (lower == "foreach" && self.after_blanks() == Some('(')) {
            let text = format!(
                "'{name}' statements are not part of this shell. Pipelines are: … | Where-Object {{…}}, … | ForEach-Object {{…}}."
            );
            return Err(Fault::at(span, text));
        }
        Ok(Command { name, span, args: self.arguments()? })
    }

    fn after_blanks(&self) -> Option<char> {
        self.chars[self.at..].iter().copied().find(|c| !is_blank(*c))
    }
}
