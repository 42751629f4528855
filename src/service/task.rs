//! Task: what the service does beside reading and storing: its name, when it runs, and what its end means.
//!
//! A task is a value; `supervisor` runs it. Its work returns what `maillog status` shows, and rows that are stored in one
//! transaction with the note that it was done: what is done once is done once, whenever the service is killed.

use super::Shared;
use super::calendar::Calendar;
use crate::model::small::SmallRow;
use crate::model::time::Time;
use anyhow::Result;
use std::cell::Cell;
use std::time::Duration;

/// When a task runs.
#[derive(Debug, Clone)]
pub enum When {
    /// As long as the service does; its end is a failure.
    Always,
    /// Again after a time, measured from start to start, also over restarts; not before the service has run for a while.
    Every {
        /// How long the service has run before.
        first: Duration,
        /// From one start to the next.
        every: Duration,
    },
    /// At times of the clock on the wall. When the service, or the machine, did not run at one, it is done afterwards,
    /// once, whatever the number of times that were missed.
    At(Calendar),
}

impl When {
    /// Returns the time that a task was last done for, as far as a right clock can have told it: one that was ahead and
    /// has been put right must not stop a task for years. A task at a calendar time that is new counts from now on.
    #[must_use]
    pub fn last(&self, told: Option<Time>, now: Time) -> Option<Time> {
        match (self, told) {
            (Self::Always | Self::Every { .. }, told) => told.map(|last| last.min(now)),
            (Self::At(_), None) => Some(now),
            // By less than one turn the clock may go back: what was done for a time is not done for it again.
            (Self::At(calendar), Some(last)) => {
                let is_ahead = calendar.after(now).is_some_and(|next| last > next);
                Some(if is_ahead { now } else { last })
            }
        }
    }

    /// Returns when a task is due next that was last done for `last`; none when it never is.
    #[must_use]
    pub fn next(&self, last: Option<Time>, now: Time) -> Option<Time> {
        match (self, last) {
            (Self::Always, _) | (Self::Every { .. }, None) => Some(now),
            (Self::Every { every, .. }, Some(last)) => Some(last.plus(micros(*every))),
            (Self::At(calendar), last) => calendar.after(last.unwrap_or(now)),
        }
    }

    /// Returns the time that a run is for which begins now, `due` or later.
    #[must_use]
    pub fn moment(&self, due: Time, now: Time) -> Time {
        match self {
            Self::Always | Self::Every { .. } => now,
            // Of several that were missed the last one.
            Self::At(calendar) => calendar.latest(now).map_or(due, |latest| latest.max(due)),
        }
    }

    /// Says it in words.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Always => "always".to_owned(),
            Self::Every { every, .. } => format!("every {}", span(every.as_secs())),
            Self::At(calendar) => format!("at {}", calendar.text()),
        }
    }
}

/// Returns a length of time as times are counted.
pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 2)
}

/// Returns a length of time in its largest whole unit.
fn span(seconds: u64) -> String {
    match seconds {
        _ if seconds.is_multiple_of(86_400) => format!("{} days", seconds / 86_400),
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

/// What a completed run came to.
#[derive(Debug, Default)]
pub struct TaskResult {
    /// For `maillog status`, in a few words.
    pub result: String,
    /// What is stored with the note that it is done.
    pub rows: Vec<SmallRow>,
}

impl TaskResult {
    /// Returns a result without rows.
    #[must_use]
    pub fn with(result: impl Into<String>) -> Self {
        Self {
            result: result.into(),
            rows: Vec::new(),
        }
    }
}

/// One run of a task.
pub struct Run<'s> {
    /// What the parts of the service share.
    pub shared: &'s Shared,
    /// The time that it is for: of a task at a calendar time that time, of others now.
    pub due: Time,
    /// Is told that the work has begun well.
    pub(super) on_up: &'s dyn Fn(),
    pub(super) is_up: Cell<bool>,
}

impl Run<'_> {
    /// Says that the work of a task that always runs has begun well: what was needed is there.
    pub fn is_up(&self) {
        if !self.is_up.replace(true) {
            (self.on_up)();
        }
    }
}

