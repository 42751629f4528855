//! maillog: what became of a mail, from Postfix's log.

pub mod model;
pub mod query;
pub mod render;
