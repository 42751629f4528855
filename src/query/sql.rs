//! Sql: rules -> conditions on the columns of what a hit can be; every value is a bound parameter, never text of it.
//!
//! A hit is one of three things, each with the conditions on its own columns: a recipient `t` with its message `f`, a message `f`
//! without any recipient, a refusal `n`. A condition on a column that a part lacks is false there, its negation true; parts that
//! cannot hold are left out. `found.rs` makes statements of them.
//!
//! One mail may stand in several messages: it went through a content filter, another instance of ours, an alias, a requeue. It is one
//! hit, told by the row with its fate (see `hops.rs`). Who the client was is asked of the chain's first message too, for behind a
//! filter the client is the filter.

use super::fields::{Columns, Field, FieldKind};
use super::hops;
use super::plan::{Rule, Test};
use super::turned::{self, FOR_NOW};
use crate::model::key;
use crate::model::table::Param;

/// The three things that a hit can be, and the two sides of a mail that was handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Recipient,
    Message,
    Refusal,
    /// A recipient whose row handed the mail on, as far as it alone decides.
    Hop,
    /// A recipient `t` that carries on what the recipient `h` handed on.
    Carried,
}

/// A statement and the values of its parameters `$1`, `$2`, …
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// One `SELECT`.
    pub sql: String,
    /// Their values.
    pub params: Vec<Param>,
}

/// Columns of the result: name, and what it is of a recipient, a message, a refusal.
const COLUMNS: [[&str; 4]; 45] = [
    ["time", "t.time", "f.updated", "n.time"],
    ["kind", "'mail'", "'mail'", "'refused'"],
    ["host", "f.host", "f.host", "n.host"],
    ["instance", "f.instance", "f.instance", "n.instance"],
    ["queue_id", "f.queue_id", "f.queue_id", "n.queue_id"],
    [
        "message_id",
        "f.message_id",
        "f.message_id",
        "NULL::VARCHAR",
    ],
    ["sender", "f.sender", "f.sender", "n.sender"],
    ["recipient", "t.recipient", "NULL::VARCHAR", "n.recipient"],
    ["orig_to", "t.orig_to", "NULL::VARCHAR", "NULL::VARCHAR"],
    [
        "client_name",
        "f.client_name",
        "f.client_name",
        "n.client_name",
    ],
    [
        "client_address",
        "f.client_address",
        "f.client_address",
        "n.client_address",
    ],
    ["helo_name", "f.helo_name", "f.helo_name", "n.helo_name"],
    [
        "sasl_username",
        "f.sasl_username",
        "f.sasl_username",
        "n.sasl_username",
    ],
    ["status", "t.status", "f.status", "n.action"],
    ["relay", "t.relay", "NULL::VARCHAR", "NULL::VARCHAR"],
    ["dsn", "t.dsn", "NULL::VARCHAR", "n.dsn"],
    [
        "reply_code",
        "t.reply_code",
        "NULL::USMALLINT",
        "n.reply_code",
    ],
    [
        "reason",
        "coalesce(t.reason, f.reason)",
        "f.reason",
        "n.reason",
    ],
    ["cause", "t.cause", "NULL::VARCHAR", "n.cause"],
    ["dnsbl", "t.dnsbl", "NULL::VARCHAR", "n.dnsbl"],
    ["attempts", "t.attempts", "NULL::INTEGER", "NULL::INTEGER"],
    ["delay", "t.delay", "NULL::DOUBLE", "NULL::DOUBLE"],
    [
        "delay_before_qmgr",
        "t.delay_before_qmgr",
        "NULL::DOUBLE",
        "NULL::DOUBLE",
    ],
    [
        "delay_in_qmgr",
        "t.delay_in_qmgr",
        "NULL::DOUBLE",
        "NULL::DOUBLE",
    ],
    [
        "delay_conn_setup",
        "t.delay_conn_setup",
        "NULL::DOUBLE",
        "NULL::DOUBLE",
    ],
    [
        "delay_transmission",
        "t.delay_transmission",
        "NULL::DOUBLE",
        "NULL::DOUBLE",
    ],
    ["size", "f.size", "f.size", "NULL::BIGINT"],
    ["nrcpt", "f.nrcpt", "f.nrcpt", "NULL::INTEGER"],
    ["subject", "f.subject", "f.subject", "NULL::VARCHAR"],
    ["service", "f.service", "f.service", "n.service"],
    ["agent", "t.agent", "NULL::VARCHAR", "NULL::VARCHAR"],
    ["rule", "NULL::VARCHAR", "NULL::VARCHAR", "n.rule"],
    [
        "protocol_state",
        "NULL::VARCHAR",
        "NULL::VARCHAR",
        "n.protocol_state",
    ],
    ["count", "1", "1", "n.count"],
    ["first_time", "t.first_time", "f.time", "n.time"],
    ["removed", "f.removed", "f.removed", "NULL::TIMESTAMP"],
    ["message_status", "f.status", "f.status", "NULL::VARCHAR"],
    [
        "log_incomplete",
        "f.log_incomplete",
        "f.log_incomplete",
        "false",
    ],
    ["from_id", "f.id", "f.id", "n.from_id"],
    ["id", "t.id", "f.id", "n.id"],
    ["root_id", "f.root_id", "f.root_id", "NULL::BIGINT"],
    ["parent_id", "f.parent_id", "f.parent_id", "NULL::BIGINT"],
    [
        "parent_link",
        "f.parent_link",
        "f.parent_link",
        "NULL::VARCHAR",
    ],
    [
        "parent_inferred",
        "f.parent_inferred",
        "f.parent_inferred",
        "NULL::BOOLEAN",
    ],
    // Filled in where it is shown: see `story::STORE`.
    ["store", "NULL::VARCHAR", "NULL::VARCHAR", "NULL::VARCHAR"],
];

