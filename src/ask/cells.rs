//! Cells: what stands in the rows of an answer, and the parameters of the statements that fetch by ids.

use crate::model::table::{Cell, Param, Table};
use crate::model::time::Time;

pub(crate) fn column(table: &Table, name: &str) -> Option<usize> {
    table.columns.iter().position(|c| c == name)
}

pub(crate) fn int(row: &[Cell], column: Option<usize>) -> Option<i64> {
    match row.get(column?)? {
        Cell::Int(n) => Some(*n),
        _ => None,
    }
}

pub(crate) fn text(row: &[Cell], column: Option<usize>) -> Option<&str> {
    match row.get(column?)? {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

pub(crate) fn time(row: &[Cell], column: Option<usize>) -> Option<Time> {
    match row.get(column?)? {
        Cell::Time(time) => Some(*time),
        _ => None,
    }
}

pub(crate) fn among(ids: &[i64]) -> [Param; 3] {
    let end = |id: Option<&i64>| id.map_or(Param::Null, |id| Param::Int(*id));
    [
        Param::List(ids.iter().copied().map(Param::Int).collect()),
        end(ids.iter().min()),
        end(ids.iter().max()),
    ]
}
