//! Sheet: mails -> rows of a table, with every column that there is; the forms for programs follow from it.

use super::filter::{self, Present};
use super::mail::{Header, Mail};
use super::summary::NULL;
use crate::model::table::{Cell, Table};
use crate::model::time::{SECOND, Time};
use hashbrown::HashMap;
use std::sync::Arc;

/// Columns of a mail, in their order.
pub const COLUMNS: [&str; 21] = [
    "queue_id",
    "status",
    "forced_expire",
    "arrival_time",
    "age",
    "size",
    "sender",
    "nrcpt",
    "recipients",
    "reason",
    "cause",
    "attempts",
    "first_deferral",
    "last_attempt",
    "next_attempt",
    "client_name",
    "client_address",
    "sasl_username",
    "subject",
    "message_id",
    "odd",
];

fn text(text: Option<&str>) -> Cell {
    text.map_or(Cell::Null, |text| Cell::Text(text.to_owned()))
}

fn time(time: Option<Time>) -> Cell {
    time.map_or(Cell::Null, Cell::Time)
}

/// Returns the mails as a table.
#[must_use]
pub fn table(mails: &[Mail], present: &mut Present) -> Table {
    Table {
        columns: COLUMNS.map(str::to_owned).to_vec(),
        rows: mails.iter().map(|mail| row(mail, present)).collect(),
    }
}

fn row(mail: &Mail, present: &mut Present) -> Vec<Cell> {
    let history = mail.history.as_deref();
    let (client_name, client_address) = filter::client(mail);
    let count = |count: usize| i64::try_from(count).map_or(Cell::Null, Cell::Int);
    vec![
        Cell::Text(mail.queue_id.to_string()),
        Cell::Text(mail.status.to_string()),
        Cell::Bool(mail.forced_expire),
        time(mail.arrival),
        mail.age(present.now)
            .map_or(Cell::Null, |age| Cell::Int(age / SECOND)),
        mail.size.map_or(Cell::Null, |size| Cell::Big(size.into())),
        text(mail.sender.as_deref()),
        count(mail.recipients.len()),
        Cell::List(recipients(mail, present)),
        text(commonest(mail).map(|(reason, _)| &**reason)),
        text(main_cause(mail, present).as_deref()),
        history.map_or(Cell::Null, |history| Cell::Int(history.attempts)),
        time(history.and_then(|history| history.first_deferral)),
        time(history.and_then(|history| history.last_attempt)),
        time(history.and_then(|history| history.next_attempt)),
        text(client_name),
        text(client_address),
        text(filter::user(mail)),
        text(mail.subject().as_deref()),
        text(message_id(mail).as_deref()),
        text(mail.odd),
    ]
}

/// Adds a column with the headers: each name as written with a list of its values, decoded.
pub fn add_headers(table: &mut Table, mails: &[Mail]) {
    table.columns.push("headers".to_owned());
    for (row, mail) in table.rows.iter_mut().zip(mails) {
        row.push(mail.headers.as_deref().map_or(Cell::Null, headers));
    }
}

fn headers(headers: &[Header]) -> Cell {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut fields: Vec<(String, Vec<Cell>)> = Vec::new();
    for header in headers {
        let place = *places.entry(&header.name).or_insert(fields.len());
        if place == fields.len() {
            fields.push((header.name.clone(), Vec::new()));
        }
        if let Some((_, values)) = fields.get_mut(place) {
            values.push(Cell::Text(header.decoded()));
        }
    }
    let fields = fields.into_iter();
    Cell::Struct(
        fields
            .map(|(name, values)| (name, Cell::List(values)))
            .collect(),
    )
}

fn recipients(mail: &Mail, present: &mut Present) -> Vec<Cell> {
    let each = mail.recipients.iter().map(|recipient| {
        let reason = recipient.reason.as_deref();
        let cause = reason.map(|reason| filter::cause(reason, present));
        Cell::Struct(vec![
            ("recipient".to_owned(), text(Some(&recipient.address))),
            ("reason".to_owned(), text(reason)),
            ("cause".to_owned(), text(cause)),
        ])
    });
    each.collect()
}

/// Returns the Message-ID, from its headers or the log.
#[must_use]
pub fn message_id(mail: &Mail) -> Option<String> {
    let mut headers = mail.headers.iter().flat_map(|headers| headers.iter());
    let own = headers.find(|header| header.name.eq_ignore_ascii_case("message-id"));
    let logged = || mail.history.as_ref()?.message_id.clone();
    own.map(|header| header.value.clone()).or_else(logged)
}

/// Returns the error that most of the recipients have, the first of these, and how many have it.
#[must_use]
pub fn commonest(mail: &Mail) -> Option<(&Arc<str>, usize)> {
    let mut told = mail.recipients.iter().filter_map(|r| r.reason.as_ref());
    let first = told.next()?;
    // Mostly all have the same one, and listings share its text.
    let mut count = 1;
    if told.all(|reason| {
        count += 1;
        Arc::ptr_eq(reason, first)
    }) {
        return Some((first, count));
    }
    let mut counts: HashMap<&Arc<str>, (usize, usize)> = HashMap::new();
    let reasons = mail.recipients.iter().filter_map(|r| r.reason.as_ref());
    for (place, reason) in reasons.enumerate() {
        counts.entry(reason).or_insert((0, usize::MAX - place)).0 += 1;
    }
    let most = counts.into_iter().max_by_key(|(_, count)| *count);
    most.map(|(reason, (count, _))| (reason, count))
}

