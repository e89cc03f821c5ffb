//! Operators by precedence: -and, -or < comparison < + - < * / % < -f < -not and sign < list.

use super::{Done, Expr, MAX_CHAIN, Parser, dash};

const LOGICAL: [&str; 3] = ["and", "or", "xor"];

const COMPARISON: [&str; 15] = [
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
    "join",
];

/// The operator as it is kept: lower case, a leading `i` dropped, a leading `c` kept.
fn comparison(word: &str) -> Option<String> {
    let known = |w: &str| COMPARISON.contains(&w);
    if known(word) {
        return Some(word.to_owned());
    }
    match word.strip_prefix('i').filter(|w| known(w)) {
        Some(w) => Some(w.to_owned()),
        None => word.strip_prefix('c').filter(|w| known(w)).map(|_| word.to_owned()),
    }
}

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Done<Expr> {
        self.enter()?;
        // -and and -or bind alike, from left to right, as in PowerShell.
        let out = self.chain(Self::comparison, |p| {
            p.word_operator(|w| LOGICAL.contains(&w).then(|| w.to_owned()), true)
        });
        self.depth -= 1;
        out
    }

    fn chain(
        &mut self,
        next: fn(&mut Self) -> Done<Expr>,
        operator: fn(&mut Self) -> Option<String>,
    ) -> Done<Expr> {
        let mut left = next(self)?;
        let mut length = 0;
        while let Some(op) = operator(self) {
            length += 1;
            if length > MAX_CHAIN {
                return self.fail("This condition is too long.", self.at.saturating_sub(1));
            }
            self.blanks(true);
            left = Expr::Binary(Box::new(left), op, Box::new(next(self)?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Done<Expr> {
        self.chain(Self::sum, |p| p.word_operator(comparison, true))
    }

    fn sum(&mut self) -> Done<Expr> {
        self.chain(Self::product, |p| p.sign(&['+', '-']))
    }

    fn product(&mut self) -> Done<Expr> {
        self.chain(Self::formatted, |p| p.sign(&['*', '/', '%']))
    }

    fn formatted(&mut self) -> Done<Expr> {
        self.chain(Self::unary, |p| p.word_operator(|w| (w == "f").then(|| w.to_owned()), false))
    }

    fn unary(&mut self) -> Done<Expr> {
        self.blanks(true);
        let not = self.eat('!') || self.word_operator(|w| (w == "not").then(String::new), false).is_some();
        let minus = !not
            && self.peek().is_some_and(dash)
            && self.second().is_some_and(|c| c.is_ascii_digit() || c == '$' || c == '(');
        if not || minus {
            if minus {
                self.bump();
            }
            self.enter()?;
            let inner = Box::new(self.unary()?);
            self.depth -= 1;
            return Ok(if not { Expr::Not(inner) } else { Expr::Minus(inner) });
        }
        let start = self.at;
        if self.eat(',') {
            return Ok(Expr::List(vec![self.value(false)?]));
        }
        let v = self.list(false)?;
        if self.at == start { self.fail("A value is missing here.", start) } else { Ok(v) }
    }

    /// A value, or several joined by commas.
    pub(super) fn list(&mut self, argument: bool) -> Done<Expr> {
        let mut items = vec![self.value(argument)?];
        loop {
            let back = self.at;
            self.blanks(false);
            if !self.eat(',') {
                self.at = back;
                return Ok(if items.len() == 1 { items.remove(0) } else { Expr::List(items) });
            }
            self.blanks(true);
            items.push(self.value(argument)?);
        }
    }

    fn word_operator(&mut self, known: fn(&str) -> Option<String>, lines: bool) -> Option<String> {
        let back = self.at;
        self.blanks(lines);
        if self.peek().is_some_and(dash) {
            self.bump();
            if let Some(op) = known(&self.identifier().to_lowercase()) {
                return Some(op);
            }
        }
        self.at = back;
        None
    }

    fn sign(&mut self, signs: &[char]) -> Option<String> {
        let back = self.at;
        self.blanks(false);
        let c = self.peek().map(|c| if dash(c) { '-' } else { c });
        // `-word` is an operator or a mistake, never a subtraction.
        let word = c == Some('-') && self.second().is_some_and(char::is_alphabetic);
        match c.filter(|c| signs.contains(c) && !word) {
            Some(c) => {
                self.bump();
                Some(c.to_string())
            }
            None => {
                self.at = back;
                None
            }
        }
    }
}
