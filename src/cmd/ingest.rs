//! `maillog ingest`: log into the database.

use super::{Context as Run, Exit};
use crate::ingest::import;
use crate::ingest::present::Present;
use crate::ingest::progress::Progress;
use crate::ingest::pump::Rules;
use crate::ingest::stats::Summary;
use crate::model::zone::Zone;
use crate::notice;
use crate::render::escape;
use crate::service;
use crate::source::{self, Input, Options};
use crate::store::{Limits, Store};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};

/// Read log into the database
///
/// Reads files, directories, globs or standard input (-), plain or compressed (gzip, bzip2, xz, zstd), in any
/// order: a rotated set is ordered by what it holds. What was read before is not read again, so the same command
/// may run as often as you like; killing it loses nothing.
#[derive(Debug, Args)]
pub struct Ingest {
    /// Files, directories, globs; - for standard input; none: follow the systemd journal
    #[arg(value_name = "FILE")]
    pub files: Vec<OsString>,
    /// Follow the files as they grow and rotate, until stopped
    #[arg(long, requires = "files", conflicts_with_all = ["json", "year"])]
    pub follow: bool,
    /// Stamps without year or zone.
    #[command(flatten)]
    pub stamp: Stamp,
    /// Print the closing summary as JSON
    #[arg(long)]
    pub json: bool,
    /// No progress bar
    #[arg(long)]
    pub no_progress: bool,
    /// Print nothing but errors
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,
}

/// How stamps are read that lack a year or a zone.
#[derive(Debug, Args)]
pub struct Stamp {
    /// Year of the first line of each file, where stamps have none [default: from file time, order and queue ids]
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i32).range(1970..=9999))]
    pub year: Option<i32>,
    /// Zone of stamps without one: UTC, Europe/Berlin, +02:00 [default: the system's]
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
}

impl Stamp {
    /// Returns the reader's options.
    ///
    /// # Errors
    /// When the zone is unknown.
    pub fn options(&self, run: &Run) -> Result<Options> {
        let zone = match self.timezone.as_ref().or(run.config.timezone.as_ref()) {
            Some(name) => Zone::parse(name)?,
            None => run.zone,
        };
        Ok(Options {
            zone,
            year: self.year,
            now: run.now,
        })
    }
}

impl Ingest {
    /// Runs the command.
    ///
    /// # Errors
    /// When no input can be read or the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let options = self.stamp.options(run)?;
        if self.follow || self.files.is_empty() {
            return self.serve(run, options);
        }
        let (inputs, skipped) = source::collect(&self.files, &options)?;
        let skipped: Vec<String> = skipped
            .iter()
            .map(|s| format!("{}: {}", s.path.display(), s.reason))
            .collect();
        if inputs.is_empty() {
            bail!(
                "no log in what was named{}",
                skipped.first().map_or(String::new(), |s| format!(": {s}"))
            );
        }
        let store = Store::open_writer_with(&run.config.database, limits(run))?;
        let rules = Rules {
            options,
            present: Present::Fixed(run.now),
            retain_lines_days: run.config.retain_lines_days,
        };
        let progress = Progress::start(total(&inputs), self.shows_progress());
        let (store, mut summary) = import::run(store, inputs, rules, progress)?;
        drop(store);
        summary.skipped = skipped;
        for failure in &summary.failures {
            notice::tell(notice::Level::Error, failure);
        }
        if !self.quiet {
            let mut output = run.output(false);
            print(&summary, self.json, run.zone, output.writer())?;
            output.finish()?;
        }
        Ok(if summary.failures.is_empty() {
            Exit::Found
        } else {
            Exit::Failed
        })
    }

    /// Runs as the service, until it is killed.
    fn serve(self, run: &Run, options: Options) -> Result<Exit> {
        let rules = Rules {
            options,
            present: run.present,
            retain_lines_days: run.config.retain_lines_days,
        };
        let source = self.live()?;
        match service::run(&run.config, rules, vec![source])? {}
    }

    /// Returns the source that the service follows.
    fn live(&self) -> Result<service::Source> {
        if self.follow {
            bail!("--follow is not here yet")
        }
        bail!("the journal is not here yet")
    }

    fn shows_progress(&self) -> bool {
        !self.no_progress && !self.quiet && std::io::stderr().is_terminal()
    }
}

fn limits(run: &Run) -> Limits {
    Limits {
        memory_mb: run.config.memory_mib,
        ..Limits::WRITER
    }
}

/// Returns the bytes on disk, none when one of the inputs has no size.
fn total(inputs: &[Input]) -> Option<u64> {
    (!inputs.iter().any(Input::is_stream)).then(|| inputs.iter().map(Input::size).sum())
}

fn print(summary: &Summary, json: bool, zone: Zone, out: &mut dyn Write) -> Result<()> {
    if json {
        serde_json::to_writer(&mut *out, summary).context("cannot write the summary")?;
        writeln!(out)?;
        return Ok(());
    }
    text(summary, zone, out).context("cannot write the summary")
}

/// Writes the closing lines for people.
fn text(s: &Summary, zone: Zone, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{} lines read from {} in {}: {} understood, {} foreign, {} not understood",
        count(s.lines),
        files(s),
        seconds(s),
        count(s.understood),
        count(s.foreign),
        count(s.not_understood),
    )?;
    writeln!(
        out,
        "{} messages, {} recipients, {} refusals, {}",
        count(s.messages),
        count(s.recipients),
        count(s.refusals),
        hosts(s)
    )?;
    if let (Some(first), Some(last)) = (s.first_time, s.last_time) {
        writeln!(out, "log from {} to {}", zone.show(first), zone.show(last))?;
    }
    if s.lost > 0 {
        writeln!(
            out,
            "the log says that {} lines were lost before they were written",
            count(s.lost)
        )?;
    }
    if s.future > 0 {
        writeln!(
            out,
            "{} lines are dated in the future: see --year and --timezone",
            count(s.future)
        )?;
    }
    if s.not_understood > 0 {
        writeln!(out, "maillog status shows what was not understood")?;
    }
    for skipped in &s.skipped {
        writeln!(out, "skipped {}", escape::terminal(skipped))?;
    }
    Ok(())
}

fn files(s: &Summary) -> String {
    let files = if s.files == 1 {
        "1 file".to_owned()
    } else {
        format!("{} files", s.files)
    };
    match s.files_known {
        0 => files,
        n if n == s.files => format!("{files} (nothing new)"),
        n => format!("{files} ({n} without anything new)"),
    }
}

fn seconds(s: &Summary) -> String {
    if s.lines == 0 {
        return format!("{:.1} s", s.seconds);
    }
    format!("{:.1} s ({:.0} lines/s)", s.seconds, s.lines_per_second)
}

/// Names up to four hosts.
fn hosts(s: &Summary) -> String {
    let names: Vec<String> = s
        .hosts
        .iter()
        .filter(|h| !h.is_empty())
        .take(4)
        .map(|h| escape::terminal(h).into_owned())
        .collect();
    match s.hosts.len() {
        0 => "no host".to_owned(),
        1 => format!("host {}", names.join(", ")),
        n if n > 4 => format!("{n} hosts ({}, ...)", names.join(", ")),
        n => format!("{n} hosts ({})", names.join(", ")),
    }
}

/// Groups the digits of a count by three.
fn count(n: u64) -> String {
    indicatif::HumanCount(n).to_string()
}
