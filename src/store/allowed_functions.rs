//! Which functions a query may use: what reads tables, and what says how they are made.
//!
//! Some functions of DuckDB do more than answer although they stand in a `SELECT`: `checkpoint()`, `enable_logging()`,
//! `query('...')`, `arrow_scan` (which follows pointers). So every function that may be used is named: table functions here,
//! the others, which are many and pure, in `allowed_functions.txt`. What a later DuckDB brings is refused until somebody has
//! looked at it.
//!
//! Limits: told by the text of DuckDB's syntax tree; quotes within names and literals are escaped there, so nothing
//! in a statement can look like a part of it.

use super::error::Error;
use std::collections::HashSet;
use std::sync::LazyLock;

/// Table functions that may be used, beside those whose names begin with one of `PREFIXES`.
const ALLOWED: [&str; 9] = [
    "range",
    "generate_series",
    "generate_subscripts",
    "unnest",
    "json_each",
    "json_tree",
    "repeat",
    "repeat_row",
    "summary",
];
/// Descriptions of the database.
const PREFIXES: [&str; 2] = ["duckdb_", "pragma_"];
/// Those that tell where the service keeps its files, or have columns of type VARIANT.
const TELLING: [&str; 5] = [
    "duckdb_secrets",
    "duckdb_settings",
    "duckdb_logs",
    "duckdb_temporary_files",
    "pragma_storage_info",
];
/// Functions that were looked at and are not allowed, beside those whose names begin with one of `INNER`.
///
/// They do more than answer, or nothing for long; or read SQL or raw memory from a value; or call themselves for each
/// level of one, which may be as deep as memory is large.
const REFUSED: [&str; 31] = [
    "checkpoint",
    "force_checkpoint",
    "query",
    "query_table",
    "json_execute_serialized_sql",
    "json_serialize_sql",
    "json_serialize_plan",
    "json_deserialize_sql",
    "write_log",
    "nextval",
    "setval",
    "getenv",
    "set_config",
    "pg_terminate_backend",
    "combine",
    "combine_aggr",
    "finalize",
    "to_aggregate_state",
    "create_sort_key",
    "cast_to_type",
    "make_type",
    "replace_type",
    "remap_struct",
    "json_contains",
    "json_transform",
    "json_transform_strict",
    "from_json",
    "from_json_strict",
    "sleep_ms",
    "pg_sleep",
    // For the views of a scope.
    "scope_text",
];
/// Beginnings of the names of functions for DuckDB's own use, or of types that are refused.
const INNER: [&str; 4] = ["__internal", "variant_", "st_", "geo"];
/// Types that are refused: their values are deeper, larger or slower to make than can be foreseen.
const TYPES: [&str; 7] = [
    "variant",
    "geometry",
    "bignum",
    "varint",
    "array",
    "aggregate_state",
    "legacy_aggregate_state",
];
/// Functions that make much of little, in one step that cannot be stopped and is not counted; what to write instead.
const DEAR: [(&str, &str); 12] = [
    ("range", "use FROM range(...) or FROM generate_series(...)"),
    ("generate_series", "use FROM generate_series(...)"),
    (
        "repeat",
        "repeat a short text at most 1000 times, and write the number itself: repeat('x', 10)",
    ),
    ("lpad", "write the length as a number up to 1000"),
    ("rpad", "write the length as a number up to 1000"),
    (
        "printf",
        "write the format as a text, with widths up to 999",
    ),
    (
        "format",
        "write the format as a text, with widths up to 999",
    ),
    ("list_resize", "use list_slice or list_concat"),
    ("array_resize", "use list_slice or list_concat"),
    ("damerau_levenshtein", "use levenshtein"),
    ("bitstring", "cast a text to BIT"),
    ("equi_width_bins", "use time_bucket or floor"),
];

/// Returns whether a function that is no table function may be used.
fn is_allowed(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        let lines = include_str!("allowed_functions.txt").lines();
        lines.filter(|line| !line.starts_with('#')).collect()
    });
    // No function, but written like one.
    let is_syntax = name.eq_ignore_ascii_case("unnest");
    is_syntax || NAMES.contains(name.to_ascii_lowercase().as_str())
}

fn is_refused(name: &str) -> bool {
    REFUSED.iter().any(|bad| name.eq_ignore_ascii_case(bad))
        || INNER.iter().any(|prefix| begins(name, prefix))
}

