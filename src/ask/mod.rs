//! Ask: what can be asked of the database, and for whom. Commands, and whatever shows answers another way, stand on it.
//!
//! | file | duty |
//! |---|---|
//! | `scope` | the tables as somebody sees them who may see some mail only; the list of doors |
//! | `session` | who runs statements: one trait |
//! | `own` | the statements that may be run in a scope |
//! | `find` | a search as a request, and what it finds |
//! | `hits`, `stored` | hits in pages, and what the mail store did with them |
//! | `coverage` | what log was read for a window |
//! | `near_misses` | what might have been meant where nothing was found |
//! | `follow` | what is new since the search was asked last |
//! | `summary` | the report of a span |
//! | `lines` | the log lines of what a search finds |
//! | `cells` | what stands in the rows of an answer |
//! | `story`, `tries` | all of the chain of a mail, and of what came before and after it |
//!
//! No clap, no terminal, no printing: answers are types, and whoever asked writes them.

#[cfg(feature = "store")]
mod cells;
#[cfg(feature = "store")]
pub mod coverage;
#[cfg(feature = "store")]
pub mod find;
#[cfg(feature = "store")]
pub mod follow;
#[cfg(feature = "store")]
mod hits;
#[cfg(feature = "store")]
pub mod lines;
#[cfg(feature = "store")]
pub mod near_misses;
#[cfg(feature = "store")]
pub mod own;
pub mod scope;
#[cfg(feature = "store")]
pub mod session;
#[cfg(feature = "store")]
mod stored;
#[cfg(feature = "store")]
pub mod story;
#[cfg(feature = "store")]
pub mod summary;
#[cfg(test)]
mod tests;
#[cfg(feature = "store")]
mod tries;

#[cfg(feature = "store")]
pub use session::Ask;
