//! Asked: who of a mail's recipients was asked for comes first; many others are counted, or told one by one on request.
//!
//! Who was asked for is what the search found: by an address, an alias, a domain, a pattern or a state. Where it found all recipients and
//! named none (a queue id, a sender), nobody is asked for in particular.

use super::row::Row;
use super::story::Chain;
use super::verdict::{is_handed_on, is_notice, same_id, told};
use std::collections::BTreeSet;

/// Others that are told one by one beside those asked for.
const FEW: usize = 5;

/// Recipients that are told one by one where none of them is asked for; the timeline has all.
const MOST: usize = 20;

/// Hops of one mail that are followed back.
const DEEPEST: usize = 8;

/// The recipients of a mail in the order in which they are told.
pub(super) struct Told<'c, 'a> {
    /// Those asked for.
    pub(super) asked: Vec<&'c Row<'a>>,
    /// Those asked for who got a notice about the mail.
    pub(super) notices: Vec<&'c Row<'a>>,
    others: Vec<&'c Row<'a>>,
    /// Of the others, as many are told one by one.
    most: usize,
    /// Rows that the timeline has; none: all.
    timeline: Option<BTreeSet<i64>>,
}

impl<'c, 'a> Told<'c, 'a> {
    pub(super) fn of(chain: &'c Chain<'a>) -> Self {
        let all = told(chain);
        let ids: BTreeSet<i64> = chain.asked.iter().filter_map(|row| row.int("id")).collect();
        let is_hit = |row: &&Row<'_>| row.int("id").is_some_and(|id| ids.contains(&id));
        let told: BTreeSet<i64> = all.iter().filter_map(|row| row.int("id")).collect();
        let is_told = |row: &&Row<'_>| row.int("id").is_some_and(|id| told.contains(&id));
        // A row that handed the mail on stands for the one with its fate.
        let found = || chain.recipients.iter().filter(is_hit);
        let hops: BTreeSet<String> = found()
            .filter(|row| is_handed_on(row) && !is_told(row))
            .filter_map(|row| name(row, "recipient"))
            .collect();
        let notices: Vec<&Row<'a>> = found()
            .filter(|row| !is_told(row) && message_of(chain, row).is_some_and(is_notice))
            .collect();
        let is_asked = |row: &&Row<'_>| {
            let names = ["recipient", "orig_to"].map(|column| name(row, column));
            is_hit(row) || names.iter().flatten().any(|name| hops.contains(name))
        };
        let (mut asked, mut others): (Vec<_>, Vec<_>) = all.iter().partition(|row| is_asked(row));
        if !chain.asked_by_name && others.is_empty() {
            others = std::mem::take(&mut asked);
        }
        let is_short = asked.is_empty() || others.len() <= FEW || chain.tells_all;
        let most = match () {
            () if chain.tells_all => usize::MAX,
            () if asked.is_empty() => MOST,
            () if others.len() <= FEW => FEW,
            () => 0,
        };
        let timeline = (!is_short).then(|| shown(chain, &asked));
        Self {
            asked,
            notices,
            others,
            most,
            timeline,
        }
    }

    /// Returns the recipients that are told one by one.
    pub(super) fn each(&self) -> impl Iterator<Item = &'c Row<'a>> {
        let others = self.others.iter().take(self.most);
        self.asked.iter().chain(others).copied()
    }

    /// Returns the recipients that are not told one by one: `57 sent, 2 bounced`.
    pub(super) fn rest(&self) -> Option<(usize, String)> {
        let rest = self.others.get(self.most..)?;
        let mut counts: Vec<(String, usize)> = Vec::new();
        for row in rest {
            let status = row.text("status");
            match counts.iter_mut().find(|(known, _)| *known == status) {
                Some((_, count)) => *count += 1,
                None => counts.push((status, 1)),
            }
        }
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let counts: Vec<String> = counts
            .iter()
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        (!rest.is_empty()).then(|| (rest.len(), counts.join(", ")))
    }

    /// Returns whether the timeline has the row of this recipient.
    pub(super) fn is_in_timeline(&self, row: Option<&Row<'_>>) -> bool {
        let Some(ids) = &self.timeline else {
            return true;
        };
        row.and_then(|row| row.int("id"))
            .is_none_or(|id| ids.contains(&id))
    }
}

/// Returns the ids of the rows of those asked for, of what led there, and of notices.
fn shown(chain: &Chain<'_>, asked: &[&Row<'_>]) -> BTreeSet<i64> {
    let of_notices = chain
        .recipients
        .iter()
        .filter(|row| message_of(chain, row).is_some_and(is_notice));
    let mut ids: BTreeSet<i64> = of_notices.filter_map(|row| row.int("id")).collect();
    let mut rows: Vec<&Row<'_>> = asked.to_vec();
    for _ in 0..DEEPEST {
        ids.extend(rows.iter().filter_map(|row| row.int("id")));
        let before = chain.recipients.iter().filter(|hop| is_handed_on(hop));
        let before = before.filter(|hop| !hop.int("id").is_some_and(|id| ids.contains(&id)));
        rows = before
            .filter(|hop| rows.iter().any(|row| leads_to(chain, hop, row)))
            .collect();
        if rows.is_empty() {
            break;
        }
    }
    ids
}

/// Returns whether the row handed on what became the other one.
fn leads_to(chain: &Chain<'_>, hop: &Row<'_>, row: &Row<'_>) -> bool {
    let Some(message) = message_of(chain, row) else {
        return false;
    };
    if !same_id(message.int("parent_id"), hop.int("from_id")) {
        return false;
    }
    let handed = name(hop, "recipient");
    let is_same = ["recipient", "orig_to"]
        .iter()
        .any(|column| name(row, column) == handed);
    is_same
        || (message.raw("queue_id").is_some()
            && message.raw("queue_id") == hop.raw("remote_queue_id"))
}

fn message_of<'c, 'a>(chain: &'c Chain<'a>, row: &Row<'_>) -> Option<&'c Row<'a>> {
    let id = row.int("from_id");
    chain.messages.iter().find(|m| same_id(m.int("id"), id))
}

fn name(row: &Row<'_>, column: &str) -> Option<String> {
    row.raw(column).map(str::to_lowercase)
}
