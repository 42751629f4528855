//! Stored: what mail stores did with what they were given, as the column `store` of hits.

use super::Ask;
use super::cells::among;
use crate::model::table::{Cell, Param, Table};
use crate::query::found::Found;
use crate::query::story::{STORE, STORE_BOUNDS};
use crate::store::Error;
use std::collections::BTreeMap;

/// Returns it in words, by recipient.
///
/// # Errors
/// When the database fails.
pub(super) fn of(asked: &dyn Ask, found: &[Found]) -> Result<BTreeMap<i64, Cell>, Error> {
    let recipients = found.iter().filter(|found| found.is_recipient());
    let ids: Vec<i64> = recipients.map(|found| found.id).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut params = among(&ids).to_vec();
    let bounds = asked.rows(STORE_BOUNDS, &params)?;
    let bounds = bounds.rows.first().into_iter().flatten();
    params.extend(bounds.map(|cell| match cell {
        Cell::Int(id) => Param::Int(*id),
        Cell::Time(time) => Param::Time(*time),
        _ => Param::Null,
    }));
    let words = asked.rows(STORE, &params)?.rows.into_iter();
    let of_recipient = |row: Vec<Cell>| match <[Cell; 2]>::try_from(row) {
        Ok([Cell::Int(id), words]) => Some((id, words)),
        _ => None,
    };
    Ok(words.filter_map(of_recipient).collect())
}

/// Fills in the column.
pub(super) fn fill(stored: &BTreeMap<i64, Cell>, hits: &mut Table) {
    let place = |name: &str| hits.columns.iter().position(|column| column == name);
    let (Some(kind), Some(id), Some(to), Some(store)) = (
        place("kind"),
        place("id"),
        place("recipient"),
        place("store"),
    ) else {
        return;
    };
    if stored.is_empty() {
        return;
    }
    for row in &mut hits.rows {
        let (Some(Cell::Text(kind)), Some(Cell::Text(_)), Some(Cell::Int(id))) =
            (row.get(kind), row.get(to), row.get(id))
        else {
            continue;
        };
        if kind == "mail"
            && let Some(words) = stored.get(id)
            && let Some(cell) = row.get_mut(store)
        {
            *cell = words.clone();
        }
    }
}
