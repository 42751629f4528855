//! Own: the statements of this program that anybody may have run in a scope: they are asked of what the scope lets see.
//!
//! Searches are no part of it: they are handed over as requests ([`crate::query::Request`]).

use super::{coverage, near_misses, summary};
use crate::query::found;
use crate::query::story as chain;
use crate::store::status;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Messages that are looked at for names, the youngest: names that came up since stand in them.
const YOUNGEST: u32 = 100_000;

/// Columns of names that logs bring.
const NAMES: [&str; 3] = ["host", "instance", "service"];

/// Returns the statement for the names that logs brought in one of [`NAMES`].
#[must_use]
pub fn names(column: &str) -> Option<String> {
    let column = NAMES.into_iter().find(|name| *name == column)?;
    Some(match column {
        "host" => "SELECT DISTINCT host FROM coverage ORDER BY host".to_owned(),
        _ => format!(
            "SELECT DISTINCT {column} FROM delivery_from \
             WHERE id > (SELECT max(id) FROM delivery_from) - {YOUNGEST} ORDER BY {column}"
        ),
    })
}

/// Returns what the statement belongs to; none when it is not ours.
#[must_use]
pub fn of(sql: &str) -> Option<&'static str> {
    static OWN: OnceLock<HashMap<String, &'static str>> = OnceLock::new();
    let own = OWN.get_or_init(|| {
        let chains = [
            chain::LINKS,
            chain::OF_ROOTS,
            chain::CHILDREN,
            chain::MESSAGES,
            chain::RECIPIENTS,
            chain::ATTEMPTS,
            chain::REFUSALS,
            chain::LATER,
            chain::NEIGHBOURS,
            chain::ACTIONS,
            chain::STORE,
            chain::STORE_BOUNDS,
            chain::LINES,
            chain::REFUSAL_LINES,
        ];
        let named = |list: &[&str], name: &'static str| {
            let list: Vec<_> = list.iter().map(|sql| ((*sql).to_owned(), name)).collect();
            list.into_iter()
        };
        named(&chains, "story")
            .chain(named(&coverage::STATEMENTS, "coverage"))
            .chain(named(&near_misses::STATEMENTS, "near misses"))
            .chain(named(&[found::EXTENT], "extent"))
            .chain(
                NAMES
                    .into_iter()
                    .filter_map(|name| Some((names(name)?, "names"))),
            )
            .chain(found::texts_of_rows().map(|sql| (sql, "rows")))
            .chain(
                summary::statements()
                    .into_iter()
                    .map(|sql| (sql, "summary")),
            )
            .collect()
    });
    let known = own.get(sql).copied();
    known.or_else(|| status::is_part(sql).then_some("status"))
}
