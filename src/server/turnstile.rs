//! Turnstile: which queries compute at once, so that nobody is kept waiting by what another user runs.
//!
//! There are so many places (`queries` in `[serve]`). A user gets at most all but one of them, and of those who wait the
//! one goes first whose user has the fewest queries running. Beside them root and the owner have a place of their own, and
//! so has `maillog status`: together they use it one query at a time.

use super::admission::{Stop, lock};
use crate::model::scope::Scope;
use futures::executor::block_on;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// Who runs a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    /// Name for people.
    pub name: String,
    /// Who connects over TCP is another one than the user of that name on this machine.
    pub is_remote: bool,
    /// Root, or the owner of the database: may add log and prune.
    pub is_owner: bool,
    /// Whose mail the user may see.
    pub scope: Scope,
}

/// A query that waits or computes.
#[derive(Debug, Clone)]
struct Query {
    number: u64,
    user: Arc<User>,
    is_status: bool,
}

/// Kind of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seat {
    Common,
    Owners,
    Status,
}

#[derive(Default)]
struct Queries {
    next: u64,
    is_closed: bool,
    waiting: Vec<Query>,
    /// Wakes who waits, by number.
    wakers: BTreeMap<u64, oneshot::Sender<()>>,
    running: Vec<(Query, Seat)>,
}

impl Queries {
    fn of(&self, user: &User) -> usize {
        let own = |(query, _): &&(Query, Seat)| *query.user == *user;
        self.running.iter().filter(own).count()
    }

    /// Returns the place that a query can have now.
    fn seat(&self, query: &Query, places: usize) -> Option<Seat> {
        let taken = |seat| self.running.iter().filter(|(_, of)| *of == seat).count();
        let own =
            |(other, seat): &&(Query, Seat)| *seat == Seat::Common && *other.user == *query.user;
        let own = self.running.iter().filter(own).count();
        if taken(Seat::Common) < places && own < (places - 1).max(1) {
            return Some(Seat::Common);
        }
        if query.user.is_owner && taken(Seat::Owners) == 0 {
            return Some(Seat::Owners);
        }
        (query.is_status && taken(Seat::Status) == 0).then_some(Seat::Status)
    }

    /// Lets the next query compute; none when none can.
    fn admit(&mut self, places: usize) -> Option<u64> {
        if self.is_closed {
            return None;
        }
        let can_go = |query: &&Query| self.seat(query, places).is_some();
        let next = self.waiting.iter().filter(can_go);
        let next = next.min_by_key(|query| (self.of(&query.user), query.number));
        let next = next?.clone();
        let (number, seat) = (next.number, self.seat(&next, places)?);
        self.running.push((next, seat));
        self.leave_queue(number);
        Some(number)
    }

    /// Lets all compute that can, and wakes them.
    fn admit_all(&mut self, places: usize) {
        while let Some(number) = self.admit(places) {
            if let Some(waker) = self.wakers.remove(&number) {
                let _ = waker.send(());
            }
        }
    }

    /// False when it does not wait any more: it has a place.
    fn leave_queue(&mut self, number: u64) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|query| query.number != number);
        self.waiting.len() < before
    }
}

/// Lets only so many queries compute at once.
pub(super) struct Turnstile {
    places: usize,
    queries: Mutex<Queries>,
}

impl Turnstile {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: places.max(1),
            queries: Mutex::default(),
        }
    }

    /// Lets nobody compute who does not yet, or everybody again.
    pub(super) fn close(&self, is_closed: bool) {
        let mut queries = lock(&self.queries);
        queries.is_closed = is_closed;
        queries.admit_all(self.places);
    }

    /// Returns how many compute.
    pub(super) fn taken(&self) -> usize {
        lock(&self.queries).running.len()
    }

    /// Waits for a place; none when the query was stopped meanwhile.
    pub(super) fn enter(&self, user: &Arc<User>, is_status: bool, stop: &Stop) -> Option<Turn<'_>> {
        let turn = Turn {
            turnstile: self,
            user: Arc::clone(user),
            is_status,
            number: Cell::new(None),
        };
        turn.wait(stop).then_some(turn)
    }

    /// Returns what is in the way of a query that waits; none when it does not.
    pub(super) fn obstacle(&self, stop: &Stop) -> Option<String> {
        let queries = lock(&self.queries);
        if !stop.waits() {
            return None;
        }
        if queries.is_closed {
            return Some("waiting: the service needs the memory to store log lines".to_owned());
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (query, _) in &queries.running {
            *counts.entry(&query.user.name).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let parts: Vec<String> = counts
            .iter()
            .enumerate()
            .map(|(index, (name, count))| match (index, count) {
                (0, 1) => format!("1 query of {name}"),
                (0, count) => format!("{count} queries of {name}"),
                (_, count) => format!("{count} of {name}"),
            })
            .collect();
        let verb = if queries.running.len() == 1 {
            "is"
        } else {
            "are"
        };
        Some(format!(
            "waiting for a free slot: {} {verb} running",
            parts.join(", ")
        ))
    }
}

/// A place at the turnstile, left when dropped.
pub(super) struct Turn<'a> {
    turnstile: &'a Turnstile,
    user: Arc<User>,
    is_status: bool,
    /// Its number while it has a place.
    number: Cell<Option<u64>>,
}

