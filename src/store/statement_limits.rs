//! How long and how deep a query may be, told from its text before DuckDB's parser sees it.
//!
//! DuckDB's parser and binder call themselves for each level of a statement, and a stack that overflows ends the whole
//! process. Brackets are levels; so are, without brackets, joins, set operations and the tables of a list, which
//! become a tree as deep as they are many. Levels within expressions are DuckDB's `max_expression_depth`.
//!
//! Limits: words are counted wherever they stand, also where they are names; quotes and comments are left out, and end
//! where DuckDB's tokenizer ends them.

use super::error::Error;

/// Longest text of a statement, in bytes.
const LONGEST: usize = 1_000_000;
/// Most words, literals and symbols: the parser takes 2 kB of memory for each.
const MOST_TOKENS: usize = 60_000;
/// Longest text in which spaces of Unicode stand where they may change what a quote is.
const LONGEST_ODD: usize = 10_000;
/// Most brackets within brackets.
const DEEPEST: usize = 200;
/// Most of the words and commas that make the tree deeper.
const MOST_LINKS: usize = 1000;

/// Stack of a thread that runs queries: what is let through needs less. Memory is only taken as it is used.
pub const STACK: usize = 64 << 20;

/// Words that each make the tree of a statement deeper by one.
const LINKS: [&str; 9] = [
    "join",
    "union",
    "intersect",
    "except",
    "pivot",
    "unpivot",
    "with",
    "explain",
    "summarize",
];
/// Words after which commas no longer are between tables.
const NO_TABLES: [&str; 8] = [
    "select", "where", "group", "having", "order", "values", "limit", "window",
];

/// Refuses a text that is too long, or too deep.
pub(super) fn check(sql: &str) -> Result<(), Error> {
    if sql.len() > LONGEST || sql.len() > LONGEST_ODD && is_odd(sql) {
        return Err(Error::TooLong);
    }
    let mut shape = Shape::default();
    for (index, token) in tokens(sql.as_bytes()).enumerate() {
        if index >= MOST_TOKENS {
            return Err(Error::TooLong);
        }
        shape.add(token);
        shape.is_not = token == Token::Byte(b'!');
        if shape.levels.len() > DEEPEST || shape.links > MOST_LINKS {
            return Err(Error::TooDeep);
        }
    }
    Ok(())
}

/// Returns whether a text has spaces that DuckDB takes for ASCII ones only where it thinks that no quote is open, and
/// quotes that they would change.
fn is_odd(sql: &str) -> bool {
    let is_space = |c| {
        matches!(
            c,
            '\u{a0}' | '\u{2000}'
                ..='\u{200b}' | '\u{202f}' | '\u{205f}' | '\u{2060}' | '\u{3000}' | '\u{feff}'
        )
    };
    sql.contains(is_space) && ["e'", "E'", "$"].iter().any(|quote| sql.contains(quote))
}

/// What was seen so far.
#[derive(Default)]
struct Shape {
    /// For each open bracket, whether commas within it are between tables, outside it.
    levels: Vec<bool>,
    is_from: bool,
    /// The token before is `!`.
    is_not: bool,
    links: usize,
}

impl Shape {
    fn add(&mut self, token: Token<'_>) {
        match token {
            Token::Byte(b'(' | b'[' | b'{') => {
                self.levels.push(self.is_from);
                self.is_from = false;
            }
            Token::Byte(b')' | b']' | b'}') => self.is_from = self.levels.pop().unwrap_or_default(),
            Token::Byte(b',') if self.is_from => self.links += 1,
            // Prefix operators nest without DuckDB counting them; `!=` and `!~` are none.
            Token::Byte(b'@' | b'!' | b'~') => self.links += 1,
            Token::Byte(b'=') if self.is_not => self.links = self.links.saturating_sub(1),
            Token::Byte(_) | Token::Literal => {}
            Token::Word(word) => {
                let is = |known: &&str| word.eq_ignore_ascii_case(known.as_bytes());
                self.links += usize::from(LINKS.iter().any(is));
                if is(&"from") {
                    self.is_from = true;
                } else if NO_TABLES.iter().any(is) {
                    self.is_from = false;
                }
            }
        }
    }
}

/// A part of a statement that is no comment or space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'s> {
    Word(&'s [u8]),
    /// A quote or number.
    Literal,
    Byte(u8),
}

