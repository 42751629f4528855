//! Stream: a result written a page at a time, as it comes; the same bytes as of all rows at once.
//!
//! Limits: a table for eyes needs all rows before the first line, for the widths of its columns.

use super::{Format, Style, csv, json, qid, short};
use crate::model::table::Table;
use std::collections::HashSet;
use std::io::{self, Write};

/// What was written so far.
#[derive(Debug)]
pub struct Stream {
    format: Format,
    has_begun: bool,
    seen: HashSet<String>,
}

impl Stream {
    /// Begins; none where the format needs all rows at once. `hits` are all columns of hits, not some of them.
    #[must_use]
    pub fn of(format: Format, hits: bool) -> Option<Self> {
        let streams = match format {
            Format::Json | Format::Csv | Format::Tsv | Format::Qid => true,
            Format::Short => hits,
            _ => false,
        };
        streams.then(|| Self {
            format,
            has_begun: false,
            seen: HashSet::new(),
        })
    }

    /// Writes a page, with headers before the first.
    ///
    /// # Errors
    /// When `out` does not take it.
    pub fn write(&mut self, page: &Table, style: &Style, out: &mut dyn Write) -> io::Result<()> {
        let with_head = !std::mem::replace(&mut self.has_begun, true);
        match self.format {
            Format::Json => json::write(page, out),
            Format::Csv => csv::write(page, with_head, out),
            Format::Tsv => csv::write_tabs(page, with_head, out),
            Format::Qid => qid::write(page, &mut self.seen, out),
            _ => short::write(page, style, out),
        }
    }
}
