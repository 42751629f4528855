//! Verdict: how it ended for each recipient of a mail that is told, or for the message.

use super::chain::{Chain, same_id};
use super::parts::{Addressed, Deed, Later, Message, Recipient, Refusal};
use super::told::Told;
use crate::model::row::{link, message_status, recipient_status as status};
use crate::model::time::{SECOND, Time};

/// One sentence of a story.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict<'a> {
    /// Of a recipient.
    Recipient(Box<Fate<'a>>),
    /// Of a notice that went to who was asked for.
    Notice(Box<NoticeFate<'a>>),
    /// Of a message without recipients.
    Message(Box<MessageFate<'a>>),
}

/// How it ended for a recipient.
#[derive(Debug, Clone, PartialEq)]
pub struct Fate<'a> {
    /// The recipient in the state of its last attempt.
    pub recipient: Recipient<'a>,
    /// How it was addressed.
    pub addressed: Addressed<'a>,
    /// Its message.
    pub message: Option<Message<'a>>,
    /// A user of this host submitted the mail.
    pub is_local: bool,
    /// Seconds from the arrival of the mail to the last attempt.
    pub took: Option<f64>,
    /// The notice to the sender: of failure, or of delay where Postfix keeps trying.
    pub notice: Option<Notice<'a>>,
    /// It was refused on arrival before.
    pub earlier: Option<Earlier<'a>>,
    /// The message was refused: what came later.
    pub later: CameLater<'a>,
    /// When the mail arrived.
    pub arrived: Option<Time>,
    /// The next host greylisted it first: when.
    pub greylisted_there: Option<Option<Time>>,
    /// What the mail store did with it.
    pub stored: Option<Stored<'a>>,
}

/// A notice about a mail.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Notice<'a> {
    /// Its queue id.
    pub queue_id: Option<&'a str>,
    /// To whom it went, and how that ended; none where the log does not say.
    pub to: Option<Recipient<'a>>,
}

/// Refusals of the same mail before it came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier<'a> {
    /// The first.
    pub first: Refusal<'a>,
    /// Number of the others.
    pub more: i64,
}

/// What came through after a message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CameLater<'a> {
    /// That was not looked for.
    Unknown,
    /// Nothing.
    Nothing,
    /// This.
    Mail(Later<'a>),
}

/// What a mail store did with what it was handed for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<'a> {
    /// The store.
    pub program: Option<&'a str>,
    /// Each once, in the order of time.
    pub deeds: Vec<Deed<'a>>,
}

/// How it ended for a notice that went to who was asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoticeFate<'a> {
    /// Who got it.
    pub recipient: Recipient<'a>,
    /// How it was addressed.
    pub addressed: Addressed<'a>,
    /// The notice.
    pub notice: Option<Message<'a>>,
    /// The message that it is about.
    pub about: Option<Message<'a>>,
}

/// How it ended for a message without recipients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageFate<'a> {
    /// The message.
    pub message: Message<'a>,
    /// It was refused: what came later.
    pub later: CameLater<'a>,
}

/// One verdict a recipient that is told; one of the message when it has no recipients.
pub(super) fn all<'a>(chain: &Chain<'a>, told: &Told<'_, 'a>) -> Vec<Verdict<'a>> {
    let mut verdicts: Vec<Verdict<'a>> = told
        .each()
        .map(|to| Verdict::Recipient(Box::new(of_recipient(chain, to))))
        .collect();
    let notices = told
        .notices
        .iter()
        .map(|to| Verdict::Notice(Box::new(of_notice(chain, to))));
    let asked = told.asked.len();
    verdicts.splice(asked..asked, notices);
    if verdicts.is_empty() {
        let messages = &chain.messages;
        let last = messages.iter().rfind(|m| !m.is_notice());
        let last = last.or(messages.last());
        return last
            .map(|message| Verdict::Message(Box::new(of_message(chain, message))))
            .into_iter()
            .collect();
    }
    verdicts
}

fn of_recipient<'a>(chain: &Chain<'a>, to: &Recipient<'a>) -> Fate<'a> {
    let first = chain.first();
    let arrived = first.and_then(|first| first.time);
    let told = match to.last.status {
        Some(status::BOUNCED | status::EXPIRED) => Some(link::BOUNCE),
        Some(status::DEFERRED | status::SOFTBOUNCE) => Some(link::DELAY),
        _ => None,
    };
    let greylisted = || {
        let of_it = |attempt: &&super::parts::Attempt<'_>| {
            same_id(attempt.to_id, to.id) && attempt.tried.reply.is_greylisting()
        };
        let attempt = chain.attempts.iter().find(of_it)?;
        Some(attempt.tried.time)
    };
    Fate {
        recipient: *to,
        addressed: chain.addressed(to),
        message: chain.message(to.from_id).copied(),
        is_local: first.is_some_and(|first| first.uid.is_some()),
        took: took(chain, to),
        notice: told.and_then(|kind| notice(chain, to, kind)),
        earlier: earlier(chain, to),
        later: if to.is_turned() {
            came_later(chain, to.recipient)
        } else {
            CameLater::Unknown
        },
        arrived,
        greylisted_there: (to.last.status == Some(status::SENT))
            .then(greylisted)
            .flatten(),
        stored: stored(chain, to),
    }
}

