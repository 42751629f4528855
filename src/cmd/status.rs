//! `maillog status`: sources, spans, lag, what was not understood, tasks, sizes.

use super::{Context as Run, Exit};
use crate::model::table::{Cell, Table};
use crate::model::time::SECOND;
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
                ("undated", status.undated),
                ("lost", status.lost),
                ("tasks", status.tasks),
                ("queue", status.queue),
                ("queue_disagreement", status.disagreement),
                ("rows", status.rows),
                ("database", status.database),
            ];
            if self.json {
                render::json::sections(&sections, out)?;
            } else {
                let shown = PARTS.iter().filter_map(|(title, section, columns)| {
                    let (_, table) = sections.iter().find(|(name, _)| name == section)?;
                    (!table.rows.is_empty()).then(|| (title, part(table, columns)))
                });
                for (index, (title, table)) in shown.enumerate() {
                    if index > 0 {
                        writeln!(out)?;
                    }
                    writeln!(out, "{title}")?;
                    render::table(&table, Format::Table, &style, out)?;
                }
            }
        }
        output.finish()?;
        Ok(Exit::Found)
    }
}

/// What people are shown: a title, the section and its columns. A terminal of 80 columns has room for each; `--json` has all.
const PARTS: [(&str, &str, &[&str]); 11] = [
    ("sources", "sources", &["last_time", "kind", "name"]),
    (
        "hosts",
        "hosts",
        &["host", "first_time", "last_time", "silent_hours", "lost"],
    ),
    (
        "lines",
        "hosts",
        &[
            "host",
            "lines",
            "understood",
            "ignored",
            "foreign",
            "not_understood",
            "known",
        ],
    ),
    (
        "not understood",
        "not_understood",
        &["service", "count", "last_time", "template"],
    ),
    ("without a time", "undated", &["lines", "sample", "name"]),
    ("lost", "lost", &["hour", "host", "lost"]),
    (
        "tasks",
        "tasks",
        &["task", "state", "last_run", "next_run", "result"],
    ),
    (
        "queue",
        "queue",
        &["listed", "host", "mails", "recipients", "oldest"],
    ),
    (
        "queue and log disagree",
        "queue_disagreement",
        &["what", "mails", "queue_id", "time", "sender"],
    ),
    ("rows", "rows", &["table", "rows"]),
    (
        "database",
        "database",
        &["schema", "size", "wal_size", "path"],
    ),
];

/// Returns these columns of the table, times to the second.
fn part(table: &Table, columns: &[&str]) -> Table {
    let place = |name: &&str| table.columns.iter().position(|column| column == name);
    let places: Vec<usize> = columns.iter().filter_map(place).collect();
    let cell = |row: &[Cell], place: usize| match row.get(place) {
        Some(Cell::Time(time)) => Cell::Time(time.plus(-time.0.rem_euclid(SECOND))),
        Some(cell) => cell.clone(),
        None => Cell::Null,
    };
    let row = |row: &Vec<Cell>| places.iter().map(|place| cell(row, *place)).collect();
    Table {
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        rows: table.rows.iter().map(row).collect(),
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
