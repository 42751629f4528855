//! Hops: the rows that handed a mail on inside our own systems, folded into the one row that has its fate.
//!
//! A filter, another host of ours, an alias or a requeue makes a new message of a mail. Who asks for the first recipient, the first queue
//! id or the filter as relay means the mail: its hit is the row where it ended, found by walking from the row that matches to the
//! recipients of the messages that continue it. A recipient is continued by the recipient of the same name (or addressed by that name);
//! where the name is another one, by all recipients of the message whose queue id was answered.
//! A row that handed a mail on is a hit itself only where nothing more is known, or where what was asked for is true of it alone (its
//! reply, say). With a status in the query it is none as soon as there is a fate: what was delivered behind a filter is no mail with
//! `-status:sent`.
//! Limits: a mail with `-to:alias` still is found by the recipient behind the alias.

use super::fields::{Field, HOPS};

/// When to show the rows that handed a mail on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hops {
    Always,
    /// Unless the row with the fate is among the hits.
    UnlessFateHit,
    /// Unless there is a row with the fate.
    UnlessFateKnown,
}

/// The pieces of a statement that folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folding {
    /// Behind `WITH`.
    pub(super) keyword: &'static str,
    /// Further tables after `hit`.
    pub(super) tables: String,
    /// The table with all hits.
    pub(super) source: &'static str,
    /// Which of them, as `s`, are shown.
    pub(super) condition: String,
}

impl Default for Folding {
    fn default() -> Self {
        Self {
            keyword: "",
            tables: String::new(),
            source: "hit",
            condition: String::new(),
        }
    }
}

/// A recipient with its message, and the recipient that handed the mail on to it.
pub(super) const CARRIED: &str = "(SELECT unnest(list(l)) AS l FROM last l) l JOIN delivery_to h ON h.id = l.l.start \
                                  JOIN delivery_to t ON t.id = l.l.id JOIN delivery_from f ON f.id = t.from_id";

/// The rows that may have handed on what is asked for, as far as they are no hits themselves, and what carries them on.
#[derive(Debug)]
pub(super) struct Sides {
    pub(super) hop: Option<String>,
    pub(super) carried: String,
}

/// The recipient that the mail was addressed to before.
pub(super) const ASKED_TO: &str =
    "coalesce(t.orig_to, CASE WHEN lower(h.recipient) <> lower(t.recipient) THEN h.recipient END)";

/// Several rows may lead to one.
pub(super) const ONCE: &str = "\n  QUALIFY row_number() OVER (PARTITION BY t.id ORDER BY h.id) = 1";

/// Returns whether the field may be true of the row that handed a mail on and not of the row with its fate.
pub(super) fn is_of_hop(field: &Field) -> bool {
    matches!(
        field.name,
        "to" | "orig_to" | "addr" | "qid" | "remote_qid" | "relay"
    )
}

/// Returns the states of such rows, as SQL.
pub(super) fn words() -> String {
    HOPS.map(|hop| format!("'{hop}'")).join(", ")
}

/// Returns the pieces.
pub(super) fn fold(sides: Option<&Sides>, hops: Hops) -> Folding {
    let words = words();
    let of_hits = format!(
        "  SELECT id FROM hit WHERE kind = 'mail' AND recipient IS NOT NULL AND status IN ({words})"
    );
    let (start, carried, source) = match sides {
        None => (of_hits, String::new(), "hit"),
        Some(Sides { hop, carried }) => (
            hop.as_ref()
                .map_or_else(|| of_hits.clone(), |hop| format!("{hop}\nUNION\n{of_hits}")),
            format!(
                ",\ncarried AS (\n{carried}\n),\nall_hits AS (\n  SELECT * FROM hit\n  UNION ALL\n  \
                 SELECT * FROM carried\n  WHERE id NOT IN (SELECT id FROM hit WHERE kind = 'mail' AND recipient IS NOT NULL)\n)"
            ),
            "all_hits",
        ),
    };
    let known = match hops {
        Hops::UnlessFateHit => {
            format!(
                " WHERE id IN (SELECT id FROM {source} WHERE kind = 'mail' AND recipient IS NOT NULL)"
            )
        }
        _ => String::new(),
    };
    Folding {
        keyword: "RECURSIVE ",
        tables: format!(",\nhop AS (\n{start}\n),\n{}{carried}", walk(&words)),
        source,
        condition: format!(
            "\nWHERE NOT (s.kind = 'mail' AND s.recipient IS NOT NULL AND s.id IN (SELECT start FROM last{known}))"
        ),
    }
}

/// From each such row to the rows behind it, and the last of them.
///
/// The rows pass through lists, as in `narrow.rs`: DuckDB takes what comes out of one for few rows and looks for these in the tables,
/// where it would else hash whole tables to look for each of them.
fn walk(words: &str) -> String {
    format!(
        "walk AS (\n  \
         SELECT t.id AS start, NULL::BIGINT AS before, t.id, t.from_id, t.status, t.remote_queue_id\n  \
         FROM (SELECT unnest(list(id)) AS id FROM hop) h JOIN delivery_to t ON t.id = h.id\n  \
         UNION\n  \
         (WITH here AS MATERIALIZED (SELECT unnest(list(w)) AS w FROM walk w WHERE w.status IN ({words})),\n  \
         beside AS (\n    \
         SELECT a.w.id AS hop, o.id, lower(o.recipient) AS recipient\n    \
         FROM here a JOIN delivery_to o ON o.from_id = a.w.from_id\n    \
         WHERE o.status IN ({words})\n  \
         )\n  \
         SELECT a.w.start, a.w.id, t.id, t.from_id, t.status, t.remote_queue_id\n  \
         FROM here a\n  \
         JOIN delivery_from c ON c.parent_id = a.w.from_id AND c.parent_link IN ('filter', 'relay', 'forward', 'requeue')\n  \
         JOIN delivery_to t ON t.from_id = c.id\n  \
         LEFT JOIN beside o ON o.hop = a.w.id AND (o.recipient = lower(t.recipient) OR o.recipient = lower(t.orig_to))\n  \
         WHERE o.id = a.w.id OR (o.id IS NULL\n    \
         AND (c.parent_link = 'requeue' OR a.w.remote_queue_id IS NULL OR c.queue_id = a.w.remote_queue_id)))\n\
         ),\n\
         last AS (\n  \
         SELECT DISTINCT start, id FROM walk\n  \
         WHERE id <> start AND id NOT IN (SELECT before FROM walk WHERE before IS NOT NULL)\n)"
    )
}
