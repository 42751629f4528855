//! Summary: the queue in numbers: sizes, ages, queues, and who and what is in it most.
//!
//! Mails are counted one by one as they are read; only names are kept. Lists are ordered by count, then by name.

use super::mail::{Mail, Status, domain, folded};
use crate::model::time::{DAY, Time};
use hashbrown::{HashMap, HashSet};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Names in each list.
pub const TOP: usize = 5;

/// The name of the null sender in lists.
pub const NULL: &str = "<>";

/// How often something occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// What: an address, a domain, an error.
    pub name: String,
    /// How often: once for each recipient, of senders once for each mail.
    pub count: u64,
    /// In how many mails.
    pub mails: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    count: u64,
    mails: u64,
    /// Number of the mail that was counted last.
    last: u64,
}

#[derive(Debug, Default)]
struct Tallies(HashMap<Arc<str>, Tally>);

impl Tallies {
    fn add(&mut self, name: &str, mail: u64) {
        let tally = match self.0.get_mut(name) {
            Some(tally) => tally,
            None => self.0.entry(name.into()).or_default(),
        };
        tally.count += 1;
        if tally.last != mail {
            tally.last = mail;
            tally.mails += 1;
        }
    }

    fn top(&self, most: usize) -> Vec<Count> {
        let mut all: Vec<Count> = self
            .0
            .iter()
            .map(|(name, tally)| Count {
                name: name.to_string(),
                count: tally.count,
                mails: tally.mails,
            })
            .collect();
        all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        all.truncate(most);
        all
    }
}

/// Numbers of the queue.
#[derive(Debug, Default)]
pub struct Summary {
    mails: u64,
    size: u128,
    largest: u64,
    smallest: Option<u64>,
    without_size: u64,
    recipients_waiting: u64,
    forced_expire: u64,
    day: u64,
    days: u64,
    older: u64,
    without_time: u64,
    oldest: Option<Time>,
    statuses: HashMap<Status, u64>,
    senders: Tallies,
    sender_domains: Tallies,
    recipients: Tallies,
    recipient_domains: Tallies,
    errors: Tallies,
    without_error: u64,
}

impl Summary {
    /// Counts a mail.
    pub fn add(&mut self, mail: &Mail, now: Time) {
        self.mails += 1;
        match mail.size {
            Some(size) => {
                self.size += u128::from(size);
                self.largest = self.largest.max(size);
                self.smallest = Some(self.smallest.map_or(size, |least| least.min(size)));
            }
            None => self.without_size += 1,
        }
        match mail.age(now) {
            None => self.without_time += 1,
            Some(age) if age < DAY => self.day += 1,
            Some(age) if age < 4 * DAY => self.days += 1,
            Some(_) => self.older += 1,
        }
        self.oldest = match (self.oldest, mail.arrival) {
            (Some(oldest), Some(arrival)) => Some(oldest.min(arrival)),
            (oldest, arrival) => oldest.or(arrival),
        };
        *self.statuses.entry(mail.status.clone()).or_default() += 1;
        self.forced_expire += u64::from(mail.forced_expire);
        self.recipients_waiting += mail.recipients.len() as u64;
        let number = self.mails;
        if let Some(sender) = mail.sender.as_deref() {
            match sender {
                "" => self.senders.add(NULL, number),
                sender => self.senders.add(&folded(sender), number),
            }
            if let Some(domain) = domain(sender) {
                self.sender_domains.add(&domain, number);
            }
        }
        for recipient in &mail.recipients {
            self.recipients.add(&folded(&recipient.address), number);
            if let Some(domain) = domain(&recipient.address) {
                self.recipient_domains.add(&domain, number);
            }
            match &recipient.reason {
                Some(reason) => self.errors.add(reason, number),
                None => self.without_error += 1,
            }
        }
    }

    /// Returns the number of mails.
    #[must_use]
    pub fn mails(&self) -> u64 {
        self.mails
    }

    /// Returns bytes of all mails.
    #[must_use]
    pub fn size(&self) -> u128 {
        self.size
    }

    /// Returns bytes of the average, the largest and the smallest mail; 0 of an empty queue.
    #[must_use]
    pub fn sizes(&self) -> (f64, u64, u64) {
        let counted = self.mails - self.without_size;
        #[expect(clippy::cast_precision_loss, reason = "an average")]
        let average = match counted {
            0 => 0.0,
            counted => self.size as f64 / counted as f64,
        };
        (average, self.largest, self.smallest.unwrap_or(0))
    }

