//! Ask: what can be asked of the database, and for whom. Commands, and whatever shows answers another way, stand on it.
//!
//! | file | duty |
//! |---|---|
//! | `scope` | the tables as somebody sees them who may see some mail only; the list of doors |
//! | `session` | who runs statements: one trait |
//! | `own` | the statements that may be run in a scope |
//! | `coverage` | what log was read for a window |
//! | `near` | what might have been meant where nothing was found |
//! | `story`, `tries` | all of the chain of a mail, and of what came before and after it |
//!
//! No clap, no terminal, no printing: answers are types, and whoever asked writes them.

#[cfg(feature = "store")]
pub mod coverage;
#[cfg(feature = "store")]
pub mod near;
#[cfg(feature = "store")]
pub mod own;
pub mod scope;
#[cfg(feature = "store")]
pub mod session;
#[cfg(feature = "store")]
pub mod story;
#[cfg(test)]
mod tests;
#[cfg(feature = "store")]
mod tries;

#[cfg(feature = "store")]
pub use session::Ask;
