//! Totals of metrics: added to in the transaction of the rows that they count, so that nothing counts twice or never.
//!
//! Limits: a family has at most [`SERIES_LIMIT`] series; what comes beyond is counted under labels that say `other`.

use super::columns::{Columns, Stored};
use super::stage::stage;
use crate::metrics::Count;
use crate::metrics::label::{self, OTHER};
use duckdb::Connection;
use duckdb::arrow::datatypes::Float64Type;
use std::collections::{HashMap, HashSet};

/// Series of one family; labels come from a log that strangers write to.
const SERIES_LIMIT: usize = 200;

/// The series that are stored, by family; read from the table when first needed.
#[derive(Default)]
pub(super) struct Series(Option<HashMap<String, HashSet<String>>>);

impl Series {
    /// Gives series that are one too many the labels of `other`.
    pub(super) fn admit(
        &mut self,
        conn: &Connection,
        mut counts: Vec<Count>,
    ) -> duckdb::Result<Vec<Count>> {
        if counts.is_empty() {
            return Ok(counts);
        }
        let known = match &mut self.0 {
            Some(known) => known,
            none => none.insert(read(conn)?),
        };
        for count in &mut counts {
            let series = known.entry(count.name.clone()).or_default();
            if series.contains(&count.labels) {
                continue;
            }
            if series.len() >= SERIES_LIMIT {
                count.labels = other(&count.labels);
            }
            series.insert(count.labels.clone());
        }
        Ok(counts)
    }
}

/// Keeps the bound of a bucket: a histogram needs all of them.
fn other(labels: &str) -> String {
    let pairs = label::split(labels).into_iter();
    let pairs: Vec<_> = pairs
        .map(|(name, value)| (name, if name == "le" { value } else { OTHER }))
        .collect();
    label::join(&pairs)
}

fn read(conn: &Connection) -> duckdb::Result<HashMap<String, HashSet<String>>> {
    let mut statement = conn.prepare("SELECT name, labels FROM counter")?;
    let mut known: HashMap<String, HashSet<String>> = HashMap::new();
    for row in statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
        let (name, labels): (String, String) = row?;
        known.entry(name).or_default().insert(labels);
    }
    Ok(known)
}

/// Adds the counts to the totals.
pub(super) fn merge(conn: &Connection, counts: &[Count]) -> duckdb::Result<()> {
    if counts.is_empty() {
        return Ok(());
    }
    let staged = stage(conn, counts)?;
    conn.execute_batch(&format!(
        "MERGE INTO counter AS stored \
         USING (SELECT name, labels, sum(value) AS value FROM {staged} GROUP BY name, labels) AS staged \
         ON stored.name = staged.name AND stored.labels = staged.labels \
         WHEN MATCHED THEN UPDATE SET value = stored.value + staged.value \
         WHEN NOT MATCHED THEN INSERT BY NAME; TRUNCATE {staged}"
    ))
}

impl Stored for Count {
    const TABLE: &'static str = "counter";

    fn columns(rows: &[Self]) -> Columns<'_, Self> {
        Columns::of(rows)
            .text("name", |r| &r.name)
            .text("labels", |r| &r.labels)
            .value::<Float64Type>("value", |r| r.value)
    }
}
