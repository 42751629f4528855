//! Snapshot: the mails of a listing -> the rows by which the queue stands in the database, and its counts.
//!
//! Promises: the counts are of the whole queue; memory is bounded, for rows are kept of the first [`MOST_MAILS`] mails only and domains
//! are counted of the first [`MOST_DOMAINS`].

use super::filter::{self, Present};
use super::mail::{Mail, Status, domain};
use super::sheet;
use crate::model::queue::{QueueCount, QueueListing, QueuedMail, QueuedRecipient, Snapshot};
use crate::model::row::Text;
use crate::model::time::Time;
use hashbrown::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Mails that are stored: a longer queue is a flood, which its counts and its first mails tell well enough.
pub const MOST_MAILS: usize = 200_000;

/// Recipients that are stored, for the same reason.
const MOST_RECIPIENTS: usize = 1_000_000;

/// Domains that are counted at all; those of the mails behind count in the whole queue only.
const MOST_DOMAINS: usize = 100_000;

/// Domains of each queue that are stored: those with the most recipients.
const TOP_DOMAINS: usize = 50;

/// Queues that are counted although they are empty, so that a count of 0 differs from no count.
const ALWAYS: [Status; 4] = [
    Status::Incoming,
    Status::Active,
    Status::Deferred,
    Status::Hold,
];

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    mails: i64,
    recipients: i64,
    size: i64,
    oldest: Option<Time>,
}

impl Count {
    fn add(&mut self, recipients: i64, mail: &Mail) {
        self.mails += 1;
        self.recipients += recipients;
        let size = mail.size.and_then(|size| i64::try_from(size).ok());
        self.size = self.size.saturating_add(size.unwrap_or_default());
        self.oldest = match (self.oldest, mail.arrival) {
            (Some(oldest), Some(arrival)) => Some(oldest.min(arrival)),
            (oldest, arrival) => oldest.or(arrival),
        };
    }

    fn row(self, listing: &QueueListing, status: &Status, domain: Option<Text>) -> QueueCount {
        QueueCount {
            time: listing.time,
            host: listing.host.clone(),
            status: status.name().into(),
            domain,
            mails: self.mails,
            recipients: self.recipients,
            size: self.size,
            oldest: self.oldest,
        }
    }
}

/// A snapshot that is being made.
#[derive(Debug)]
pub struct Taker {
    snapshot: Snapshot,
    queues: HashMap<Status, Count>,
    domains: HashMap<(Status, Text), Count>,
}

impl Taker {
    /// Begins one; of the listing its time, its machine and its instance count.
    #[must_use]
    pub fn new(listing: QueueListing) -> Self {
        let snapshot = Snapshot {
            listing,
            ..Snapshot::default()
        };
        Self {
            snapshot,
            queues: HashMap::new(),
            domains: HashMap::new(),
        }
    }

    /// Notes a part of the listing that could not be read.
    pub fn odd(&mut self) {
        self.snapshot.listing.odd += 1;
    }

    /// Adds a mail.
    pub fn add(&mut self, mail: &Mail, present: &mut Present) {
        let nrcpt = i64::try_from(mail.recipients.len()).unwrap_or(i64::MAX);
        let queue = self.queues.entry(mail.status.clone()).or_default();
        queue.add(nrcpt, mail);
        let listing = &mut self.snapshot.listing;
        listing.mails += 1;
        listing.recipients += nrcpt;
        listing.odd += i64::from(mail.odd.is_some());
        self.count_domains(mail);
        self.store(mail, nrcpt, present);
    }

    fn count_domains(&mut self, mail: &Mail) {
        let mut own: HashMap<Text, i64> = HashMap::new();
        for recipient in &mail.recipients {
            let domain = domain(&recipient.address).unwrap_or_default();
            *own.entry(domain.into()).or_default() += 1;
        }
        for (domain, recipients) in own {
            let key = (mail.status.clone(), domain);
            if self.domains.len() < MOST_DOMAINS || self.domains.contains_key(&key) {
                self.domains.entry(key).or_default().add(recipients, mail);
            }
        }
    }

    fn store(&mut self, mail: &Mail, nrcpt: i64, present: &mut Present) {
        let Snapshot {
            listing,
            mails,
            recipients,
            ..
        } = &mut self.snapshot;
        let is_room = recipients.len() + mail.recipients.len() <= MOST_RECIPIENTS;
        if mails.len() >= MOST_MAILS || !is_room {
            return;
        }
        listing.stored += 1;
        let main = sheet::commonest(mail).map(|(reason, _)| reason);
        mails.push(QueuedMail {
            time: listing.time,
            queue_id: mail.queue_id.clone(),
            digest: digest(mail),
            status: mail.status.name().into(),
            forced_expire: mail.forced_expire,
            arrival_time: mail.arrival,
            size: mail.size.and_then(|size| i64::try_from(size).ok()),
            sender: mail.sender.clone(),
            nrcpt,
            reason: main.map(|reason| Text::from(&**reason)),
            cause: main.map(|reason| filter::cause(reason, present).into()),
            odd: mail.odd.map(Text::from),
        });
        for recipient in &mail.recipients {
            let reason = recipient.reason.as_deref();
            recipients.push(QueuedRecipient {
                time: listing.time,
                queue_id: mail.queue_id.clone(),
                recipient: recipient.address.clone(),
                reason: reason.map(Text::from),
                cause: reason.map(|reason| filter::cause(reason, present).into()),
            });
        }
    }

