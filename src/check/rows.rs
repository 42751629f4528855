//! Rows: what shows in the tables, as statements that give the rows that look wrong.
//!
//! Each takes `$1`, the message behind which it begins, and `$2`, the refusal: an import is checked for what it brought.
//! Whether there can be any is asked of all of them at once, and of numbers alone (texts by their hashes), so that a million
//! lines cost milliseconds.

use super::{Check, Finding};
use crate::model::table::{Cell, Param, Table};

/// A check of the tables.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// What it finds.
    pub check: Check,
    /// How many rows there can be at most, told fast; none: it is not told faster than the rows.
    may: Option<&'static str>,
    /// How many rows are looked at.
    of: &'static str,
    /// The rows that look wrong; the first columns name one.
    rows: &'static str,
}

const MESSAGES: &str = "SELECT count(*) FROM delivery_from WHERE id > $1 AND $2 IS NOT NULL";
const DELIVERIES: &str =
    "SELECT sum(attempts)::BIGINT FROM delivery_to WHERE from_id > $1 AND $2 IS NOT NULL";
const REFUSALS: &str = "SELECT count(*) FROM noqueue WHERE $1 IS NOT NULL AND id > $2";

/// All of them.
pub const STATEMENTS: [Statement; 8] = [
    Statement {
        check: Check::Open,
        may: Some(
            "SELECT count(*) FROM delivery_from WHERE id > $1 AND (status = 'lost' OR removed IS NULL) \
         AND updated < (SELECT max(updated) FROM delivery_from WHERE id > $1) - INTERVAL 2 DAY",
        ),
        of: include_str!("open_of.sql"),
        rows: include_str!("open.sql"),
    },
    Statement {
        check: Check::Done,
        may: None,
        of: MESSAGES,
        rows: include_str!("done.sql"),
    },
    Statement {
        check: Check::Stray,
        may: Some(
            "SELECT count(*) FROM delivery_from WHERE id > $1 AND removed IS NULL AND updated - time < INTERVAL 1 SECOND",
        ),
        of: MESSAGES,
        rows: include_str!("stray.sql"),
    },
    Statement {
        check: Check::Delay,
        may: Some(
            "SELECT count(*) FROM ( \
             SELECT from_id, epoch_us(time) / 1e6 - delay AS begin, 600 + delay / 50 AS most \
             FROM delivery_to WHERE from_id > $1 AND attempts > 0 \
         ) t JOIN (SELECT id, epoch_us(time) / 1e6 AS arrival FROM delivery_from WHERE id > $1) f ON f.id = t.from_id \
         WHERE abs(begin - arrival) > most",
        ),
        of: DELIVERIES,
        rows: include_str!("delay.sql"),
    },
    Statement {
        check: Check::Twice,
        may: Some(
            "SELECT count(*) FROM ( \
             SELECT 1 FROM ( \
                 SELECT to_id, time FROM delivery_attempt WHERE from_id > $1 \
                 UNION ALL \
                 SELECT id, time FROM delivery_to WHERE from_id > $1 AND attempts > 1 \
             ) GROUP BY to_id, date_trunc('second', time) HAVING count(*) > 1)",
        ),
        of: DELIVERIES,
        rows: include_str!("twice.sql"),
    },
    Statement {
        check: Check::RefusedTwice,
        may: Some(
            "SELECT count(*) FROM ( \
             SELECT 1 FROM noqueue WHERE id > $2 AND pid IS NOT NULL \
             GROUP BY date_trunc('second', time), pid, recipient_key HAVING count(*) > 1)",
        ),
        of: REFUSALS,
        rows: include_str!("refused_twice.sql"),
    },
    Statement {
        check: Check::MessageTwice,
        may: Some(
            "SELECT count(*) FROM ( \
             SELECT 1 FROM delivery_from WHERE id > $1 AND queue_id <> '' \
             GROUP BY hash(queue_id) HAVING count(*) > 1)",
        ),
        of: MESSAGES,
        rows: include_str!("message_twice.sql"),
    },
    Statement {
        check: Check::Unlinked,
        may: Some(
            "SELECT count(*) FROM ( \
             SELECT 1 FROM delivery_from WHERE id > $1 AND message_id <> '' \
             GROUP BY hash(message_id) HAVING min(root_id) < max(root_id))",
        ),
        of: DELIVERIES,
        rows: include_str!("unlinked.sql"),
    },
];

