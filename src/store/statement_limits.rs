//! How long and how deep a query may be, told from its text before DuckDB's parser sees it.
//!
//! DuckDB's parser and binder call themselves for each level of a statement, and a stack that overflows ends the whole
//! process. Brackets are levels; so are, without brackets, joins, set operations and the tables of a list, which
//! become a tree as deep as they are many. Levels within expressions are DuckDB's `max_expression_depth`.
//!
//! Limits: words are counted wherever they stand, also where they are names; quotes and comments are left out, and end
//! where DuckDB's tokenizer ends them (`lexer.rs`).

use super::error::Error;
use crate::lexer::{self, Kind, Token};

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
    let is_token = |token: &Token| !matches!(token.kind, Kind::Blank | Kind::Comment);
    for (index, token) in lexer::tokens(sql).filter(is_token).enumerate() {
        if index >= MOST_TOKENS {
            return Err(Error::TooLong);
        }
        let text = sql.get(token.span).unwrap_or_default();
        shape.add(token.kind, text);
        shape.is_not = text == "!";
        if shape.levels.len() > DEEPEST || shape.links > MOST_LINKS {
            return Err(Error::TooDeep);
        }
    }
    Ok(())
}

/// Returns whether a text has spaces that DuckDB takes for ASCII ones only where it thinks that no quote is open, and
/// quotes that they would change.
fn is_odd(sql: &str) -> bool {
    sql.contains(lexer::is_odd_blank) && ["e'", "E'", "$"].iter().any(|quote| sql.contains(quote))
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
    fn add(&mut self, kind: Kind, text: &str) {
        match (kind, text) {
            (Kind::Sign, "(" | "[" | "{") => {
                self.levels.push(self.is_from);
                self.is_from = false;
            }
            (Kind::Sign, ")" | "]" | "}") => self.is_from = self.levels.pop().unwrap_or_default(),
            (Kind::Sign, ",") if self.is_from => self.links += 1,
            // Prefix operators nest without DuckDB counting them; `!=` and `!~` are none.
            (Kind::Sign, "@" | "!" | "~") => self.links += 1,
            (Kind::Sign, "=") if self.is_not => self.links = self.links.saturating_sub(1),
            (Kind::Word, word) => {
                let is = |known: &&str| word.eq_ignore_ascii_case(known);
                self.links += usize::from(LINKS.iter().any(is));
                if is(&"from") {
                    self.is_from = true;
                } else if NO_TABLES.iter().any(is) {
                    self.is_from = false;
                }
            }
            _ => {}
        }
    }
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
        }

        #[test]
        fn broken_quotes_are_survived(sql in r#"['"`$/*\-eE1._\\;a(\n ]{0,30}"#) {
            let _ = check(&sql);
        }
    }
}
