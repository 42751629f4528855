//! Turnstile: which queries compute at once, so that nobody is kept waiting by what another user runs.
//!
//! There are so many places (`queries` in `[serve]`). A user gets at most all but one of them, and of those who wait the
//! one goes first whose user has the fewest queries running. Beside them root and the owner have a place of their own, and
//! so has `maillog status`: together they use it one query at a time.

use super::turn::{Stop, lock};
use crate::model::scope::Scope;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Between two looks whether a query that waits was stopped.
const LOOK: Duration = Duration::from_millis(100);

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

    /// Lets the query of this number compute if it is the next.
    fn admit(&mut self, number: u64, places: usize) -> bool {
        if self.is_closed {
            return false;
        }
        let can_go = |query: &&Query| self.seat(query, places).is_some();
        let next = self.waiting.iter().filter(can_go);
        let next = next.min_by_key(|query| (self.of(&query.user), query.number));
        let Some(next) = next.filter(|next| next.number == number).cloned() else {
            return false;
        };
        let Some(seat) = self.seat(&next, places) else {
            return false;
        };
        self.running.push((next, seat));
        self.leave_queue(number);
        true
    }

    fn leave_queue(&mut self, number: u64) {
        self.waiting.retain(|query| query.number != number);
    }
}

/// Lets only so many queries compute at once.
pub(super) struct Turnstile {
    places: usize,
    queries: Mutex<Queries>,
    moved: Condvar,
}

impl Turnstile {
    pub(super) fn new(places: usize) -> Self {
        Self {
            places: places.max(1),
            queries: Mutex::default(),
            moved: Condvar::new(),
        }
    }

    /// Lets nobody compute who does not yet, or everybody again.
    pub(super) fn close(&self, is_closed: bool) {
        lock(&self.queries).is_closed = is_closed;
        self.moved.notify_all();
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
    fn wait(&self, stop: &Stop) -> bool {
        let turnstile = self.turnstile;
        let mut queries = lock(&turnstile.queries);
        let number = queries.next;
        queries.next += 1;
        queries.waiting.push(Query {
            number,
            user: Arc::clone(&self.user),
            is_status: self.is_status,
        });
        stop.set_waits(true);
        while !queries.admit(number, turnstile.places) {
            if stop.is_stopped() {
                stop.set_waits(false);
                queries.leave_queue(number);
                // It may have been the one that the others waited for.
                turnstile.moved.notify_all();
                return false;
            }
            let waited = turnstile.moved.wait_timeout(queries, LOOK);
            queries = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        stop.set_waits(false);
        self.number.set(Some(number));
        // There may be a place for another.
        turnstile.moved.notify_all();
        true
    }

    /// Lets another query compute.
    pub(super) fn leave(&self) {
        if let Some(number) = self.number.take() {
            let mut queries = lock(&self.turnstile.queries);
            queries.running.retain(|(query, _)| query.number != number);
            self.turnstile.moved.notify_all();
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
        assert!(!queries.admit(2, 3) && !queries.admit(3, 3) && queries.admit(4, 3));
        assert!(!queries.admit(2, 3));
        assert!(queries.admit(2, 4));
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
}
