//! Found: which rows a search shows, first by times and ids alone, then the rows themselves.
//!
//! ```text
//! hit      rows that match: time, part, id, from_id
//! hop      of them and of others: those that handed a mail on      -> walk -> last: the rows with their fates
//! carried  fates that are hits because of the row before them
//! found    what is shown of both, the newest where there is a limit
//! ```
//! Only what is found is joined with the forty columns of a row. Without a limit that may be more than fits into memory: then the ids
//! are asked for alone, by [`Search::ids`], and the rows of some thousand of them at a time, by [`rows_of`]. Where even the ids are too
//! many, they are asked for in slices of the hits' times.
//!
//! Limits: a search that asks for what only the row before the fate has (a recipient, a queue id, a relay) has no slices
//! ([`Search::has_slices`]): the fate may be days behind that row.

use super::condition::{self, Condition};
use super::hops::{self, Hops};
use super::plan::{Rule, Test};
use super::prefilter;
use super::sql::Part;
use super::turned;
use super::writer::{Statement, Writer};
use crate::model::hits;
use crate::model::table::Param;
use crate::model::time::Time;
use serde::{Deserialize, Serialize};

/// How many rows the tables have, and of which times.
pub const EXTENT: &str = "\
SELECT
    (SELECT count(*) FROM delivery_to) + (SELECT count(*) FROM noqueue),
    least((SELECT min(time) FROM delivery_to), (SELECT min(time) FROM noqueue)),
    greatest((SELECT max(time) FROM delivery_to), (SELECT max(time) FROM noqueue))";

/// A part of all times: hits whose time is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Slice {
    /// Not before; none: from the first one on.
    pub from: Option<Time>,
    /// Not from then on; none: up to the last one.
    pub until: Option<Time>,
}

impl Slice {
    /// All times.
    pub const WHOLE: Self = Self {
        from: None,
        until: None,
    };

    pub(super) fn condition(self, writer: &mut Writer, time: &str) -> Vec<String> {
        let ends = [(self.from, ">="), (self.until, "<")];
        let bound = |(end, sign): (Option<Time>, &str)| {
            let end = writer.bind(Param::Time(end?));
            Some(format!("{time} {sign} {end}"))
        };
        ends.into_iter().filter_map(bound).collect()
    }
}

/// A row that is shown, before it is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it is: see `Part::number`.
    pub part: u8,
    /// Its id.
    pub id: i64,
    /// The id of its message; of a refusal that of the message that it turned away, else 0.
    pub from_id: i64,
    /// The recipient that handed the mail on to it, where that one was asked for; else 0.
    pub hop_id: i64,
}

impl Found {
    /// Returns whether it is a recipient of a message.
    #[must_use]
    pub const fn is_recipient(&self) -> bool {
        self.part == Part::Recipient.number() || self.part == Part::Carried.number()
    }
}

/// A search whose meaning is settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    pub(super) rule: Rule,
    pub(super) hops: Hops,
    pub(super) limit: Option<u64>,
}

impl Search {
    pub(super) const fn new(rule: Rule, hops: Hops, limit: Option<u64>) -> Self {
        Self { rule, hops, limit }
    }

    /// At most this many hits, the newest.
    #[must_use]
    pub const fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// Returns whether few rows can match, and these are found at once: each alternative names an address or id.
    #[must_use]
    pub fn is_pointed(&self) -> bool {
        is_pointed(&self.rule)
    }

    /// Returns whether the hits of a slice are those of the whole that lie in it.
    #[must_use]
    pub fn has_slices(&self) -> bool {
        self.hops == Hops::Always || !condition::names_hop(&self.rule, false)
    }

    /// Returns the one statement that has all columns of all hits, in the order of time.
    pub(super) fn rows(&self) -> Statement {
        let mut writer = Writer::default();
        let rows = self.all_rows(&mut writer);
        writer.done(format!("{rows}\nORDER BY time, kind, id"))
    }

    /// Returns the rows in any order.
    pub(super) fn all_rows(&self, writer: &mut Writer) -> String {
        let tables = self.found(writer, Slice::WHOLE, self.limit);
        let parts = self.parts();
        let rows: Vec<String> = parts
            .iter()
            .map(|part| {
                let few = format!(
                    "SELECT u.u.id AS id, u.u.from_id AS from_id, u.u.hop_id AS hop_id\n  \
                     FROM (SELECT unnest(list(s)) AS u FROM found s WHERE s.part = {}) u",
                    part.number()
                );
                row(*part, &few)
            })
            .collect();
        let names = hits::names().join(", ");
        format!(
            "{tables}\nSELECT {names}\nFROM (\n{}\n)",
            rows.join("\nUNION ALL\n")
        )
    }

