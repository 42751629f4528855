//! `maillog find`: finds out what happened to a mail.

use super::stamp::Stamp;
use super::story::Written;
use super::{Context as Run, Exit, coverage, follow, near_misses, scratch, story};
use crate::answers::Answers;
use crate::ask::find::{FindRequest, Search};
use crate::ask::story::Stories;
use crate::model::table::Table;
use crate::notice;
use crate::query::{self, Plan, field::Field};
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
    #[arg(long, value_name = "FIELD", conflicts_with_all = ["follow", "until_final"])]
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
        let request = self.request(run);
        let plan = request.plan()?;
        if self.explain {
            return explain(&plan, run);
        }
        for reading in &plan.reading {
            notice::say(reading);
        }
        if self.follow || self.until_final {
            let options = follow::Options {
                first: self.limit,
                output: self.output,
                until_final: self.until_final,
                timeout: self.timeout,
                mask: self.mask(&plan),
            };
            return follow::follow(&request, &plan, options, run);
        }
        let store = self.store(run)?;
        let search = Search {
            asked: &store,
            request: &request,
            plan: &plan,
        };
        if let Some(scope) = store.scope() {
            notice::say(&format!("searching only mail of {scope}"));
        }
        if let Some(exit) = self.answer(search, run)? {
            return Ok(exit);
        }
        if let Some(exit) = self.read_otherwise(search, run)? {
            return Ok(exit);
        }
        self.say_why(search, store.scope(), run)?;
        self.nothing(&request, run)?;
        Ok(Exit::Nothing)
    }

    /// Says what was read, and what might have been meant.
    fn say_why(&self, search: Search<'_>, scope: Option<&str>, run: &Run) -> Result<()> {
        let read = search.coverage()?;
        for line in coverage::nothing_found(&read, search.plan.window, scope, run) {
            notice::say(&line);
        }
        let typed = near_misses::Typed {
            since: self.since.as_ref(),
            until: self.until.as_ref(),
            all: self.all,
            files: &self.file,
        };
        for line in near_misses::lines(&search.near_misses()?, typed, run.zone) {
            notice::say(&line);
        }
        Ok(())
    }

    fn mask(&self, plan: &Plan) -> Option<Mask> {
        let asked = plan.asked.iter().map(|(_, address)| address.as_str());
        self.mask.then(|| Mask::new(&asked.collect::<Vec<_>>()))
    }

    /// Asks, and writes what is found; none where nothing is.
    fn answer(&self, search: Search<'_>, run: &Run) -> Result<Option<Exit>> {
        let found = |is_found: bool| is_found.then_some(Exit::Found);
        if self.count_by.is_some() {
            return self.tell(search, run);
        }
        match self.output {
            Some(Format::Count) => count(search, run).map(found),
            Some(Format::Raw) if !self.mask => raw(search, run),
            _ => match self.stream() {
                Some(stream) => flow(search, stream, run).map(found),
                None => self.tell(search, run),
            },
        }
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

    /// Writes the formats that need all hits at once; returns none without hits.
    fn tell(&self, search: Search<'_>, run: &Run) -> Result<Option<Exit>> {
        let mut hits = if self.count_by.is_some() {
            search.counts()?
        } else {
            search.all()?
        };
        if hits.rows.is_empty() {
            return Ok(None);
        }
        let mut mask = self.mask(search.plan);
        let (format, stories) = self.format(search, &hits)?;
        if format == Format::Raw {
            if let Some(mask) = &mut mask {
                mask.learn(&hits);
            }
            let mut output = run.output(false);
            let mut told = BTreeSet::new();
            let written = story::write_lines(
                search.asked,
                &hits,
                &mut told,
                mask.as_mut(),
                output.writer(),
            )?;
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
            self.write(search.request, hits, format, &style, output.writer())?;
        }
        output.finish()?;
        Ok(Some(Exit::Found))
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

    /// Asks with the other readings of bare words; returns the exit status where something was found.
    fn read_otherwise(&self, search: Search<'_>, run: &Run) -> Result<Option<Exit>> {
        for (other, plan) in search.request.others(search.plan) {
            let plan = plan?;
            notice::say(&format!(
                "nothing found; {} read as {} ({}:)",
                other.word, other.what, other.field
            ));
            let search = Search {
                plan: &plan,
                ..search
            };
            if let Some(exit) = self.answer(search, run)? {
                return Ok(Some(exit));
            }
        }
        Ok(None)
    }

    /// Returns the format, and the stories where it tells them: also unasked, when one mail was found on a terminal.
    fn format(&self, search: Search<'_>, hits: &Table) -> Result<(Format, Option<Stories>)> {
        let is_terminal = std::io::stdout().is_terminal();
        let table = if is_terminal {
            Format::Table
        } else {
            Format::Tsv
        };
        if self.count_by.is_some() {
            return Ok((self.output.unwrap_or(table), None));
        }
        if let Some(format) = self.output {
            let tells = matches!(format, Format::Story | Format::Ticket);
            let stories = tells.then(|| search.stories(hits)).transpose()?;
            return Ok((format, stories));
        }
        if !self.fields.is_empty() {
            return Ok((table, None));
        }
        if !is_terminal {
            return Ok((Format::Short, None));
        }
        if hits.rows.len() <= MOST_OF_ONE {
            let stories = search.stories(hits)?;
            if stories.is_one() {
                return Ok((Format::Story, Some(stories)));
            }
        }
        Ok((Format::Table, None))
    }

    fn write(
        &self,
        request: &FindRequest,
        hits: Table,
        format: Format,
        style: &Style,
        out: &mut dyn Write,
    ) -> Result<()> {
        if self.count_by.is_some() {
            render::table(&hits, format, style, out)?;
        } else if self.fields.is_empty() {
            render::hits(&hits, format, style, out)?;
        } else {
            render::table(&chosen(request, hits)?, format, style, out)?;
        }
        Ok(())
    }

    /// Writes what a program expects of nothing: headers, or a count.
    fn nothing(&self, request: &FindRequest, run: &Run) -> Result<()> {
        let format = self.output.unwrap_or(Format::Short);
        if matches!(
            format,
            Format::Json | Format::Csv | Format::Tsv | Format::Count
        ) {
            let mut output = run.output(false);
            let style = output.style;
            self.write(request, request.nothing()?, format, &style, output.writer())?;
            output.finish()?;
        }
        Ok(())
    }

    /// Returns what was typed as a request.
    fn request(&self, run: &Run) -> FindRequest {
        let follows = self.follow || self.until_final;
        let options = query::Options {
            now: run.now,
            zone: run.zone,
            since: self.since.clone(),
            until: self.until.clone(),
            // A file is looked at as a whole.
            all: self.all || !self.file.is_empty(),
            limit: self.limit.filter(|_| !follows && self.count_by.is_none()),
            all_hops: self.all_hops,
        };
        let count_by = self.count_by.clone();
        FindRequest {
            terms: self.terms.clone(),
            options,
            count_by: count_by.map(|field| (field, self.limit)),
            columns: self.fields.clone(),
            newest_first: self.reverse,
            with_store: self.shows_store() && !follows,
            tells_all: self.all_recipients,
        }
    }
}

fn chosen(request: &FindRequest, hits: Table) -> Result<Table> {
    request.chosen(hits).map_err(|error| anyhow!(error))
}

/// Writes the number of hits; returns whether there are any.
fn count(search: Search<'_>, run: &Run) -> Result<bool> {
    let count = search.count()?;
    if count > 0 {
        let mut output = run.output(false);
        writeln!(output.writer(), "{count}")?;
        output.finish()?;
    }
    Ok(count > 0)
}

/// Writes the log lines of hits as these come.
fn raw(search: Search<'_>, run: &Run) -> Result<Option<Exit>> {
    let mut output = run.output(false);
    let (mut told, mut all) = (BTreeSet::new(), Written::default());
    let count = search.pages(true, |page| {
        let written = story::write_lines(search.asked, &page, &mut told, None, output.writer())?;
        all.lines += written.lines;
        all.missing += written.missing;
        output.writer().flush()?;
        anyhow::Ok(ControlFlow::Continue(()))
    })?;
    output.finish()?;
    Ok((count > 0).then(|| said_of(all)))
}

/// Writes hits as they come; returns whether there are any.
fn flow(search: Search<'_>, mut stream: Stream, run: &Run) -> Result<bool> {
    let mut output = None;
    let count = search.pages(false, |page| {
        let output = output.get_or_insert_with(|| run.output(false));
        let style = output.style;
        stream.write(&chosen(search.request, page)?, &style, output.writer())?;
        output.writer().flush()?;
        anyhow::Ok(ControlFlow::Continue(()))
    })?;
    if let Some(output) = output {
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
