//! Lexer: a text of SQL -> tokens that cover all of it, cut where DuckDB's tokenizer cuts them.
//!
//! What limits a statement before DuckDB reads it (`store/statement_limits.rs`), what answers for PostgreSQL (`server`) and
//! what edits a line (`repl`) see the same quotes and comments. Total: any text gives tokens; an open quote or comment
//! reaches to the end. A test compares them with DuckDB's (`store/tests/lexer.rs`).
//!
//! Limits: no grammar. DuckDB replaces blanks of Unicode only where it thinks that no quote is open; here they are blanks
//! everywhere outside of quotes. `store/statement_limits.rs` refuses long texts in which that may matter.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Name or keyword.
    Word,
    /// Number.
    Number,
    /// Text in single quotes, with its prefix, or between dollar tags.
    Text,
    /// Name in double quotes or backticks.
    Quoted,
    /// `$1`.
    Param,
    /// `-- to the end of the line` or `/* … */`.
    Comment,
    /// Blanks.
    Blank,
    /// Any other character, alone.
    Sign,
}

/// A token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub span: Range<usize>,
    /// Its end is there; true for what needs none.
    pub is_closed: bool,
}

/// Returns the tokens of a text, one after the other, without a gap.
pub fn tokens(text: &str) -> impl Iterator<Item = Token> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let (kind, end) = token(rest);
        let span = at..end.map_or(text.len(), |length| at + length);
        at = span.end;
        Some(Token {
            kind,
            span,
            is_closed: end.is_some(),
        })
    })
}

/// Returns whether a name may have the character; a dollar, too, but not in front.
#[must_use]
pub fn is_word(c: char) -> bool {
    c == '_' || !(c.is_ascii_punctuation() || is_blank(c))
}

/// Blanks of ASCII, and those of Unicode that DuckDB takes for them.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r') || is_odd_blank(c)
}

/// Returns whether DuckDB takes the character for a blank where it thinks that no quote is open.
#[must_use]
pub const fn is_odd_blank(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{2000}'
            ..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{2060}' | '\u{3000}' | '\u{feff}'
    )
}

/// Returns the first token of a text and its length; none when its end is missing.
fn token(rest: &str) -> (Kind, Option<usize>) {
    let run = |is_part: fn(char) -> bool| rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    let bytes = rest.as_bytes();
    let (first, second) = (rest.chars().next().unwrap_or(' '), bytes.get(1).copied());
    match (first, second) {
        (c, _) if is_blank(c) => (Kind::Blank, Some(run(is_blank))),
        ('-', Some(b'-')) => (Kind::Comment, Some(run(|c| !matches!(c, '\n' | '\r')))),
        ('/', Some(b'*')) => (Kind::Comment, comment(bytes)),
        ('\'', _) => (Kind::Text, quoted(bytes, 1, b'\'', false)),
        ('"', _) => (Kind::Quoted, quoted(bytes, 1, b'"', false)),
        ('`', _) => (Kind::Quoted, quoted(bytes, 1, b'`', false)),
        ('e' | 'E', Some(b'\'')) => (Kind::Text, quoted(bytes, 2, b'\'', true)),
        ('n' | 'N' | 'x' | 'X' | 'b' | 'B', Some(b'\'')) => {
            (Kind::Text, quoted(bytes, 2, b'\'', false))
        }
        ('$', Some(b'0'..=b'9')) => {
            let name = bytes.get(1..).unwrap_or_default();
            (Kind::Param, Some(1 + number(name)))
        }
        ('$', _) => match tag(rest) {
            Some(tag) => (Kind::Text, tagged(rest, tag)),
            None => (Kind::Sign, Some(1)),
        },
        ('0'..='9', _) | ('.', Some(b'0'..=b'9')) => (Kind::Number, Some(number(bytes))),
        (c, _) if is_word(c) => (Kind::Word, Some(run(|c| is_word(c) || c == '$'))),
        (c, _) => (Kind::Sign, Some(c.len_utf8())),
    }
}

/// Returns where a quote ends whose inside begins at `at`; a doubled quote ends nothing.
fn quoted(rest: &[u8], mut at: usize, quote: u8, escapes: bool) -> Option<usize> {
    while let Some(&byte) = rest.get(at) {
        let is_pair = byte == quote && rest.get(at + 1) == Some(&quote);
        if is_pair || escapes && byte == b'\\' {
            at += 2;
        } else if byte == quote {
            return Some(at + 1);
        } else {
            at += 1;
        }
    }
    None
}

