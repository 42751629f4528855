//! What was read for a window: said when nothing is found, so that "nothing" means something.

use crate::answers::Answers;
use crate::model::table::{Cell, Param};
use crate::model::time::{HOUR, Time};
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

/// More hosts than these are told as one line.
const HOSTS: usize = 10;

/// Returns the lines to say when nothing was found between the two times.
///
/// # Errors
/// When the database fails.
pub fn nothing_found(
    store: &Answers,
    window: &(Option<Time>, Option<Time>),
    zone: Zone,
) -> Result<Vec<String>, store::Error> {
    let since = window.0.map_or(Time(0), Time::hour);
    let until = window.1.unwrap_or(Time(i64::MAX / HOUR * HOUR / 2));
    let table = store.select(SQL, &[Param::Time(since), Param::Time(until)])?;
    if table.rows.is_empty() {
        return Ok(vec![format!(
            "nothing found, and {}",
            none_read(store, zone)?
        )]);
    }
    let mut lines = vec!["nothing found; log read in that time:".to_owned()];
    lines.extend(table.rows.iter().take(HOSTS).map(|row| host(row, zone)));
    if table.rows.len() > HOSTS {
        lines.push(format!("  and {} more hosts", table.rows.len() - HOSTS));
    }
    Ok(lines)
}

/// Says what there is instead when the window holds no log at all.
fn none_read(store: &Answers, zone: Zone) -> Result<String, store::Error> {
    let sql = "SELECT min(first_time), max(last_time) FROM coverage WHERE understood > 0";
    let table = store.select(sql, &[])?;
    Ok(match table.rows.first().map(Vec::as_slice) {
        Some([Cell::Time(first), Cell::Time(last)]) => format!(
            "no log was read for that time: there is log from {} to {} (--all searches all of it)",
            zone.show(*first),
            zone.show(*last)
        ),
        _ => "no log was read at all: run `maillog ingest` first".to_owned(),
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
        "  {}: {} to {}, {lines} lines",
        escape::terminal(if host.is_empty() {
            "(no host name)"
        } else {
            host
        }),
        zone.show(*first),
        zone.show(*last)
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
