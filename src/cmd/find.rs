//! `maillog find`: finds out what happened to a mail.

use super::hits::How;
use super::ingest::Stamp;
use super::story::Written;
use super::{Context as Run, Exit, coverage, follow, hits, near, scratch, story};
use crate::answers::Answers;
use crate::ask::Ask;
use crate::ask::coverage::Coverage;
use crate::ask::near::NearMisses;
use crate::ask::story::{Focus, Stories};
use crate::model::table::{Cell, Table};
use crate::notice;
use crate::query::{self, Plan, fields::Field};
use crate::render::mask::Mask;
use crate::render::{self, Format, Stream, Style};
use anyhow::{Result, anyhow};
use clap::Args;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;

/// Find out what happened to a mail
///
/// All terms must match; combine them with OR, NOT, -term and parentheses. A word without a field is an address, a
/// domain, a queue id, a <message-id>, an IP address or network, a day, a status, or else text of the reply. A value may
/// be a list with commas (any of them), have * and ? as wildcards, be a /regex/, or be a range: >10M, low..high. See
/// maillog-query(7).
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", fields()))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option that is there or not"
)]
pub struct Find {
    /// What to search for; without it, everything in the time range
    #[arg(value_name = "TERM", required_unless_present_any = ["since", "until", "all", "limit", "follow", "file"])]
    pub terms: Vec<String>,
    /// Start of the time range: yesterday, -2h, 2026-11-20
    ///
    /// Also "2026-11-20 10:00", 10:30, 8am, monday, "Nov 24", "last week", "2 hours ago" [default: 7 days ago]
    #[arg(short = 'S', long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// End of the time range
    #[arg(short = 'U', long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Search everything that is stored, not only 7 days
    #[arg(long)]
    pub all: bool,
    /// Show at most this many hits, the newest
    #[arg(short = 'n', long, value_name = "COUNT")]
    pub limit: Option<u64>,
    /// Show the newest first
    #[arg(short, long, conflicts_with_all = ["follow", "until_final", "count_by"])]
    pub reverse: bool,
    /// Output format
    ///
    /// [default: story of one mail or table on a terminal, short in a pipe]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// Count the hits by a field: cause, to, client, date
    ///
    /// With -n: this many values, the most frequent ones.
    #[arg(long, value_name = "FIELD")]
    pub count_by: Option<String>,
    /// Show only these columns: time,sender,recipient,status
    ///
    /// In this order. Names of query fields work, too.
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        hide_short_help = true
    )]
    pub fields: Vec<String>,
    /// Hide every address except those searched for
    #[arg(long, hide_short_help = true)]
    pub mask: bool,
    /// Keep running and show new mail as it is stored
    ///
    /// Prints new hits and changes of state.
    #[arg(short, long)]
    pub follow: bool,
    /// Follow until every hit has an outcome; exit status 0 if all were delivered, else 1
    #[arg(long, hide_short_help = true)]
    pub until_final: bool,
    /// Stop following after this time: 30s, 10min
    #[arg(long, value_name = "LENGTH", hide_short_help = true)]
    pub timeout: Option<follow::Length>,
    /// Also show the steps inside our own systems (filter, relay, forward, requeue)
    #[arg(long, hide_short_help = true)]
    pub all_hops: bool,
    /// Show each recipient of a mail to many, not only those searched for
    ///
    /// For a story or ticket, which otherwise count the others by outcome.
    #[arg(long, hide_short_help = true)]
    pub all_recipients: bool,
    /// Search this log file without importing it; may be repeated
    #[arg(long, value_name = "FILE", hide_short_help = true, conflicts_with_all = ["follow", "until_final"])]
    pub file: Vec<OsString>,
    /// Print the SQL and its parameters instead of running it
    #[arg(long, hide_short_help = true)]
    pub explain: bool,
}

const EXAMPLES: &str = "Examples:
  maillog find alice@example.org
  maillog find to:@example.net status:bounced,deferred since:yesterday
  maillog find from:shop@example.com -status:sent --all -o json";

