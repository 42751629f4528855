//! Counters: how often a digest was reported as spam and as ham, in memory; what changed is written down now and then.

use hashbrown::{HashMap, HashSet};

/// Longest digest that is counted.
pub const DIGEST_LENGTH: usize = 128;

/// Bytes that a digest takes here, about: a test measures it.
pub const BYTES: usize = 130;

/// A digest: 20 bytes if it is one of SHA-1 in lower case, as those of all clients.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Sha1([u8; 20]),
    Other(Box<str>),
}

impl Key {
    fn new(digest: &str) -> Self {
        let nibble = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = digest.as_bytes().as_chunks::<2>();
        let mut hash = [0; 20];
        let is_sha1 = rest.is_empty()
            && pairs.len() == hash.len()
            && hash.iter_mut().zip(pairs).all(|(byte, [high, low])| {
                let pair = nibble(*high).zip(nibble(*low));
                pair.inspect(|(high, low)| *byte = high << 4 | low)
                    .is_some()
            });
        if is_sha1 {
            Self::Sha1(hash)
        } else {
            Self::Other(digest.into())
        }
    }

    /// Returns in which part it is counted.
    fn part(&self) -> usize {
        let first = match self {
            Self::Sha1(hash) => hash.first(),
            Self::Other(text) => text.as_bytes().first(),
        };
        usize::from(first.copied().unwrap_or(0)) % PARTS
    }

    fn text(&self) -> String {
        match self {
            Self::Sha1(hash) => super::hex(hash),
            Self::Other(text) => text.to_string(),
        }
    }
}

/// One of both counts of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// How often.
    pub count: i64,
    /// When for the first time, in seconds since 1970; 0 if never.
    pub entered: u32,
    /// When for the last time.
    pub updated: u32,
}

impl Count {
    /// Returns the larger count, the first time and the last.
    fn merged(self, other: Self) -> Self {
        let entered = [self.entered, other.entered].into_iter();
        Self {
            count: self.count.max(other.count),
            entered: entered.filter(|time| *time > 0).min().unwrap_or(0),
            updated: self.updated.max(other.updated),
        }
    }

    fn bump(&mut self, now: i64) {
        let now = u32::try_from(now).unwrap_or(0);
        self.count = self.count.saturating_add(1);
        if self.entered == 0 {
            self.entered = now;
        }
        self.updated = now;
    }
}

/// What is known of a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Record {
    /// Reports as spam.
    pub report: Count,
    /// Reports as ham.
    pub whitelist: Count,
}

impl Record {
    /// Returns it with what another server knows; the same again changes nothing.
    #[must_use]
    pub fn merged(self, other: Self) -> Self {
        Self {
            report: self.report.merged(other.report),
            whitelist: self.whitelist.merged(other.whitelist),
        }
    }

    /// Returns when it was reported last, as one or the other.
    #[must_use]
    pub fn updated(&self) -> u32 {
        self.report.updated.max(self.whitelist.updated)
    }
}

/// What an administrator has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// What another server knows of a digest is known here, too.
    Merge(String, Record),
    /// Nothing is known of a digest.
    Forget(String),
}

/// As what a digest is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As spam.
    Report,
    /// As ham.
    Whitelist,
}

/// There are as many digests as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// Parts of the counters: what takes as long as there are digests (growing, looking for old ones) is done part by part, so that no packet
/// waits long.
const PARTS: usize = 256;

/// The counters of a server.
#[derive(Debug)]
pub struct Counters {
    parts: Box<[HashMap<Key, Record>]>,
    changed: HashSet<Key>,
    length: usize,
    limit: usize,
    /// The part in which old digests are looked for next.
    next: usize,
}

