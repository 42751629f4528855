//! Statement: what a client's statement asks for, told by its first words.
//!
//! Queries go to DuckDB, whose parser decides whether they are one; the rest is about the session, and answered
//! here. Known verbs that write are refused by name, for a better message than "not a SELECT".

use super::failure::Failure;
use super::lex::{self, Kind, Token};
use crate::store::{CHANGED_BY, Verb};
use std::time::Duration;

/// What a statement asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// A query, or its plan.
    Ask(Verb, String),
    /// The value of a setting; of all of them.
    Show(Option<String>),
    /// A new value, none for the default. With `LOCAL` it lasts as long as the transaction: which is not kept apart.
    Set(String, Option<String>),
    /// Every setting to its default.
    ResetAll,
    Begin,
    Commit,
    Rollback,
    /// Within a transaction, changes nothing; the tag to answer with.
    Savepoint(&'static str),
    /// Changes nothing: the tag to answer with.
    Nothing(&'static str),
    DiscardAll,
    Deallocate(Option<String>),
    /// A cursor with its query.
    Declare(String, String),
    Fetch {
        cursor: String,
        rows: Option<usize>,
        is_move: bool,
    },
    CloseCursor(Option<String>),
    CopyOut {
        sql: String,
        form: CopyForm,
    },
    /// Log to read.
    CopyIn,
    /// One of the verbs of the program itself, with its argument.
    Call(String, String),
    /// `SELECT pg_sleep(SECONDS)`: the session sleeps, and no query runs.
    Sleep(Duration),
}

/// How a copy is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CopyForm {
    pub is_csv: bool,
    pub has_header: bool,
    pub delimiter: String,
    pub null: String,
}

/// PostgreSQL's function that sleeps.
pub(super) const SLEEP: &str = "pg_sleep";

/// Table that log is copied into.
pub(super) const INGEST: &str = "maillog_ingest";