/// Returns the fields with their meaning, as help shows them.
fn fields() -> String {
    let line = |field: &Field| format!("\n  {:<12}{}", field.name, field.help);
    let lines: String = query::fields::FIELDS.iter().map(line).collect();
    format!("Fields:{lines}")
}

/// More hits than these are no single mail, so their chains are not looked at to find out.
const MOST_OF_ONE: usize = 50;

impl Find {
    /// Runs the command.
    ///
    /// # Errors
    /// When the query is wrong (drawn with a caret) or the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let options = self.options(run);
        let mut plan = query::compile(&self.terms, &options)?;
        if let Some(field) = &self.count_by {
            plan = query::count_by(plan, field, self.limit)?;
        }
        if self.explain {
            return explain(&plan, run);
        }
        for reading in &plan.reading {
            notice::say(reading);
        }
        if self.follow || self.until_final {
            return follow::follow(&self, &plan, self.mask(&plan), run);
        }
        let store = self.store(run)?;
        if let Some(scope) = store.scope() {
            notice::say(&format!("searching only mail of {scope}"));
        }
        if let Some(exit) = self.answer(&store, &plan, run)? {
            return Ok(exit);
        }
        if let Some(exit) = self.read_otherwise(&store, &plan, &options, run)? {
            return Ok(exit);
        }
        let read = Coverage::of(&store, plan.window)?;
        for line in coverage::nothing_found(&read, plan.window, store.scope(), run) {
            notice::say(&line);
        }
        let misses = NearMisses::of(&store, &plan)?;
        for line in near::lines(&misses, &self, run.zone) {
            notice::say(&line);
        }
        self.nothing(run)?;
        Ok(Exit::Nothing)
    }

    fn mask(&self, plan: &Plan) -> Option<Mask> {
        let asked = plan.asked.iter().map(|(_, address)| address.as_str());
        self.mask.then(|| Mask::new(&asked.collect::<Vec<_>>()))
    }

    /// Asks, and writes what is found; none where nothing is.
    fn answer(&self, store: &Answers, plan: &Plan, run: &Run) -> Result<Option<Exit>> {
        let found = |is_found: bool| is_found.then_some(Exit::Found);
        if self.count_by.is_some() {
            return self.tell(store, plan, run);
        }
        match self.output {
            Some(Format::Count) => count(store, plan, run).map(found),
            Some(Format::Raw) if !self.mask => self.raw(store, plan, run),
            _ => match self.stream() {
                Some(stream) => self.flow(store, plan, stream, run).map(found),
                None => self.tell(store, plan, run),
            },
        }
    }

    /// Writes the log lines of hits as these come.
    fn raw(&self, store: &Answers, plan: &Plan, run: &Run) -> Result<Option<Exit>> {
        let mut output = run.output(false);
        let (mut told, mut all) = (BTreeSet::new(), Written::default());
        let how = How {
            newest_first: self.reverse,
            with_store: false,
            asks: true,
        };
        let count = hits::pages(store, plan, how, |page| {
            let written = story::write_lines(store, &page, &mut told, None, output.writer())?;
            all.lines += written.lines;
            all.missing += written.missing;
            output.writer().flush()?;
            Ok(ControlFlow::Continue(()))
        })?;
        output.finish()?;
        Ok((count > 0).then(|| said_of(all)))
    }

    /// Returns what writes hits as they come, where nothing needs all of them at once.
    fn stream(&self) -> Option<Stream> {
        // What is hidden is looked for in the texts of all hits.
        if self.mask {
            return None;
        }
        let is_terminal = std::io::stdout().is_terminal();
        let format = match self.output {
            Some(format) => format,
            None if is_terminal => return None,
            None if self.fields.is_empty() => Format::Short,
            None => Format::Tsv,
        };
        Stream::of(format, self.fields.is_empty())
    }

    /// Writes hits as they come; returns whether there are any.
    fn flow(&self, store: &Answers, plan: &Plan, mut stream: Stream, run: &Run) -> Result<bool> {
        let mut output = None;
        let count = hits::pages(store, plan, self.how(), |page| {
            let output = output.get_or_insert_with(|| run.output(false));
            let style = output.style;
            stream.write(&self.chosen(page)?, &style, output.writer())?;
            output.writer().flush()?;
            Ok(ControlFlow::Continue(()))
        })?;
        if let Some(output) = output {
            output.finish()?;
        }
        Ok(count > 0)
    }

    /// Writes the formats that need all hits at once; returns none without hits.
    fn tell(&self, store: &Answers, plan: &Plan, run: &Run) -> Result<Option<Exit>> {
        let mut hits = if self.count_by.is_some() {
            store.find_all(plan)?
        } else {
            hits::all(store, plan, self.how())?
        };
        if hits.rows.is_empty() {
            return Ok(None);
        }
        let mut mask = self.mask(plan);
        let (format, stories) = self.format(store, &hits, plan)?;
        if format == Format::Raw {
            if let Some(mask) = &mut mask {
                mask.learn(&hits);
            }
            let mut output = run.output(false);
            let mut told = BTreeSet::new();
            let written =
                story::write_lines(store, &hits, &mut told, mask.as_mut(), output.writer())?;
            output.finish()?;
            return Ok(Some(said_of(written)));
        }
        let mut output = run.output(matches!(format, Format::Table | Format::Story));
        let style = output.style;
        if let Some(mut stories) = stories {
            if let Some(mask) = &mut mask {
                story::mask(&mut stories, mask);
                mask.apply(&mut hits);
            }
            story::write(&stories, &hits, format, &style, output.writer())?;
        } else {
            if let Some(mask) = &mut mask {
                mask.apply(&mut hits);
            }
            self.write(hits, format, &style, output.writer())?;
        }
        output.finish()?;
        Ok(Some(Exit::Found))
    }

    /// Asks with the other readings of bare words; returns the exit status where something was found.
    fn read_otherwise(
        &self,
        store: &Answers,
        plan: &Plan,
        options: &query::Options,
        run: &Run,
    ) -> Result<Option<Exit>> {
        for other in plan.others.iter().filter(|other| other.is_tried) {
            let Ok(mut plan) = query::compile_text(&other.text, options) else {
                continue;
            };
            if let Some(field) = &self.count_by {
                plan = query::count_by(plan, field, self.limit)?;
            }
            notice::say(&format!(
                "nothing found; {} read as {} ({}:)",
                other.word, other.what, other.field
            ));
            if let Some(exit) = self.answer(store, &plan, run)? {
                return Ok(Some(exit));
            }
        }
        Ok(None)
    }

    fn how(&self) -> How {
        How {
            newest_first: self.reverse,
            with_store: self.shows_store(),
            asks: false,
        }
    }

    /// Returns whether the answer has the column `store`.
    fn shows_store(&self) -> bool {
        self.count_by.is_none()
            && (self.fields.iter().any(|name| name == "store")
                || self.fields.is_empty()
                    && matches!(self.output, Some(Format::Json | Format::Csv | Format::Tsv)))
    }

    /// Opens what is asked: what is stored, or the files.
    fn store(&self, run: &Run) -> Result<Answers> {
        if self.file.is_empty() {
            return run.reader();
        }
        let stamps = Stamp::default().options(run)?;
        Ok(scratch::read(run, &self.file, stamps)?.0)
    }

    /// Returns the format, and the stories where it tells them: also unasked, when one mail was found on a terminal.
    fn format(
        &self,
        store: &Answers,
        hits: &Table,
        plan: &Plan,
    ) -> Result<(Format, Option<Stories>)> {
        let stories = || {
            let asked = plan.asked.iter().map(|(_, address)| address.clone());
            let focus = Focus {
                addresses: asked.collect(),
                names_recipient: plan.names_recipient,
                tells_all: self.all_recipients,
            };
            Stories::of(store, hits, &focus)
        };
        if self.count_by.is_some() {
            let is_terminal = std::io::stdout().is_terminal();
            let default = if is_terminal {
                Format::Table
            } else {
                Format::Tsv
            };
            return Ok((self.output.unwrap_or(default), None));
        }
        if let Some(format) = self.output {
            let tells = matches!(format, Format::Story | Format::Ticket);
            return Ok((format, tells.then(stories).transpose()?));
        }
        let is_terminal = std::io::stdout().is_terminal();
        if !self.fields.is_empty() {
            return Ok((
                if is_terminal {
                    Format::Table
                } else {
                    Format::Tsv
                },
                None,
            ));
        }
        if !is_terminal {
            return Ok((Format::Short, None));
        }
        if hits.rows.len() <= MOST_OF_ONE {
            let stories = stories()?;
            if stories.is_one() {
                return Ok((Format::Story, Some(stories)));
            }
        }
        Ok((Format::Table, None))
    }

    fn write(&self, hits: Table, format: Format, style: &Style, out: &mut dyn Write) -> Result<()> {
        if self.count_by.is_some() {
            render::table(&hits, format, style, out)?;
        } else if self.fields.is_empty() {
            render::hits(&hits, format, style, out)?;
        } else {
            render::table(&self.chosen(hits)?, format, style, out)?;
        }
        Ok(())
    }

    /// Writes what a program expects of nothing: headers, or a count.
    fn nothing(&self, run: &Run) -> Result<()> {
        let format = self.output.unwrap_or(Format::Short);
        if matches!(
            format,
            Format::Json | Format::Csv | Format::Tsv | Format::Count
        ) {
            let columns = match &self.count_by {
                Some(field) => query::counted(field)?,
                None => crate::model::hits::names()
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
            };
            let none = Table {
                columns,
                rows: Vec::new(),
            };
            let mut output = run.output(false);
            let style = output.style;
            self.write(none, format, &style, output.writer())?;
            output.finish()?;
        }
        Ok(())
    }

    /// Returns the table with the columns of `--fields` alone.
    pub(super) fn chosen(&self, hits: Table) -> Result<Table> {
        if self.fields.is_empty() {
            return Ok(hits);
        }
        let places: Vec<usize> = self
            .fields
            .iter()
            .map(|name| query::column(name, &hits.columns))
            .collect::<Result<_, _>>()
            .map_err(|error| anyhow!(error))?;
        let pick = |row: Vec<Cell>| {
            let cell = |place: &usize| row.get(*place).cloned().unwrap_or(Cell::Null);
            places.iter().map(cell).collect()
        };
        Ok(Table {
            columns: places
                .iter()
                .filter_map(|place| hits.columns.get(*place).cloned())
                .collect(),
            rows: hits.rows.into_iter().map(pick).collect(),
        })
    }

    fn options(&self, run: &Run) -> query::Options {
        query::Options {
            now: run.now,
            zone: run.zone,
            since: self.since.clone(),
            until: self.until.clone(),
            // A file is looked at as a whole.
            all: self.all || !self.file.is_empty(),
            limit: self
                .limit
                .filter(|_| !self.follow && !self.until_final && self.count_by.is_none()),
            all_hops: self.all_hops,
        }
    }
}