impl Part {
    pub(super) const HITS: [Self; 3] = [Self::Recipient, Self::Message, Self::Refusal];

    fn columns(self, field: &Field) -> Columns {
        match self {
            Self::Recipient | Self::Hop | Self::Carried => field.recipient,
            Self::Message => field.message,
            Self::Refusal => field.refusal,
        }
    }

    /// Columns of the last and of the first moment that something happened.
    pub(super) const fn times(self) -> (&'static str, &'static str) {
        match self {
            Self::Recipient | Self::Hop => ("t.time", "t.first_time"),
            Self::Carried => ("h.time", "h.first_time"),
            Self::Message => ("f.updated", "f.time"),
            Self::Refusal => ("n.time", "n.time"),
        }
    }

    /// What is known of a row that matches until the row itself is fetched: see `found.rs`.
    pub(super) fn found(self) -> String {
        match self {
            Self::Recipient => format!(
                "t.time AS time, {} AS part, t.id AS id, t.from_id AS from_id, t.status IN ({}) AS is_hop",
                self.number(),
                hops::words()
            ),
            Self::Message => format!(
                "f.updated AS time, {} AS part, f.id AS id, f.id AS from_id, false AS is_hop",
                self.number()
            ),
            Self::Refusal => format!(
                "n.time AS time, {} AS part, n.id AS id, {} AS from_id, false AS is_hop",
                self.number(),
                turned::MESSAGE
            ),
            Self::Hop => "t.id AS id".to_owned(),
            Self::Carried => format!(
                "t.time AS time, {} AS part, t.id AS id, t.from_id AS from_id, min(h.id) AS hop_id",
                self.number()
            ),
        }
    }

    /// The time of the hit, by which hits are in order.
    pub(super) const fn time(self) -> Option<&'static str> {
        match self {
            Self::Recipient | Self::Carried => Some("t.time"),
            Self::Message => Some("f.updated"),
            Self::Refusal => Some("n.time"),
            Self::Hop => None,
        }
    }

    /// What `part` says of a row that matches.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Recipient | Self::Hop => 0,
            Self::Message => 1,
            Self::Refusal => 2,
            Self::Carried => 3,
        }
    }

    /// The table in which the row is looked for, joined with its message where that is asked about.
    pub(super) const fn table(self, joins_message: bool) -> &'static str {
        match self {
            Self::Recipient | Self::Hop if joins_message => {
                "delivery_to t JOIN delivery_from f ON f.id = t.from_id"
            }
            Self::Recipient | Self::Hop => "delivery_to t",
            Self::Carried if joins_message => {
                "last l JOIN delivery_to h ON h.id = l.start JOIN delivery_to t ON t.id = l.id JOIN delivery_from f ON f.id = t.from_id"
            }
            Self::Carried => {
                "last l JOIN delivery_to h ON h.id = l.start JOIN delivery_to t ON t.id = l.id"
            }
            Self::Message => "delivery_from f",
            Self::Refusal => "noqueue n",
        }
    }

    /// The tables that have the whole row of what was found, `u`.
    pub(super) const fn fetched(self) -> &'static str {
        match self {
            Self::Recipient | Self::Hop => {
                "JOIN delivery_to t ON t.id = u.id JOIN delivery_from f ON f.id = u.from_id"
            }
            Self::Carried => {
                "JOIN delivery_to t ON t.id = u.id JOIN delivery_from f ON f.id = u.from_id JOIN delivery_to h ON h.id = u.hop_id"
            }
            Self::Message => "JOIN delivery_from f ON f.id = u.id",
            Self::Refusal => "JOIN noqueue n ON n.id = u.id",
        }
    }

    /// All columns of the result.
    pub(super) fn select(self) -> String {
        let index = match self {
            Self::Recipient | Self::Hop | Self::Carried => 1,
            Self::Message => 2,
            Self::Refusal => 3,
        };
        let column = |c: &[&str; 4]| {
            let (name, column) = (c.first()?, c.get(index)?);
            // Who was asked for is not who got it; what was refused for now is not refused.
            Some(match (self, *name) {
                (Self::Recipient | Self::Carried | Self::Message, "status") => format!(
                    "CASE WHEN {column} = 'rejected' AND {} THEN 'not_accepted' ELSE {column} END AS status",
                    FOR_NOW.get(index - 1)?
                ),
                (Self::Carried, "orig_to") => format!("{} AS orig_to", hops::ASKED_TO),
                _ => format!("{column} AS {name}"),
            })
        };
        COLUMNS
            .iter()
            .filter_map(column)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// A condition of one part; `?` in a leaf stands for its next parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Always,
    Never,
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Leaf(String, Vec<Param>),
}

