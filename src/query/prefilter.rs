//! Prefilter: what is known of the rows that match, looked for in few columns.
//!
//! A row has forty columns, and DuckDB unpacks every column that a statement returns for all rows of the window before it applies a
//! condition that it cannot hand to the scan (any function of a column, any OR). So each part of a search first collects times and ids
//! with the columns that are asked about; the rows themselves are fetched by these. An OR of columns is asked column by column, for the
//! same reason: each branch reads only the tables that it is about.
//!
//! Limits: ORs with more branches than [`MOST_BRANCHES`] are asked as one, for each branch reads the table again.

use super::condition::Condition;
use super::found::Slice;
use super::sql::Part;
use super::writer::Writer;
use crate::model::table::Param;
use crate::model::time::Time;

/// Branches of an OR that are asked one by one.
const MOST_BRANCHES: usize = 6;

/// Returns the statement for the rows of a part that match, within the slice.
///
/// `since` holds of every hit: no row whose message ended before can match.
pub(super) fn select(
    writer: &mut Writer,
    part: Part,
    condition: &Condition,
    slice: Slice,
    since: Option<Time>,
) -> String {
    let terms = match condition {
        Condition::Always => &[],
        Condition::And(list) => list.as_slice(),
        other => std::slice::from_ref(other),
    };
    let branches = terms.iter().enumerate().find_map(|(at, term)| match term {
        Condition::Or(list) if list.len() <= MOST_BRANCHES => Some((at, list)),
        _ => None,
    });
    let since = since.max(slice.from);
    let selects: Vec<String> = match branches {
        None => vec![branch(
            writer,
            part,
            &terms.iter().collect::<Vec<_>>(),
            slice,
            since,
        )],
        Some((at, list)) => list
            .iter()
            .map(|one| {
                let others = terms.iter().enumerate().filter(|(i, _)| *i != at);
                let mut terms: Vec<&Condition> = others.map(|(_, term)| term).collect();
                terms.push(one);
                branch(writer, part, &terms, slice, since)
            })
            .collect(),
    };
    let found = selects.join("\n  UNION\n");
    match part {
        Part::Message => format!(
            "  (WITH asked AS MATERIALIZED (\n{found}\n  )\n  SELECT * FROM asked WHERE id NOT IN (\n    \
             SELECT t.from_id FROM delivery_to t WHERE t.from_id IN (SELECT unnest(list(id)) FROM asked)\n  ))"
        ),
        _ => found,
    }
}

/// Returns the statement for rows of which all terms are true.
pub(super) fn branch(
    writer: &mut Writer,
    part: Part,
    terms: &[&Condition],
    slice: Slice,
    since: Option<Time>,
) -> String {
    let names = |table| terms.iter().any(|term| names(term, table));
    let joins_first = names("r.");
    let joins_message = joins_first || names("f.");
    let mut sql = format!(
        "  SELECT {}\n  FROM {}",
        part.found(),
        part.table(joins_message)
    );
    if joins_first {
        sql.push_str(" LEFT JOIN delivery_from r ON r.id = f.root_id");
    }
    let mut all: Vec<String> = terms.iter().map(|term| writer.condition(term)).collect();
    if let Some(time) = part.time() {
        all.extend(slice.condition(writer, time));
    }
    if part == Part::Recipient && joins_message {
        let since = since.map(|since| format!("f.updated >= {}", writer.bind(Param::Time(since))));
        all.extend(since);
    }
    if !all.is_empty() {
        sql.push_str("\n  WHERE ");
        sql.push_str(&all.join("\n    AND "));
    }
    sql
}

/// Returns whether a column of that table is asked about.
fn names(condition: &Condition, table: &str) -> bool {
    match condition {
        Condition::Always | Condition::Never => false,
        Condition::And(list) | Condition::Or(list) => list.iter().any(|c| names(c, table)),
        Condition::Leaf(sql, _) => sql.contains(table),
    }
}
