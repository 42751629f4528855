//! Fetches the whole chain of each mail found, for its story, its ticket or its log lines.

use crate::answers::Answers;
use crate::model::ip::parse_address;
use crate::model::key;
use crate::model::table::{Cell, Param, Table};
use crate::model::time::{DAY, Time};
use crate::query::story::{
    ATTEMPTS, CHILDREN, LATER, LINES, MESSAGES, OF_ROOT, RECIPIENTS, REFUSAL_LINES, REFUSALS,
};
use crate::render::escape;
use crate::render::mask::Mask;
use crate::render::story::{self, StoryInput};
use crate::render::{Format, Style, ticket};
use crate::store::Error;
use anyhow::Result;
use std::collections::BTreeSet;
use std::io::Write;
use std::net::IpAddr;

/// Stories that are told at once.
const MOST: usize = 20;

/// Log lines are given of so many mails at once.
const MOST_LINES: usize = 1000;

/// A client that was put off comes back within this time; Postfix gives up after five days.
const PATIENCE: i64 = 5 * DAY;

/// A notice belongs to the story of the message that it is about.
const ROOT: &str = "SELECT parent_id, root_id FROM delivery_from WHERE id = $1";

/// Who was asked for, and how much is told of the others.
#[derive(Debug, Default)]
pub struct Ask {
    /// Whole addresses that the query names, in small letters.
    pub addresses: Vec<String>,
    /// The query names recipients.
    pub names_recipient: bool,
    /// Tell each recipient.
    pub tells_all: bool,
}

/// What is told of the hits of a search.
#[derive(Debug, Default)]
pub struct Stories {
    mails: Vec<StoryInput>,
    /// Mails beyond those told.
    more: usize,
    /// Refusals that a mail's story tells.
    told: Vec<i64>,
    /// Of the other refusals: what came through later.
    later: Vec<(i64, Table)>,
    refusals: usize,
}

impl Stories {
    /// Fetches each mail among the hits, each chain once, and what there is to tell of the refusals.
    ///
    /// # Errors
    /// When the database fails.
    pub fn of(store: &Answers, hits: &Table, ask: &Ask) -> Result<Self, Error> {
        let roots = roots(store, hits, MOST)?;
        let mut stories = Self {
            more: roots.len().saturating_sub(MOST),
            ..Self::default()
        };
        for root in roots.iter().take(MOST) {
            let mut mail = fetch(store, *root)?;
            (mail.asked, mail.asked_by_name) = asked(hits, &mail.messages, ask);
            mail.tells_all = ask.tells_all;
            let ids = column(&mail.refusals, "id");
            stories
                .told
                .extend(mail.refusals.rows.iter().filter_map(|row| int(row, ids)));
            stories.mails.push(mail);
        }
        let (kind, id) = (column(hits, "kind"), column(hits, "id"));
        for row in hits
            .rows
            .iter()
            .filter(|row| text(row, kind) == Some("refused"))
        {
            let Some(id) = int(row, id).filter(|id| !stories.told.contains(id)) else {
                continue;
            };
            stories.refusals += 1;
            if stories.refusals <= MOST
                && let Some(later) = later(store, hits, row)?
            {
                stories.later.push((id, later));
            }
        }
        Ok(stories)
    }

    /// Returns whether all that was found is one mail, or one refusal.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.more == 0 && self.mails.len() + self.refusals == 1
    }

    /// Hides addresses that were not asked for.
    pub fn mask(&mut self, mask: &mut Mask) {
        for mail in &mut self.mails {
            let tables = [
                &mut mail.messages,
                &mut mail.recipients,
                &mut mail.attempts,
                &mut mail.refusals,
                &mut mail.asked,
            ];
            let mut tables = tables.map(|table| {
                mask.learn(table);
                table
            });
            for table in &mut tables {
                mask.apply(table);
            }
        }
    }

    /// Writes a story or ticket for each mail, and the refusals among the hits.
    ///
    /// # Errors
    /// When `out` cannot take it.
    pub fn write(
        &self,
        hits: &Table,
        format: Format,
        style: &Style,
        out: &mut dyn Write,
    ) -> Result<()> {
        let is_ticket = format == Format::Ticket;
        for (i, mail) in self.mails.iter().enumerate() {
            if i > 0 {
                writeln!(out)?;
            }
            if is_ticket {
                ticket::write(mail, style, out)?;
            } else {
                story::write(mail, style, out)?;
            }
        }
        if self.more > 0 {
            writeln!(
                out,
                "\nand {} more mails: narrow the question, or use -o table",
                self.more
            )?;
        }
        if !self.mails.is_empty() && self.refusals > 0 {
            writeln!(out)?;
        }
        if is_ticket {
            ticket::write_refusals(hits, &self.told, &self.later, style, out)?;
        } else {
            story::write_refusals(hits, &self.told, &self.later, style, out)?;
        }
        Ok(())
    }
}

/// What was written of log lines.
#[derive(Debug, Default, Clone, Copy)]
pub struct Written {
    /// Lines.
    pub lines: usize,
    /// Mails of which no line is kept.
    pub missing: usize,
}

