//! Text → statements. The part of PowerShell's grammar that the documents' lines use.

use std::fmt;

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
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A text or bare word.
    Text(String),
    /// A whole number.
    Number(i64),
    /// `$true`, `$false`.
    Bool(bool),
    /// `$null`.
    Null,
    /// `$name`.
    Variable(String),
    /// `x.Property`.
    Property(Box<Expr>, String),
    /// `a,b` or `@(…)`.
    List(Vec<Expr>),
    /// `@{k=v;…}`.
    Table(Vec<(String, Expr)>),
    /// `(pipeline)`.
    Sub(Box<Pipeline>),
    /// `{ … }`, kept as tokens are needed by the filter.
    Block(Vec<Statement>),
    /// `a -op b`.
    Binary(Box<Expr>, String, Box<Expr>),
    /// `-not a`.
    Not(Box<Expr>),
    /// A double-quoted text with variables: literal parts and names.
    Template(Vec<Part>),
}

/// A part of a double-quoted text.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// As it stands.
    Literal(String),
    /// `$name`.
    Variable(String),
}

/// An argument of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Argument {
    /// Parameter name without hyphen, when given.
    pub name: Option<String>,
    /// Value, when given.
    pub value: Option<Expr>,
    /// The value stood after a colon (`-Switch:$false`).
    pub colon: bool,
    /// Place in the text.
    pub span: (usize, usize),
}

/// A command with its arguments.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Name as typed.
    pub name: String,
    /// Arguments.
    pub args: Vec<Argument>,
    /// Place of the name.
    pub span: (usize, usize),
}

/// A stage of a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// A command.
    Command(Command),
    /// An expression.
    Expr(Expr),
}

/// Stages joined by `|`.
pub type Pipeline = Vec<Stage>;

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// A pipeline.
    Run(Pipeline),
    /// `$name = pipeline`.
    Assign(String, Pipeline),
}

impl Statement {
    /// The command, when the statement is one command alone.
    pub fn single_command(&self) -> Option<&Command> {
        match self {
            Self::Run(p) => match p.as_slice() {
                [Stage::Command(c)] => Some(c),
                _ => None,
            },
            Self::Assign(..) => None,
        }
    }
}

const OPERATORS: [&str; 16] = [
    "eq",
    "ne",
    "match",
    "notmatch",
    "like",
    "notlike",
    "gt",
    "lt",
    "ge",
    "le",
    "contains",
    "notcontains",
    "in",
    "notin",
    "and",
    "or",
];

/// Deepest nesting of parentheses and blocks.
const MAX_DEPTH: usize = 32;

/// Longest chain of operators or properties.
const MAX_CHAIN: usize = 64;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

type Done<T> = Result<T, ParseError>;

fn dash(c: char) -> bool {
    matches!(c, '-' | '\u{2013}' | '\u{2014}' | '\u{2015}')
}

fn double_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

fn single_quote(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}')
}

