//! Follows a search: prints new hits and changes of state as they are committed, until the outcome is known if that is wanted.
//!
//! Asks again every second, of the running service when there is one; else it opens the database for a moment, so that an import in
//! between is not kept out. What was said of a hit is said again only when its state changes.

use super::find::Find;
use super::hits::{self, How};
use super::{Context as Run, Exit};
use crate::model::table::{Cell, Table};
use crate::notice::{self, Level};
use crate::query::Plan;
use crate::render::mask::Mask;
use crate::render::{self, Format};
use crate::store;
use anyhow::{Result, bail};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// Hits shown at the beginning, unless `-n` says another number.
const FIRST: usize = 10;

/// Columns that make the state of a hit.
const STATE: [&str; 6] = [
    "time",
    "status",
    "attempts",
    "reason",
    "message_status",
    "count",
];

/// Follows the search.
///
/// # Errors
/// When the format cannot be followed, or the database fails.
pub fn follow(find: &Find, plan: &Plan, mut mask: Option<Mask>, run: &Run) -> Result<Exit> {
    let format = match find.output {
        None => Format::Short,
        Some(format @ (Format::Short | Format::Json)) => format,
        Some(_) => bail!("--follow and --until-final need -o short or -o json"),
    };
    let end = find.timeout.map(|seconds| Instant::now() + seconds.0);
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut is_first = true;
    loop {
        if let Some(hits) = ask(plan, run)? {
            let fresh = changed(&hits, &mut seen);
            let most = find
                .limit
                .map_or(FIRST, |n| usize::try_from(n).unwrap_or(usize::MAX));
            let skip = if is_first {
                fresh.rows.len().saturating_sub(most)
            } else {
                0
            };
            is_first = false;
            print(fresh, skip, format, mask.as_mut(), find, run)?;
            if find.until_final
                && let Some(is_delivered) = outcome(&hits)
            {
                return Ok(if is_delivered {
                    Exit::Found
                } else {
                    Exit::Nothing
                });
            }
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            if find.until_final {
                notice::tell(Level::Warning, "no outcome before the timeout (--timeout)");
                return Ok(Exit::Nothing);
            }
            return Ok(if seen.is_empty() {
                Exit::Nothing
            } else {
                Exit::Found
            });
        }
        std::thread::sleep(left.map_or(PERIOD, |left| left.min(PERIOD)));
    }
}

/// Asks once; nothing while the database is out of reach for a moment.
fn ask(plan: &Plan, run: &Run) -> Result<Option<Table>> {
    let asked = run
        .reader()
        .and_then(|store| hits::all(&store, plan, How::default()));
    match asked {
        Ok(hits) => {
            notice::over("follow", "the database answers again");
            Ok(Some(hits))
        }
        Err(error) if is_passing(&error) => {
            notice::trouble("follow", Level::Warning, &format!("waiting: {error}"));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns whether waiting may cure it: somebody writes just now.
fn is_passing(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<store::Error>(),
        Some(store::Error::Locked { .. })
    )
}

fn print(
    mut fresh: Table,
    skip: usize,
    format: Format,
    mask: Option<&mut Mask>,
    find: &Find,
    run: &Run,
) -> Result<()> {
    fresh.rows.drain(..skip);
    if fresh.rows.is_empty() {
        return Ok(());
    }
    if let Some(mask) = mask {
        mask.apply(&mut fresh);
    }
    let fresh = find.chosen(fresh)?;
    let mut output = run.output(false);
    let style = output.style;
    render::hits(&fresh, format, &style, output.writer())?;
    output.finish()
}

/// Returns the hits that are new or in another state than before.
fn changed(hits: &Table, seen: &mut HashMap<String, String>) -> Table {
    let key = columns(hits, &["kind", "id", "recipient"]);
    let state = columns(hits, &STATE);
    let is_new = |row: &&Vec<Cell>| {
        let (key, state) = (told(row, &key), told(row, &state));
        seen.insert(key, state.clone())
            .is_none_or(|before| before != state)
    };
    Table {
        columns: hits.columns.clone(),
        rows: hits.rows.iter().filter(is_new).cloned().collect(),
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
fn outcome(hits: &Table) -> Option<bool> {
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

/// A length of time as an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length(pub Duration);

impl std::str::FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = crate::query::time::parse_length(text)
            .filter(|s| s.is_finite() && (0.0..1e9).contains(s))
            .ok_or("write 30s, 10min or 2h")?;
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
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
        let mut seen = HashMap::new();
        assert_eq!(
            changed(&hits(&[("mail", "deferred", None, false)]), &mut seen)
                .rows
                .len(),
            1
        );
        assert_eq!(
            changed(&hits(&[("mail", "deferred", None, false)]), &mut seen)
                .rows
                .len(),
            0
        );
        assert_eq!(
            changed(&hits(&[("mail", "sent", None, true)]), &mut seen)
                .rows
                .len(),
            1
        );
    }
}
