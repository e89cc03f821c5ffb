//! Values: variables, parentheses, tables, words, and what stands behind them.

use serde_json::Number;

use super::{Done, Expr, MAX_CHAIN, Parser, Stage, Statement, dash, double_quote, single_quote};

/// Methods that can be called; all others are properties only.
const METHODS: [&str; 2] = ["ToHTML", "ToXML"];

/// A word that is a number and would be written so; `007` and `1.50` stay as they were typed.
fn number(word: &str) -> Option<Number> {
    if let Ok(n) = word.parse::<i64>() {
        return (n.to_string() == word).then(|| n.into());
    }
    let digits = word.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
    let n = Number::from_f64(word.parse().ok().filter(|_| digits)?)?;
    (n.to_string() == word).then_some(n)
}

impl Parser<'_> {
    /// One value; `argument` of a command, where a word reaches up to a blank.
    pub(super) fn value(&mut self, argument: bool) -> Done<Expr> {
        let start = self.at;
        let out = match self.peek() {
            None => return self.fail("A value is missing here.", start),
            Some('$') => self.variable()?,
            Some('(') => {
                self.bump();
                self.parenthesised(start)?
            }
            Some('@') => self.at_sign(start)?,
            Some('{') => {
                self.bump();
                let body = self.statements(Some('}'))?;
                Expr::Block(body, self.text[start + 1..self.at - 1].trim().to_owned())
            }
            Some(c) if single_quote(c) => self.single_quoted(start)?,
            Some(c) if double_quote(c) => self.double_quoted(start)?,
            Some(_) => return self.bare(argument),
        };
        self.behind(out)
    }

    /// What stands between parentheses, after the first one: a pipeline or a condition.
    pub(super) fn parenthesised(&mut self, start: usize) -> Done<Expr> {
        self.enter()?;
        self.blanks(true);
        let mut pipeline = self.pipeline()?;
        self.depth -= 1;
        self.blanks(true);
        if !self.eat(')') {
            if self.peek().is_none() {
                return self.fail("A closing parenthesis ) is missing.", start);
            }
            let at = self.at;
            self.word();
            return self.fail("This is not understood here; a closing parenthesis ) is missing.", at);
        }
        match pipeline.pop() {
            Some(Stage::Expr(e, _)) if pipeline.is_empty() => Ok(e),
            last => {
                pipeline.extend(last);
                Ok(Expr::Sub(vec![Statement::Run(pipeline)]))
            }
        }
    }

    /// `.Property` and `[index]`.
    fn behind(&mut self, mut e: Expr) -> Done<Expr> {
        let mut length = 0;
        loop {
            let back = self.at;
            e = match self.peek() {
                Some('.') => {
                    self.bump();
                    let mut name = self.identifier();
                    if name.is_empty() {
                        self.at = back;
                        return Ok(e);
                    }
                    // The two methods that logs of test messages have.
                    if METHODS.iter().any(|m| m.eq_ignore_ascii_case(&name)) && self.rest().starts_with("()")
                    {
                        self.bump();
                        self.bump();
                        name.push_str("()");
                    }
                    if self.peek() == Some('(') {
                        return self.fail(format!("The method {name}() cannot be called here."), back);
                    }
                    Expr::Property(Box::new(e), name)
                }
                Some('[') => {
                    self.bump();
                    let index = self.index()?;
                    Expr::Index(Box::new(e), Box::new(index))
                }
                _ => return Ok(e),
            };
            length += 1;
            if length > MAX_CHAIN {
                return self.fail("This has too many properties.", back);
            }
        }
    }

    /// An index, after the opening bracket.
    pub(super) fn index(&mut self) -> Done<Expr> {
        let start = self.at;
        self.blanks(true);
        let index = self.expression()?;
        self.blanks(true);
        if self.eat(']') { Ok(index) } else { self.fail("A closing bracket ] is missing.", start) }
    }

    fn variable(&mut self) -> Done<Expr> {
        let start = self.at;
        self.bump();
        if self.eat('(') {
            return Ok(Expr::Sub(self.statements(Some(')'))?));
        }
        let name = self.variable_name(start)?;
        Ok(match name.as_str() {
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            "null" => Expr::Null,
            _ => Expr::Variable(name),
        })
    }

    /// `name` or `{name}`.
    pub(super) fn variable_name(&mut self, start: usize) -> Done<String> {
        let braces = self.eat('{');
        let name = self.identifier().to_lowercase();
        if name.is_empty() || (braces && !self.eat('}')) {
            return self.fail("A variable's name is missing after $.", start);
        }
        Ok(name)
    }

    fn at_sign(&mut self, start: usize) -> Done<Expr> {
        self.bump();
        if self.eat('(') {
            return Ok(Expr::Array(self.statements(Some(')'))?));
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
            let wrong = "A table has the form @{Add=\"a\",\"b\";Remove=\"c\"}.";
            let key = match self.peek() {
                Some(c) if single_quote(c) => self.single_quoted(at)?,
                Some(c) if double_quote(c) => self.double_quoted(at)?,
                _ => Expr::Text(self.identifier()),
            };
            self.blanks(false);
            match key {
                Expr::Text(key) if !key.is_empty() && self.eat('=') => {
                    self.blanks(true);
                    pairs.push((key, self.expression()?));
                }
                _ => return self.fail(wrong, at),
            }
            self.blanks(false);
            if !matches!(self.peek(), None | Some(';' | '}' | '\n' | '\r')) {
                return self.fail(wrong, at);
            }
        }
    }

    fn bare(&mut self, argument: bool) -> Done<Expr> {
        let start = self.at;
        let mut word = self.word();
        // Outside arguments a bracket closes an index, and after a number stands a sign to compute with.
        let digit = word.starts_with(|c: char| c.is_ascii_digit());
        if !argument && let Some(end) = word.find(|c| c == ']' || (digit && "+*/%".contains(c))) {
            word.truncate(end);
            self.at = start + end;
        }
        if word.is_empty() {
            return self.fail("This is not understood here.", start);
        }
        let plain: String =
            word.chars().enumerate().map(|(i, c)| if i == 0 && dash(c) { '-' } else { c }).collect();
        Ok(number(&plain).map_or(Expr::Text(word), Expr::Number))
    }
}
