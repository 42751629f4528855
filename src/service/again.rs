//! Again: a task that log is read without is tried again when it cannot start: a path or an address is taken.

use crate::notice::{self, Level};
use anyhow::{Context, Result};
use nix::errno::Errno;
use std::thread;
use std::time::Duration;

/// Time between two attempts.
const PAUSE: Duration = Duration::from_secs(20);

/// Starts something that log is read without, now or, when a path or an address is taken, as soon as that can be.
///
/// # Errors
/// When no thread can be started.
pub(super) fn start(
    without: &'static str,
    task: impl Fn() -> Result<()> + Send + 'static,
) -> Result<()> {
    let Err(error) = task() else {
        return Ok(());
    };
    tell_trouble(without, &error);
    let again = move || loop {
        thread::sleep(PAUSE);
        match task() {
            Ok(()) => return notice::over(without, &format!("no longer: {without}")),
            Err(error) => tell_trouble(without, &error),
        }
    };
    let thread = thread::Builder::new().name("try again".to_owned());
    thread
        .spawn(again)
        .map(drop)
        .context("cannot start a thread")
}

fn tell_trouble(without: &str, error: &anyhow::Error) {
    let text = format!("{without}: {error:#}{}; trying again", hint(error));
    notice::trouble(without, Level::Error, &text);
}

/// Returns the cure where the unit's sandbox is what forbids a port, else nothing.
pub(super) fn hint(error: &anyhow::Error) -> &'static str {
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
