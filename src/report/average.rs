//! Average: the hours of many days as the hours of an average day, as pflogsumm prints them.

use crate::model::table::{Cell, Table};
use std::collections::BTreeMap;

/// Columns that are no sum: they stay the most of the hour, or go.
const MOST: [&str; 1] = ["longest_seconds"];

/// A column and what it is the average over: by its weight.
const MEANS: [(&str, &str); 1] = [("average_seconds", "connections")];

/// Returns a table whose first column is `YYYY-MM-DD HH:00` by the hour of the day: numbers are the average of so many days.
///
/// Hours that nothing is known of are zero.
#[must_use]
pub fn by_hour(table: &Table, days: u32) -> Table {
    let days = f64::from(days.max(1));
    let mut hours: BTreeMap<String, Vec<&[Cell]>> = (0..24)
        .map(|hour| (format!("{hour:02}:00"), Vec::new()))
        .collect();
    for row in &table.rows {
        if let Some(Cell::Text(text)) = row.first()
            && let Some((_, hour)) = text.rsplit_once(' ')
            && let Some(rows) = hours.get_mut(hour)
        {
            rows.push(row);
        }
    }
    let position = |name: &str| table.columns.iter().position(|column| column == name);
    let rows = hours.into_iter().map(|(hour, rows)| {
        let sum = |at: usize| {
            rows.iter()
                .filter_map(|row| row.get(at).and_then(value))
                .sum::<f64>()
        };
        let cells = table.columns.iter().enumerate().map(|(at, name)| {
            if at == 0 {
                return Cell::Text(hour.clone());
            }
            let values = rows.iter().filter_map(|row| row.get(at).and_then(value));
            if MOST.contains(&name.as_str()) {
                return values.reduce(f64::max).map_or(Cell::Null, Cell::Float);
            }
            let mean = MEANS.iter().find(|(mean, _)| mean == name);
            if let Some(weights) = mean.and_then(|(_, weight)| position(weight)) {
                let weighted = rows
                    .iter()
                    .filter_map(|row| Some(value(row.get(at)?)? * value(row.get(weights)?)?));
                let (all, weighted) = (sum(weights), weighted.sum::<f64>());
                return if all > 0.0 {
                    Cell::Float(rounded(weighted / all, 1000.0))
                } else {
                    Cell::Null
                };
            }
            Cell::Float(rounded(sum(at) / days, 10.0))
        });
        cells.collect()
    });
    Table {
        columns: table.columns.clone(),
        rows: rows.collect(),
    }
}

fn rounded(number: f64, to: f64) -> f64 {
    // The sum of nothing is -0.
    (number * to).round() / to + 0.0
}

/// Returns the number in a cell.
#[must_use]
pub fn value(cell: &Cell) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "for eyes and averages")]
    match cell {
        Cell::Int(n) => Some(*n as f64),
        Cell::Big(n) => Some(*n as f64),
        Cell::Float(n) => Some(*n),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_of_two_days_are_halved_and_means_are_weighted() {
        let row = |hour: &str, n: i64, mean: f64, longest: f64| {
            vec![
                Cell::Text(hour.to_owned()),
                Cell::Int(n),
                Cell::Float(mean),
                Cell::Float(longest),
            ]
        };
        let table = Table {
            columns: ["hour", "connections", "average_seconds", "longest_seconds"]
                .map(str::to_owned)
                .into(),
            rows: vec![
                row("2026-11-20 07:00", 1, 4.0, 4.0),
                row("2026-11-21 07:00", 3, 8.0, 9.0),
                row("2026-11-21 08:00", 5, 1.0, 1.0),
            ],
        };
        let day = by_hour(&table, 2);
        assert_eq!(day.rows.len(), 24);
        assert_eq!(day.rows[7], row_of("07:00", 2.0, Some(7.0), Some(9.0)));
        assert_eq!(day.rows[8], row_of("08:00", 2.5, Some(1.0), Some(1.0)));
        assert_eq!(day.rows[9], row_of("09:00", 0.0, None, None));
    }

    fn row_of(hour: &str, n: f64, mean: Option<f64>, longest: Option<f64>) -> Vec<Cell> {
        let cell = |n: Option<f64>| n.map_or(Cell::Null, Cell::Float);
        vec![
            Cell::Text(hour.to_owned()),
            Cell::Float(n),
            cell(mean),
            cell(longest),
        ]
    }
}
