//! What `maillog prune` asks of a running service, and the tables in which it is answered.

use super::erase::Erased;
use super::noted::Rows;
use super::retain::Gone;
use crate::model::retain::{Cutoffs, Group};
use crate::model::table::{Cell, Table};
use crate::model::tables;
use crate::model::time::Time;
use serde::{Deserialize, Serialize};

/// Name of the row that counts messages which keep an erased address because they are in the queue.
pub const QUEUED: &str = "(in the queue)";

/// An erasure that somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// The address.
    pub address: String,
    /// By which the result is asked for after the service has restarted.
    pub ticket: String,
}

/// Columns of what was erased.
const ERASED: [&str; 3] = ["table", "deleted", "changed"];

#[derive(Serialize, Deserialize)]
struct Order {
    /// Group and microseconds UTC.
    before: Vec<(String, i64)>,
    ledger: Option<i64>,
    #[serde(default)]
    now: Option<i64>,
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
        now: cutoffs.now.map(|time| time.0),
    };
    serde_json::to_string(&order).unwrap_or_default()
}

/// Reads what [`argument`] wrote.
#[must_use]
pub fn cutoffs(argument: &str) -> Option<Cutoffs> {
    let order: Order = serde_json::from_str(argument).ok()?;
    let mut cutoffs = Cutoffs::default();
    cutoffs.ledger = order.ledger.map(Time);
    cutoffs.now = order.now.map(Time);
    for (name, time) in order.before {
        cutoffs.set(tables::group(&name)?, Some(Time(time)));
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
        columns: ERASED.map(str::to_owned).to_vec(),
        rows,
    }
}

/// Returns the rows of [`erased_table`] as they are kept in the database.
#[must_use]
pub fn erased_rows(erased: &Erased) -> Rows {
    let int = |cell: Option<&Cell>| match cell {
        Some(Cell::Int(number)) => *number,
        _ => 0,
    };
    let rows = erased_table(erased).rows.into_iter();
    let rows = rows.filter_map(|row| match row.first() {
        Some(Cell::Text(table)) => Some((table.clone(), int(row.get(1)), int(row.get(2)))),
        _ => None,
    });
    rows.collect()
}

/// Returns kept rows as [`erased_table`].
#[must_use]
pub fn erased_again(rows: &Rows) -> Table {
    let row = |(table, deleted, changed): &(String, i64, i64)| {
        vec![text(table), Cell::Int(*deleted), Cell::Int(*changed)]
    };
    Table {
        columns: ERASED.map(str::to_owned).to_vec(),
        rows: rows.iter().map(row).collect(),
    }
}

/// Returns what both of two erasures of one address, one after the other, did. The later one knows what is in the queue.
#[must_use]
pub fn erased_sum(first: Table, second: Table) -> Table {
    let number = |cell: Option<&Cell>| match cell {
        Some(Cell::Int(number)) => *number,
        Some(Cell::Text(number)) => number.parse().unwrap_or(0),
        _ => 0,
    };
    let mut sum = Table {
        columns: first.columns,
        rows: Vec::new(),
    };
    let before = first.rows.into_iter();
    let before = before.filter(|row| row.first() != Some(&text(QUEUED)));
    for row in before.chain(second.rows) {
        let (deleted, changed) = (number(row.get(1)), number(row.get(2)));
        let known = sum
            .rows
            .iter_mut()
            .find(|known| known.first() == row.first());
        if let Some([_, of_deleted, of_changed]) = known.map(Vec::as_mut_slice) {
            *of_deleted = Cell::Int(number(Some(of_deleted)) + deleted);
            *of_changed = Cell::Int(number(Some(of_changed)) + changed);
        } else {
            let table = row.into_iter().next().unwrap_or(Cell::Null);
            sum.rows
                .push(vec![table, Cell::Int(deleted), Cell::Int(changed)]);
        }
    }
    // Last, as in each of them.
    sum.rows
        .sort_by_key(|row| row.first() == Some(&text(QUEUED)));
    sum
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn number(number: u64) -> Cell {
    Cell::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_erasures_are_told_as_one() {
        let table = |rows: &[(&str, i64, i64)]| Table {
            columns: ["table", "deleted", "changed"].map(str::to_owned).to_vec(),
            rows: rows
                .iter()
                .map(|(table, deleted, changed)| {
                    vec![text(table), Cell::Int(*deleted), Cell::Int(*changed)]
                })
                .collect(),
        };
        let first = table(&[("log_line", 3, 0), (QUEUED, 0, 2)]);
        let second = table(&[("log_line", 1, 0), ("delivery_to", 2, 1), (QUEUED, 0, 1)]);
        let sum = table(&[("log_line", 4, 0), ("delivery_to", 2, 1), (QUEUED, 0, 1)]);
        assert_eq!(erased_sum(first, second), sum);
        let nothing = table(&[]);
        assert_eq!(
            erased_sum(table(&[(QUEUED, 0, 2)]), nothing.clone()),
            nothing
        );
    }
}