    /// Returns the statement for what is found in the slice, oldest first: time, part, id, `from_id`, `hop_id`; with a limit the newest.
    #[must_use]
    pub fn ids(&self, slice: Slice, limit: Option<u64>) -> Statement {
        let mut writer = Writer::default();
        let tables = self.found(&mut writer, slice, limit);
        writer.done(format!(
            "{tables}\nSELECT time, part, id, from_id, hop_id\nFROM found\nORDER BY time, part = {}, id, part",
            Part::Refusal.number()
        ))
    }

    /// Returns the statement for the number of hits in the slice; the limit is not heeded.
    #[must_use]
    pub fn count(&self, slice: Slice) -> Statement {
        let mut writer = Writer::default();
        let tables = self.found(&mut writer, slice, None);
        writer.done(format!("{tables}\nSELECT count(*) AS count\nFROM found"))
    }

    /// Returns the parts that may be found.
    fn parts(&self) -> Vec<Part> {
        let can_be = |part: &Part| condition::compile(&self.rule, *part, false) != Condition::Never;
        let mut parts: Vec<Part> = Part::HITS.into_iter().filter(can_be).collect();
        if self.walks(&parts) && condition::names_hop(&self.rule, false) {
            parts.push(Part::Carried);
        }
        if parts.is_empty() {
            parts.push(Part::Refusal);
        }
        parts
    }

    fn walks(&self, parts: &[Part]) -> bool {
        self.hops != Hops::Always && parts.iter().any(|part| *part != Part::Refusal)
    }

    /// Returns the table `hit` and the parts that it may have.
    fn hit(&self, writer: &mut Writer, slice: Slice) -> (Vec<Part>, String) {
        let since = self.rule.window().0;
        let mut hits: Vec<String> = Vec::new();
        let mut parts = Vec::new();
        for part in Part::HITS {
            let condition = condition::compile(&self.rule, part, false);
            if condition != Condition::Never {
                parts.push(part);
                hits.push(prefilter::select(writer, part, &condition, slice, since));
            }
        }
        if parts.is_empty() {
            let never = [&Condition::Never];
            hits.push(prefilter::branch(
                writer,
                Part::Refusal,
                &never,
                Slice::WHOLE,
                None,
            ));
        }
        (
            parts,
            format!("hit AS (\n{}\n)", hits.join("\nUNION ALL\n")),
        )
    }

    /// Returns the tables up to `found`, with the word in front of them.
    fn found(&self, writer: &mut Writer, slice: Slice, limit: Option<u64>) -> String {
        let (parts, mut sql) = self.hit(writer, slice);
        let hidden = match (self.walks(&parts), self.hops) {
            (false, _) | (_, Hops::Always) => None,
            (_, Hops::UnlessFateKnown) if !condition::names_hop(&self.rule, false) => {
                sql.push_str(&hops::gone());
                Some("SELECT id FROM gone".to_owned())
            }
            _ => Some(self.walk(writer, slice, &mut sql)),
        };
        let has_carried = sql.contains(",\ncarried AS");
        let turns = parts.contains(&Part::Refusal) && parts.len() > 1;
        if turns {
            sql.push_str(&self.turned(writer, has_carried));
        }
        let mut shown =
            "  SELECT s.time, s.part, s.id, s.from_id, 0::BIGINT AS hop_id\n  FROM hit s"
                .to_owned();
        let hidden = hidden.map(|hidden| format!("NOT (s.is_hop AND s.id IN ({hidden}))"));
        let refusal = Part::Refusal.number();
        let turned = turns
            .then(|| format!("NOT (s.part = {refusal} AND s.from_id IN (SELECT id FROM turned))"));
        let all: Vec<String> = hidden.into_iter().chain(turned).collect();
        if !all.is_empty() {
            shown.push_str("\n  WHERE ");
            shown.push_str(&all.join("\n    AND "));
        }
        if has_carried {
            shown.push_str(
                "\n  UNION ALL\n  SELECT c.time, c.part, c.id, c.from_id, c.hop_id\n  FROM carried c\n  \
                 WHERE c.id NOT IN (SELECT id FROM hit WHERE part = 0)",
            );
        }
        if let Some(limit) = limit {
            let limit = writer.bind(Param::Int(i64::try_from(limit).unwrap_or(i64::MAX)));
            // DuckDB takes a union with an order for one that is recursive.
            shown = format!(
                "  SELECT * FROM (\n{shown}\n  )\n  ORDER BY time DESC, part = {refusal} DESC, id DESC, part\n  LIMIT {limit}"
            );
        }
        format!("WITH RECURSIVE {sql},\nfound AS MATERIALIZED (\n{shown}\n)")
    }