/// Refuses a syntax tree, as `json_serialize_sql` gives it, that uses a function which does more than answer, or
/// cannot be bounded.
///
/// `is_own` tells whether DuckDB brings a function along: our own macros pass, and so does what there is not, for DuckDB's
/// error names what is like it.
pub(super) fn check(tree: &str, is_own: impl Fn(&str) -> bool) -> Result<(), Error> {
    for (index, part) in tree.split(r#""type":"TABLE_FUNCTION""#).enumerate() {
        // The function's own name comes before those in its arguments.
        let mut calls = calls(part);
        if let Some((name, _)) = (index > 0).then(|| calls.next().unwrap_or_default()) {
            let is = |known: &&str| name.eq_ignore_ascii_case(known);
            let is_allowed =
                ALLOWED.iter().any(is) || PREFIXES.iter().any(|prefix| begins(name, prefix));
            if !is_allowed || TELLING.iter().any(is) {
                return refuse(name);
            }
        }
        for (name, call) in calls {
            if is_refused(name) || !is_allowed(name) && is_own(name) {
                return refuse(name);
            }
            refuse_dear(name, call)?;
        }
    }
    let kinds = tree.split(r#""type_name":""#).skip(1);
    let mut kinds = kinds.filter_map(|part| part.split('"').next());
    match kinds.find(|name| TYPES.iter().any(|bad| name.eq_ignore_ascii_case(bad))) {
        Some(name) => Err(Error::Dear {
            name: format!("the type {}", name.to_ascii_uppercase()),
            instead: "use text or a list",
        }),
        None => Ok(()),
    }
}

fn refuse_dear(name: &str, call: &str) -> Result<(), Error> {
    let dear = DEAR.iter().find(|(bad, _)| name.eq_ignore_ascii_case(bad));
    match dear {
        Some((bad, instead)) if !is_bounded(bad, call) => Err(Error::Dear {
            name: format!("the function {bad}"),
            instead,
        }),
        _ => Ok(()),
    }
}

/// Returns whether the arguments of a call are constants that keep its result small.
fn is_bounded(name: &str, call: &str) -> bool {
    let mut found = arguments(call);
    match name {
        "lpad" | "rpad" => {
            found.next();
            found.next().flatten().is_some_and(is_small)
        }
        "repeat" => {
            let text = found.next().flatten();
            text.is_some_and(|text| text.len() <= 20)
                && found.next().flatten().is_some_and(is_small)
        }
        "printf" | "format" => {
            let text = found.next().flatten();
            text.is_some_and(|text| {
                let is_wide = text
                    .split(|c: char| !c.is_ascii_digit())
                    .any(|digits| digits.len() > 3);
                let is_given = text.contains('*')
                    || text
                        .split('{')
                        .any(|part| part.contains(':') && !part.contains('}'));
                !is_wide && !is_given
            })
        }
        "range" | "generate_series" => {
            // A range without arguments is none.
            found.all(|argument| argument.is_some_and(is_small))
        }
        _ => false,
    }
}

fn is_small(number: &str) -> bool {
    number.parse::<u16>().is_ok_and(|number| number <= 1000)
}

/// Returns the arguments of a call: the text of each constant, none for anything else.
fn arguments(call: &str) -> impl Iterator<Item = Option<&str>> {
    let start = call.find(r#""arguments":["#);
    let mut rest = start.and_then(|at| call.get(at + 13..)).unwrap_or_default();
    std::iter::from_fn(move || {
        rest = rest.strip_prefix(',').unwrap_or(rest);
        let (value, after) = rest
            .split_at_checked(object(rest))
            .filter(|(value, _)| !value.is_empty())?;
        rest = after;
        let expression = value.split_once(r#""expression":"#)?.1;
        let is_constant = expression.starts_with(r#"{"class":"CONSTANT""#);
        let text = expression.split_once(r#""text":""#);
        // A text with an escape in it is none that is known.
        let text = text.and_then(|(_, text)| text.split('"').next());
        Some(text.filter(|text| is_constant && !text.contains('\\')))
    })
}

/// Returns the length of the JSON object that the text begins with, 0 for none.
fn object(json: &str) -> usize {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' if !is_text => depth += 1,
            b'}' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return if byte == b'}' { at + 1 } else { 0 };
        }
    }
    0
}

/// Returns the names of the functions that are called, each with the text after it.
fn calls(tree: &str) -> impl Iterator<Item = (&str, &str)> {
    const NAME: &str = r#""function_name":""#;
    let found = tree.match_indices(NAME);
    found.filter_map(|(at, _)| tree.get(at + NAME.len()..)?.split_once('"'))
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
    use super::{is_allowed, is_refused};
    use crate::model::table::Cell;
    use crate::store::{Error, Store};

    /// A function that a later DuckDB brings is refused by now, and somebody is to look at it.
    #[test]
    fn every_function_was_looked_at() {
        let store = Store::open_in_memory().unwrap();
        let sql = "SELECT DISTINCT lower(function_name) AS name FROM duckdb_functions() \
                   WHERE function_type IN ('scalar', 'aggregate', 'macro', 'window') ORDER BY name";
        let names = store.select(sql, &[]).unwrap().rows;
        let names: Vec<&str> = names
            .iter()
            .map(|row| match &row[0] {
                Cell::Text(name) => name.as_str(),
                other => panic!("{other:?}"),
            })
            .collect();
        let unknown: Vec<&&str> = names
            .iter()
            .filter(|name| !is_allowed(name) && !is_refused(name))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        let both: Vec<&&str> = names
            .iter()
            .filter(|name| is_allowed(name) && is_refused(name))
            .collect();
        assert!(both.is_empty(), "{both:?}");
    }

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
            "SELECT json_serialize_plan('SELECT 1')",
            "SELECT json_deserialize_sql(json_serialize_sql('SELECT 1'))",
            "SELECT json_contains(key, '2') FROM meta",
            "SELECT json_transform('{}', '\"VARIANT\"')",
            "SELECT key.\"Json_Contains\"('2') FROM meta",
            "SELECT system.main.json_contains(key, '2') FROM meta",
            "SELECT max(1) FILTER (json_contains('1', '2')) OVER () FROM range(1)",
            "SELECT list_transform([1], lambda x: json_contains('1', '2'))",
            "SELECT * FROM duckdb_secrets()",
            "SELECT name FROM duckdb_settings()",
            "SELECT * FROM pragma_storage_info('meta')",
            "SELECT variant_typeof(key::JSON) FROM meta",
            "SELECT finalize('\\x00'::BLOB)",
        ] {
            let refused = store.select(sql, &[]);
            assert!(
                matches!(refused, Err(Error::Function { .. })),
                "{sql}: {refused:?}"
            );
        }
    }

    #[test]
    fn functions_that_make_much_of_little_are_refused() {
        let store = Store::open_in_memory().unwrap();
        for sql in [
            "SELECT len(range(60000000))",
            "SELECT len(range(0, x)) FROM (SELECT 1000000 AS x)",
            "SELECT * FROM range(len(range(60000000)))",
            "SELECT unnest(generate_series(1, 1001))",
            "SELECT repeat('x', 1500000000)",
            "SELECT 'x'.repeat(1001)",
            "SELECT repeat(key, 10) FROM meta",
            "SELECT lpad('x', 1500000000, 'y'), lpad('x', 10, 'y')",
            "SELECT lpad('\"', x, '1') FROM (SELECT 10 AS x)",
            "SELECT RPad('x', 10 * 1000000, 'y')",
            "SELECT list_resize([1], 100000000)",
            "SELECT printf('%1500000000d', 1)",
            "SELECT printf('%*d', 1000000000, 1)",
            "SELECT format('{:1500000000}', 1)",
            "SELECT format('{:{}}', 1, 1000000000)",
            "SELECT format('{:' || 1500000000 || '}', 1)",
            "SELECT damerau_levenshtein(key, key) FROM meta",
            "SELECT key::JSON::VARIANT FROM meta",
            "SELECT VARIANT '1'",
            "SELECT key::STRUCT(a \"variant\"[]) FROM meta",
            "SELECT NULL::INT[100000][100000]",
            "SELECT key::BIGNUM FROM meta",
        ] {
            let refused = store.select(sql, &[]);
            assert!(
                matches!(refused, Err(Error::Dear { .. })),
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
            "SELECT lpad(key, 10, ' '), rpad(upper(lpad('{}\"\\', 5, '\"')), 1000, 'é') FROM meta",
            "SELECT repeat('-', 10), printf('%.2f%% of %5d', 1.5, 2), format('{}: {:>10}', 'a', 'b')",
            "SELECT unnest(range(10)), list_transform(generate_series(1, 3), lambda x: x + 1)",
            "SELECT '[[1]]'::JSON -> 0 ->> '$[0]', json_extract('{}', '$.a'), [[1]]::INT[][]",
            "SELECT unnest([1, 2]) AS variant, 'the type VARIANT' AS \"array\"",
            "SELECT r.range FROM (SELECT 10 AS most) m, range(0, m.most * 1000) r",
        ] {
            store
                .select(sql, &[])
                .unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }
}