/// The work of a task, one run of it.
pub(super) type Work = Box<dyn Fn(&Run<'_>) -> Result<TaskResult> + Send>;

/// What the service does beside reading and storing.
pub struct Task {
    /// Its name in `maillog status`.
    pub name: &'static str,
    /// What is amiss while it fails, to tell: `queries cannot be answered`.
    pub without: &'static str,
    /// The service cannot do without it: when it fails, all begins anew.
    pub is_essential: bool,
    /// When it runs.
    pub when: When,
    pub(super) work: Work,
}

impl Task {
    /// Returns a task without which log is read and stored all the same. When it fails, by an error or a panic, that is
    /// told, and it is tried again, later each time.
    #[must_use]
    pub fn new(
        name: &'static str,
        without: &'static str,
        when: When,
        work: impl Fn(&Run<'_>) -> Result<TaskResult> + Send + 'static,
    ) -> Self {
        Self {
            name,
            without,
            is_essential: false,
            when,
            work: Box::new(work),
        }
    }

    /// Makes it essential: when it fails, the service starts again.
    #[must_use]
    pub fn essential(mut self) -> Self {
        self.is_essential = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::{DAY, HOUR, MINUTE, SECOND};
    use crate::model::zone::Zone;
    use std::collections::BTreeSet;

    /// 2026-11-18 00:00:00 UTC.
    const MIDNIGHT: Time = Time(1_795_478_400 * SECOND);

    fn daily() -> When {
        When::At(Calendar::parse("06:30", Zone::UTC).unwrap())
    }

    fn hourly() -> When {
        When::Every {
            first: Duration::ZERO,
            every: Duration::from_hours(1),
        }
    }

    fn at(day: i64, hour: i64, minute: i64) -> Time {
        MIDNIGHT.plus(day * DAY + hour * HOUR + minute * MINUTE)
    }

    /// Runs a task at these looks at the clock, and returns for which times.
    fn runs(
        when: &When,
        last: &mut Option<Time>,
        looks: impl IntoIterator<Item = Time>,
    ) -> Vec<Time> {
        let mut runs = Vec::new();
        for now in looks {
            *last = when.last(*last, now);
            let due = when.next(*last, now).unwrap();
            if due <= now {
                let moment = when.moment(due, now);
                *last = Some(moment);
                runs.push(moment);
            }
        }
        runs
    }

    #[test]
    fn a_daily_task_is_done_once_a_day_whatever_the_looks_at_the_clock() {
        let looks = (0..3 * 24 * 60).map(|minute| at(0, 0, minute));
        let mut last = Some(MIDNIGHT);
        let all = [at(0, 6, 30), at(1, 6, 30), at(2, 6, 30)];
        assert_eq!(runs(&daily(), &mut last, looks), all);
        // The next life of the service knows the last run.
        let later = (0..60).map(|second| at(2, 6, 30).plus(second * SECOND));
        assert!(runs(&daily(), &mut last, later).is_empty());
    }

    #[test]
    fn a_time_that_was_slept_over_is_made_up_for_once() {
        let mut last = Some(at(0, 6, 30));
        // Five days of sleep, or of a service that did not run.
        let looks = [at(0, 7, 0), at(5, 12, 0), at(5, 12, 1), at(6, 6, 29)];
        assert_eq!(runs(&daily(), &mut last, looks), [at(5, 6, 30)]);
        assert_eq!(runs(&daily(), &mut last, [at(6, 6, 30)]), [at(6, 6, 30)]);
    }

    #[test]
    fn a_task_that_is_new_waits_for_its_time() {
        let looks = || (0..48).map(|hour| at(0, 12 + hour, 0));
        assert_eq!(
            runs(&daily(), &mut None, looks()),
            [at(1, 6, 30), at(2, 6, 30)]
        );
        assert_eq!(runs(&hourly(), &mut None, [at(0, 12, 0)]), [at(0, 12, 0)]);
    }

    #[test]
    fn a_clock_that_goes_back_a_little_repeats_nothing() {
        let mut last = Some(at(0, 6, 30));
        let looks = (0..120).map(|minute| at(0, 5, minute));
        assert!(runs(&daily(), &mut last, looks).is_empty());
    }

    #[test]
    fn a_clock_that_was_years_ahead_stops_no_task() {
        let looks = || (0..600).map(|minute| at(0, 5, minute));
        let mut last = Some(at(4000, 6, 30));
        assert_eq!(runs(&daily(), &mut last, looks()), [at(0, 6, 30)]);
        let mut last = Some(at(4000, 0, 0));
        let hours: Vec<Time> = (6..15).map(|hour| at(0, hour, 0)).collect();
        assert_eq!(runs(&hourly(), &mut last, looks()), hours);
    }

    #[test]
    fn an_hourly_task_runs_each_hour_also_over_restarts() {
        let looks = (0..600).map(|minute| at(0, 0, minute));
        let mut last = Some(at(0, 0, -30));
        let expected: Vec<Time> = (0..10).map(|hour| at(0, hour, 30)).collect();
        assert_eq!(runs(&hourly(), &mut last, looks), expected);
        // A minute's, looked at each second: no time twice.
        let minutely = When::Every {
            first: Duration::ZERO,
            every: Duration::from_mins(1),
        };
        let seconds = (0..600).map(|second| at(0, 0, 0).plus(second * SECOND));
        let times = runs(&minutely, &mut None, seconds);
        assert_eq!(times.len(), 10);
        assert_eq!(times.iter().collect::<BTreeSet<_>>().len(), 10);
    }

    #[test]
    fn schedules_are_said_in_words() {
        let every = |seconds| When::Every {
            first: Duration::ZERO,
            every: Duration::from_secs(seconds),
        };
        let texts = [
            When::Always.text(),
            daily().text(),
            every(3600).text(),
            every(90).text(),
            every(60).text(),
        ];
        assert_eq!(
            texts,
            [
                "always",
                "at 06:30",
                "every 1 h",
                "every 90 s",
                "every 1 min"
            ]
        );
    }
}
