//! Chain: how the messages, recipients, attempts, refusals and deeds of one mail belong together.

use super::input::StoryInput;
use super::parts::{Action, Addressed, Attempt, Deed, Later, Message, Recipient, Refusal};
use crate::model::table::Row;
use crate::model::time::{MINUTE, SECOND, Time};
use std::collections::BTreeMap;

/// The parts of a mail.
pub(super) struct Chain<'a> {
    pub(super) messages: Vec<Message<'a>>,
    pub(super) recipients: Vec<Recipient<'a>>,
    pub(super) attempts: Vec<Attempt<'a>>,
    pub(super) refusals: Vec<Refusal<'a>>,
    /// Ids of the recipients that were asked for.
    pub(super) asked: Vec<i64>,
    pub(super) asked_by_name: bool,
    pub(super) tells_all: bool,
    pub(super) deeds: Vec<Deed<'a>>,
    /// What somebody did to its messages, as noted by `maillog queue`.
    actions: Vec<Action<'a>>,
    /// What came through later, by the recipient for whom it was looked for.
    pub(super) later: Option<Vec<(Option<&'a str>, Later<'a>)>>,
    /// Places of the recipients by their ids: a mail may have thousands.
    places: BTreeMap<i64, usize>,
    /// What recipients were asked for as, where that is another address.
    asked_as: BTreeMap<i64, &'a str>,
}

impl<'a> Chain<'a> {
    pub(super) fn of(story: &'a StoryInput) -> Self {
        let recipients: Vec<Recipient<'a>> = story
            .recipients
            .named()
            .map(|row| Recipient::of(&row))
            .collect();
        let places = recipients.iter().enumerate();
        let asked_as = story.asked.named();
        let later = |row: &Row<'a>| (row.raw("for_recipient"), Later::of(row));
        Self {
            places: places.filter_map(|(at, to)| Some((to.id?, at))).collect(),
            asked_as: asked_as
                .filter_map(|row| Some((row.int("id")?, row.raw("orig_to")?)))
                .collect(),
            messages: story
                .messages
                .named()
                .map(|row| Message::of(&row))
                .collect(),
            recipients,
            attempts: story
                .attempts
                .named()
                .map(|row| Attempt::of(&row))
                .collect(),
            refusals: story
                .refusals
                .named()
                .map(|row| Refusal::of(&row))
                .collect(),
            asked: story
                .asked
                .named()
                .filter_map(|row| row.int("id"))
                .collect(),
            asked_by_name: story.asked_by_name,
            tells_all: story.tells_all,
            deeds: story.neighbours.named().map(|row| Deed::of(&row)).collect(),
            actions: story.actions.named().map(|row| Action::of(&row)).collect(),
            later: story
                .later
                .as_ref()
                .map(|table| table.named().map(|row| later(&row)).collect()),
        }
    }

    /// Returns the recipient of that id.
    pub(super) fn recipient(&self, id: Option<i64>) -> Option<&Recipient<'a>> {
        self.recipients.get(*self.places.get(&id?)?)
    }

    /// Returns the message of that id.
    pub(super) fn message(&self, id: Option<i64>) -> Option<&Message<'a>> {
        self.messages.iter().find(|m| same_id(m.id, id))
    }

    /// Returns the recipient with the address that the sender used or that was asked for, where it is another.
    pub(super) fn addressed(&self, to: &Recipient<'a>) -> Addressed<'a> {
        let asked_as = || self.asked_as.get(&to.id?).copied();
        let other = to.orig_to.or_else(asked_as);
        Addressed {
            recipient: to.recipient,
            other: other.filter(|other| Some(*other) != to.recipient),
        }
    }

    /// Returns who did that to the message of that id at that time; it was noted when it was done.
    pub(super) fn actor(
        &self,
        verb: &str,
        queue_id: Option<&str>,
        time: Option<Time>,
    ) -> Option<&'a str> {
        let time = time?;
        let span = time.plus(-2 * SECOND)..time.plus(10 * MINUTE);
        let mut actions = self.actions.iter().filter(|done| {
            done.verb == Some(verb)
                && done.queue_id == queue_id
                && done.time.is_some_and(|at| span.contains(&at))
        });
        actions.next()?.who
    }

    /// Returns the message that the mail began with.
    pub(super) fn first(&self) -> Option<&Message<'a>> {
        let mail = self.messages.iter().find(|m| !m.is_notice());
        mail.or(self.messages.first())
    }
}

/// Returns whether both are known, and the same.
pub(super) fn same_id(a: Option<i64>, b: Option<i64>) -> bool {
    a.is_some() && a == b
}
