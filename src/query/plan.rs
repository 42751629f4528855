//! Plan: a query whose meaning is settled; types only.

use super::field::Field;
use crate::model::table::Param;
use crate::model::time::Time;

/// What must hold of a hit.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    And(Vec<Rule>),
    Or(Vec<Rule>),
    Not(Box<Rule>),
    /// Any column of the field passes any of the tests.
    Any(&'static Field, Vec<Test>),
}

/// What one column is tested for. Text is compared without regard to case unless said.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// The whole text.
    Equal(String),
    /// Its beginning.
    Prefix(String),
    /// Its end.
    Suffix(String),
    /// A part of it.
    Contains(String),
    /// A LIKE pattern, escaped with a backslash.
    Like(String),
    /// With regard to case unless `fold`.
    Regex {
        /// The pattern.
        pattern: String,
        /// Upper and lower case are the same.
        fold: bool,
    },
    /// With regard to case.
    Exact(String),
    /// The address lies in the network.
    InNetwork(String),
    /// The address is this one.
    IsAddress(String),
    /// Not below, not above; both ends belong to it.
    Between(Option<Param>, Option<Param>),
    /// Above it.
    Greater(Param),
    /// Below it.
    Less(Param),
    /// The status of the message, not of the recipient.
    MessageStatus(String),
    /// It is a refusal.
    Refused,
    /// It was refused for now: the client was asked to come again.
    NotAccepted,
    /// Something of it happened from the first up to but not at the second.
    Within(Option<Time>, Option<Time>),
}

/// From when, until when; open where none.
pub(super) type Window = (Option<Time>, Option<Time>);

impl Rule {
    /// Returns the times that a hit can have, as far as the rule limits them.
    pub(super) fn window(&self) -> Window {
        let widest = |a: Window, b: Window| {
            (
                a.0.zip(b.0).map(|(a, b)| a.min(b)),
                a.1.zip(b.1).map(|(a, b)| a.max(b)),
            )
        };
        match self {
            Self::And(list) => list.iter().map(Self::window).fold((None, None), narrowest),
            Self::Or(list) => list
                .iter()
                .map(Self::window)
                .reduce(widest)
                .unwrap_or_default(),
            Self::Not(_) => (None, None),
            Self::Any(_, tests) => tests
                .iter()
                .map(|test| match test {
                    Test::Within(since, until) => (*since, *until),
                    _ => (None, None),
                })
                .reduce(widest)
                .unwrap_or_default(),
        }
    }
}

fn narrowest(a: Window, b: Window) -> Window {
    let both = |a: Option<Time>, b: Option<Time>, pick: fn(Time, Time) -> Time| match (a, b) {
        (Some(a), Some(b)) => Some(pick(a, b)),
        (a, b) => a.or(b),
    };
    (both(a.0, b.0, Time::max), both(a.1, b.1, Time::min))
}
