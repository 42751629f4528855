//! Clock: what time it is, for an import one moment, for a service the running clock.

use crate::model::time::Time;

/// Where the present is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Present {
    /// One moment for everything: an import, a test.
    Fixed(Time),
    /// The system's clock.
    Running,
}

impl Present {
    /// Returns the time.
    #[must_use]
    pub fn now(self) -> Time {
        match self {
            Self::Fixed(now) => now,
            Self::Running => chrono::Utc::now().into(),
        }
    }
}
