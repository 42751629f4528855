//! Fetches the whole chain of a mail for its story.

use crate::model::table::{Cell, Param, Table};
use crate::render::Style;
use crate::render::hit::{Hit, hits};
use crate::render::story::{self, StoryInput};
use crate::store::{Error, Store};
use anyhow::Result;
use std::collections::BTreeSet;
use std::io::Write;

/// Stories that are told in full; more hits are named by their number.
const MOST: usize = 20;

/// Every message that is tied to `$1` by parent links, upwards and downwards.
const CHAIN: &str = "\
WITH RECURSIVE up AS (
    SELECT id, parent_id FROM delivery_from WHERE id = $1
    UNION
    SELECT f.id, f.parent_id FROM delivery_from f JOIN up ON f.id = up.parent_id
),
chain AS (
    SELECT id FROM up
    UNION
    SELECT f.id FROM delivery_from f JOIN chain ON f.parent_id = chain.id
)
SELECT id FROM chain ORDER BY id";

const MESSAGES: &str = "SELECT * FROM delivery_from WHERE id IN (SELECT unnest(string_split($1, ','))::BIGINT) ORDER BY time, id";

/// `has_child`: a later message of the chain carries the fate on.
const RECIPIENTS: &str = "\
SELECT t.*, EXISTS (SELECT 1 FROM delivery_from f WHERE f.parent_id = t.from_id) AS has_child
FROM delivery_to t
WHERE t.from_id IN (SELECT unnest(string_split($1, ','))::BIGINT)
ORDER BY t.time, t.id";

const ATTEMPTS: &str = "\
SELECT t.recipient, t.queue_id, a.*
FROM attempt a JOIN delivery_to t ON t.id = a.to_id
WHERE a.from_id IN (SELECT unnest(string_split($1, ','))::BIGINT)
ORDER BY a.time, a.to_id";

const REFUSALS: &str = "\
SELECT * FROM noqueue
WHERE from_id IN (SELECT unnest(string_split($1, ','))::BIGINT)
ORDER BY time, id";

/// Writes a story for each mail among the hits, each chain once.
///
/// # Errors
/// When the database fails or `out` cannot take it.
pub fn write(store: &Store, table: &Table, style: &Style, out: &mut dyn Write) -> Result<()> {
    let mut told = BTreeSet::new();
    let mut stories = 0;
    for hit in hits(table) {
        if is_told(&hit, &told) {
            continue;
        }
        if stories == MOST {
            writeln!(out, "\nand more: only {MOST} stories are told at once, narrow the question or use -o table")?;
            break;
        }
        if stories > 0 {
            writeln!(out)?;
        }
        stories += 1;
        match (hit.is_refusal(), hit.int("from_id")) {
            (false, Some(id)) => {
                let chain = chain(store, id)?;
                story::write(&fetch(store, &chain)?, style, out)?;
                told.extend(chain);
            }
            _ => story::refusal(&hit, style, out)?,
        }
    }
    Ok(())
}

fn is_told(hit: &Hit<'_>, told: &BTreeSet<i64>) -> bool {
    !hit.is_refusal() && hit.int("from_id").is_some_and(|id| told.contains(&id))
}

fn chain(store: &Store, id: i64) -> Result<Vec<i64>, Error> {
    let table = store.select(CHAIN, &[Param::Int(id)])?;
    let ids = table.rows.iter().filter_map(|row| match row.first() {
        Some(Cell::Int(id)) => Some(*id),
        _ => None,
    });
    Ok(ids.collect())
}

fn fetch(store: &Store, chain: &[i64]) -> Result<StoryInput, Error> {
    let ids: Vec<String> = chain.iter().map(ToString::to_string).collect();
    let ids = [Param::Text(ids.join(","))];
    Ok(StoryInput {
        messages: store.select(MESSAGES, &ids)?,
        recipients: store.select(RECIPIENTS, &ids)?,
        attempts: store.select(ATTEMPTS, &ids)?,
        refusals: store.select(REFUSALS, &ids)?,
    })
}