impl Counters {
    /// Returns counters for so many digests.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            parts: vec![HashMap::new(); PARTS].into_boxed_slice(),
            changed: HashSet::new(),
            length: 0,
            limit,
            next: 0,
        }
    }

    /// Returns how many digests there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn record(&self, key: &Key) -> Option<&Record> {
        self.parts.get(key.part())?.get(key)
    }

    /// Returns what is known of a digest; zeros if nothing is.
    #[must_use]
    pub fn get(&self, digest: &str) -> Record {
        self.record(&Key::new(digest)).copied().unwrap_or_default()
    }

    /// Puts a record that was stored before.
    pub fn restore(&mut self, digest: &str, record: Record) {
        let key = Key::new(digest);
        if let Some(part) = self.parts.get_mut(key.part())
            && part.insert(key, record).is_none()
        {
            self.length += 1;
        }
    }

    /// Does what an administrator orders.
    pub fn obey(&mut self, order: Order) {
        let key = match order {
            Order::Merge(digest, record) => {
                let merged = self.get(&digest).merged(record);
                self.restore(&digest, merged);
                Key::new(&digest)
            }
            Order::Forget(digest) => {
                let key = Key::new(&digest);
                let part = self.parts.get_mut(key.part());
                if part.is_some_and(|part| part.remove(&key).is_some()) {
                    self.length -= 1;
                }
                key
            }
        };
        self.changed.insert(key);
    }

    /// Counts digests, all or none.
    ///
    /// # Errors
    /// When there would be too many.
    pub fn count(&mut self, kind: Kind, digests: &[String], now: i64) -> Result<(), Full> {
        let keys: Vec<Key> = digests.iter().map(|digest| Key::new(digest)).collect();
        let free = self.limit.saturating_sub(self.length);
        if keys.len() > free {
            let new: HashSet<&Key> = keys
                .iter()
                .filter(|key| self.record(key).is_none())
                .collect();
            if new.len() > free {
                return Err(Full);
            }
        }
        for key in keys {
            let Some(part) = self.parts.get_mut(key.part()) else {
                continue;
            };
            let before = part.len();
            let record = part.entry(key.clone()).or_default();
            match kind {
                Kind::Report => record.report.bump(now),
                Kind::Whitelist => record.whitelist.bump(now),
            }
            self.length += part.len() - before;
            self.changed.insert(key);
        }
        Ok(())
    }

    /// Returns all digests that changed since the last call; those that were forgotten have a record without reports.
    pub fn changes(&mut self) -> Vec<(String, Record)> {
        let changed = std::mem::take(&mut self.changed);
        let with_record = |key: Key| {
            let record = self.record(&key).copied().unwrap_or_default();
            (key.text(), record)
        };
        changed.into_iter().map(with_record).collect()
    }

    /// Forgets digests that nobody reported for `age` seconds (0: none), in so many of the [`PARTS`] parts, those that were looked
    /// at longest ago.
    pub fn expire(&mut self, age: i64, now: i64, parts: usize) {
        let Ok(before) = u32::try_from(now.saturating_sub(age)) else {
            return;
        };
        if age == 0 {
            return;
        }
        for _ in 0..parts.min(PARTS) {
            if let Some(part) = self.parts.get_mut(self.next) {
                for (key, _) in part.extract_if(|_, record| record.updated() < before) {
                    self.length -= 1;
                    self.changed.insert(key);
                }
            }
            self.next = (self.next + 1) % PARTS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(digests: &[&str]) -> Vec<String> {
        digests.iter().map(|digest| (*digest).to_owned()).collect()
    }

    #[test]
    fn a_digest_is_an_opaque_text() {
        for text in [
            "",
            "x",
            "b14b27d295fea0cc080917a9b6cf2f07ab4a1ad4",
            "B14b27d295fea0cc080917a9b6cf2f07ab4a1ad4",
            "b14b27d295fea0cc080917a9b6cf2f07ab4a1ad",
        ] {
            assert_eq!(Key::new(text).text(), text);
        }
        assert!(matches!(
            Key::new("b14b27d295fea0cc080917a9b6cf2f07ab4a1ad4"),
            Key::Sha1(_)
        ));
    }

    #[test]
    fn counts_have_times_and_saturate() {
        let mut counters = Counters::new(10);
        counters
            .count(Kind::Report, &of(&["a", "b", "a"]), 100)
            .unwrap();
        counters.count(Kind::Whitelist, &of(&["a"]), 200).unwrap();
        counters.count(Kind::Report, &of(&["a"]), 300).unwrap();
        let record = counters.get("a");
        assert_eq!(
            record.report,
            Count {
                count: 3,
                entered: 100,
                updated: 300
            }
        );
        assert_eq!(
            record.whitelist,
            Count {
                count: 1,
                entered: 200,
                updated: 200
            }
        );
        assert_eq!(record.updated(), 300);
        assert_eq!(counters.changes().len(), 2);
        assert!(counters.changes().is_empty());
        let report = Count {
            count: i64::MAX,
            entered: 1,
            updated: 1,
        };
        counters.restore(
            "c",
            Record {
                report,
                whitelist: Count::default(),
            },
        );
        counters.count(Kind::Report, &of(&["c"]), 5).unwrap();
        assert_eq!(counters.get("c").report.count, i64::MAX);
    }

    #[test]
    fn new_digests_end_at_the_limit_and_known_ones_still_count() {
        let mut counters = Counters::new(2);
        counters.count(Kind::Report, &of(&["a", "b"]), 1).unwrap();
        assert_eq!(counters.count(Kind::Report, &of(&["a", "c"]), 2), Err(Full));
        assert_eq!(counters.get("a").report.count, 1);
        counters
            .count(Kind::Report, &of(&["a", "b", "a"]), 3)
            .unwrap();
        assert_eq!((counters.get("a").report.count, counters.len()), (3, 2));
    }

    #[test]
    fn digests_expire_by_the_newer_of_both_times() {
        let mut counters = Counters::new(9);
        counters
            .count(Kind::Report, &of(&["old", "renewed"]), 1000)
            .unwrap();
        counters
            .count(Kind::Whitelist, &of(&["renewed"]), 2000)
            .unwrap();
        counters.changes();
        counters.expire(0, 9000, PARTS);
        counters.expire(1000, 2000, PARTS);
        assert!(counters.changes().is_empty());
        for _ in 0..PARTS {
            counters.expire(1000, 2001, 1);
        }
        assert_eq!(counters.changes(), [("old".to_owned(), Record::default())]);
        assert_eq!(counters.len(), 1);
    }

    #[test]
    fn what_another_server_knows_is_merged_and_a_digest_forgotten() {
        let mut counters = Counters::new(9);
        let count = |count, entered, updated| Count {
            count,
            entered,
            updated,
        };
        let of = |report, whitelist| Record { report, whitelist };
        let (none, first) = (Count::default(), of(count(4, 5, 8), Count::default()));
        for _ in 0..2 {
            counters.obey(Order::Merge("a".to_owned(), first));
        }
        assert_eq!((counters.len(), counters.get("a")), (1, first));
        assert_eq!(counters.changes().len(), 1);
        let other = of(count(3, 2, 9), count(1, 1, 1));
        counters.obey(Order::Merge("a".to_owned(), other));
        assert_eq!(counters.get("a"), of(count(4, 2, 9), count(1, 1, 1)));
        counters.changes();
        counters.obey(Order::Forget("a".to_owned()));
        assert!(counters.is_empty());
        assert_eq!(counters.changes(), [("a".to_owned(), of(none, none))]);
    }
}
