//! Statements, pipelines and commands.

use super::{
    Argument, Command, Done, Expr, Parser, Pipeline, Stage, Statement, Step, Target, dash, double_quote,
    hyphens, single_quote,
};

/// Whether a command or value ends before this.
fn ends(c: Option<char>) -> bool {
    matches!(c, None | Some('|' | ';' | ')' | '}' | '\n' | '\r'))
}

impl Parser<'_> {
    /// Statements up to `close`, which is taken too.
    pub(super) fn statements(&mut self, close: Option<char>) -> Done<Vec<Statement>> {
        self.enter()?;
        let mut out = Vec::new();
        loop {
            self.blanks(true);
            match (self.peek(), close) {
                (None, None) => break,
                (None, Some('}')) => return self.fail("A closing brace } is missing.", self.at),
                (None, Some(_)) => return self.fail("A closing parenthesis ) is missing.", self.at),
                (Some(';'), _) => {
                    self.bump();
                }
                (c, close) if c == close => {
                    self.bump();
                    break;
                }
                _ => {
                    let block = self.statement(&mut out)?;
                    self.blanks(false);
                    if !block && !ends(self.peek()) {
                        let start = self.at;
                        self.word();
                        return self
                            .fail("This is not understood here; between two statements stands ; .", start);
                    }
                }
            }
        }
        self.depth -= 1;
        Ok(out)
    }

    /// One statement; whether it ended with a block, after which nothing need stand.
    fn statement(&mut self, out: &mut Vec<Statement>) -> Done<bool> {
        let start = self.at;
        if self.peek() == Some('$') && self.assignment_follows() {
            let target = self.target()?;
            self.blanks(false);
            let op = self.bump().filter(|c| *c != '=');
            if op.is_some() {
                self.bump();
            }
            self.blanks(true);
            let mut value = Vec::new();
            self.enter()?;
            let block = self.statement(&mut value)?;
            self.depth -= 1;
            if let Some(v) = value.pop() {
                out.push(Statement::Assign(target, op, Box::new(v)));
            }
            return Ok(block);
        }
        match self.identifier().to_lowercase().as_str() {
            word @ ("if" | "foreach") => {
                self.blanks(false);
                if self.peek() == Some('(') {
                    out.push(if word == "if" { self.if_statement()? } else { self.for_each(start)? });
                    return Ok(true);
                }
            }
            "while" | "do" | "for" | "function" | "try" | "switch" if self.peek() != Some('-') => {
                return self.fail("This word of PowerShell is not known here; if and foreach are.", start);
            }
            _ => {}
        }
        self.at = start;
        out.push(Statement::Run(self.pipeline()?));
        Ok(false)
    }

    /// Whether `$name`, `.properties` and simple `[indexes]` are followed by `=`, `+=` or `-=`. Looks at
    /// characters only: trying to parse and going back would double the work at every nesting.
    fn assignment_follows(&self) -> bool {
        let mut rest = self.rest()[1..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
        loop {
            if let Some(r) = rest.strip_prefix('.') {
                rest = r.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
            } else if let Some(r) = rest.strip_prefix('[') {
                match r.find(['[', '(', ']', '\n']) {
                    Some(n) if r[n..].starts_with(']') => rest = &r[n + 1..],
                    _ => return false,
                }
            } else {
                break;
            }
        }
        let rest = rest.trim_start_matches([' ', '\t']);
        rest.starts_with('=') || rest.starts_with("+=") || rest.starts_with("-=")
    }

    fn target(&mut self) -> Done<Target> {
        let start = self.at;
        self.bump();
        let name = self.identifier().to_lowercase();
        if name.is_empty() || matches!(name.as_str(), "true" | "false" | "null") {
            return self.fail("Nothing can be assigned to this.", start);
        }
        let mut path = Vec::new();
        loop {
            if self.eat('.') {
                path.push(Step::Property(self.identifier()));
            } else if self.eat('[') {
                path.push(Step::Index(self.index()?));
            } else {
                return Ok(Target { name, path, span: (start, self.at) });
            }
        }
    }

    /// `( … )` of `if` and what follows it.
    fn if_statement(&mut self) -> Done<Statement> {
        let mut branches = Vec::new();
        loop {
            branches.push((self.condition()?, self.body()?));
            let back = self.at;
            self.blanks(true);
            match self.identifier().to_lowercase().as_str() {
                "elseif" => {}
                "else" => return Ok(Statement::If(branches, self.body()?)),
                _ => {
                    self.at = back;
                    return Ok(Statement::If(branches, Vec::new()));
                }
            }
        }
    }

    fn condition(&mut self) -> Done<Expr> {
        self.blanks(true);
        let start = self.at;
        if !self.eat('(') {
            return self.fail("A condition in parentheses ( ) is missing here.", start);
        }
        self.parenthesised(start)
    }

    fn body(&mut self) -> Done<Vec<Statement>> {
        self.blanks(true);
        let start = self.at;
        if !self.eat('{') {
            return self.fail("A block { } is missing here.", start);
        }
        self.statements(Some('}'))
    }

    fn for_each(&mut self, start: usize) -> Done<Statement> {
        let wrong = "foreach has the form foreach ($x in …) { … }.";
        self.bump();
        self.blanks(true);
        if !self.eat('$') {
            return self.fail(wrong, start);
        }
        let name = self.identifier().to_lowercase();
        self.blanks(true);
        if name.is_empty() || !self.identifier().eq_ignore_ascii_case("in") {
            return self.fail(wrong, start);
        }
        self.blanks(true);
        let list = self.parenthesised(start)?;
        Ok(Statement::ForEach(name, list, self.body()?))
    }

    pub(super) fn pipeline(&mut self) -> Done<Pipeline> {
        let mut out = vec![self.stage()?];
        loop {
            let back = self.at;
            self.blanks(true);
            if !self.eat('|') {
                self.at = back;
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
            c if ends(c) => self.fail("A command is missing here.", start),
            Some(c)
                if "$(@!,{".contains(c)
                    || double_quote(c)
                    || single_quote(c)
                    || dash(c)
                    || c.is_ascii_digit() =>
            {
                let e = self.expression()?;
                Ok(Stage::Expr(e, (start, self.at)))
            }
            _ => self.command().map(Stage::Command),
        }
    }

    fn command(&mut self) -> Done<Command> {
        let start = self.at;
        let name = hyphens(&self.word());
        if name.is_empty() {
            self.bump();
            return self.fail("This is not a command.", start);
        }
        let span = (start, self.at);
        let mut args = Vec::new();
        loop {
            self.blanks(false);
            match self.peek() {
                c if ends(c) => return Ok(Command { name, args, span }),
                Some(c) if dash(c) && self.parameter_follows() => args.push(self.parameter()?),
                _ => {
                    let start = self.at;
                    let value = Some(self.list(true)?);
                    if self.at == start {
                        self.bump();
                        return self.fail("This is not understood here.", start);
                    }
                    args.push(Argument { name: None, value, colon: false, span: (start, self.at) });
                }
            }
        }
    }

    fn parameter_follows(&self) -> bool {
        self.second().is_some_and(|c| c.is_alphabetic() || c == '?')
    }

    fn parameter(&mut self) -> Done<Argument> {
        let start = self.at;
        self.bump();
        self.eat('?');
        let name = self.identifier();
        let colon = self.eat(':');
        self.blanks(false);
        let none = match self.peek() {
            c if ends(c) => true,
            Some(c) => dash(c) && self.parameter_follows() && !colon,
            None => true,
        };
        let value = if none { None } else { Some(self.list(true)?) };
        Ok(Argument { name: Some(name), value, colon, span: (start, self.at) })
    }
}
