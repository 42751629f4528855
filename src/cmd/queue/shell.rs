//! `maillog queue shell`: pymailq's commands over our engine: load, select, show, act; the filters are remembered and replayed.

use super::super::{Context as Run, Exit};
use super::act::{self, Consent};
use super::load::{self, Listing, Needs};
use super::options::{Shared, query_options};
use super::words::{COMMANDS, MODIFIERS, Words, help};
use crate::model::time::SECOND;
use crate::notice;
use crate::queue::action::Verb;
use crate::queue::filter::{self, Filter, Present};
use crate::queue::{Mail, select, sheet};
use crate::render::{self, queue};
use anyhow::{Context, Result, anyhow, bail};
use rustyline::error::ReadlineError;
use rustyline::history::MemHistory;
use rustyline::{Config, Editor};
use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

/// Runs the subcommand.
pub(super) fn run(shared: &Shared, run: &Run) -> Result<Exit> {
    let mut shell = Shell {
        shared: shared.clone(),
        run,
        present: Present::new(run.now, run.zone),
        store: None,
        selected: Vec::new(),
        filters: Vec::new(),
    };
    if std::io::stdin().is_terminal() {
        shell.talk()?;
        return Ok(Exit::Found);
    }
    // A script: it ends with the first thing that fails.
    for line in std::io::stdin().lock().lines() {
        let line = line.context("cannot read standard input")?;
        if !shell.take(&line)? {
            break;
        }
    }
    Ok(Exit::Found)
}

struct Shell<'a> {
    shared: Shared,
    run: &'a Run,
    present: Present,
    store: Option<(Listing, Vec<Mail>)>,
    /// Places in the store.
    selected: Vec<usize>,
    /// As typed, and what it means.
    filters: Vec<(String, Filter)>,
}