/// Writes the log lines of the hits' chains and refusals.
///
/// # Errors
/// When the database fails or `out` cannot take it.
pub fn write_lines(
    store: &Answers,
    hits: &Table,
    mask: Option<&mut Mask>,
    out: &mut dyn Write,
) -> Result<Written> {
    let (kind, id) = (column(hits, "kind"), column(hits, "id"));
    let refusals = hits
        .rows
        .iter()
        .filter(|row| text(row, kind) == Some("refused"));
    let refusals = refusals.filter_map(|row| int(row, id));
    let refusals = refusals.map(|id| Ok((REFUSAL_LINES, vec![Param::Int(id)])));
    let mails = roots(store, hits, MOST_LINES)?.into_iter();
    let mails = mails.map(|root| chain(store, root).map(|chain| (LINES, chain.to_vec())));
    let mut written = Written::default();
    let mut mask = mask;
    for asked in mails.chain(refusals).take(MOST_LINES) {
        let (sql, params) = asked?;
        let lines = store.select(sql, &params)?;
        written.missing += usize::from(lines.rows.is_empty());
        written.lines += lines.rows.len();
        for line in lines.rows.iter().filter_map(|row| text(row, Some(0))) {
            match mask.as_mut() {
                Some(mask) => writeln!(out, "{}", escape::terminal(&mask.text(line)))?,
                None => writeln!(out, "{}", escape::terminal(line))?,
            }
        }
    }
    Ok(written)
}

fn column(table: &Table, name: &str) -> Option<usize> {
    table.columns.iter().position(|c| c == name)
}

fn int(row: &[Cell], column: Option<usize>) -> Option<i64> {
    match row.get(column?)? {
        Cell::Int(n) => Some(*n),
        _ => None,
    }
}

