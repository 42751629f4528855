//! Follow: what of a search is new since it was asked last, and whether all of it has an outcome.

use crate::model::table::{Cell, Table};
use std::collections::HashMap;

/// Columns that make the state of a hit.
const STATE: [&str; 6] = [
    "time",
    "status",
    "attempts",
    "reason",
    "message_status",
    "count",
];

/// What was handed on of a search that is asked again and again.
#[derive(Debug, Default)]
pub struct Followed {
    /// State by hit.
    seen: HashMap<String, String>,
}

impl Followed {
    /// Returns the hits that are new or in another state than before.
    pub fn changed(&mut self, hits: &Table) -> Table {
        let key = columns(hits, &["kind", "id", "recipient"]);
        let state = columns(hits, &STATE);
        let is_new = |row: &&Vec<Cell>| {
            let (key, state) = (told(row, &key), told(row, &state));
            self.seen
                .insert(key, state.clone())
                .is_none_or(|before| before != state)
        };
        Table {
            columns: hits.columns.clone(),
            rows: hits.rows.iter().filter(is_new).cloned().collect(),
        }
    }

    /// Returns whether nothing was found yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

fn columns(table: &Table, names: &[&str]) -> Vec<usize> {
    let place = |name: &&str| table.columns.iter().position(|c| c == name);
    names.iter().filter_map(place).collect()
}

fn told(row: &[Cell], columns: &[usize]) -> String {
    let cells: Vec<Option<&Cell>> = columns.iter().map(|column| row.get(*column)).collect();
    format!("{cells:?}")
}

/// Returns whether all was delivered, once there is a final state of every hit.
///
/// A refusal for a while (4xx) is nothing yet; where there is a mail, too, the refusal was before it.
#[must_use]
pub fn outcome(hits: &Table) -> Option<bool> {
    let column = |name: &str| hits.columns.iter().position(|c| c == name);
    let text = |row: &[Cell], name: &str| match column(name).and_then(|c| row.get(c)) {
        Some(Cell::Text(text)) => text.clone(),
        _ => String::new(),
    };
    // What was not accepted for now comes again, as a message of its own.
    let is_refusal =
        |row: &&Vec<Cell>| text(row, "kind") == "refused" || text(row, "status") == "not_accepted";
    let mut has_mail = false;
    let mut is_delivered = true;
    for row in hits.rows.iter().filter(|row| !is_refusal(row)) {
        has_mail = true;
        let is_gone = matches!(
            column("removed").and_then(|c| row.get(c)),
            Some(Cell::Time(_))
        );
        match text(row, "status").as_str() {
            "sent" if is_gone => {}
            "bounced" | "expired" | "deleted" | "discarded" | "rejected" | "canceled"
            | "corrupt" | "lost" => {
                is_delivered = false;
            }
            _ => return None,
        }
    }
    if has_mail {
        return Some(is_delivered);
    }
    let is_hard = |row: &Vec<Cell>| {
        matches!(
            column("reply_code").and_then(|c| row.get(c)),
            Some(Cell::Int(500..))
        )
    };
    let refused = hits.rows.last().filter(|row| is_hard(row));
    refused.map(|_| false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{SECOND, Time};

    fn hits(rows: &[(&str, &str, Option<i64>, bool)]) -> Table {
        let row =
            |(id, (kind, status, code, is_gone)): (usize, &(&str, &str, Option<i64>, bool))| {
                vec![
                    Cell::Int(i64::try_from(id).unwrap()),
                    Cell::Text((*kind).to_owned()),
                    Cell::Text((*status).to_owned()),
                    code.map_or(Cell::Null, Cell::Int),
                    if *is_gone {
                        Cell::Time(Time(SECOND))
                    } else {
                        Cell::Null
                    },
                ]
            };
        Table {
            columns: ["id", "kind", "status", "reply_code", "removed"]
                .map(str::to_owned)
                .to_vec(),
            rows: rows.iter().enumerate().map(row).collect(),
        }
    }

    #[test]
    fn outcome_is_known_when_every_hit_is_done() {
        assert_eq!(outcome(&hits(&[])), None);
        assert_eq!(outcome(&hits(&[("mail", "deferred", None, false)])), None);
        // Another recipient may follow until it left the queue.
        assert_eq!(outcome(&hits(&[("mail", "sent", None, false)])), None);
        assert_eq!(outcome(&hits(&[("mail", "sent", None, true)])), Some(true));
        let both = [
            ("mail", "sent", None, true),
            ("mail", "bounced", None, true),
        ];
        assert_eq!(outcome(&hits(&both)), Some(false));
        assert_eq!(
            outcome(&hits(&[("refused", "reject", Some(450), false)])),
            None
        );
        assert_eq!(
            outcome(&hits(&[("refused", "reject", Some(550), false)])),
            Some(false)
        );
        let greylisted = [
            ("refused", "reject", Some(450), false),
            ("mail", "sent", None, true),
        ];
        assert_eq!(outcome(&hits(&greylisted)), Some(true));
    }

    #[test]
    fn only_what_changed_is_said_again() {
        let mut followed = Followed::default();
        assert!(followed.is_empty());
        assert_eq!(
            followed
                .changed(&hits(&[("mail", "deferred", None, false)]))
                .rows
                .len(),
            1
        );
        assert_eq!(
            followed
                .changed(&hits(&[("mail", "deferred", None, false)]))
                .rows
                .len(),
            0
        );
        assert_eq!(
            followed
                .changed(&hits(&[("mail", "sent", None, true)]))
                .rows
                .len(),
            1
        );
    }
}
