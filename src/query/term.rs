//! Term: what a term of a query means, for those who look for it elsewhere than in the database.

use super::ast::{Form, Literal, Op, Value};
use super::error::{Error, Kind, Span};
use super::field::Field;
use super::nearest::nearest;
use super::value::Given;
use super::{Options, bare};

pub use super::plan::Test;

/// What one value of a field asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Any of these must hold.
    pub tests: Vec<Test>,
    /// None of them must hold.
    pub is_negated: bool,
}

/// Returns what the value of the field asks for.
///
/// # Errors
/// When the value is not of the field's kind.
pub fn asked(field: &'static Field, value: &Value, options: &Options) -> Result<Asked, Error> {
    let given = Given {
        field,
        span: &value.span,
        options,
    };
    let tests = match &value.form {
        Form::Is(literal) => given.is(literal)?,
        Form::Range(low, high) => given.range(low.as_ref(), high.as_ref())?,
        Form::Compare(Op::Equal | Op::Unequal, literal) => given.equal(literal)?,
        Form::Compare(Op::Contains, literal) => given.contains(literal)?,
        Form::Compare(op, literal) => given.order(*op, literal)?,
    };
    Ok(Asked {
        tests,
        is_negated: matches!(value.form, Form::Compare(Op::Unequal, _)),
    })
}

/// Returns the fields any of which may have the bare word as value, and what it is taken for.
#[must_use]
pub fn reading(literal: &Literal) -> (&'static [&'static str], &'static str) {
    if bare::is_status(literal) {
        return (bare::AS_STATUS.fields, bare::AS_STATUS.what);
    }
    let reading = bare::read(literal);
    (reading.fields, reading.what)
}

/// Returns the error that a field is not among these, with the one that may be meant.
pub fn unknown<'n>(name: &str, span: &Span, known: impl Iterator<Item = &'n str>) -> Error {
    let known: Vec<&str> = known.collect();
    let near = nearest(name, known.iter().copied());
    let hint = near.map_or_else(String::new, |near| {
        format!("write {near}: if that is meant; ")
    });
    let all = known.join(" ");
    Error::new(Kind::UnknownField(name.to_owned()), span.clone())
        .hint(format!("{hint}there are {all}"))
}

/// Returns the error that a value is none of these words.
pub fn bad_word<'w>(
    field: &'static Field,
    word: &str,
    span: &Span,
    known: impl Iterator<Item = &'w str>,
) -> Error {
    let known: Vec<&str> = known.collect();
    let near = nearest(word, known.iter().copied());
    let hint = near.map_or_else(String::new, |near| {
        format!("write {near} if that is meant; ")
    });
    let all = known.join(" ");
    Error::new(
        Kind::BadValue {
            field: field.name,
            wants: field.kind.wants(),
        },
        span.clone(),
    )
    .hint(format!("{hint}known are {all}"))
}
