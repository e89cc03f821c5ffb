//! Texts in quotes.

use super::{Done, Expr, Parser, Part, double_quote, single_quote};

impl Parser<'_> {
    pub(super) fn single_quoted(&mut self, start: usize) -> Done<Expr> {
        self.bump();
        let mut out = String::new();
        loop {
            match self.bump() {
                None => return self.fail("The closing quote is missing.", start),
                Some(c) if single_quote(c) => {
                    if !self.peek().is_some_and(single_quote) {
                        return Ok(Expr::Text(out));
                    }
                    self.bump();
                    out.push('\'');
                }
                Some(c) => out.push(c),
            }
        }
    }

    pub(super) fn double_quoted(&mut self, start: usize) -> Done<Expr> {
        self.bump();
        let (mut parts, mut out) = (Vec::new(), String::new());
        loop {
            let dollar = self.at;
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
                Some('$') if self.peek().is_some_and(|c| c.is_alphabetic() || "_({".contains(c)) => {
                    parts.push(Part::Literal(std::mem::take(&mut out)));
                    parts.push(Part::Value(self.expanded(dollar)?));
                }
                Some(c) => out.push(c),
            }
        }
    }

    /// `$name`, `${name}` or `$(…)` inside a text, after the dollar sign.
    fn expanded(&mut self, start: usize) -> Done<Expr> {
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
}