/// Returns the words, literals and symbols of a statement.
fn tokens(sql: &[u8]) -> impl Iterator<Item = Token<'_>> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        loop {
            let first = *rest.first()?;
            let nothing = nothing(rest);
            let (token, length) = match (nothing, literal(rest)) {
                (1.., _) => (None, nothing),
                (0, length @ 1..) => (Some(Token::Literal), length),
                (0, 0) if is_word(first) => {
                    let length = find(rest, |byte| !is_word(byte) && byte != b'$');
                    (rest.get(..length).map(Token::Word), length)
                }
                (0, 0) => (Some(Token::Byte(first)), 1),
            };
            rest = rest.get(length..).unwrap_or_default();
            if token.is_some() {
                return token;
            }
        }
    })
}

/// Returns the length of the space or comment that the text begins with.
fn nothing(rest: &[u8]) -> usize {
    match (rest.first(), rest.get(1)) {
        (Some(b' ' | b'\t' | b'\n' | b'\x0b' | b'\x0c' | b'\r'), _) => 1,
        (Some(b'-'), Some(b'-')) => find(rest, |byte| matches!(byte, b'\n' | b'\r')),
        (Some(b'/'), Some(b'*')) => comment(rest),
        _ => 0,
    }
}

/// Returns the length of the quote or number that the text begins with.
fn literal(rest: &[u8]) -> usize {
    match (rest.first(), rest.get(1)) {
        (Some(quote @ (b'\'' | b'"' | b'`')), _) => quoted(rest, 1, *quote, false),
        (Some(b'e' | b'E'), Some(b'\'')) => quoted(rest, 2, b'\'', true),
        (Some(b'n' | b'N' | b'x' | b'X' | b'b' | b'B'), Some(b'\'')) => {
            quoted(rest, 2, b'\'', false)
        }
        (Some(b'$'), _) => dollars(rest),
        (Some(b'0'..=b'9' | b'.'), _) => number(rest),
        _ => 0,
    }
}

/// Returns whether a word has such a byte; it may have a dollar, too, but not in front.
fn is_word(byte: u8) -> bool {
    byte == b'_' || !(byte.is_ascii_punctuation() || b" \t\n\x0b\x0c\r".contains(&byte))
}

fn find(text: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    let found = text.iter().position(|byte| wanted(*byte));
    found.unwrap_or(text.len())
}