/// Returns the cause of the commonest error; from the log where the queue has none.
pub fn main_cause(mail: &Mail, present: &mut Present) -> Option<String> {
    match commonest(mail) {
        Some((reason, _)) => Some(filter::cause(reason, present).to_owned()),
        None => mail.history.as_ref().and_then(|h| h.cause.clone()),
    }
}

/// Orders by which mails can be sorted and ranked, by the names of `--sort` and of pymailq.
pub const ORDERS: [&str; 9] = [
    "date",
    "size",
    "sender",
    "recipient",
    "qid",
    "status",
    "reason",
    "cause",
    "age",
];

/// Returns the value of a field for a ranking; several where the mail has several.
pub fn values(mail: &Mail, field: &str, present: &mut Present) -> Option<Vec<String>> {
    let address = |address: &str| match address {
        "" => NULL.to_owned(),
        address => super::mail::folded(address),
    };
    let one = |value: Option<String>| Some(value.into_iter().collect());
    let domains = |addresses: Vec<&str>| {
        let all = addresses.into_iter().filter_map(super::mail::domain);
        Some(distinct(all))
    };
    match field {
        "qid" | "queue_id" => one(Some(mail.queue_id.to_string())),
        "status" => one(Some(mail.status.to_string())),
        "size" => one(mail.size.map(|size| size.to_string())),
        "sender" | "from" => one(mail.sender.as_deref().map(address)),
        "sender_domain" => domains(mail.sender.as_deref().into_iter().collect()),
        "recipient" | "recipients" | "to" => Some(distinct(
            mail.recipients.iter().map(|r| address(&r.address)),
        )),
        "recipient_domain" | "domain" => {
            domains(mail.recipients.iter().map(|r| r.address.as_str()).collect())
        }
        "reason" | "errors" | "error" => Some(
            mail.reasons()
                .into_iter()
                .map(ToString::to_string)
                .collect(),
        ),
        "cause" => Some(filter::causes(mail, present)),
        "client" => one(filter::client(mail).1.map(str::to_owned)),
        "user" => one(filter::user(mail).map(str::to_owned)),
        "subject" => one(mail.subject()),
        "header" | "headers" => {
            let headers = mail.headers.iter().flat_map(|headers| headers.iter());
            Some(distinct(headers.map(|header| header.name.clone())))
        }
        "date" => one(mail.arrival.and_then(|time| {
            let local = present.zone.local(time)?;
            Some(local.format("%Y-%m-%d").to_string())
        })),
        _ => None,
    }
}

fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = hashbrown::HashSet::new();
    values.filter(|value| seen.insert(value.clone())).collect()
}

/// Fields that mails can be counted by.
pub const RANKS: [&str; 14] = [
    "sender",
    "sender_domain",
    "recipient",
    "recipient_domain",
    "status",
    "reason",
    "cause",
    "client",
    "user",
    "subject",
    "header",
    "date",
    "size",
    "qid",
];

/// Counts the mails by a field; the commonest first, then by name.
pub fn rank(mails: &[Mail], field: &str, present: &mut Present) -> Option<Table> {
    let mut counts: HashMap<String, i64> = HashMap::new();
    for mail in mails {
        for value in values(mail, field, present)? {
            *counts.entry(value).or_default() += 1;
        }
    }
    let mut rows: Vec<(String, i64)> = counts.into_iter().collect();
    rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Some(Table {
        columns: vec![field.to_owned(), "mails".to_owned()],
        rows: rows
            .into_iter()
            .map(|(value, count)| vec![Cell::Text(value), Cell::Int(count)])
            .collect(),
    })
}

/// Sorts by a field, upwards; what is equal by arrival and id. Returns whether there is such a field.
pub fn sort(mails: &mut [Mail], field: &str, present: &mut Present) -> bool {
    let by_time = |mail: &Mail| (mail.arrival, mail.queue_id.clone());
    match field {
        "date" => mails.sort_by_cached_key(by_time),
        "age" => mails
            .sort_by_cached_key(|mail| (std::cmp::Reverse(mail.arrival), mail.queue_id.clone())),
        "size" => mails.sort_by_cached_key(|mail| (mail.size, by_time(mail))),
        "recipients" | "nrcpt" => {
            mails.sort_by_cached_key(|mail| (mail.recipients.len(), by_time(mail)));
        }
        field
            if mails
                .iter()
                .all(|mail| values(mail, field, present).is_some()) =>
        {
            mails.sort_by_cached_key(|mail| {
                let first =
                    values(mail, field, present).and_then(|values| values.into_iter().min());
                (first, by_time(mail))
            });
        }
        _ => return false,
    }
    true
}
