//! Admission: which queries may be open, and what stops them. Which of those compute: `turnstile`.
//!
//! A query has a slot as long as it is open: until the client has its last row, and until its thread has ended. It
//! has a place at the turnstile only while it computes. A session may always have one query open, so that nobody
//! keeps it waiting by what he leaves open; more are few for each session and for all.

use super::failure::Failure;
use crate::store::{Error, Interrupt};
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

/// Queries that one session may have open: each has a thread and rows that wait.
const MOST_OPEN: usize = 4;
/// Queries that all sessions together may have open beside one each.
pub(super) const BESIDE: usize = 14;
/// Time in which a query that was stopped has to hear it; planning often does not.
const GRACE: Duration = Duration::from_secs(1);
/// Pause before a query that does not hear is stopped again.
const AGAIN: Duration = Duration::from_millis(100);

/// Why a query was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopReason {
    /// The client wants it no more, or its time is over.
    Unwanted,
    /// The service needs the memory.
    Memory,
}

/// Stops a query.
#[derive(Default)]
pub(super) struct Stop {
    why: OnceLock<StopReason>,
    running: Mutex<Option<Interrupt>>,
    /// It waits for a place at the turnstile.
    waits: AtomicBool,
    stopped: CancellationToken,
    /// Wakes [`Open::insist`].
    again: Arc<Notify>,
}

impl Stop {
    pub(super) fn stop(&self) {
        self.stop_for(StopReason::Unwanted);
    }

    fn stop_for(&self, why: StopReason) {
        let _ = self.why.set(why);
        self.interrupt();
        self.stopped.cancel();
        self.again.notify_one();
    }

    /// Interrupts what runs; false when nothing does.
    fn interrupt(&self) -> bool {
        let running = lock(&self.running);
        running.as_ref().inspect(|it| it.interrupt()).is_some()
    }

    pub(super) fn set_waits(&self, waits: bool) {
        self.waits.store(waits, Ordering::Relaxed);
    }

    pub(super) fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.why.get().is_some()
    }

    /// Names what to interrupt, as long as the guard lives.
    pub(super) fn runs(&self, interrupt: Interrupt) -> Runs<'_> {
        *lock(&self.running) = Some(interrupt);
        Runs(self)
    }

    /// Does what may take long; none when the query is stopped meanwhile, and what is done by then counts.
    pub(super) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match futures::future::select(pin!(work), pin!(self.stopped.cancelled())).await {
            futures::future::Either::Left((done, _)) => Some(done),
            futures::future::Either::Right(_) => None,
        }
    }

    /// Waits for what the query's thread gives, until the deadline; it is not waited for when it does not hear
    /// that it was stopped.
    pub(super) async fn awaited<T>(
        &self,
        work: impl Future<Output = T>,
        deadline: Instant,
    ) -> Result<T, Failure> {
        let patience = async {
            if timeout_at(deadline, self.stopped.cancelled())
                .await
                .is_err()
            {
                self.stop();
                return timed_out();
            }
            sleep(GRACE).await;
            self.failure()
        };
        match futures::future::select(pin!(work), pin!(patience)).await {
            futures::future::Either::Left((done, _)) => Ok(done),
            futures::future::Either::Right((failure, _)) => Err(failure),
        }
    }

    /// Returns what the client is told of a query that was stopped.
    pub(super) fn failure(&self) -> Failure {
        match self.why.get() {
            Some(StopReason::Memory) => Failure::new("53200", "cancelled: the service needs the memory to store log lines")
                .hint("choose a shorter time range or fewer columns, or raise memory_mib in /etc/maillog.toml"),
            _ => Failure::of(&Error::Interrupted, "", false),
        }
    }

    /// Returns what the client is told of an error.
    pub(super) fn told(&self, error: &Error, sql: &str, is_packed: bool) -> Failure {
        match error {
            Error::Interrupted => self.failure(),
            error => Failure::of(error, sql, is_packed),
        }
    }
}

fn timed_out() -> Failure {
    Failure::new("57014", "canceling statement due to statement timeout")
        .hint("choose a shorter time range, or raise the limit: SET statement_timeout = '5min'")
}

/// Something runs that can be interrupted.
pub(super) struct Runs<'a>(&'a Stop);

impl Drop for Runs<'_> {
    fn drop(&mut self) {
        *lock(&self.0.running) = None;
    }
}