impl Shell<'_> {
    /// Reads and answers until the user leaves.
    fn talk(&mut self) -> Result<()> {
        let config = Config::builder().auto_add_history(true).build();
        let mut editor: Editor<Words, MemHistory> =
            Editor::with_history(config, MemHistory::new()).context("cannot use the terminal")?;
        editor.set_helper(Some(Words));
        notice::block("maillog queue: help lists the commands, Ctrl-D leaves");
        loop {
            match editor.readline(&self.prompt()) {
                Ok(line) => match self.take(&line) {
                    Ok(true) => {}
                    Ok(false) => return Ok(()),
                    Err(error) => super::super::failure::tell(&error),
                },
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => return Ok(()),
                Err(error) => return Err(error).context("cannot read from the terminal"),
            }
        }
    }

    fn prompt(&self) -> String {
        match &self.store {
            None => "queue> ".to_owned(),
            Some(_) => format!("queue (sel:{})> ", self.selected.len()),
        }
    }

    /// Does what a line says; returns whether to go on.
    fn take(&mut self, line: &str) -> Result<bool> {
        let words = shlex::split(line).ok_or_else(|| anyhow!("a quote is not closed"))?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            [] => {}
            ["exit" | "quit" | "EOF"] => return Ok(false),
            ["help", rest @ ..] => self.say(&help(rest))?,
            ["store", "load"] => self.load(None)?,
            ["store", "load", file] => self.load(Some(PathBuf::from(file)))?,
            ["store", "status"] => self.status()?,
            ["select", rest @ ..] => self.select(rest)?,
            ["show", "selected", modifiers @ ..] => self.show(modifiers)?,
            ["show", "filters"] => self.show_filters()?,
            ["inspect", "mails", ids @ ..] if !ids.is_empty() => self.inspect(ids)?,
            ["super", verb, rest @ ..] => self.act(verb, rest)?,
            [command, ..] if COMMANDS.iter().any(|(name, _)| name == command) => {
                self.say(&help(&[command]))?;
            }
            [word, ..] => bail!("{word}: no command; help lists them"),
        }
        Ok(true)
    }

    fn say(&self, text: &str) -> Result<()> {
        let mut output = self.run.output(false);
        writeln!(output.writer(), "{text}")?;
        output.finish()
    }

    fn load(&mut self, file: Option<PathBuf>) -> Result<()> {
        if file.is_some() {
            self.shared.from_file = file;
        }
        let run = self.run.later();
        self.present.now = run.now;
        let mut mails = Vec::new();
        let listing = load::each(&self.shared, &run, &mut |mail| mails.push(mail))?;
        listing.tell();
        let count = mails.len();
        self.store = Some((listing, mails));
        self.replay()?;
        self.say(&format!("{count} mails loaded from queue"))
    }

    /// Loads the queue where nobody did yet.
    fn need_store(&mut self) -> Result<()> {
        match self.store {
            Some(_) => Ok(()),
            None => self.load(None),
        }
    }

    fn status(&self) -> Result<()> {
        let Some((listing, mails)) = &self.store else {
            return self.say("store is not loaded");
        };
        let time = listing.time;
        self.say(&format!(
            "store loaded with {} mails at {}, {}",
            mails.len(),
            self.run.zone.show(time.plus(-time.0.rem_euclid(SECOND))),
            render::escape::terminal(&listing.from)
        ))
    }

    fn mails(&self) -> impl Iterator<Item = &Mail> {
        let mails = self.store.as_ref().map(|(_, mails)| mails.as_slice());
        let mails = mails.unwrap_or_default();
        self.selected.iter().filter_map(|place| mails.get(*place))
    }

    fn select(&mut self, words: &[&str]) -> Result<()> {
        self.need_store()?;
        match words {
            ["reset"] => {
                self.filters.clear();
                self.replay()?;
                return self.say(&format!("selection reset to {} mails", self.selected.len()));
            }
            ["replay"] => {
                self.replay()?;
                return self.say(&format!("filters replayed: {} mails", self.selected.len()));
            }
            ["rmfilter", number] => {
                let place = number.parse().ok().filter(|n| *n < self.filters.len());
                let place: usize =
                    place.ok_or_else(|| anyhow!("{number}: no filter; show filters lists them"))?;
                self.filters.remove(place);
                self.replay()?;
            }
            _ => {
                let filter = self.filter(words)?;
                self.narrow(&filter)?;
                self.filters.push((words.join(" "), filter));
            }
        }
        self.say(&format!("{} mails selected", self.selected.len()))
    }

    /// Returns the filter that the words of `select` name.
    fn filter(&self, words: &[&str]) -> Result<Filter> {
        let is_exact = |words: &[&str]| match words {
            [] => Ok(false),
            ["exact"] => Ok(true),
            [other, ..] => Err(anyhow!(
                "{other}: only exact may follow; put a text with blanks in quotes"
            )),
        };
        let told = |error: String| anyhow!(error);
        Ok(match words {
            ["query", terms @ ..] if !terms.is_empty() => {
                let reading = filter::read(terms, &query_options(self.run))?;
                for note in &reading.notes {
                    notice::say(note);
                }
                reading.filter
            }
            ["status", status] => select::status(status).map_err(told)?,
            ["sender", text, rest @ ..] => select::sender(text, is_exact(rest)?),
            ["recipient", text, rest @ ..] => select::recipient(text, is_exact(rest)?),
            ["error", text, rest @ ..] => select::error(text, is_exact(rest)?),
            ["size", sizes @ ..] if !sizes.is_empty() => select::size(sizes).map_err(told)?,
            ["date", date] => select::date(date, self.present.now, self.run.zone).map_err(told)?,
            ["header", name, text, rest @ ..] => {
                select::header(&format!("{name}:{text}"), is_exact(rest)?).map_err(told)?
            }
            ["qids", ids @ ..] if !ids.is_empty() => {
                let ids = ids.iter().flat_map(|ids| ids.split(','));
                Filter::Or(ids.map(select::qid).collect())
            }
            _ => bail!("{}", help(&["select"])),
        })
    }

    /// Applies all filters to all mails.
    fn replay(&mut self) -> Result<()> {
        let count = self.store.as_ref().map_or(0, |(_, mails)| mails.len());
        self.selected = (0..count).collect();
        for (_, filter) in self.filters.clone() {
            self.narrow(&filter)?;
        }
        Ok(())
    }

    fn narrow(&mut self, filter: &Filter) -> Result<()> {
        let needs = Needs::of(filter);
        if needs.any() {
            let mut known: Vec<Mail> = self.mails().cloned().collect();
            load::complete(&mut known, needs, false, &self.shared, self.run)?;
            if let Some((_, mails)) = &mut self.store {
                for (place, mail) in self.selected.iter().zip(known) {
                    if let Some(old) = mails.get_mut(*place) {
                        *old = mail;
                    }
                }
            }
        }
        let mails = self.store.as_ref().map(|(_, mails)| mails.as_slice());
        let mails = mails.unwrap_or_default();
        let present = &mut self.present;
        self.selected.retain(|place| {
            mails
                .get(*place)
                .is_some_and(|mail| filter.fits(mail, present))
        });
        Ok(())
    }

    fn show(&mut self, modifiers: &[&str]) -> Result<()> {
        self.need_store()?;
        let view = View::of(modifiers)?;
        let mut mails: Vec<Mail> = self.mails().cloned().collect();
        if let Some(field) = view.rank {
            let needs = Needs::of_rank(field);
            if needs.any() {
                load::complete(&mut mails, needs, false, &self.shared, self.run)?;
            }
            return self.ranked(&mails, field, view.limit);
        }
        if !sheet::sort(&mut mails, view.order, &mut self.present) {
            bail!(
                "cannot sort by {}: use one of {}",
                view.order,
                sheet::ORDERS.join(", ")
            );
        }
        if view.is_turned {
            mails.reverse();
        }
        let shown = mails.get(..view.limit.unwrap_or(mails.len()).min(mails.len()));
        let shown = shown.unwrap_or_default();
        let mut output = self.run.output(true);
        let style = output.style;
        let out = output.writer();
        if shown.len() < mails.len() {
            let more = mails.len() - shown.len();
            writeln!(out, "Preview of first {} ({more} more)", shown.len())?;
        }
        if view.is_long {
            for mail in shown {
                queue::state(mail, &mut self.present, &style, out)?;
                writeln!(out)?;
            }
        } else {
            queue::list(shown, &mut self.present, &style, out)?;
        }
        output.finish()
    }

    fn ranked(&mut self, mails: &[Mail], field: &str, limit: Option<usize>) -> Result<()> {
        let Some(mut table) = sheet::rank(mails, field, &mut self.present) else {
            bail!(
                "cannot rank by {field}: use one of {}",
                sheet::RANKS.join(", ")
            );
        };
        table.rows.truncate(limit.unwrap_or(usize::MAX));
        let mut output = self.run.output(true);
        let style = output.style;
        render::table(&table, render::Format::Table, &style, output.writer())?;
        output.finish()
    }

    fn show_filters(&self) -> Result<()> {
        if self.filters.is_empty() {
            return self.say("no filters on the selection");
        }
        let lines = self.filters.iter().enumerate();
        let lines =
            lines.map(|(i, (text, _))| format!("{i}: select {}", render::escape::terminal(text)));
        self.say(&lines.collect::<Vec<_>>().join("\n"))
    }

    fn inspect(&mut self, ids: &[&str]) -> Result<()> {
        self.need_store()?;
        let ids: Vec<&str> = ids.iter().flat_map(|ids| ids.split(',')).collect();
        let all = self.store.as_ref().map(|(_, mails)| mails.as_slice());
        let wanted = |mail: &&Mail| ids.contains(&mail.queue_id.as_str());
        let mut mails: Vec<Mail> = all
            .unwrap_or_default()
            .iter()
            .filter(wanted)
            .cloned()
            .collect();
        if mails.is_empty() {
            bail!("{}: not in the store", ids.join(", "));
        }
        if self.shared.reads_files(self.run) {
            load::read_files(&mut mails, &self.shared, self.run)?;
        }
        let mut output = self.run.output(true);
        let style = output.style;
        let out = output.writer();
        for mail in &mails {
            queue::state(mail, &mut self.present, &style, out)?;
            writeln!(out)?;
            if mail.headers.is_none() {
                writeln!(out, "  headers: only root may read the queue file")?;
            }
            queue::headers(mail, &style, out)?;
        }
        output.finish()
    }

    fn act(&mut self, word: &str, rest: &[&str]) -> Result<()> {
        let verb = Verb::ALL.into_iter().find(|verb| verb.name() == word);
        let verb = verb.ok_or_else(|| anyhow!("{}", help(&["super"])))?;
        let consent = match rest {
            [] => Consent::Ask,
            ["yes"] => Consent::Given,
            _ => bail!("{}", help(&["super"])),
        };
        if !self.shared.is_live() {
            bail!("a saved listing cannot be changed");
        }
        act::is_allowed(self.run)?;
        if self.store.is_none() || self.selected.is_empty() {
            bail!("no mail selected");
        }
        let mails: Vec<Mail> = self.mails().cloned().collect();
        let query: Vec<&str> = self.filters.iter().map(|(text, _)| text.as_str()).collect();
        let run = self.run.later();
        act::perform(verb, mails, consent, &query.join(" "), &self.shared, &run)?;
        self.load(None)
    }
}

