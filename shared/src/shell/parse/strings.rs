//! Strings: `'…'` as it stands, `"…"` with escapes, variables and `$( … )`. Typographic quotes count, since
//! documents print them.

use super::super::ast::{Expr, Fault, Node, Part};
use super::{Parser, is_double_quote, is_name, is_single_quote};

/// Ends the literal piece that is being gathered.
pub(super) fn flush(literal: &mut String, parts: &mut Vec<Part>) {
    if !literal.is_empty() {
        parts.push(Part::Literal(std::mem::take(literal)));
    }
}

impl Parser {
    pub(super) fn string(&mut self) -> Result<Expr, Fault> {
        let start = self.at;
        let parts = self.string_parts()?;
        Ok(Expr { node: Node::Text(parts), span: self.span_from(start) })
    }

    pub(super) fn string_parts(&mut self) -> Result<Vec<Part>, Fault> {
        let open = self.here();
        let single = self.bump().is_some_and(is_single_quote);
        let quote = if single { is_single_quote } else { is_double_quote };
        let (mut parts, mut literal) = (Vec::new(), String::new());
        loop {
            match self.peek() {
                None => return Err(Fault::incomplete(open, "The closing quote is missing.")),
                Some(c) if quote(c) => {
                    self.at += 1;
                    if !self.peek_is(quote) {
                        break;
                    }
                    self.at += 1;
                    literal.push(c);
                }
                Some(c) if single => {
                    self.at += 1;
                    literal.push(c);
                }
                Some(_) => self.string_char(&mut literal, &mut parts)?,
            }
        }
        flush(&mut literal, &mut parts);
        Ok(parts)
    }

    /// One character, escape, variable or `$( … )` where such are expanded.
    pub(super) fn string_char(&mut self, literal: &mut String, parts: &mut Vec<Part>) -> Result<(), Fault> {
        let start = self.at;
        match (self.bump(), self.peek()) {
            (Some('`'), Some(_)) => self.escape(literal),
            (Some('$'), Some('(')) => {
                flush(literal, parts);
                let open = self.here();
                self.at += 1;
                let body = self.nested(|p| p.statements(Some(')')))?;
                self.close(open, ')')?;
                parts.push(Part::Sub(body));
            }
            (Some('$'), Some(c)) if is_name(c) || c == '{' => {
                flush(literal, parts);
                let name = self.variable_name();
                parts.push(Part::Variable(name, self.span_from(start)));
            }
            (Some(c), _) => literal.push(c),
            (None, _) => {}
        }
        Ok(())
    }

    /// After the `$`: `name` or `{any name}`.
    pub(super) fn variable_name(&mut self) -> String {
        if self.eat('{') {
            let name = self.take_while(|c| c != '}');
            self.eat('}');
            return name;
        }
        self.take_while(is_name)
    }

    /// After the backtick. Source: about_Special_Characters.
    fn escape(&mut self, literal: &mut String) {
        let Some(c) = self.bump() else { return };
        literal.push(match c {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'e' => '\u{1b}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            c => c,
        });
    }
}