/// Stops a query when nobody waits for it any more.
pub(super) struct Abandon(pub Arc<Stop>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// Which query of a session a request to cancel stops.
#[derive(Default)]
pub(super) struct Current(Mutex<Option<Arc<Stop>>>);

impl Current {
    pub(super) fn stop(&self) {
        let current = lock(&self.0);
        if let Some(stop) = current.as_ref() {
            stop.stop();
        }
    }

    pub(super) fn set(&self, stop: Option<Arc<Stop>>) {
        *lock(&self.0) = stop;
    }
}

/// The queries that are open, by session.
#[derive(Default)]
pub(super) struct Open {
    questions: Mutex<BTreeMap<(i32, u64), Arc<Stop>>>,
    next: AtomicU64,
    left: Notify,
    again: Arc<Notify>,
}

/// A query's place among those that are open.
pub(super) struct Slot {
    open: Arc<Open>,
    number: (i32, u64),
}

impl Drop for Slot {
    fn drop(&mut self) {
        lock(&self.open.questions).remove(&self.number);
        self.open.left.notify_waiters();
    }
}

impl Open {
    /// Returns what stops a query that is to be opened.
    pub(super) fn stop(&self) -> Arc<Stop> {
        Arc::new(Stop {
            again: Arc::clone(&self.again),
            ..Stop::default()
        })
    }

    /// Gets a slot; waits for queries of the session that were stopped and have not heard it yet.
    pub(super) async fn slot(
        self: &Arc<Self>,
        session: i32,
        stop: &Arc<Stop>,
        deadline: Instant,
    ) -> Result<Arc<Slot>, Failure> {
        loop {
            let mut left = pin!(self.left.notified());
            left.as_mut().enable();
            let is_leaving = match self.enter(session, stop) {
                Ok(slot) => return Ok(Arc::new(slot)),
                Err(is_leaving) => is_leaving,
            };
            if !is_leaving {
                return Err(
                    Failure::new("53000", "this session has too many open queries")
                        .hint("fetch all rows of each cursor, or close it"),
                );
            }
            stop.awaited(left, deadline).await?;
        }
    }

    /// Gets a slot; otherwise returns whether there will be one soon.
    fn enter(self: &Arc<Self>, session: i32, stop: &Arc<Stop>) -> Result<Slot, bool> {
        let mut questions = lock(&self.questions);
        let own = questions.range((session, 0)..=(session, u64::MAX));
        let (own, leaving) = own.fold((0, false), |(own, leaving), (_, stop)| {
            (own + 1, leaving || stop.is_stopped())
        });
        if own >= MOST_OPEN {
            return Err(leaving);
        }
        let mut before = None;
        let beside = questions
            .keys()
            .filter(|(session, _)| before.replace(*session) == Some(*session));
        if own > 0 && beside.count() >= BESIDE {
            return Err(leaving);
        }
        let number = (session, self.next.fetch_add(1, Ordering::Relaxed));
        questions.insert(number, Arc::clone(stop));
        Ok(Slot {
            open: Arc::clone(self),
            number,
        })
    }

    /// Stops all of them: memory is needed.
    pub(super) fn stop_all(&self) {
        let all: Vec<_> = lock(&self.questions).values().map(Arc::clone).collect();
        for stop in all {
            stop.stop_for(StopReason::Memory);
        }
    }

    /// Stops again, for ever, what was stopped and goes on: an interruption during planning is forgotten when the
    /// query begins to run.
    pub(super) async fn insist(self: Arc<Self>) {
        loop {
            self.again.notified().await;
            loop {
                sleep(AGAIN).await;
                let stopped: Vec<_> = {
                    let questions = lock(&self.questions);
                    let stopped = questions.values().filter(|stop| stop.is_stopped());
                    stopped.map(Arc::clone).collect()
                };
                // All of them, whatever the first says.
                if stopped.iter().filter(|stop| stop.interrupt()).count() == 0 {
                    break;
                }
            }
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    }

    #[test]
    fn a_session_has_few_questions_open_and_always_one() {
        let open = Arc::new(Open::default());
        let mut slots = Vec::new();
        for session in 0..100 {
            let before = slots.len();
            while let Ok(slot) = open.enter(session, &open.stop()) {
                slots.push(slot);
            }
            assert!((1..=MOST_OPEN).contains(&(slots.len() - before)));
        }
        assert_eq!(slots.len(), 100 + BESIDE);
        drop(slots);
        assert!(lock(&open.questions).is_empty());
    }

    #[test]
    fn a_slot_of_what_was_stopped_is_waited_for() {
        let open = Arc::new(Open::default());
        let mut slots: Vec<_> = (0..MOST_OPEN)
            .map(|_| open.enter(1, &open.stop()).unwrap())
            .collect();
        let soon = || Instant::now() + Duration::from_millis(50);
        runtime().block_on(async {
            let full = open.slot(1, &open.stop(), soon()).await.err().unwrap();
            assert_eq!(full.code, "53000");
            let stuck = Arc::clone(&lock(&open.questions)[&slots[0].number]);
            stuck.stop();
            let late = open.slot(1, &open.stop(), soon()).await.err().unwrap();
            assert_eq!(late.code, "57014");
            let slot = slots.remove(0);
            let waiting = open.stop();
            let waiting = open.slot(1, &waiting, Instant::now() + Duration::from_mins(1));
            let (got, ()) = futures::future::join(waiting, async { drop(slot) }).await;
            assert!(got.is_ok());
        });
    }

    #[test]
    fn what_does_not_hear_is_not_waited_for() {
        runtime().block_on(async {
            let deaf = || std::future::pending::<()>();
            let stop = Stop::default();
            let late = stop.awaited(deaf(), Instant::now()).await.unwrap_err();
            assert_eq!(late.code, "57014");
            assert!(stop.is_stopped());
            let open = Arc::new(Open::default());
            let stop = open.stop();
            let slot = open.enter(1, &stop).unwrap();
            open.stop_all();
            drop(slot);
            let never = Instant::now() + Duration::from_hours(1);
            let memory = stop.awaited(deaf(), never).await.unwrap_err();
            assert_eq!(memory.code, "53200");
        });
    }
}
