//! Local: columns of a statement that are what a clock shows, not points in time: `local_time(t)`, `in_zone(t, zone)`.
//!
//! The database has one type for both, so the text of the statement tells: a column is local when the expression that it
//! is made of has such a call in it, or names a column that has. Its times are printed without a zone, as they are.
//!
//! Limits: names are not told apart by their table; `WITH a(x) AS (...)` renames a column unseen.

use super::Format;
use super::json;
use super::row::time;
use crate::model::table::{Cell, Table};
use crate::model::zone::Zone;
use std::collections::BTreeSet;

/// What gives the reading of a clock.
const CALLS: [&str; 3] = ["local_time", "in_zone", "timezone"];

/// Words that end an item of a list, or the list.
const CLAUSES: [&str; 15] = [
    "select",
    "distinct",
    "all",
    "from",
    "where",
    "group",
    "order",
    "having",
    "limit",
    "offset",
    "union",
    "except",
    "intersect",
    "window",
    "qualify",
];

/// Turns the times of local columns of the statement's result into text for the format.
#[must_use]
pub fn readings(sql: &str, mut table: Table, format: Format) -> Table {
    let lower = sql.to_lowercase();
    if !CALLS.iter().any(|call| lower.contains(call)) {
        return table;
    }
    let names = names(&tokens(&lower));
    let is_local = |column: &String| {
        let column = column.to_lowercase();
        names.contains(column.as_str()) || CALLS.iter().any(|c| column.contains(&format!("{c}(")))
    };
    let places: Vec<usize> = (0..table.columns.len())
        .filter(|place| table.columns.get(*place).is_some_and(is_local))
        .collect();
    for row in &mut table.rows {
        for place in &places {
            if let Some(cell) = row.get_mut(*place)
                && let Cell::Time(at) = *cell
            {
                *cell = Cell::Text(match format {
                    Format::Table | Format::Record => time(at, Zone::UTC),
                    _ => json::time(at).trim_end_matches('Z').to_owned(),
                });
            }
        }
    }
    table
}

/// A word, in quotes or not, or a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Quoted(&'a str),
    Sign(char),
}

impl<'a> Token<'a> {
    fn name(self) -> Option<&'a str> {
        match self {
            Self::Word(name) | Self::Quoted(name) => Some(name),
            Self::Sign(_) => None,
        }
    }

    fn is(self, word: &str) -> bool {
        matches!(self, Self::Word(own) if own == word)
    }
}

/// Returns the words and signs; texts, numbers and comments are one sign each, or none.
fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        let until = |end: &str| after.find(end).unwrap_or(after.len());
        let skip = |length: usize| after.get(length..).unwrap_or_default();
        if rest.starts_with("--") {
            rest = skip(until("\n"));
        } else if rest.starts_with("/*") {
            rest = skip(until("*/") + 2);
        } else if first == '\'' {
            all.push(Token::Sign('\''));
            rest = skip(until("'") + 1);
        } else if first == '"' {
            all.push(Token::Quoted(after.get(..until("\"")).unwrap_or_default()));
            rest = skip(until("\"") + 1);
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let end = end.unwrap_or(rest.len());
            all.push(Token::Word(rest.get(..end).unwrap_or_default()));
            rest = rest.get(end..).unwrap_or_default();
        } else {
            if !first.is_whitespace() {
                all.push(Token::Sign(first));
            }
            rest = after;
        }
    }
    all
}

/// Returns the names that local columns get anywhere in the statement.
fn names<'a>(tokens: &[Token<'a>]) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    loop {
        let before = names.len();
        for (at, token) in tokens.iter().enumerate() {
            let is_call = tokens.get(at + 1) == Some(&Token::Sign('('));
            let is_local = token.name().is_some_and(|name| {
                is_call && CALLS.contains(&name) || !is_call && names.contains(name)
            });
            if is_local && let Some(name) = alias(tokens, at) {
                names.insert(name);
            }
        }
        if names.len() == before {
            return names;
        }
    }
}

/// Returns the name that the item of a `SELECT` has, of which the token is a part.
fn alias<'a>(tokens: &[Token<'a>], at: usize) -> Option<&'a str> {
    let mut start = at;
    loop {
        let open = enclosing(tokens, start);
        let first = open.map_or(0, |open| open + 1);
        let inner = tokens.get(first..).unwrap_or_default();
        let is_query = inner
            .first()
            .is_some_and(|t| t.is("select") || t.is("with") || t.is("from"));
        if is_query || open.is_none() {
            if !is_selected(tokens, first, start) {
                return None;
            }
            let name = named(tokens, start);
            if name.is_some() {
                return name;
            }
        }
        // Also the only column of a query that stands for a value.
        start = open?;
    }
}

/// Returns the place of the parenthesis that is open at the token.
fn enclosing(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let mut depth = 0;
    for place in (0..at).rev() {
        match tokens.get(place) {
            Some(Token::Sign(')')) => depth += 1,
            Some(Token::Sign('(')) if depth == 0 => return Some(place),
            Some(Token::Sign('(')) => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Tells whether the token at `at` lies in the list of a `SELECT`, of the query that begins at `first`.
fn is_selected(tokens: &[Token<'_>], first: usize, at: usize) -> bool {
    let mut depth = 0;
    let mut clause = None;
    for token in tokens.get(first..at).unwrap_or_default() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            Token::Word(word) if depth == 0 && CLAUSES.contains(word) => clause = Some(*word),
            _ => {}
        }
    }
    matches!(clause, Some("select" | "distinct" | "all"))
}

/// Returns the name of the item that the token at `at` lies in.
fn named<'a>(tokens: &[Token<'a>], at: usize) -> Option<&'a str> {
    let mut depth = 0;
    let mut item = Vec::new();
    for token in tokens.get(at..).unwrap_or_default() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            Token::Sign(',' | ';') if depth == 0 => break,
            Token::Word(word) if depth == 0 && CLAUSES.contains(word) => break,
            _ => {}
        }
        if depth < 0 {
            break;
        }
        if depth == 0 {
            item.push(*token);
        }
    }
    match item.as_slice() {
        // A column keeps its name.
        [.., Token::Sign('.'), last] => last.name(),
        [only] => only.name(),
        [.., before, last] if before.is("as") || *before == Token::Sign(')') => last.name(),
        [.., Token::Word(_) | Token::Quoted(_), last] => last.name().filter(|name| *name != "end"),
        _ => None,
    }
}