impl Condition {
    /// Asks of the row that handed the mail on what was asked of a recipient.
    fn on_hop(self) -> Self {
        match self {
            Self::Leaf(sql, params) => Self::Leaf(sql.replace("t.", "h."), params),
            other => other,
        }
    }
}

/// Returns the names of the columns of a result.
pub(super) fn columns() -> Vec<&'static str> {
    COLUMNS.iter().filter_map(|c| c.first().copied()).collect()
}

/// Returns whether the rule asks for something else of a recipient or message than what `names_hop` knows: where it is true of the row
/// that handed the mail on alone, that row is the answer.
pub(super) fn names_detail(rule: &Rule, negated: bool) -> bool {
    match rule {
        Rule::And(list) | Rule::Or(list) => list.iter().any(|rule| names_detail(rule, negated)),
        Rule::Not(inner) => names_detail(inner, !negated),
        Rule::Any(field, _) => {
            // These are the same in all messages of a mail.
            let is_of_mail = matches!(field.name, "from" | "user" | "client" | "helo" | "subject");
            let has_column = !field.recipient.plain.is_empty();
            !negated && !is_of_mail && !hops::is_of_hop(field) && has_column
        }
    }
}

/// Returns whether the rule asks for something that the row which handed a mail on may have and that of its fate not.
pub(super) fn names_hop(rule: &Rule, negated: bool) -> bool {
    match rule {
        Rule::And(list) | Rule::Or(list) => list.iter().any(|rule| names_hop(rule, negated)),
        Rule::Not(inner) => names_hop(inner, !negated),
        Rule::Any(field, _) => !negated && hops::is_of_hop(field),
    }
}

/// Returns what must hold of the row that handed a mail on, so that the mail is a hit because of it although the row with its fate alone
/// is none: something of that row is asked for, and what only the fate knows cannot be what makes the difference. (Where the times alone
/// make it, the row is a hit itself.)
pub(super) fn differs(rule: &Rule, negated: bool) -> Condition {
    /// With more alternatives than these the condition would grow out of bounds; it may also be too wide.
    const MOST: usize = 4;
    match rule {
        Rule::Not(inner) => differs(inner, !negated),
        Rule::And(list) | Rule::Or(list) if matches!(rule, Rule::Or(_)) != negated => {
            join(list.iter().map(|rule| differs(rule, negated)), false)
        }
        Rule::And(list) | Rule::Or(list) => {
            let whole = || compile(rule, Part::Hop, negated);
            let holds = |rule: &Rule| compile(rule, Part::Hop, negated);
            let all: Vec<Condition> = list.iter().map(|rule| differs(rule, negated)).collect();
            let makes: Vec<usize> = (0..list.len())
                .filter(|i| all.get(*i).is_some_and(|c| *c != Condition::Never))
                .collect();
            let is_plain = |i: &usize| list.get(*i).map(holds).as_ref() == all.get(*i);
            if makes.len() > MOST || makes.iter().any(is_plain) {
                return whole();
            }
            let one = |i: &usize| {
                let others = list.iter().enumerate().filter(|(j, _)| j != i);
                let others = others.map(|(_, rule)| holds(rule));
                join(all.get(*i).cloned().into_iter().chain(others), true)
            };
            join(makes.iter().map(one), false)
        }
        Rule::Any(field, _) if hops::is_of_hop(field) => compile(rule, Part::Hop, negated),
        Rule::Any(..) => Condition::Never,
    }
}