/// Returns the length of a comment; they nest, as in PostgreSQL.
fn comment(rest: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match (rest.get(at), rest.get(at + 1)) {
            (Some(b'/'), Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (Some(b'*'), Some(b'/')) => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// Returns the tag `$$` or `$name$` that the text begins with.
fn tag(rest: &str) -> Option<&str> {
    let name = rest.get(1..)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
    let length = name.find(|c| !is_part(c))?;
    let is_closed = name.get(length..)?.starts_with('$');
    is_closed.then(|| rest.get(..length + 2)).flatten()
}

/// Returns the length of `$tag$...$tag$`.
fn tagged(rest: &str, tag: &str) -> Option<usize> {
    let end = rest.get(tag.len()..)?.find(tag)?;
    Some(end + 2 * tag.len())
}

/// Returns the length of a number: an exponent belongs to it when digits follow.
fn number(rest: &[u8]) -> usize {
    let byte = |at: usize| rest.get(at).copied().unwrap_or_default();
    let is_part = |at: usize| matches!(byte(at), b'0'..=b'9' | b'.');
    let is_exponent = |at: usize| matches!(byte(at), b'e' | b'E');
    let mut at = 1;
    loop {
        let before = at - 1;
        let separates =
            byte(at) == b'_' && byte(before).is_ascii_digit() && byte(at + 1).is_ascii_digit();
        let has_digit = byte(0).is_ascii_digit() || byte(before).is_ascii_digit();
        let is_mark = is_exponent(at) && !is_exponent(before) && has_digit;
        let is_sign = matches!(byte(at), b'+' | b'-') && is_exponent(before);
        if !(is_part(at) || separates || is_mark || is_sign) {
            break;
        }
        at += 1;
    }
    while at > 1 && !is_part(at - 1) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn joined(text: &str) -> String {
        let parts = tokens(text).filter_map(|token| text.get(token.span));
        parts.collect()
    }

    fn shown(text: &str) -> Vec<(Kind, &str)> {
        let all = tokens(text).map(|token| (token.kind, text.get(token.span).unwrap()));
        all.filter(|(kind, _)| *kind != Kind::Blank).collect()
    }

    #[test]
    fn tokens_end_where_duckdb_ends_them() {
        use Kind::{Comment, Number, Param, Quoted, Sign, Text, Word};
        for (text, expected) in [
            (
                "a.\"b c\"",
                vec![(Word, "a"), (Sign, "."), (Quoted, "\"b c\"")],
            ),
            ("'it''s'x", vec![(Text, "'it''s'"), (Word, "x")]),
            (r"E'a\';'b", vec![(Text, r"E'a\';'"), (Word, "b")]),
            (r"'a\'b'", vec![(Text, r"'a\'"), (Text, "b'")]),
            ("b'01'a'", vec![(Text, "b'01'"), (Word, "a"), (Text, "'")]),
            (
                "x'00'date'1'",
                vec![(Text, "x'00'"), (Word, "date"), (Text, "'1'")],
            ),
            (
                "$$a;b$$ $x$a$$;$x$",
                vec![(Text, "$$a;b$$"), (Text, "$x$a$$;$x$")],
            ),
            (
                "$12$x a$b$ $1e5e'\\''",
                vec![
                    (Param, "$12"),
                    (Sign, "$"),
                    (Word, "x"),
                    (Word, "a$b$"),
                    (Param, "$1e5"),
                    (Text, "e'\\''"),
                ],
            ),
            (
                "1.5e3 1e5e .5 1_0",
                vec![
                    (Number, "1.5e3"),
                    (Number, "1e5"),
                    (Word, "e"),
                    (Number, ".5"),
                    (Number, "1_0"),
                ],
            ),
            (
                "/* /* */ ' */-1",
                vec![(Comment, "/* /* */ ' */"), (Sign, "-"), (Number, "1")],
            ),
            ("--a\rb", vec![(Comment, "--a"), (Word, "b")]),
            ("a\u{a0}b\u{1680}c", vec![(Word, "a"), (Word, "b\u{1680}c")]),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn tokens_joined_are_the_text(text in any::<String>()) {
            prop_assert_eq!(joined(&text), text);
        }

        #[test]
        fn tokens_of_any_bytes_are_the_text(bytes in any::<Vec<u8>>()) {
            let text = String::from_utf8_lossy(&bytes);
            prop_assert_eq!(joined(&text), text);
        }

        #[test]
        fn broken_quotes_are_survived(text in "['\"`$/*\\-eE1._\\\\;a(\n\r\u{a0}\u{e9}\u{202e} ]{0,40}") {
            let all: Vec<Token> = tokens(&text).collect();
            prop_assert_eq!(joined(&text), text.as_str());
            // Only the last can lack its end.
            prop_assert!(all.iter().rev().skip(1).all(|token| token.is_closed && !token.span.is_empty()));
        }
    }
}