fn text(row: &[Cell], column: Option<usize>) -> Option<&str> {
    match row.get(column?)? {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

fn time(row: &[Cell], column: Option<usize>) -> Option<Time> {
    match row.get(column?)? {
        Cell::Time(time) => Some(*time),
        _ => None,
    }
}

/// Returns the recipients of the messages that the search found, and whether the query names them; where it may have found them by the
/// sender, only those that it names.
fn asked(hits: &Table, messages: &Table, ask: &Ask) -> (Table, bool) {
    const COLUMNS: [&str; 3] = ["id", "recipient", "orig_to"];
    let id = column(messages, "id");
    let ids: BTreeSet<i64> = messages
        .rows
        .iter()
        .filter_map(|row| int(row, id))
        .collect();
    let (kind, from_id) = (column(hits, "kind"), column(hits, "from_id"));
    let places = COLUMNS.map(|name| column(hits, name));
    let [_, names @ ..] = places;
    let is_found = |row: &&Vec<Cell>| {
        text(row, kind) == Some("mail")
            && text(row, names[0]).is_some()
            && int(row, from_id).is_some_and(|id| ids.contains(&id))
    };
    let is_named = |row: &&Vec<Cell>| {
        names.iter().any(|name| {
            let name = text(row, *name).map(str::to_lowercase);
            name.is_some_and(|name| ask.addresses.contains(&name))
        })
    };
    let mut found: Vec<&Vec<Cell>> = hits.rows.iter().filter(is_found).collect();
    let is_by_name = ask.names_recipient || found.iter().any(is_named);
    if !ask.names_recipient && is_by_name {
        found.retain(is_named);
    }
    let cells = |row: &Vec<Cell>| {
        let cell = |place: &Option<usize>| place.and_then(|at| row.get(at).cloned());
        places
            .iter()
            .map(|place| cell(place).unwrap_or(Cell::Null))
            .collect()
    };
    let asked = Table {
        columns: COLUMNS.map(str::to_owned).to_vec(),
        rows: found.into_iter().map(cells).collect(),
    };
    (asked, is_by_name)
}

/// Returns the first message of each chain, in the order of the hits.
fn roots(store: &Answers, hits: &Table, most: usize) -> Result<Vec<i64>, Error> {
    let (kind, id) = (column(hits, "kind"), column(hits, "from_id"));
    let mut asked = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut roots = Vec::new();
    for row in hits
        .rows
        .iter()
        .filter(|row| text(row, kind) == Some("mail"))
    {
        let Some(id) = int(row, id).filter(|id| asked.insert(*id)) else {
            continue;
        };
        if roots.len() > most {
            // Only their number is told.
            roots.push(id);
            continue;
        }
        if let Some(root) = root(store, id)?
            && seen.insert(root)
        {
            roots.push(root);
        }
    }
    Ok(roots)
}

/// Returns the root of the message, or of that which it is a notice about.
fn root(store: &Answers, id: i64) -> Result<Option<i64>, Error> {
    let of = |id| store.select(ROOT, &[Param::Int(id)]);
    let found = of(id)?;
    let Some([parent, root]) = found.rows.first().map(Vec::as_slice) else {
        return Ok(None);
    };
    if let Cell::Int(parent) = parent
        && let Some(root) = of(*parent)?.rows.first().and_then(|row| int(row, Some(1)))
    {
        return Ok(Some(root));
    }
    Ok(match root {
        Cell::Int(root) => Some(*root),
        _ => None,
    })
}

/// Returns the ids of the messages of the root and of the notices about them, as the parameters of the statements that fetch by them.
fn chain(store: &Answers, root: i64) -> Result<[Param; 3], Error> {
    let ids = |table: Table| -> Vec<i64> {
        let ids = table.rows.iter().filter_map(|row| int(row, Some(0)));
        ids.collect()
    };
    let mut all = ids(store.select(OF_ROOT, &[Param::Int(root)])?);
    all.extend(ids(store.select(CHILDREN, &among(&all))?));
    Ok(among(&all))
}

fn among(ids: &[i64]) -> [Param; 3] {
    let end = |id: Option<&i64>| id.map_or(Param::Null, |id| Param::Int(*id));
    [
        Param::List(ids.iter().copied().map(Param::Int).collect()),
        end(ids.iter().min()),
        end(ids.iter().max()),
    ]
}

fn fetch(store: &Answers, root: i64) -> Result<StoryInput, Error> {
    let chain = chain(store, root)?;
    let messages = store.select(MESSAGES, &chain)?;
    let recipients = store.select(RECIPIENTS, &chain)?;
    Ok(StoryInput {
        refusals: refusals(store, root, &messages, &recipients)?,
        recipients,
        attempts: store.select(ATTEMPTS, &chain)?,
        messages,
        ..StoryInput::default()
    })
}

/// Fetches what was refused to the same client before; nothing where the client or the sender is not known.
fn refusals(
    store: &Answers,
    root: i64,
    messages: &Table,
    recipients: &Table,
) -> Result<Table, Error> {
    let ids = column(messages, "id");
    let Some(first) = messages.rows.iter().find(|row| int(row, ids) == Some(root)) else {
        return Ok(Table::default());
    };
    let (Some(at), Some((sender, network, parent))) = (
        time(first, column(messages, "time")),
        client(messages, first),
    ) else {
        return Ok(Table::default());
    };
    let names = ["recipient", "orig_to"].map(|name| column(recipients, name));
    // Not those of the notices.
    let (root_ids, from_ids) = (column(messages, "root_id"), column(recipients, "from_id"));
    let own = messages
        .rows
        .iter()
        .filter(|row| int(row, root_ids) == Some(root));
    let own: BTreeSet<i64> = own.filter_map(|row| int(row, ids)).collect();
    let asked = recipients
        .rows
        .iter()
        .filter(|row| int(row, from_ids).is_some_and(|id| own.contains(&id)));
    let named = asked.flat_map(|row| {
        let named = names.iter().filter_map(|name| text(row, *name));
        named.map(|name| Param::Text(name.to_owned()))
    });
    let sender_key = key_of(&sender);
    let params = [
        Param::List(named.collect()),
        Param::Time(at.plus(-PATIENCE)),
        Param::Time(at),
        sender,
        network,
        parent,
        sender_key,
    ];
    store.select(REFUSALS, &params)
}

/// Fetches the first mail that came through after the refusal.
fn later(store: &Answers, hits: &Table, refusal: &[Cell]) -> Result<Option<Table>, Error> {
    let (Some(at), Some(recipient), Some((sender, network, parent))) = (
        time(refusal, column(hits, "time")),
        text(refusal, column(hits, "recipient")),
        client(hits, refusal),
    ) else {
        return Ok(None);
    };
    let recipient = Param::Text(recipient.to_owned());
    let [sender_key, recipient_key] = [&sender, &recipient].map(key_of);
    let params = [
        Param::Time(at),
        Param::Time(at.plus(PATIENCE)),
        sender,
        recipient,
        network,
        parent,
        sender_key,
        recipient_key,
    ];
    store.select(LATER, &params).map(Some)
}

/// Returns the key of an address.
fn key_of(address: &Param) -> Param {
    match address {
        Param::Text(address) => Param::Int(key::of(address).into()),
        _ => Param::Null,
    }
}

/// Returns sender, network and parent domain of the client's name as parameters: big senders come back from another host of theirs.
fn client(table: &Table, row: &[Cell]) -> Option<(Param, Param, Param)> {
    /// No name ends so.
    const NO_NAME: &str = "..";
    /// No client is there.
    const NO_NETWORK: &str = "0.0.0.0";
    let sender = text(row, column(table, "sender"))?;
    let network = text(row, column(table, "client_address")).and_then(parse_address);
    let network = network.map(|address| match address.to_canonical() {
        IpAddr::V4(_) => format!("{}/24", address.to_canonical()),
        IpAddr::V6(_) => format!("{address}/64"),
    });
    let name = text(row, column(table, "client_name")).unwrap_or_default();
    let parent = name.split_once('.').map(|(_, parent)| parent);
    let parent = parent.filter(|parent| parent.contains('.'));
    if network.is_none() && parent.is_none() {
        return None;
    }
    let parent = parent.map_or_else(|| NO_NAME.to_owned(), |parent| format!(".{parent}"));
    Some((
        Param::Text(sender.to_owned()),
        Param::Text(network.unwrap_or_else(|| NO_NETWORK.to_owned())),
        Param::Text(parent),
    ))
}
