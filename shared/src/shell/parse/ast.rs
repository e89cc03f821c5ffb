//! What a script is made of.

use serde_json::Number;

/// An expression.
#[derive(Debug)]
pub enum Expr {
    /// A text or bare word.
    Text(String),
    /// A number.
    Number(Number),
    /// `$true`, `$false`.
    Bool(bool),
    /// `$null`.
    Null,
    /// `$name`.
    Variable(String),
    /// `x.Property`.
    Property(Box<Expr>, String),
    /// `x[0]`.
    Index(Box<Expr>, Box<Expr>),
    /// `a,b`.
    List(Vec<Expr>),
    /// `@(…)`: always a list.
    Array(Vec<Statement>),
    /// `@{k=v;…}`.
    Table(Vec<(String, Expr)>),
    /// `(…)` and `$(…)`.
    Sub(Vec<Statement>),
    /// `{ … }` with its text, which is what a cmdlet's text parameter takes of it.
    Block(Vec<Statement>, String),
    /// `a -op b`, `a + b`.
    Binary(Box<Expr>, String, Box<Expr>),
    /// `-not a`.
    Not(Box<Expr>),
    /// `-a` of a number.
    Minus(Box<Expr>),
    /// A double-quoted text with variables: its parts.
    Template(Vec<Part>),
}

/// A part of a double-quoted text.
#[derive(Debug)]
pub enum Part {
    /// As it stands.
    Literal(String),
    /// `$name` or `$(…)`.
    Value(Expr),
}

/// An argument of a command.
#[derive(Debug)]
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
#[derive(Debug)]
pub struct Command {
    /// Name as typed, dashes as hyphens.
    pub name: String,
    /// Arguments.
    pub args: Vec<Argument>,
    /// Place of the name.
    pub span: (usize, usize),
}

/// A stage of a pipeline.
#[derive(Debug)]
pub enum Stage {
    /// A command.
    Command(Command),
    /// An expression and its place.
    Expr(Expr, (usize, usize)),
}

/// Stages joined by `|`.
pub type Pipeline = Vec<Stage>;

/// What is assigned to.
#[derive(Debug)]
pub struct Target {
    /// The variable, lower case.
    pub name: String,
    /// `.Property` and `[index]` behind it.
    pub path: Vec<Step>,
    /// Place in the text.
    pub span: (usize, usize),
}

/// One step into a value.
#[derive(Debug)]
pub enum Step {
    /// `.Property`.
    Property(String),
    /// `[index]`.
    Index(Expr),
}

/// A statement.
#[derive(Debug)]
pub enum Statement {
    /// A pipeline.
    Run(Pipeline),
    /// `$x = …`, `$x.P = …`; with `+` or `-` for `+=` and `-=`.
    Assign(Target, Option<char>, Box<Statement>),
    /// `if (…) {…} elseif (…) {…} else {…}`: conditions with their blocks, then the block of else.
    If(Vec<(Expr, Vec<Statement>)>, Vec<Statement>),
    /// `foreach ($x in …) {…}`.
    ForEach(String, Expr, Vec<Statement>),
}

impl Statement {
    /// The command, when the statement is one command alone.
    pub fn single_command(&self) -> Option<&Command> {
        match self {
            Self::Run(p) => match p.as_slice() {
                [Stage::Command(c)] => Some(c),
                _ => None,
            },
            _ => None,
        }
    }

    /// The expression, when the statement is one expression alone.
    pub fn single_expression(&self) -> Option<&Expr> {
        match self {
            Self::Run(p) => match p.as_slice() {
                [Stage::Expr(e, _)] => Some(e),
                _ => None,
            },
            _ => None,
        }
    }
}
