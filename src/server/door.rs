//! Door: connections that have not said yet who they are. They are counted by where they come from, so that nobody is
//! kept out by those of others: the owner's, those of other users of the machine, and those of the network.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Connections that wait at each door;
const MOST: usize = 60;
/// and of them those of one user or address.
const MOST_EACH: usize = 30;

/// Connections that may be waiting at all doors together.
pub(super) const ALL: usize = 3 * MOST;

/// A door for users or addresses.
pub(super) struct Door<K: Eq + Hash + Copy> {
    waiting: Mutex<HashMap<K, usize>>,
}

/// A place at the door, as long as it lives.
pub(super) struct Waiting<K: Eq + Hash + Copy> {
    door: Arc<Door<K>>,
    who: K,
}

impl<K: Eq + Hash + Copy> Default for Door<K> {
    fn default() -> Self {
        Self {
            waiting: Mutex::default(),
        }
    }
}

impl<K: Eq + Hash + Copy> Door<K> {
    /// Gives a place; none when too many wait.
    pub(super) fn enter(self: &Arc<Self>, who: K) -> Option<Arc<Waiting<K>>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = waiting.values().sum();
        let own = waiting.get(&who).copied().unwrap_or_default();
        if all >= MOST || own >= MOST_EACH {
            return None;
        }
        waiting.insert(who, own + 1);
        Some(Arc::new(Waiting {
            door: Arc::clone(self),
            who,
        }))
    }
}

impl<K: Eq + Hash + Copy> Drop for Waiting<K> {
    fn drop(&mut self) {
        let waiting = self.door.waiting.lock();
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        match waiting.get_mut(&self.who) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(waiting.remove(&self.who)),
        }
    }
}

/// Returns what counts as one address: with IPv6 a host has a whole network.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let prefix = u128::from(six) >> 64 << 64;
            IpAddr::V6(prefix.into())
        }
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_the_whole_door() {
        let door: Arc<Door<u32>> = Arc::default();
        let mine: Vec<_> = (0..1000).filter_map(|_| door.enter(1)).collect();
        assert_eq!(mine.len(), MOST_EACH);
        let other = door.enter(2);
        assert!(other.is_some());
        let rest: Vec<_> = (3..1000).filter_map(|user| door.enter(user)).collect();
        assert_eq!(rest.len(), MOST - MOST_EACH - 1);
        drop((mine, other, rest));
        assert!(door.waiting.lock().unwrap().is_empty());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
