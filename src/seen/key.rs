//! Key: forty bits of a hash that stand for a line: its second, process and text, and its host where that matters.
//!
//! Keys are stored, so what is hashed, and how, must never change.
//!
//! A line that begins with a queue id is the same wherever it was written down: the id holds the microsecond and inode of
//! its message, so no other host has it with the same process, second and text. Other lines are told apart by their host:
//! two containers with small process ids hear the same scanner in the same second.

use crate::model::entry::Entry;
use crate::model::time::SECOND;
use crate::parse::queue_id;
use xxhash_rust::xxh3::xxh3_64;

/// Stands for a line.
pub type Key = u64;

/// Bits of a key.
pub(super) const BITS: u32 = 40;

/// A line without its time and host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content {
    hash: u64,
    /// It begins with a queue id.
    pub(super) names_message: bool,
}

impl Content {
    pub(super) fn of(entry: &Entry<'_>) -> Self {
        let text = entry.text.trim_end();
        // A notice that a line was repeated is not the line.
        let process = u64::from(entry.pid.unwrap_or(0)) | u64::from(entry.repeated) << 32;
        let seed = mixed(xxh3_64(entry.program().as_bytes()) ^ mixed(process));
        Self {
            hash: xxh3_64(text.as_bytes()) ^ seed,
            names_message: queue_id::split(text).is_some(),
        }
    }

    /// Returns the key of the line at a second, on a host.
    pub(super) fn at(self, second: i64, host: Host) -> Key {
        let host = if self.names_message { 0 } else { host.name };
        let place = mixed(second.cast_unsigned()).wrapping_add(host);
        mixed(self.hash ^ place) >> (64 - BITS)
    }
}

/// Returns the second of a line; none when it has no time.
pub(super) fn second(entry: &Entry<'_>) -> Option<i64> {
    entry.time.map(|time| time.0.div_euclid(SECOND))
}

/// A host as logged, by hashes of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Host {
    /// Of the whole name; 0 for none.
    name: u64,
    /// Of its first label.
    label: u64,
    has_domain: bool,
}

impl Host {
    pub(super) fn of(name: &str) -> Self {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if name.is_empty() || name == "-" {
            return Self::default();
        }
        let label = name.split('.').next().unwrap_or_default();
        Self {
            name: xxh3_64(name.as_bytes()) | 1,
            label: xxh3_64(label.as_bytes()),
            has_domain: label.len() < name.len(),
        }
    }

    /// Tells whether both may be names of one host: `mail` and `mail.example.com`, or one is not known.
    pub(super) const fn agrees(self, other: Self) -> bool {
        self.name == other.name
            || self.name == 0
            || other.name == 0
            || self.label == other.label && !(self.has_domain && other.has_domain)
    }
}

/// The finalizer of splitmix64: each bit of the result depends on each bit of the value.
const fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Trust;
    use crate::model::time::Time;

    fn entry(text: &str) -> Entry<'_> {
        Entry {
            time: Some(Time(1_795_514_400_000_000)),
            time_ambiguous: false,
            host: "mail",
            ident: "postfix/smtpd",
            pid: Some(7),
            text,
            repeated: 0,
            truncated: false,
            trust: Trust::Unproven,
            raw: text,
        }
    }

    #[test]
    fn a_key_never_changes() {
        let keys = ["connect from a[192.0.2.1]", "3A1973E542: removed"];
        let keys = keys.map(|text| Content::of(&entry(text)).at(1_795_514_400, Host::of("mail")));
        assert_eq!(keys, [156_888_725_422, 711_047_913_809]);
    }

    #[test]
    fn the_host_matters_where_no_queue_id_tells() {
        let (a, b) = (Host::of("pod-a"), Host::of("pod-b"));
        let named = Content::of(&entry("3A1973E542: removed"));
        assert_eq!(named.at(5, a), named.at(5, b));
        let plain = Content::of(&entry("connect from unknown[192.0.2.1]"));
        assert_ne!(plain.at(5, a), plain.at(5, b));
        assert_ne!(plain.at(5, a), plain.at(6, a));
    }

    #[test]
    fn process_program_text_and_repetition_matter_and_the_label_does_not() {
        let line = entry("3A1973E542: removed");
        let key = |entry: &Entry<'_>| Content::of(entry).at(5, Host::default());
        let same = Entry {
            ident: "postfix/submission/smtpd",
            text: "3A1973E542: removed ",
            ..line
        };
        assert_eq!(key(&line), key(&same));
        for other in [
            Entry {
                ident: "postfix/qmgr",
                ..line
            },
            Entry {
                pid: Some(8),
                ..line
            },
            Entry {
                repeated: 2,
                ..line
            },
            entry("3A1973E543: removed"),
        ] {
            assert_ne!(key(&line), key(&other), "{other:?}");
        }
    }

    #[test]
    fn a_short_name_is_the_host_of_each_domain() {
        let agree = |a: &str, b: &str| Host::of(a).agrees(Host::of(b));
        assert!(agree("mail", "MAIL.example.com"));
        assert!(agree("mail.example.com.", "mail.example.com"));
        assert!(agree("", "mail.example.com"));
        assert!(!agree("mail.example.org", "mail.example.com"));
        assert!(!agree("mail", "mail2"));
        assert!(!agree("mail", "mx.mail"));
    }
}
