//! Story: what became of one mail, built once from the rows of its chain: who is told and how it ended for each, then everything that
//! happened, in the order of time. Writers in `render` put it into words. Pure.
//!
//! | file | duty |
//! |---|---|
//! | `input` | the rows that it is built from |
//! | `parts` | messages, recipients, attempts, refusals and deeds as types |
//! | `chain` | how the parts of one mail belong together |
//! | `told` | which recipients are told one by one |
//! | `verdict` | how it ended for each |
//! | `timeline` | what happened when |
//!
//! A mail may be several messages: a filter, an alias or a requeue made a new one of it, and a notice may be about it. The verdict comes
//! from the message that carries the fate.
//! Limits: nothing is guessed: what the log does not say is said to be missing.

mod chain;
mod input;
mod parts;
#[cfg(test)]
mod tests;
mod timeline;
mod told;
mod verdict;

pub use input::StoryInput;
pub use parts::{Addressed, Client, Deed, Later, Login, Message, Recipient, Refusal, Reply, Try};
pub use timeline::{Arrival, Happening, What};
pub use told::Rest;
pub use verdict::{CameLater, Earlier, Fate, MessageFate, Notice, NoticeFate, Stored, Verdict};

use crate::model::table::Table;
use chain::Chain;
use told::Told;

/// What became of a mail.
#[derive(Debug, Clone, PartialEq)]
pub struct Story<'a> {
    /// How it ended for each recipient that is told, those asked for first; without recipients how it ended for the message.
    pub verdicts: Vec<Verdict<'a>>,
    /// The recipients that are only counted.
    pub rest: Option<Rest<'a>>,
    /// Part of its log is missing.
    pub is_incomplete: bool,
    /// The message that it began with.
    pub first: Message<'a>,
    /// All of its messages, oldest first, with the notices about them.
    pub messages: Vec<Message<'a>>,
    /// Everything that happened to those who are told.
    pub timeline: Vec<Happening<'a>>,
}

impl<'a> Story<'a> {
    /// Builds the story; none where there is no message.
    #[must_use]
    pub fn of(input: &'a StoryInput) -> Option<Self> {
        let chain = Chain::of(input);
        let first = *chain.first()?;
        let told = Told::of(&chain);
        Some(Self {
            verdicts: verdict::all(&chain, &told),
            rest: told.rest(),
            is_incomplete: chain.messages.iter().any(|m| m.log_incomplete),
            first,
            timeline: timeline::of(&chain, &told),
            messages: chain.messages,
        })
    }
}

/// A refusal that no story of a mail tells, and what came through later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refused<'a> {
    /// The refusal.
    pub refusal: Refusal<'a>,
    /// The first mail that the same client brought for the same recipient afterwards.
    pub later: Option<Later<'a>>,
}

/// Returns the refusals among the hits of a search, but those that the stories `told`; `later` holds for each the id and what came
/// through later.
#[must_use]
pub fn refusals<'a>(hits: &'a Table, told: &[i64], later: &'a [(i64, Table)]) -> Vec<Refused<'a>> {
    let refused = hits
        .named()
        .filter(|hit| hit.raw("kind") == Some("refused"));
    let all = refused.map(|hit| Refusal::of(&hit));
    let new = all.filter(|refusal| refusal.id.is_none_or(|id| !told.contains(&id)));
    new.map(|refusal| {
        let later = later.iter().find(|(id, _)| refusal.id == Some(*id));
        let later = later.and_then(|(_, table)| table.named().next());
        Refused {
            refusal,
            later: later.map(|row| Later::of(&row)),
        }
    })
    .collect()
}
