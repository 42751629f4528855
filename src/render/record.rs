//! Record: a row as a block of lines, one a column, for results that are wider than a terminal. Nothing is shortened.

use super::{Style, escape, row};
use crate::model::table::Table;
use std::io::{self, Write};
use tabled::grid::util::string::get_string_width;

/// Writes each row under a line with its number.
pub(super) fn write(table: &Table, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<_> = table.columns.iter().map(|n| escape::terminal(n)).collect();
    let width = names.iter().map(|n| get_string_width(n)).max().unwrap_or(0);
    for (number, cells) in table.rows.iter().enumerate() {
        let head = format!(
            "- row {} {}",
            number + 1,
            "-".repeat(width.saturating_sub(2))
        );
        if style.color {
            writeln!(out, "\u{1b}[2m{head}\u{1b}[0m")?;
        } else {
            writeln!(out, "{head}")?;
        }
        for (name, cell) in names.iter().zip(cells) {
            let blanks = " ".repeat(width - get_string_width(name));
            let line = format!("{name}{blanks}  {}", row::cell(cell, style));
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    Ok(())
}
