//! Condition: rules -> conditions on the columns of one part of the hits.
//!
//! A condition on a column that a part lacks is false there, its negation true. Values stay beside the text, for the writer to bind.

use super::field::{Columns, Field, FieldKind};
use super::hops;
use super::plan::{Rule, Test};
use super::sql::Part;
use super::turned::FOR_NOW;
use crate::model::key;
use crate::model::table::Param;
use std::borrow::Cow;

/// A condition of one part; `?` in a leaf stands for its next parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    Always,
    Never,
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Leaf(String, Vec<Param>),
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

/// Returns the columns with the names of the tables that they are asked of: what only the row that handed a mail on may know is asked of
/// that row.
fn named(part: Part, field: &Field, columns: &[&'static str]) -> Vec<Cow<'static, str>> {
    let is_of_hop = part == Part::Carried && hops::is_of_hop(field);
    let named = |column: &&'static str| match column.strip_prefix("t.") {
        Some(name) if is_of_hop => Cow::Owned(format!("h.{name}")),
        _ => Cow::Borrowed(*column),
    };
    columns.iter().map(named).collect()
}

/// Returns the conditions of which one must hold for the test to hold.
fn leaves(part: Part, field: &Field, test: &Test) -> Vec<Condition> {
    let columns = part.columns(field);
    let plain = named(part, field, columns.plain);
    let address = named(part, field, columns.address);
    let each = |columns: &[Cow<str>], sql: fn(&str) -> String, param: Param| {
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
            _ => each(&["f.status".into()], equal, bound(s)),
        },
        (FieldKind::Chain, Test::Exact(s)) => each(
            &plain,
            |c| format!("{c} IN (SELECT root_id FROM delivery_from WHERE queue_id = ?)"),
            bound(s),
        ),
        (FieldKind::Ever, test) => ever(part, columns, test),
        (_, Test::IsAddress(s)) => each(&address, |c| format!("{c} = ?"), bound(s)),
        (_, Test::InNetwork(s)) => each(&address, |c| format!("ip_in({c}, ?)"), bound(s)),
        (_, Test::Equal(s)) => plain.iter().map(|c| same(c, s)).collect(),
        (_, test) => {
            let (sql, params) = of_column(test);
            plain
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
    let (sql, params) = of_column(test);
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
fn of_column(test: &Test) -> (&'static str, Vec<Param>) {
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
