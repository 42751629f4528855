//! Where the mails come from: Postfix, a saved listing, a spool directory; and what a query needs to know of them beside the listing.

use super::super::Context as Run;
use super::history;
use super::options::Shared;
use super::saved::Saved;
use crate::model::time::Time;
use crate::notice;
use crate::queue::filter::{Filter, Present, Subject};
use crate::queue::postfix::Postfix;
use crate::queue::summary::Seen;
use crate::queue::{Item, Mail, Odd, Options, Reader};
use anyhow::{Context, Result, bail};
use std::io::BufReader;

/// Odd lines that are shown.
const MOST_ODD: usize = 3;

/// Bytes read at once.
const CHUNK: usize = 1 << 16;

/// What is known of a listing beside its mails.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// When it was read.
    pub(super) time: Time,
    /// Where it came from, for people.
    pub(super) from: String,
    /// Lines that were not understood, and some of them.
    pub(super) odd_lines: u64,
    odd: Vec<Odd>,
    /// Mails with an unreadable part.
    pub(super) odd_mails: u64,
    again: u64,
}

/// The mails that a query asks for.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) listing: Listing,
    pub(super) mails: Vec<Mail>,
    /// The log was looked at.
    pub(super) has_history: bool,
}

impl Shared {
    /// Returns Postfix's programs for the instance of the option, else of the settings.
    pub(super) fn postfix(&self, run: &Run) -> Postfix {
        let settings = &run.config.queue;
        let named = self.postfix_config.as_ref();
        Postfix {
            config: named.or(settings.config_directory.as_ref()).cloned(),
            commands: settings.command_directory.clone(),
            sudo: settings.sudo,
        }
    }

    /// Returns whether the queue files of this host can be read.
    pub(super) fn reads_files(&self, run: &Run) -> bool {
        self.is_live() && (run.config.queue.sudo || nix::unistd::geteuid().is_root())
    }

    /// Returns whether it is the queue of this host at this moment.
    pub(super) fn is_live(&self) -> bool {
        self.from_file.is_none()
    }
}

/// Reads the listing and hands on each mail, once.
pub(super) fn each(shared: &Shared, run: &Run, take: &mut dyn FnMut(Mail)) -> Result<Listing> {
    let mut listing = Listing {
        time: run.now,
        ..Listing::default()
    };
    let mut seen = Seen::default();
    let mut options = Options {
        now: run.now,
        zone: run.zone,
    };
    let mut item = |listing: &mut Listing, item: Item| match item {
        Item::Mail(mail) => {
            if seen.is_new(&mail) {
                listing.odd_mails += u64::from(mail.odd.is_some());
                take(mail);
            }
        }
        Item::Odd(odd) => {
            listing.odd_lines += 1;
            if listing.odd.len() < MOST_ODD {
                listing.odd.push(odd);
            }
        }
    };
    match shared.from_file.as_deref() {
        None => {
            "as Postfix lists it".clone_into(&mut listing.from);
            // A mail may arrive while the list is made.
            options.now = run.later().now;
            let listing = &mut listing;
            shared
                .postfix(run)
                .list(options, &mut |piece| item(listing, piece))?;
        }
        Some(path) if path.is_dir() => {
            listing.from = format!("from the spool {}", path.display());
            let listing = &mut listing;
            let mut mail = |mail| item(listing, Item::Mail(mail));
            shared.postfix(run).read_spool(path, &options, &mut mail)?;
        }
        Some(path) => {
            let saved = Saved::open(path)?;
            listing.from = format!("from {}", saved.name);
            // A listing cannot be younger than its file.
            let written = saved.written;
            options.now = written.map_or(options.now, |written| written.min(options.now));
            let mut reader = Reader::new(BufReader::with_capacity(CHUNK, saved.bytes), options);
            for piece in &mut reader {
                let told = || format!("cannot read {}", saved.name);
                item(&mut listing, piece.with_context(told)?);
            }
            if listing.odd_lines > 0 && !reader.is_listing() {
                listing.tell();
                bail!(
                    "{} is no queue listing: save one with postqueue -j or mailq",
                    saved.name
                );
            }
        }
    }
    listing.again = seen.again;
    Ok(listing)
}

impl Listing {
    /// Says what was odd.
    pub(super) fn tell(&self) {
        if self.odd_lines > 0 {
            notice::say(&format!(
                "{} of the listing not understood:",
                lines(self.odd_lines)
            ));
            for odd in &self.odd {
                notice::say(&format!(
                    "  line {}: {}: {}",
                    odd.line,
                    odd.why,
                    odd.text.trim()
                ));
            }
        }
        if self.odd_mails > 0 {
            notice::say(&format!(
                "{} with a part that cannot be read (column odd)",
                mails(self.odd_mails)
            ));
        }
        if self.again > 0 {
            notice::say(&format!("{} listed again, counted once", mails(self.again)));
        }
    }
}

