//! Json: one object a line; valid for every value.
//!
//! Times are RFC 3339 in UTC. `NaN`, `Infinity` and integers beyond 64 bits are strings, bytes are hexadecimal strings. Columns of the
//! same name get a number, because an object has each key once.

use super::escape::is_harmful;
use super::row::hex;
use crate::model::table::{Cell, Table};
use crate::model::time::Time;
use chrono::{Datelike, SecondsFormat};
use serde::Serialize;
use serde_json::{Map, Number, Value};
use std::io::{self, Write};

/// Writes one object a line.
pub(super) fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let names = unique(&table.columns);
    for row in &table.rows {
        line(&object(&names, row), out)?;
    }
    Ok(())
}

/// Writes one object of named tables, each a list of objects.
///
/// # Errors
/// When `out` does not take it.
pub fn sections<S: AsRef<str>>(sections: &[(S, Table)], out: &mut dyn Write) -> io::Result<()> {
    let list = |table: &Table| {
        let names = unique(&table.columns);
        Value::Array(table.rows.iter().map(|row| object(&names, row)).collect())
    };
    let all: Map<String, Value> = sections
        .iter()
        .map(|(name, table)| (name.as_ref().to_owned(), list(table)))
        .collect();
    line(&Value::Object(all), out)
}

/// Writes the value as one line; what a terminal would obey or hide is escaped as JSON does it, so that the value stays the same.
///
/// # Errors
/// When `out` does not take it.
pub fn line(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let plain = serde_json::to_string(value)?;
    if !plain.contains(is_harmful) {
        return writeln!(out, "{plain}");
    }
    let mut text = String::with_capacity(plain.len() + 32);
    for c in plain.chars() {
        // Outside of strings nothing is harmful.
        if is_harmful(c) {
            let units = c
                .encode_utf16(&mut [0; 2])
                .iter()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect::<String>();
            text.push_str(&units);
        } else {
            text.push(c);
        }
    }
    writeln!(out, "{text}")
}

fn object(names: &[String], row: &[Cell]) -> Value {
    Value::Object(names.iter().cloned().zip(row.iter().map(value)).collect())
}

/// Returns the cell as JSON.
pub(super) fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Bool(b) => Value::Bool(*b),
        Cell::Int(n) => Value::from(*n),
        Cell::Big(n) => u64::try_from(*n)
            .map(Value::from)
            .or_else(|_| i64::try_from(*n).map(Value::from))
            .unwrap_or_else(|_| Value::String(n.to_string())),
        Cell::Float(n) => {
            Number::from_f64(*n).map_or_else(|| Value::String(float_name(*n).into()), Value::Number)
        }
        Cell::Text(text) => Value::String(text.clone()),
        Cell::Time(t) => Value::String(time(*t)),
        Cell::Blob(bytes) => Value::String(hex(bytes)),
        Cell::List(cells) => Value::Array(cells.iter().map(value).collect()),
        Cell::Struct(fields) => {
            let names: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
            Value::Object(
                unique(&names)
                    .into_iter()
                    .zip(fields.iter().map(|(_, cell)| value(cell)))
                    .collect(),
            )
        }
    }
}

fn float_name(n: f64) -> &'static str {
    match (n.is_nan(), n > 0.0) {
        (true, _) => "NaN",
        (false, true) => "Infinity",
        (false, false) => "-Infinity",
    }
}

/// Returns the time in UTC; what RFC 3339 cannot say in its four digits of a year, as microseconds.
pub(super) fn time(t: Time) -> String {
    match t.to_utc().filter(|utc| (0..=9999).contains(&utc.year())) {
        Some(utc) => utc.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        None => t.0.to_string(),
    }
}

/// Returns the names, later ones of the same name with a number.
fn unique(names: &[String]) -> Vec<String> {
    let mut seen: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let mut key = name.clone();
        let mut number = 2;
        while seen.contains(&key) || (number > 2 && names.contains(&key)) {
            key = format!("{name}_{number}");
            number += 1;
        }
        seen.push(key);
    }
    seen
}