    /// Returns the snapshot.
    #[must_use]
    pub fn finish(mut self) -> Snapshot {
        for status in ALWAYS {
            self.queues.entry(status).or_default();
        }
        let mut queues: Vec<(Status, Count)> = self.queues.into_iter().collect();
        queues.sort_by(|a, b| a.0.cmp(&b.0));
        let mut domains: Vec<((Status, Text), Count)> = self.domains.into_iter().collect();
        domains.sort_by(|((_, a), x), ((_, b), y)| {
            y.recipients.cmp(&x.recipients).then_with(|| a.cmp(b))
        });
        let listing = &mut self.snapshot.listing;
        listing.oldest = queues.iter().filter_map(|(_, count)| count.oldest).min();
        for (status, count) in queues {
            let counts = &mut self.snapshot.counts;
            counts.push(count.row(listing, &status, None));
            let own = domains.iter().filter(|((of, _), _)| *of == status);
            let own = own.take(TOP_DOMAINS);
            counts.extend(
                own.map(|((_, domain), count)| count.row(listing, &status, Some(domain.clone()))),
            );
        }
        self.snapshot
    }
}

/// Returns a number that differs where anything that is stored of the mails differs; the same in each run of the program.
fn digest(mail: &Mail) -> i64 {
    let mut hasher = DefaultHasher::new();
    mail.queue_id.hash(&mut hasher);
    mail.status.hash(&mut hasher);
    (
        mail.forced_expire,
        mail.arrival.map(|time| time.0),
        mail.size,
    )
        .hash(&mut hasher);
    mail.sender.hash(&mut hasher);
    mail.odd.hash(&mut hasher);
    for recipient in &mail.recipients {
        recipient.address.hash(&mut hasher);
        recipient.reason.hash(&mut hasher);
    }
    hasher.finish().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{MINUTE, SECOND};
    use crate::model::zone::Zone;
    use crate::queue::Recipient;

    const NOW: Time = Time(1_795_514_400 * SECOND);

    fn mail(id: &str, status: Status, minutes: i64, to: &[(&str, Option<&str>)]) -> Mail {
        let mut mail = Mail::new(id);
        mail.status = status;
        mail.arrival = Some(NOW.plus(-minutes * MINUTE));
        mail.size = Some(100);
        mail.sender = Some("a@example.com".into());
        let recipient = |(address, reason): &(&str, Option<&str>)| Recipient {
            address: (*address).into(),
            reason: reason.map(Into::into),
        };
        mail.recipients = to.iter().map(recipient).collect();
        mail
    }

    fn taken(mails: &[Mail]) -> Snapshot {
        let mut taker = Taker::new(QueueListing {
            time: NOW,
            ..QueueListing::default()
        });
        let mut present = Present::new(NOW, Zone::UTC);
        for mail in mails {
            taker.add(mail, &mut present);
        }
        taker.finish()
    }

    #[test]
    fn an_empty_queue_counts_nothing_of_each_kind() {
        let snapshot = taken(&[]);
        let counted: Vec<(&str, i64)> = snapshot
            .counts
            .iter()
            .map(|count| (count.status.as_str(), count.mails))
            .collect();
        let none = [("active", 0), ("deferred", 0), ("hold", 0), ("incoming", 0)];
        assert_eq!(counted, none);
        assert_eq!(snapshot.listing.oldest, None);
    }

    #[test]
    fn a_mail_counts_once_in_its_queue_and_once_in_each_domain() {
        let full = Some("host mx.example.org said: 452 4.2.2 mailbox full");
        let snapshot = taken(&[
            mail(
                "A",
                Status::Deferred,
                90,
                &[
                    ("x@example.org", full),
                    ("y@EXAMPLE.org", full),
                    ("z@example.net", None),
                ],
            ),
            mail("B", Status::Deferred, 5, &[("x@example.org", full)]),
            mail("C", Status::Hold, 1, &[("local", None)]),
        ]);
        let row = |status: &str, domain: Option<&str>| {
            let found = snapshot
                .counts
                .iter()
                .find(|count| count.status == status && count.domain.as_deref() == domain);
            found.map(|count| (count.mails, count.recipients, count.size, count.oldest))
        };
        let ago = |minutes: i64| Some(NOW.plus(-minutes * MINUTE));
        assert_eq!(row("deferred", None), Some((2, 4, 200, ago(90))));
        let org = Some("example.org");
        assert_eq!(row("deferred", org), Some((2, 3, 200, ago(90))));
        assert_eq!(
            row("deferred", Some("example.net")),
            Some((1, 1, 100, ago(90)))
        );
        assert_eq!(row("hold", Some("")), Some((1, 1, 100, ago(1))));
        assert_eq!(row("hold", org), None);
        assert_eq!(snapshot.listing.mails, 3);
        assert_eq!(snapshot.listing.recipients, 5);
        assert_eq!(snapshot.mails[0].cause.as_deref(), Some("mailbox_full"));
        assert_eq!(snapshot.recipients[2].cause, None);
    }

    #[test]
    fn a_digest_changes_with_whatever_is_stored() {
        let digest = |mail: &Mail| taken(std::slice::from_ref(mail)).mails[0].digest;
        let plain = mail("A", Status::Deferred, 1, &[("x@example.org", Some("r"))]);
        assert_eq!(digest(&plain), digest(&plain.clone()));
        let change = |change: fn(&mut Mail)| {
            let mut changed = plain.clone();
            change(&mut changed);
            digest(&changed)
        };
        for changed in [
            change(|mail| mail.status = Status::Hold),
            change(|mail| mail.forced_expire = true),
            change(|mail| mail.sender = None),
            change(|mail| mail.recipients[0].reason = None),
            change(|mail| mail.recipients[0].address = "y@example.org".into()),
        ] {
            assert_ne!(changed, digest(&plain));
        }
    }
}
