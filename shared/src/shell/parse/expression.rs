//! Values: operators, lists, tables, variables, groups. Ranks, loosest first: `-and -or`, comparisons,
//! the comma, `-not`, property and index.

use super::super::ast::{Access, Block, Comparison, Expr, Fault, Node, Op, Span};
use super::argument::join;
use super::{Parser, is_dash, is_double_quote, is_name, is_single_quote};

impl Parser {
    pub(super) fn expression(&mut self) -> Result<Expr, Fault> {
        self.chain(Self::comparison, |w| match w {
            "and" => Some(Op::And),
            "or" => Some(Op::Or),
            _ => None,
        })
    }

    fn comparison(&mut self) -> Result<Expr, Fault> {
        self.chain(Self::list, |w| Comparison::from_word(w).map(|(c, case)| Op::Compare(c, case)))
    }

    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Result<Expr, Fault>,
        operator: fn(&str) -> Option<Op>,
    ) -> Result<Expr, Fault> {
        let first = operand(self)?;
        let mut rest: Vec<(Op, Expr)> = Vec::new();
        loop {
            let end = self.at;
            self.skip_blanks();
            let word = if self.peek_is(is_dash) { self.word_after_dash() } else { String::new() };
            let Some(op) = operator(&word.to_ascii_lowercase()) else {
                self.at = end;
                break;
            };
            self.at += 1 + word.len();
            self.skip_space();
            rest.push((op, operand(self)?));
        }
        let Some((_, last)) = rest.last() else { return Ok(first) };
        let span = first.span.to(last.span);
        Ok(Expr { node: Node::Chain(Box::new(first), rest), span })
    }

    fn list(&mut self) -> Result<Expr, Fault> {
        let mut items = vec![self.unary()?];
        loop {
            let end = self.at;
            self.skip_blanks();
            if !self.eat(',') {
                self.at = end;
                return Ok(join(items));
            }
            self.skip_space();
            items.push(self.unary()?);
        }
    }

    fn unary(&mut self) -> Result<Expr, Fault> {
        let start = self.at;
        let dashed = self.peek_is(is_dash) && self.word_after_dash().eq_ignore_ascii_case("not");
        if !dashed && self.peek() != Some('!') {
            return self.postfix();
        }
        self.at += if dashed { 4 } else { 1 };
        self.skip_space();
        let inner = self.nested(Self::unary)?;
        Ok(Expr { span: self.span_from(start), node: Node::Not(Box::new(inner)) })
    }

    pub(super) fn postfix(&mut self) -> Result<Expr, Fault> {
        let start = self.at;
        let base = self.primary()?;
        if matches!(base.node, Node::Text(_) | Node::Int(_) | Node::Number(_)) {
            return Ok(base);
        }
        let mut path = Vec::new();
        loop {
            if self.peek() == Some('.') && self.peek_at(1).is_some_and(is_name) {
                self.at += 1;
                let name = self.take_while(is_name);
                if self.peek() == Some('(') {
                    return Err(Fault::at(self.span_from(start), format!("Methods such as {name}() cannot be called here.")));
                }
                path.push(Access::Name(name));
            } else if self.peek() == Some('[') {
                let open = self.here();
                self.at += 1;
                self.skip_space();
                let index = self.nested(Self::expression)?;
                self.close(open, ']')?;
                path.push(Access::Index(index));
            } else {
                break;
            }
        }
        if path.is_empty() {
            return Ok(base);
        }
        Ok(Expr { span: self.span_from(start), node: Node::Path(Box::new(base), path) })
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let start = self.at;
        let open = self.here();
        let node = match (self.peek(), self.peek_at(1)) {
            (Some(c), _) if is_double_quote(c) || is_single_quote(c) => return self.string(),
            (Some('$'), Some('(')) => {
                self.at += 2;
                Node::Sub(self.body(open, ')')?)
            }
            (Some('@'), Some('(')) => {
                self.at += 2;
                Node::Array(self.body(open, ')')?)
            }
            (Some('@'), Some('{')) => {
                self.at += 2;
                Node::Table(self.nested(|p| p.table(open))?)
            }
            (Some('$'), _) => self.variable()?,
            (Some('('), _) => {
                self.at += 1;
                self.skip_space();
                let inner = self.nested(Self::pipeline)?;
                self.close(open, ')')?;
                Node::Group(Box::new(inner))
            }
            (Some('{'), _) => {
                self.at += 1;
                let from = self.at;
                let body = self.body(open, '}')?;
                let source = self.text(Span { from, to: self.at - 1 });
                Node::Block(Block { body, source })
            }
            (Some(c), next) if c.is_ascii_digit() || (is_dash(c) && next.is_some_and(|d| d.is_ascii_digit())) => {
                self.number()?
            }
            _ => return Err(self.not_a_value()),
        };
        Ok(Expr { node, span: self.span_from(start) })
    }

    fn body(&mut self, open: Span, close: char) -> Result<Vec<super::Statement>, Fault> {
        let body = self.nested(|p| p.statements(Some(close)))?;
        self.close(open, close)?;
        Ok(body)
    }

    /// `$name`, `${name}`, `$_`; the sources of the documents also show it as `$\_`.
    fn variable(&mut self) -> Result<Node, Fault> {
        let start = self.at;
        self.at += 1;
        if self.peek() == Some('\\') && self.peek_at(1) == Some('_') {
            self.at += 1;
        }
        let name = self.variable_name();
        Ok(match name.to_lowercase().as_str() {
            "" => return Err(Fault::at(self.span_from(start), "A variable needs a name after the '$'.")),
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            "null" => Node::Null,
            "psitem" => Node::Variable("_".to_owned()),
            _ => Node::Variable(name),
        })
    }

    fn number(&mut self) -> Result<Node, Fault> {
        let start = self.at;
        let negative = self.peek_is(is_dash);
        self.at += usize::from(negative);
        let mut digits = self.take_while(|c| c.is_ascii_digit());
        if self.peek() == Some('.') && self.peek_at(1).is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            digits = format!("{digits}.{}", self.take_while(|c| c.is_ascii_digit()));
        }
        let unit = self.take_while(is_name);
        let wrong = |p: &Self| {
            let span = p.span_from(start);
            Fault::at(span, format!("'{}' is not a number. Put quotes around a text.", p.text(span)))
        };
        let factor: i64 = match unit.to_lowercase().as_str() {
            "" => 1,
            "kb" => 1 << 10,
            "mb" => 1 << 20,
            "gb" => 1 << 30,
            "tb" => 1 << 40,
            _ => return Err(wrong(self)),
        };
        let sign = if negative { -1 } else { 1 };
        if let Ok(n) = format!("{}{digits}", if negative { "-" } else { "" }).parse::<i64>() {
            return n.checked_mul(factor).map(Node::Int).ok_or_else(|| wrong(self));
        }
        #[expect(clippy::cast_precision_loss, reason = "the factor is a power of two")]
        digits.parse::<f64>().map(|n| Node::Number(n * (factor * sign) as f64)).map_err(|_| wrong(self))
    }

    fn table(&mut self, open: Span) -> Result<Vec<(Expr, Expr)>, Fault> {
        let mut out: Vec<(Expr, Expr)> = Vec::new();
        loop {
            self.skip_space();
            if self.eat(';') {
                continue;
            }
            if self.eat('}') {
                return Ok(out);
            }
            if self.peek().is_none() {
                return Err(Fault::incomplete(open, "The closing '}' is missing."));
            }
            let key = self.table_key()?;
            self.skip_blanks();
            if !self.eat('=') {
                return Err(self.unexpected());
            }
            self.skip_space();
            out.push((key, self.expression()?));
            self.skip_blanks();
            if self.peek().is_some_and(|c| c != ';' && c != '}' && !super::is_line_end(c)) {
                return Err(self.unexpected());
            }
        }
    }

    fn table_key(&mut self) -> Result<Expr, Fault> {
        let start = self.at;
        if self.peek_is(is_name) {
            let name = self.take_while(|c| is_name(c) || c == '-');
            let node = Node::Text(vec![super::super::ast::Part::Literal(name)]);
            return Ok(Expr { node, span: self.span_from(start) });
        }
        self.primary()
    }

    fn not_a_value(&self) -> Fault {
        let fault = self.unexpected();
        let (Some(c), Some(span)) = (self.peek(), fault.span) else { return fault };
        if c == '[' {
            return Fault::at(span, "Types in square brackets are not part of this shell.");
        }
        if c.is_alphabetic() || c == '\\' {
            return Fault::at(span, format!("'{}' is not a value here. Put quotes around a text.", self.text(span)));
        }
        fault
    }
}
