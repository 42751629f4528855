//! CSV and TSV with a header, times in UTC.
//!
//! A cell of text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, tab or carriage
//! return) gets a leading apostrophe: addresses and replies are written by strangers. Numbers are left alone.

use super::json::exact;
use crate::model::table::{Cell, Table};
use std::io::{Error, Result, Write};

/// Writes the table with `delimiter` between the cells.
///
/// # Errors
/// When `out` cannot take it.
pub fn write(table: &Table, delimiter: u8, out: &mut dyn Write) -> Result<()> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .from_writer(out);
    writer.write_record(&table.columns).map_err(plain)?;
    for row in &table.rows {
        writer
            .write_record(row.iter().map(guarded))
            .map_err(plain)?;
    }
    writer.flush()
}

fn guarded(cell: &Cell) -> String {
    let text = exact(cell);
    let is_formula =
        matches!(cell, Cell::Text(_)) && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{text}") } else { text }
}

fn plain(error: csv::Error) -> Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_and_numbers_are_not() {
        let row = vec![
            Cell::Text("=cmd()".into()),
            Cell::Int(-5),
            Cell::Text("a,\"b\"".into()),
            Cell::Null,
        ];
        let table = Table {
            columns: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
            rows: vec![row],
        };
        let mut out = Vec::new();
        write(&table, b',', &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "a,b,c,d\n'=cmd(),-5,\"a,\"\"b\"\"\",\n"
        );
    }
}