    /// Returns the table of the messages that were refused as a whole and that a row of theirs tells, whatever slice that row is in.
    fn turned(&self, writer: &mut Writer, has_carried: bool) -> String {
        let of_part = |(part, more): (Part, String)| {
            let condition = condition::compile(&self.rule, part, false);
            let asked = Condition::Leaf(more, Vec::new());
            let rejected = Condition::Leaf("f.status = 'rejected'".to_owned(), Vec::new());
            let terms = [&asked, &rejected, &condition];
            let rows = prefilter::branch(writer, part, &terms, Slice::WHOLE, None);
            (condition != Condition::Never)
                .then(|| format!("  SELECT from_id AS id FROM (\n{rows}\n  )"))
        };
        let asked = turned::ASKED;
        let parts = [
            (Part::Recipient, format!("t.from_id IN ({asked})")),
            (
                Part::Message,
                format!(
                    "f.id IN ({asked}) AND NOT EXISTS (SELECT 1 FROM delivery_to t WHERE t.from_id = f.id)"
                ),
            ),
        ];
        let mut rows: Vec<String> = parts.into_iter().filter_map(of_part).collect();
        if has_carried {
            rows.push(
                "  SELECT c.from_id AS id FROM carried c JOIN delivery_from f ON f.id = c.from_id WHERE f.status = 'rejected'"
                    .to_owned(),
            );
        }
        format!(",\nturned AS (\n{}\n)", rows.join("\n  UNION ALL\n"))
    }

    /// Writes the tables for the rows that handed a mail on and their fates; returns the statement for the ids that are not shown.
    fn walk(&self, writer: &mut Writer, slice: Slice, sql: &mut String) -> String {
        let hops_of_hits = "SELECT id FROM hit WHERE is_hop";
        let names_hop = condition::names_hop(&self.rule, false);
        let [asked, recipient] =
            [Part::Hop, Part::Recipient].map(|part| condition::compile(&self.rule, part, false));
        // Where the rows that handed it on are among the hits already, nothing else is asked of what carries it on.
        let are_hits = asked == recipient;
        let mut start = hops_of_hits.to_owned();
        if names_hop && !are_hits {
            let is_hop = format!("t.status IN ({})", hops::words());
            let is_hop = Condition::Leaf(is_hop, Vec::new());
            let condition = condition::differs(&self.rule, false);
            let all = [&is_hop, &condition];
            let hop = prefilter::branch(writer, Part::Hop, &all, Slice::WHOLE, None);
            start = format!("{hop}\n  UNION\n  {hops_of_hits}");
        }
        sql.push_str(",\nhop AS (\n  ");
        sql.push_str(start.trim_start());
        sql.push_str("\n)");
        sql.push_str(&hops::walk());
        if names_hop {
            let condition = if are_hits {
                Condition::Always
            } else {
                condition::compile(&self.rule, Part::Carried, false)
            };
            let terms: Vec<&Condition> = std::iter::once(&condition).collect();
            let carried = prefilter::branch(writer, Part::Carried, &terms, slice, None);
            sql.push_str(&format!(
                ",\ncarried AS (\n{carried}\n  GROUP BY t.time, t.id, t.from_id\n)"
            ));
        }
        match (self.hops, names_hop) {
            (Hops::UnlessFateHit, true) => {
                "SELECT start FROM last WHERE id IN (SELECT id FROM hit WHERE part = 0 UNION ALL SELECT id FROM carried)".to_owned()
            }
            (Hops::UnlessFateHit, false) if slice == Slice::WHOLE => {
                "SELECT start FROM last WHERE id IN (SELECT id FROM hit WHERE part = 0)".to_owned()
            }
            (Hops::UnlessFateHit, false) => {
                let terms = [
                    Condition::Leaf("t.id IN (SELECT id FROM last)".to_owned(), Vec::new()),
                    recipient,
                ];
                let terms: Vec<&Condition> = terms.iter().collect();
                let fates = prefilter::branch(writer, Part::Hop, &terms, Slice::WHOLE, None);
                sql.push_str(&format!(",\nfate AS (\n{fates}\n)"));
                "SELECT start FROM last WHERE id IN (SELECT id FROM fate)".to_owned()
            }
            _ => "SELECT start FROM last".to_owned(),
        }
    }
}