/// Writes the number of hits; returns whether there are any.
fn count(store: &Answers, plan: &Plan, run: &Run) -> Result<bool> {
    let count = hits::count(store, plan)?;
    if count > 0 {
        let mut output = run.output(false);
        writeln!(output.writer(), "{count}")?;
        output.finish()?;
    }
    Ok(count > 0)
}

fn explain(plan: &Plan, run: &Run) -> Result<Exit> {
    let mut output = run.output(false);
    let out = output.writer();
    writeln!(out, "{}", plan.sql)?;
    for (i, param) in plan.params.iter().enumerate() {
        writeln!(
            out,
            "-- ${} = {}",
            i + 1,
            render::escape::terminal(&param.to_string())
        )?;
    }
    output.finish()?;
    Ok(Exit::Found)
}

/// Says of how many mails the log is not kept; without any line there is nothing to print.
fn said_of(written: Written) -> Exit {
    if written.lines == 0 {
        notice::say(
            "nothing to print: the log lines of this mail are not stored, or not any more; see retain.lines in maillog.toml(5)",
        );
        return Exit::Nothing;
    }
    let missing = written.missing;
    if missing > 0 {
        notice::say(&format!(
            "the log lines of {missing} of the mails are not stored, or not any more; see retain.lines in maillog.toml(5)"
        ));
    }
    Exit::Found
}
