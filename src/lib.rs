//! maillog: what became of a mail, from Postfix's log.

pub mod model;
#[cfg(feature = "store")]
pub mod store;
