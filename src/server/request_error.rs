//! Request error: what ends a statement, or the whole conversation.

use super::failure::Failure;
use std::io;

/// Ends the conversation, or only the statement.
pub(super) enum RequestError {
    /// The client is gone.
    Gone(io::Error),
    /// The request failed; the client gets this error and may go on.
    Told(Failure),
}

impl From<io::Error> for RequestError {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

impl From<Failure> for RequestError {
    fn from(failure: Failure) -> Self {
        Self::Told(failure)
    }
}

/// What became of one request.
pub(super) type RequestResult = Result<(), RequestError>;
