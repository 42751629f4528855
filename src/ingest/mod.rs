//! Ingestion: source -> parse -> correlate -> store, as one idempotent path.
//!
//! Three kinds of threads and two bounded channels: readers (one for an import; in a service one a source), understanding
//! (the pump), storing. What a part holds is decided by bytes and time, and has no influence on what the tables say.
//!
//! | file | duty |
//! |---|---|
//! | `feed` | what readers say to the pump, and how |
//! | `stream` | streams and where each stands |
//! | `account` | what is counted of a record |
//! | `pump` | entries through the stages, parts to be stored |
//! | `writer` | the storing thread: parts into commits, jobs in between |
//! | `small` | rows of small producers, which join a commit |
//! | `import` | an import: one reader, then the end |
//! | `memory_relief` | room in memory for what is to be stored |
//! | `health` | counts and times for metrics and the watchdog |

mod account;
pub mod clock;
pub mod coverage;
pub mod feed;
pub mod follow;
pub mod handover;
pub mod health;
pub mod import;
pub mod memory_relief;
pub mod progress;
pub mod pump;
pub mod reader;
pub mod resume;
pub mod small;
pub mod stats;
pub mod stream;
pub mod writer;

#[cfg(test)]
pub(crate) mod tests;
