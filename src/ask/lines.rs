//! Lines: the log lines of what a search finds, each mail's and each refusal's together.
//!
//! Promises: a few statements for many mails, whatever their number: each reads whole columns. Memory is that of the lines of one
//! batch.

use super::Ask;
use super::cells::{among, column, int, text};
use super::story::{chains, roots};
use super::tries;
use crate::model::table::{Cell, Param, Table};
use crate::query::story::{LINES, NEIGHBOURS, REFUSAL_LINES};
use crate::store::Error;
use std::collections::{BTreeMap, BTreeSet};

/// Mails and refusals whose lines are fetched at once.
const BATCH: usize = 256;

/// Hands on the log lines of one thing that was found after the other: none where they are not kept.
///
/// `told` has the mails that were handed on before; they are left out.
///
/// # Errors
/// When the database fails, or `take` does.
pub fn lines<E: From<Error>>(
    asked: &dyn Ask,
    hits: &Table,
    told: &mut BTreeSet<i64>,
    mut take: impl FnMut(&[String]) -> Result<(), E>,
) -> Result<(), E> {
    let (kind, id) = (column(hits, "kind"), column(hits, "id"));
    let from_id = column(hits, "from_id");
    let tries = hits.rows.iter().filter(|row| tries::is_try(hits, row));
    let tries: BTreeSet<i64> = tries.filter_map(|row| int(row, from_id)).collect();
    let roots = roots(asked, hits, usize::MAX)?;
    let mails = tries.into_iter().chain(roots);
    let mails: Vec<i64> = mails.filter(|root| told.insert(*root)).collect();
    for batch in mails.chunks(BATCH) {
        for lines in of_mails(asked, batch)? {
            take(&lines)?;
        }
    }
    let refusals = hits.rows.iter();
    let refusals = refusals.filter(|row| text(row, kind) == Some("refused"));
    let refusals: Vec<i64> = refusals.filter_map(|row| int(row, id)).collect();
    for batch in refusals.chunks(BATCH) {
        let mut lines = Grouped::default();
        for row in asked.rows(REFUSAL_LINES, &among(batch))?.rows {
            let id: Option<Vec<i64>> = int(&row, Some(1)).map(|id| vec![id]);
            lines.add(row, id.as_ref());
        }
        for id in batch {
            take(&lines.take(*id))?;
        }
    }
    Ok(())
}

/// Returns the lines of each mail, by the first message of its chain.
fn of_mails(asked: &dyn Ask, roots: &[i64]) -> Result<Vec<Vec<String>>, Error> {
    let mut mails_of: Groups = Groups::new();
    for (root, chain) in chains(asked, roots)? {
        for id in chain {
            mails_of.entry(id).or_default().push(root);
        }
    }
    let messages: Vec<i64> = mails_of.keys().copied().collect();
    let mut mails_beside: Groups = Groups::new();
    for row in asked.rows(NEIGHBOURS, &among(&messages))?.rows {
        if let (Some(id), Some(from)) = (int(&row, Some(0)), int(&row, Some(2))) {
            let mails = mails_beside.entry(id).or_default();
            let others = mails_of.get(&from).into_iter().flatten();
            let others: Vec<i64> = others
                .filter(|mail| !mails.contains(mail))
                .copied()
                .collect();
            mails.extend(others);
        }
    }
    let beside: Vec<i64> = mails_beside.keys().copied().collect();
    let params: Vec<Param> = among(&messages).into_iter().chain(among(&beside)).collect();
    let mut lines = Grouped::default();
    for row in asked.rows(LINES, &params)?.rows {
        let of_message = int(&row, Some(1)).and_then(|id| mails_of.get(&id));
        let of_statement = int(&row, Some(2)).and_then(|id| mails_beside.get(&id));
        lines.add(row, of_message.or(of_statement));
    }
    Ok(roots.iter().map(|root| lines.take(*root)).collect())
}

/// What an id belongs to.
type Groups = BTreeMap<i64, Vec<i64>>;

/// Lines by what they belong to, in the order in which they come.
#[derive(Default)]
struct Grouped(BTreeMap<i64, Vec<String>>);

impl Grouped {
    /// Adds the line in the first column of the row.
    fn add(&mut self, row: Vec<Cell>, groups: Option<&Vec<i64>>) {
        if let Some(Cell::Text(line)) = row.into_iter().next() {
            for group in groups.into_iter().flatten() {
                self.0.entry(*group).or_default().push(line.clone());
            }
        }
    }

    fn take(&mut self, group: i64) -> Vec<String> {
        self.0.remove(&group).unwrap_or_default()
    }
}
