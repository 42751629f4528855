//! Picture: which numbers of a section are drawn, and how. The numbers are those of its table.

use super::average::value;
use crate::model::table::{Cell, Table};

/// A picture of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// What is drawn.
    pub shape: Shape,
    /// What it shows, for somebody who does not see it.
    pub title: String,
    /// One label for each place.
    pub labels: Vec<String>,
    /// Names of the series with a number for each place.
    pub series: Vec<(String, Vec<f64>)>,
}

/// How numbers are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Columns side by side, a group for each label.
    Columns,
    /// One bar for each label, with its number.
    Bars,
    /// One bar of one length for each label: the share of each series in it.
    Shares,
}

/// More bars than this are not read.
const MOST_BARS: usize = 12;
/// More columns than this are too thin.
const MOST_COLUMNS: usize = 62;

/// Bounds of the column `spread` of the query `delays`.
const SPREAD: [&str; 7] = [
    "up to 0.1 s",
    "1 s",
    "10 s",
    "1 min",
    "10 min",
    "1 h",
    "longer",
];

/// Returns the picture of the section; none where it has none, or nothing to draw.
#[must_use]
pub fn of(section: &str, table: &Table) -> Option<Picture> {
    let picture = match section {
        "traffic_hourly" => columns(table, "hour", "Mail by the hour")?,
        "traffic_daily" => columns(table, "day", "Mail by the day")?,
        "totals" => outcomes(table),
        "causes" => causes(table),
        "delays" => delays(table)?,
        "qshape" => queue_age(table)?,
        _ => return None,
    };
    let has_numbers = picture
        .series
        .iter()
        .any(|(_, numbers)| numbers.iter().any(|n| *n > 0.0));
    has_numbers.then_some(picture)
}

fn numbers(table: &Table, column: &str) -> Vec<f64> {
    table
        .named()
        .map(|row| value(row.get(column)).unwrap_or(0.0))
        .collect()
}

fn columns(table: &Table, by: &str, title: &str) -> Option<Picture> {
    let labels: Vec<String> = table
        .named()
        .filter_map(|row| row.raw(by).map(short))
        .collect();
    if labels.len() < 2 || labels.len() > MOST_COLUMNS {
        return None;
    }
    let series = ["received", "delivered", "deferred", "bounced", "rejected"];
    let series = series.map(|name| (name.to_owned(), numbers(table, name)));
    Some(Picture {
        shape: Shape::Columns,
        title: format!("{title}: received, delivered, deferred, bounced, rejected"),
        labels,
        series: series.into_iter().collect(),
    })
}

/// The hour of `2026-11-20 08:00`, the month and day of `2026-11-20`.
fn short(text: &str) -> String {
    match text.split_once(' ') {
        Some((_, hour)) => hour.trim_end_matches(":00").to_owned(),
        None if text.len() == 10 => text.get(5..).unwrap_or(text).to_owned(),
        None => text.trim_end_matches(":00").to_owned(),
    }
}

fn outcomes(table: &Table) -> Picture {
    const OUTCOMES: [&str; 8] = [
        "delivered",
        "forwarded",
        "deferrals",
        "bounced",
        "expired",
        "held",
        "discarded",
        "rejected",
    ];
    let of = |what: &str| {
        let row = table.named().find(|row| row.raw("what") == Some(what))?;
        Some((what.to_owned(), value(row.get("number"))?))
    };
    let (labels, numbers): (Vec<_>, Vec<_>) = OUTCOMES
        .iter()
        .filter_map(|what| of(what))
        .filter(|(_, n)| *n > 0.0)
        .unzip();
    Picture {
        shape: Shape::Bars,
        title: "Outcomes".to_owned(),
        labels,
        series: vec![("number".to_owned(), numbers)],
    }
}

fn causes(table: &Table) -> Picture {
    let rows = table.named().take(MOST_BARS);
    let (labels, numbers) = rows
        .filter_map(|row| {
            let label = format!(
                "{}: {}",
                row.raw("provider").unwrap_or("?"),
                row.raw("cause")?
            );
            Some((label, value(row.get("attempts"))?))
        })
        .unzip();
    Picture {
        shape: Shape::Bars,
        title: "Causes of failed attempts by provider".to_owned(),
        labels,
        series: vec![("attempts".to_owned(), numbers)],
    }
}

fn delays(table: &Table) -> Option<Picture> {
    let mut labels = Vec::new();
    let mut series: Vec<(String, Vec<f64>)> = SPREAD
        .iter()
        .map(|name| ((*name).to_owned(), Vec::new()))
        .collect();
    for row in table.named() {
        let Cell::List(spread) = row.get("spread") else {
            continue;
        };
        labels.push(row.raw("stage")?.to_owned());
        for ((_, numbers), cell) in series.iter_mut().zip(spread) {
            numbers.push(value(cell)?);
        }
    }
    Some(Picture {
        shape: Shape::Shares,
        title: "Delays by stage: share of the deliveries that took so long".to_owned(),
        labels,
        series,
    })
}

fn queue_age(table: &Table) -> Option<Picture> {
    let row = table
        .named()
        .find(|row| row.raw("domain") == Some("TOTAL"))?;
    let buckets = table.columns.iter().skip(2);
    let (labels, numbers) = buckets
        .filter_map(|name| Some((age(name), value(row.get(name))?)))
        .unzip();
    Some(Picture {
        shape: Shape::Bars,
        title: "Age of the queue in minutes: recipients that wait".to_owned(),
        labels,
        series: vec![("recipients".to_owned(), numbers)],
    })
}

fn age(bucket: &str) -> String {
    if bucket.ends_with('+') {
        bucket.to_owned()
    } else {
        format!("below {bucket}")
    }
}
