//! Story: the whole chain of each mail found, for its story, its ticket or its log lines.

pub(crate) use super::cells::{column, int, text};

use super::cells::{among, time};
use super::{Ask, tries};
use crate::model::row::message_status;
use crate::model::table::{Cell, Param, Table};
use crate::model::time::MINUTE;
use crate::query::story::{
    ACTIONS, ATTEMPTS, CHILDREN, LINKS, MESSAGES, NEIGHBOURS, OF_ROOTS, RECIPIENTS,
};
use crate::store::Error;
use crate::story::StoryInput;
use std::collections::{BTreeMap, BTreeSet};

/// Most stories that one answer has.
const MOST: usize = 20;
/// Messages whose chains are looked for at once.
const BATCH: usize = 1000;

/// Whom the user asked for, and how much the answer says of the other recipients.
#[derive(Debug, Default)]
pub struct Focus {
    /// Whole addresses that the query names, in small letters.
    pub addresses: Vec<String>,
    /// The query names recipients.
    pub names_recipient: bool,
    /// Tell each recipient.
    pub tells_all: bool,
}

/// The stories of the mails that a search finds, and of its refusals.
#[derive(Debug, Default)]
pub struct Stories {
    /// The mails.
    pub mails: Vec<StoryInput>,
    /// Mails beyond those told.
    pub more: usize,
    /// Refusals that a mail's story tells.
    pub told: Vec<i64>,
    /// Messages that were not taken and that a mail's story tells.
    told_messages: BTreeSet<i64>,
    /// Of the other refusals: what came through later.
    pub later: Vec<(i64, Table)>,
    /// Number of the other refusals.
    pub refusals: usize,
}

