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
use std::borrow::Cow;
use std::io::{self, Write};

/// Writes comma-separated values.
pub(super) fn write(table: &Table, with_head: bool, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = ::csv::WriterBuilder::new().flexible(true).from_writer(out);
    let plain = |error: ::csv::Error| {
        let text = error.to_string();
        match error.into_kind() {
            ::csv::ErrorKind::Io(error) => error,
            _ => io::Error::other(text),
        }
    };
    let none: [&[u8]; 0] = [];
    if with_head {
        for name in &table.columns {
            writer
                .write_field(guarded(name).as_bytes())
                .map_err(plain)?;
        }
        writer.write_record(none).map_err(plain)?;
    }
    for row in &table.rows {
        for cell in row {
            writer.write_field(field(cell).as_bytes()).map_err(plain)?;
        }
        writer.write_record(none).map_err(plain)?;
    }
    writer.flush()
}

/// Writes tab-separated values.
pub(super) fn write_tabs(table: &Table, with_head: bool, out: &mut dyn Write) -> io::Result<()> {
    if with_head {
        let names: Vec<Cow<'_, str>> = table.columns.iter().map(|name| escaped(name)).collect();
        writeln!(out, "{}", names.join("\t"))?;
    }
    let mut line = String::new();
    for row in &table.rows {
        line.clear();
        for (i, cell) in row.iter().enumerate() {
            if i > 0 {
                line.push('\t');
            }
            line.push_str(&escaped(&text(cell)));
        }
        line.push('\n');
        out.write_all(line.as_bytes())?;
    }
    Ok(())
}

fn field(cell: &Cell) -> Cow<'_, str> {
    match cell {
        Cell::Text(text) => guarded(text),
        other => text(other),
    }
}

fn guarded(text: &str) -> Cow<'_, str> {
    if is_plain(text) && !text.starts_with(['=', '+', '-', '@']) {
        return Cow::Borrowed(text);
    }
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
    Cow::Owned(if is_formula { format!("'{text}") } else { text })
}

fn escaped(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(terminal(&text.replace('\\', "\\\\")).into_owned())
}

/// Returns whether nothing in it needs to be looked at: most texts.
fn is_plain(text: &str) -> bool {
    let is_plain = |b: &u8| matches!(b, b' '..=b'~') && *b != b'\\';
    text.as_bytes().iter().all(is_plain)
}

fn text(cell: &Cell) -> Cow<'_, str> {
    match cell {
        Cell::Null => Cow::Borrowed(""),
        Cell::Text(text) => Cow::Borrowed(text),
        Cell::Int(n) => Cow::Owned(n.to_string()),
        Cell::Big(n) => Cow::Owned(n.to_string()),
        Cell::Time(t) => Cow::Owned(json::time(*t)),
        cell => Cow::Owned(match json::value(cell) {
            serde_json::Value::String(text) => text,
            value => json::harmless(&value.to_string()).into_owned(),
        }),
    }
}
