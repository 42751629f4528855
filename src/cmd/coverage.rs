//! What was read for a window: said when nothing is found, so that "nothing" means something.

use super::Context as Run;
use crate::answers::Answers;
use crate::model::table::{Cell, Param, Table};
use crate::model::time::{HOUR, SECOND, Time};
use crate::model::zone::Zone;
use crate::render::escape;
use crate::store;

/// Per host: first and last time, lines, not understood, lost, and hours without a line between the two.
const SQL: &str = "\
SELECT
    host, min(first_time), max(last_time), sum(lines)::BIGINT, sum(not_understood)::BIGINT, sum(lost)::BIGINT,
    date_diff('hour', min(hour), max(hour)) + 1 - count(DISTINCT hour)
FROM coverage
WHERE hour >= ? AND hour <= ? AND understood > 0
GROUP BY host
ORDER BY host";

/// The longest spans without a line.
const GAPS: &str = "\
WITH hours AS (
    SELECT host, hour, min(first_time) AS first_time, max(last_time) AS last_time
    FROM coverage
    WHERE hour >= ? AND hour <= ? AND understood > 0
    GROUP BY host, hour
),
spans AS (
    SELECT
        host, lag(last_time) OVER (PARTITION BY host ORDER BY hour) AS from_time, first_time AS to_time,
        date_diff('hour', lag(hour) OVER (PARTITION BY host ORDER BY hour), hour) AS hours
    FROM hours
)
SELECT host, from_time, to_time
FROM spans
WHERE hours > 1
ORDER BY to_time - from_time DESC, host, from_time
LIMIT 3";

/// More hosts than these are told as one line.
const HOSTS: usize = 10;

/// Returns the lines to say when nothing was found between the two times.
///
/// # Errors
/// When the database fails.
pub fn nothing_found(
    store: &Answers,
    window: &(Option<Time>, Option<Time>),
    run: &Run,
) -> Result<Vec<String>, store::Error> {
    let zone = run.zone;
    let since = window.0.map_or(Time(0), Time::hour);
    let until = window.1.unwrap_or(Time(i64::MAX / HOUR * HOUR / 2));
    let params = [Param::Time(since), Param::Time(until)];
    let table = store.select(SQL, &params)?;
    if table.rows.is_empty() {
        return Ok(vec![format!(
            "nothing found, and {}",
            none_read(store, zone)?
        )]);
    }
    let mut lines = vec!["nothing found; log read in that time:".to_owned()];
    lines.extend(table.rows.iter().take(HOSTS).map(|row| host(row, zone)));
    if table.rows.len() > HOSTS {
        let more = table.rows.len() - HOSTS;
        lines.push(format!(
            "  and {more} more host{}",
            if more == 1 { "" } else { "s" }
        ));
    }
    for row in &store.select(GAPS, &params)?.rows {
        if let [Cell::Text(host), Cell::Time(from), Cell::Time(to)] = row.as_slice() {
            lines.push(format!(
                "  {}: no line between {} and {}",
                named(host),
                zone.show(*from),
                zone.show(*to)
            ));
        }
    }
    lines.push(conclusion(&table, window, run));
    Ok(lines)
}

/// Says what there is instead when the window holds no log at all.
fn none_read(store: &Answers, zone: Zone) -> Result<String, store::Error> {
    let sql = "SELECT min(first_time), max(last_time) FROM coverage WHERE understood > 0";
    let table = store.select(sql, &[])?;
    Ok(match table.rows.first().map(Vec::as_slice) {
        Some([Cell::Time(first), Cell::Time(last)]) => format!(
            "no log was read for that time: the stored log reaches from {} to {} (--all searches everything)",
            zone.show(*first),
            zone.show(*last)
        ),
        _ => "no log was read at all: run `maillog ingest /var/log/mail.log*` first".to_owned(),
    })
}

fn host(row: &[Cell], zone: Zone) -> String {
    let [
        Cell::Text(host),
        Cell::Time(first),
        Cell::Time(last),
        Cell::Int(lines),
        Cell::Int(unknown),
        Cell::Int(lost),
        Cell::Int(gaps),
    ] = row
    else {
        return String::new();
    };
    let mut text = format!(
        "  {}: {} to {}, {lines} line{}",
        named(host),
        zone.show(*first),
        zone.show(*last),
        if *lines == 1 { "" } else { "s" }
    );
    let mut add = |n: i64, one: &str, many: &str| {
        if n > 0 {
            text.push_str(&format!(", {n} {}", if n == 1 { one } else { many }));
        }
    };
    add(*unknown, "not understood", "not understood");
    add(*lost, "line lost", "lines lost");
    add(*gaps, "hour without a line", "hours without a line");
    text
}

fn named(host: &str) -> String {
    if host.is_empty() {
        return "(no host name)".to_owned();
    }
    escape::terminal(host).into_owned()
}

/// Says how much "nothing" means.
fn conclusion(hosts: &Table, window: &(Option<Time>, Option<Time>), run: &Run) -> String {
    let sum = |column: usize| -> i64 {
        let cells = hosts.rows.iter().filter_map(|row| row.get(column));
        cells
            .map(|cell| if let Cell::Int(n) = cell { *n } else { 0 })
            .sum()
    };
    let time = |row: &Vec<Cell>, column: usize| match row.get(column) {
        Some(Cell::Time(time)) => Some(*time),
        _ => None,
    };
    let first = hosts.rows.iter().filter_map(|row| time(row, 1)).min();
    let last = hosts.rows.iter().filter_map(|row| time(row, 2)).max();
    let end = window.1.unwrap_or(run.now).min(run.now);
    let show = |t: Time| run.zone.show(t.plus(-t.0.rem_euclid(SECOND)));
    let mut doubts = Vec::new();
    if sum(5) > 0 {
        doubts.push("lines were lost".to_owned());
    }
    if sum(4) > 0 {
        doubts.push("some lines were not understood (see maillog status)".to_owned());
    }
    if sum(6) > 0 {
        doubts.push("the log has gaps".to_owned());
    }
    let late = window.0.zip(first);
    let begins = late.filter(|(since, first)| first.since(*since) > HOUR);
    let begins = begins.map(|(_, first)| format!("begins at {}", show(first)));
    let ends = last.filter(|last| end.since(*last) > HOUR);
    let ends = ends.map(|last| format!("ends at {}", show(last)));
    let borders: Vec<String> = [begins, ends].into_iter().flatten().collect();
    if !borders.is_empty() {
        doubts.push(format!("the log that was read {}", borders.join(" and ")));
    }
    if doubts.is_empty() {
        "the log has no gap and every line was understood: no such mail passed these hosts in that time".to_owned()
    } else {
        format!(
            "this does not prove that there was no such mail: {}",
            doubts.join(", ")
        )
    }
}
