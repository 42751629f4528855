//! Ingestion: source -> parse -> correlate -> store, as one idempotent path.
//!
//! Three threads and two bounded channels: reading and decompressing; understanding; storing. What a part
//! holds is decided by bytes and time, and has no influence on what the tables say in the end.

pub mod coverage;
pub mod keep;
pub mod progress;
pub mod pump;
pub mod reader;
pub mod resume;
pub mod stats;
