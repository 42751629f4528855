//! Supervisor: runs the parts of the service, each in a thread of its own, and knows what the end of each means.
//!
//! Promises: an error or a panic of a task that is not essential ends that run of it and nothing else. It is told once,
//! and the task is tried again after a pause that grows. The last run of each task is stored (table `task_run`), in one
//! transaction with what it brought.
//!
//! Limits: a task that never returns is not ended; it holds up nobody but itself.

use super::Shared;
use super::task::{Run, Task, TaskResult, When, micros};
use crate::model::small::SmallRow;
use crate::model::task::{TaskRun, TaskState};
use crate::model::time::Time;
use crate::notice::{self, Level};
use anyhow::{Result, anyhow};
use nix::errno::Errno;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Times that the supervisor waits for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Longest sleep between two looks at the clock: one that is set, or a machine that slept, is noticed by then.
    pub(super) look: Duration,
    /// The first pause after a failure of what always runs; each is twice as long, up to a minute,
    pub(super) again: Duration,
    /// and of what runs at times, up to an hour.
    pub(super) again_later: Duration,
}

impl Pace {
    /// That of the service.
    pub(super) const USUAL: Self = Self {
        look: Duration::from_secs(15),
        again: Duration::from_secs(1),
        again_later: Duration::from_mins(1),
    };

    /// Returns the pause after so many failures in a row.
    fn pause(&self, when: &When, failures: u32) -> Duration {
        let (first, longest) = match when {
            When::Always => (self.again, Duration::from_mins(1)),
            // What runs often is not left out for longer than it takes to its next time.
            When::Every { every, .. } => (self.again_later, (*every).min(HOUR)),
            When::At(_) => (self.again_later, HOUR),
        };
        let shift = failures.saturating_sub(1).min(12);
        (first * (1 << shift)).min(longest)
    }
}

/// The longest pause of what runs at times.
const HOUR: Duration = Duration::from_hours(1);
/// What ran for so long has not failed in a row.
const LONG_RUN: Duration = Duration::from_mins(10);
/// How long the start waits for tasks to say that they do their work.
const PATIENCE: Duration = Duration::from_secs(10);
/// Characters of a result that are kept.
const RESULT: usize = 500;

/// Makes the service start again; cheap to clone.
#[derive(Clone)]
pub struct Restart(SyncSender<anyhow::Error>);

impl Restart {
    /// Says why. The first who says so is told.
    pub fn because(&self, error: anyhow::Error) {
        // When many have said so it is on its way.
        let _ = self.0.try_send(error);
    }
}

/// Starts the parts of the service, and waits for the first that the service cannot do without to end.
pub(super) struct Supervisor {
    restart: Restart,
    ended: Receiver<anyhow::Error>,
    pace: Pace,
    #[cfg(test)]
    pub(super) kills: super::tests::Kills,
}

impl Supervisor {
    pub(super) fn new(pace: Pace) -> Self {
        let (restart, ended) = sync_channel(16);
        Self {
            restart: Restart(restart),
            ended,
            pace,
            #[cfg(test)]
            kills: super::tests::Kills::default(),
        }
    }

    /// Returns what makes the service start again.
    pub(super) fn restart(&self) -> Restart {
        self.restart.clone()
    }

    /// Runs an essential part of the service that takes its own state along: it can begin once only.
    pub(super) fn part(
        &self,
        name: &'static str,
        part: impl FnOnce() -> Result<()> + Send + 'static,
    ) {
        let restart = self.restart();
        let failed = self.restart();
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let ended = catch_unwind(AssertUnwindSafe(part));
            restart.because(match ended {
                Ok(Err(error)) => error,
                Ok(Ok(())) => anyhow!("the {name} stopped"),
                Err(_) => anyhow!("the {name} stopped unexpectedly"),
            });
        });
        if let Err(e) = thread {
            failed.because(anyhow!("cannot start the {name}: {e}"));
        }
    }

    /// Runs the tasks; `last` are their last runs. Returns when those that always run do their work, or have failed to.
    pub(super) fn tasks(&self, tasks: Vec<Task>, last: &[TaskRun], shared: &Shared) {
        let always = tasks
            .iter()
            .filter(|task| matches!(task.when, When::Always));
        let expected = always.count();
        let (begun, begins) = sync_channel(expected);
        for task in tasks {
            let name = task.name;
            let last = last.iter().find(|run| run.name == name);
            let supervised = Supervised::new(task, last, shared, self.pace, begun.clone());
            let thread = thread::Builder::new().name(name.to_owned());
            if let Err(e) = thread.spawn(move || supervised.run()) {
                self.restart
                    .because(anyhow!("cannot start the {name}: {e}"));
            }
        }
        let start = Instant::now();
        for _ in 0..expected {
            let left = PATIENCE.saturating_sub(start.elapsed());
            if begins.recv_timeout(left).is_err() {
                break;
            }
        }
    }

    /// Whether something essential has failed.
    #[cfg(test)]
    pub(super) fn has_failed(&self) -> bool {
        self.ended.try_recv().is_ok()
    }

    /// Waits for the first failure. Others follow from it at once, and may be told before it: one of the database is
    /// the cause then.
    pub(super) fn first(&self) -> anyhow::Error {
        /// Longest time that the cause is told after what follows from it.
        const LATE: Duration = Duration::from_millis(500);
        let Ok(first) = self.ended.recv() else {
            return anyhow!("the service stopped");
        };
        let mut errors = vec![first];
        while let Ok(next) = self.ended.recv_timeout(LATE) {
            errors.push(next);
        }
        let is_store =
            |cause: &(dyn std::error::Error + 'static)| cause.is::<crate::store::Error>();
        let is_cause = |e: &anyhow::Error| e.chain().any(is_store);
        let cause = errors.iter().position(is_cause).unwrap_or(0);
        errors.swap_remove(cause)
    }
}

