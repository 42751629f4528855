//! Narrow: the ids of the rows that match, looked for in few columns.
//!
//! A row has forty columns, and DuckDB unpacks every column that a statement returns for all rows of the window before it applies a
//! condition that it cannot hand to the scan (any function of a column, any OR). So each part of a search first collects ids from the
//! columns that are asked about; the rows themselves are fetched by them. An OR of columns is asked column by column, for the same reason.
//!
//! The ids pass through a list: where DuckDB knows their range it joins them as smaller integers, and then no zone map is used.
//!
//! Limits: ORs with more branches than [`MOST_BRANCHES`] are asked as one, for each branch reads the table again.

use super::sql::{Condition, Part, Writer};
use crate::model::table::Param;
use crate::model::time::Time;

/// Branches of an OR that are asked one by one.
const MOST_BRANCHES: usize = 6;

/// Returns the tables of a part, joined to the ids that match; none where nothing is gained, because only times are asked about.
///
/// `since` holds of every hit: no row whose message ended before can match.
pub(super) fn tables(
    writer: &mut Writer,
    part: Part,
    condition: &Condition,
    asks_root: bool,
    since: Option<Time>,
) -> Option<String> {
    let terms = match condition {
        Condition::Always | Condition::Never => return None,
        Condition::And(list) => list.as_slice(),
        other => std::slice::from_ref(other),
    };
    if terms.iter().all(|term| is_of_time(part, term)) {
        return None;
    }
    let branches = terms.iter().enumerate().find_map(|(at, term)| match term {
        Condition::Or(list) if list.len() <= MOST_BRANCHES => Some((at, list)),
        _ => None,
    });
    let select = |writer: &mut Writer, terms: &[&Condition]| {
        let joins_message =
            part == Part::Recipient && (asks_root || terms.iter().any(|term| names(term, "f.")));
        let mut sql = format!(
            "    SELECT {} FROM {}",
            part.ids(),
            part.table(joins_message)
        );
        if asks_root {
            sql.push_str(" LEFT JOIN delivery_from r ON r.id = f.root_id");
        }
        let mut all: Vec<String> = terms.iter().map(|term| writer.condition(term)).collect();
        if let Some(since) = since.filter(|_| joins_message) {
            all.push(format!("f.updated >= {}", writer.bind(Param::Time(since))));
        }
        format!("{sql}\n    WHERE {}", all.join("\n      AND "))
    };
    let selects: Vec<String> = match branches {
        None => vec![select(writer, &terms.iter().collect::<Vec<_>>())],
        Some((at, list)) => list
            .iter()
            .map(|branch| {
                let others = terms.iter().enumerate().filter(|(i, _)| *i != at);
                let mut terms: Vec<&Condition> = others.map(|(_, term)| term).collect();
                terms.push(branch);
                select(writer, &terms)
            })
            .collect(),
    };
    let selects = selects.join("\n    UNION\n");
    let mut found = format!("SELECT unnest(list(m)) AS m FROM (\n{selects}\n    ) m");
    if part == Part::Message {
        found = format!(
            "WITH asked AS MATERIALIZED (\n    {found}\n    )\n    SELECT m FROM asked WHERE m.id NOT IN (\n      \
             SELECT t.from_id FROM delivery_to t WHERE t.from_id IN (SELECT s.m.id FROM asked s)\n    )"
        );
    }
    Some(format!("(\n    {found}\n  ) u JOIN {}", part.fetched()))
}

/// Returns whether only the part's times are asked about, which zone maps answer.
fn is_of_time(part: Part, condition: &Condition) -> bool {
    let (last, first) = part.times();
    match condition {
        Condition::Always | Condition::Never => true,
        Condition::And(list) | Condition::Or(list) => list.iter().all(|c| is_of_time(part, c)),
        Condition::Leaf(sql, _) => [last, first].iter().any(|time| sql.starts_with(time)),
    }
}

/// Returns whether a column of that table is asked about.
pub(super) fn names(condition: &Condition, table: &str) -> bool {
    match condition {
        Condition::Always | Condition::Never => false,
        Condition::And(list) | Condition::Or(list) => list.iter().any(|c| names(c, table)),
        Condition::Leaf(sql, _) => sql.contains(table),
    }
}