/// Returns what the statement asks for.
pub(super) fn read(sql: &str, tokens: &[Token<'_>]) -> Result<Statement, Failure> {
    let Some(first) = tokens.first() else {
        return Ok(Statement::Nothing(""));
    };
    let text = || part(sql, tokens);
    let word = if first.kind == Kind::Word {
        first.text.to_ascii_uppercase()
    } else {
        String::new()
    };
    Ok(match word.as_str() {
        "EXPLAIN" => explain(sql, tokens),
        "SHOW" => Statement::Show(setting(tokens.get(1..).unwrap_or_default())),
        "SET" => set(tokens),
        "RESET" => match tokens.get(1) {
            Some(token) if !token.is("ALL") => Statement::Set(
                setting(tokens.get(1..).unwrap_or_default()).unwrap_or_default(),
                None,
            ),
            _ => Statement::ResetAll,
        },
        "BEGIN" | "START" => Statement::Begin,
        "COMMIT" | "END" => Statement::Commit,
        "ROLLBACK" | "ABORT" if has(tokens, "TO") => Statement::Savepoint("ROLLBACK"),
        "ROLLBACK" | "ABORT" => Statement::Rollback,
        "SAVEPOINT" => Statement::Savepoint("SAVEPOINT"),
        "RELEASE" => Statement::Savepoint("RELEASE"),
        "DISCARD" => Statement::DiscardAll,
        "LISTEN" => Statement::Nothing("LISTEN"),
        "UNLISTEN" => Statement::Nothing("UNLISTEN"),
        "DEALLOCATE" => {
            let name = tokens.iter().skip(1).find(|token| !token.is("PREPARE"));
            Statement::Deallocate(name.filter(|name| !name.is("ALL")).map(Token::name))
        }
        "DECLARE" => declare(sql, tokens)?,
        "FETCH" => fetch(tokens, false),
        "MOVE" => fetch(tokens, true),
        "CLOSE" => Statement::CloseCursor(
            tokens
                .get(1)
                .filter(|name| !name.is("ALL"))
                .map(Token::name),
        ),
        "COPY" => copy(sql, tokens)?,
        "CALL" => call(tokens)?,
        _ if WRITES.contains(&word.as_str()) => return Err(refuse(&word)),
        _ => match sleep(tokens) {
            Some(time) => Statement::Sleep(time),
            None => Statement::Ask(Verb::Select, text().to_owned()),
        },
    })
}

/// Reads `SELECT pg_sleep(SECONDS)`; elsewhere in a query the function is refused, as it would hold a place.
fn sleep(tokens: &[Token<'_>]) -> Option<Duration> {
    let (last, before) = tokens.split_last()?;
    if !tokens.first().is_some_and(|first| first.is("SELECT")) {
        return None;
    }
    let names = before.iter().map(Token::name).collect::<Vec<_>>();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let ([_, SLEEP, "(", seconds] | [_, "pg_catalog", ".", SLEEP, "(", seconds]) = names.as_slice()
    else {
        return None;
    };
    // No client has so much time.
    let seconds = seconds.parse::<f64>().ok()?.clamp(0.0, 1e6);
    last.is_symbol(")")
        .then(|| Duration::from_secs_f64(seconds))
}

/// Verbs that write, or reach out.
const WRITES: [&str; 30] = [
    "INSERT",
    "UPDATE",
    "DELETE",
    "MERGE",
    "TRUNCATE",
    "CREATE",
    "DROP",
    "ALTER",
    "COMMENT",
    "GRANT",
    "REVOKE",
    "VACUUM",
    "ANALYZE",
    "CHECKPOINT",
    "FORCE",
    "ATTACH",
    "DETACH",
    "USE",
    "LOAD",
    "INSTALL",
    "UNINSTALL",
    "EXPORT",
    "IMPORT",
    "PRAGMA",
    "LOCK",
    "DO",
    "REINDEX",
    "CLUSTER",
    "REFRESH",
    "NOTIFY",
];

fn refuse(verb: &str) -> Failure {
    Failure::new(
        "25006",
        format!("cannot run {verb}: this connection is read-only"),
    )
    .hint(CHANGED_BY)
}

/// Returns the text from the first token to the last.
pub(super) fn part<'s>(sql: &'s str, tokens: &[Token<'_>]) -> &'s str {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return "";
    };
    sql.get(first.at..last.end()).unwrap_or_default()
}

fn has(tokens: &[Token<'_>], word: &str) -> bool {
    tokens.iter().any(|token| token.is(word))
}

fn explain(sql: &str, tokens: &[Token<'_>]) -> Statement {
    let mut rest = tokens.get(1..).unwrap_or_default();
    let mut verb = Verb::Explain;
    if rest.first().is_some_and(|token| token.is_symbol("("))
        && let Some(close) = rest.iter().position(|token| token.is_symbol(")"))
        // Not the parenthesis of a SELECT.
        && !rest.get(1).is_some_and(|token| token.is("SELECT") || token.is("WITH") || token.is_symbol("("))
    {
        let (options, after) = rest.split_at(close + 1);
        if has(options, "ANALYZE") {
            verb = Verb::Analyze;
        }
        rest = after;
    }
    while let Some((first, after)) = rest.split_first() {
        if first.is("ANALYZE") {
            verb = Verb::Analyze;
        } else if !first.is("VERBOSE") {
            break;
        }
        rest = after;
    }
    Statement::Ask(verb, part(sql, rest).to_owned())
}

/// Reads the name of a setting: words with points, or one of PostgreSQL's phrases.
fn setting(tokens: &[Token<'_>]) -> Option<String> {
    let words: Vec<String> = tokens.iter().map(Token::name).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["all"] => None,
        ["time", "zone", ..] => Some("timezone".to_owned()),
        ["transaction", "isolation", "level"] => Some("transaction_isolation".to_owned()),
        ["session", "authorization", ..] => Some("session_authorization".to_owned()),
        [first, rest @ ..] => {
            let points = rest.chunks(2).take_while(|pair| matches!(pair, [".", _]));
            Some(points.fold((*first).to_owned(), |name, pair| name + &pair.concat()))
        }
    }
}

fn set(tokens: &[Token<'_>]) -> Statement {
    let mut rest = tokens.get(1..).unwrap_or_default();
    if let Some((scope, after)) = rest.split_first()
        && (scope.is("SESSION") || scope.is("LOCAL"))
        && !after
            .first()
            .is_some_and(|next| next.is_symbol("=") || next.is("TO"))
    {
        rest = after;
    }
    let begins = |word: &str| rest.first().is_some_and(|token| token.is(word));
    // Isolation and access mode: whatever is asked for, it only reads.
    if begins("TRANSACTION") || begins("CHARACTERISTICS") || begins("CONSTRAINTS") {
        return Statement::Nothing("SET");
    }
    let (name, values) = if begins("TIME") && rest.get(1).is_some_and(|token| token.is("ZONE")) {
        ("timezone".to_owned(), rest.get(2..).unwrap_or_default())
    } else if begins("NAMES") {
        (
            "client_encoding".to_owned(),
            rest.get(1..).unwrap_or_default(),
        )
    } else {
        let end = rest
            .iter()
            .position(|token| token.is_symbol("=") || token.is("TO"));
        let (name, values) = rest.split_at(end.unwrap_or(rest.len()));
        (
            setting(name).unwrap_or_default(),
            values.get(1..).unwrap_or_default(),
        )
    };
    let values: Vec<String> = values
        .iter()
        .filter(|token| !token.is_symbol(","))
        .map(Token::literal)
        .collect();
    let value = values.join(", ");
    let is_default = value.is_empty() && values.is_empty() || value.eq_ignore_ascii_case("default");
    Statement::Set(name, (!is_default).then_some(value))
}

fn declare(sql: &str, tokens: &[Token<'_>]) -> Result<Statement, Failure> {
    let name = tokens.get(1).map(Token::name);
    let cursor = tokens.iter().position(|token| token.is("CURSOR"));
    let start = cursor.and_then(|cursor| {
        let rest = tokens.get(cursor..)?;
        Some(cursor + rest.iter().position(|token| token.is("FOR"))? + 1)
    });
    match (name, start.and_then(|start| tokens.get(start..))) {
        (Some(name), Some(rest)) if !rest.is_empty() => {
            Ok(Statement::Declare(name, part(sql, rest).to_owned()))
        }
        _ => Err(Failure::new(
            "42601",
            "DECLARE needs a name, CURSOR FOR and a SELECT",
        )),
    }
}

fn fetch(tokens: &[Token<'_>], is_move: bool) -> Statement {
    let cursor = tokens.last().map(Token::name).unwrap_or_default();
    let middle = tokens
        .get(1..tokens.len().saturating_sub(1))
        .unwrap_or_default();
    let rows = if has(middle, "ALL") {
        None
    } else {
        let number = middle.iter().find(|token| token.kind == Kind::Number);
        Some(
            number
                .and_then(|number| number.text.parse().ok())
                .unwrap_or(1),
        )
    };
    Statement::Fetch {
        cursor,
        rows,
        is_move,
    }
}

fn copy(sql: &str, tokens: &[Token<'_>]) -> Result<Statement, Failure> {
    let only = || {
        Failure::new("25006", "only COPY ... TO STDOUT is allowed here")
            .hint("import log with `maillog ingest FILE`; write a file with psql: \\copy (SELECT ...) TO 'FILE'")
    };
    let Some(direction) = direction(tokens) else {
        return Err(only());
    };
    let (source, rest) = tokens.split_at(direction);
    let options = rest.get(2..).unwrap_or_default();
    let is = |word: &str| rest.get(1).is_some_and(|token| token.is(word));
    let table = source.get(1..).unwrap_or_default();
    if is("STDIN") && rest.first().is_some_and(|token| token.is("FROM")) {
        if table.len() == 1 && table.first().is_some_and(|token| token.name() == INGEST) {
            return Ok(Statement::CopyIn);
        }
        return Err(only());
    }
    if !is("STDOUT") || !rest.first().is_some_and(|token| token.is("TO")) {
        return Err(only());
    }
    let sql = match (table.first(), table.last()) {
        (Some(open), Some(close)) if open.is_symbol("(") && close.is_symbol(")") => {
            part(sql, table.get(1..table.len() - 1).unwrap_or_default()).to_owned()
        }
        _ => copy_table(sql, table),
    };
    Ok(Statement::CopyOut {
        sql,
        form: form(options)?,
    })
}

/// Returns the place of the `TO` or `FROM` that is in no parentheses.
fn direction(tokens: &[Token<'_>]) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().position(|token| {
        match token.text {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && (token.is("TO") || token.is("FROM"))
    })
}

/// `COPY t (a, b) TO` is `SELECT a, b FROM t`.
fn copy_table(sql: &str, table: &[Token<'_>]) -> String {
    match table.iter().position(|token| token.is_symbol("(")) {
        Some(open) => {
            let (name, columns) = table.split_at(open);
            let columns = columns
                .get(1..columns.len().saturating_sub(1))
                .unwrap_or_default();
            format!("SELECT {} FROM {}", part(sql, columns), part(sql, name))
        }
        None => format!("SELECT * FROM {}", part(sql, table)),
    }
}

fn form(options: &[Token<'_>]) -> Result<CopyForm, Failure> {
    if has(options, "BINARY")
        || options
            .iter()
            .any(|token| token.literal().eq_ignore_ascii_case("binary"))
    {
        return Err(Failure::new("0A000", "binary COPY is not supported").hint("use text or csv"));
    }
    let is_csv = has(options, "CSV")
        || options
            .iter()
            .any(|token| token.literal().eq_ignore_ascii_case("csv"));
    let value = |word: &str| {
        let at = options.iter().position(|token| token.is(word))?;
        let mut after = options.get(at + 1..)?.iter();
        after
            .find(|token| !token.is("AS"))
            .filter(|token| token.kind == Kind::Text)
            .map(literal_of)
    };
    let header = options.iter().position(|token| token.is("HEADER"));
    let is_off = |at: usize| {
        options
            .get(at + 1)
            .is_some_and(|token| token.is("FALSE") || token.is("OFF"))
    };
    Ok(CopyForm {
        is_csv,
        has_header: header.is_some_and(|at| !is_off(at)),
        delimiter: value("DELIMITER").unwrap_or_else(|| if is_csv { "," } else { "\t" }.to_owned()),
        null: value("NULL").unwrap_or_else(|| if is_csv { "" } else { "\\N" }.to_owned()),
    })
}

/// A literal with the escapes of `E'\t'` resolved.
fn literal_of(token: &Token<'_>) -> String {
    match token.text.strip_prefix(['e', 'E']) {
        Some(quoted) => quoted
            .trim_matches('\'')
            .replace("\\t", "\t")
            .replace("\\\\", "\\"),
        None => token.literal(),
    }
}

fn call(tokens: &[Token<'_>]) -> Result<Statement, Failure> {
    match tokens {
        [_, name, open, close] if open.is_symbol("(") && close.is_symbol(")") => {
            Ok(Statement::Call(name.name(), String::new()))
        }
        [_, name, open, argument, close]
            if open.is_symbol("(") && argument.kind == Kind::Text && close.is_symbol(")") =>
        {
            Ok(Statement::Call(name.name(), argument.literal()))
        }
        _ => Err(refuse("CALL")),
    }
}

/// Returns the statements of a text, each with its tokens.
pub(super) fn split(sql: &str) -> Vec<Vec<Token<'_>>> {
    lex::statements(sql)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(sql: &str) -> Result<Statement, Failure> {
        let tokens = split(sql);
        read(sql, &tokens[0])
    }

    fn set_to(name: &str, value: Option<&str>) -> Statement {
        Statement::Set(name.to_owned(), value.map(str::to_owned))
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of cases")]
    fn statements_about_the_session_are_known() {
        let cases = [
            (
                "set extra_float_digits = 3",
                set_to("extra_float_digits", Some("3")),
            ),
            (
                "SET SESSION statement_timeout TO '5s'",
                set_to("statement_timeout", Some("5s")),
            ),
            (
                "SET search_path = \"$user\", public",
                set_to("search_path", Some("$user, public")),
            ),
            (
                "SET TIME ZONE 'Europe/Berlin'",
                set_to("timezone", Some("Europe/Berlin")),
            ),
            ("SET NAMES 'UTF8'", set_to("client_encoding", Some("UTF8"))),
            ("RESET statement_timeout", set_to("statement_timeout", None)),
            ("SET x TO DEFAULT", set_to("x", None)),
            ("RESET ALL", Statement::ResetAll),
            (
                "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
                Statement::Nothing("SET"),
            ),
            (
                "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                Statement::Nothing("SET"),
            ),
            (
                "SHOW TRANSACTION ISOLATION LEVEL",
                Statement::Show(Some("transaction_isolation".to_owned())),
            ),
            (
                "SHOW maillog.cells",
                Statement::Show(Some("maillog.cells".to_owned())),
            ),
            ("SHOW ALL", Statement::Show(None)),
            ("begin read only", Statement::Begin),
            ("ROLLBACK TO SAVEPOINT a", Statement::Savepoint("ROLLBACK")),
            (
                "DEALLOCATE PREPARE x",
                Statement::Deallocate(Some("x".to_owned())),
            ),
            ("DEALLOCATE ALL", Statement::Deallocate(None)),
            (
                "FETCH FORWARD 10 FROM \"C\"",
                Statement::Fetch {
                    cursor: "C".to_owned(),
                    rows: Some(10),
                    is_move: false,
                },
            ),
            (
                "FETCH ALL c",
                Statement::Fetch {
                    cursor: "c".to_owned(),
                    rows: None,
                    is_move: false,
                },
            ),
            (
                "EXPLAIN (ANALYZE, COSTS off) SELECT 1",
                Statement::Ask(Verb::Analyze, "SELECT 1".to_owned()),
            ),
            (
                "EXPLAIN (SELECT 1)",
                Statement::Ask(Verb::Explain, "(SELECT 1)".to_owned()),
            ),
            (
                "CALL maillog_prune('{\"a\": \"it''s\"}')",
                Statement::Call("maillog_prune".to_owned(), "{\"a\": \"it's\"}".to_owned()),
            ),
            (
                "DECLARE \"c 1\" NO SCROLL CURSOR WITHOUT HOLD FOR SELECT 1",
                Statement::Declare("c 1".to_owned(), "SELECT 1".to_owned()),
            ),
        ];
        for (sql, expected) in cases {
            assert_eq!(one(sql), Ok(expected), "{sql}");
        }
    }

    #[test]
    fn copies_to_the_client_are_questions() {
        for (sql, asked, is_csv, has_header) in [
            (
                "COPY (SELECT 1 FROM x) TO STDOUT",
                "SELECT 1 FROM x",
                false,
                false,
            ),
            (
                "COPY t TO STDOUT WITH CSV HEADER",
                "SELECT * FROM t",
                true,
                true,
            ),
            (
                "COPY t (a, b) TO STDOUT (FORMAT csv, HEADER true)",
                "SELECT a, b FROM t",
                true,
                true,
            ),
            (
                "COPY t TO STDOUT (FORMAT 'csv', HEADER false)",
                "SELECT * FROM t",
                true,
                false,
            ),
        ] {
            let Ok(Statement::CopyOut { sql: found, form }) = one(sql) else {
                panic!("{sql}");
            };
            assert_eq!(
                (found.as_str(), form.is_csv, form.has_header),
                (asked, is_csv, has_header),
                "{sql}"
            );
        }
        let Ok(Statement::CopyOut { form, .. }) =
            one("COPY t TO STDOUT WITH (DELIMITER E'\\t', NULL 'x')")
        else {
            panic!("no copy");
        };
        assert_eq!((form.delimiter.as_str(), form.null.as_str()), ("\t", "x"));
    }

    #[test]
    fn what_writes_is_refused() {
        for sql in [
            "INSERT INTO meta VALUES (1)",
            "/* SELECT */ delete from meta",
            "-- SELECT 1\nDROP TABLE meta",
            "COPY meta TO '/tmp/x'",
            "COPY meta FROM '/tmp/x'",
            "COPY meta FROM STDIN",
            "COPY meta TO PROGRAM 'sh'",
            "COPY (SELECT 1) TO '/tmp/x' (FORMAT csv)",
            "CALL pragma_version()() ",
            "PRAGMA database_list",
        ] {
            let refused = one(sql).unwrap_err();
            assert_eq!(refused.code, "25006", "{sql}");
        }
    }
}
