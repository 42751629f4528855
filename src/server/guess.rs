//! Guess: the types of a statement's parameters, from the columns and casts beside them.
//!
//! DuckDB does not tell what it expects, and clients that do not say what they send want to be told. Columns have one
//! type by name here, so the word in front of `= $1` is enough. What is not guessed is text.

use super::lex::{Kind, Token, tokens};
use crate::model::kind;
use pgwire::api::Type;
use std::collections::HashMap;

/// Returns the types of the parameters, as far as the columns or casts beside them tell.
pub(super) fn parameter_types(
    sql: &str,
    columns: &HashMap<String, kind::Kind>,
) -> Vec<Option<Type>> {
    let tokens = tokens(sql);
    let mut types: Vec<Option<Type>> = Vec::new();
    // The last parenthesis, while there are but values since: looking back for it from each would take hours.
    let mut list = None;
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Symbol if token.text == "(" => list = Some(at),
            Kind::Word | Kind::Quoted if !token.is("NULL") => list = None,
            _ => {}
        }
        let Kind::Param(number @ 1..=65_535) = token.kind else {
            continue;
        };
        if types.len() < number {
            types.resize(number, None);
        }
        let found = beside(&tokens, at, list, columns);
        if let Some(known) = types.get_mut(number - 1) {
            *known = known.take().or(found);
        }
    }
    types
}

/// Returns the type of the parameter at `at`; `list` is the parenthesis of the list of values that it may stand in.
fn beside(
    tokens: &[Token<'_>],
    at: usize,
    list: Option<usize>,
    columns: &HashMap<String, kind::Kind>,
) -> Option<Type> {
    let after = tokens.get(at + 1..).unwrap_or_default();
    if let [cast, rest @ ..] = after
        && cast.is_symbol("::")
    {
        let rest = match rest {
            [schema, point, rest @ ..] if schema.name() == "pg_catalog" && point.is_symbol(".") => {
                rest
            }
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
        && before
            .iter()
            .rev()
            .nth(1)
            .is_some_and(|token| token.is("CAST"))
    {
        return cast_type(rest);
    }
    match before {
        [.., name, any, open] if open.is_symbol("(") && (any.is("ANY") || any.is("ALL")) => {
            let operand = before.iter().rev().nth(3).filter(|_| compares(name));
            return operand.and_then(column).as_ref().and_then(array_of);
        }
        [.., name, op] if compares(op) => {
            return column(name).or_else(|| operand_after(after, &column));
        }
        [.., name, between] if between.is("BETWEEN") => return column(name),
        [.., name, between, _, and] if and.is("AND") && between.is("BETWEEN") => {
            return column(name);
        }
        _ => {}
    }
    list.and_then(|open| in_list(tokens.get(..open)?))
        .and_then(column)
        .or_else(|| operand_after(after, &column))
}

fn operand_after(
    after: &[Token<'_>],
    column: &impl Fn(&Token<'_>) -> Option<Type>,
) -> Option<Type> {
    match after {
        [op, _, point, name, ..] if compares(op) && point.is_symbol(".") => column(name),
        [op, name, ..] if compares(op) => column(name),
        _ => None,
    }
}

fn compares(token: &Token<'_>) -> bool {
    token.kind == Kind::Symbol && matches!(token.text, "=" | "<" | ">" | "<=" | ">=" | "<>" | "!=")
}

/// Returns `name` of the `name IN` in front of an opening parenthesis.
fn in_list<'a, 's>(before: &'a [Token<'s>]) -> Option<&'a Token<'s>> {
    let mut words = before.iter().rev();
    let is_in = words.next().is_some_and(|token| token.is("IN"));
    let name = words.next()?;
    let name = if name.is("NOT") { words.next()? } else { name };
    is_in.then_some(name)
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
        "text" | "varchar" | "name" | "char" | "interval" | "json" | "jsonb" | "uuid" | "time" => {
            Type::TEXT
        }
        _ => return None,
    };
    if last == Some(1) {
        array_of(&kind)
    } else {
        Some(kind)
    }
}

fn array_of(kind: &Type) -> Option<Type> {
    Some(match *kind {
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

    #[test]
    fn types_of_parameters_are_guessed() {
        let columns = HashMap::from([
            ("id".to_owned(), kind::Kind::Int8),
            ("time".to_owned(), kind::Kind::Timestamp),
            ("status".to_owned(), kind::Kind::Text),
        ]);
        for (sql, expected) in [
            (
                "id = $1 AND t.time >= $2",
                vec![Some(Type::INT8), Some(Type::TIMESTAMP)],
            ),
            (
                "\"time\" BETWEEN $1 AND $2",
                vec![Some(Type::TIMESTAMP), Some(Type::TIMESTAMP)],
            ),
            (
                "status IN ($1, 'x', $2) LIMIT $3",
                vec![Some(Type::TEXT), Some(Type::TEXT), Some(Type::INT8)],
            ),
            (
                "id = ANY($1) OR $2 < t.id",
                vec![Some(Type::INT8_ARRAY), Some(Type::INT8)],
            ),
            (
                "SELECT $1::int, CAST($2 AS double precision)",
                vec![Some(Type::INT4), Some(Type::FLOAT8)],
            ),
            (
                &format!("id IN ({}$1)", "0, ".repeat(2000)),
                vec![Some(Type::INT8)],
            ),
            ("SELECT $2, $1::text[]", vec![Some(Type::TEXT_ARRAY), None]),
        ] {
            assert_eq!(parameter_types(sql, &columns), expected, "{sql}");
        }
    }
}