impl Stories {
    /// Fetches each mail among the hits, each chain once, and what there is to tell of the refusals.
    ///
    /// # Errors
    /// When the database fails.
    pub fn of(asked: &dyn Ask, hits: &Table, focus: &Focus) -> Result<Self, Error> {
        let roots = roots(asked, hits, MOST)?;
        let mut stories = Self {
            more: roots.len().saturating_sub(MOST),
            ..Self::default()
        };
        for root in roots.iter().take(MOST) {
            let mut mail = fetch(asked, *root, false)?;
            (mail.asked, mail.asked_by_name) = asked_for(hits, &mail.messages, focus);
            mail.tells_all = focus.tells_all;
            stories.tells(mail);
        }
        stories.take_tries(asked, hits, focus)?;
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
                && let Some(later) = tries::later(asked, hits, row)?
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
    fn take_tries(&mut self, asked: &dyn Ask, hits: &Table, focus: &Focus) -> Result<(), Error> {
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
            let mut mail = fetch(asked, id, true)?;
            (mail.asked, mail.asked_by_name) = asked_for(hits, &mail.messages, focus);
            mail.tells_all = focus.tells_all;
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
}

/// Returns the recipients of the messages that the search found, and whether the query names them; where it may have found them by the
/// sender, only those that it names.
fn asked_for(hits: &Table, messages: &Table, focus: &Focus) -> (Table, bool) {
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
            name.is_some_and(|name| focus.addresses.contains(&name))
        })
    };
    let mut found: Vec<&Vec<Cell>> = hits.rows.iter().filter(is_found).collect();
    let is_by_name = focus.names_recipient || found.iter().any(is_named);
    if !focus.names_recipient && is_by_name {
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

/// Returns the first message of each chain, in the order of the hits; not those of messages that were not taken. A few more than `most`
/// are enough.
pub(super) fn roots(asked: &dyn Ask, hits: &Table, most: usize) -> Result<Vec<i64>, Error> {
    let (kind, id) = (column(hits, "kind"), column(hits, "from_id"));
    let mails = hits.rows.iter();
    let mails = mails.filter(|row| text(row, kind) == Some("mail") && !tries::is_try(hits, row));
    let mut known = BTreeSet::new();
    let ids: Vec<i64> = mails
        .filter_map(|row| int(row, id))
        .filter(|id| known.insert(*id))
        .collect();
    let mut seen = BTreeSet::new();
    let mut roots = Vec::new();
    for ids in ids.chunks(BATCH) {
        if roots.len() > most {
            // The answer has only their number.
            roots.extend(ids);
            continue;
        }
        let found = roots_of(asked, ids)?;
        let found = ids.iter().filter_map(|id| found.get(id));
        roots.extend(found.filter(|root| seen.insert(**root)));
    }
    Ok(roots)
}

/// Returns the root of each message; a notice belongs to the story of the message that it is about.
fn roots_of(asked: &dyn Ask, ids: &[i64]) -> Result<BTreeMap<i64, i64>, Error> {
    let links = |ids: &[i64]| -> Result<Vec<[Option<i64>; 3]>, Error> {
        let rows = asked.rows(LINKS, &among(ids))?.rows;
        let link = |row: &Vec<Cell>| [0, 1, 2].map(|at| int(row, Some(at)));
        Ok(rows.iter().map(link).collect())
    };
    let found = links(ids)?;
    let parents: BTreeSet<i64> = found.iter().filter_map(|[_, parent, _]| *parent).collect();
    let parents: Vec<i64> = parents.into_iter().collect();
    let parents = match parents.as_slice() {
        [] => Vec::new(),
        parents => links(parents)?,
    };
    let of_parents = parents
        .iter()
        .filter_map(|[id, _, root]| Some(((*id)?, (*root)?)));
    let of_parents: BTreeMap<i64, i64> = of_parents.collect();
    let root = |[id, parent, root]: &[Option<i64>; 3]| {
        let of_parent = parent.and_then(|parent| of_parents.get(&parent).copied());
        Some(((*id)?, of_parent.or(*root)?))
    };
    Ok(found.iter().filter_map(root).collect())
}

/// Returns the ids of the messages of each root and of the notices about them.
pub(super) fn chains(
    asked: &dyn Ask,
    roots: &[i64],
) -> Result<BTreeMap<i64, BTreeSet<i64>>, Error> {
    let pairs = |table: Table| -> Vec<(i64, i64)> {
        let pair = |row: &Vec<Cell>| Some((int(row, Some(0))?, int(row, Some(1))?));
        table.rows.iter().filter_map(pair).collect()
    };
    let mut chains: BTreeMap<i64, BTreeSet<i64>> = BTreeMap::new();
    let mut of: BTreeMap<i64, i64> = BTreeMap::new();
    for (id, root) in pairs(asked.rows(OF_ROOTS, &among(roots))?) {
        chains.entry(root).or_default().insert(id);
        of.insert(id, root);
    }
    let ids: Vec<i64> = of.keys().copied().collect();
    for (id, parent) in pairs(asked.rows(CHILDREN, &among(&ids))?) {
        if let Some(chain) = of.get(&parent).and_then(|root| chains.get_mut(root)) {
            chain.insert(id);
        }
    }
    Ok(chains)
}

/// Fetches a mail; `is_try`: a message that was not taken.
fn fetch(asked: &dyn Ask, root: i64, is_try: bool) -> Result<StoryInput, Error> {
    let chain = chains(asked, &[root])?.remove(&root).unwrap_or_default();
    let chain: Vec<i64> = chain.into_iter().collect();
    let chain = among(&chain);
    let messages = asked.rows(MESSAGES, &chain)?;
    let recipients = asked.rows(RECIPIENTS, &chain)?;
    let refusals = tries::before(asked, root, &messages, &recipients, is_try)?;
    let neighbours = neighbours(asked, &messages, &refusals)?;
    Ok(StoryInput {
        actions: actions(asked, &messages, &neighbours)?,
        neighbours,
        refusals,
        later: if is_try {
            tries::later_for_all(asked, &messages, &recipients)?
        } else {
            None
        },
        recipients,
        attempts: asked.rows(ATTEMPTS, &chain)?,
        messages,
        ..StoryInput::default()
    })
}

/// Fetches who acted upon the messages while they were queued, where somebody did.
fn actions(asked: &dyn Ask, messages: &Table, neighbours: &Table) -> Result<Table, Error> {
    /// A long run of postsuper is noted when it is done.
    const LATER: i64 = 10 * MINUTE;
    let (status, program) = (column(messages, "status"), column(neighbours, "program"));
    let is_done = |row: &Vec<Cell>| {
        matches!(
            text(row, status),
            Some(message_status::REQUEUED | message_status::DELETED)
        )
    };
    let is_noted = |row: &Vec<Cell>| text(row, program) == Some("postsuper");
    if !messages.rows.iter().any(is_done) && !neighbours.rows.iter().any(is_noted) {
        return Ok(Table::default());
    }
    let of = |name: &'static str| {
        let column = column(messages, name);
        messages
            .rows
            .iter()
            .filter_map(move |row| time(row, column))
    };
    let last = of("updated").chain(of("removed")).max();
    let Some((first, last)) = of("time").min().zip(last) else {
        return Ok(Table::default());
    };
    let queue_id = column(messages, "queue_id");
    let ids = messages.rows.iter().filter_map(|row| text(row, queue_id));
    let ids = Param::List(ids.map(|id| Param::Text(id.to_owned())).collect());
    asked.rows(
        ACTIONS,
        &[ids, Param::Time(first), Param::Time(last.plus(LATER))],
    )
}

/// Fetches what other daemons did with the messages of the mail, and with its earlier tries.
fn neighbours(asked: &dyn Ask, messages: &Table, refusals: &Table) -> Result<Table, Error> {
    let ids = column(messages, "id");
    let turned = column(refusals, "turned_id");
    let all = messages.rows.iter().map(|row| int(row, ids));
    let all = all.chain(refusals.rows.iter().map(|row| int(row, turned)));
    let all: BTreeSet<i64> = all.flatten().collect();
    let all: Vec<i64> = all.into_iter().collect();
    asked.rows(NEIGHBOURS, &among(&all))
}
