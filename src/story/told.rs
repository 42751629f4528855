//! Told: who of a mail's recipients was asked for comes first; many others are counted, or told one by one on request.
//!
//! Who was asked for is what the search found: by an address, an alias, a domain, a pattern or a state. Where it found all recipients and
//! named none (a queue id, a sender), nobody is asked for in particular.

use super::chain::{Chain, same_id};
use super::parts::{Message, Recipient};
use std::collections::{BTreeMap, BTreeSet};

/// Others that are told one by one beside those asked for.
const FEW: usize = 5;

/// Recipients that are told one by one where none of them is asked for; the timeline has all.
const MOST: usize = 20;

/// Hops of one mail that are followed back.
const DEEPEST: usize = 8;

/// Recipients that are only counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest<'a> {
    /// Their number.
    pub count: usize,
    /// The same by status, most first.
    pub by_status: Vec<(Option<&'a str>, usize)>,
    /// They stand beside recipients that were asked for; else the timeline has them.
    pub is_beside_asked: bool,
}

/// The recipients of a mail in the order in which they are told.
pub(super) struct Told<'c, 'a> {
    /// Those asked for.
    pub(super) asked: Vec<&'c Recipient<'a>>,
    /// Those asked for who got a notice about the mail.
    pub(super) notices: Vec<&'c Recipient<'a>>,
    others: Vec<&'c Recipient<'a>>,
    /// Of the others, as many are told one by one.
    most: usize,
    /// Rows that the timeline has; none: all.
    timeline: Option<BTreeSet<i64>>,
}

impl<'c, 'a> Told<'c, 'a> {
    pub(super) fn of(chain: &'c Chain<'a>) -> Self {
        let all = with_fate(chain);
        let ids: BTreeSet<i64> = chain.asked.iter().copied().collect();
        let is_hit = |to: &&Recipient<'_>| to.id.is_some_and(|id| ids.contains(&id));
        let told: BTreeSet<i64> = all.iter().filter_map(|to| to.id).collect();
        let is_told = |to: &&Recipient<'_>| to.id.is_some_and(|id| told.contains(&id));
        // A row that handed the mail on stands for the one with its fate.
        let found = || chain.recipients.iter().filter(is_hit);
        let hops: BTreeSet<String> = found()
            .filter(|to| to.is_handed_on() && !is_told(to))
            .filter_map(|to| to.recipient.map(str::to_lowercase))
            .collect();
        let notices: Vec<&Recipient<'a>> = found()
            .filter(|to| !is_told(to) && is_of_notice(chain, to))
            .collect();
        let is_asked = |to: &&Recipient<'_>| {
            is_hit(to) || to.names().any(|name| hops.contains(&name.to_lowercase()))
        };
        let (mut asked, mut others): (Vec<_>, Vec<_>) = all.iter().partition(|to| is_asked(to));
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
    pub(super) fn each(&self) -> impl Iterator<Item = &'c Recipient<'a>> {
        let others = self.others.iter().take(self.most);
        self.asked.iter().chain(others).copied()
    }

    /// Returns the recipients that are not told one by one.
    pub(super) fn rest(&self) -> Option<Rest<'a>> {
        let rest = self.others.get(self.most..)?;
        let mut by_status: Vec<(Option<&'a str>, usize)> = Vec::new();
        for to in rest {
            let status = to.last.status;
            match by_status.iter_mut().find(|(known, _)| *known == status) {
                Some((_, count)) => *count += 1,
                None => by_status.push((status, 1)),
            }
        }
        by_status.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        (!rest.is_empty()).then_some(Rest {
            count: rest.len(),
            by_status,
            is_beside_asked: !self.asked.is_empty(),
        })
    }

    /// Returns whether the timeline has the row of this recipient.
    pub(super) fn is_in_timeline(&self, to: Option<&Recipient<'_>>) -> bool {
        let Some(ids) = &self.timeline else {
            return true;
        };
        to.and_then(|to| to.id).is_none_or(|id| ids.contains(&id))
    }
}

