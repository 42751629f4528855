//! Error: what is wrong with a query, where, and what to write instead; drawn with a caret.

use super::limits::{MAX_BYTES, MAX_DEPTH, MAX_VALUES};
use std::fmt;
use std::ops::Range;

/// A place in the query text, in bytes.
pub type Span = Range<usize>;

/// What is wrong with a query, where in its text, and the cure if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Where; within `text`.
    pub span: Span,
    /// The query text that the span lies in; an option's value when that was wrong.
    pub text: String,
    /// What to write instead.
    pub hint: Option<String>,
}

/// The ways a query can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Nothing was asked.
    Empty,
    /// The text is longer than any person types.
    TooLong,
    /// More values than a statement should carry.
    TooMany,
    /// Parentheses or NOT are nested too deep.
    TooDeep,
    /// `(` without `)`.
    Unclosed,
    /// `)` without `(`.
    Unopened,
    /// `()`.
    EmptyParentheses,
    /// A quote is not closed.
    OpenQuote,
    /// A quote begins or ends inside a word.
    StrayQuote,
    /// Text sticks to a closing quote or slash.
    MissingBlank,
    /// `/` without a second one.
    OpenRegex,
    /// OR, AND or NOT has nothing to work on.
    MissingTerm(&'static str),
    /// `or` where `OR` may be meant.
    LowerCase(&'static str),
    /// `status=sent` where `status:sent` is meant.
    MissingColon,
    /// `field:` without a value.
    MissingValue(String),
    /// There is no such field.
    UnknownField(String),
    /// The operator does not work on the field.
    BadOperator {
        /// Field name.
        field: &'static str,
        /// The operator as written.
        operator: &'static str,
    },
    /// A regular expression or pattern where the field takes none.
    NoPattern(&'static str),
    /// The regular expression cannot be read.
    BadRegex(String),
    /// Not a time.
    BadTime(String),
    /// The value is not of the field's kind.
    BadValue {
        /// Field name.
        field: &'static str,
        /// What it takes.
        wants: &'static str,
    },
    /// The range ends before it begins.
    EmptyRange,
}

impl Error {
    pub(super) fn new(kind: Kind, span: Span) -> Self {
        Self {
            kind,
            span,
            text: String::new(),
            hint: None,
        }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says which text the span lies in, and holds the span within it.
    #[must_use]
    pub fn within(mut self, text: &str) -> Self {
        let end = self.span.end.min(text.len());
        self.span = self.span.start.min(end)..end;
        text.clone_into(&mut self.text);
        self
    }

    /// Returns the text with a caret below what is wrong; empty when there is no text.
    ///
    /// A long text is cut around the place; control characters are shown as dots, so that the caret stays below its place.
    #[must_use]
    pub fn drawing(&self) -> String {
        if self.text.trim().is_empty() {
            return String::new();
        }
        let before = self.text.get(..self.span.start).unwrap_or_default();
        let inside = self.text.get(self.span.clone()).unwrap_or_default();
        let after = self.text.get(self.span.end..).unwrap_or_default();
        let before: Vec<char> = before.chars().map(visible).collect();
        let cut = before.len().saturating_sub(CONTEXT);
        let mut line: String = if cut > 0 { "…".into() } else { String::new() };
        line.extend(before.iter().skip(cut));
        let indent = width(&line);
        let marked: String = inside.chars().map(visible).take(CONTEXT).collect();
        let carets = width(&marked).max(1);
        line.push_str(&marked);
        if inside.chars().count() <= CONTEXT {
            line.extend(after.chars().map(visible).take(CONTEXT / 2));
        }
        format!("  {line}\n  {}{}", " ".repeat(indent), "^".repeat(carets))
    }
}

/// Characters of the query shown around the place of an error.
const CONTEXT: usize = 60;

fn width(text: &str) -> usize {
    tabled::grid::util::string::get_string_width(text)
}

/// Controls and what turns or hides text would put the caret in the wrong place.
fn visible(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => ' ',
        '\u{ad}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '·',
        c if c.is_control() || width(c.encode_utf8(&mut [0; 4])) == 0 => '·',
        c => c,
    }
}

/// Returns the text as it can be shown on a terminal.
pub(super) fn visible_text(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// Returns a word of a query as it can be shown on a terminal.
#[must_use]
pub fn shown(text: &str) -> String {
    visible_text(text)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query: {}", self.kind)?;
        let drawing = self.drawing();
        if !drawing.is_empty() {
            write!(f, "\n{drawing}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {}", visible_text(hint))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the query is empty"),
            Self::TooLong => write!(f, "longer than {MAX_BYTES} bytes"),
            Self::TooMany => write!(f, "more than {MAX_VALUES} values"),
            Self::TooDeep => write!(f, "nested deeper than {MAX_DEPTH} levels"),
            Self::Unclosed => f.write_str("( is not closed"),
            Self::Unopened => f.write_str(") closes nothing"),
            Self::EmptyParentheses => f.write_str("nothing between the parentheses"),
            Self::OpenQuote => f.write_str("the quote is not closed"),
            Self::StrayQuote => f.write_str("a quote inside a word"),
            Self::MissingBlank => f.write_str("text after the end of a quoted value"),
            Self::OpenRegex => f.write_str("the regular expression is not closed"),
            Self::MissingTerm(word) => write!(f, "a term is missing beside {word}"),
            Self::LowerCase(word) => write!(f, "{} is not a keyword", word.to_lowercase()),
            Self::MissingColon => f.write_str("a field name needs a colon after it"),
            Self::MissingValue(field) => write!(f, "{}: lacks a value", field.escape_debug()),
            Self::UnknownField(field) => write!(f, "no field {}", field.escape_debug()),
            Self::BadOperator { field, operator } => write!(f, "{field}: does not take {operator}"),
            Self::NoPattern(field) => write!(f, "{field}: does not take patterns"),
            Self::BadRegex(cause) => write!(f, "bad regular expression: {cause}"),
            Self::BadTime(time) => write!(f, "not a time: {}", time.escape_debug()),
            Self::BadValue { field, wants } => write!(f, "{field}: takes {wants}"),
            Self::EmptyRange => f.write_str("the range ends before it begins"),
        }
    }
}
