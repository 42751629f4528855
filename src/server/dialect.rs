//! Dialect: the few forms of PostgreSQL's SQL that DuckDB has not, rewritten.
//!
//! Tokens are replaced, never whole statements, so it works on what clients send that nobody has seen yet.

use super::lex::{Kind, Token, tokens};

/// What words mean in a session.
pub(super) struct Words<'a> {
    pub user: &'a str,
    /// Value of a setting.
    pub setting: &'a dyn Fn(&str) -> Option<String>,
}

/// Types that are text, and numbers, to DuckDB.
const TEXTS: [&str; 7] = [
    "name",
    "char",
    "bpchar",
    "regproc",
    "citext",
    "regoper",
    "regoperator",
];
const NUMBERS: [&str; 5] = ["xid", "cid", "oid", "int8", "regrole"];
/// Casts that find the number of a thing by its name, or show its name; each has a macro in `catalog.sql`.
const NAMED: [&str; 4] = ["regclass", "regtype", "regnamespace", "regprocedure"];

/// Tables of `information_schema` that have a view of their own in `catalog.sql`.
const VIEWED: [&str; 12] = [
    "tables",
    "views",
    "columns",
    "schemata",
    "table_constraints",
    "key_column_usage",
    "constraint_column_usage",
    "referential_constraints",
    "routines",
    "table_privileges",
    "triggers",
    "sequences",
];

/// Returns the statement in DuckDB's words.
pub(super) fn rewrite(sql: &str, words: &Words<'_>) -> String {
    let tokens = tokens(sql);
    let openings = openings(&tokens);
    let mut changes: Vec<(usize, usize, String)> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at += step(&tokens, &openings, at, words, &mut changes).max(1);
    }
    changes.sort_by_key(|(from, to, _)| (*from, *to));
    let mut out = String::with_capacity(sql.len());
    let mut done = 0;
    for (from, to, text) in changes {
        if from >= done {
            out.push_str(sql.get(done..from).unwrap_or_default());
            out.push_str(&text);
            done = to;
        }
    }
    out.push_str(sql.get(done..).unwrap_or_default());
    out
}

/// What is replaced: from and to which byte, and by what.
type Change = (usize, usize, String);

