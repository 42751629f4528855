//! Timeline: everything that happened to a mail, over all of its messages, in the order of time.

use super::chain::{Chain, same_id};
use super::parts::{Addressed, Deed, Message, Refusal, Try};
use super::told::Told;
use crate::model::row::{link, message_status};
use crate::model::time::Time;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening<'a> {
    /// When; none where the log does not say.
    pub time: Option<Time>,
    /// The message that it happened to.
    pub queue_id: Option<&'a str>,
    /// What.
    pub what: What<'a>,
    /// Who did it, where it was done with `maillog queue`.
    pub by: Option<&'a str>,
    /// Order of things at the same time, as Postfix logs them: timestamps may be whole seconds.
    rank: Rank,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What<'a> {
    /// Our smtpd refused it before it accepted the mail.
    Refused(Box<Refusal<'a>>),
    /// A message came.
    Arrived(Box<Message<'a>>, Arrival<'a>),
    /// A mail store did something for a recipient, or a filter for the message.
    Deed(Option<Addressed<'a>>, Deed<'a>),
    /// An attempt to deliver; to whom, where the log says it.
    Attempt(Option<Addressed<'a>>, Box<Try<'a>>),
    /// A message left the queue, or is held in it.
    Ended(Box<Message<'a>>),
}

/// How a message came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival<'a> {
    /// It continues another message, or is about it.
    Continues {
        /// One of `link`.
        link: &'a str,
        /// The other message, where it is known.
        parent: Option<Box<Message<'a>>>,
        /// The recipient whose mail it is the forwarding of.
        alias: Option<Addressed<'a>>,
    },
    /// From a client.
    Received,
    /// From a user of this host, with this id.
    Submitted(i64),
    /// The log does not have it.
    FirstSeen,
    /// Through a service.
    Entered,
}

/// A notice follows the attempt that it is about, and is written before the message leaves the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Arrival,
    Attempt,
    NoticeArrival,
    End,
    NoticeAttempt,
    NoticeEnd,
}

impl Rank {
    fn of(self, message: Option<&Message<'_>>) -> Self {
        match self {
            _ if !message.is_some_and(Message::is_notice) => self,
            Self::Arrival => Self::NoticeArrival,
            Self::Attempt => Self::NoticeAttempt,
            _ => Self::NoticeEnd,
        }
    }
}

/// Returns what happened to those who are told.
pub(super) fn of<'a>(chain: &Chain<'a>, told: &Told<'_, 'a>) -> Vec<Happening<'a>> {
    let mut all: Vec<Happening<'a>> = chain.refusals.iter().map(refusal).collect();
    for message in &chain.messages {
        all.push(arrival(message, chain));
        all.extend(ending(message, chain));
    }
    for deed in &chain.deeds {
        let to = chain.recipient(deed.to_id);
        if to.is_some() && !told.is_in_timeline(to) {
            continue;
        }
        let to = to.map(|to| Addressed {
            recipient: to.recipient,
            other: None,
        });
        let message = chain.message(deed.from_id);
        let queue_id = message.and_then(|m| m.queue_id);
        let action = match deed.action {
            _ if !deed.is_of_postsuper() => None,
            Some("placed on hold") => Some("hold"),
            Some("released from hold") => Some("release"),
            _ => Some("expire"),
        };
        all.push(Happening {
            time: deed.time,
            rank: Rank::Attempt.of(message),
            queue_id,
            what: What::Deed(to, *deed),
            by: action.and_then(|action| chain.actor(action, queue_id, deed.time)),
        });
    }
    for earlier in &chain.attempts {
        let to = chain.recipient(earlier.to_id);
        if told.is_in_timeline(to) {
            let to = to.map(|to| chain.addressed(to));
            all.push(attempt(to, &earlier.tried, chain.message(earlier.from_id)));
        }
    }
    for to in &chain.recipients {
        if told.is_in_timeline(Some(to)) {
            let addressed = Some(chain.addressed(to));
            all.push(attempt(addressed, &to.last, chain.message(to.from_id)));
        }
    }
    all.sort_by_key(|happening| (happening.time, happening.rank));
    all
}

fn refusal<'a>(refusal: &Refusal<'a>) -> Happening<'a> {
    Happening {
        time: refusal.time,
        rank: Rank::Arrival,
        queue_id: refusal.queue_id,
        what: What::Refused(Box::new(*refusal)),
        by: None,
    }
}

fn arrival<'a>(message: &Message<'a>, chain: &Chain<'a>) -> Happening<'a> {
    let how = match (message.parent_link, message.uid) {
        (
            Some(
                link @ (link::FILTER
                | link::RELAY
                | link::FORWARD
                | link::REQUEUE
                | link::BOUNCE
                | link::DELAY
                | link::STATUS),
            ),
            _,
        ) => Arrival::Continues {
            link,
            parent: chain.message(message.parent_id).copied().map(Box::new),
            alias: (link == link::FORWARD)
                .then(|| alias(message, chain))
                .flatten(),
        },
        _ if message.client.name.is_some() || message.client.address.is_some() => Arrival::Received,
        (_, Some(uid)) => Arrival::Submitted(uid),
        _ if message.origin == Some("unknown") => Arrival::FirstSeen,
        _ => Arrival::Entered,
    };
    Happening {
        time: message.time,
        rank: Rank::Arrival.of(Some(message)),
        queue_id: message.queue_id,
        what: What::Arrived(Box::new(*message), how),
        by: None,
    }
}

/// Returns the address whose mail the message is the forwarding of.
fn alias<'a>(message: &Message<'_>, chain: &Chain<'a>) -> Option<Addressed<'a>> {
    let hop = chain.recipients.iter().find(|to| {
        let there = to.last.remote_queue_id;
        same_id(to.from_id, message.parent_id) && there.is_some() && there == message.queue_id
    });
    hop.map(|hop| chain.addressed(hop))
}

fn ending<'a>(message: &Message<'a>, chain: &Chain<'a>) -> Option<Happening<'a>> {
    let mut deeds = chain.deeds.iter();
    let (time, action) = match message.status {
        // Postsuper's own line says it, and when.
        Some(message_status::HELD)
            if deeds.any(|deed| {
                deed.action == Some("placed on hold")
                    && deed.is_of_postsuper()
                    && same_id(deed.from_id, message.id)
            }) =>
        {
            return None;
        }
        Some(message_status::HELD) => (message.updated, None),
        Some(message_status::REQUEUED) => (message.removed, Some("requeue")),
        Some(message_status::DELETED) => (message.removed, Some("delete")),
        _ => (message.removed, None),
    };
    let queue_id = message.queue_id;
    time.is_some().then(|| Happening {
        time,
        rank: Rank::End.of(Some(message)),
        queue_id,
        what: What::Ended(Box::new(*message)),
        by: action.and_then(|action| chain.actor(action, queue_id, time)),
    })
}

fn attempt<'a>(
    to: Option<Addressed<'a>>,
    attempt: &Try<'a>,
    message: Option<&Message<'a>>,
) -> Happening<'a> {
    Happening {
        time: attempt.time,
        rank: Rank::Attempt.of(message),
        queue_id: message.and_then(|m| m.queue_id),
        what: What::Attempt(to, Box::new(*attempt)),
        by: None,
    }
}