fn is_of_time(field: &Field) -> bool {
    matches!(
        field.kind,
        FieldKind::Date | FieldKind::Since | FieldKind::Until
    )
}

/// Numbers parameters in the order of writing.
#[derive(Debug, Default)]
pub(super) struct Writer {
    params: Vec<Param>,
}

impl Writer {
    pub(super) fn done(self, sql: String) -> Statement {
        Statement {
            sql,
            params: self.params,
        }
    }
}

impl Writer {
    pub(super) fn bind(&mut self, param: Param) -> String {
        self.params.push(param);
        format!("${}", self.params.len())
    }

    pub(super) fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Always => "true".into(),
            Condition::Never => "false".into(),
            Condition::And(list) => self.list(list, " AND "),
            Condition::Or(list) => self.list(list, " OR "),
            Condition::Leaf(text, params) => {
                let mut pieces = text.split('?');
                let mut sql = pieces.next().unwrap_or_default().to_owned();
                for (param, piece) in params.iter().zip(pieces) {
                    sql.push_str(&self.bind(param.clone()));
                    sql.push_str(piece);
                }
                sql
            }
        }
    }

    fn list(&mut self, list: &[Condition], by: &str) -> String {
        let list: Vec<String> = list.iter().map(|c| self.condition(c)).collect();
        format!("({})", list.join(by))
    }
}

/// Negations are pushed down to the leaves, where NULL is known to mean "does not match".
pub(super) fn compile(rule: &Rule, part: Part, negated: bool) -> Condition {
    match rule {
        Rule::Not(inner) => compile(inner, part, !negated),
        Rule::And(list) => join(list.iter().map(|r| compile(r, part, negated)), !negated),
        Rule::Or(list) => join(list.iter().map(|r| compile(r, part, negated)), negated),
        // Only the row with the fate knows.
        Rule::Any(field, _)
            if part == Part::Hop && !hops::is_of_hop(field) && !is_of_time(field) =>
        {
            Condition::Always
        }
        Rule::Any(field, tests) if part == Part::Carried && hops::is_of_hop(field) => {
            let any = tests.iter().flat_map(|test| leaves(part, field, test));
            let any = any.map(Condition::on_hop);
            if negated {
                join(any.map(negate), true)
            } else {
                join(any, false)
            }
        }
        Rule::Any(field, tests) => {
            let any = tests.iter().flat_map(|test| leaves(part, field, test));
            if negated {
                join(any.map(negate), true)
            } else {
                join(any, false)
            }
        }
    }
}

/// Joins by AND (`all`) or OR, leaving out what decides nothing.
fn join(conditions: impl Iterator<Item = Condition>, all: bool) -> Condition {
    let (neutral, decisive) = if all {
        (Condition::Always, Condition::Never)
    } else {
        (Condition::Never, Condition::Always)
    };
    let mut list = Vec::new();
    for condition in conditions {
        match condition {
            c if c == decisive => return decisive,
            c if c == neutral => {}
            Condition::And(inner) if all => list.extend(inner),
            Condition::Or(inner) if !all => list.extend(inner),
            c => list.push(c),
        }
    }
    match list.pop() {
        None => neutral,
        Some(only) if list.is_empty() => only,
        Some(more) => {
            list.push(more);
            if all {
                Condition::And(list)
            } else {
                Condition::Or(list)
            }
        }
    }
}

fn negate(condition: Condition) -> Condition {
    match condition {
        Condition::Always => Condition::Never,
        Condition::Never => Condition::Always,
        Condition::And(list) => join(list.into_iter().map(negate), false),
        Condition::Or(list) => join(list.into_iter().map(negate), true),
        Condition::Leaf(sql, params) => {
            Condition::Leaf(format!("NOT coalesce({sql}, false)"), params)
        }
    }
}