/// Reads a script.
///
/// # Errors
/// What is wrong and where.
pub fn script(text: &str) -> Done<Vec<Statement>> {
    let mut p = Parser { text, at: 0, depth: 0 };
    let out = p.statements(None)?;
    Ok(out)
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
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
        let end = self.at.max(start + 1).min(self.text.len()).max(start);
        Err(ParseError::new(message, start, end))
    }

    /// Blanks, comments and continued lines; line ends too when `lines`.
    fn blanks(&mut self, lines: bool) {
        while let Some(c) = self.peek() {
            let rest = &self.text[self.at..];
            if c == '#' {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.bump();
                }
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

    fn statements(&mut self, close: Option<char>) -> Done<Vec<Statement>> {
        self.enter()?;
        let mut out = Vec::new();
        loop {
            self.blanks(true);
            match self.peek() {
                None if close.is_none() => break,
                None => return self.fail("A closing brace } is missing.", self.text.len().saturating_sub(1)),
                Some(';') => {
                    self.bump();
                }
                Some(c) if Some(c) == close => {
                    self.bump();
                    break;
                }
                Some(_) => out.push(self.statement()?),
            }
        }
        self.depth -= 1;
        Ok(out)
    }

    fn statement(&mut self) -> Done<Statement> {
        let start = self.at;
        if self.eat('$') {
            let name = self.identifier();
            self.blanks(false);
            let assigns = self.peek() == Some('=') && !name.is_empty();
            if assigns {
                self.bump();
                self.blanks(true);
                return Ok(Statement::Assign(name.to_lowercase(), self.pipeline()?));
            }
            self.at = start;
        }
        Ok(Statement::Run(self.pipeline()?))
    }

    fn pipeline(&mut self) -> Done<Pipeline> {
        let mut out = vec![self.stage()?];
        loop {
            self.blanks(false);
            if !self.eat('|') {
                return Ok(out);
            }
            self.blanks(true);
            out.push(self.stage()?);
        }
    }

    fn stage(&mut self) -> Done<Stage> {
        self.blanks(false);
        let start = self.at;
        match self.peek() {
            None | Some('|' | ';' | ')' | '}') => {
                self.fail("A command is missing here.", start.min(self.text.len().saturating_sub(1)))
            }
            Some(c)
                if c == '$'
                    || c == '('
                    || c == '@'
                    || double_quote(c)
                    || single_quote(c)
                    || dash(c)
                    || c.is_ascii_digit() =>
            {
                Ok(Stage::Expr(self.expression()?))
            }
            Some(_) => self.command().map(Stage::Command),
        }
    }

    fn command(&mut self) -> Done<Command> {
        let start = self.at;
        let name = self.word();
        if name.is_empty() {
            self.bump();
            return self.fail("This is not a command.", start);
        }
        let span = (start, self.at);
        let mut args = Vec::new();
        loop {
            self.blanks(false);
            match self.peek() {
                None | Some('|' | ';' | ')' | '}' | '\n' | '\r') => return Ok(Command { name, args, span }),
                Some(c) if dash(c) && self.parameter_follows() => args.push(self.parameter()?),
                Some(_) => {
                    let start = self.at;
                    let value = self.list()?;
                    if self.at == start {
                        self.bump();
                        return self.fail("This is not understood here.", start);
                    }
                    args.push(Argument {
                        name: None,
                        value: Some(value),
                        colon: false,
                        span: (start, self.at),
                    });
                }
            }
        }
    }

    fn parameter_follows(&self) -> bool {
        self.text[self.at..].chars().nth(1).is_some_and(char::is_alphabetic)
    }

    fn parameter(&mut self) -> Done<Argument> {
        let start = self.at;
        self.bump();
        let name = self.identifier();
        let colon = self.eat(':');
        self.blanks(false);
        let ends = match self.peek() {
            None | Some('|' | ';' | ')' | '}' | '\n' | '\r') => true,
            Some(c) => dash(c) && self.parameter_follows() && !colon,
        };
        let value = if ends { None } else { Some(self.list()?) };
        Ok(Argument { name: Some(name), value, colon, span: (start, self.at) })
    }

    /// A value, or several joined by commas.
    fn list(&mut self) -> Done<Expr> {
        let first = self.value(true)?;
        let mut items = vec![first];
        loop {
            let back = self.at;
            self.blanks(false);
            if !self.eat(',') {
                self.at = back;
                return Ok(if items.len() == 1 { items.remove(0) } else { Expr::List(items) });
            }
            self.blanks(true);
            items.push(self.value(true)?);
        }
    }

    /// Operators by precedence: or < and < comparison < list.
    fn expression(&mut self) -> Done<Expr> {
        self.enter()?;
        let out = self.binary(&["or"], |p| p.binary(&["and"], |p| p.comparison()));
        self.depth -= 1;
        out
    }

    fn binary(&mut self, words: &[&str], next: impl Fn(&mut Self) -> Done<Expr>) -> Done<Expr> {
        let mut left = next(self)?;
        let mut length = 0;
        while let Some(op) = self.operator(words) {
            length += 1;
            if length > MAX_CHAIN {
                return self.fail("This condition is too long.", self.at.saturating_sub(1));
            }
            let right = next(self)?;
            left = Expr::Binary(Box::new(left), op, Box::new(right));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Done<Expr> {
        self.blanks(true);
        if self.operator(&["not"]).is_some() || self.eat('!') {
            self.enter()?;
            let inner = self.comparison()?;
            self.depth -= 1;
            return Ok(Expr::Not(Box::new(inner)));
        }
        let left = self.list_value()?;
        match self.operator(&OPERATORS[..14]) {
            Some(op) => {
                self.blanks(true);
                let right = self.list_value()?;
                Ok(Expr::Binary(Box::new(left), op, Box::new(right)))
            }
            None => Ok(left),
        }
    }

    fn list_value(&mut self) -> Done<Expr> {
        let start = self.at;
        let v = self.list()?;
        if self.at == start {
            self.fail("A value is missing here.", start.min(self.text.len().saturating_sub(1)))
        } else {
            Ok(v)
        }
    }

    fn operator(&mut self, words: &[&str]) -> Option<String> {
        let back = self.at;
        self.blanks(true);
        if self.peek().is_some_and(dash) {
            self.bump();
            let word = self.identifier().to_lowercase();
            if words.contains(&word.as_str()) {
                return Some(word);
            }
        }
        self.at = back;
        None
    }

    fn value(&mut self, bare: bool) -> Done<Expr> {
        let start = self.at;
        let out = match self.peek() {
            None => return self.fail("A value is missing here.", self.text.len().saturating_sub(1)),
            Some('$') => self.variable()?,
            Some('(') => {
                self.bump();
                self.enter()?;
                self.blanks(true);
                // Inside parentheses stands a pipeline or a condition.
                let inner = self.parenthesised()?;
                self.depth -= 1;
                self.blanks(true);
                if !self.eat(')') {
                    return self.fail("A closing parenthesis ) is missing.", start);
                }
                inner
            }
            Some('@') => self.at_sign(start)?,
            Some('{') => {
                self.bump();
                Expr::Block(self.block()?)
            }
            Some(c) if single_quote(c) => self.single_quoted(start)?,
            Some(c) if double_quote(c) => self.double_quoted(start)?,
            Some(_) if bare => self.bare()?,
            Some(_) => return self.fail("A value is missing here.", start),
        };
        self.properties(out)
    }

    fn parenthesised(&mut self) -> Done<Expr> {
        let pipeline = self.pipeline()?;
        match pipeline.as_slice() {
            [Stage::Expr(e)] => Ok(e.clone()),
            _ => Ok(Expr::Sub(Box::new(pipeline))),
        }
    }

    fn block(&mut self) -> Done<Vec<Statement>> {
        self.statements(Some('}'))
    }

    fn properties(&mut self, mut e: Expr) -> Done<Expr> {
        let mut length = 0;
        while !matches!(e, Expr::Text(_) | Expr::Number(_)) && self.peek() == Some('.') {
            let back = self.at;
            self.bump();
            let name = self.identifier();
            if name.is_empty() {
                self.at = back;
                break;
            }
            length += 1;
            if length > MAX_CHAIN {
                return self.fail("This has too many properties.", back);
            }
            e = Expr::Property(Box::new(e), name);
        }
        Ok(e)
    }

    fn variable(&mut self) -> Done<Expr> {
        let start = self.at;
        self.bump();
        let name = self.identifier().to_lowercase();
        Ok(match name.as_str() {
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            "null" => Expr::Null,
            "" => return self.fail("A variable's name is missing after $.", start),
            _ => Expr::Variable(name),
        })
    }

    fn at_sign(&mut self, start: usize) -> Done<Expr> {
        self.bump();
        if self.eat('(') {
            let mut items = Vec::new();
            loop {
                self.blanks(true);
                if self.eat(')') {
                    return Ok(Expr::List(items));
                }
                if self.eat(',') {
                    continue;
                }
                self.enter()?;
                items.push(self.value(true)?);
                self.depth -= 1;
                if self.at >= self.text.len() {
                    return self.fail("A closing parenthesis ) is missing.", start);
                }
            }
        }
        if !self.eat('{') {
            return self.fail("After @ stands ( or {.", start);
        }
        let mut pairs = Vec::new();
        loop {
            self.blanks(true);
            if self.eat('}') {
                return Ok(Expr::Table(pairs));
            }
            if self.eat(';') {
                continue;
            }
            let at = self.at;
            let key = self.identifier();
            self.blanks(false);
            if key.is_empty() || !self.eat('=') {
                return self.fail("A table has the form @{Add=\"a\",\"b\";Remove=\"c\"}.", at);
            }
            self.blanks(true);
            self.enter()?;
            pairs.push((key, self.list()?));
            self.depth -= 1;
        }
    }

    fn single_quoted(&mut self, start: usize) -> Done<Expr> {
        self.bump();
        let mut out = String::new();
        loop {
            match self.bump() {
                None => return self.fail("The closing quote is missing.", start),
                Some(c) if single_quote(c) => {
                    if self.peek().is_some_and(single_quote) {
                        self.bump();
                        out.push('\'');
                    } else {
                        return Ok(Expr::Text(out));
                    }
                }
                Some(c) => out.push(c),
            }
        }
    }

    fn double_quoted(&mut self, start: usize) -> Done<Expr> {
        self.bump();
        let (mut parts, mut out) = (Vec::new(), String::new());
        loop {
            match self.bump() {
                None => return self.fail("The closing quote is missing.", start),
                Some('`') => out.push(match self.bump() {
                    None => return self.fail("The closing quote is missing.", start),
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some('0') => '\0',
                    Some(c) => c,
                }),
                Some(c) if double_quote(c) => {
                    if self.peek().is_some_and(double_quote) {
                        self.bump();
                        out.push('"');
                        continue;
                    }
                    if parts.is_empty() {
                        return Ok(Expr::Text(out));
                    }
                    parts.push(Part::Literal(out));
                    return Ok(Expr::Template(parts));
                }
                Some('$') if self.peek().is_some_and(|c| c.is_alphabetic() || c == '_') => {
                    parts.push(Part::Literal(std::mem::take(&mut out)));
                    parts.push(Part::Variable(self.identifier().to_lowercase()));
                }
                Some(c) => out.push(c),
            }
        }
    }

    fn bare(&mut self) -> Done<Expr> {
        let start = self.at;
        let word = self.word();
        if word.is_empty() {
            return self.fail("This is not understood here.", start);
        }
        Ok(word.parse().map_or(Expr::Text(word), Expr::Number))
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