/// Looks at the tokens from `at`; returns how many are done.
fn step(
    tokens: &[Token<'_>],
    openings: &[usize],
    at: usize,
    words: &Words<'_>,
    changes: &mut Vec<Change>,
) -> usize {
    let here = tokens.get(at..).unwrap_or_default();
    match here {
        [cast, ..] if cast.is_symbol("::") => return self::cast(tokens, openings, at, changes),
        [word, ..] if word.is("AS") => return cast_as(tokens, openings, at, changes),
        _ => {}
    }
    let before = tokens.get(at.saturating_sub(2)..at).unwrap_or_default();
    let is_qualified = matches!(before, [name, point] if point.is_symbol(".") && !is_catalog(name));
    let found = schema(here).or_else(|| word(here, words).filter(|_| !is_qualified));
    let (Some((count, text)), Some(first)) = (found, here.first()) else {
        return 1;
    };
    let end = here.get(count - 1).map_or(first.end(), Token::end);
    changes.push((first.at, end, text));
    count
}

/// Names and operators with a schema: how many tokens, and what they become.
fn schema(here: &[Token<'_>]) -> Option<(usize, String)> {
    Some(match here {
        [op, open, schema, point, symbol, close, ..]
            if op.is("OPERATOR")
                && open.is_symbol("(")
                && is_catalog(schema)
                && point.is_symbol(".")
                && close.is_symbol(")") =>
        {
            (6, symbol.text.to_owned())
        }
        [collate, schema, point, _, ..]
            if collate.is("COLLATE") && is_catalog(schema) && point.is_symbol(".") =>
        {
            (4, String::new())
        }
        [collate, name, ..]
            if collate.is("COLLATE")
                && matches!(name.name().as_str(), "default" | "c" | "C" | "POSIX") =>
        {
            (2, String::new())
        }
        [schema, point, ..] if is_catalog(schema) && point.is_symbol(".") => (2, String::new()),
        [schema, point, table, ..]
            if schema.name() == "information_schema"
                && point.is_symbol(".")
                && VIEWED.contains(&table.name().as_str()) =>
        {
            (3, format!("maillog_schema_{}", table.name()))
        }
        _ => return None,
    })
}

/// Words that mean something of the session.
fn word(here: &[Token<'_>], words: &Words<'_>) -> Option<(usize, String)> {
    let first = here.first()?;
    let is_call =
        matches!(here, [_, open, close, ..] if open.is_symbol("(") && close.is_symbol(")"));
    Some(match first.text.to_ascii_lowercase().as_str() {
        _ if first.kind != Kind::Word => return None,
        "current_setting" => setting(here, words)?,
        "current_user" | "session_user" | "current_role" => {
            (if is_call { 3 } else { 1 }, quote(words.user))
        }
        "current_timestamp" | "localtimestamp" => (1, "now()".to_owned()),
        "json_build_object" => (1, "json_object".to_owned()),
        "json_build_array" => (1, "json_array".to_owned()),
        _ => return None,
    })
}

/// `current_setting('name')` and the like.
fn setting(here: &[Token<'_>], words: &Words<'_>) -> Option<(usize, String)> {
    let [_, open, text, rest @ ..] = here else {
        return None;
    };
    if !open.is_symbol("(") {
        return None;
    }
    let count = match rest {
        [close, ..] if close.is_symbol(")") => 4,
        [comma, _, close, ..] if comma.is_symbol(",") && close.is_symbol(")") => 6,
        _ => 0,
    };
    let known = (words.setting)(&text.literal()).filter(|_| text.kind == Kind::Text && count > 0);
    Some(match known {
        Some(value) => (count, quote(&value)),
        None => (1, "maillog_setting".to_owned()),
    })
}

fn is_catalog(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Word | Kind::Quoted) && token.name() == "pg_catalog"
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `x::regclass` and the like.
fn cast(tokens: &[Token<'_>], openings: &[usize], at: usize, changes: &mut Vec<Change>) -> usize {
    let rest = tokens.get(at + 1..).unwrap_or_default();
    let (name, count) = match rest {
        [schema, point, name, ..] if is_catalog(schema) && point.is_symbol(".") => (name, 4),
        [name, ..] => (name, 2),
        [] => return 1,
    };
    let Some(cast) = tokens.get(at) else {
        return 1;
    };
    let kind = name.name();
    if NAMED.contains(&kind.as_str()) {
        let start = primary(tokens, openings, at);
        let is_name = matches!(at.checked_sub(1).and_then(|t| tokens.get(t)), Some(t) if matches!(t.kind, Kind::Text | Kind::Param(_)));
        let function = function(&kind, is_name) + "(";
        if let Some(first) = tokens.get(start) {
            changes.push((first.at, first.at, function));
            changes.push((cast.at, name.end(), ")".to_owned()));
        }
    } else if TEXTS.contains(&kind.as_str()) {
        changes.push((cast.at, name.end(), "::VARCHAR".to_owned()));
    } else if NUMBERS.contains(&kind.as_str()) {
        changes.push((cast.at, name.end(), "::BIGINT".to_owned()));
    } else if count == 4 {
        changes.push((cast.at, name.end(), format!("::{}", name.text)));
    }
    count
}

/// `CAST(x AS regclass)` and the like.
fn cast_as(
    tokens: &[Token<'_>],
    openings: &[usize],
    at: usize,
    changes: &mut Vec<Change>,
) -> usize {
    let rest = tokens.get(at + 1..).unwrap_or_default();
    let (name, close, count) = match rest {
        [schema, point, name, close, ..] if is_catalog(schema) && point.is_symbol(".") => {
            (name, close, 4)
        }
        [name, close, ..] => (name, close, 2),
        _ => return 1,
    };
    let Some(word) = tokens.get(at).filter(|_| close.is_symbol(")")) else {
        return 1;
    };
    let kind = name.name();
    if NAMED.contains(&kind.as_str()) {
        let open = openings.get(at + count).copied().unwrap_or(at + count);
        let cast = open.checked_sub(1).and_then(|before| tokens.get(before));
        let Some(cast) = cast.filter(|cast| cast.is("CAST")) else {
            return 1;
        };
        let is_name = tokens.get(open + 1).is_some_and(|token| {
            open + 2 == at && matches!(token.kind, Kind::Text | Kind::Param(_))
        });
        changes.push((cast.at, cast.end(), function(&kind, is_name)));
        changes.push((word.at, name.end(), String::new()));
    } else if TEXTS.contains(&kind.as_str()) {
        changes.push((word.at, name.end(), "AS VARCHAR".to_owned()));
    } else if NUMBERS.contains(&kind.as_str()) {
        changes.push((word.at, name.end(), "AS BIGINT".to_owned()));
    } else {
        return 1;
    }
    count
}

/// Returns the macro for a cast of a name, or of a number.
fn function(kind: &str, is_name: bool) -> String {
    let what = if is_name { "of" } else { "name" };
    format!("maillog_{kind}_{what}")
}

/// Returns for each token the parenthesis that it closes; itself when it closes none.
fn openings(tokens: &[Token<'_>]) -> Vec<usize> {
    let mut open = Vec::new();
    let found = tokens.iter().enumerate().map(|(at, token)| {
        if token.is_symbol("(") {
            open.push(at);
        } else if token.is_symbol(")") {
            return open.pop().unwrap_or(at);
        }
        at
    });
    found.collect()
}

/// Returns the first token of the expression that ends before `at`: a literal, a name with points, a call.
fn primary(tokens: &[Token<'_>], openings: &[usize], at: usize) -> usize {
    let is = |at: usize, symbol: &str| tokens.get(at).is_some_and(|token| token.is_symbol(symbol));
    let is_name = |at: usize| {
        tokens
            .get(at)
            .is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted))
    };
    let Some(mut start) = at.checked_sub(1) else {
        return at;
    };
    if is(start, ")") {
        start = openings.get(start).copied().unwrap_or(start);
        if start > 0 && is_name(start - 1) {
            start -= 1;
        }
    }
    while start >= 2 && is(start - 1, ".") && is_name(start - 2) {
        start -= 2;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{guess, statement};
    use std::collections::HashMap;
    use std::time::{Duration, Instant};

    #[test]
    fn long_statements_are_read_in_the_time_of_their_length() {
        let words = Words {
            user: "a",
            setting: &|_| None,
        };
        for shape in [
            "$1,",
            ")::regclass",
            "(1)::regclass,",
            "CAST((1) AS regclass),",
            "CAST(",
            "( ",
            ") AS regclass)",
            "$a ",
            "$a$",
            "$",
            "'",
            "E'\\",
            "\"",
            "/*",
            "*/",
            "--",
            "a.",
            "::",
            "current_setting(",
            "+-",
            "pg_catalog.",
            "1;",
            "id IN ($1) ",
            "EXPLAIN ",
            "NULL,$2,",
            "\u{e9}",
            "COLLATE pg_catalog.",
        ] {
            let sql = format!("SELECT {}", shape.repeat(250_000 / shape.len()));
            let begun = Instant::now();
            for tokens in statement::split(&sql) {
                let _ = statement::read(&sql, &tokens);
            }
            rewrite(&sql, &words);
            guess::parameter_types(&sql, &HashMap::new());
            // Well below a second each; looking back from each token took minutes.
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{shape}: {:?}",
                begun.elapsed()
            );
        }
    }

    #[test]
    fn casts_of_long_expressions_are_rewritten() {
        let words = Words {
            user: "a",
            setting: &|_| None,
        };
        let long = "1 + ".repeat(500);
        assert_eq!(
            rewrite(
                &format!("SELECT 1, ({long}(2))::regclass, CAST(({long}3) AS regclass)"),
                &words
            ),
            format!(
                "SELECT 1, maillog_regclass_name(({long}(2))), maillog_regclass_name(({long}3) )"
            )
        );
    }
}
