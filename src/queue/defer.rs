//! Defer: the file of errors beside a queue file -> the error of each recipient.
//!
//! Written by `bounce(8)` below `defer/`: blocks of `name=value` lines, in the order of what happened.

use super::mail::Mail;
use hashbrown::HashMap;
use std::sync::Arc;

/// Gives the recipients of the mail the errors that the file tells; the last one of a recipient counts.
pub fn apply(mail: &mut Mail, file: &str) {
    let mut errors: HashMap<&str, Arc<str>> = HashMap::new();
    let mut recipient = None;
    for line in file.lines() {
        match line.split_once('=') {
            Some(("recipient", address)) => recipient = Some(address),
            Some(("reason", reason)) => {
                if let Some(recipient) = recipient.take() {
                    errors.insert(recipient, reason.into());
                }
            }
            _ => {}
        }
    }
    for recipient in &mut mail.recipients {
        if let Some(error) = errors.get(recipient.address.as_str()) {
            recipient.reason = Some(Arc::clone(error));
        }
    }
}
