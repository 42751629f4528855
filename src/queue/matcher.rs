//! Matcher: what a value is tested for, as `query` says it, done in memory as the database would do it.

use crate::model::ip::{self, Network};
use crate::model::table::Param;
use crate::model::time::{SECOND, Time};
use crate::query::term::Test;
use regex::{Regex, RegexBuilder};
use std::cmp::Ordering;
use std::net::IpAddr;

/// Memory that a pattern may take.
const MAX_PATTERN: usize = 1 << 20;

/// A test ready to be done; texts are in small letters where case does not matter.
#[derive(Debug, Clone)]
pub enum Matcher {
    /// The whole text.
    Equal(String),
    /// Its beginning.
    Prefix(String),
    /// Its end.
    Suffix(String),
    /// A part of it.
    Contains(String),
    /// A pattern somewhere in it.
    Pattern(Regex),
    /// The whole text, with regard to case.
    Exact(String),
    /// The address lies in the network.
    Network(Network),
    /// The address is this one.
    Address(IpAddr),
    /// Not below, not above.
    Between(Option<Number>, Option<Number>),
    /// Above it.
    Greater(Number),
    /// Below it.
    Less(Number),
    /// From, up to but not at.
    Within(Option<Time>, Option<Time>),
}

/// A number, whole or not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole one.
    Int(i128),
    /// Seconds, in microseconds.
    Seconds(i64),
    /// As typed, for lengths of time.
    Float(f64),
}

impl Number {
    /// Returns a whole number.
    #[must_use]
    pub fn of(number: i64) -> Self {
        Self::Int(number.into())
    }

    fn param(param: &Param) -> Option<Self> {
        match param {
            Param::Int(number) => Some(Self::of(*number)),
            Param::Float(number) => Some(Self::Float(*number)),
            _ => None,
        }
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        #[expect(clippy::cast_precision_loss, reason = "lengths of time are estimates")]
        let float = |number: Self| match number {
            Self::Int(number) => number as f64,
            Self::Seconds(micros) => micros as f64 / SECOND as f64,
            Self::Float(number) => number,
        };
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(&b)),
            (a, b) => float(a).partial_cmp(&float(b)),
        }
    }
}

impl Matcher {
    /// Makes a test ready; none of a test that nothing in the queue can pass.
    #[must_use]
    pub fn of(test: &Test) -> Option<Self> {
        let lower = |text: &String| text.to_lowercase();
        let end = |end: &Option<Param>| end.as_ref().and_then(Number::param);
        Some(match test {
            Test::Equal(text) => Self::Equal(lower(text)),
            Test::Prefix(text) => Self::Prefix(lower(text)),
            Test::Suffix(text) => Self::Suffix(lower(text)),
            Test::Contains(text) => Self::Contains(lower(text)),
            Test::Exact(text) => Self::Exact(text.clone()),
            Test::Like(pattern) => Self::Pattern(pattern_of(&like(pattern), true)?),
            Test::Regex { pattern, fold } => Self::Pattern(pattern_of(pattern, *fold)?),
            Test::InNetwork(network) => Self::Network(Network::parse(network)?),
            Test::IsAddress(address) => Self::Address(ip::parse_address(address)?),
            Test::Between(low, high) => Self::Between(end(low), end(high)),
            Test::Greater(low) => Self::Greater(Number::param(low)?),
            Test::Less(high) => Self::Less(Number::param(high)?),
            Test::Within(since, until) => Self::Within(*since, *until),
            Test::MessageStatus(_) | Test::Refused | Test::NotAccepted => return None,
        })
    }

    /// Returns whether the text passes; `lower` is the same in small letters.
    #[must_use]
    pub fn fits(&self, text: &str, lower: &str) -> bool {
        match self {
            Self::Equal(wanted) => lower == wanted,
            Self::Prefix(wanted) => lower.starts_with(wanted.as_str()),
            Self::Suffix(wanted) => lower.ends_with(wanted.as_str()),
            Self::Contains(wanted) => lower.contains(wanted.as_str()),
            Self::Pattern(pattern) => pattern.is_match(text),
            Self::Exact(wanted) => text == wanted,
            _ => false,
        }
    }

    /// Returns whether the number passes.
    #[must_use]
    pub fn fits_number(&self, number: Number) -> bool {
        let is = |other: Number, wanted: &[Ordering]| {
            number
                .compare(other)
                .is_some_and(|found| wanted.contains(&found))
        };
        match self {
            Self::Between(low, high) => {
                low.is_none_or(|low| is(low, &[Ordering::Equal, Ordering::Greater]))
                    && high.is_none_or(|high| is(high, &[Ordering::Equal, Ordering::Less]))
            }
            Self::Greater(low) => is(*low, &[Ordering::Greater]),
            Self::Less(high) => is(*high, &[Ordering::Less]),
            _ => false,
        }
    }

    /// Returns whether the time passes.
    #[must_use]
    pub fn fits_time(&self, time: Time) -> bool {
        match self {
            Self::Within(since, until) => {
                since.is_none_or(|since| time >= since) && until.is_none_or(|until| time < until)
            }
            _ => false,
        }
    }

    /// Returns whether the address passes.
    #[must_use]
    pub fn fits_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Network(network) => network.contains(address),
            Self::Address(wanted) => wanted.to_canonical() == address.to_canonical(),
            _ => false,
        }
    }
}

fn pattern_of(pattern: &str, fold: bool) -> Option<Regex> {
    RegexBuilder::new(pattern)
        .case_insensitive(fold)
        .size_limit(MAX_PATTERN)
        .build()
        .ok()
}

/// Turns a pattern of LIKE with backslashes into a regular expression for the whole text.
fn like(pattern: &str) -> String {
    let mut regex = String::from("(?s)^");
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '\\' => regex.extend(
                chars
                    .next()
                    .map(|c| regex::escape(c.encode_utf8(&mut [0; 4]))),
            ),
            c => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push('$');
    regex
}
