//! Relief: who makes room when the memory of the database is taken by questions.

use std::sync::{Arc, OnceLock};

/// The way to whoever answers questions; cheap to clone. What log is read for comes before what is asked about it.
#[derive(Clone, Default)]
pub struct Relief(Arc<OnceLock<Stop>>);

/// Stops all questions and waits a while for their end.
type Stop = Box<dyn Fn() + Send + Sync>;

impl Relief {
    /// Says how questions are stopped; the first to say so is heard.
    pub fn offer(&self, stop: impl Fn() + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(stop));
    }

    /// Stops all questions; their memory is free then.
    pub fn make_room(&self) {
        if let Some(stop) = self.0.get() {
            stop();
        }
    }
}