/// Where a check begins: the last message and refusal that it leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Behind {
    /// Id in `delivery_from`.
    pub message: i64,
    /// Id in `noqueue`.
    pub refusal: i64,
}

impl Behind {
    /// Asks for the last ids that there are.
    pub const LAST: &str = "SELECT (SELECT coalesce(max(id), 0) FROM delivery_from), (SELECT coalesce(max(id), 0) FROM noqueue)";

    /// Reads the answer to [`Behind::LAST`].
    #[must_use]
    pub fn of(table: &Table) -> Self {
        let place = |index: usize| match table.rows.first().and_then(|row| row.get(index)) {
            Some(Cell::Int(id)) => *id,
            _ => 0,
        };
        Self {
            message: place(0),
            refusal: place(1),
        }
    }

    /// Returns the place `most` messages and refusals before this one.
    #[must_use]
    pub fn before(self, most: i64) -> Self {
        Self {
            message: (self.message - most).max(0),
            refusal: (self.refusal - most).max(0),
        }
    }

    fn params(self) -> [Param; 2] {
        [Param::Int(self.message), Param::Int(self.refusal)]
    }
}

/// Returns what looks wrong behind the place.
///
/// # Errors
/// Those of `select`.
pub fn findings<E>(
    behind: Behind,
    mut select: impl FnMut(&str, &[Param]) -> Result<Table, E>,
) -> Result<Vec<Finding>, E> {
    let mut all = Vec::new();
    let may = may_find(behind, &mut select)?;
    let looked_for = STATEMENTS.iter().zip(may).filter(|(_, may)| *may);
    for (statement, _) in looked_for {
        let rows = statement.rows.trim_end();
        let sql = format!(
            "SELECT ({}), count(*), any_value(concat_ws(' ', host, queue_id, what)) FROM ({rows})",
            statement.of.trim_end()
        );
        let table = select(&sql, &behind.params())?;
        let Some([of, Cell::Int(count), sample]) = table.rows.first().map(Vec::as_slice) else {
            continue;
        };
        let number = |n: i64| u64::try_from(n).unwrap_or_default();
        let of = if let Cell::Int(of) = of {
            number(*of)
        } else {
            0
        };
        let sample = if let Cell::Text(sample) = sample {
            sample
        } else {
            ""
        };
        all.extend(Finding::judge(statement.check, number(*count), of, sample));
    }
    Ok(all)
}

/// Returns for each statement whether there can be anything that it finds.
fn may_find<E>(
    behind: Behind,
    select: &mut impl FnMut(&str, &[Param]) -> Result<Table, E>,
) -> Result<Vec<bool>, E> {
    let questions: Vec<String> = STATEMENTS
        .iter()
        .map(|statement| format!("({})", statement.may.unwrap_or("1")))
        .collect();
    let sql = format!("SELECT {}", questions.join(", "));
    let table = select(&sql, &behind.params())?;
    let told = table.rows.into_iter().next().unwrap_or_default();
    let is_none = |at: usize| matches!(told.get(at), Some(Cell::Int(0)));
    Ok((0..STATEMENTS.len()).map(|at| !is_none(at)).collect())
}

/// Returns the statement for the rows that a check finds, with its parameters; none where the tables do not show it.
#[must_use]
pub fn show(check: Check, behind: Behind) -> Option<(String, Vec<Param>)> {
    let statement = STATEMENTS.iter().find(|s| s.check == check)?;
    let sql = format!(
        "SELECT * FROM ({}) ORDER BY ALL LIMIT 1000",
        statement.rows.trim_end()
    );
    Some((sql, behind.params().to_vec()))
}
