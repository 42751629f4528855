//! What `maillog prune` asks of a running service, and the tables in which it is answered.

use super::erase::Erased;
use super::retain::Gone;
use crate::model::retain::{Cutoffs, Group};
use crate::model::table::{Cell, Table};
use crate::model::time::Time;
use serde::{Deserialize, Serialize};

/// Name of the row that counts messages which keep an erased address because they are in the queue.
pub const QUEUED: &str = "(in the queue)";

#[derive(Serialize, Deserialize)]
struct Order {
    /// Group and microseconds UTC.
    before: Vec<(String, i64)>,
    ledger: Option<i64>,
}

/// Writes the times before which rows go.
#[must_use]
pub fn argument(cutoffs: &Cutoffs) -> String {
    let before = Group::ALL
        .iter()
        .filter_map(|group| Some((group.name().to_owned(), cutoffs.of(*group)?.0)));
    let order = Order {
        before: before.collect(),
        ledger: cutoffs.ledger.map(|time| time.0),
    };
    serde_json::to_string(&order).unwrap_or_default()
}

/// Reads what [`argument`] wrote.
#[must_use]
pub fn cutoffs(argument: &str) -> Option<Cutoffs> {
    let order: Order = serde_json::from_str(argument).ok()?;
    let mut cutoffs = Cutoffs::default();
    cutoffs.ledger = order.ledger.map(Time);
    for (name, time) in order.before {
        cutoffs.set(Group::named(&name)?, Some(Time(time)));
    }
    Some(cutoffs)
}

/// Returns what was pruned.
#[must_use]
pub fn gone_table(gone: &Gone) -> Table {
    let rows = gone
        .iter()
        .map(|(table, rows)| vec![text(table), number(*rows)]);
    Table {
        columns: ["table", "deleted"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

/// Returns what was erased; the last row counts what could not be.
#[must_use]
pub fn erased_table(erased: &Erased) -> Table {
    let mut tables: Vec<&str> = Vec::new();
    for (table, _) in erased.gone.iter().chain(&erased.changed) {
        if !tables.contains(table) {
            tables.push(table);
        }
    }
    let of = |list: &Gone, table: &str| {
        let found = list.iter().find(|(known, _)| *known == table);
        number(found.map_or(0, |(_, rows)| *rows))
    };
    let rows = tables.iter().map(|table| {
        vec![
            text(table),
            of(&erased.gone, table),
            of(&erased.changed, table),
        ]
    });
    let mut rows: Vec<Vec<Cell>> = rows.collect();
    if erased.open > 0 {
        rows.push(vec![text(QUEUED), number(0), number(erased.open)]);
    }
    Table {
        columns: ["table", "deleted", "changed"].map(str::to_owned).to_vec(),
        rows,
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn number(number: u64) -> Cell {
    Cell::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
