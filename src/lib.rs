//! maillog finds out what happened to a mail, from Postfix's log.
//!
//! ```text
//! source -> Entry -> parse -> Event -> correlate -> Row ->+
//!    |                                     |open messages +-> store: one transaction for each batch
//!    +---------------- Cursor ---------------------------->+
//! find text -> tokens -> tree -> plan -> SQL + parameters -> store -> Table -> render -> stdout
//! ```
//! `parse`, `correlate`, `query`, `story`, `render` and `report` know no file, clock, database or terminal, and build without the
//! feature `store`. DuckDB is named in `store` only, systemd in `source::journal` only.

#[cfg(feature = "store")]
pub mod answers;
pub mod ask;
#[cfg(feature = "store")]
pub mod canned;
pub mod cause;
pub mod check;
#[cfg(test)]
#[path = "../tests/circles/mod.rs"]
mod circles;
#[cfg(feature = "store")]
pub mod client;
#[cfg(feature = "store")]
pub mod cmd;
pub mod config;
pub mod correlate;
#[cfg(feature = "store")]
pub mod ingest;
#[cfg(feature = "store")]
pub mod instance;
pub mod lexer;
pub mod mail;
pub mod metrics;
pub mod model;
pub mod nofollow;
pub mod notice;
pub mod parse;
pub mod problem;
pub mod query;
pub mod queue;
pub mod render;
#[cfg(feature = "store")]
pub mod repl;
pub mod report;
pub mod seen;
#[cfg(feature = "store")]
pub mod server;
#[cfg(feature = "store")]
pub mod service;
pub mod signature;
#[cfg(test)]
#[path = "../tests/skip/mod.rs"]
mod skip;
#[cfg(feature = "store")]
pub mod socket;
pub mod source;
#[cfg(feature = "store")]
pub mod store;
pub mod story;
#[cfg(feature = "store")]
pub mod web;
