//! Ledger: what shows in the counts of what was read, long after the lines are gone.

use super::{Check, Finding, odd};
use crate::model::table::{Cell, Param, Table};
use crate::model::time::{DAY, Time};

/// Per host: all lines; those of Postfix and its neighbours; those of Postfix that no rule knows.
const HOSTS: &str = "\
SELECT host, sum(lines)::BIGINT, sum(lines - \"foreign\")::BIGINT, sum(not_understood)::BIGINT
FROM coverage
GROUP BY host
ORDER BY host";

/// Per source of which no line was understood: its lines.
const SOURCES: &str = "\
SELECT s.name, sum(c.lines)::BIGINT
FROM coverage c
JOIN source s ON s.id = c.source_id
GROUP BY s.id, s.name
HAVING sum(c.understood + c.ignored) = 0 AND sum(c.lines) > 0
ORDER BY s.name
LIMIT 20";

/// Per source with a hole of about a year: how many, and where the first one ends.
const JUMPS: &str = "\
WITH steps AS (
    SELECT source_id, hour, lag(hour) OVER (PARTITION BY source_id, host ORDER BY hour) AS before
    FROM coverage
    WHERE understood > 0
)
SELECT s.name, count(*), strftime(min(hour), '%Y-%m-%d')
FROM steps
JOIN source s ON s.id = source_id
WHERE hour - before >= INTERVAL 330 DAY
GROUP BY s.id, s.name
ORDER BY s.name
LIMIT 20";

/// Per source with lines that tell no time: their number, of how many, the first.
const UNDATED: &str = "\
SELECT
    s.name, u.lines, u.lines + coalesce((SELECT sum(c.lines) FROM coverage c WHERE c.source_id = s.id), 0)::BIGINT, u.sample
FROM undated u
JOIN source s ON s.id = u.source_id
ORDER BY s.name
LIMIT 20";

/// Lines in hours that are more than a day after `$1`.
const FUTURE: &str =
    "SELECT coalesce(sum(lines), 0)::BIGINT, min(host) FROM coverage WHERE last_time > $1";

/// One line in so many may be a further line of a text.
const TRACES: u64 = 10;

/// Returns what looks wrong at `now`.
///
/// # Errors
/// Those of `select`.
pub fn findings<E>(
    now: Time,
    mut select: impl FnMut(&str, &[Param]) -> Result<Table, E>,
) -> Result<Vec<Finding>, E> {
    let mut all = Vec::new();
    for row in select(SOURCES, &[])?.rows {
        let (name, lines) = (text(&row, 0), number(&row, 1));
        let found = Finding::judge(Check::NoLine, lines, lines, "");
        all.extend(found.map(|found| about(found, name, "maillog status")));
    }
    for row in select(UNDATED, &[])?.rows {
        let (name, lines, of) = (text(&row, 0), number(&row, 1), number(&row, 2));
        // Other programs write texts of several lines into a log.
        if lines * TRACES >= of {
            let found = Finding::judge(Check::NoTime, lines, of, text(&row, 3));
            all.extend(found.map(|found| about(found, name, "maillog status")));
        }
    }
    let hosts = select(HOSTS, &[])?.rows;
    let sum = |place: usize| hosts.iter().map(|row| number(row, place)).sum::<u64>();
    let (lines, postfix, unknown) = (sum(1), sum(2), sum(3));
    let no_host = hosts.iter().filter(|row| text(row, 0).is_empty());
    let no_host: u64 = no_host.map(|row| number(row, 2)).sum();
    // Where no line names a host, the form has none.
    let no_host = if no_host == postfix { 0 } else { no_host };
    let odd_ones: Vec<_> = hosts
        .iter()
        .filter(|row| odd(text(row, 0)).is_some())
        .collect();
    let sample = odd_ones.first().map_or("", |row| text(row, 0));
    let odd_lines = odd_ones.iter().map(|row| number(row, 1)).sum();
    for (check, count, of, sample, command) in [
        (Check::NoHost, no_host, postfix, "", "maillog status"),
        (Check::OddHost, odd_lines, lines, sample, "maillog status"),
        (
            Check::Unknown,
            unknown,
            postfix,
            "",
            "maillog query unparsed",
        ),
    ] {
        let found = Finding::judge(check, count, of, sample);
        all.extend(found.map(|found| Finding {
            command: command.to_owned(),
            ..found
        }));
    }
    for row in select(JUMPS, &[])?.rows {
        let found = Finding::judge(Check::YearJump, number(&row, 1), lines, text(&row, 2));
        all.extend(found.map(|found| about(found, text(&row, 0), "maillog query coverage")));
    }
    let future = select(FUTURE, &[Param::Time(now.plus(DAY))])?.rows;
    if let Some(row) = future.first() {
        let found = Finding::judge(Check::Future, number(row, 0), lines, text(row, 1));
        all.extend(found.map(|found| Finding {
            command: "maillog status".to_owned(),
            ..found
        }));
    }
    Ok(all)
}

fn about(finding: Finding, source: &str, command: &str) -> Finding {
    Finding {
        source: Some(source.to_owned()),
        command: command.to_owned(),
        ..finding
    }
}

fn text(row: &[Cell], place: usize) -> &str {
    match row.get(place) {
        Some(Cell::Text(text)) => text,
        _ => "",
    }
}

fn number(row: &[Cell], place: usize) -> u64 {
    match row.get(place) {
        Some(Cell::Int(number)) => u64::try_from(*number).unwrap_or_default(),
        _ => 0,
    }
}
