//! Problem: failing deliveries and refusals as reports to whom they concern, without repetition.
//!
//! ```text
//! rows of the log -> Event -> owner -> severity -> filters -> threshold -> Report -> text, HTML, JSON -> outgoing mail
//! ```
//! All of it is pure: what is stored, now and chance are arguments.
//!
//! | file | duty |
//! |---|---|
//! | `severity` | how bad a problem is, how often it is reported, which time a run is about |
//! | `threshold` | what was reported is not repeated; what is there again is recurring |
//! | `contact` | who is told: contacts, what they own, their addresses by severity |
//! | `contact_file` | `contacts.toml` read, and what is wrong in it |
//! | `event` | what is reported: class, source, direction, severity |
//! | `label` | the name of a report |

pub mod contact;
pub mod contact_file;
pub mod event;
pub mod label;
pub mod severity;
#[cfg(test)]
mod tests;
pub mod threshold;
