//! Mail: what maillog sends, and how it gets out. Pure but for `hand_over`.
//!
//! ```text
//! Letter -> message -> row of the table `outbox` -> outgoing -> hand_over: sendmail(1) or SMTP
//! ```
//! | file | duty |
//! |---|---|
//! | `mailbox` | an address with the name that stands before it |
//! | `header` | text of people as header fields |
//! | `letter` | what is to be sent -> the whole message |
//! | `identity` | who sends, from the settings |
//! | `settings` | the table `[mail]` of the settings -> who sends, and how |
//! | `schedule` | when a mail is tried again, and until when |
//! | `hand_over` | one mail to sendmail(1) or an SMTP server |
//! | `outgoing` | the spool: each mail handed over once |

pub mod hand_over;
mod header;
pub mod identity;
pub mod letter;
pub mod mailbox;
pub mod outgoing;
pub mod schedule;
pub mod settings;
