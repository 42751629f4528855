//! Old log that is imported: what retention will do with it, what keeps it, and whether it may be read again.

use super::Context as Run;
use crate::check::rows::Behind;
use crate::ingest::stats::Summary;
use crate::model::retain::{Group, Keep};
use crate::model::table::{Cell, Param, Table};
use crate::model::time::{DAY, Time};
use crate::source::Input;
use crate::store;
use crate::store::kept::KeptLog;
use anyhow::{Result, bail};

/// Messages and refusals behind `$1` and `$2` that go at `$3` and `$4`; none where the time is not known.
const PAST: &str = "\
SELECT
    (SELECT count(*) FROM delivery_from WHERE id > $1 AND removed < $3::TIMESTAMP),
    (SELECT count(*) FROM noqueue WHERE id > $2 AND time < $4::TIMESTAMP)";

/// The spans of what sources of the names `$1` brought; one that has no name (`-`) since `$2`.
const SPANS: &str = "\
SELECT c.host, min(c.first_time), max(c.last_time)
FROM coverage c
JOIN source s ON s.id = c.source_id
WHERE s.name IN (SELECT unnest($1::VARCHAR[])) AND (s.name <> '-' OR s.last_read >= $2)
GROUP BY c.host
ORDER BY c.host";

/// What is there of the source `$1`: messages and refusals of its hosts and times.
const LEFT: &str = "\
WITH spans AS (
    SELECT host, min(first_time) AS first_time, max(last_time) AS last_time FROM coverage WHERE source_id = $1 GROUP BY host
)
SELECT
    (SELECT count(*) FROM delivery_from f JOIN spans s ON s.host = f.host AND f.updated BETWEEN s.first_time AND s.last_time)
    + (SELECT count(*) FROM noqueue n JOIN spans s ON s.host = n.host AND n.time BETWEEN s.first_time AND s.last_time)";

/// A message may have arrived so long before the first line about it.
const QUEUE_LIFETIME: i64 = 6 * DAY;

/// Notes what of an import is past retention already.
///
/// # Errors
/// When the database fails.
pub fn note(
    summary: &mut Summary,
    behind: Behind,
    run: &Run,
    select: impl Fn(&str, &[Param]) -> Result<Table, store::Error>,
) -> Result<(), store::Error> {
    let cutoffs = run.config.retain.cutoffs(run.now);
    let time = |group: Group| cutoffs.of(group).map_or(Param::Null, Param::Time);
    let params = [
        Param::Int(behind.message),
        Param::Int(behind.refusal),
        time(Group::Deliveries),
        time(Group::Noqueue),
    ];
    let table = select(PAST, &params)?;
    let number = |place: usize| match table.rows.first().and_then(|row| row.get(place)) {
        Some(Cell::Int(n)) => u64::try_from(*n).unwrap_or_default(),
        _ => 0,
    };
    (summary.past_messages, summary.past_refusals) = (number(0), number(1));
    Ok(())
}

/// Says what [`note`] found; nothing where all of it stays for a while.
#[must_use]
pub fn said(summary: &Summary, run: &Run) -> Option<String> {
    let part = |count: u64, one: &str, group: Group| {
        let keep = run.config.retain.of(group);
        (count > 0).then(|| format!("{} (kept {keep})", super::counted::many(count, one)))
    };
    let parts: Vec<String> = [
        part(summary.past_messages, "message", Group::Deliveries),
        part(summary.past_refusals, "refusal", Group::Noqueue),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| {
        format!(
            "past retention: {}; the service or `maillog prune` deletes them; use --keep DAYS to keep them",
            parts.join(" and ")
        )
    })
}

/// Says that raw lines are too old to be kept, where some of what was read is.
#[must_use]
pub fn raw_lines(summary: &Summary, run: &Run) -> Option<String> {
    let Keep::Days(days) = run.config.retain.lines else {
        return None;
    };
    let oldest = run.now.plus(-i64::from(days) * DAY);
    (days > 0 && summary.first_time.is_some_and(|first| first < oldest)).then(|| {
        format!("log lines older than {} are not stored: find -o raw cannot print them (see retain.lines in maillog.toml(5))", Keep::Days(days))
    })
}

/// Returns what `--keep` orders once it was read.
///
/// # Errors
/// When the database fails.
pub fn kept(
    inputs: &[String],
    summary: &Summary,
    days: u32,
    run: &Run,
    select: impl Fn(&str, &[Param]) -> Result<Table, store::Error>,
) -> Result<KeptLog, store::Error> {
    let names = inputs.iter().cloned().map(Param::Text).collect();
    let table = select(SPANS, &[Param::List(names), Param::Time(run.now)])?;
    let early = |time: Time| time.plus(-QUEUE_LIFETIME);
    let mut spans: Vec<(String, Time, Time)> = table
        .rows
        .into_iter()
        .filter_map(|row| match row.as_slice() {
            [Cell::Text(host), Cell::Time(first), Cell::Time(last)] => {
                Some((host.clone(), early(*first), *last))
            }
            _ => None,
        })
        .collect();
    if let (true, Some(first), Some(last)) =
        (spans.is_empty(), summary.first_time, summary.last_time)
    {
        // It lay in a stream of another name.
        let hosts = summary.hosts.iter();
        spans.extend(hosts.map(|host| (host.clone(), early(first), last)));
    }
    let until = run.now.plus(i64::from(days) * DAY);
    Ok(KeptLog { spans, until })
}

/// Returns the order that keeps everything while it is read.
#[must_use]
pub fn all_kept(run: &Run) -> KeptLog {
    KeptLog {
        spans: Vec::new(),
        until: run.now.plus(DAY),
    }
}

/// Refuses to read again what is there: it would count twice.
///
/// # Errors
/// When something of an input is stored, or the database fails.
pub fn refuse_twice(
    inputs: &[Input],
    select: impl Fn(&str, &[Param]) -> Result<Table, store::Error>,
) -> Result<()> {
    let sources = select("SELECT id, key FROM source ORDER BY id", &[])?;
    for row in &sources.rows {
        let [Cell::Int(id), Cell::Text(key)] = row.as_slice() else {
            continue;
        };
        let Ok(key) = serde_json::from_str(key) else {
            continue;
        };
        let Some(input) = inputs.iter().find(|input| input.matches(&key)) else {
            continue;
        };
        let left = select(LEFT, &[Param::Int(*id)])?;
        if let Some([Cell::Int(left @ 1..)]) = left.rows.first().map(Vec::as_slice) {
            bail!(
                "{}: {left} messages and refusals of its time are stored, and --again would count them twice; \
                 to correct a year or zone, import into a new database (--db)",
                input.path().display()
            );
        }
    }
    Ok(())
}
