//! Failure: what a client is told went wrong, with PostgreSQL's code, the place and the cure.

use super::message;
use crate::store::Error;
use bytes::BytesMut;

/// An error for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// SQLSTATE.
    pub code: &'static str,
    /// One line.
    pub message: String,
    /// The cure, empty when none is known.
    pub hint: String,
    /// Character of the statement that it is about, from 1.
    pub position: Option<usize>,
    /// Ends the session.
    pub is_fatal: bool,
}

impl Failure {
    /// Returns an error of the code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: String::new(),
            position: None,
            is_fatal: false,
        }
    }

    /// Adds the cure.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Makes it end the session.
    #[must_use]
    pub fn fatal(mut self) -> Self {
        self.is_fatal = true;
        self
    }

    /// Returns what is told of an error of the database about the statement; `whole` for our own client, which draws
    /// the place itself.
    pub(super) fn of(error: &Error, sql: &str, whole: bool) -> Self {
        let hint = error.hint().unwrap_or_default().to_owned();
        let text = error.to_string();
        let code = code(error, &text);
        let (message, position) = if whole {
            (text, None)
        } else {
            place(&text, sql)
        };
        Self {
            code,
            message,
            hint,
            position,
            is_fatal: false,
        }
    }

    /// Puts it as the message to send.
    pub(super) fn put(&self, out: &mut BytesMut) {
        let severity = if self.is_fatal { "FATAL" } else { "ERROR" };
        let position = self.position.map_or(String::new(), |at| at.to_string());
        let fields = [
            (b'S', severity),
            (b'V', severity),
            (b'C', self.code),
            (b'M', &self.message),
            (b'H', &self.hint),
            (b'P', &position),
        ];
        message::report(out, b'E', &fields);
    }
}

/// SQLSTATEs of the texts of DuckDB; the first that fits.
const CODES: [(&str, &str); 23] = [
    ("disabled by configuration", "42501"),
    ("read-only", "25006"),
    ("data-modifying", "25006"),
    ("syntax error", "42601"),
    ("unterminated", "42601"),
    ("Table with name", "42P01"),
    ("Referenced table", "42P01"),
    ("Schema with name", "3F000"),
    ("Function with name", "42883"),
    ("No function matches", "42883"),
    ("Could not choose a best candidate", "42883"),
    ("Type with name", "42704"),
    ("Ambiguous reference", "42702"),
    ("must appear in the GROUP BY", "42803"),
    ("Referenced column", "42703"),
    ("does not have a column", "42703"),
    ("not found in FROM clause", "42703"),
    ("Could not convert", "22P02"),
    ("Could not cast", "22P02"),
    ("invalid timestamp field format", "22007"),
    ("out of range", "22003"),
    ("Values were not provided for", "42P02"),
    ("Cannot compare", "42883"),
];

fn code(error: &Error, text: &str) -> &'static str {
    match error {
        Error::NotSelect => "25006",
        Error::Function { .. } | Error::Dear { .. } => "42501",
        Error::TooDeep | Error::TooLong => "54001",
        Error::NotShown => "0A000",
        Error::OutOfMemory => "53200",
        Error::Interrupted => "57014",
        Error::Full { .. } => "53100",
        Error::Corrupt { .. } => "XX001",
        Error::Sql { .. } => {
            let found = CODES.iter().find(|(needle, _)| text.contains(needle));
            found.map_or("42000", |(_, code)| code)
        }
        _ => "58000",
    }
}

/// Takes DuckDB's drawing of the place off the text and returns what it points at.
fn place(text: &str, sql: &str) -> (String, Option<usize>) {
    let Some((message, drawn)) = text.rsplit_once("\n\nLINE ") else {
        return (text.trim_end().to_owned(), None);
    };
    (message.trim_end().to_owned(), position(drawn, sql))
}

fn position(drawn: &str, sql: &str) -> Option<usize> {
    let (shown, caret) = drawn.split_once('\n')?;
    let (number, line) = shown.split_once(": ")?;
    let column = caret.chars().position(|c| c == '^')?;
    // `LINE ` was taken off in front of the number.
    let column = column.checked_sub("LINE ".len() + number.len() + ": ".len())?;
    // The number may be of the statement's own making: error('... LINE 0: ...').
    let line_index = number.parse::<usize>().ok()?.checked_sub(1)?;
    let before: usize = sql
        .lines()
        .take(line_index)
        .map(|line| line.chars().count() + 1)
        .sum();
    // Long lines are shown in part.
    let cut = match line.strip_prefix("...") {
        Some(part) => {
            let part = part.trim_end_matches("...");
            let whole = sql.lines().nth(line_index)?;
            let at = whole.find(part)?;
            whole.get(..at)?.chars().count().cast_signed() - 3
        }
        None => 0,
    };
    (before + column + 1).checked_add_signed(cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn errors_carry_code_and_place() {
        let store = Store::open_in_memory().unwrap();
        let long = format!("SELECT {} nosuch, 1 FROM meta", "1, ".repeat(80));
        for (sql, code, at) in [
            ("SELEC 1", "42601", 1),
            ("SELECT nosuch FROM meta", "42703", 8),
            ("SELECT key,\n  nosuch FROM meta", "42703", 15),
            ("SELECT * FROM nosuch", "42P01", 15),
            ("SELECT nosuch(1)", "42883", 8),
            ("SELECT 'a'::nosuch", "42704", 11),
            ("SELECT 'a'::INTEGER", "22P02", 11),
            (long.as_str(), "42703", 248),
        ] {
            let error = store.select(sql, &[]).unwrap_err();
            let failure = Failure::of(&error, sql, false);
            assert_eq!(failure.code, code, "{sql}: {error}");
            let near = failure.position.is_some_and(|found| found.abs_diff(at) < 3);
            assert!(near, "{sql}: {:?} in {error}", failure.position);
            assert!(!failure.message.contains("LINE"), "{failure:?}");
        }
    }

    #[test]
    fn places_that_are_made_up_are_survived() {
        for drawn in [
            "LINE 0: a\n  ^",
            "LINE 99999999999999999999: a\n^",
            "LINE 9: ...\n        ^",
        ] {
            let text = format!("x\n\n{drawn}");
            assert_eq!(place(&text, "SELECT 1"), ("x".to_owned(), None), "{drawn}");
        }
    }
}
