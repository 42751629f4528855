//! Show: what a result looks like and where it goes, as the user has set it.

use super::Host;
use super::dot::Expanded;
use crate::model::table::Table;
use crate::model::zone::Zone;
use crate::nofollow;
use crate::notice;
use crate::render::{self, Format, Style};
use anyhow::{Context, Result};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

/// How results are shown.
#[derive(Debug)]
pub(super) struct Show {
    /// Form; a table unless set.
    pub(super) format: Format,
    /// Rows as blocks of lines.
    pub(super) expanded: Expanded,
    /// Tell how long it took.
    pub(super) timer: bool,
    output: Option<(PathBuf, BufWriter<File>)>,
}

impl Default for Show {
    fn default() -> Self {
        Self {
            format: Format::Table,
            expanded: Expanded::Auto,
            timer: false,
            output: None,
        }
    }
}

impl Show {
    /// Sends results into a new file, or back to the terminal.
    pub(super) fn send_to(&mut self, file: Option<String>) -> Result<()> {
        self.output = match file {
            None => None,
            Some(name) => {
                let path = PathBuf::from(name);
                let file = nofollow::create(&path)
                    .with_context(|| format!("cannot write {}", path.display()))?;
                Some((path, BufWriter::new(file)))
            }
        };
        Ok(())
    }

    /// Shows a result.
    pub(super) fn table(&mut self, table: &Table, took: Duration, host: &Host<'_>) -> Result<()> {
        let format = self.format;
        let expanded = self.expanded;
        if let Some((path, out)) = &mut self.output {
            let style = Style {
                zone: Zone::UTC,
                ..Style::default()
            };
            let format = if expanded == Expanded::On {
                Format::Record
            } else {
                format
            };
            let written = render::table(table, format, &style, out).and_then(|()| out.flush());
            written.with_context(|| format!("cannot write {}", path.display()))?;
        } else {
            (host.page)(&mut |style, out| {
                let format = Self::form(format, expanded, table, style);
                render::table(table, format, style, out)?;
                if matches!(format, Format::Table | Format::Record) {
                    writeln!(out, "({})", rows(table.rows.len()))?;
                }
                Ok(())
            })?;
        }
        if self.timer {
            notice::block(&format!("{:.1} ms", took.as_secs_f64() * 1000.0));
        }
        Ok(())
    }

    fn form(format: Format, expanded: Expanded, table: &Table, style: &Style) -> Format {
        let is_record = match expanded {
            Expanded::On => true,
            Expanded::Off => false,
            Expanded::Auto => !render::is_readable(table, style),
        };
        if format == Format::Table && is_record {
            Format::Record
        } else {
            format
        }
    }
}

fn rows(count: usize) -> String {
    match count {
        1 => "1 row".to_owned(),
        n => format!("{n} rows"),
    }
}
