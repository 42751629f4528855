//! `maillog status`: sources, spans, lag, what was not understood, sizes.

use super::{Context as Run, Exit};
use crate::render::{self, Format};
use anyhow::Result;
use clap::Args;

/// Show what was read and what is stored
#[derive(Debug, Args)]
pub struct Status {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Show tables and columns instead
    #[arg(long, conflicts_with = "json")]
    pub schema: bool,
}

impl Status {
    /// Runs the command.
    ///
    /// # Errors
    /// When the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let store = run.reader()?;
        let mut output = run.output(!self.json);
        let style = output.style;
        let out = output.writer();
        if self.schema {
            render::table(&store.select(SCHEMA, &[])?, Format::Table, &style, out)?;
        } else {
            let status = store.status(TEMPLATES)?;
            let sections = [
                ("sources", status.sources),
                ("hosts", status.spans),
                ("not_understood", status.unparsed),
                ("lost", status.lost),
                ("rows", status.rows),
                ("database", status.database),
            ];
            if self.json {
                render::json::sections(&sections, out)?;
            } else {
                for (title, table) in sections.iter().filter(|(_, t)| !t.rows.is_empty()) {
                    writeln!(out, "{}", title.replace('_', " "))?;
                    render::table(table, Format::Table, &style, out)?;
                    writeln!(out)?;
                }
            }
        }
        output.finish()?;
        Ok(Exit::Found)
    }
}

/// Templates of lines not understood, and hours with lost lines, that are shown at most.
const TEMPLATES: u32 = 20;

/// Tables and views with their columns.
const SCHEMA: &str = "\
SELECT table_name AS \"table\", column_name AS \"column\", data_type AS type
FROM duckdb_columns()
WHERE NOT internal
ORDER BY table_oid, column_index";
