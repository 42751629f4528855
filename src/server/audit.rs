//! Audit: who asked what, written with the rows that the service stores anyway.
//!
//! What the same user asks again from the same place is noted once in ten minutes: dashboards and `find -f` ask the same all day. Of the
//! statements that our own client sends with a search only the search is noted.
//!
//! Limits: rows reach the database a second later, so what was asked in the last second before the service is killed may be missing.
//! Where more is asked than can be stored, rows are dropped, which is said.

use crate::ingest::small::SmallRows;
use crate::model::audit::AuditRow;
use crate::model::small::SmallRow;
use crate::model::time::{MINUTE, Time};
use crate::notice::{self, Level};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Within this time the same is noted once.
const SAME: i64 = 10 * MINUTE;
/// Questions that are remembered as asked.
const REMEMBERED: usize = 10_000;
/// Rows that wait to be stored.
const WAITING: usize = 100_000;
/// Between two deliveries.
const PERIOD: Duration = Duration::from_secs(1);
/// Kind of the trouble that rows are dropped.
const TROUBLE: &str = "audit";

/// Who asked what from where.
type Asked = (String, String, String, String);

#[derive(Default)]
struct Noted {
    rows: Vec<AuditRow>,
    asked: HashMap<Asked, Time>,
}

/// What was asked and is not stored yet; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Audit(Arc<Mutex<Noted>>);

impl Audit {
    /// Notes what was asked.
    pub(super) fn add(&self, row: AuditRow) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = (
            row.who.clone(),
            row.origin.clone(),
            row.what.clone(),
            row.scope.clone(),
        );
        let last = noted.asked.get(&asked);
        if last.is_some_and(|last| row.time.since(*last) < SAME) {
            return;
        }
        if noted.asked.len() >= REMEMBERED {
            let now = row.time;
            noted.asked.retain(|_, time| now.since(*time) < SAME);
        }
        if noted.asked.len() < REMEMBERED {
            noted.asked.insert(asked, row.time);
        }
        if noted.rows.len() < WAITING {
            noted.rows.push(row);
        } else {
            let text = "more is asked than can be noted in the table audit";
            notice::trouble(TROUBLE, Level::Warning, text);
        }
    }

    fn take(&self) -> Vec<SmallRow> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = std::mem::take(&mut noted.rows);
        rows.into_iter().map(SmallRow::Audit).collect()
    }

    /// Hands over what was noted, for ever.
    pub(super) async fn deliver(self, store: SmallRows) {
        loop {
            tokio::time::sleep(PERIOD).await;
            let rows = self.take();
            if !rows.is_empty() {
                let store = store.clone();
                let _ = tokio::task::spawn_blocking(move || store.add(rows)).await;
            }
        }
    }
}

/// A question that is under way; it is noted when it ends, also if its client goes.
pub(super) struct Question {
    audit: Audit,
    row: Option<AuditRow>,
    /// Rows of the answer so far.
    pub(super) hits: usize,
}

impl Question {
    pub(super) fn new(audit: &Audit, row: AuditRow) -> Self {
        Self {
            audit: audit.clone(),
            row: Some(row),
            hits: 0,
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if let Some(row) = self.row.take() {
            self.audit.add(AuditRow {
                hits: i64::try_from(self.hits).ok(),
                ..row
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(time: i64, what: &str) -> AuditRow {
        AuditRow {
            time: Time(time),
            who: "anna".to_owned(),
            origin: "unix".to_owned(),
            what: what.to_owned(),
            scope: "all".to_owned(),
            hits: None,
        }
    }

    #[test]
    fn the_same_is_noted_once_in_a_while() {
        let audit = Audit::default();
        audit.add(row(0, "find a"));
        audit.add(row(MINUTE, "find a"));
        audit.add(row(MINUTE, "find b"));
        assert_eq!(audit.take().len(), 2);
        audit.add(row(9 * MINUTE, "find a"));
        assert_eq!(audit.take(), []);
        audit.add(row(11 * MINUTE, "find a"));
        assert_eq!(audit.take().len(), 1);
    }

    #[test]
    fn a_question_is_noted_when_it_ends() {
        let audit = Audit::default();
        let mut question = Question::new(&audit, row(0, "find a"));
        question.hits = 3;
        assert_eq!(audit.take(), []);
        drop(question);
        let noted = AuditRow {
            hits: Some(3),
            ..row(0, "find a")
        };
        assert_eq!(audit.take(), [SmallRow::Audit(noted)]);
    }
}