/// Returns the conditions of which one must hold for the test to hold.
fn leaves(part: Part, field: &Field, test: &Test) -> Vec<Condition> {
    let columns = part.columns(field);
    let each = |columns: &[&str], sql: fn(&str) -> String, param: Param| {
        columns
            .iter()
            .map(|c| Condition::Leaf(sql(c), vec![param.clone()]))
            .collect()
    };
    let bound = |s: &String| Param::Text(s.clone());
    match (field.kind, test) {
        (_, Test::Within(since, until)) => {
            let (last, first) = part.times();
            let since =
                since.map(|t| Condition::Leaf(format!("{last} >= ?"), vec![Param::Time(t)]));
            let until =
                until.map(|t| Condition::Leaf(format!("{first} < ?"), vec![Param::Time(t)]));
            vec![join(since.into_iter().chain(until), true)]
        }
        (_, Test::Refused) => vec![if part == Part::Refusal {
            Condition::Always
        } else {
            Condition::Never
        }],
        (_, Test::NotAccepted) => {
            let [recipient, message, refusal] = FOR_NOW;
            let sql = match part {
                Part::Refusal => refusal.to_owned(),
                Part::Message => format!("(f.status = 'rejected' AND {message})"),
                _ => format!("(t.status = 'rejected' AND {recipient})"),
            };
            vec![Condition::Leaf(sql, Vec::new())]
        }
        (_, Test::MessageStatus(s)) => match part {
            Part::Refusal => vec![Condition::Never],
            _ => each(&["f.status"], equal, bound(s)),
        },
        (FieldKind::Chain, Test::Exact(s)) => each(
            columns.plain,
            |c| format!("{c} IN (SELECT root_id FROM delivery_from WHERE queue_id = ?)"),
            bound(s),
        ),
        (FieldKind::Ever, test) => ever(part, columns, test),
        (_, Test::IsAddress(s)) => each(columns.address, |c| format!("{c} = ?"), bound(s)),
        (_, Test::InNetwork(s)) => each(columns.address, |c| format!("ip_in({c}, ?)"), bound(s)),
        (_, Test::Equal(s)) => columns.plain.iter().map(|c| same(c, s)).collect(),
        (_, test) => {
            let (sql, params) = plain(test);
            columns
                .plain
                .iter()
                .map(|c| Condition::Leaf(sql.replace('#', c), params.clone()))
                .collect()
        }
    }
}

/// The same text, whatever its case; of addresses the key is compared first.
fn same(column: &str, text: &str) -> Condition {
    let param = Param::Text(text.to_owned());
    if !key::stands_beside(column) {
        return Condition::Leaf(equal(column), vec![param]);
    }
    Condition::Leaf(
        format!("({column}_key = ? AND {})", equal(column)),
        vec![Param::Int(key::of(text).into()), param],
    )
}

fn equal(column: &str) -> String {
    format!("lower({column}) = lower(?)")
}

/// The last attempt stands in `delivery_to`, the earlier ones in `delivery_attempt`.
fn ever(part: Part, columns: Columns, test: &Test) -> Vec<Condition> {
    if part != Part::Recipient {
        return Vec::new();
    }
    let (sql, params) = plain(test);
    let mut list: Vec<Condition> = columns
        .plain
        .iter()
        .map(|c| Condition::Leaf(sql.replace('#', c), params.clone()))
        .collect();
    let earlier = sql.replace('#', "a.status");
    list.push(Condition::Leaf(
        format!("t.id IN (SELECT a.to_id FROM delivery_attempt a WHERE {earlier})"),
        params,
    ));
    list
}

/// Returns the condition with `#` for the column.
fn plain(test: &Test) -> (&'static str, Vec<Param>) {
    let bound = |s: &String| vec![Param::Text(s.clone())];
    match test {
        Test::Equal(s) => ("lower(#) = lower(?)", bound(s)),
        Test::Prefix(s) => ("starts_with(lower(#), lower(?))", bound(s)),
        Test::Suffix(s) => ("ends_with(lower(#), lower(?))", bound(s)),
        Test::Contains(s) => ("contains(lower(#), lower(?))", bound(s)),
        Test::Like(s) => (r"lower(#) LIKE lower(?) ESCAPE '\'", bound(s)),
        Test::Regex {
            pattern,
            fold: false,
        } => ("regexp_matches(#, ?)", bound(pattern)),
        Test::Regex {
            pattern,
            fold: true,
        } => ("regexp_matches(#, ?, 'i')", bound(pattern)),
        Test::Exact(s) => ("# = ?", bound(s)),
        Test::Between(Some(low), Some(high)) if low == high => ("# = ?", vec![low.clone()]),
        Test::Between(Some(low), Some(high)) => {
            ("# BETWEEN ? AND ?", vec![low.clone(), high.clone()])
        }
        Test::Between(Some(low), None) => ("# >= ?", vec![low.clone()]),
        Test::Between(None, Some(high)) => ("# <= ?", vec![high.clone()]),
        Test::Greater(low) => ("# > ?", vec![low.clone()]),
        Test::Less(high) => ("# < ?", vec![high.clone()]),
        // Those of addresses, times and whole hits are written where they are known.
        _ => ("false", Vec::new()),
    }
}
