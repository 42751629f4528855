//! Trouble: what ends a statement, or the whole conversation.

use super::failure::Failure;
use std::io;

/// Ends the conversation, or only the statement.
pub(super) enum Trouble {
    /// The client is gone.
    Gone(io::Error),
    /// The client is told.
    Told(Failure),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Told(failure)
    }
}

/// What became of one request.
pub(super) type Done = Result<(), Trouble>;
