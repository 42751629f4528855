//! Fetches the whole chain of each mail found, for its story, its ticket or its log lines.

use super::tries;
use crate::answers::Answers;
use crate::model::table::{Cell, Param, Table};
use crate::model::time::Time;
use crate::query::story::{
    ATTEMPTS, CHILDREN, LINES, MESSAGES, NEIGHBOURS, OF_ROOT, RECIPIENTS, REFUSAL_LINES,
};
use crate::render::escape;
use crate::render::mask::Mask;
use crate::render::story::{self, StoryInput};
use crate::render::{Format, Style, ticket};
use crate::store::Error;
use anyhow::Result;
use std::collections::BTreeSet;
use std::io::Write;

/// Stories that are told at once.
const MOST: usize = 20;

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
    /// Messages that were not taken and that a mail's story tells.
    told_messages: BTreeSet<i64>,
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
            let mut mail = fetch(store, *root, false)?;
            (mail.asked, mail.asked_by_name) = asked(hits, &mail.messages, ask);
            mail.tells_all = ask.tells_all;
            stories.tells(mail);
        }
        stories.take_tries(store, hits, ask)?;
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
                && let Some(later) = tries::later(store, hits, row)?
            {
                stories.later.push((id, later));
            }
        }
        Ok(stories)
    }

    fn tells(&mut self, mail: StoryInput) {
        let of = |name| {
            let column = column(&mail.refusals, name);
            let rows = mail.refusals.rows.iter();
            rows.filter_map(move |row| int(row, column))
        };
        self.told.extend(of("id"));
        self.told_messages.extend(of("turned_id"));
        self.mails.push(mail);
    }

    /// Takes the messages that were not taken and that no mail's story tells; the last try tells those before it.
    fn take_tries(&mut self, store: &Answers, hits: &Table, ask: &Ask) -> Result<(), Error> {
        let id = column(hits, "from_id");
        let tries = hits.rows.iter().filter(|row| tries::is_try(hits, row));
        let ids: BTreeSet<i64> = tries.filter_map(|row| int(row, id)).collect();
        let first = self.mails.len();
        for id in ids.into_iter().rev() {
            if self.told_messages.contains(&id) {
                continue;
            }
            if self.mails.len() >= MOST {
                self.more += 1;
                continue;
            }
            let mut mail = fetch(store, id, true)?;
            (mail.asked, mail.asked_by_name) = asked(hits, &mail.messages, ask);
            mail.tells_all = ask.tells_all;
            self.tells(mail);
        }
        if let Some(tries) = self.mails.get_mut(first..) {
            tries.reverse();
        }
        Ok(())
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
                &mut mail.neighbours,
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
                "\nand {} more mails: narrow the query, or use -o table",
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

/// Writes the log lines of the hits' chains and refusals, but those of chains that were `told` before.
///
/// # Errors
/// When the database fails or `out` cannot take it.
pub fn write_lines(
    store: &Answers,
    hits: &Table,
    told: &mut BTreeSet<i64>,
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
    let mails = roots(store, hits, usize::MAX)?.into_iter();
    let from_id = column(hits, "from_id");
    let tries = hits.rows.iter().filter(|row| tries::is_try(hits, row));
    let tries: BTreeSet<i64> = tries.filter_map(|row| int(row, from_id)).collect();
    let mails = tries
        .into_iter()
        .chain(mails)
        .filter(|root| told.insert(*root));
    let mails = mails.map(|root| -> Result<_, Error> {
        let chain = chain(store, root)?;
        let told = store.select(NEIGHBOURS, &chain)?;
        let ids: BTreeSet<i64> = told
            .rows
            .iter()
            .filter_map(|row| int(row, Some(0)))
            .collect();
        let ids: Vec<i64> = ids.into_iter().collect();
        Ok((LINES, chain.into_iter().chain(among(&ids)).collect()))
    });
    let mut written = Written::default();
    let mut mask = mask;
    for asked in mails.chain(refusals) {
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

pub(super) fn column(table: &Table, name: &str) -> Option<usize> {
    table.columns.iter().position(|c| c == name)
}

pub(super) fn int(row: &[Cell], column: Option<usize>) -> Option<i64> {
    match row.get(column?)? {
        Cell::Int(n) => Some(*n),
        _ => None,
    }
}

pub(super) fn text(row: &[Cell], column: Option<usize>) -> Option<&str> {
    match row.get(column?)? {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

pub(super) fn time(row: &[Cell], column: Option<usize>) -> Option<Time> {
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

/// Returns the first message of each chain, in the order of the hits; not those of messages that were not taken.
fn roots(store: &Answers, hits: &Table, most: usize) -> Result<Vec<i64>, Error> {
    let (kind, id) = (column(hits, "kind"), column(hits, "from_id"));
    let mut asked = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut roots = Vec::new();
    for row in hits
        .rows
        .iter()
        .filter(|row| text(row, kind) == Some("mail") && !tries::is_try(hits, row))
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

pub(super) fn among(ids: &[i64]) -> [Param; 3] {
    let end = |id: Option<&i64>| id.map_or(Param::Null, |id| Param::Int(*id));
    [
        Param::List(ids.iter().copied().map(Param::Int).collect()),
        end(ids.iter().min()),
        end(ids.iter().max()),
    ]
}

/// Fetches a mail; `is_try`: a message that was not taken.
fn fetch(store: &Answers, root: i64, is_try: bool) -> Result<StoryInput, Error> {
    let chain = chain(store, root)?;
    let messages = store.select(MESSAGES, &chain)?;
    let recipients = store.select(RECIPIENTS, &chain)?;
    let refusals = tries::before(store, root, &messages, &recipients, is_try)?;
    Ok(StoryInput {
        neighbours: neighbours(store, &messages, &refusals)?,
        refusals,
        later: if is_try {
            tries::later_for_all(store, &messages, &recipients)?
        } else {
            None
        },
        recipients,
        attempts: store.select(ATTEMPTS, &chain)?,
        messages,
        ..StoryInput::default()
    })
}

/// Fetches what other daemons did with the messages of the mail, and with its earlier tries.
fn neighbours(store: &Answers, messages: &Table, refusals: &Table) -> Result<Table, Error> {
    let ids = column(messages, "id");
    let turned = column(refusals, "turned_id");
    let all = messages.rows.iter().map(|row| int(row, ids));
    let all = all.chain(refusals.rows.iter().map(|row| int(row, turned)));
    let all: BTreeSet<i64> = all.flatten().collect();
    let all: Vec<i64> = all.into_iter().collect();
    store.select(NEIGHBOURS, &among(&all))
}