/// A task under supervision.
pub(super) struct Supervised {
    task: Task,
    shared: Shared,
    /// Its last run, as it is stored.
    record: TaskRun,
    pace: Pace,
    /// Is told the first beginning, once.
    begun: Cell<Option<SyncSender<()>>>,
}

impl Supervised {
    /// Takes a task under supervision; `last` is its last run.
    pub(super) fn new(
        task: Task,
        last: Option<&TaskRun>,
        shared: &Shared,
        pace: Pace,
        begun: SyncSender<()>,
    ) -> Self {
        let mut supervised = Self {
            task,
            shared: shared.clone(),
            record: last.cloned().unwrap_or_default(),
            pace,
            begun: Cell::new(Some(begun)),
        };
        supervised.begin();
        supervised
    }

    /// Runs it until the service ends.
    fn run(mut self) {
        if let When::Every { first, .. } = self.task.when {
            self.sleep(first);
        }
        loop {
            loop {
                let left = self.left();
                if left.is_zero() || self.is_struck() {
                    break;
                }
                thread::sleep(left.min(self.pace.look));
            }
            if !self.turn() {
                return;
            }
        }
    }

    /// Does one run of it; false when there is to be no further one.
    pub(super) fn turn(&mut self) -> bool {
        let now = self.now();
        let due = self.task.when.next(self.record.due, now).unwrap_or(now);
        let moment = self.task.when.moment(due, now);
        self.record.started = Some(now);
        let start = Instant::now();
        let run = Run {
            shared: &self.shared,
            due: moment,
            on_up: &|| self.came_up(),
            is_up: Cell::new(false),
        };
        let ended = catch_unwind(AssertUnwindSafe(|| self.work(&run)));
        let was_up = run.is_up.get().then(|| start.elapsed());
        let name = self.task.name;
        let ended = match ended {
            Ok(Ok(_)) if matches!(self.task.when, When::Always) => {
                Err(anyhow!("the {name} stopped"))
            }
            Ok(ended) => ended,
            Err(_) => Err(anyhow!("the {name} stopped unexpectedly")),
        };
        // Where nothing can be stored the storing thread has ended, and says why.
        match ended {
            Ok(done) => self.complete(moment, done),
            Err(error) if self.task.is_essential => {
                self.shared.restart.because(error);
                false
            }
            Err(error) => self.fail(&error, was_up),
        }
    }

    fn work(&self, run: &Run<'_>) -> Result<TaskResult> {
        #[cfg(test)]
        self.shared.kills.strike(self.task.name);
        (self.task.work)(run)
    }

    /// Notes how it is before it has run.
    fn begin(&mut self) {
        let now = self.now();
        self.record.name = self.task.name.to_owned();
        self.record.schedule = self.task.when.text();
        self.record.due = self.task.when.last(self.record.due, now);
        let is_timed = !matches!(self.task.when, When::Always);
        self.record.state = match self.record.failures {
            _ if !is_timed => TaskState::Starting,
            0 if self.record.ended.is_some() => TaskState::Done,
            0 => TaskState::Waiting,
            _ => TaskState::Failed,
        };
        if is_timed {
            // What has been due for long is not before the service has run for a while.
            let first = match self.task.when {
                When::Every { first, .. } => now.plus(micros(first)),
                When::Always | When::At(_) => now,
            };
            self.record.next_run = self.next(first);
        } else {
            self.record.failures = 0;
            self.record.next_run = None;
            self.record.result.clear();
        }
        self.add(self.record.clone());
    }

