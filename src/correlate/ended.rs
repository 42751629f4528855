//! Ended: sessions of smtpd that ended within the second, for lines of theirs that come behind the last one.
//!
//! Promises: a `client=`, a TLS line or an abort that is read after `disconnect` of the same second belongs to that session
//! and opens none; a `connect` that is read after others of its session begins none anew.
//!
//! Limits: the row of the session is written when it ends, and has what was known then. A client that comes back to the same
//! process within the second in which its session ended, of which the log has no beginning, is taken for that session.

use super::process::{Key, KeyRef};
use crate::model::time::Time;
use hashbrown::{Equivalent, HashMap};
use serde::{Deserialize, Serialize};

/// Sessions remembered of one second and host.
const LIMIT: usize = 1000;

/// The sessions of one host that ended at one time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Second<S> {
    time: Time,
    sessions: Vec<(Key, S)>,
}

/// Sessions that ended within the last second of their host.
#[derive(Debug)]
pub(super) struct Ended<S> {
    by_host: HashMap<u32, Second<S>>,
}

impl<S> Default for Ended<S> {
    fn default() -> Self {
        Self {
            by_host: HashMap::new(),
        }
    }
}

/// What the state keeps of a session: when it ended, its process, itself.
pub(super) type EndedSession<S> = (Time, Key, S);

impl<S> Ended<S> {
    pub(super) fn restore(list: Vec<EndedSession<S>>) -> Self {
        let mut this = Self::default();
        for (time, key, session) in list {
            this.add(key, session, time);
        }
        this
    }

    /// Returns all of them in an order that does not depend on chance.
    pub(super) fn list(&self) -> Vec<(Time, &Key, &S)> {
        let mut hosts: Vec<_> = self.by_host.iter().collect();
        hosts.sort_unstable_by_key(|(host, _)| **host);
        let of_host = |second: &'_ Second<S>| second.time;
        hosts
            .into_iter()
            .flat_map(|(_, s)| {
                s.sessions
                    .iter()
                    .map(move |(key, session)| (of_host(s), key, session))
            })
            .collect()
    }

    /// Remembers a session that ended.
    pub(super) fn add(&mut self, key: Key, session: S, time: Time) {
        let second = self.by_host.entry(key.host).or_insert_with(|| Second {
            time,
            sessions: Vec::new(),
        });
        if second.time != time {
            second.time = time;
            second.sessions.clear();
        }
        if second.sessions.len() < LIMIT {
            second.sessions.push((key, session));
        }
    }

    /// Returns the last session of the process that ended at that time and is the one.
    pub(super) fn get(
        &mut self,
        key: &KeyRef<'_>,
        time: Time,
        is_it: impl Fn(&S) -> bool,
    ) -> Option<&mut S> {
        let second = self.by_host.get_mut(&key.host)?;
        if second.time != time {
            return None;
        }
        let mut newest = second.sessions.iter_mut().rev();
        let (_, session) = newest.find(|(k, s)| key.equivalent(k) && is_it(s))?;
        Some(session)
    }
}
