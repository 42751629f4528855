//! Listings as Postfix writes them, in both kinds, and what is made of them.

mod examples;
mod filters;
mod same;
mod sums;

use super::listing::{Item, Odd, Options};
use super::reader::Reader;
use super::{Mail, Status};
use crate::model::time::Time;
use crate::model::zone::Zone;
use chrono::{DateTime, Utc};

fn at(text: &str) -> Time {
    text.parse::<DateTime<Utc>>().unwrap().into()
}

fn options() -> Options {
    Options {
        now: at("2026-11-28T12:00:00Z"),
        zone: Zone::UTC,
    }
}

fn read(listing: &str) -> (Vec<Mail>, Vec<Odd>) {
    read_bytes(listing.as_bytes())
}

fn read_bytes(listing: &[u8]) -> (Vec<Mail>, Vec<Odd>) {
    let (mut mails, mut odd) = (Vec::new(), Vec::new());
    for item in Reader::new(listing, options()) {
        match item.unwrap() {
            Item::Mail(mail) => mails.push(mail),
            Item::Odd(line) => odd.push(line),
        }
    }
    (mails, odd)
}

/// Returns a mail as one line.
fn line(mail: &Mail) -> String {
    let recipients: Vec<String> = mail
        .recipients
        .iter()
        .map(|r| match &r.reason {
            Some(reason) => format!("{} ({reason})", r.address),
            None => r.address.to_string(),
        })
        .collect();
    format!(
        "{} {}{} {} {} <{}> -> {}",
        mail.queue_id,
        mail.status,
        if mail.forced_expire { "#" } else { "" },
        mail.size.map_or("-".into(), |size| size.to_string()),
        mail.arrival.map_or("-".into(), |time| Zone::UTC.show(time)),
        mail.sender.as_deref().unwrap_or("?"),
        recipients.join(", ")
    )
}
