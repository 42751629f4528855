//! Ast: the tree of a query as it was written, with spans. Printed, it is the query again.

use super::error::Span;
use super::local;
use std::fmt;

/// A piece of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub node: Node,
    /// Where it stands.
    pub span: Span,
}

impl Expr {
    /// Gives the bare term whose first value stands there a field; returns its values as they are written.
    pub(super) fn give_field(&mut self, place: &Span, field: &str) -> Option<String> {
        match &mut self.node {
            Node::Or(list) | Node::And(list) => list
                .iter_mut()
                .find_map(|expr| expr.give_field(place, field)),
            Node::Not(inner) => inner.give_field(place, field),
            Node::Term(term) => {
                let is_it = term.field.is_none() && term.values.first()?.span == *place;
                let words = is_it.then(|| term.to_string())?;
                term.field = Some(Name {
                    text: field.to_owned(),
                    span: place.clone(),
                });
                Some(words)
            }
        }
    }
}

/// The kinds of pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// At least two, one of which must hold.
    Or(Vec<Expr>),
    /// At least two, all of which must hold.
    And(Vec<Expr>),
    /// Must not hold.
    Not(Box<Expr>),
    /// A condition.
    Term(Term),
}

/// `field:value,value` or a bare `value,value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The field as written; none for bare words.
    pub field: Option<Name>,
    /// At least one; any of them may hold.
    pub values: Vec<Value>,
}

/// A field's name as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Without the colon.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The comparison.
    pub form: Form,
    /// Where it stands.
    pub span: Span,
}

/// The forms of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// `x`
    Is(Literal),
    /// `>x`
    Compare(Op, Literal),
    /// `a..b`, `a..`, `..b`; at least one end.
    Range(Option<Literal>, Option<Literal>),
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `~`
    Contains,
}

impl Op {
    /// All of them, longer ones before their prefixes.
    pub const ALL: [Self; 7] = [
        Self::AtLeast,
        Self::AtMost,
        Self::Unequal,
        Self::Greater,
        Self::Less,
        Self::Equal,
        Self::Contains,
    ];

    /// Returns how it is written.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Equal => "=",
            Self::Unequal => "!=",
            Self::Contains => "~",
        }
    }

    /// Returns whether it needs values that have an order.
    #[must_use]
    pub const fn is_ordering(self) -> bool {
        matches!(
            self,
            Self::Greater | Self::AtLeast | Self::Less | Self::AtMost
        )
    }
}

/// A single thing to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// Unquoted; `*` and `?` are wildcards.
    Word(String),
    /// Quoted: nothing in it is special.
    Quoted(String),
    /// `/pattern/`, or `/pattern/i` without regard to case.
    Regex {
        /// The pattern.
        pattern: String,
        /// Upper and lower case are the same.
        fold: bool,
    },
}

impl Literal {
    /// Returns its text; of a regular expression the pattern.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Word(text) | Self::Quoted(text) => text,
            Self::Regex { pattern, .. } => pattern,
        }
    }

    /// Returns whether it stands for more than one text.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        match self {
            Self::Word(text) => text
                .get(local::quoted_part(text)..)
                .is_some_and(|text| text.contains(['*', '?'])),
            Self::Quoted(_) => false,
            Self::Regex { .. } => true,
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node {
            Node::Or(list) => join(f, list, " OR ", |node| matches!(node, Node::Or(_))),
            Node::And(list) => join(f, list, " ", |node| {
                matches!(node, Node::Or(_) | Node::And(_))
            }),
            Node::Not(expr) => {
                f.write_str("-")?;
                parted(f, expr, matches!(expr.node, Node::Or(_) | Node::And(_)))
            }
            Node::Term(term) => term.fmt(f),
        }
    }
}

fn join(
    f: &mut fmt::Formatter<'_>,
    list: &[Expr],
    by: &str,
    needs_parentheses: fn(&Node) -> bool,
) -> fmt::Result {
    for (i, expr) in list.iter().enumerate() {
        if i > 0 {
            f.write_str(by)?;
        }
        parted(f, expr, needs_parentheses(&expr.node))?;
    }
    Ok(())
}

fn parted(f: &mut fmt::Formatter<'_>, expr: &Expr, parentheses: bool) -> fmt::Result {
    if parentheses {
        write!(f, "({expr})")
    } else {
        write!(f, "{expr}")
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.field {
            write!(f, "{}:", name.text)?;
        }
        let mut by = "";
        for value in &self.values {
            f.write_str(by)?;
            value.fmt(f)?;
            by = if value.is_open() { " ," } else { "," };
        }
        Ok(())
    }
}

impl Value {
    /// Returns whether a `<` in it is not closed: directly behind the value a comma would be taken for a part of it.
    fn is_open(&self) -> bool {
        match &self.form {
            Form::Is(Literal::Word(word)) | Form::Compare(_, Literal::Word(word)) => {
                word.starts_with('<') && !word.contains('>')
            }
            _ => false,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.form {
            Form::Is(literal) => literal.fmt(f),
            Form::Compare(op, literal) => write!(f, "{}{literal}", op.text()),
            Form::Range(low, high) => {
                low.iter().try_for_each(|l| l.fmt(f))?;
                f.write_str("..")?;
                high.iter().try_for_each(|h| h.fmt(f))
            }
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text) => f.write_str(text),
            Self::Quoted(text) => f.write_str(&quoted(text)),
            Self::Regex { pattern, fold } => {
                write!(
                    f,
                    "/{}/{}",
                    pattern.replace('/', "\\/"),
                    if *fold { "i" } else { "" }
                )
            }
        }
    }
}

/// Returns the text in quotes, as the query language writes it.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