/// Returns where a quote ends whose inside begins at `at`.
fn quoted(rest: &[u8], mut at: usize, quote: u8, escapes: bool) -> usize {
    while let Some(&byte) = rest.get(at) {
        let is_pair = rest
            .get(at + 1)
            .is_some_and(|next| byte == quote && *next == quote);
        if is_pair || escapes && byte == b'\\' {
            at += 2;
        } else if byte == quote {
            return at + 1;
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Returns the length of a comment; they nest, as in PostgreSQL.
pub(crate) fn comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match (rest.get(at), rest.get(at + 1)) {
            (Some(b'/'), Some(b'*')) => {
                depth += 1;
                at += 2;
            }
            (Some(b'*'), Some(b'/')) => {
                depth = depth.saturating_sub(1);
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

/// Returns the length of `$tag$...$tag$`; 0 for a parameter.
fn dollars(rest: &[u8]) -> usize {
    let inside = rest.get(1..).unwrap_or_default();
    let is_tag = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
    let end = find(inside, |byte| !is_tag(byte));
    if inside.first().is_none_or(u8::is_ascii_digit) || inside.get(end) != Some(&b'$') {
        return 0;
    }
    let tag = inside.get(..end).unwrap_or_default();
    let mut at = end + 2;
    while let Some(text) = rest.get(at..).filter(|text| !text.is_empty()) {
        let open = at + find(text, |byte| byte == b'$');
        let after = rest.get(open + 1..).unwrap_or_default();
        let is_end = after.get(tag.len()) == Some(&b'$') && after.starts_with(tag);
        if is_end {
            return open + tag.len() + 2;
        }
        at = open + 1;
    }
    rest.len()
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
    use crate::store::Store;
    use proptest::prelude::*;

    fn deep(count: usize, open: &str, middle: &str, close: &str) -> String {
        format!("{}{middle}{}", open.repeat(count), close.repeat(count))
    }

    #[test]
    fn what_would_overflow_the_stack_is_refused() {
        for sql in [
            deep(900, "WITH a AS (", "SELECT 1", ") SELECT * FROM a"),
            deep(12_000, "FROM (", "meta", ")"),
            deep(12_000, "SELECT * FROM (", "meta", ")"),
            format!("SELECT {}", deep(100_000, "[", "1", "]")),
            format!("SELECT {}", deep(100_000, "{'a':", "1", "}")),
            format!("FROM meta{}", ",meta".repeat(100_000)),
            format!("FROM meta{}", " NATURAL JOIN meta".repeat(50_000)),
            format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(50_000)),
            format!("SELECT {}1", "@ ".repeat(50_000)),
            format!("SELECT {}1", "! ".repeat(50_000)),
            // Brackets that look as if they were quoted, and are not.
            format!("SELECT e'\\'' || '', {}", deep(900, "(", "1", ")")),
            format!("SELECT 1e5e'\\'', {} --'", deep(900, "(", "1", ")")),
            format!("SELECT a$b${}$b$", deep(900, "(", "1", ")")),
            format!("SELECT /* /* */ ' */ {} --'", deep(900, "(", "1", ")")),
            format!("--\r SELECT {}", deep(900, "(", "1", ")")),
        ] {
            let refused = check(&sql);
            assert!(matches!(refused, Err(Error::TooDeep)), "{sql:.40}");
        }
        for sql in [
            format!("SELECT '{}'", "x".repeat(LONGEST)),
            format!("SELECT 1{}", ",1".repeat(MOST_TOKENS)),
            // A space or a part of a word: then the quote is another.
            format!(
                "SELECT '' ||\u{a0}e'\\'', {} --'",
                deep(5000, "(", "1", ")")
            ),
        ] {
            assert!(matches!(check(&sql), Err(Error::TooLong)), "{sql:.40}");
        }
    }

    #[test]
    fn what_people_ask_is_not_refused() {
        let store = Store::open_in_memory().unwrap();
        for sql in [
            format!("SELECT 1 WHERE 1 IN ({}1)", "1, ".repeat(20_000)),
            format!("SELECT '{}'", "(".repeat(1000)),
            format!("SELECT $x${}$x$ -- {}", "[(".repeat(1000), "[".repeat(1000)),
            format!(
                "SELECT \"a{0}\" FROM (SELECT 1 \"a{0}\") /* {0} */",
                "(".repeat(300)
            ),
            format!("FROM meta WHERE key = ''{}", " OR key = 'x'".repeat(500)),
            format!("FROM meta WHERE key = ''{}", " AND key != 'x'".repeat(1500)),
            format!("SELECT {} FROM meta", deep(150, "(", "1", ")")),
            format!("VALUES (1){}", ", (1)".repeat(5000)),
            format!("FROM meta SELECT 1{}", ", key".repeat(1500)),
        ] {
            let done = store.select(&sql, &[]);
            assert!(done.is_ok(), "{sql:.40}: {done:?}");
        }
    }

    #[test]
    fn the_deepest_that_is_let_through_fits_the_stack() {
        let asked = || {
            let store = Store::open_in_memory().unwrap();
            for sql in [
                deep(DEEPEST, "WITH a AS (", "SELECT 1", ") SELECT * FROM a"),
                deep(DEEPEST, "SELECT * FROM (", "SELECT 1", ")"),
                deep(DEEPEST - 1, "SELECT (", "SELECT 1", ")"),
                format!("SELECT 1{}", " UNION SELECT 1".repeat(MOST_LINKS)),
                format!("SELECT true{}", " AND key = key".repeat(900)) + " FROM meta",
            ] {
                // Whether it can be answered or not: it ends.
                drop(store.select(&sql, &[]));
            }
            assert!(store.select("SELECT 1", &[]).is_ok());
        };
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn(asked).unwrap().join().unwrap();
    }

    proptest! {
        #[test]
        fn any_text_is_survived(sql in any::<String>()) {
            let _ = check(&sql);
            let seen: usize = tokens(sql.as_bytes()).map(|token| match token {
                Token::Word(word) => word.len(),
                Token::Byte(_) | Token::Literal => 1,
            }).sum();
            prop_assert!(seen <= sql.len());
        }

        #[test]
        fn broken_quotes_are_survived(sql in r#"['"`$/*\-eE1._\\;a(\n ]{0,30}"#) {
            let _ = check(&sql);
        }
    }
}
