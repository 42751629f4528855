//! Tries: refusals told with the mail that came through later, and messages that were not taken told with what came later.

use super::Ask;
use super::cells::{column, int, text, time};
use crate::model::ip::parse_address;
use crate::model::key;
use crate::model::row::message_status as status;
use crate::model::table::{Cell, Param, Table};
use crate::model::time::{DAY, Time};
use crate::query::story::{LATER, REFUSALS};
use crate::store::Error;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A client that was put off comes back within this time; Postfix gives up after five days.
const PATIENCE: i64 = 5 * DAY;

/// Recipients of a message that was not taken for whom the later mail is looked for.
const MOST: usize = 20;

/// No name ends so.
const NO_NAME: &str = "..";
/// No client is there.
const NO_NETWORK: &str = "0.0.0.0";

/// Returns whether the row of a hit is a message that was not taken and that no other message of ours carries on.
pub(super) fn is_try(hits: &Table, row: &[Cell]) -> bool {
    text(row, column(hits, "kind")) == Some("mail")
        && text(row, column(hits, "message_status")) == Some(status::REJECTED)
        && int(row, column(hits, "parent_id")).is_none()
}

/// Fetches what was refused before a mail came through: to the same client, or with the same Message-ID. Of a message that was not
/// taken itself (`is_try`) only other tries of the very same mail. Nothing where neither is known.
pub(super) fn before(
    asked: &dyn Ask,
    root: i64,
    messages: &Table,
    recipients: &Table,
    is_try: bool,
) -> Result<Table, Error> {
    let ids = column(messages, "id");
    let Some(first) = messages.rows.iter().find(|row| int(row, ids) == Some(root)) else {
        return Ok(Table::default());
    };
    let Some(at) = time(first, column(messages, "time")) else {
        return Ok(Table::default());
    };
    let mut who = Who::of(messages, first);
    if is_try {
        who.forget_client();
    }
    if who.is_nobody() {
        return Ok(Table::default());
    }
    let names = ["recipient", "orig_to"].map(|name| column(recipients, name));
    // Not those of the notices.
    let (root_ids, from_ids) = (column(messages, "root_id"), column(recipients, "from_id"));
    let own = messages
        .rows
        .iter()
        .filter(|row| int(row, root_ids) == Some(root));
    let own: BTreeSet<i64> = own.filter_map(|row| int(row, ids)).collect();
    let theirs = recipients
        .rows
        .iter()
        .filter(|row| int(row, from_ids).is_some_and(|id| own.contains(&id)));
    let named = theirs.flat_map(|row| {
        let named = names.iter().filter_map(|name| text(row, *name));
        named.map(|name| Param::Text(name.to_owned()))
    });
    let params = [
        Param::List(named.collect()),
        Param::Time(at.plus(-PATIENCE)),
        Param::Time(at),
        who.sender,
        who.network,
        who.parent,
        who.sender_key,
        Param::Int(root),
        who.message_id,
    ];
    asked.rows(REFUSALS, &params)
}

/// Fetches the first mail that came through after the refusal.
pub(super) fn later(
    asked: &dyn Ask,
    hits: &Table,
    refusal: &[Cell],
) -> Result<Option<Table>, Error> {
    let who = Who::of(hits, refusal);
    let at = time(refusal, column(hits, "time"));
    let to = text(refusal, column(hits, "recipient"));
    match (at, to) {
        (Some(at), Some(to)) if !who.is_nobody() => came(asked, &who, at, Some(to)).map(Some),
        _ => Ok(None),
    }
}

/// Fetches what came through for each recipient of a message that was not taken; none where nothing can be looked for.
pub(super) fn later_for_all(
    asked: &dyn Ask,
    messages: &Table,
    recipients: &Table,
) -> Result<Option<Table>, Error> {
    let Some(first) = messages.rows.first() else {
        return Ok(None);
    };
    let who = Who::of(messages, first);
    let Some(at) = time(first, column(messages, "time")).filter(|_| !who.is_nobody()) else {
        return Ok(None);
    };
    let to = column(recipients, "recipient");
    let mut all = Table::default();
    let mut take = |to: Option<&str>| -> Result<(), Error> {
        let mut found = came(asked, &who, at, to)?;
        found.columns.push("for_recipient".to_owned());
        for row in &mut found.rows {
            row.push(to.map_or(Cell::Null, |to| Cell::Text(to.to_owned())));
        }
        all.columns = found.columns;
        all.rows.append(&mut found.rows);
        Ok(())
    };
    if recipients.rows.is_empty() {
        take(None)?;
    } else if recipients.rows.len() > MOST {
        return Ok(None);
    }
    for row in &recipients.rows {
        take(text(row, to))?;
    }
    Ok(Some(all))
}

fn came(asked: &dyn Ask, who: &Who, at: Time, to: Option<&str>) -> Result<Table, Error> {
    let recipient = to.map_or(Param::Null, |to| Param::Text(to.to_owned()));
    let recipient_key = key_of(&recipient);
    let params = [
        Param::Time(at),
        Param::Time(at.plus(PATIENCE)),
        who.sender.clone(),
        recipient,
        who.network.clone(),
        who.parent.clone(),
        who.sender_key.clone(),
        recipient_key,
        who.message_id.clone(),
    ];
    asked.rows(LATER, &params)
}

/// Returns the key of an address.
fn key_of(address: &Param) -> Param {
    match address {
        Param::Text(address) => Param::Int(key::of(address).into()),
        _ => Param::Null,
    }
}

/// By what a mail is known again, as parameters: big senders come back from another host of theirs.
struct Who {
    sender: Param,
    sender_key: Param,
    /// Of the client.
    network: Param,
    /// Parent domain of the client's name.
    parent: Param,
    message_id: Param,
}

impl Who {
    fn of(table: &Table, row: &[Cell]) -> Self {
        let network = text(row, column(table, "client_address")).and_then(parse_address);
        let network = network.map(|address| match address.to_canonical() {
            IpAddr::V4(_) => format!("{}/24", address.to_canonical()),
            IpAddr::V6(_) => format!("{address}/64"),
        });
        let name = text(row, column(table, "client_name")).unwrap_or_default();
        let parent = name.split_once('.').map(|(_, parent)| parent);
        let parent = parent.filter(|parent| parent.contains('.'));
        let parent = parent.map(|parent| format!(".{parent}"));
        let given = |name: &str| text(row, column(table, name)).map(str::to_owned);
        let message_id = given("message_id").filter(|id| !matches!(id.as_str(), "" | "<>"));
        let or_null = |text: Option<String>| text.map_or(Param::Null, Param::Text);
        let sender = or_null(given("sender"));
        let is_client = network.is_some() || parent.is_some();
        let mut who = Self {
            sender_key: key_of(&sender),
            sender,
            network: Param::Text(network.unwrap_or_else(|| NO_NETWORK.to_owned())),
            parent: Param::Text(parent.unwrap_or_else(|| NO_NAME.to_owned())),
            message_id: or_null(message_id),
        };
        if !is_client {
            who.forget_client();
        }
        who
    }

    /// The Message-ID alone counts.
    fn forget_client(&mut self) {
        self.sender_key = Param::Null;
        self.network = Param::Text(NO_NETWORK.to_owned());
        self.parent = Param::Text(NO_NAME.to_owned());
    }

    fn is_nobody(&self) -> bool {
        self.sender_key == Param::Null && self.message_id == Param::Null
    }
}