fn lines(count: u64) -> String {
    match count {
        1 => "1 line".to_owned(),
        n => format!("{n} lines"),
    }
}

fn mails(count: u64) -> String {
    match count {
        1 => "1 mail".to_owned(),
        n => format!("{n} mails"),
    }
}

/// What a filter asks for that no listing tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    pub(super) headers: bool,
    pub(super) client: bool,
    pub(super) attempts: bool,
}

impl Needs {
    pub(super) fn of(filter: &Filter) -> Self {
        Self {
            headers: filter.asks(|s| matches!(s, Subject::Header(_) | Subject::Title)),
            client: filter.asks(|s| matches!(s, Subject::Client | Subject::User)),
            attempts: filter.asks(|s| matches!(s, Subject::Attempts)),
        }
    }

    /// Returns what a count of the mails by that field asks for.
    pub(super) fn of_rank(field: &str) -> Self {
        Self {
            headers: matches!(field, "subject" | "header" | "headers"),
            client: matches!(field, "client" | "user"),
            attempts: false,
        }
    }

    pub(super) fn any(self) -> bool {
        self.headers || self.client || self.attempts
    }
}

/// Reads the mails that fit the filter, with what the log knows of them where `joins`.
pub(super) fn load(
    filter: &Filter,
    joins: bool,
    shared: &Shared,
    run: &Run,
    present: &mut Present,
) -> Result<Loaded> {
    // What the listing can decide goes first: the rest costs a look at each mail.
    let all = match filter {
        Filter::And(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is_cheap = |filter: &&Filter| !Needs::of(filter).any();
    let (cheap, dear): (Vec<&Filter>, Vec<&Filter>) = all.iter().partition(is_cheap);
    let mut mails = Vec::new();
    let listing = each(shared, run, &mut |mail| {
        if cheap.iter().all(|filter| filter.fits(&mail, present)) {
            mails.push(mail);
        }
    })?;
    listing.tell();
    let needs = Needs::of(filter);
    let has_history = complete(&mut mails, needs, joins, shared, run)?;
    mails.retain(|mail| dear.iter().all(|filter| filter.fits(mail, present)));
    Ok(Loaded {
        listing,
        mails,
        has_history,
    })
}

/// Adds to the mails what the listing does not tell, as far as it is needed and can be had; returns whether the log was looked at.
pub(super) fn complete(
    mails: &mut [Mail],
    needs: Needs,
    joins: bool,
    shared: &Shared,
    run: &Run,
) -> Result<bool> {
    let has_files = mails.iter().any(|mail| mail.headers.is_some());
    let may_read = shared.reads_files(run);
    if (needs.headers || needs.client) && !has_files && may_read {
        read_files(mails, shared, run)?;
    }
    let is_in_files = has_files || may_read;
    let is_live = shared.is_live();
    // Behind a content filter the queue file names the filter, the log who handed the mail in.
    let asks_log = needs.client || (needs.headers && !is_in_files);
    let wants_log = (joins && is_live) || needs.attempts || asks_log;
    let has_history = wants_log && history::join(mails, shared, run)?;
    let is_known = |needed: bool| !needed || is_in_files || has_history || mails.is_empty();
    if !is_known(needs.client) || (needs.attempts && !has_history && !mails.is_empty()) {
        bail!(
            "client:, user: and attempts: are known from the log or the queue files only: name a database with --db, or run this as root"
        );
    }
    if !is_known(needs.headers) {
        bail!("headers are in the queue files only: run this as root on the mail server");
    }
    Ok(has_history)
}

/// Takes headers and client of each mail from its queue file.
pub(super) fn read_files(mails: &mut [Mail], shared: &Shared, run: &Run) -> Result<()> {
    let options = Options {
        now: run.now,
        zone: run.zone,
    };
    let mut places = hashbrown::HashMap::new();
    for (place, mail) in mails.iter().enumerate() {
        places.insert(mail.queue_id.to_string(), place);
    }
    let ids: Vec<String> = mails.iter().map(|mail| mail.queue_id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    shared
        .postfix(run)
        .read_files(&ids, &options, &mut |file| {
            let place = places.get(file.queue_id.as_str());
            if let Some(mail) = place.and_then(|place| mails.get_mut(*place)) {
                mail.headers = file.headers;
                mail.client = file.client;
            }
        })?;
    Ok(())
}
