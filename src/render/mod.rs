//! Render: Table -> bytes on a `Write`. Pure: no terminal, no clock; width, colour and zone are given.
//!
//! `table`, `short` and `story` are for eyes: every text in them passes [`escape::terminal`], times are in the user's zone.
//! `json`, `csv` and `tsv` are for programs: values as stored, times in UTC.

mod color;
mod count;
mod csv;
pub mod escape;
mod eyes;
pub mod json;
pub mod local;
mod mark;
pub mod mask;
mod neighbour;
mod part;
mod qid;
pub mod queue;
mod record;
mod row;
mod short;
pub mod story;
mod stream;
mod table;
#[cfg(test)]
mod tests;
pub mod ticket;
mod timeline;
mod verdict;
mod words;
mod wrap;

pub use mark::Marks;
pub use stream::Stream;

use crate::model::table::Table;
use crate::model::zone::Zone;
use std::collections::HashSet;
use std::io::{self, Write};

/// Returns the text in lines that fit beside what stands in the columns before `start`.
#[must_use]
pub fn broken(text: &str, start: usize, width: Option<u16>) -> Vec<String> {
    wrap::lines(text, start, start, width)
}

/// Returns any cell as one harmless line, as a table shows it.
#[must_use]
pub fn cell(cell: &crate::model::table::Cell, style: &Style) -> String {
    row::cell(cell, style)
}

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Columns for a terminal
    Table,
    /// One block of lines for each row
    Record,
    /// One line for each hit, for pipes
    Short,
    /// What happened to one mail: verdict and timeline
    Story,
    /// One mail as text to paste: times with zone, replies word for word, ids
    Ticket,
    /// The log lines of the mail
    Raw,
    /// One JSON object on each line
    Json,
    /// Comma-separated, for spreadsheets
    Csv,
    /// Tab-separated, for scripts
    Tsv,
    /// Queue ids, each once
    Qid,
    /// The number of hits
    Count,
}

impl Format {
    /// Returns whether only the hits of a search have it.
    #[must_use]
    pub const fn is_of_hits(self) -> bool {
        matches!(
            self,
            Self::Short | Self::Story | Self::Ticket | Self::Raw | Self::Qid
        )
    }
}

/// How to draw what is for eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Use colour.
    pub color: bool,
    /// Columns of the terminal; none: as wide as it gets.
    pub width: Option<u16>,
    /// Zone of the times shown.
    pub zone: Zone,
}

impl Default for Style {
    /// As into a file: plain, as wide as it gets, UTC.
    fn default() -> Self {
        Self {
            color: false,
            width: None,
            zone: Zone::UTC,
        }
    }
}

/// Writes the result of a search.
///
/// A story needs more than the hits ([`story::write`]); here it is one line a hit.
///
/// # Errors
/// When `out` does not take it.
pub fn hits(hits: &Table, format: Format, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Table => eyes::write(hits, style, out),
        Format::Short | Format::Story | Format::Ticket | Format::Raw => {
            short::write(hits, style, out)
        }
        _ => table(hits, format, style, out),
    }
}

/// Writes any result. Formats that only hits have give the table.
///
/// Times of SQL users belong to them: give `Zone::UTC` in the style to show what is stored.
///
/// # Errors
/// When `out` does not take it.
pub fn table(table: &Table, format: Format, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Json => json::write(table, out),
        Format::Csv => csv::write(table, true, out),
        Format::Tsv => csv::write_tabs(table, true, out),
        Format::Qid => qid::write(table, &mut HashSet::new(), out),
        Format::Record => record::write(table, style, out),
        Format::Count => count::write(table, out),
        Format::Table | Format::Short | Format::Story | Format::Ticket | Format::Raw => {
            table::write(table, style, out)
        }
    }
}

/// Writes any result; where it is for eyes, with bars and sparklines.
///
/// # Errors
/// When `out` does not take it.
pub fn marked(
    table: &Table,
    marks: &Marks<'_>,
    format: Format,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table | Format::Short | Format::Story | Format::Ticket | Format::Raw => {
            self::table(&mark::draw(table, marks, style), format, style, out)
        }
        _ => self::table(table, format, style, out),
    }
}

/// Returns whether a table of it would be readable in the width: whether each column gets enough of it.
#[must_use]
pub fn is_readable(table: &Table, style: &Style) -> bool {
    table::is_readable(table, style)
}
