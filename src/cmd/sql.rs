//! `maillog sql`: one statement, read-only.

use super::{Context as Run, Exit};
use crate::model::zone::Zone;
use crate::render::{self, Format, Style};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;

/// Ask the database in SQL, read-only
///
/// Runs one SELECT. `maillog status --schema` shows tables and columns; times are UTC, `local_time(t)` and
/// `in_zone(t, 'Europe/Berlin')` convert them.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  maillog sql \"SELECT status, count(*) FROM delivery_to GROUP BY ALL ORDER BY ALL\"")]
pub struct Sql {
    /// The statement; - or nothing reads standard input
    #[arg(value_name = "SELECT")]
    pub statement: Option<String>,
    /// Read the statement from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "statement")]
    pub file: Option<PathBuf>,
    /// Output format [default: table on a terminal, tsv in a pipe]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<Format>,
}

impl Sql {
    /// Runs the command.
    ///
    /// # Errors
    /// When the statement is wrong, is no question, or the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let statement = self.text()?;
        let store = run.reader()?;
        let table = store.select(&statement, &[])?;
        let default = if std::io::stdout().is_terminal() {
            Format::Table
        } else {
            Format::Tsv
        };
        let format = self.output.unwrap_or(default);
        let mut output = run.output(format == Format::Table);
        // The times of SQL are what the statement says, and that is UTC unless it converts them itself.
        let style = Style {
            zone: Zone::UTC,
            ..output.style
        };
        render::table(&table, format, &style, output.writer())?;
        output.finish()?;
        Ok(Exit::Found)
    }

    fn text(&self) -> Result<String> {
        if let Some(file) = &self.file {
            return std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()));
        }
        match self.statement.as_deref() {
            None if std::io::stdin().is_terminal() => {
                bail!(
                    "no statement: name one, as in maillog sql \"SELECT count(*) FROM delivery_to\""
                )
            }
            None | Some("-") => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .context("cannot read standard input")?;
                Ok(text)
            }
            Some(text) => Ok(text.to_owned()),
        }
    }
}