fn is_of_notice(chain: &Chain<'_>, to: &Recipient<'_>) -> bool {
    chain.message(to.from_id).is_some_and(Message::is_notice)
}

/// Returns the recipients whose rows have a fate: not those of notices, nor those that another row carries on.
fn with_fate<'c, 'a>(chain: &'c Chain<'a>) -> Vec<&'c Recipient<'a>> {
    let are_notices = chain.messages.iter().all(Message::is_notice);
    let of_mail = |to: &&Recipient<'_>| are_notices || !is_of_notice(chain, to);
    let mail = chain.recipients.iter().filter(of_mail);
    let continued = Continued::of(chain);
    mail.filter(|to| !to.is_handed_on() || !continued.has(to))
        .collect()
}

/// What carries messages on, by the id of the message: names of the recipients, and queue ids that have any.
struct Continued<'a> {
    names: BTreeSet<(i64, String)>,
    queue_ids: BTreeSet<(i64, &'a str)>,
}

impl<'a> Continued<'a> {
    fn of(chain: &Chain<'a>) -> Self {
        let mut found = Self {
            names: BTreeSet::new(),
            queue_ids: BTreeSet::new(),
        };
        let children = chain.messages.iter().filter(|m| !m.is_notice());
        let children: BTreeMap<i64, (i64, Option<&'a str>)> = children
            .filter_map(|m| Some((m.id?, (m.parent_id?, m.queue_id))))
            .collect();
        for to in &chain.recipients {
            let Some((parent, queue_id)) = to.from_id.and_then(|id| children.get(&id)) else {
                continue;
            };
            found.queue_ids.extend(queue_id.map(|id| (*parent, id)));
            let names = to.names().map(|name| (*parent, name.to_lowercase()));
            found.names.extend(names);
        }
        found
    }

    /// Returns whether a recipient of a message that continues the hop's is known: of its name, or of the message with the id that was
    /// answered.
    fn has(&self, hop: &Recipient<'_>) -> bool {
        let Some(id) = hop.from_id else {
            return false;
        };
        let name = hop.recipient.map(str::to_lowercase);
        name.is_some_and(|name| self.names.contains(&(id, name)))
            || hop
                .last
                .remote_queue_id
                .is_some_and(|there| self.queue_ids.contains(&(id, there)))
    }
}

/// Returns the ids of the rows of those asked for, of what led there, and of notices.
fn shown(chain: &Chain<'_>, asked: &[&Recipient<'_>]) -> BTreeSet<i64> {
    let of_notices = chain.recipients.iter().filter(|to| is_of_notice(chain, to));
    let mut ids: BTreeSet<i64> = of_notices.filter_map(|to| to.id).collect();
    let mut rows: Vec<&Recipient<'_>> = asked.to_vec();
    for _ in 0..DEEPEST {
        ids.extend(rows.iter().filter_map(|to| to.id));
        let before = chain.recipients.iter().filter(|hop| hop.is_handed_on());
        let before = before.filter(|hop| !hop.id.is_some_and(|id| ids.contains(&id)));
        rows = before
            .filter(|hop| rows.iter().any(|to| leads_to(chain, hop, to)))
            .collect();
        if rows.is_empty() {
            break;
        }
    }
    ids
}

/// Returns whether the row handed on what became the other one.
fn leads_to(chain: &Chain<'_>, hop: &Recipient<'_>, to: &Recipient<'_>) -> bool {
    let Some(message) = chain.message(to.from_id) else {
        return false;
    };
    if !same_id(message.parent_id, hop.from_id) {
        return false;
    }
    let lower = |name: Option<&str>| name.map(str::to_lowercase);
    let handed = lower(hop.recipient);
    let is_same = [to.recipient, to.orig_to]
        .into_iter()
        .any(|name| lower(name) == handed);
    is_same || (message.queue_id.is_some() && message.queue_id == hop.last.remote_queue_id)
}
