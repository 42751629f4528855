//! Dialect: the few forms of PostgreSQL's SQL that DuckDB has not, rewritten; and the types of parameters, guessed
//! from what stands beside them.
//!
//! Tokens are replaced, never whole statements, so it works on what clients send that nobody has seen yet.

use super::lex::{Kind, Token, tokens};
use crate::model::kind;
use pgwire::api::Type;
use std::collections::HashMap;

/// What words mean in a session.
pub(super) struct Words<'a> {
    pub user: &'a str,
    /// Value of a setting.
    pub setting: &'a dyn Fn(&str) -> Option<String>,
}

/// Types that are text, and numbers, to DuckDB.
const TEXTS: [&str; 5] = ["name", "char", "bpchar", "regproc", "citext"];
const NUMBERS: [&str; 5] = ["xid", "cid", "oid", "int8", "regrole"];
/// Casts that find the number of a thing by its name, or show its name; each has a macro in `catalog.sql`.
const NAMED: [&str; 4] = ["regclass", "regtype", "regnamespace", "regprocedure"];

/// Returns the statement in DuckDB's words.
pub(super) fn rewrite(sql: &str, words: &Words<'_>) -> String {
    let tokens = tokens(sql);
    let mut changes: Vec<(usize, usize, String)> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at += step(&tokens, at, words, &mut changes).max(1);
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

/// Looks at the tokens from `at`; returns how many are done.
fn step(tokens: &[Token<'_>], at: usize, words: &Words<'_>, changes: &mut Vec<(usize, usize, String)>) -> usize {
    let here = tokens.get(at..).unwrap_or_default();
    let Some(first) = here.first() else {
        return 1;
    };
    let mut replace = |count: usize, text: String| {
        let end = here.get(count - 1).map_or(first.end(), Token::end);
        changes.push((first.at, end, text));
        count
    };
    match here {
        [op, open, schema, point, symbol, close, ..]
            if op.is("OPERATOR") && open.is_symbol("(") && is_catalog(schema) && point.is_symbol(".") && close.is_symbol(")") =>
        {
            replace(6, symbol.text.to_owned())
        }
        [collate, schema, point, _, ..] if collate.is("COLLATE") && is_catalog(schema) && point.is_symbol(".") => {
            replace(4, String::new())
        }
        [collate, name, ..] if collate.is("COLLATE") && matches!(name.name().as_str(), "default" | "c" | "C" | "POSIX") => {
            replace(2, String::new())
        }
        [schema, point, ..] if is_catalog(schema) && point.is_symbol(".") => replace(2, String::new()),
        [cast, ..] if cast.is_symbol("::") => self::cast(tokens, at, changes),
        [name, open, text, rest @ ..] if name.is("current_setting") && open.is_symbol("(") && text.kind == Kind::Text => {
            let count = match rest {
                [close, ..] if close.is_symbol(")") => 4,
                [comma, _, close, ..] if comma.is_symbol(",") && close.is_symbol(")") => 6,
                _ => return 1,
            };
            match (words.setting)(&text.literal()) {
                Some(value) => replace(count, quote(&value)),
                None if count == 6 => replace(count, "NULL".to_owned()),
                None => 1,
            }
        }
        [word, ..] if ["current_user", "session_user", "current_role"].iter().any(|name| word.is(name)) => {
            let is_call = matches!(here, [_, open, close, ..] if open.is_symbol("(") && close.is_symbol(")"));
            replace(if is_call { 3 } else { 1 }, quote(words.user))
        }
        [word, ..] if (word.is("current_timestamp") || word.is("localtimestamp")) && !is_qualified(tokens, at) => {
            replace(1, "now()".to_owned())
        }
        _ => 1,
    }
}

fn is_qualified(tokens: &[Token<'_>], at: usize) -> bool {
    at.checked_sub(1).and_then(|before| tokens.get(before)).is_some_and(|token| token.is_symbol("."))
}

fn is_catalog(token: &Token<'_>) -> bool {
    matches!(token.kind, Kind::Word | Kind::Quoted) && token.name() == "pg_catalog"
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `x::regclass` and the like.
fn cast(tokens: &[Token<'_>], at: usize, changes: &mut Vec<(usize, usize, String)>) -> usize {
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
        let start = primary(tokens, at);
        let is_name = matches!(at.checked_sub(1).and_then(|t| tokens.get(t)), Some(t) if matches!(t.kind, Kind::Text | Kind::Param(_)));
        let function = if is_name { format!("maillog_{kind}_of(") } else { format!("maillog_{kind}_name(") };
        if let Some(first) = tokens.get(start) {
            changes.push((first.at, first.at, function));
            changes.push((cast.at, name.end(), ")".to_owned()));
        }
    } else if TEXTS.contains(&kind.as_str()) {
        changes.push((cast.at, name.end(), "::VARCHAR".to_owned()));
    } else if NUMBERS.contains(&kind.as_str()) {
        changes.push((cast.at, name.end(), "::BIGINT".to_owned()));
    }
    count
}

/// Returns the first token of the expression that ends before `at`: a literal, a name with points, a call.
fn primary(tokens: &[Token<'_>], at: usize) -> usize {
    let is = |at: usize, symbol: &str| tokens.get(at).is_some_and(|token| token.is_symbol(symbol));
    let is_name = |at: usize| tokens.get(at).is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Quoted));
    let Some(mut start) = at.checked_sub(1) else {
        return at;
    };
    if is(start, ")") {
        let mut depth = 0_usize;
        for index in (0..=start).rev() {
            if is(index, ")") {
                depth += 1;
            } else if is(index, "(") {
                depth -= 1;
                if depth == 0 {
                    start = index;
                    break;
                }
            }
        }
        if start > 0 && is_name(start - 1) {
            start -= 1;
        }
    }
    while start >= 2 && is(start - 1, ".") && is_name(start - 2) {
        start -= 2;
    }
    start
}

/// Returns the types of the parameters, as far as the columns or casts beside them tell.
pub(super) fn parameter_types(sql: &str, columns: &HashMap<String, kind::Kind>) -> Vec<Option<Type>> {
    let tokens = tokens(sql);
    let mut types: Vec<Option<Type>> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Kind::Param(number @ 1..=65_535) = token.kind else {
            continue;
        };
        if types.len() < number {
            types.resize(number, None);
        }
        let found = beside(&tokens, at, columns);
        if let Some(known) = types.get_mut(number - 1) {
            *known = known.take().or(found);
        }
    }
    types
}

fn beside(tokens: &[Token<'_>], at: usize, columns: &HashMap<String, kind::Kind>) -> Option<Type> {
    let after = tokens.get(at + 1..).unwrap_or_default();
    if let [cast, rest @ ..] = after
        && cast.is_symbol("::")
    {
        let rest = match rest {
            [schema, point, rest @ ..] if is_catalog(schema) && point.is_symbol(".") => rest,
            rest => rest,
        };
        return cast_type(rest);
    }
    let before = tokens.get(..at).unwrap_or_default();
    if let [.., word] = before
        && (word.is("LIMIT") || word.is("OFFSET"))
    {
        return Some(Type::INT8);
    }
    let column = |token: &Token<'_>| columns.get(&token.name()).map(super::value::kind_type);
    // CAST($1 AS t)
    if let [word, rest @ ..] = after
        && word.is("AS")
        && before.iter().rev().nth(1).is_some_and(|token| token.is("CAST"))
    {
        return cast_type(rest);
    }
    match before {
        [.., name, any, open] if open.is_symbol("(") && (any.is("ANY") || any.is("ALL")) => {
            let operand = before.iter().rev().nth(3).filter(|_| compares(name));
            return operand.and_then(column).and_then(array_of);
        }
        [.., name, op] if compares(op) => return column(name).or_else(|| operand_after(after, &column)),
        [.., name, between] if between.is("BETWEEN") => return column(name),
        [.., name, between, _, and] if and.is("AND") && between.is("BETWEEN") => return column(name),
        _ => {}
    }
    in_list(before).and_then(column).or_else(|| operand_after(after, &column))
}

fn operand_after(after: &[Token<'_>], column: &impl Fn(&Token<'_>) -> Option<Type>) -> Option<Type> {
    match after {
        [op, _, point, name, ..] if compares(op) && point.is_symbol(".") => column(name),
        [op, name, ..] if compares(op) => column(name),
        _ => None,
    }
}

fn compares(token: &Token<'_>) -> bool {
    token.kind == Kind::Symbol && matches!(token.text, "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=")
}

/// Finds `name IN ( ..., ` in front of a parameter.
fn in_list<'a, 's>(before: &'a [Token<'s>]) -> Option<&'a Token<'s>> {
    let open = before.iter().rposition(|token| token.is_symbol("("))?;
    let items = before.get(open + 1..)?;
    let is_list = items.iter().all(|token| !matches!(token.kind, Kind::Word | Kind::Quoted) || token.is("NULL"));
    let mut words = before.get(..open)?.iter().rev();
    let is_in = words.next().is_some_and(|token| token.is("IN"));
    let name = words.next()?;
    let name = if name.is("NOT") { words.next()? } else { name };
    (is_list && is_in).then_some(name)
}

fn cast_type(tokens: &[Token<'_>]) -> Option<Type> {
    let first = tokens.first()?.name();
    let next = tokens.get(1).map(Token::name).unwrap_or_default();
    let last = tokens.iter().take(6).position(|token| token.is_symbol("["));
    let kind = match first.as_str() {
        "smallint" | "int2" => Type::INT2,
        "int" | "integer" | "int4" => Type::INT4,
        "bigint" | "int8" => Type::INT8,
        "oid" => Type::OID,
        "real" | "float4" => Type::FLOAT4,
        "double" | "float8" | "float" => Type::FLOAT8,
        "numeric" | "decimal" => Type::NUMERIC,
        "bool" | "boolean" => Type::BOOL,
        "timestamptz" => Type::TIMESTAMPTZ,
        "timestamp" if next == "with" => Type::TIMESTAMPTZ,
        "timestamp" => Type::TIMESTAMP,
        "date" => Type::DATE,
        "bytea" | "blob" => Type::BYTEA,
        "text" | "varchar" | "name" | "char" | "interval" | "json" | "jsonb" | "uuid" | "time" => Type::TEXT,
        _ => return None,
    };
    if last == Some(1) { array_of(kind) } else { Some(kind) }
}

fn array_of(kind: Type) -> Option<Type> {
    Some(match kind {
        Type::INT2 => Type::INT2_ARRAY,
        Type::INT4 => Type::INT4_ARRAY,
        Type::INT8 => Type::INT8_ARRAY,
        Type::OID => Type::OID_ARRAY,
        Type::FLOAT8 => Type::FLOAT8_ARRAY,
        Type::TEXT => Type::TEXT_ARRAY,
        Type::TIMESTAMP => Type::TIMESTAMP_ARRAY,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(sql: &str) -> String {
        let setting = |name: &str| (name == "server_version").then(|| "15.0".to_owned());
        rewrite(sql, &Words { user: "o'neil", setting: &setting })
    }

    #[test]
    fn forms_of_postgresql_are_rewritten() {
        for (sql, expected) in [
            ("SELECT c.relname FROM pg_catalog.pg_class c", "SELECT c.relname FROM pg_class c"),
            ("x OPERATOR(pg_catalog.~) '^(a)$' COLLATE pg_catalog.default", "x ~ '^(a)$' "),
            ("SELECT 'pg_catalog.x', \"pg_catalog\".\"f\"(1)", "SELECT 'pg_catalog.x', \"f\"(1)"),
            ("'d'::pg_catalog.regclass", "maillog_regclass_of('d')"),
            ("c.oid::regclass::text", "maillog_regclass_name(c.oid)::text"),
            ("a, coalesce(c.x, 1)::regtype", "a, maillog_regtype_name(coalesce(c.x, 1))"),
            ("relname::\"char\" || x::name", "relname::VARCHAR || x::VARCHAR"),
            ("current_setting('server_version')", "'15.0'"),
            ("current_setting('nosuch', true)", "NULL"),
            ("current_user = session_user", "'o''neil' = 'o''neil'"),
            ("time > CURRENT_TIMESTAMP - INTERVAL '1 day'", "time > now() - INTERVAL '1 day'"),
        ] {
            assert_eq!(rewritten(sql), expected, "{sql}");
        }
    }

    #[test]
    fn types_of_parameters_are_guessed() {
        let columns = HashMap::from([
            ("id".to_owned(), kind::Kind::Int8),
            ("time".to_owned(), kind::Kind::Timestamp),
            ("status".to_owned(), kind::Kind::Text),
        ]);
        for (sql, expected) in [
            ("id = $1 AND t.time >= $2", vec![Some(Type::INT8), Some(Type::TIMESTAMP)]),
            ("\"time\" BETWEEN $1 AND $2", vec![Some(Type::TIMESTAMP), Some(Type::TIMESTAMP)]),
            ("status IN ($1, 'x', $2) LIMIT $3", vec![Some(Type::TEXT), Some(Type::TEXT), Some(Type::INT8)]),
            ("id = ANY($1) OR $2 < t.id", vec![Some(Type::INT8_ARRAY), Some(Type::INT8)]),
            ("SELECT $1::int, CAST($2 AS double precision)", vec![Some(Type::INT4), Some(Type::FLOAT8)]),
            ("SELECT $2, $1::text[]", vec![Some(Type::TEXT_ARRAY), None]),
        ] {
            assert_eq!(parameter_types(sql, &columns), expected, "{sql}");
        }
    }
}
