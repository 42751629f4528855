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

use super::field::Field;
use super::status_words::HOPS;

/// When to show the rows that handed a mail on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hops {
    Always,
    /// Unless the row with the fate is among the hits.
    UnlessFateHit,
    /// Unless there is a row with the fate.
    UnlessFateKnown,
}

/// The recipient that the mail was addressed to before.
pub(super) const ASKED_TO: &str =
    "coalesce(t.orig_to, CASE WHEN lower(h.recipient) <> lower(t.recipient) THEN h.recipient END)";

/// Links by which a message continues another one.
const LINKS: &str = "('filter', 'relay', 'forward', 'requeue')";

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

/// Returns the tables that lead from the rows `here` (`id`, `from_id`, `remote_queue_id`) to those behind them: `heir` has the recipients
/// of the messages that continue theirs, `named` which of these carry on a recipient by its name, `unnamed` has the others.
///
/// The rows pass through lists: DuckDB takes what comes out of one for few rows and looks for these in the tables, where it would else
/// hash whole tables to look for each of them.
fn step() -> String {
    let words = words();
    format!(
        "heir AS MATERIALIZED (\n    \
         SELECT t.id, t.from_id, t.status, t.remote_queue_id, lower(t.recipient) AS recipient, lower(t.orig_to) AS orig_to,\n      \
         c.c.parent_id AS parent_id, c.c.parent_link AS parent_link, c.c.queue_id AS queue_id\n    \
         FROM (SELECT unnest(list(c)) AS c FROM (\n      \
         SELECT c.id, c.parent_id, c.parent_link, c.queue_id FROM delivery_from c\n      \
         WHERE c.parent_id IN (SELECT from_id FROM here) AND c.parent_link IN {LINKS}\n    \
         ) c) c JOIN delivery_to t ON t.from_id = c.c.id\n  \
         ),\n  \
         named AS MATERIALIZED (\n    \
         SELECT e.id, o.id AS hop FROM heir e JOIN delivery_to o ON o.from_id = e.parent_id AND lower(o.recipient) = e.recipient\n    \
         WHERE o.status IN ({words})\n    \
         UNION\n    \
         SELECT e.id, o.id AS hop FROM heir e JOIN delivery_to o ON o.from_id = e.parent_id AND lower(o.recipient) = e.orig_to\n    \
         WHERE o.status IN ({words})\n  \
         ),\n  \
         unnamed AS MATERIALIZED (\n    \
         SELECT * FROM heir WHERE id NOT IN (SELECT id FROM named)\n  )"
    )
}

/// Which rows of `here`, as `a`, an heir `e` of `unnamed` carries on.
const CARRIES: &str =
    "e.parent_link = 'requeue' OR a.remote_queue_id IS NULL OR e.queue_id = a.remote_queue_id";

/// Returns the tables up to `gone`: the hits that another row carries on.
pub(super) fn gone() -> String {
    let here = "here AS MATERIALIZED (\n    \
                SELECT a.a.id AS id, a.a.from_id AS from_id, a.a.remote_queue_id AS remote_queue_id FROM (SELECT unnest(list(a)) AS a FROM (\n      \
                SELECT a.id, a.from_id, a.remote_queue_id FROM hit s JOIN delivery_to a ON a.id = s.id WHERE s.is_hop\n    \
                ) a) a\n  )";
    format!(
        ",\ngone AS (\n  \
         WITH {here},\n  {}\n  \
         SELECT hop AS id FROM named\n  \
         UNION\n  \
         SELECT a.id FROM here a JOIN unnamed e ON e.parent_id = a.from_id\n  \
         WHERE {CARRIES}\n)",
        step()
    )
}

/// Returns the tables up to `last`: from each row of `hop` to the rows behind it, and the last of them.
pub(super) fn walk() -> String {
    let words = words();
    format!(
        ",\nwalk AS (\n  \
         SELECT t.id AS start, NULL::BIGINT AS before, t.id, t.from_id, t.status, t.remote_queue_id\n  \
         FROM (SELECT unnest(list(id)) AS id FROM hop) h JOIN delivery_to t ON t.id = h.id\n  \
         UNION\n  \
         (WITH here AS MATERIALIZED (\n    \
         SELECT w.w.start AS start, w.w.id AS id, w.w.from_id AS from_id, w.w.remote_queue_id AS remote_queue_id\n    \
         FROM (SELECT unnest(list(w)) AS w FROM walk w WHERE w.status IN ({words})) w\n  \
         ),\n  {}\n  \
         SELECT a.start, a.id, e.id, e.from_id, e.status, e.remote_queue_id\n  \
         FROM here a JOIN named n ON n.hop = a.id JOIN heir e ON e.id = n.id\n  \
         UNION ALL\n  \
         SELECT a.start, a.id, e.id, e.from_id, e.status, e.remote_queue_id\n  \
         FROM here a JOIN unnamed e ON e.parent_id = a.from_id\n  \
         WHERE {CARRIES})\n\
         ),\n\
         last AS (\n  \
         SELECT DISTINCT l.l.start AS start, l.l.id AS id FROM (SELECT unnest(list(w)) AS l FROM walk w) l\n  \
         WHERE l.l.id <> l.l.start AND l.l.id NOT IN (SELECT before FROM walk WHERE before IS NOT NULL)\n)",
        step()
    )
}
