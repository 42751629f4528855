//! The search as one plain statement: whole rows of all that matches, then the walk over all of them, then the limit.
//!
//! Slow and hungry, but easy to see through: what finds by ids and in slices must give the same rows (`same.rs`).

use crate::model::table::Param;
use crate::query::condition::{self, Condition};
use crate::query::hops::{ASKED_TO, Hops};
use crate::query::plan::Rule;
use crate::query::sql::Part;
use crate::query::status_words::HOPS;
use crate::query::writer::{Statement, Writer};

/// Returns the statement for what must hold.
#[expect(
    clippy::too_many_lines,
    reason = "one statement, read from top to bottom"
)]
pub(super) fn statement(rule: &Rule, hops: Hops, limit: Option<u64>) -> Statement {
    let mut writer = Writer::default();
    let mut parts: Vec<String> = Vec::new();
    for part in Part::HITS {
        let condition = condition::compile(rule, part, false);
        let table = match part {
            Part::Recipient => "delivery_to t JOIN delivery_from f ON f.id = t.from_id",
            Part::Message => "delivery_from f",
            _ => "noqueue n",
        };
        parts.push(select(&mut writer, part, table, &condition));
    }
    let hits = parts.join("\nUNION ALL\n");
    let words = HOPS.map(|hop| format!("'{hop}'")).join(", ");
    let mut tables = format!("hit AS (\n{hits}\n)");
    let (mut source, mut shown) = ("hit", String::new());
    if hops != Hops::Always {
        let of_hits = format!(
            "SELECT id FROM hit WHERE kind = 'mail' AND recipient IS NOT NULL AND status IN ({words})"
        );
        let mut start = of_hits;
        let names_hop = condition::names_hop(rule, false);
        let [mut hop, recipient] =
            [Part::Hop, Part::Recipient].map(|part| condition::compile(rule, part, false));
        let are_hits = hop == recipient;
        // A fate outside of the time asked for is no hit because of what is true of it alone.
        if rule.window() != (None, None) {
            hop = condition::differs(rule, false);
        }
        if names_hop && !are_hits {
            start.push_str(&format!(
                " UNION SELECT t.id FROM delivery_to t JOIN delivery_from f ON f.id = t.from_id WHERE t.status IN ({words}) AND {}",
                writer.condition(&hop)
            ));
        }
        tables.push_str(&format!(",\nhop AS ({start}),\n{}", walk(&words)));
        if names_hop {
            let condition = if are_hits {
                Condition::Always
            } else {
                condition::compile(rule, Part::Carried, false)
            };
            let carried = select(
                &mut writer,
                Part::Carried,
                "last l JOIN delivery_to h ON h.id = l.start JOIN delivery_to t ON t.id = l.id JOIN delivery_from f ON f.id = t.from_id",
                &condition,
            );
            tables.push_str(&format!(
                ",\ncarried AS (\n{carried} QUALIFY row_number() OVER (PARTITION BY t.id ORDER BY h.id) = 1),\nall_hits AS (
                SELECT * FROM hit UNION ALL SELECT * FROM carried
                WHERE id NOT IN (SELECT id FROM hit WHERE kind = 'mail' AND recipient IS NOT NULL))"
            ));
            source = "all_hits";
        }
        let known = if hops == Hops::UnlessFateHit {
            format!(
                " WHERE id IN (SELECT id FROM {source} WHERE kind = 'mail' AND recipient IS NOT NULL)"
            )
        } else {
            String::new()
        };
        shown = format!(
            " WHERE NOT (s.kind = 'mail' AND s.recipient IS NOT NULL AND s.id IN (SELECT start FROM last{known}))"
        );
    }
    // A message that was refused as a whole is one event.
    let word = if shown.is_empty() { " WHERE" } else { " AND" };
    shown.push_str(&format!(
        "{word} NOT (s.kind = 'refused' AND s.from_id IS NOT NULL
        AND (s.protocol_state NOT IN ('CONNECT', 'HELO', 'EHLO', 'MAIL', 'RCPT') OR s.service = 'cleanup' OR ends_with(s.service, '/cleanup'))
        AND s.from_id IN (SELECT from_id FROM {source} WHERE kind = 'mail' AND message_status = 'rejected'))"
    ));
    let limit = limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap());
    let limit = writer.bind(Param::Int(limit));
    writer.done(format!(
        "WITH RECURSIVE {tables}\nSELECT * FROM (SELECT * FROM {source} s{shown} ORDER BY time DESC, kind DESC, id DESC LIMIT {limit})\n\
         ORDER BY time, kind, id"
    ))
}

fn select(writer: &mut Writer, part: Part, table: &str, condition: &Condition) -> String {
    let root = if part == Part::Refusal {
        ""
    } else {
        " LEFT JOIN delivery_from r ON r.id = f.root_id"
    };
    let alone = if part == Part::Message {
        " AND NOT EXISTS (SELECT 1 FROM delivery_to t WHERE t.from_id = f.id)"
    } else {
        ""
    };
    let condition = writer.condition(condition);
    format!(
        "SELECT {} FROM {table}{root} WHERE {condition}{alone}",
        part.select()
    )
}

/// From each such row to the rows behind it, and the last of them.
fn walk(words: &str) -> String {
    assert!(ASKED_TO.contains("h.recipient"));
    format!(
        "walk AS (
        SELECT t.id AS start, NULL::BIGINT AS before, t.id, t.from_id, t.status, t.remote_queue_id
        FROM hop h JOIN delivery_to t ON t.id = h.id
        UNION
        (WITH here AS MATERIALIZED (SELECT * FROM walk w WHERE w.status IN ({words})),
        beside AS (
            SELECT a.id AS hop, o.id, lower(o.recipient) AS recipient
            FROM here a JOIN delivery_to o ON o.from_id = a.from_id
            WHERE o.status IN ({words})
        )
        SELECT a.start, a.id, t.id, t.from_id, t.status, t.remote_queue_id
        FROM here a
        JOIN delivery_from c ON c.parent_id = a.from_id AND c.parent_link IN ('filter', 'relay', 'forward', 'requeue')
        JOIN delivery_to t ON t.from_id = c.id
        LEFT JOIN beside o ON o.hop = a.id AND (o.recipient = lower(t.recipient) OR o.recipient = lower(t.orig_to))
        WHERE o.id = a.id OR (o.id IS NULL
            AND (c.parent_link = 'requeue' OR a.remote_queue_id IS NULL OR c.queue_id = a.remote_queue_id)))
        ),
        last AS (
        SELECT DISTINCT start, id FROM walk
        WHERE id <> start AND id NOT IN (SELECT before FROM walk WHERE before IS NOT NULL)
        )"
    )
}
