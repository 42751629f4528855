//! maillog: what became of a mail, from Postfix's log.

pub mod correlate;
pub mod model;
pub mod parse;
