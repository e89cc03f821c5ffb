//! What a line means, before anything is looked up or run.

/// From and to, counted in characters of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub from: usize,
    pub to: usize,
}

impl Span {
    pub(super) fn to(self, end: Span) -> Span {
        Span { from: self.from, to: end.to }
    }
}

/// Something that cannot be understood or carried out, and where.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub message: String,
    pub span: Option<Span>,
    /// More lines may complete what was typed.
    pub incomplete: bool,
}

impl Fault {
    pub(super) fn at(span: Span, message: impl Into<String>) -> Self {
        Self { message: message.into(), span: Some(span), incomplete: false }
    }

    pub(super) fn incomplete(span: Span, message: impl Into<String>) -> Self {
        Self { incomplete: true, ..Self::at(span, message) }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Statement {
    /// `$name = …` or `$name.Property = …`.
    Assign { variable: String, path: Vec<String>, target: Span, value: Pipeline },
    Run(Pipeline),
}

#[derive(Debug, Clone)]
pub(super) struct Pipeline {
    pub stages: Vec<Stage>,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub(super) enum Stage {
    Value(Expr),
    Command(Command),
}

#[derive(Debug, Clone)]
pub(super) struct Command {
    pub name: String,
    /// Of the name.
    pub span: Span,
    pub args: Vec<Arg>,
}

#[derive(Debug, Clone)]
pub(super) enum Arg {
    /// `-Name` or `-Name:value`.
    Named { name: String, value: Option<Expr>, span: Span },
    Value(Expr),
}

#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub node: Node,
    pub span: Span,
}

#[derive(Debug, Clone)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Number(f64),
    /// A string or a bare word.
    Text(Vec<Part>),
    Variable(String),
    List(Vec<Expr>),
    Table(Vec<(Expr, Expr)>),
    /// `x.Name[0]`, in the order of writing.
    Path(Box<Expr>, Vec<Access>),
    /// `( … )`.
    Group(Box<Pipeline>),
    /// `$( … )`.
    Sub(Vec<Statement>),
    /// `@( … )`.
    Array(Vec<Statement>),
    Block(Block),
    Not(Box<Expr>),
    /// Operators of one rank, from left to right.
    Chain(Box<Expr>, Vec<(Op, Expr)>),
}

#[derive(Debug, Clone)]
pub(super) enum Access {
    Name(String),
    Index(Expr),
}

/// A piece of a string.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Literal(String),
    Variable(String, Span),
    Sub(Vec<Statement>),
}

/// `{ … }`; nothing of it runs until a cmdlet calls for it.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub body: Vec<Statement>,
    /// As written between the braces.
    pub source: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    And,
    Or,
    Compare(Comparison, Case),
}

/// Whether upper and lower case differ (`-ceq`); they do not by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Ignored,
    Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Like,
    NotLike,
    Match,
    NotMatch,
    Contains,
    NotContains,
    In,
    NotIn,
}

impl Comparison {
    const WORDS: [(&'static str, Comparison); 14] = [
        ("eq", Self::Eq),
        ("ne", Self::Ne),
        ("gt", Self::Gt),
        ("ge", Self::Ge),
        ("lt", Self::Lt),
        ("le", Self::Le),
        ("like", Self::Like),
        ("notlike", Self::NotLike),
        ("match", Self::Match),
        ("notmatch", Self::NotMatch),
        ("contains", Self::Contains),
        ("notcontains", Self::NotContains),
        ("in", Self::In),
        ("notin", Self::NotIn),
    ];

    /// Reads `eq`, `ieq`, `ceq` and their like, any case.
    pub(super) fn from_word(word: &str) -> Option<(Self, Case)> {
        let lower = word.to_ascii_lowercase();
        let find = |w: &str| Self::WORDS.iter().find(|(k, _)| *k == w).map(|(_, c)| *c);
        if let Some(c) = find(&lower) {
            return Some((c, Case::Ignored));
        }
        let (case, rest) = match lower.split_at_checked(1)? {
            ("c", rest) => (Case::Kept, rest),
            ("i", rest) => (Case::Ignored, rest),
            _ => return None,
        };
        find(rest).map(|c| (c, case))
    }
}
