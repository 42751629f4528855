//! maillog: what became of a mail, from Postfix's log.

pub mod config;
pub mod correlate;
pub mod model;
pub mod notice;
pub mod parse;
pub mod render;