    /// Returns mails younger than a day, from one to four days old, older, and without a readable time.
    #[must_use]
    pub fn ages(&self) -> [u64; 4] {
        [self.day, self.days, self.older, self.without_time]
    }

    /// Returns when the oldest mail arrived.
    #[must_use]
    pub fn oldest(&self) -> Option<Time> {
        self.oldest
    }

    /// Returns the number of mails in each queue, also where there is none.
    #[must_use]
    pub fn statuses(&self) -> Vec<(Status, u64)> {
        let count = |status: &Status| self.statuses.get(status).copied().unwrap_or(0);
        let mut all: Vec<(Status, u64)> = Status::ALL
            .into_iter()
            .map(|s| (s.clone(), count(&s)))
            .collect();
        let mut others: Vec<(Status, u64)> = self
            .statuses
            .iter()
            .filter(|(status, _)| matches!(status, Status::Other(_)))
            .map(|(status, count)| (status.clone(), *count))
            .collect();
        others.sort();
        all.extend(others);
        all
    }

    /// Returns mails that are forced to expire.
    #[must_use]
    pub fn forced_expire(&self) -> u64 {
        self.forced_expire
    }

    /// Returns recipients that wait, and how many of them have no error yet.
    #[must_use]
    pub fn waiting(&self) -> (u64, u64) {
        (self.recipients_waiting, self.without_error)
    }

    /// Returns numbers of different senders, sender domains, recipients and recipient domains.
    #[must_use]
    pub fn different(&self) -> [usize; 4] {
        [
            &self.senders,
            &self.sender_domains,
            &self.recipients,
            &self.recipient_domains,
        ]
        .map(|tallies| tallies.0.len())
    }

    /// Returns the commonest senders, sender domains, recipients, recipient domains and errors.
    #[must_use]
    pub fn top(&self) -> [(&'static str, Vec<Count>); 5] {
        [
            ("senders", self.senders.top(TOP)),
            ("sender_domains", self.sender_domains.top(TOP)),
            ("recipients", self.recipients.top(TOP)),
            ("recipient_domains", self.recipient_domains.top(TOP)),
            ("errors", self.errors.top(TOP)),
        ]
    }

    /// Returns everything as JSON; the names are pymailq's where it has the same number.
    #[must_use]
    pub fn json(&self) -> Map<String, Value> {
        let (average, largest, smallest) = self.sizes();
        let [day, days, older, without_time] = self.ages();
        let [senders, sender_domains, recipients, recipient_domains] = self.different();
        let statuses: Map<String, Value> = self
            .statuses()
            .into_iter()
            .map(|(status, count)| (status.name().to_owned(), count.into()))
            .collect();
        let mut all = Map::new();
        let mut put = |name: &str, value: Value| {
            all.insert(name.to_owned(), value);
        };
        put("total_mails", self.mails.into());
        let size = u64::try_from(self.size).unwrap_or(u64::MAX);
        put("total_mails_size", size.into());
        put("average_mail_size", short(average));
        put("max_mail_size", largest.into());
        put("min_mail_size", smallest.into());
        put(
            "mails_by_age",
            json!({
                "last_24h": day,
                "1_to_4_days_ago": days,
                "older_than_4_days": older,
                "unknown": without_time,
            }),
        );
        put("status", Value::Object(statuses));
        put("forced_expire", self.forced_expire.into());
        put("waiting_recipients", self.recipients_waiting.into());
        put("unique_senders", senders.into());
        put("unique_sender_domains", sender_domains.into());
        put("unique_recipients", recipients.into());
        put("unique_recipient_domains", recipient_domains.into());
        for (name, counts) in self.top() {
            put(&format!("top_{name}"), json!(counts));
        }
        all
    }
}

/// An average with the fraction that it has, to the hundredth.
fn short(number: f64) -> Value {
    let rounded = (number * 100.0).round() / 100.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and small"
    )]
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
        Value::from(rounded as i64)
    } else {
        Value::from(rounded)
    }
}

/// Mails that were seen, so that one that a listing shows twice counts once.
#[derive(Debug, Default)]
pub struct Seen {
    known: HashSet<(compact_str::CompactString, Option<Time>)>,
    /// Mails that were shown again.
    pub again: u64,
}

impl Seen {
    /// Returns whether the mail is seen for the first time.
    pub fn is_new(&mut self, mail: &Mail) -> bool {
        let is_new = self.known.insert((mail.queue_id.clone(), mail.arrival));
        self.again += u64::from(!is_new);
        is_new
    }
}
