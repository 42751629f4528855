//! Kept: log that retention leaves alone until a time, by host and span.
//!
//! Limits: a row has no source, so all log of a host in the span is kept, whoever told it.

use super::Store;
use super::error::Error;
use super::param::timestamp;
use crate::model::time::Time;
use duckdb::params;
use serde::{Deserialize, Serialize};

/// What is to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptLog {
    /// Hosts with the span of their log; none: everything, until the next such order.
    pub spans: Vec<(String, Time, Time)>,
    /// Until when.
    pub until: Time,
}

impl Store {
    /// Keeps it, and no longer everything.
    pub fn keep(&mut self, kept: &KeptLog) -> Result<(), Error> {
        let everything = (None, Time(0), Time(i64::MAX / 2));
        let hosts = kept.spans.iter();
        let mut spans: Vec<(Option<&str>, Time, Time)> = hosts
            .map(|(host, first, last)| (Some(host.as_str()), *first, *last))
            .collect();
        if spans.is_empty() {
            spans.push(everything);
        }
        self.transact("keep", |conn| {
            conn.execute("DELETE FROM kept WHERE host IS NULL", [])?;
            for (host, first, last) in spans {
                let (first, last) = (timestamp(first), timestamp(last));
                let until = timestamp(kept.until);
                conn.execute(
                    "INSERT INTO kept VALUES (?, ?, ?, ?)",
                    params![host, first, last, until],
                )?;
            }
            Ok(())
        })
    }
}
