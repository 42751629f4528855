//! Files: the texts of queries/, by name.

/// Every file of queries/.
pub(super) const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/queries.rs"));