/// Returns the statement that has all columns of these, in the order of time.
#[must_use]
pub fn rows_of(found: &[Found], newest_first: bool) -> Statement {
    let mut writer = Writer::default();
    let all = [Part::Recipient, Part::Carried, Part::Message, Part::Refusal];
    let rows: Vec<String> = all
        .iter()
        .filter_map(|part| {
            let of_part: Vec<&Found> = found.iter().filter(|f| f.part == part.number()).collect();
            let least = of_part.iter().map(|f| f.id).min()?;
            let most = of_part.iter().map(|f| f.id).max()?;
            let mut list = |value: fn(&Found) -> i64| {
                let list = of_part.iter().map(|f| Param::Int(value(f)));
                writer.bind(Param::List(list.collect()))
            };
            let lists = match part {
                Part::Recipient => format!(
                    "unnest({}::BIGINT[]) AS id, unnest({}::BIGINT[]) AS from_id",
                    list(|f| f.id),
                    list(|f| f.from_id)
                ),
                Part::Carried => format!(
                    "unnest({}::BIGINT[]) AS id, unnest({}::BIGINT[]) AS from_id, unnest({}::BIGINT[]) AS hop_id",
                    list(|f| f.id),
                    list(|f| f.from_id),
                    list(|f| f.hop_id)
                ),
                _ => format!("unnest({}::BIGINT[]) AS id", list(|f| f.id)),
            };
            let column = match part {
                Part::Recipient | Part::Carried | Part::Hop => "t.id",
                Part::Message => "f.id",
                Part::Refusal => "n.id",
            };
            let sql = row(*part, &format!("SELECT {lists}"));
            Some(format!(
                "{sql}\n  WHERE {column} BETWEEN {} AND {}",
                writer.bind(Param::Int(least)),
                writer.bind(Param::Int(most))
            ))
        })
        .collect();
    let rows = rows.join("\nUNION ALL\n");
    // A message without a recipient may have the id of a recipient.
    let order = if newest_first {
        "time DESC, kind DESC, id DESC, recipient IS NULL DESC"
    } else {
        "time, kind, id, recipient IS NULL"
    };
    writer.done(format!("SELECT * FROM (\n{rows}\n)\nORDER BY {order}"))
}

/// Returns every text that [`rows_of`] can have.
pub fn texts_of_rows() -> impl Iterator<Item = String> {
    let all = [Part::Recipient, Part::Carried, Part::Message, Part::Refusal];
    (1_usize..1 << all.len()).flat_map(move |chosen| {
        let is_chosen = |(at, part): (usize, &Part)| {
            (chosen >> at & 1 == 1).then(|| Found {
                part: part.number(),
                id: 0,
                from_id: 0,
                hop_id: 0,
            })
        };
        let found: Vec<Found> = all.iter().enumerate().filter_map(is_chosen).collect();
        [false, true].map(|newest_first| rows_of(&found, newest_first).sql)
    })
}

/// Returns the statement for the rows of what `few` names.
fn row(part: Part, few: &str) -> String {
    format!(
        "  SELECT {}\n  FROM ({few}) u {}",
        part.select(),
        part.fetched()
    )
}

fn is_pointed(rule: &Rule) -> bool {
    match rule {
        Rule::And(list) => list.iter().any(is_pointed),
        Rule::Or(list) => !list.is_empty() && list.iter().all(is_pointed),
        Rule::Not(_) => false,
        Rule::Any(field, tests) => {
            let is_id = matches!(
                field.name,
                "to" | "orig_to" | "from" | "addr" | "qid" | "remote_qid" | "msgid" | "chain"
            );
            let names_one = |test: &Test| matches!(test, Test::Equal(text) | Test::Exact(text) if !text.is_empty());
            is_id && tests.iter().all(names_one)
        }
    }
}
