//! Login queue: connections that have not said yet who they are. They are counted by where they come from, so that nobody is
//! kept out by those of others: the owner's, those of other users of the machine, and those of the network. When there
//! are too many, the one that has waited longest goes: who means it has said by then who he is.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Connections that wait at each door;
const MOST: usize = 80;
/// and of them those of one user or address.
const MOST_EACH: usize = 40;

/// A door for users or addresses.
pub(super) struct LoginQueue<K> {
    waiting: Mutex<Queue<K>>,
}

struct Queue<K> {
    /// The oldest first, each with what lets it wait.
    all: VecDeque<(u64, K, oneshot::Sender<()>)>,
    next: u64,
}

/// A place on arrival, as long as it lives.
pub(super) struct Waiting<K: Eq + Hash + Copy> {
    door: Arc<LoginQueue<K>>,
    number: u64,
    is_sent_away: oneshot::Receiver<()>,
}

impl<K> Default for LoginQueue<K> {
    fn default() -> Self {
        let (all, next) = (VecDeque::new(), 0);
        Self {
            waiting: Mutex::new(Queue { all, next }),
        }
    }
}

impl<K: Eq + Hash + Copy> LoginQueue<K> {
    /// Gives a place; another may lose his.
    pub(super) fn enter(self: &Arc<Self>, who: K) -> Waiting<K> {
        let mut waiting = self.waiting();
        let mut counts: HashMap<K, usize> = HashMap::new();
        for (_, who, _) in &waiting.all {
            *counts.entry(*who).or_default() += 1;
        }
        let most = counts.iter().max_by_key(|(_, count)| **count);
        let leaver = if counts.get(&who).is_some_and(|count| *count >= MOST_EACH) {
            Some(who)
        } else {
            let is_full = waiting.all.len() >= MOST;
            most.filter(|_| is_full).map(|(who, _)| *who)
        };
        if let Some(leaver) = leaver
            && let Some(oldest) = waiting.all.iter().position(|(_, who, _)| *who == leaver)
        {
            waiting.all.remove(oldest);
        }
        let number = waiting.next;
        waiting.next += 1;
        let (stay, is_sent_away) = oneshot::channel();
        waiting.all.push_back((number, who, stay));
        Waiting {
            door: Arc::clone(self),
            number,
            is_sent_away,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Queue<K>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Copy> Waiting<K> {
    /// Does what has to be done on arrival; none when others need the place.
    pub(super) async fn meanwhile<T>(mut self, work: impl Future<Output = T>) -> Option<T> {
        match futures::future::select(std::pin::pin!(work), &mut self.is_sent_away).await {
            futures::future::Either::Left((done, _)) => Some(done),
            futures::future::Either::Right(_) => None,
        }
    }
}

impl<K: Eq + Hash + Copy> Drop for Waiting<K> {
    fn drop(&mut self) {
        let mut waiting = self.door.waiting();
        waiting.all.retain(|(number, ..)| *number != self.number);
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
    fn the_oldest_of_those_who_have_most_goes() {
        let door: Arc<LoginQueue<u32>> = Arc::default();
        let stays = |waiting: &mut Waiting<u32>| waiting.is_sent_away.try_recv().err();
        let goes = Some(oneshot::error::TryRecvError::Closed);
        let mut mine: Vec<_> = (0..1000).map(|_| door.enter(1)).collect();
        assert_eq!(door.waiting().all.len(), MOST_EACH);
        assert!(
            mine[..1000 - MOST_EACH]
                .iter_mut()
                .all(|it| stays(it) == goes)
        );
        assert!(
            mine[1000 - MOST_EACH..]
                .iter_mut()
                .all(|it| stays(it) != goes)
        );
        let mut others: Vec<_> = (2..1000).map(|user| door.enter(user)).collect();
        assert_eq!(door.waiting().all.len(), MOST);
        assert!(stays(others.last_mut().unwrap()) != goes);
        drop((mine, others));
        assert!(door.waiting().all.is_empty());
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
