//! JSON: one object a line, exact, times as RFC 3339 in UTC.

use crate::model::table::{Cell, Table};
use chrono::SecondsFormat;
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use std::io::{Result, Write};

/// Writes one object a row.
///
/// # Errors
/// When `out` cannot take it.
pub fn lines(table: &Table, out: &mut dyn Write) -> Result<()> {
    for row in &table.rows {
        serde_json::to_writer(
            &mut *out,
            &Object {
                columns: &table.columns,
                row,
            },
        )?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Writes one object with an array of objects a section.
///
/// # Errors
/// When `out` cannot take it.
pub fn sections(sections: &[(&str, &Table)], out: &mut dyn Write) -> Result<()> {
    serde_json::to_writer(&mut *out, &Sections(sections))?;
    out.write_all(b"\n")
}

struct Object<'t> {
    columns: &'t [String],
    row: &'t [Cell],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.row.len()))?;
        for (column, cell) in self.columns.iter().zip(self.row) {
            map.serialize_entry(column, &Value(cell))?;
        }
        map.end()
    }
}

struct Sections<'s>(&'s [(&'s str, &'s Table)]);

impl Serialize for Sections<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, table) in self.0 {
            let rows: Vec<Object<'_>> = table
                .rows
                .iter()
                .map(|row| Object {
                    columns: &table.columns,
                    row,
                })
                .collect();
            map.serialize_entry(name, &rows)?;
        }
        map.end()
    }
}

struct Value<'c>(&'c Cell);

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0 {
            Cell::Null => serializer.serialize_unit(),
            Cell::Bool(b) => serializer.serialize_bool(*b),
            Cell::Int(n) => serializer.serialize_i64(*n),
            // Beyond 64 bits most readers of JSON lose digits, so it is text.
            Cell::Big(n) => serializer.collect_str(n),
            // JSON has no NaN and no infinity.
            Cell::Float(x) if !x.is_finite() => serializer.collect_str(x),
            Cell::Float(x) => serializer.serialize_f64(*x),
            Cell::Text(text) => serializer.serialize_str(text),
            Cell::Time(_) | Cell::Blob(_) => serializer.serialize_str(&exact(self.0)),
            Cell::List(cells) => {
                let mut seq = serializer.serialize_seq(Some(cells.len()))?;
                cells
                    .iter()
                    .try_for_each(|cell| seq.serialize_element(&Value(cell)))?;
                seq.end()
            }
            Cell::Struct(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                fields
                    .iter()
                    .try_for_each(|(name, cell)| map.serialize_entry(name, &Value(cell)))?;
                map.end()
            }
        }
    }
}

/// Returns a cell as exact text: times in UTC with `Z`, bytes in hex, lists and structs as JSON, NULL empty.
#[must_use]
pub fn exact(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Bool(b) => b.to_string(),
        Cell::Int(n) => n.to_string(),
        Cell::Big(n) => n.to_string(),
        Cell::Float(x) => x.to_string(),
        Cell::Text(text) => text.clone(),
        Cell::Time(time) => time.to_utc().map_or_else(
            || time.0.to_string(),
            |t| t.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        ),
        Cell::Blob(bytes) => bytes.iter().map(|b| format!("{b:02x}")).collect(),
        Cell::List(_) | Cell::Struct(_) => serde_json::to_string(&Value(cell)).unwrap_or_default(),
    }
}