/// How the selection is shown.
struct View<'w> {
    limit: Option<usize>,
    order: &'w str,
    is_turned: bool,
    rank: Option<&'w str>,
    is_long: bool,
}

impl<'w> View<'w> {
    /// Reads the words behind `show selected`.
    fn of(words: &[&'w str]) -> Result<Self> {
        let mut view = View {
            limit: None,
            order: "date",
            is_turned: true,
            rank: None,
            is_long: false,
        };
        let mut rest = words;
        loop {
            rest = match rest {
                [] => return Ok(view),
                ["limit", number, rest @ ..] => {
                    let number = number.parse::<usize>();
                    view.limit = Some(number.map_err(|_| anyhow!("limit takes a number"))?);
                    rest
                }
                ["sortby", field, "asc", rest @ ..] => {
                    (view.order, view.is_turned) = (field, false);
                    rest
                }
                ["sortby", field, "desc", rest @ ..] | ["sortby", field, rest @ ..] => {
                    (view.order, view.is_turned) = (field, true);
                    rest
                }
                ["rankby", field, rest @ ..] => {
                    view.rank = Some(field);
                    rest
                }
                [word @ ("brief" | "long"), rest @ ..] => {
                    view.is_long = *word == "long";
                    rest
                }
                [word, ..] => bail!("{word}: show selected takes {}", MODIFIERS.join(", ")),
            };
        }
    }
}
