//! Lex: the tokens of a client's SQL with their places, and where one statement ends.
//!
//! Total: an open quote or comment reaches to the end. What a text means is DuckDB's to say; this only finds the
//! words by which a few statements and forms are known that DuckDB does not.

use crate::store::comment;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    /// An identifier in double quotes.
    Quoted,
    /// A literal in quotes or dollars.
    Text,
    Number,
    /// `$1`.
    Param(usize),
    Symbol,
}

/// A token: a part of the SQL text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'s> {
    pub kind: Kind,
    pub text: &'s str,
    /// Byte at which it begins.
    pub at: usize,
}

impl Token<'_> {
    /// Returns whether it is this word, in any case.
    pub(super) fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == Kind::Symbol && self.text == symbol
    }

    pub(super) fn end(&self) -> usize {
        self.at + self.text.len()
    }

    /// Returns the name that an identifier means.
    pub(super) fn name(&self) -> String {
        match self.kind {
            Kind::Quoted => inner(self.text, '"').replace("\"\"", "\""),
            _ => self.text.to_ascii_lowercase(),
        }
    }

    /// Returns the text that a literal means, without escapes.
    pub(super) fn literal(&self) -> String {
        match self.kind {
            Kind::Text if self.text.starts_with('\'') => inner(self.text, '\'').replace("''", "'"),
            Kind::Quoted => self.name(),
            _ => self.text.to_owned(),
        }
    }
}

fn inner(text: &str, quote: char) -> &str {
    let text = text.strip_prefix(quote).unwrap_or(text);
    text.strip_suffix(quote).unwrap_or(text)
}

/// Returns the statements of a text: the tokens between semicolons.
pub(super) fn statements(sql: &str) -> Vec<Vec<Token<'_>>> {
    let tokens = tokens(sql);
    let parts = tokens.split(|token| token.is_symbol(";"));
    parts
        .filter(|part| !part.is_empty())
        .map(<[Token]>::to_vec)
        .collect()
}

/// Returns the tokens of a text.
pub(super) fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = sql.get(at..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = token(rest);
        if let (Some(kind), Some(text)) = (kind, rest.get(..length)) {
            found.push(Token { kind, text, at });
        }
        at += length.max(1);
    }
    found
}

/// Returns the first token of a text and its length; space and comments are no token.
fn token(rest: &str) -> (Option<Kind>, usize) {
    let mut chars = rest.chars();
    let (first, second) = (chars.next().unwrap_or(' '), chars.next().unwrap_or(' '));
    match (first, second) {
        (c, _) if c.is_whitespace() || c == '\0' => (None, c.len_utf8()),
        ('-', '-') => (None, rest.find('\n').unwrap_or(rest.len())),
        ('/', '*') => (None, comment(rest.as_bytes())),
        ('\'', _) => (Some(Kind::Text), quoted(rest, 0, '\'', false)),
        ('e' | 'E', '\'') => (Some(Kind::Text), quoted(rest, 1, '\'', true)),
        ('"', _) => (Some(Kind::Quoted), quoted(rest, 0, '"', false)),
        ('$', c) if c.is_ascii_digit() => {
            let length = 1 + span(rest.get(1..), |c| c.is_ascii_digit());
            let number = rest.get(1..length).and_then(|digits| digits.parse().ok());
            (Some(Kind::Param(number.unwrap_or(0))), length)
        }
        ('$', _) => match dollars(rest) {
            Some(length) => (Some(Kind::Text), length),
            None => (Some(Kind::Symbol), 1),
        },
        (c, _) if c.is_alphabetic() || c == '_' => {
            let length = span(Some(rest), |c| c.is_alphanumeric() || c == '_' || c == '$');
            (Some(Kind::Word), length)
        }
        (c, _) if c.is_ascii_digit() => {
            let length = span(Some(rest), |c| {
                c.is_ascii_alphanumeric() || c == '.' || c == '_'
            });
            (Some(Kind::Number), length)
        }
        (':', ':') => (Some(Kind::Symbol), 2),
        (c, _) if OPERATOR.contains(c) => {
            let length = span(Some(rest), |c| OPERATOR.contains(c));
            // A comment may begin within.
            let run = rest.get(..length).unwrap_or_default();
            let comment = ["--", "/*"].iter().filter_map(|mark| run.find(mark)).min();
            (Some(Kind::Symbol), comment.unwrap_or(length).max(1))
        }
        (c, _) => (Some(Kind::Symbol), c.len_utf8()),
    }
}

const OPERATOR: &str = "+-*/<>=~!@#%^&|?";

fn span(text: Option<&str>, belongs: impl Fn(char) -> bool) -> usize {
    let text = text.unwrap_or_default();
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn quoted(rest: &str, prefix: usize, quote: char, escapes: bool) -> usize {
    let mut chars = rest.char_indices().skip(prefix + 1).peekable();
    while let Some((at, c)) = chars.next() {
        if escapes && c == '\\' {
            chars.next();
        } else if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return at + 1;
            }
        }
    }
    rest.len()
}

/// Returns the length of `$tag$...$tag$`.
fn dollars(rest: &str) -> Option<usize> {
    let tag_end = rest.get(1..)?.find('$')? + 2;
    let tag = rest.get(..tag_end)?;
    let name = tag.trim_matches('$');
    if !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let close = rest.get(tag_end..)?.find(tag);
    Some(close.map_or(rest.len(), |close| tag_end + close + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(sql: &str) -> Vec<&str> {
        tokens(sql).into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn tokens_are_found() {
        assert_eq!(
            texts("SELECT a.\"b c\",'it''s'::text -- x\n/* ; /* */ */ FROM t WHERE x>=$12;"),
            [
                "SELECT", "a", ".", "\"b c\"", ",", "'it''s'", "::", "text", "FROM", "t", "WHERE",
                "x", ">=", "$12", ";"
            ]
        );
        assert_eq!(
            texts(r"E'a\';' $$a;b$$ $x$a$$;$x$ 1.5e3"),
            [r"E'a\';'", "$$a;b$$", "$x$a$$;$x$", "1.5e3"]
        );
    }

    #[test]
    fn semicolons_in_quotes_end_nothing() {
        assert_eq!(
            statements("SELECT ';' ; ; SELECT \";\" -- ;\n; /* ; */").len(),
            2
        );
        assert!(statements(" ;; /* x */ ").is_empty());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(sql in any::<String>()) {
            for token in tokens(&sql) {
                prop_assert_eq!(sql.get(token.at..token.end()), Some(token.text));
            }
        }

        #[test]
        fn broken_quotes_are_survived(sql in r#"['"$/*\-eE\\;ax ]{0,30}"#) {
            for token in tokens(&sql) {
                prop_assert_eq!(sql.get(token.at..token.end()), Some(token.text));
            }
        }
    }
}