impl Turn<'_> {
    /// Waits on the query's own thread, until who leaves hands the place over.
    fn wait(&self, stop: &Stop) -> bool {
        let turnstile = self.turnstile;
        let (waker, woken) = oneshot::channel();
        let number = {
            let mut queries = lock(&turnstile.queries);
            let number = queries.next;
            queries.next += 1;
            queries.waiting.push(Query {
                number,
                user: Arc::clone(&self.user),
                is_status: self.is_status,
            });
            queries.wakers.insert(number, waker);
            stop.set_waits(true);
            queries.admit_all(turnstile.places);
            number
        };
        let is_stopped = block_on(stop.unless_stopped(woken)).is_none();
        stop.set_waits(false);
        if is_stopped {
            let mut queries = lock(&turnstile.queries);
            queries.wakers.remove(&number);
            if queries.leave_queue(number) {
                return false;
            }
        }
        // The place may have come in the moment of stopping: then it is left like any other.
        self.number.set(Some(number));
        true
    }

    /// Lets another query compute.
    pub(super) fn leave(&self) {
        if let Some(number) = self.number.take() {
            let mut queries = lock(&self.turnstile.queries);
            queries.running.retain(|(query, _)| query.number != number);
            queries.admit_all(self.turnstile.places);
        }
    }

    /// Waits for another place; false when the query was stopped meanwhile.
    pub(super) fn again(&self, stop: &Stop) -> bool {
        let has_place = self.number.get().is_some() || self.wait(stop);
        has_place && !stop.is_stopped()
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> Arc<User> {
        Arc::new(User {
            name: name.to_owned(),
            is_remote: false,
            is_owner: name == "root",
            scope: Scope::All,
        })
    }

    /// Whether a query gets a place at once.
    fn gets<'t>(turnstile: &'t Turnstile, who: &Arc<User>, is_status: bool) -> Option<Turn<'t>> {
        let stop = Stop::default();
        stop.stop();
        // Who was stopped waits for nothing.
        turnstile.enter(who, is_status, &stop)
    }

    #[test]
    fn a_place_is_left_whatever_happens() {
        let turnstile = Turnstile::new(1);
        let alice = user("alice");
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _turn = turnstile.enter(&alice, false, &Stop::default()).unwrap();
            assert_eq!(turnstile.taken(), 1);
            panic!("a query that fails");
        }));
        assert!(panicked.is_err());
        assert_eq!(turnstile.taken(), 0);
        let turn = turnstile.enter(&alice, false, &Stop::default()).unwrap();
        turn.leave();
        turn.leave();
        assert_eq!(turnstile.taken(), 0);
        let stop = Stop::default();
        assert!(turn.again(&stop));
        stop.stop();
        assert!(!turn.again(&stop));
        // Nobody waits for a place who was stopped.
        assert!(gets(&turnstile, &alice, false).is_none());
        drop(turn);
        assert_eq!(turnstile.taken(), 0);
    }

    #[test]
    fn one_user_leaves_a_place_to_others_and_root_and_status_have_one() {
        let turnstile = Turnstile::new(4);
        let (alice, bob, carol, root) = (user("alice"), user("bob"), user("carol"), user("root"));
        let held: Vec<_> = (0..4)
            .filter_map(|_| gets(&turnstile, &alice, false))
            .collect();
        assert_eq!(held.len(), 3);
        let bobs = gets(&turnstile, &bob, false);
        assert!(bobs.is_some());
        assert!(gets(&turnstile, &carol, false).is_none());
        let roots = gets(&turnstile, &root, false);
        assert!(roots.is_some());
        assert!(gets(&turnstile, &root, false).is_none());
        let statuses = gets(&turnstile, &carol, true);
        assert!(statuses.is_some());
        assert!(gets(&turnstile, &carol, true).is_none());
        assert!(gets(&turnstile, &alice, false).is_none());
        drop(held);
        assert!(gets(&turnstile, &carol, false).is_some());
        drop((bobs, roots, statuses));
        assert_eq!(turnstile.taken(), 0);
    }

    #[test]
    fn root_too_leaves_a_place_to_others() {
        let turnstile = Turnstile::new(4);
        let held: Vec<_> = (0..9)
            .filter_map(|_| gets(&turnstile, &user("root"), false))
            .collect();
        assert_eq!(held.len(), 4);
        assert!(gets(&turnstile, &user("alice"), false).is_some());
    }

    #[test]
    fn with_one_place_it_is_anybodys() {
        let turnstile = Turnstile::new(1);
        let held = gets(&turnstile, &user("alice"), false);
        assert!(held.is_some());
        assert!(gets(&turnstile, &user("bob"), false).is_none());
        assert!(gets(&turnstile, &user("root"), false).is_some());
    }

    #[test]
    fn who_has_the_fewest_running_goes_first() {
        let mut queries = Queries::default();
        let query = |number, name| Query {
            number,
            user: user(name),
            is_status: false,
        };
        queries.running = vec![
            (query(0, "alice"), Seat::Common),
            (query(1, "carol"), Seat::Common),
        ];
        queries.waiting = vec![query(2, "alice"), query(3, "alice"), query(4, "bob")];
        assert_eq!(queries.admit(3), Some(4));
        assert_eq!(queries.admit(3), None);
        assert_eq!(queries.admit(4), Some(2));
        assert_eq!(queries.waiting.len(), 1);
    }

    #[test]
    fn who_waits_is_told_what_for() {
        let turnstile = Turnstile::new(2);
        let bob = Stop::default();
        assert_eq!(turnstile.obstacle(&bob), None);
        let first = gets(&turnstile, &user("alice"), false);
        bob.set_waits(true);
        let said = |text: &str| assert_eq!(turnstile.obstacle(&bob).as_deref(), Some(text));
        said("waiting for a free slot: 1 query of alice is running");
        let second = lock(&turnstile.queries).running.first().cloned().unwrap();
        lock(&turnstile.queries).running.push(second.clone());
        said("waiting for a free slot: 2 queries of alice are running");
        let third = Query {
            user: user("carol"),
            ..second.0
        };
        lock(&turnstile.queries).running.push((third, Seat::Common));
        said("waiting for a free slot: 2 queries of alice, 1 of carol are running");
        turnstile.close(true);
        said("waiting: the service needs the memory to store log lines");
        drop(first);
    }

    #[test]
    fn nobody_begins_while_it_is_closed() {
        let turnstile = Turnstile::new(1);
        let alice = user("alice");
        turnstile.close(true);
        std::thread::scope(|scope| {
            let entered =
                scope.spawn(|| turnstile.enter(&alice, false, &Stop::default()).is_some());
            assert_eq!(turnstile.taken(), 0);
            turnstile.close(false);
            assert!(entered.join().unwrap());
        });
        assert_eq!(turnstile.taken(), 0);
    }

    #[test]
    fn who_waits_goes_on_when_a_place_is_left_or_it_is_stopped() {
        let turnstile = Turnstile::new(1);
        let (alice, bob) = (user("alice"), user("bob"));
        let first = turnstile.enter(&alice, false, &Stop::default()).unwrap();
        let (stopped, patient) = (Stop::default(), Stop::default());
        std::thread::scope(|scope| {
            let given_up = scope.spawn(|| turnstile.enter(&bob, false, &stopped).is_none());
            let waited = scope.spawn(|| turnstile.enter(&bob, false, &patient).is_some());
            while lock(&turnstile.queries).waiting.len() < 2 {
                std::thread::yield_now();
            }
            stopped.stop();
            assert!(given_up.join().unwrap());
            assert!(patient.waits() && !waited.is_finished());
            drop(first);
            assert!(waited.join().unwrap());
        });
        let queries = lock(&turnstile.queries);
        assert!(queries.running.is_empty() && queries.waiting.is_empty());
        assert!(queries.wakers.is_empty());
    }
}
