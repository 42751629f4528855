//! Csv: comma-separated for spreadsheets, tab-separated for scripts; headers always, also over no rows.
//!
//! - csv: RFC 4180. A text that begins with `= + - @`, tab or carriage return gets an apostrophe in front, or a spreadsheet would run
//!   it as a formula: senders choose such texts. Numbers stay as they are.
//!   Controls other than tab and line feed are `\\x1b`; a carriage return before a line feed stays with it, one alone is
//!   `\\r`: many readers take it for the end of the row.
//! - tsv: one row is one line: tab, line break, backslash and other controls in a text are `\t`, `\n`, `\\`, `\x1b`.
//!
//! NULL is empty in both. Times are RFC 3339 in UTC; lists and structs are JSON.

use super::escape::terminal;
use super::json;
use crate::model::table::{Cell, Table};
use std::io::{self, Write};

/// Writes comma-separated values.
pub(super) fn write(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = ::csv::WriterBuilder::new().flexible(true).from_writer(out);
    let plain = |error: ::csv::Error| match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    };
    writer
        .write_record(table.columns.iter().map(|name| guarded(name)))
        .map_err(plain)?;
    for row in &table.rows {
        writer.write_record(row.iter().map(field)).map_err(plain)?;
    }
    writer.flush()
}

/// Writes tab-separated values.
pub(super) fn write_tabs(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let line = |texts: Vec<String>| texts.join("\t");
    writeln!(
        out,
        "{}",
        line(table.columns.iter().map(|name| escaped(name)).collect())
    )?;
    for row in &table.rows {
        writeln!(
            out,
            "{}",
            line(row.iter().map(|cell| escaped(&text(cell))).collect())
        )?;
    }
    Ok(())
}

fn field(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => guarded(text),
        other => text(other),
    }
}

fn guarded(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    // Spreadsheets read line breaks and tabs in quotes; anything else that a terminal would obey helps nobody.
    let pieces = text.split_inclusive(['\n', '\t']).map(|piece| {
        let ends = ["\r\n", "\n", "\t"];
        let end = ends.into_iter().find(|end| piece.ends_with(end));
        let end = end.unwrap_or_default();
        let plain = piece.strip_suffix(end).unwrap_or(piece);
        format!("{}{end}", terminal(plain))
    });
    let text: String = pieces.collect();
    if is_formula { format!("'{text}") } else { text }
}

fn escaped(text: &str) -> String {
    terminal(&text.replace('\\', "\\\\")).into_owned()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Big(n) => n.to_string(),
        cell => match json::value(cell) {
            serde_json::Value::String(text) => text,
            value => value.to_string(),
        },
    }
}
