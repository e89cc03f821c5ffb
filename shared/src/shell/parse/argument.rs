//! Arguments of a command: bare words are texts here.

use super::super::ast::{Arg, Expr, Fault, Node, Part, Span};
use super::{Parser, is_blank, is_dash, is_double_quote, is_line_end, is_name, is_single_quote};

fn ends_word(c: char) -> bool {
    c.is_whitespace() || is_blank(c) || "|;&(){}<>,".contains(c)
}

impl Parser {
    pub(super) fn arguments(&mut self) -> Result<Vec<Arg>, Fault> {
        let mut out = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some('|' | ';' | ')' | '}') => return Ok(out),
                Some(c) if is_line_end(c) => return Ok(out),
                Some(c) if is_dash(c) && self.peek_at(1).is_some_and(|d| d.is_alphabetic() || d == '?') => {
                    out.push(self.named()?);
                }
                Some(_) => out.push(Arg::Value(self.argument()?)),
            }
        }
    }

    fn named(&mut self) -> Result<Arg, Fault> {
        let start = self.at;
        self.at += 1;
        let name = self.take_while(|c| is_name(c) || c == '?');
        let span = self.span_from(start);
        let mut value = None;
        if self.eat(':') {
            self.skip_blanks();
            value = Some(self.argument()?);
        }
        Ok(Arg::Named { name, value, span })
    }

    /// One value, or several with commas between.
    fn argument(&mut self) -> Result<Expr, Fault> {
        let first = self.argument_item()?;
        let mut items = vec![first];
        loop {
            let end = self.at;
            self.skip_blanks();
            if !self.eat(',') {
                self.at = end;
                break;
            }
            self.skip_space();
            items.push(self.argument_item()?);
        }
        Ok(join(items))
    }

    fn argument_item(&mut self) -> Result<Expr, Fault> {
        let start = self.at;
        let c = self.peek().ok_or_else(|| self.unexpected())?;
        let opens = "({".contains(c)
            || (c == '@' && matches!(self.peek_at(1), Some('(' | '{')))
            || (c == '$' && self.peek_at(1).is_some_and(|d| is_name(d) || "({\\".contains(d)));
        if is_double_quote(c) || is_single_quote(c) || opens {
            let e = self.postfix()?;
            // `$share\folder` is one word with a variable in it.
            if c != '$' || self.peek().is_none_or(ends_word) {
                return Ok(e);
            }
            self.at = start;
        }
        self.word()
    }

    fn word(&mut self) -> Result<Expr, Fault> {
        let start = self.at;
        let mut parts = Vec::new();
        let mut literal = String::new();
        while let Some(c) = self.peek() {
            if ends_word(c) {
                break;
            }
            if is_double_quote(c) || is_single_quote(c) {
                super::strings::flush(&mut literal, &mut parts);
                parts.extend(self.string_parts()?);
            } else if c == '`' && self.peek_at(1).is_none_or(is_line_end) {
                break;
            } else {
                self.string_char(&mut literal, &mut parts)?;
            }
        }
        super::strings::flush(&mut literal, &mut parts);
        if self.at == start {
            return Err(self.unexpected());
        }
        if parts.is_empty() {
            parts.push(Part::Literal(String::new()));
        }
        Ok(Expr { node: Node::Text(parts), span: self.span_from(start) })
    }
}

/// Several values are a list; one is itself.
pub(super) fn join(mut items: Vec<Expr>) -> Expr {
    if items.len() == 1 {
        return items.remove(0);
    }
    let span = match (items.first(), items.last()) {
        (Some(a), Some(b)) => a.span.to(b.span),
        _ => Span { from: 0, to: 0 },
    };
    Expr { node: Node::List(items), span }
}
