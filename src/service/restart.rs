//! Restart: the service starts itself again after a failure, sooner or later depending on how often it failed.

use super::systemd_notify::Notify;
use crate::ingest::health::Health;
use crate::notice::{self, Level};
use anyhow::anyhow;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// Tells the next process how often the ones before have failed in a row.
const FAILURES: &str = "MAILLOG_FAILURES";
/// The first pause; each is twice as long,
const FIRST: Duration = Duration::from_secs(1);
/// up to this one.
const LONGEST: Duration = Duration::from_mins(1);
/// Who ran for so long has not failed in a row.
const LONG_RUN: Duration = Duration::from_mins(10);

/// A restart that is no failure, with its purpose (`to rewrite the database file`): a notice, and nothing to wait for.
#[derive(Debug, thiserror::Error)]
#[error("restarting {0}")]
pub(super) struct Planned(pub(super) &'static str);

/// One life of the service.
pub(super) struct Run {
    start: Instant,
    failures: u32,
}

impl Run {
    /// Waits as long as the failures of the lives before make sensible, and begins.
    pub(super) fn begin(notify: &Notify) -> Self {
        let told = std::env::var(FAILURES).ok();
        if told.is_some() {
            keep_name();
        }
        let failures: u32 = told.and_then(|n| n.parse().ok()).unwrap_or(0);
        if failures > 0 {
            let pause = pause(failures);
            notify.waiting(&format!(
                "restarting in {} s after {}",
                pause.as_secs(),
                count(failures)
            ));
            wait(pause);
        }
        Self {
            start: Instant::now(),
            failures,
        }
    }

    /// Says that it runs: now, or after failures once it has stored something for a while.
    pub(super) fn tell_start(&self, text: &str, health: &Arc<Health>) {
        let failures = self.failures;
        if failures == 0 {
            notice::tell(Level::Notice, text);
            return;
        }
        let health = Arc::clone(health);
        thread::spawn(move || {
            wait(LONGEST);
            while health.commits().0 == 0 {
                wait(FIRST);
            }
            notice::tell(
                Level::Notice,
                &format!("storing again after {}", count(failures)),
            );
        });
    }

    /// Replaces this process by a new one with the same arguments; returns only when that fails.
    pub(super) fn start_afresh(&self, error: &anyhow::Error) -> anyhow::Error {
        let is_long = self.start.elapsed() >= LONG_RUN;
        let failures = match (error.is::<Planned>(), is_long) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => self.failures + 1,
        };
        if failures == 0 {
            notice::tell(Level::Notice, &error.to_string());
        } else if is_told(failures) {
            tell(error, failures);
        }
        let mut arguments = std::env::args_os();
        let name = arguments.next().unwrap_or_else(|| "maillog".into());
        let failed = Command::new("/proc/self/exe")
            .arg0(name)
            .args(arguments)
            .env(FAILURES, failures.to_string())
            .exec();
        anyhow!("cannot restart after {error:#}: {failed}")
    }
}

/// Gives the process its name back: the kernel names it after `/proc/self/exe`, and `pgrep -x maillog` looks for the name.
fn keep_name() {
    let program = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default();
    if let Ok(name) = CString::new(name.as_bytes()) {
        // Without its name it works as well.
        let _ = nix::sys::prctl::set_name(&name);
    }
}

/// Returns whether a failure is told: the first ones, ever fewer of the many that follow, and one an hour.
fn is_told(failures: u32) -> bool {
    failures.is_power_of_two() || failures.is_multiple_of(60)
}

fn tell(error: &anyhow::Error, failures: u32) {
    let pause = pause(failures).as_secs();
    let again = match failures {
        1 => format!("restarting in {pause} s"),
        n => format!("failed {n} times in a row, restarting every {pause} s"),
    };
    notice::tell(Level::Error, &format!("{error:#}; {again}"));
}

fn count(failures: u32) -> String {
    match failures {
        1 => "1 failure".to_owned(),
        n => format!("{n} failures"),
    }
}

/// Returns how long to wait after so many failures.
fn pause(failures: u32) -> Duration {
    let shift = failures.saturating_sub(1).min(10);
    (FIRST * (1 << shift)).min(LONGEST)
}

/// Waits before something is tried again.
pub(super) fn wait(time: Duration) {
    thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, is_told, pause};

    #[test]
    fn a_day_of_failures_is_told_in_some_forty_lines() {
        let told = (1..=24 * 60).filter(|n| is_told(*n)).count();
        assert!((20..50).contains(&told), "{told}");
        assert!(is_told(1) && is_told(2) && !is_told(3));
    }

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let seconds: Vec<u64> = [1, 2, 3, 7, 1000].map(|n| pause(n).as_secs()).into();
        assert_eq!(seconds, [1, 2, 4, LONGEST.as_secs(), LONGEST.as_secs()]);
    }
}
