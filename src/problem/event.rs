//! Event: one failing delivery or one refusal, as far as a report tells of it.
//!
//! A class is the direction, the cause (the words of `cause:`) and the subject and detail of the status code:
//! `outbound-unknown_user-1.1`. The source is the remote domain of what we send, the client of what we take.

use super::severity::Severity;
use crate::model::time::HOUR;
use std::collections::BTreeSet;

/// A mail that waits is no problem before that.
const GRACE: i64 = HOUR;
/// So many remote domains that block our own address are a fault of ours.
const BLOCKS: usize = 3;

/// Whose side a problem is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The sender is ours.
    Outbound,
    /// The recipient is ours.
    Inbound,
}

impl Direction {
    /// Returns the word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
        }
    }
}

/// What became of it, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It will be tried again.
    Deferred {
        /// Microseconds since the first attempt.
        age: i64,
    },
    /// It came back.
    Bounced,
    /// Its time was over.
    Expired,
    /// We did not take it.
    Refused,
}

/// What the log says of one failure.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// Whose side it is on.
    pub direction: Direction,
    /// What became of it.
    pub fate: Fate,
    /// Name of the cause.
    pub cause: &'a str,
    /// Enhanced status code (`5.1.1`).
    pub dsn: Option<&'a str>,
    /// The delivery agent and what refused are ours, not the other side.
    pub is_ours: bool,
    /// The remote domain, or the client's address.
    pub source: &'a str,
}

/// Returns the class.
#[must_use]
pub fn class(failure: &Failure<'_>) -> String {
    let (direction, cause) = (failure.direction.name(), failure.cause);
    match failure.dsn.and_then(|dsn| dsn.split_once('.')) {
        Some((_, detail)) if detail != "0.0" => format!("{direction}-{cause}-{detail}"),
        _ => format!("{direction}-{cause}"),
    }
}

/// Returns how bad it is on its own; nothing while it may heal.
#[must_use]
pub fn severity(failure: &Failure<'_>) -> Option<Severity> {
    if is_own_fault(failure) {
        return Some(Severity::Critical);
    }
    match failure.fate {
        Fate::Deferred { age } => (age >= GRACE).then_some(Severity::Low),
        Fate::Expired => Some(Severity::High),
        Fate::Bounced | Fate::Refused if is_of_trust(failure.cause) => Some(Severity::High),
        Fate::Bounced => Some(Severity::Medium),
        Fate::Refused => {
            let is_for_now = failure.dsn.is_some_and(|dsn| dsn.starts_with('4'));
            Some(if is_for_now {
                Severity::Low
            } else {
                Severity::Medium
            })
        }
    }
}

/// Our own system has a fault: a transport, a table, no space (4.3.x and 5.3.x of our own agents), or mail in a loop.
fn is_own_fault(failure: &Failure<'_>) -> bool {
    let is_of_system = failure
        .dsn
        .and_then(|dsn| dsn.split('.').nth(1))
        .is_some_and(|subject| subject == "3");
    match failure.cause {
        "local_fault" | "loop" => true,
        "storage" => failure.is_ours,
        _ => failure.is_ours && is_of_system,
    }
}

/// Policy, authentication, spam: what the other side holds against who sends.
fn is_of_trust(cause: &str) -> bool {
    matches!(
        cause,
        "policy"
            | "spf"
            | "dkim"
            | "dmarc"
            | "unauthenticated"
            | "auth_required"
            | "relay_denied"
            | "blocklisted"
            | "reputation"
            | "reverse_dns"
            | "helo"
            | "sender_rejected"
            | "spam"
            | "virus"
            | "tls"
            | "expired"
    )
}

/// Returns the remote domains that block us, where they are so many that the fault is ours.
///
/// Blocks of what we send count, one for each domain; one domain that refuses everything is its own matter.
#[must_use]
pub fn blocks<'a>(failures: impl Iterator<Item = Failure<'a>>) -> BTreeSet<&'a str> {
    let is_block = |failure: &Failure<'a>| {
        matches!(failure.cause, "blocklisted" | "reputation")
            && failure.direction == Direction::Outbound
            && !failure.source.is_empty()
    };
    let domains: BTreeSet<&str> = failures.filter(is_block).map(|f| f.source).collect();
    if domains.len() >= BLOCKS {
        domains
    } else {
        BTreeSet::new()
    }
}
