//! Json: one object a line; valid for every value.
//!
//! Times are RFC 3339 in UTC. `NaN`, `Infinity` and integers beyond 64 bits are strings, bytes are hexadecimal strings. Columns of the
//! same name get a number, because an object has each key once.

use super::escape::is_harmful;
use super::row::hex;
use crate::model::date::date;
use crate::model::table::{Cell, Table};
use crate::model::time::{DAY, SECOND, Time};
use serde::Serialize;
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::io::{self, Write};

/// Writes one object a line.
pub(super) fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let keys: Vec<Vec<u8>> = unique(&table.columns)
        .iter()
        .map(|name| key(name))
        .collect();
    let mut line = Vec::new();
    for row in &table.rows {
        line.clear();
        line.push(b'{');
        for (i, (key, cell)) in keys.iter().zip(row).enumerate() {
            if i > 0 {
                line.push(b',');
            }
            line.extend_from_slice(key);
            push(&mut line, cell);
        }
        line.extend_from_slice(b"}\n");
        out.write_all(&line)?;
    }
    Ok(())
}

/// Returns the name as a key with its colon.
fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 3);
    push_text(&mut key, name);
    key.push(b':');
    key
}

/// Writes a cell at the end of the line; most of them go without a value of their own.
fn push(line: &mut Vec<u8>, cell: &Cell) {
    match cell {
        Cell::Null => line.extend_from_slice(b"null"),
        Cell::Int(n) => {
            // Writing into a vector cannot fail.
            let _: io::Result<()> = write!(line, "{n}");
        }
        Cell::Text(text) => push_text(line, text),
        Cell::Time(t) => {
            line.push(b'"');
            push_time(line, *t);
            line.push(b'"');
        }
        Cell::Bool(truth) => line.extend_from_slice(if *truth { b"true" } else { b"false" }),
        Cell::List(cells) => {
            line.push(b'[');
            for (i, cell) in cells.iter().enumerate() {
                if i > 0 {
                    line.push(b',');
                }
                push(line, cell);
            }
            line.push(b']');
        }
        Cell::Struct(fields) if has_distinct_names(fields) => {
            line.push(b'{');
            for (i, (name, cell)) in fields.iter().enumerate() {
                if i > 0 {
                    line.push(b',');
                }
                push_text(line, name);
                line.push(b':');
                push(line, cell);
            }
            line.push(b'}');
        }
        other => line.extend_from_slice(harmless(&value(other).to_string()).as_bytes()),
    }
}

/// Returns whether no two of the fields share a name, as it nearly always is; long ones are not looked at.
fn has_distinct_names(fields: &[(String, Cell)]) -> bool {
    const MOST: usize = 16;
    let mut rest = fields.iter();
    fields.len() <= MOST
        && std::iter::from_fn(|| rest.next().map(|(name, _)| (name, rest.clone())))
            .all(|(name, mut others)| others.all(|(other, _)| other != name))
}

fn push_text(line: &mut Vec<u8>, text: &str) {
    let is_plain = |b: &u8| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\');
    if text.as_bytes().iter().all(is_plain) {
        line.push(b'"');
        line.extend_from_slice(text.as_bytes());
        line.push(b'"');
    } else {
        line.extend_from_slice(harmless(&Value::from(text).to_string()).as_bytes());
    }
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
    writeln!(out, "{}", harmless(&serde_json::to_string(value)?))
}

/// Escapes what a terminal would obey or hide, as JSON does it, so that the value stays the same.
pub(super) fn harmless(plain: &str) -> Cow<'_, str> {
    if !plain.contains(is_harmful) {
        return Cow::Borrowed(plain);
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
    Cow::Owned(text)
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
#[must_use]
pub fn time(t: Time) -> String {
    let mut text = Vec::with_capacity(27);
    push_time(&mut text, t);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes the time at the end. A calendar of its own, because this is half the work of a line of JSON otherwise.
fn push_time(text: &mut Vec<u8>, t: Time) {
    /// From year 0 to 9999.
    const TOLD: std::ops::Range<i64> = -62_167_219_200 * SECOND..253_402_300_800 * SECOND;
    if !TOLD.contains(&t.0) {
        let _: io::Result<()> = write!(text, "{}", t.0);
        return;
    }
    let (days, micros) = (t.0.div_euclid(DAY), t.0.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let seconds = micros / SECOND;
    digits(text, year, 4);
    for (sign, number) in [
        (b'-', month),
        (b'-', day),
        (b'T', seconds / 3600),
        (b':', seconds / 60 % 60),
        (b':', seconds % 60),
    ] {
        text.push(sign);
        digits(text, number, 2);
    }
    match micros % SECOND {
        0 => {}
        part if part % 1000 == 0 => {
            text.push(b'.');
            digits(text, part / 1000, 3);
        }
        part => {
            text.push(b'.');
            digits(text, part, 6);
        }
    }
    text.push(b'Z');
}

/// Writes so many digits of a number at the end.
fn digits(text: &mut Vec<u8>, number: i64, count: u32) {
    for place in (0..count).rev() {
        let digit = number / 10_i64.pow(place) % 10;
        text.push(b'0' + u8::try_from(digit).unwrap_or_default());
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

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, SecondsFormat};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_time_is_what_the_library_makes_of_it(
            micros in prop_oneof![any::<i64>(), -62_200_000_000_000_000_i64..253_500_000_000_000_000, (0_i64..4_000_000_000).prop_map(|s| s * SECOND)],
        ) {
            let told = match Time(micros).to_utc().filter(|utc| (0..=9999).contains(&utc.year())) {
                Some(utc) => utc.to_rfc3339_opts(SecondsFormat::AutoSi, true),
                None => micros.to_string(),
            };
            prop_assert_eq!(time(Time(micros)), told);
        }

        #[test]
        fn a_line_is_the_object_that_the_library_writes(text in any::<String>(), name in any::<String>(), number in any::<f64>()) {
            let table = Table {
                columns: vec![name, "b".to_owned(), "b".to_owned()],
                rows: vec![vec![Cell::Text(text), Cell::Float(number), Cell::Time(Time(1))]],
            };
            let (mut written, mut expected) = (Vec::new(), Vec::new());
            write(&table, &mut written).unwrap();
            line(&object(&unique(&table.columns), &table.rows[0]), &mut expected).unwrap();
            prop_assert_eq!(String::from_utf8(written), String::from_utf8(expected));
        }
    }
}
