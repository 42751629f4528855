//! Cluster: mails that have much in common, the most suspicious group first.
//!
//! Each value of a dimension (a sender, a log-in, a client's network, ...) makes a group; what nearly all of its mails share beside it is told
//! with it, and groups that tell the same are one. The more a group shares, the higher it stands: four hundred mails of one log-in with one
//! subject go before a thousand to one big domain.

use super::filter::{self, Present};
use super::mail::{Mail, domain, folded};
use super::summary::NULL;
use crate::model::ip;
use crate::model::time::Time;
use hashbrown::HashMap;
use std::cmp::Reverse;

/// What mails can have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// Log-in name of the client.
    User,
    /// Envelope sender.
    Sender,
    /// Network of the client.
    Client,
    /// Decoded subject.
    Subject,
    /// Digest of the body.
    Body,
    /// Domain of the recipients.
    Destination,
    /// Why they were put off.
    Cause,
}

impl Dimension {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::User,
        Self::Sender,
        Self::Client,
        Self::Subject,
        Self::Body,
        Self::Destination,
        Self::Cause,
    ];

    /// Returns whether it tells where the mails come from; what they wait for is nobody's fault.
    #[must_use]
    pub const fn is_origin(self) -> bool {
        !matches!(self, Self::Destination | Self::Cause)
    }

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Sender => "sender",
            Self::Client => "client",
            Self::Subject => "subject",
            Self::Body => "body",
            Self::Destination => "destination",
            Self::Cause => "cause",
        }
    }
}

/// A group of mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// How many.
    pub mails: usize,
    /// Recipients that wait.
    pub recipients: usize,
    /// Bytes.
    pub size: u128,
    /// Arrival of the oldest and the newest.
    pub span: Option<(Time, Time)>,
    /// What they share, each with how many of them do.
    pub shared: Vec<(Dimension, String, usize)>,
    /// Their ids.
    pub queue_ids: Vec<String>,
}

/// Fewer mails than this are no group.
const LEAST: usize = 2;

const DIMENSIONS: usize = Dimension::ALL.len();

/// Values by number.
#[derive(Debug, Default)]
struct Names {
    numbers: HashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        number
    }
}

#[derive(Debug)]
struct Member {
    queue_id: compact_str::CompactString,
    recipients: usize,
    size: u64,
    arrival: Option<Time>,
    /// Values of each dimension; a mail to several domains has several.
    values: [Vec<u32>; DIMENSIONS],
}

/// Takes mails and finds the groups among them.
#[derive(Debug, Default)]
pub struct Clusters {
    names: [Names; DIMENSIONS],
    members: Vec<Member>,
}

impl Clusters {
    /// Takes a mail; `body` is a digest of its body, where somebody made one.
    pub fn add(&mut self, mail: &Mail, body: Option<&str>, present: &mut Present) {
        let mut destinations: Vec<String> = Vec::new();
        for domain in mail.recipients.iter().filter_map(|r| domain(&r.address)) {
            if destinations.last() != Some(&domain) && !destinations.contains(&domain) {
                destinations.push(domain);
            }
        }
        let sender = mail.sender.as_deref().map(|sender| match sender {
            "" => NULL.to_owned(),
            sender => folded(sender),
        });
        // This host itself hands in what filters and local programs send.
        let (_, address) = filter::client(mail);
        let address = address
            .filter(|a| ip::parse_address(a).is_some_and(|a| !a.to_canonical().is_loopback()));
        let one = |value: Option<String>| value.into_iter().collect::<Vec<_>>();
        let values = [
            one(filter::user(mail).map(str::to_owned)),
            one(sender),
            one(address.and_then(ip::network)),
            one(mail.subject()),
            one(body.map(str::to_owned)),
            destinations,
            filter::causes(mail, present),
        ];
        let mut numbers: [Vec<u32>; DIMENSIONS] = Default::default();
        for ((numbers, values), names) in numbers.iter_mut().zip(values).zip(&mut self.names) {
            numbers.extend(values.iter().map(|value| names.number(value)));
        }
        self.members.push(Member {
            queue_id: mail.queue_id.clone(),
            recipients: mail.recipients.len(),
            size: mail.size.unwrap_or(0),
            arrival: mail.arrival,
            values: numbers,
        });
    }

    /// Returns the groups, the most suspicious first; only those of one dimension where it is named.
    #[must_use]
    pub fn groups(&self, only: Option<Dimension>) -> Vec<Cluster> {
        let mut found: HashMap<Vec<(Dimension, u32)>, Cluster> = HashMap::new();
        for (place, dimension) in Dimension::ALL.into_iter().enumerate() {
            if only.is_some_and(|only| only != dimension) {
                continue;
            }
            for members in self.by_value(place) {
                let (key, cluster) = self.cluster(&members);
                let known = found.get(&key).map_or(0, |known| known.mails);
                if cluster.mails > known {
                    found.insert(key, cluster);
                }
            }
        }
        let mut all: Vec<Cluster> = found.into_values().collect();
        all.sort_by(|a, b| {
            let score = |c: &Cluster| {
                let origins = c
                    .shared
                    .iter()
                    .filter(|(dimension, ..)| dimension.is_origin());
                c.mails * (1 + origins.count()).pow(3)
            };
            (Reverse(score(a)), Reverse(a.mails))
                .cmp(&(Reverse(score(b)), Reverse(b.mails)))
                .then_with(|| a.shared.cmp(&b.shared))
        });
        all
    }

    fn by_value(&self, place: usize) -> impl Iterator<Item = Vec<&Member>> {
        let mut groups: HashMap<u32, Vec<&Member>> = HashMap::new();
        for member in &self.members {
            for value in member.values.get(place).into_iter().flatten() {
                groups.entry(*value).or_default().push(member);
            }
        }
        groups
            .into_values()
            .filter(|members| members.len() >= LEAST)
    }

    /// Returns what the members share, as key and for people.
    fn cluster(&self, members: &[&Member]) -> (Vec<(Dimension, u32)>, Cluster) {
        let mut key = Vec::new();
        let mut shared = Vec::new();
        // One mail in twenty may differ.
        let enough = members.len() - members.len() / 20;
        for ((place, dimension), names) in Dimension::ALL.into_iter().enumerate().zip(&self.names) {
            let mut counts: HashMap<u32, usize> = HashMap::new();
            for value in members.iter().filter_map(|m| m.values.get(place)).flatten() {
                *counts.entry(*value).or_default() += 1;
            }
            let most = counts
                .into_iter()
                .max_by_key(|(value, count)| (*count, Reverse(*value)));
            if let Some((value, count)) = most.filter(|(_, count)| *count >= enough) {
                let name = usize::try_from(value)
                    .ok()
                    .and_then(|at| names.names.get(at));
                key.push((dimension, value));
                shared.push((dimension, name.cloned().unwrap_or_default(), count));
            }
        }
        let times = || members.iter().filter_map(|member| member.arrival);
        let cluster = Cluster {
            mails: members.len(),
            recipients: members.iter().map(|member| member.recipients).sum(),
            size: members.iter().map(|member| u128::from(member.size)).sum(),
            span: times().min().zip(times().max()),
            shared,
            queue_ids: members.iter().map(|m| m.queue_id.to_string()).collect(),
        };
        (key, cluster)
    }
}
