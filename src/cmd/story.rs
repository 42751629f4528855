//! Fetches the whole chain of each mail found, for its story.

use crate::answers::Answers;
use crate::model::table::{Cell, Param, Table};
use crate::query::story::{ATTEMPTS, MESSAGES, RECIPIENTS};
use crate::render::Style;
use crate::render::story::{self, StoryInput};
use crate::store::Error;
use anyhow::Result;
use std::collections::BTreeSet;
use std::io::Write;

/// Stories that are told at once.
const MOST: usize = 20;

/// A notice belongs to the story of the message that it is about.
const ROOT: &str = "\
SELECT coalesce(p.root_id, f.root_id)
FROM delivery_from f LEFT JOIN delivery_from p ON p.id = f.parent_id
WHERE f.id = $1";

/// Writes a story for each mail among the hits, each chain once, and the refusals.
///
/// # Errors
/// When the database fails or `out` cannot take it.
pub fn write(store: &Answers, hits: &Table, style: &Style, out: &mut dyn Write) -> Result<()> {
    let roots = roots(store, hits)?;
    for (i, root) in roots.iter().take(MOST).enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        story::write(&fetch(store, *root)?, style, out)?;
    }
    if roots.len() > MOST {
        writeln!(
            out,
            "\nand {} more mails: narrow the question, or use -o table",
            roots.len() - MOST
        )?;
    }
    story::write_refusals(hits, style, out)?;
    Ok(())
}

/// Returns the first message of each chain, in the order of the hits.
fn roots(store: &Answers, hits: &Table) -> Result<Vec<i64>, Error> {
    let column = |name: &str| hits.columns.iter().position(|c| c == name);
    let (Some(kind), Some(id)) = (column("kind"), column("from_id")) else {
        return Ok(Vec::new());
    };
    let mut seen = BTreeSet::new();
    let mut roots = Vec::new();
    for row in &hits.rows {
        let is_mail = row.get(kind) == Some(&Cell::Text("mail".to_owned()));
        let Some(Cell::Int(id)) = row.get(id).filter(|_| is_mail) else {
            continue;
        };
        if roots.len() > MOST {
            // Only their number is told.
            roots.push(*id);
            continue;
        }
        let found = store.select(ROOT, &[Param::Int(*id)])?;
        if let Some([Cell::Int(root)]) = found.rows.first().map(Vec::as_slice)
            && seen.insert(*root)
        {
            roots.push(*root);
        }
    }
    Ok(roots)
}

fn fetch(store: &Answers, root: i64) -> Result<StoryInput, Error> {
    let root = [Param::Int(root)];
    Ok(StoryInput {
        messages: store.select(MESSAGES, &root)?,
        recipients: store.select(RECIPIENTS, &root)?,
        attempts: store.select(ATTEMPTS, &root)?,
    })
}
