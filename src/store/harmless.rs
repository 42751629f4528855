//! Which functions a question may use: what reads tables, and what says how they are made.
//!
//! Some functions of DuckDB do more than answer although they stand in a `SELECT`: `checkpoint()`, `enable_logging()`,
//! `query('...')`, `arrow_scan` (which follows pointers). Table functions are named here when they are allowed; of the
//! others, which are many and pure, the few that are not.
//!
//! Limits: told by the text of DuckDB's syntax tree; quotes within names and literals are escaped there, so nothing
//! in a statement can look like a part of it.

use super::error::Error;

/// Table functions that may be used, beside those whose names begin with one of `PREFIXES`.
const ALLOWED: [&str; 10] = [
    "range",
    "generate_series",
    "generate_subscripts",
    "unnest",
    "json_each",
    "json_tree",
    "repeat",
    "repeat_row",
    "summary",
    "test_all_types",
];
/// Descriptions of the database and its settings.
const PREFIXES: [&str; 2] = ["duckdb_", "pragma_"];
/// Functions that are refused wherever they stand.
const REFUSED: [&str; 9] = [
    "checkpoint",
    "force_checkpoint",
    "query",
    "json_execute_serialized_sql",
    "write_log",
    "nextval",
    "getenv",
    "set_config",
    "pg_terminate_backend",
];

/// Refuses a syntax tree, as `json_serialize_sql` gives it, that uses a function which does more than answer.
pub(super) fn check(tree: &str) -> Result<(), Error> {
    for part in tree.split(r#""type":"TABLE_FUNCTION""#).skip(1) {
        // The function's own name comes before those in its arguments.
        let name = names(part).next().unwrap_or_default();
        let is_allowed = ALLOWED
            .iter()
            .any(|allowed| name.eq_ignore_ascii_case(allowed))
            || PREFIXES.iter().any(|prefix| begins(name, prefix));
        if !is_allowed {
            return refuse(name);
        }
    }
    match names(tree).find(|name| REFUSED.iter().any(|bad| name.eq_ignore_ascii_case(bad))) {
        Some(name) => refuse(name),
        None => Ok(()),
    }
}

fn names(tree: &str) -> impl Iterator<Item = &str> {
    let parts = tree.split(r#""function_name":""#).skip(1);
    parts.filter_map(|part| part.split('"').next())
}

fn begins(name: &str, prefix: &str) -> bool {
    let start = name.get(..prefix.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn refuse(name: &str) -> Result<(), Error> {
    Err(Error::Function {
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use crate::store::{Error, Store};

    #[test]
    fn functions_that_do_more_than_answer_are_refused() {
        let store = Store::open_in_memory().unwrap();
        for sql in [
            "SELECT * FROM checkpoint()",
            "SELECT * FROM \"CHECKPOINT\"()",
            "SELECT * FROM force_checkpoint()",
            "SELECT * FROM main.enable_logging()",
            "SELECT 1 WHERE EXISTS (FROM query('SELECT 1'))",
            "WITH x AS (SELECT * FROM query('SELECT * FROM checkpoint()')) SELECT * FROM x",
            "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
            "SELECT * FROM arrow_scan(1, 2, 3)",
            "SELECT * FROM read_csv('/etc/passwd')",
            "SELECT * FROM read_text('/etc/passwd')",
            "FROM glob('*')",
            "SELECT * FROM range(1) r, LATERAL (FROM sniff_csv('/etc/passwd'))",
            "SELECT write_log('x')",
            "SELECT nextval('x')",
        ] {
            let refused = store.select(sql, &[]);
            assert!(
                matches!(refused, Err(Error::Function { .. })),
                "{sql}: {refused:?}"
            );
        }
    }

    #[test]
    fn functions_that_answer_are_allowed() {
        let store = Store::open_in_memory().unwrap();
        for sql in [
            "SELECT * FROM range(3)",
            "SELECT unnest([1, 2])",
            "SELECT * FROM unnest([1, 2])",
            "SELECT * FROM duckdb_tables()",
            "SELECT * FROM pragma_table_info('delivery_to')",
            "SELECT 'query(x)', '\"type\":\"TABLE_FUNCTION\" \"function_name\":\"checkpoint\"'",
            "SELECT count(*) FROM delivery_to \"query\"",
            "SELECT * FROM generate_series(1, 2) AS checkpoint(query)",
        ] {
            store
                .select(sql, &[])
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }
}
