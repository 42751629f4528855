//! Interrupt: Ctrl-C stops the query that runs, not the shell.
//!
//! The signal is blocked and a thread waits for it, so no handler is needed. At the prompt the terminal is raw and
//! Ctrl-C is a key. Programs that are started (pager, editor) get the signal as ever: the standard library gives
//! each of them an empty mask.

use nix::sys::signal::{SigSet, Signal};
use std::sync::{Arc, Mutex, PoisonError};

/// What Ctrl-C stops at this moment.
type Stop = Box<dyn Fn() + Send>;

/// The thread that waits for Ctrl-C, and what it is to stop.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Mutex<Option<Stop>>>);

impl Watch {
    /// Blocks the signal for this thread and those it starts, and waits for it in another.
    pub(super) fn start() -> nix::Result<Self> {
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

    /// Runs `work`; Ctrl-C calls `stop` meanwhile.
    pub(super) fn during<T>(
        &self,
        stop: impl Fn() + Send + 'static,
        work: impl FnOnce() -> T,
    ) -> T {
        self.set(Some(Box::new(stop)));
        let done = work();
        self.set(None);
        done
    }

    fn set(&self, stop: Option<Stop>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stop;
    }

    fn fire(&self) {
        if let Some(stop) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            stop();
        }
    }
}
