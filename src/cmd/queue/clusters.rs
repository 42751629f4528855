//! `maillog queue clusters`: groups of mails that have much in common.

use super::super::{Context as Run, Exit};
use super::load;
use super::options::{Form, Shared};
use crate::model::table::{Cell, Table};
use crate::notice;
use crate::queue::Mail;
use crate::queue::cluster::{self, Clusters, Dimension};
use crate::queue::filter::Present;
use crate::render::{self, Format, queue};
use crate::signature;
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use hashbrown::HashMap;

/// Groups that are shown unless more are asked for.
const MOST: usize = 10;

/// Find groups of mails that have much in common.
#[derive(Debug, Args)]
pub(super) struct Cluster {
    /// What to look for; without it every mail
    #[arg(value_name = "TERM")]
    terms: Vec<String>,
    /// Only groups by this
    #[arg(long, value_enum, value_name = "WHAT")]
    by: Option<By>,
    /// Compare the bodies of the mails, too (root only)
    #[arg(long)]
    body: bool,
}

/// What mails can have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    User,
    Sender,
    Client,
    Subject,
    Body,
    Destination,
    Cause,
}

impl By {
    fn dimension(self) -> Dimension {
        match self {
            Self::User => Dimension::User,
            Self::Sender => Dimension::Sender,
            Self::Client => Dimension::Client,
            Self::Subject => Dimension::Subject,
            Self::Body => Dimension::Body,
            Self::Destination => Dimension::Destination,
            Self::Cause => Dimension::Cause,
        }
    }
}

impl Cluster {
    /// Runs the subcommand.
    pub(super) fn run(&self, shared: &Shared, run: &Run) -> Result<Exit> {
        let filter = shared.filter(&self.terms, run)?;
        let mut present = Present::new(run.now, run.zone);
        let mut loaded = load::load(&filter, true, shared, run, &mut present)?;
        let has_files = loaded.mails.iter().any(|mail| mail.headers.is_some());
        if shared.reads_files(run) && !has_files {
            load::read_files(&mut loaded.mails, shared, run)?;
        }
        let asks_body = self.body || matches!(self.by, Some(By::Body));
        let bodies = if asks_body {
            bodies(&loaded.mails, shared, run)?
        } else {
            HashMap::new()
        };
        let mut clusters = Clusters::default();
        for mail in &loaded.mails {
            let body = bodies.get(mail.queue_id.as_str()).map(String::as_str);
            clusters.add(mail, body, &mut present);
        }
        let groups = clusters.groups(self.by.map(By::dimension));
        let most = shared.limit.unwrap_or(MOST);
        let shown = groups.get(..most.min(groups.len())).unwrap_or_default();
        let form = shared.output.unwrap_or(Form::Table);
        let mut output = run.output(form == Form::Table);
        let style = output.style;
        let out = output.writer();
        match form {
            Form::Table => queue::clusters(shown, most, &style, out)?,
            Form::Json => render::table(&table(shown), Format::Json, &style, out)?,
            Form::Count => writeln!(out, "{}", groups.len())?,
            _ => bail!("clusters are shown as table, json or count only: use -o with one of these"),
        }
        output.finish()?;
        if groups.is_empty() {
            notice::say("no two mails have anything in common");
            return Ok(Exit::Nothing);
        }
        if groups.len() > shown.len() && form == Form::Table {
            let more = groups.len() - shown.len();
            notice::say(&format!(
                "{more} more groups: -n {} shows all",
                groups.len()
            ));
        }
        Ok(Exit::Found)
    }
}

/// Returns the digest of each mail's body, as pyzor calculates it; none of a body with too little text to tell it from others.
fn bodies(mails: &[Mail], shared: &Shared, run: &Run) -> Result<HashMap<String, String>> {
    if !shared.reads_files(run) {
        bail!("bodies stand in the queue files only: ask as root on the mail server");
    }
    let ids: Vec<&str> = mails.iter().map(|mail| mail.queue_id.as_str()).collect();
    let mut digests = HashMap::new();
    let mut too_large = 0_usize;
    shared
        .postfix(run)
        .read_messages(&ids, &mut |id, message| {
            let Some(message) = message else {
                too_large += 1;
                return;
            };
            let digest = signature::digest(message);
            if !digest.lines.is_empty() {
                digests.insert(id.to_owned(), digest.value);
            }
        })?;
    if too_large > 0 {
        notice::say(&format!(
            "bodies not compared because of their size: {too_large}"
        ));
    }
    Ok(digests)
}

fn table(groups: &[cluster::Cluster]) -> Table {
    let count = |count: usize| i64::try_from(count).map_or(Cell::Null, Cell::Int);
    let row = |group: &cluster::Cluster| {
        let shared = group.shared.iter().map(|(dimension, value, mails)| {
            Cell::Struct(vec![
                ("by".to_owned(), Cell::Text(dimension.name().to_owned())),
                ("value".to_owned(), Cell::Text(value.clone())),
                ("mails".to_owned(), count(*mails)),
            ])
        });
        let ids = group.queue_ids.iter().cloned().map(Cell::Text);
        let time = |time: Option<_>| time.map_or(Cell::Null, Cell::Time);
        vec![
            count(group.mails),
            count(group.recipients),
            i128::try_from(group.size).map_or(Cell::Null, Cell::Big),
            time(group.span.map(|span| span.0)),
            time(group.span.map(|span| span.1)),
            Cell::List(shared.collect()),
            Cell::List(ids.collect()),
        ]
    };
    let columns = [
        "mails",
        "recipients",
        "size",
        "first",
        "last",
        "shared",
        "queue_ids",
    ];
    Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows: groups.iter().map(row).collect(),
    }
}