    fn next(&self, now: Time) -> Option<Time> {
        let next = self.task.when.next(self.record.due, now);
        next.map(|next| next.max(now))
    }

    fn now(&self) -> Time {
        self.shared.rules.present.now()
    }

    /// Returns how long it is until it is due, whatever became of the clock meanwhile.
    pub(super) fn left(&mut self) -> Duration {
        let now = self.now();
        self.record.due = self.task.when.last(self.record.due, now);
        match self.task.when.next(self.record.due, now) {
            Some(due) => Duration::from_micros(u64::try_from(due.since(now)).unwrap_or(0)),
            None => Duration::MAX,
        }
    }

    /// Waits, while the clock does not matter.
    fn sleep(&self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time && !self.is_struck() {
            let left = time.saturating_sub(start.elapsed());
            thread::sleep(left.min(self.pace.look));
        }
    }

    /// Whether a test wants it to run, and to fail.
    #[cfg(test)]
    fn is_struck(&self) -> bool {
        self.shared.kills.waits(self.task.name)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "only a test makes a task fail")]
    const fn is_struck(&self) -> bool {
        false
    }

    /// A run that goes on has begun well.
    fn came_up(&self) {
        notice::over(self.task.name, &format!("no longer: {}", self.task.without));
        self.add(TaskRun {
            state: TaskState::Running,
            failures: 0,
            result: String::new(),
            ..self.record.clone()
        });
        self.has_begun();
    }

    /// Stores that it was done, with what it brought; false when the storing thread has ended.
    fn complete(&mut self, moment: Time, done: TaskResult) -> bool {
        let now = self.now();
        notice::over(self.task.name, &format!("no longer: {}", self.task.without));
        self.record.state = TaskState::Done;
        self.record.due = Some(moment);
        self.record.ended = Some(now);
        self.record.failures = 0;
        self.record.result = shortened(&done.result);
        self.record.next_run = self.next(now);
        let mut rows = done.rows;
        rows.push(SmallRow::TaskRun(self.record.clone()));
        // Whatever follows from it, it is done.
        self.shared.jobs.small_rows().store(rows)
    }

    /// Tells that it failed, after it was up for so long, and waits before the next attempt.
    fn fail(&mut self, error: &anyhow::Error, was_up: Option<Duration>) -> bool {
        let is_long = was_up.is_some_and(|time| time >= LONG_RUN);
        let before = if is_long { 0 } else { self.record.failures };
        self.record.failures = before.saturating_add(1);
        let pause = self.pace.pause(&self.task.when, self.record.failures);
        let now = self.now();
        let text = format!("{error:#}{}", hint(error));
        let told = format!("{}: {text}; retrying", self.task.without);
        notice::trouble(self.task.name, Level::Error, &told);
        self.record.state = TaskState::Failed;
        self.record.ended = Some(now);
        self.record.result = shortened(&text);
        self.record.next_run = Some(now.plus(micros(pause)));
        let is_stored = self.add(self.record.clone());
        self.has_begun();
        if is_stored {
            thread::sleep(pause);
        }
        is_stored
    }

    fn has_begun(&self) {
        if let Some(begun) = self.begun.take() {
            // Nobody waits for long.
            let _ = begun.try_send(());
        }
    }

    fn add(&self, record: TaskRun) -> bool {
        let rows = vec![SmallRow::TaskRun(record)];
        self.shared.jobs.small_rows().add(rows)
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(RESULT).collect()
}

/// Returns the cure where the unit's sandbox is what forbids a port, else nothing.
fn hint(error: &anyhow::Error) -> &'static str {
    let is_forbidden = error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        io.and_then(std::io::Error::raw_os_error) == Some(Errno::EAFNOSUPPORT as i32)
    });
    if is_forbidden {
        "; the unit allows no network: see NETWORK in maillog.service(8)"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let every = |seconds| When::Every {
            first: Duration::ZERO,
            every: Duration::from_secs(seconds),
        };
        let pauses =
            |when: &When| [1, 2, 3, 20, 5000].map(|n| Pace::USUAL.pause(when, n).as_secs());
        assert_eq!(pauses(&When::Always), [1, 2, 4, 60, 60]);
        assert_eq!(pauses(&every(3600)), [60, 120, 240, 3600, 3600]);
        assert_eq!(pauses(&every(60)), [60; 5]);
        assert_eq!(pauses(&every(10)), [10; 5]);
    }
}
