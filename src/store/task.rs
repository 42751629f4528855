//! Last runs of the service's tasks: one row a task.

use super::Store;
use super::columns::{Columns, Stored};
use super::error::Error;
use super::stage::stage;
use crate::model::task::TaskRun;
use duckdb::arrow::datatypes::UInt32Type;
use duckdb::types::Value;
use duckdb::{Connection, params};
use std::collections::BTreeMap;

impl Store {
    /// Returns the last runs of these tasks; the rows of others go, for they will not run again.
    ///
    /// # Errors
    /// When the database fails.
    pub fn task_runs(&mut self, names: &[&str]) -> Result<Vec<TaskRun>, Error> {
        let stored = self.rows(
            "SELECT name, due, started, ended, failures, result FROM task_run ORDER BY name",
            [],
            |fields| {
                Ok(TaskRun {
                    name: fields.get()?,
                    due: fields.maybe_time()?,
                    started: fields.maybe_time()?,
                    ended: fields.maybe_time()?,
                    failures: fields.get()?,
                    result: fields.get()?,
                    ..TaskRun::default()
                })
            },
        )?;
        let (known, others): (Vec<_>, Vec<_>) = stored
            .into_iter()
            .partition(|run| names.contains(&run.name.as_str()));
        if !others.is_empty() {
            let others = others.into_iter().map(|run| Value::Text(run.name));
            let others = Value::List(others.collect());
            self.transact("forget tasks", |conn| {
                let sql = "DELETE FROM task_run WHERE name IN (SELECT unnest(?::VARCHAR[]))";
                conn.execute(sql, params![others]).map(drop)
            })?;
        }
        Ok(known)
    }
}

/// Puts the rows in the place of those of the same names; of several rows of one name the last counts.
pub(super) fn write(conn: &Connection, runs: Vec<TaskRun>) -> duckdb::Result<()> {
    if runs.is_empty() {
        return Ok(());
    }
    let by_name: BTreeMap<String, TaskRun> = runs
        .into_iter()
        .map(|run| (run.name.clone(), run))
        .collect();
    let runs: Vec<TaskRun> = by_name.into_values().collect();
    let staged = stage(conn, &runs)?;
    let columns = TaskRun::columns(&[]);
    let set: Vec<String> = columns
        .names()
        .into_iter()
        .filter(|name| *name != "name")
        .map(|name| format!("{name} = staged.{name}"))
        .collect();
    conn.execute_batch(&format!(
        "MERGE INTO task_run AS stored USING {staged} AS staged ON stored.name = staged.name \
         WHEN MATCHED THEN UPDATE SET {} WHEN NOT MATCHED THEN INSERT BY NAME; TRUNCATE {staged}",
        set.join(", ")
    ))
}

impl Stored for TaskRun {
    const TABLE: &'static str = "task_run";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .text("name", |r| &r.name)
            .text("schedule", |r| &r.schedule)
            .text("state", |r| r.state.text())
            .maybe_time("due", |r| r.due)
            .maybe_time("started", |r| r.started)
            .maybe_time("ended", |r| r.ended)
            .maybe_time("next_run", |r| r.next_run)
            .value::<UInt32Type>("failures", |r| r.failures)
            .text("result", |r| &r.result)
    }
}
