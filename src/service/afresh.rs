//! Afresh: the service starts itself again after a failure, sooner or later depending on how often it failed.

use super::notify::Notify;
use crate::notice::{self, Level};
use anyhow::anyhow;
use std::os::unix::process::CommandExt;
use std::process::Command;
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

/// One life of the service.
pub(super) struct Run {
    start: Instant,
    failures: u32,
}

impl Run {
    /// Waits as long as the failures of the lives before make sensible, and begins.
    pub(super) fn begin(notify: &Notify) -> Self {
        let told = std::env::var(FAILURES).ok();
        let failures: u32 = told.and_then(|n| n.parse().ok()).unwrap_or(0);
        if failures > 0 {
            let shift = (failures - 1).min(10);
            let pause = (FIRST * (1 << shift)).min(LONGEST);
            notify.waiting(&format!(
                "{} s before the next start after {failures} failures",
                pause.as_secs()
            ));
            wait(pause);
        }
        Self {
            start: Instant::now(),
            failures,
        }
    }

    /// Replaces this process by a new one with the same arguments; returns only when that fails.
    pub(super) fn start_afresh(&self, error: &anyhow::Error) -> anyhow::Error {
        let is_long = self.start.elapsed() >= LONG_RUN;
        let failures = if is_long { 1 } else { self.failures + 1 };
        notice::tell(Level::Notice, "starting afresh from what is committed");
        let mut arguments = std::env::args_os();
        let name = arguments.next().unwrap_or_else(|| "maillog".into());
        let failed = Command::new("/proc/self/exe")
            .arg0(name)
            .args(arguments)
            .env(FAILURES, failures.to_string())
            .exec();
        anyhow!("cannot start afresh after {error:#}: {failed}")
    }
}

/// Waits before something is tried again.
pub(super) fn wait(time: Duration) {
    thread::sleep(time);
}
