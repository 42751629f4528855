//! Text: SQL cut into tokens and statements, as far as an editor needs to know it.
//!
//! Total: any text gives tokens that cover it. Limits: no grammar; what a word means is DuckDB's business.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Name or keyword.
    Word,
    /// Number.
    Number,
    /// Text in single quotes or between dollar tags.
    Text,
    /// Name in double quotes.
    Quoted,
    /// `-- to the end of the line` or `/* … */`.
    Comment,
    /// `;`
    End,
    /// Blanks.
    Blank,
    /// Any other character.
    Sign,
}

/// A token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// What it is.
    pub(super) kind: Kind,
    /// Its bytes.
    pub(super) span: Range<usize>,
    /// Its closing quote is there; true for what needs none.
    pub(super) is_closed: bool,
}

/// Cuts the text into tokens that cover all of it.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let (kind, length, is_closed) = token(rest);
        tokens.push(Token {
            kind,
            span: at..at + length,
            is_closed,
        });
        at += length;
    }
    tokens
}

fn token(rest: &str) -> (Kind, usize, bool) {
    let first = rest.chars().next().unwrap_or(' ');
    let run = |is_part: fn(char) -> bool| rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    if first.is_whitespace() {
        (Kind::Blank, run(char::is_whitespace), true)
    } else if rest.starts_with("--") {
        (Kind::Comment, rest.find('\n').unwrap_or(rest.len()), true)
    } else if rest.starts_with("/*") {
        closed(Kind::Comment, rest, comment(rest))
    } else if rest.starts_with(['e', 'E']) && rest.get(1..2) == Some("'") {
        closed(Kind::Text, rest, quoted(rest, 1, '\'', true))
    } else if first == '\'' {
        closed(Kind::Text, rest, quoted(rest, 0, '\'', false))
    } else if first == '"' {
        closed(Kind::Quoted, rest, quoted(rest, 0, '"', false))
    } else if let Some(tag) = dollar_tag(rest) {
        let end = rest.get(tag.len()..).and_then(|body| body.find(tag));
        closed(Kind::Text, rest, end.map(|end| end + 2 * tag.len()))
    } else if first.is_ascii_digit() {
        (
            Kind::Number,
            run(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_'),
            true,
        )
    } else if is_word(first) {
        (Kind::Word, run(|c| is_word(c) || c == '$'), true)
    } else if first == ';' {
        (Kind::End, 1, true)
    } else {
        (Kind::Sign, first.len_utf8(), true)
    }
}

/// Returns whether a name may hold the character.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn closed(kind: Kind, rest: &str, length: Option<usize>) -> (Kind, usize, bool) {
    (kind, length.unwrap_or(rest.len()), length.is_some())
}

/// Returns the length up to and with the closing quote; a doubled quote is none.
fn quoted(rest: &str, start: usize, quote: char, has_escapes: bool) -> Option<usize> {
    let mut characters = rest.char_indices().skip(start + 1).peekable();
    while let Some((at, c)) = characters.next() {
        if has_escapes && c == '\\' {
            characters.next();
        } else if c == quote {
            match characters.peek() {
                Some((_, next)) if *next == quote => {
                    characters.next();
                }
                _ => return Some(at + quote.len_utf8()),
            }
        }
    }
    None
}

/// Comments of this kind lie in each other.
fn comment(rest: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        let step = if here.starts_with("/*") {
            depth += 1;
            2
        } else if here.starts_with("*/") {
            depth -= 1;
            2
        } else {
            here.chars().next().map_or(1, char::len_utf8)
        };
        at += step;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

/// Returns `$$` or `$tag$` at the start; `$1` is a parameter.
fn dollar_tag(rest: &str) -> Option<&str> {
    let name = rest.strip_prefix('$')?;
    let length = name.find('$')?;
    let tag = name.get(..length)?;
    let is_name = tag.chars().all(is_word) && !tag.starts_with(|c: char| c.is_ascii_digit());
    is_name.then(|| rest.get(..length + 2)).flatten()
}

/// Returns the statements that a `;` ends, and what follows the last of them; blanks and comments alone are none.
pub(super) fn split(text: &str) -> (Vec<&str>, &str) {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut has_content = false;
    for token in tokens(text) {
        match token.kind {
            Kind::End => {
                let statement = text.get(start..token.span.start).unwrap_or_default();
                if has_content {
                    statements.push(statement.trim());
                }
                start = token.span.end;
                has_content = false;
            }
            Kind::Blank | Kind::Comment => {}
            _ => has_content = true,
        }
    }
    let rest = if has_content {
        text.get(start..).unwrap_or_default().trim()
    } else {
        ""
    };
    (statements, rest)
}

/// Returns whether an open quote or comment, or a missing `;`, asks for a further line.
pub(super) fn is_complete(text: &str) -> bool {
    let tokens = tokens(text);
    let mut content = tokens
        .iter()
        .rev()
        .skip_while(|t| t.is_closed && matches!(t.kind, Kind::Blank | Kind::Comment));
    content
        .next()
        .is_none_or(|last| last.is_closed && last.kind == Kind::End)
}

/// Returns whether the text ends inside a quote or comment.
pub(super) fn is_inside(text: &str) -> bool {
    tokens(text).last().is_some_and(|last| !last.is_closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_quotes_or_comments_ends_nothing() {
        let text =
            "SELECT ';', \"a;b\", $$;$$, $q$ $$; $q$ -- ;\n /* ; /* ; */ ; */ ; SELECT e'\\';' ;x";
        let (statements, rest) = split(text);
        assert_eq!(statements.len(), 2, "{statements:?}");
        assert_eq!(statements.get(1), Some(&"SELECT e'\\';'"));
        assert_eq!(rest, "x");
    }

    #[test]
    fn what_is_open_asks_for_more() {
        for text in [
            "SELECT 1",
            "SELECT ';",
            "SELECT 1; /* ",
            "SELECT \";",
            "$$ ; ",
        ] {
            assert!(!is_complete(text), "{text}");
        }
        for text in [
            "SELECT 1;",
            "SELECT 1; -- done",
            "",
            "-- only a remark",
            "SELECT $1;",
        ] {
            assert!(is_complete(text), "{text}");
        }
    }

    #[test]
    fn blanks_and_remarks_are_no_statement() {
        assert_eq!(split(" ; ;; -- x\n; "), (vec![], ""));
        assert_eq!(split("-- why\nSELECT 1"), (vec![], "-- why\nSELECT 1"));
    }

    proptest::proptest! {
        #[test]
        fn tokens_cover_any_text(text in "[ -~'\"$;/*\\-\n\u{e9}\u{202e}]{0,40}") {
            let joined: String = tokens(&text).iter().filter_map(|t| text.get(t.span.clone())).collect();
            proptest::prop_assert_eq!(joined, text);
        }
    }
}
