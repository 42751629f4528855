//! The lexer cuts a text where DuckDB's tokenizer cuts it: compared by what DuckDB says of generated texts.

use crate::lexer::{self, Kind};
use duckdb::Connection;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// What DuckDB finds wrong with a text before it parses anything, and where that begins.
#[derive(Debug, PartialEq, Eq)]
enum Flaw {
    OpenText(usize),
    OpenName(usize),
    EmptyName(usize),
    OpenComment,
}

/// Returns the flaw that DuckDB's tokenizer reports, and the number of statements if the text is made of `SELECT` statements.
fn of_duckdb(conn: &Connection, text: &str) -> (Option<Flaw>, Option<usize>) {
    let sql = "SELECT json ->> 'error_message', (json ->> 'position')::BIGINT, json_array_length(json -> 'statements') \
               FROM (SELECT json_serialize_sql(?) AS json)";
    let mut statement = conn.prepare_cached(sql).unwrap();
    let (message, at, count): (Option<String>, Option<usize>, Option<usize>) = statement
        .query_row([text], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    let message = message.unwrap_or_default();
    let at = at.unwrap_or(usize::MAX);
    let flaw = if message.contains("unterminated string literal") {
        Some(Flaw::OpenText(at))
    } else if message.contains("unterminated quoted identifier") {
        Some(Flaw::OpenName(at))
    } else if message.contains("zero-length delimited identifier") {
        Some(Flaw::EmptyName(at))
    } else if message.contains("unterminated /* comment") {
        Some(Flaw::OpenComment)
    } else {
        None
    };
    (flaw, count)
}

/// Returns the same by the lexer.
fn of_lexer(text: &str) -> (Option<Flaw>, usize) {
    let (mut count, mut has_content) = (0, false);
    let mut flaw = None;
    for token in lexer::tokens(text) {
        let at = token.span.start;
        let found = match (token.kind, token.is_closed) {
            (Kind::Quoted, true) if token.span.len() == 2 => Some(Flaw::EmptyName(at)),
            (Kind::Quoted, false) => Some(Flaw::OpenName(at)),
            (Kind::Comment, false) => Some(Flaw::OpenComment),
            // An open dollar quote is told of later.
            (Kind::Text, false) if !text.split_at(at).1.starts_with('$') => {
                Some(Flaw::OpenText(at))
            }
            _ => None,
        };
        flaw = flaw.or(found);
        if text.get(token.span) == Some(";") {
            count += usize::from(has_content);
            has_content = false;
        } else if !matches!(token.kind, Kind::Blank | Kind::Comment) {
            has_content = true;
        }
    }
    (flaw, count + usize::from(has_content))
}

/// Texts made of what opens, closes and escapes.
fn nasty() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "['\"`$/*\\-eE1._\\\\;:a(\n\r\t bBnNxX+<é\u{202e}]{1,3}",
        prop::sample::select(vec![
            "''", "e'", "E'\\''", "\\'", "$$", "$a$", "$1", "$b", "/*", "*/", "--", "1e5", "1e",
            "..5", "x'0'", "`a`", "\"\"", "-- '\n", "/* ' */", "a$a$", "1_0", "::", "E'\\\\'",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// Statements that DuckDB can parse, with semicolons where they end nothing.
fn statements() -> impl Strategy<Value = String> {
    let literal = prop::sample::select(vec![
        "1",
        "1.5e-3",
        ".5",
        "1_000",
        "';'",
        "'it''s;'",
        "e'\\';'",
        "E'a\\\\'",
        "$$;$$",
        "$a$;$$;$a$",
        "x'3B'",
        "b'01'",
        "\"a;b\"",
        "`c;d`",
        "f(';')",
        "[';', e'\\';']",
        "a$b$",
        "1--;\n+1",
        "/* ; /* ; */ */ 2",
        "$1",
        "';'::text",
        "- /* ' */ 1",
        "'a' || ';'",
    ]);
    let blank = prop::sample::select(vec![
        " ",
        "\n",
        "\r\n",
        "\t",
        " -- ;'\n",
        " -- \"\r",
        " /* ;' */ ",
        " /*/* ;$$ */*/ ",
    ]);
    let statement = (
        prop::collection::vec((literal, blank.clone()), 1..4),
        blank.clone(),
    )
        .prop_map(|(values, blank)| {
            let values: Vec<String> = values
                .iter()
                .map(|(value, blank)| format!("{value}{blank}"))
                .collect();
            format!("SELECT{blank}{}", values.join(","))
        });
    (
        prop::collection::vec((statement, blank), 1..5),
        any::<bool>(),
    )
        .prop_map(|(parts, is_ended)| {
            let parts: Vec<String> = parts
                .iter()
                .map(|(statement, blank)| format!("{statement}{blank}"))
                .collect();
            parts.join(";") + if is_ended { ";" } else { "" }
        })
}

#[test]
fn quotes_and_comments_end_where_duckdb_ends_them() {
    let conn = Connection::open_in_memory().unwrap();
    let same = |text: String| {
        // A quote behind each beginning of the text shows what is open there.
        for (end, _) in text.char_indices().chain([(text.len(), ' ')]) {
            for probe in [" '", ""] {
                let probed = format!("{}{probe}", text.split_at(end).0);
                let (ours, theirs) = (of_lexer(&probed).0, of_duckdb(&conn, &probed).0);
                prop_assert_eq!(ours, theirs, "{:?}", probed);
            }
        }
        Ok(())
    };
    // Each text is many questions.
    let mut config = Config::default();
    config.cases /= 4;
    TestRunner::new(config).run(&nasty(), same).unwrap();
}

#[test]
fn statements_end_where_duckdb_ends_them() {
    let conn = Connection::open_in_memory().unwrap();
    let same = |text: String| {
        let (flaw, count) = of_duckdb(&conn, &text);
        prop_assert!(flaw.is_none() && count.is_some(), "{:?}", text);
        prop_assert_eq!(Some(of_lexer(&text).1), count, "{:?}", text);
        Ok(())
    };
    TestRunner::default().run(&statements(), same).unwrap();
}
