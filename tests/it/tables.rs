//! All that is stored, as text that can be compared row by row.
//!
//! Ids are given in the order in which rows are first written, and that order follows from where one import ended
//! and the next began. So rows are compared without ids: a reference is replaced by what it refers to.

use crate::program::{Differences, Place};
use serde_json::Value;

const TABLES: [(&str, &str); 10] = [
    (
        "delivery_from",
        "SELECT f.* EXCLUDE (id, parent_id, root_id),
            concat_ws(' ', p.host, p.instance, p.queue_id, p.time) AS parent,
            concat_ws(' ', r.host, r.instance, r.queue_id, r.time) AS root
         FROM delivery_from f
         LEFT JOIN delivery_from p ON p.id = f.parent_id
         LEFT JOIN delivery_from r ON r.id = f.root_id ORDER BY ALL",
    ),
    (
        "delivery_to",
        "SELECT t.* EXCLUDE (id, from_id), f.time AS message_time, f.sender
         FROM delivery_to t JOIN delivery_from f ON f.id = t.from_id ORDER BY ALL",
    ),
    (
        "delivery_attempt",
        "SELECT a.* EXCLUDE (id, to_id, from_id), t.host, t.instance, t.queue_id, t.recipient, t.orig_to
         FROM delivery_attempt a JOIN delivery_to t ON t.id = a.to_id AND t.from_id = a.from_id ORDER BY ALL",
    ),
    (
        "noqueue",
        "SELECT n.* EXCLUDE (id, from_id), f.time AS message_time
         FROM noqueue n LEFT JOIN delivery_from f ON f.id = n.from_id ORDER BY ALL",
    ),
    ("connection", "SELECT * EXCLUDE (id) FROM connection ORDER BY ALL"),
    ("auth", "SELECT * EXCLUDE (id) FROM auth ORDER BY ALL"),
    ("event", "SELECT * FROM event ORDER BY ALL"),
    ("neighbour", "SELECT * EXCLUDE (id) FROM neighbour ORDER BY ALL"),
    ("unparsed", "SELECT * FROM unparsed ORDER BY ALL"),
    // A set of files is several sources where the same log in one file is one.
    (
        "coverage",
        "SELECT host, hour, min(first_time) AS first_time, max(last_time) AS last_time,
            sum(lines)::BIGINT AS lines, sum(understood)::BIGINT AS understood, sum(ignored)::BIGINT AS ignored,
            sum(\"foreign\")::BIGINT AS foreign_lines, sum(not_understood)::BIGINT AS not_understood,
            sum(lost)::BIGINT AS lost
         FROM coverage GROUP BY host, hour ORDER BY ALL",
    ),
];

/// The rows of each table.
#[derive(Debug, PartialEq)]
pub(crate) struct Tables(Vec<(&'static str, Vec<String>)>);

impl Tables {
    /// Returns what a program that answers again and again finds.
    pub(crate) fn of(place: &Place) -> Self {
        let rows = |sql| place.select(sql).iter().map(Value::to_string).collect();
        Self(TABLES.map(|(name, sql)| (name, rows(sql))).into())
    }

    /// Returns what is known of mail, not of what was read.
    pub(crate) fn of_mail(place: &Place) -> Self {
        let Self(mut tables) = Self::of(place);
        tables.retain(|(name, _)| *name != "coverage");
        Self(tables)
    }

    /// Returns every row with every id; only what says when a source was last read is left out.
    pub(crate) fn with_ids(place: &Place) -> Self {
        let rows = |name: &str| {
            let columns = if name == "source" {
                "* EXCLUDE (last_read)"
            } else {
                "*"
            };
            let sql = format!("SELECT {columns} FROM {name} ORDER BY ALL");
            place.select(&sql).iter().map(Value::to_string).collect()
        };
        let names = TABLES
            .map(|(name, _)| name)
            .into_iter()
            .chain(["log_line", "source"]);
        Self(names.map(|name| (name, rows(name))).collect())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// Fails with the first rows that only one side has.
    pub(crate) fn expect_same(&self, other: &Self, when: &str) {
        const SHOWN: usize = 3;
        let mut differences = Differences::default();
        for ((name, ours), (_, theirs)) in self.0.iter().zip(&other.0) {
            differences.compare(&format!("{name}, rows"), ours.len(), theirs.len());
            let (mut missing, mut extra) = (ours.clone(), theirs.clone());
            missing.retain(|row| theirs.binary_search(row).is_err() && !theirs.contains(row));
            extra.retain(|row| ours.binary_search(row).is_err() && !ours.contains(row));
            for row in missing.iter().take(SHOWN) {
                differences.note(format!("{name}, expected: {row}"));
            }
            for row in extra.iter().take(SHOWN) {
                differences.note(format!("{name}, found: {row}"));
            }
            if missing.is_empty() && extra.is_empty() {
                differences.compare(name, ours, theirs);
            }
        }
        differences.none(when);
    }
}
