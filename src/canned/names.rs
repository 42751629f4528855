//! Names: where a statement has `$name`, apart from comments and quoted texts.

/// A part of a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SqlPart<'a> {
    /// Anything else, as it is.
    Text(&'a str),
    /// A parameter, without its `$`.
    Name(&'a str),
}

/// Cuts a statement into names of parameters and what is between.
pub(super) fn pieces(sql: &str) -> Vec<SqlPart<'_>> {
    let mut pieces = Vec::new();
    let mut rest = sql;
    let mut start = 0;
    while let Some(c) = rest.get(start..).and_then(|tail| tail.chars().next()) {
        let tail = rest.get(start..).unwrap_or_default();
        let name = tail.strip_prefix('$').map(name).unwrap_or_default();
        if name.is_empty() {
            start += skipped(tail).unwrap_or(c.len_utf8());
            continue;
        }
        pieces.push(SqlPart::Text(rest.get(..start).unwrap_or_default()));
        pieces.push(SqlPart::Name(name));
        rest = rest.get(start + 1 + name.len()..).unwrap_or_default();
        start = 0;
    }
    pieces.push(SqlPart::Text(rest));
    pieces
}

/// Returns the name at the start of the text; empty when there is none.
fn name(text: &str) -> &str {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let name = text.get(..end).unwrap_or_default();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        return "";
    }
    name
}

/// Returns the length of the comment or quoted text that begins here. A doubled quote ends one text and begins the next.
fn skipped(text: &str) -> Option<usize> {
    let to = |open: &str, close: &str| {
        let inner = text.strip_prefix(open)?;
        let end = inner.find(close).map_or(inner.len(), |at| at + close.len());
        Some(open.len() + end)
    };
    to("--", "\n")
        .or_else(|| to("/*", "*/"))
        .or_else(|| to("'", "'"))
        .or_else(|| to("\"", "\""))
}
