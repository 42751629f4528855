//! Table -> bytes on a `Write`.
//!
//! Promises: nothing of the log reaches a terminal unescaped ([`escape`]); JSON, CSV and TSV are exact, with times
//! in UTC; what people read has times in their zone.

pub mod csv;
pub mod escape;
pub mod hit;
pub mod json;
pub mod short;
pub mod story;
pub mod table;

use crate::model::table::{Cell, Table};
use crate::model::zone::Zone;
use std::collections::BTreeSet;
use std::io::{Result, Write};

/// Formats of results. What only makes sense for mail falls back to its nearest kin for other tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Columns for eyes
    Table,
    /// One line a recipient, for pipes
    Short,
    /// Verdict and timeline of each mail
    Story,
    /// One JSON object a line, times in UTC
    Json,
    /// Comma-separated values with a header, times in UTC
    Csv,
    /// Tab-separated values with a header, times in UTC
    Tsv,
    /// Queue ids, each once
    Qid,
    /// How many
    Count,
}

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// With colour.
    pub color: bool,
    /// Columns of the terminal; none for a pipe: then nothing is shortened.
    pub width: Option<u16>,
    /// Zone of times that people read.
    pub zone: Zone,
}

/// Writes any table.
///
/// # Errors
/// When `out` cannot take it.
pub fn table(table: &Table, format: Format, style: &Style, out: &mut dyn Write) -> Result<()> {
    match format {
        Format::Table | Format::Short | Format::Story => table::write(table, style, out),
        Format::Json => json::lines(table, out),
        Format::Csv => csv::write(table, b',', out),
        Format::Tsv => csv::write(table, b'\t', out),
        Format::Qid => queue_ids(table, out),
        Format::Count => writeln!(out, "{}", table.rows.len()),
    }
}

/// Writes the hits of `find`; stories need more than the hits and are written by [`story::write`].
///
/// # Errors
/// When `out` cannot take it.
pub fn hits(hits: &Table, format: Format, style: &Style, out: &mut dyn Write) -> Result<()> {
    match format {
        Format::Table => table::hits(hits, style, out),
        Format::Short | Format::Story => short::write(hits, style, out),
        _ => table(hits, format, style, out),
    }
}

fn queue_ids(table: &Table, out: &mut dyn Write) -> Result<()> {
    let Some(column) = table.columns.iter().position(|c| c == "queue_id") else {
        return Ok(());
    };
    let mut seen = BTreeSet::new();
    for row in &table.rows {
        if let Some(Cell::Text(id)) = row.get(column)
            && seen.insert(id.as_str())
        {
            writeln!(out, "{}", escape::terminal(id))?;
        }
    }
    Ok(())
}
