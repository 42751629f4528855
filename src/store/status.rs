//! What `maillog status` shows: sources, spans and gaps, what was not understood, tasks, sizes.

use super::Store;
use super::error::Error;
use crate::model::table::{Cell, Param, Table};
use crate::model::tables;
use std::fs;
use std::path::Path;

/// The state of the database, a table a subject.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    /// Where reading of each source stands, the latest read first.
    pub sources: Table,
    /// Span of log read per host: lines by what became of them, and hours within the span without a line.
    pub spans: Table,
    /// Commonest templates that were not understood.
    pub unparsed: Table,
    /// Lines without a time, by source.
    pub undated: Table,
    /// Hours in which lines were lost, the latest first.
    pub lost: Table,
    /// Last runs of the service's tasks.
    pub tasks: Table,
    /// The last listing of Postfix's queue.
    pub queue: Table,
    /// Where the log and that listing disagree.
    pub disagreement: Table,
    /// Rows per table.
    pub rows: Table,
    /// File, schema version, sizes in bytes.
    pub database: Table,
}

const SOURCES: &str = "SELECT id, name, json_extract_string(key, '$.kind') AS kind, position, last_time, first_read, last_read
FROM source
ORDER BY last_read DESC, id";

const SPANS: &str = r#"SELECT host, min(first_time) AS first_time, max(last_time) AS last_time,
    sum(lines)::BIGINT AS lines, sum(understood)::BIGINT AS understood, sum(ignored)::BIGINT AS ignored,
    sum("foreign")::BIGINT AS "foreign", sum(not_understood)::BIGINT AS not_understood, sum(lost)::BIGINT AS lost,
    date_diff('hour', min(hour), max(hour)) + 1 - count(DISTINCT hour) AS silent_hours, sum(known)::BIGINT AS known
FROM coverage
GROUP BY host
ORDER BY host"#;

const UNPARSED: &str = "SELECT service, template, count, first_time, last_time, sample
FROM unparsed
ORDER BY count DESC, service, template
LIMIT ?";

const UNDATED: &str = "SELECT lines, sample, name
FROM undated
JOIN source ON id = source_id
ORDER BY lines DESC, name
LIMIT ?";

const LOST: &str = "SELECT hour, host, sum(lost)::BIGINT AS lost
FROM coverage
WHERE lost > 0
GROUP BY hour, host
ORDER BY hour DESC, host
LIMIT ?";

const TASKS: &str = "SELECT name AS task, schedule, state, started AS last_run, ended, next_run, failures::BIGINT AS failures, result
FROM task_run
ORDER BY name";

/// While no service runs, nothing that always runs does, and nothing is due.
const TASKS_AT_REST: &str = "SELECT name AS task, schedule,
    CASE WHEN state IN ('starting', 'running') THEN 'stopped' ELSE state END AS state,
    started AS last_run, ended, NULL::TIMESTAMP AS next_run, failures::BIGINT AS failures, result
FROM task_run
ORDER BY name";

const QUEUE: &str =
    "SELECT time AS listed, host, mails, recipients, oldest, odd, mails - stored AS not_stored
FROM queue_listing
ORDER BY time";

const DISAGREEMENT: &str =
    "SELECT what, count(*) OVER (PARTITION BY what) AS mails, queue_id, time, sender
FROM queue_disagreement
ORDER BY what, time DESC, queue_id
LIMIT ?";

const SCHEMA: &str = "SELECT value FROM meta WHERE key = 'maillog_schema'";

impl Store {
    /// Returns the state of the database, with at most `most` templates and hours of loss.
    pub fn status(&self, most: u32) -> Result<Status, Error> {
        let mut status = of(
            |sql, params| self.select(sql, params),
            self.path.as_deref(),
            most,
        )?;
        status.tasks = self.select(TASKS_AT_REST, &[])?;
        Ok(status)
    }
}

/// Returns the state of the database at the path, as `select` finds it: that of a service.
pub fn of(
    select: impl Fn(&str, &[Param]) -> Result<Table, Error>,
    path: Option<&Path>,
    most: u32,
) -> Result<Status, Error> {
    let most = [Param::Int(most.into())];
    let schema = select(SCHEMA, &[])?;
    Ok(Status {
        sources: select(SOURCES, &[])?,
        spans: select(SPANS, &[])?,
        unparsed: select(UNPARSED, &most)?,
        undated: select(UNDATED, &most)?,
        lost: select(LOST, &most)?,
        tasks: select(TASKS, &[])?,
        queue: select(QUEUE, &[])?,
        disagreement: select(DISAGREEMENT, &most)?,
        rows: select(&rows(), &[])?,
        database: database(path, schema),
    })
}

/// Returns whether the text is one of the queries by which the state is found: each is short, whoever asks it.
#[must_use]
pub fn is_part(sql: &str) -> bool {
    [
        SOURCES,
        SPANS,
        UNPARSED,
        UNDATED,
        LOST,
        TASKS,
        QUEUE,
        DISAGREEMENT,
        SCHEMA,
    ]
    .contains(&sql)
        || sql == rows()
}

fn rows() -> String {
    let counted = tables::tables().iter().filter(|table| table.is_counted);
    let counts: Vec<String> = counted
        .map(|table| {
            let name = table.name;
            format!("SELECT '{name}' AS \"table\", count(*) AS rows FROM {name}")
        })
        .collect();
    format!(
        "{} ORDER BY rows DESC, \"table\"",
        counts.join(" UNION ALL ")
    )
}

fn database(path: Option<&Path>, schema: Table) -> Table {
    let schema = schema
        .rows
        .into_iter()
        .flatten()
        .next()
        .unwrap_or(Cell::Null);
    let wal = path.map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".wal");
        name
    });
    let shown = path.map_or(Cell::Null, |path| Cell::Text(path.display().to_string()));
    let columns = ["path", "schema", "size", "wal_size"].map(str::to_owned);
    Table {
        columns: columns.to_vec(),
        rows: vec![vec![
            shown,
            schema,
            size(path),
            size(wal.as_ref().map(Path::new)),
        ]],
    }
}

/// Returns the size of the file; 0 for one that is not there. Its length is asked without opening it (see open.rs).
fn size(path: Option<&Path>) -> Cell {
    let length = path
        .and_then(|path| fs::metadata(path).ok())
        .map_or(0, |data| data.len());
    Cell::Int(i64::try_from(length).unwrap_or(i64::MAX))
}