fn of_notice<'a>(chain: &Chain<'a>, to: &Recipient<'a>) -> NoticeFate<'a> {
    let notice = chain.message(to.from_id);
    let about = notice.and_then(|m| chain.message(m.parent_id));
    NoticeFate {
        recipient: *to,
        addressed: chain.addressed(to),
        notice: notice.copied(),
        about: about.copied(),
    }
}

fn of_message<'a>(chain: &Chain<'a>, message: &Message<'a>) -> MessageFate<'a> {
    MessageFate {
        message: *message,
        later: if message.status == Some(message_status::REJECTED) {
            came_later(chain, None)
        } else {
            CameLater::Unknown
        },
    }
}

/// Returns the notice of that kind about the recipient's message.
fn notice<'a>(chain: &Chain<'a>, to: &Recipient<'_>, kind: &str) -> Option<Notice<'a>> {
    let is_about =
        |m: &&Message<'_>| m.parent_link == Some(kind) && same_id(m.parent_id, to.from_id);
    let notice = chain.messages.iter().find(is_about)?;
    let sent = chain
        .recipients
        .iter()
        .find(|to| same_id(to.from_id, notice.id));
    Some(Notice {
        queue_id: notice.queue_id,
        to: sent.copied(),
    })
}

/// Returns what was refused to the recipient on arrival before.
fn earlier<'a>(chain: &Chain<'a>, to: &Recipient<'_>) -> Option<Earlier<'a>> {
    let is_named = |refusal: &&Refusal<'_>| {
        let name = refusal.recipient.unwrap_or_default();
        to.names().any(|known| known.eq_ignore_ascii_case(name))
    };
    let mut ours = chain.refusals.iter().filter(is_named);
    let first = *ours.next()?;
    Some(Earlier {
        first,
        more: ours.map(|refusal| refusal.count.unwrap_or(1)).sum(),
    })
}

/// Returns what came through for the recipient after the message was not taken.
fn came_later<'a>(chain: &Chain<'a>, recipient: Option<&str>) -> CameLater<'a> {
    let Some(later) = &chain.later else {
        return CameLater::Unknown;
    };
    match later.iter().find(|(of, _)| *of == recipient) {
        Some((_, mail)) => CameLater::Mail(*mail),
        None => CameLater::Nothing,
    }
}

/// Returns the seconds since the mail arrived. Postfix counts from the arrival of the message that was delivered, which a mail may have
/// become after hours.
fn took(chain: &Chain<'_>, to: &Recipient<'_>) -> Option<f64> {
    let own = to.last.delay?;
    let first = chain.first().filter(|m| !m.is_notice());
    let became = first.filter(|m| !same_id(m.id, to.from_id));
    let Some((from, until)) = became.and_then(|m| m.time).zip(to.last.time) else {
        return Some(own);
    };
    let second = |time: Time| time.0.div_euclid(SECOND);
    #[expect(clippy::cast_precision_loss, reason = "seconds, for people")]
    let whole = second(until).saturating_sub(second(from)) as f64;
    Some(if whole > own + 1.0 { whole } else { own })
}

/// Returns what the store did with the recipient's mail; none where nothing is known.
fn stored<'a>(chain: &Chain<'a>, to: &Recipient<'_>) -> Option<Stored<'a>> {
    let of_it: Vec<&Deed<'a>> = chain
        .deeds
        .iter()
        .filter(|deed| same_id(deed.to_id, to.id))
        .collect();
    let program = of_it.first()?.program;
    // A mail that was discarded "if not explicitly delivered" may have been delivered explicitly.
    let is_kept = of_it.iter().any(|deed| deed.action == Some("stored"));
    let told = of_it
        .iter()
        .filter(|deed| !(is_kept && deed.action == Some("discarded")));
    let mut deeds: Vec<Deed<'a>> = Vec::new();
    for deed in told {
        let is_same = |known: &Deed<'_>| known.action == deed.action && known.detail == deed.detail;
        if !deeds.iter().any(is_same) {
            deeds.push(**deed);
        }
    }
    Some(Stored { program, deeds })
}

impl Stored<'_> {
    /// Returns whether the mail is not simply in the inbox.
    #[must_use]
    pub fn is_special(&self) -> bool {
        let [deed] = self.deeds.as_slice() else {
            return true;
        };
        (deed.action, deed.detail) != (Some("stored"), Some("INBOX"))
    }
}
