//! Lex: the tokens of a client's SQL with their places, and where one statement ends.
//!
//! What a text means is DuckDB's to say; this only finds the words by which a few statements and forms are known that
//! DuckDB does not know.

use crate::lexer;

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
            Kind::Quoted if self.text.starts_with('`') => inner(self.text, '`').replace("``", "`"),
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

/// Returns the tokens of a text without blanks and comments; the signs of one operator are one token.
pub(super) fn tokens(sql: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token<'_>> = Vec::new();
    for token in lexer::tokens(sql) {
        let text = sql.get(token.span.clone()).unwrap_or_default();
        let kind = match token.kind {
            lexer::Kind::Word => Kind::Word,
            lexer::Kind::Quoted => Kind::Quoted,
            lexer::Kind::Text => Kind::Text,
            lexer::Kind::Number => Kind::Number,
            lexer::Kind::Param => {
                let number = text.get(1..).and_then(|digits| digits.parse().ok());
                Kind::Param(number.unwrap_or(0))
            }
            lexer::Kind::Sign => Kind::Symbol,
            lexer::Kind::Blank | lexer::Kind::Comment => continue,
        };
        if kind == Kind::Symbol
            && let Some(last) = found.last_mut()
            && last.kind == Kind::Symbol
            && last.end() == token.span.start
            && is_one(last.text, text)
        {
            last.text = sql.get(last.at..token.span.end).unwrap_or_default();
            continue;
        }
        let at = token.span.start;
        found.push(Token { kind, text, at });
    }
    found
}

/// Returns whether a sign goes on with what stands before it: `::`, or an operator.
fn is_one(before: &str, sign: &str) -> bool {
    // The last sign is enough, and the text before may be long.
    let is_operator = |text: &str| text.ends_with(|c| OPERATOR.contains(c));
    before == ":" && sign == ":" || is_operator(before) && is_operator(sign)
}

const OPERATOR: &str = "+-*/<>=~!@#%^&|?";

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
