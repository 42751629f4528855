//! Queue: what Postfix has in its queue at this moment -> mails, and what is asked of them.
//!
//! ```text
//! postqueue -j | postqueue -p | saved file | postcat -> reader -> Mail -> filter -> table, summary, clusters, action
//! ```
//! Pure but for `postfix`, which runs Postfix's own programs.
//!
//! | file | duty |
//! |---|---|
//! | `mail` | a mail of the queue; types only |
//! | `listing` | what reading a listing depends on and gives; types only |
//! | `reader` | a listing line by line, whatever its kind |
//! | `json`, `spread`, `text`, `date` | the two kinds of listing, objects over many lines, and the date without a year |
//! | `postcat`, `content`, `header`, `defer` | queue files as postcat prints them, whole messages, headers, the errors beside them |
//! | `fields`, `filter`, `matcher` | the query language over mails in memory |
//! | `select` | pymailq's selectors, which make the same filters |
//! | `summary`, `cluster` | counts; groups of mails that have much in common |
//! | `sheet` | mails as tables, for every form of output |
//! | `backoff` | when the next attempt is due |
//! | `snapshot` | mails as rows of the database, and the counts of a listing |
//! | `action` | what is to be done to which mails, and what came of it |

pub mod action;
pub mod backoff;
pub mod cluster;
pub mod content;
mod date;
pub mod defer;
pub mod fields;
pub mod filter;
pub mod header;
mod json;
pub mod listing;
pub mod mail;
pub mod matcher;
pub mod postcat;
pub mod postfix;
pub mod reader;
pub mod select;
pub mod sheet;
pub mod snapshot;
mod spread;
pub mod summary;
#[cfg(test)]
mod tests;
mod text;

pub use listing::{Item, Odd, Options};
pub use mail::{Mail, Recipient, Status};
pub use reader::Reader;
