//! Interrupt: Ctrl-C stops the query that runs, not the shell.
//!
//! The signal is blocked and a thread waits for it, so no handler is needed. At the prompt the terminal is raw and
//! Ctrl-C is a key. Programs that are started (pager, editor) get the signal as ever: the standard library gives
//! each of them an empty mask.

use nix::sys::signal::{SigSet, Signal};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

/// Between two tries to stop: what is stopped while it is planned forgets it when it begins to run.
const AGAIN: Duration = Duration::from_millis(200);

/// What Ctrl-C stops at this moment.
type Stop = Arc<dyn Fn() + Send + Sync>;

/// What Ctrl-C stops. By default nothing, and the signal ends the program as ever.
#[derive(Clone, Default)]
pub struct Watch(Arc<Mutex<Option<Stop>>>);

impl Watch {
    /// Blocks the signal for this thread and those it starts, and waits for it in another.
    ///
    /// A thread that does not block the signal is ended by it, and the program with it: start this before any other.
    ///
    /// # Errors
    /// When the system does not let the signal be blocked.
    pub fn start() -> nix::Result<Self> {
        let watch = Self::default();
        let mut signals = SigSet::empty();
        signals.add(Signal::SIGINT);
        signals.thread_block()?;
        let waiting = watch.clone();
        std::thread::spawn(move || {
            while signals.wait().is_ok() {
                waiting.fire();
            }
        });
        Ok(watch)
    }

    /// Runs `work`; Ctrl-C calls `stop` meanwhile, again and again until the work ends.
    pub(super) fn during<T>(
        &self,
        stop: impl Fn() + Send + Sync + 'static,
        work: impl FnOnce() -> T,
    ) -> T {
        *self.lock() = Some(Arc::new(stop));
        let done = work();
        *self.lock() = None;
        done
    }

    fn lock(&self) -> MutexGuard<'_, Option<Stop>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops what runs; not what runs after it.
    fn fire(&self) {
        let Some(stopped) = self.lock().clone() else {
            return;
        };
        loop {
            match &*self.lock() {
                Some(stop) if Arc::ptr_eq(stop, &stopped) => stop(),
                _ => return,
            }
            sleep(AGAIN);
        }
    }
}
