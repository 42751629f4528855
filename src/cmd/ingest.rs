//! `maillog ingest`: log into the database.

use super::stamp::Stamp;
use super::{Context as Run, Exit, doctor, imported, old_log};
use crate::check::Check;
use crate::check::rows::Behind;
use crate::client::Client;
use crate::config;
use crate::ingest::clock::Present;
use crate::ingest::follow;
use crate::ingest::handover;
use crate::ingest::import;
use crate::ingest::progress::Progress;
use crate::ingest::pump::Rules;
use crate::ingest::stats::Summary;
use crate::model::table::{Param, Table};
use crate::notice;
use crate::query::time;
use crate::service;
use crate::source::{self, Input, Options};
use crate::store::{self, Limits, Store};
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

/// Read Postfix's log into the database
///
/// Reads files, directories, patterns or standard input (-), plain or compressed (gzip, bzip2, xz, zstd). Name rotated
/// files in any order: maillog sorts them by time. Lines that were read before are not read again, so you can repeat
/// the command at any time. If it is killed, nothing is lost.
///
/// Without a FILE it runs as the service: it reads Postfix's entries in the systemd journal, then follows the journal
/// until it is stopped.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags that are typed")]
pub struct Ingest {
    /// Files, directories or patterns; - for standard input; without any: the journal
    #[arg(value_name = "FILE")]
    pub files: Vec<OsString>,
    /// Follow the files as they grow and rotate, until stopped
    #[arg(long, requires = "files", conflicts_with_all = ["json", "year"])]
    pub follow: bool,
    /// Keep this log for this many days from now, whatever retention says
    #[arg(long, value_name = "DAYS", requires = "files", conflicts_with = "follow", hide_short_help = true, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub keep: Option<u32>,
    /// Read log again that was read before and has been deleted since
    #[arg(
        long,
        requires = "files",
        conflicts_with = "follow",
        hide_short_help = true
    )]
    pub again: bool,
    /// Which journal, and what of it.
    #[command(flatten)]
    pub journal: Journal,
    /// Stamps without year or zone.
    #[command(flatten)]
    pub stamp: Stamp,
    /// Print the closing summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Show no progress bar
    #[arg(long)]
    pub no_progress: bool,
    /// Print errors only
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,
}

/// Heading of these options in help.
const JOURNAL: &str = "Options for the journal";

/// Which journal is followed, and what of it.
#[derive(Debug, Args)]
pub struct Journal {
    /// Read only entries of these units [default: Postfix in every unit]
    #[arg(long, value_name = "GLOB", conflicts_with = "files", help_heading = JOURNAL, hide_short_help = true)]
    pub unit: Vec<String>,
    /// Read the journal files in this directory instead of the system's
    #[arg(long, value_name = "DIR", conflicts_with_all = ["files", "file", "namespace"], help_heading = JOURNAL, hide_short_help = true)]
    pub directory: Option<PathBuf>,
    /// Read this journal file instead of the system's
    #[arg(long, value_name = "FILE", conflicts_with_all = ["files", "namespace"], help_heading = JOURNAL, hide_short_help = true)]
    pub file: Vec<PathBuf>,
    /// Read the journal of this namespace
    #[arg(long, value_name = "NAME", conflicts_with = "files", help_heading = JOURNAL, hide_short_help = true)]
    pub namespace: Option<String>,
    /// Also read journals of other machines that are stored here
    #[arg(long, conflicts_with_all = ["files", "directory", "file", "namespace"], help_heading = JOURNAL, hide_short_help = true)]
    pub merge: bool,
    /// Start at this time when the journal is read for the first time
    #[arg(long, value_name = "TIME", conflicts_with = "files", help_heading = JOURNAL, hide_short_help = true)]
    pub since: Option<String>,
}

impl Journal {
    /// Returns the settings of the file with those of the command line over them.
    fn over(self, file: &config::Ingest) -> config::Ingest {
        let names_place = self.directory.is_some()
            || !self.file.is_empty()
            || self.namespace.is_some()
            || self.merge;
        let from_file = if names_place {
            config::Ingest::default()
        } else {
            file.clone()
        };
        config::Ingest {
            unit: if self.unit.is_empty() {
                file.unit.clone()
            } else {
                self.unit
            },
            directory: self.directory.or(from_file.directory),
            file: if self.file.is_empty() {
                from_file.file
            } else {
                self.file
            },
            namespace: self.namespace.or(from_file.namespace),
            merge: self.merge || from_file.merge,
            since: self.since.or_else(|| file.since.clone()),
        }
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
                "no log in the named files{}",
                skipped.first().map_or(String::new(), |s| format!(": {s}"))
            );
        }
        let named: Vec<String> = inputs
            .iter()
            .filter(|input| !input.is_found())
            .map(|input| input.path().display().to_string())
            .collect();
        let mut summary = self.import(run, inputs, options)?;
        summary.skipped = skipped;
        // Other logs lie in a directory, too; what was named was meant.
        let is_blind = summary.lines > 0 && summary.understood + summary.known == 0;
        summary
            .opaque
            .retain(|opaque| is_blind || named.contains(&opaque.name));
        let opaque: Vec<&String> = summary.opaque.iter().map(|o| &o.name).collect();
        let is_meant = |source: &String| opaque.contains(&source);
        summary.findings.retain(|finding| {
            finding.check != Check::NoLine || finding.source.as_ref().is_some_and(is_meant)
        });
        for failure in &summary.failures {
            notice::tell(notice::Level::Error, failure);
        }
        if !self.quiet {
            let mut output = run.output(false);
            imported::print(&summary, self.json, run, output.writer())?;
            output.finish()?;
        }
        if self.knows_better(&summary) {
            notice::say(
                "--year and --timezone apply to new lines only: lines that were read before stay as they are",
            );
        }
        for opaque in &summary.opaque {
            imported::not_understood(opaque);
        }
        Ok(if !summary.failures.is_empty() {
            Exit::Failed
        } else if summary.opaque.is_empty() {
            Exit::Found
        } else {
            Exit::Nothing
        })
    }

    /// Reads into the database, or into the service that has it.
    fn import(&self, run: &Run, inputs: Vec<Input>, options: Options) -> Result<Summary> {
        let held = match Store::open_writer_with(&run.config.database, limits(run)) {
            Ok(store) => return self.import_here(run, store, inputs, options),
            Err(held @ store::Error::Locked { .. }) => held,
            Err(error) => return Err(error.into()),
        };
        let Some(client) = Client::connect(&run.config.database, None)? else {
            return Err(held.into());
        };
        if self.stamp.timezone.is_some() {
            bail!(
                "--timezone has no effect while the service runs: set timezone in /etc/maillog.toml"
            );
        }
        self.import_there(run, &client, &inputs, &options)
    }

    fn import_here(
        &self,
        run: &Run,
        store: Store,
        inputs: Vec<Input>,
        options: Options,
    ) -> Result<Summary> {
        if self.again {
            old_log::refuse_twice(&inputs, |sql, params| store.select_own(sql, params))?;
        }
        let before = doctor::before_import(|sql| store.select_own(sql, &[]))?;
        let progress = Progress::start(total(&inputs), self.shows_progress());
        let rules = Rules {
            options,
            present: Present::Fixed(run.now),
            retain_lines_days: run.config.retain_lines_days,
        };
        let (domains, names) = (&run.config.metrics.domains, names(&inputs));
        let read = import::run(store, inputs, self.again, rules, domains, progress)?;
        let (mut store, mut summary) = read;
        if let Some(days) = self.keep {
            let select = |sql: &str, params: &[_]| store.select(sql, params);
            let kept = old_log::kept(&names, &summary, days, run, select)?;
            store.keep(&kept)?;
            store.checkpoint()?;
        }
        self.look(run, &mut summary, before, |sql, params| {
            store.select_own(sql, params)
        });
        Ok(summary)
    }

    fn import_there(
        &self,
        run: &Run,
        client: &Client,
        inputs: &[Input],
        options: &Options,
    ) -> Result<Summary> {
        let select = |sql: &str, params: &[_]| client.select(sql, params);
        if self.again {
            old_log::refuse_twice(inputs, select)?;
        }
        let keep = |kept: &store::kept::KeptLog| -> Result<()> {
            client.call("maillog_keep", &serde_json::to_string(kept)?)?;
            Ok(())
        };
        if self.keep.is_some() {
            keep(&old_log::all_kept(run))?;
        }
        let before = doctor::before_import(|sql| client.select(sql, &[]))?;
        let progress = Progress::start(total(inputs), self.shows_progress());
        let mut summary = handover::run(client, inputs, self.again, options, progress)?;
        if let Some(days) = self.keep {
            keep(&old_log::kept(&names(inputs), &summary, days, run, select)?)?;
        }
        self.look(run, &mut summary, before, select);
        Ok(summary)
    }

    /// Looks at what an import brought; it is stored, whatever becomes of the look.
    fn look(
        &self,
        run: &Run,
        summary: &mut Summary,
        before: Behind,
        select: impl Fn(&str, &[Param]) -> Result<Table, store::Error> + Copy,
    ) {
        let mut look = || -> Result<(), store::Error> {
            summary
                .findings
                .extend(doctor::after_import(before, select)?);
            if self.keep.is_none() {
                old_log::note(summary, before, run, select)?;
            }
            Ok(())
        };
        if let Err(error) = look() {
            notice::say(&format!("cannot check the log that was read: {error}"));
        }
        summary.findings.sort_by_key(|finding| finding.check);
    }

    /// Runs as the service, until it is killed.
    fn serve(self, run: &Run, options: Options) -> Result<Exit> {
        let rules = Rules {
            options,
            present: run.present,
            retain_lines_days: run.config.retain_lines_days,
        };
        let source = if self.follow {
            followed(self.files)?
        } else {
            journal(self.journal.over(&run.config.ingest), run)?
        };
        match service::run(&run.config, rules, vec![source])? {}
    }

    /// Stamps were to be read in another way, and nothing was.
    fn knows_better(&self, summary: &Summary) -> bool {
        let is_said = self.stamp.year.is_some() || self.stamp.timezone.is_some();
        is_said && summary.files > 0 && summary.files_known == summary.files
    }

    fn shows_progress(&self) -> bool {
        !self.no_progress && !self.quiet && std::io::stderr().is_terminal()
    }
}

/// Returns the names that the sources of the inputs have.
fn names(inputs: &[Input]) -> Vec<String> {
    let name = |input: &Input| input.path().display().to_string();
    inputs.iter().map(name).collect()
}

fn limits(run: &Run) -> Limits {
    Limits::IMPORT.with_memory(run.config.memory_mib)
}

/// Returns the source that follows files.
fn followed(files: Vec<OsString>) -> Result<service::Source> {
    if files.iter().any(|file| file == "-") {
        bail!("--follow works with files only; leave it out for standard input");
    }
    Ok(Box::new(move |shared| {
        let sinks = follow::Sinks {
            feeds: &shared.feeds,
            jobs: &shared.jobs,
            health: &shared.health,
        };
        follow::run(&files, shared.rules, sinks)
    }))
}

/// Returns the journal as a source.
#[cfg(feature = "journal")]
fn journal(wanted: config::Ingest, run: &Run) -> Result<service::Source> {
    let since = match &wanted.since {
        Some(text) => {
            let unit = time::parse(text, run.now, run.zone);
            Some(
                unit.with_context(|| format!("--since {text}: not a time; {}", time::FORMS))?
                    .start,
            )
        }
        None => None,
    };
    let pattern = |glob: &String| {
        glob::Pattern::new(glob).map_err(|error| anyhow!("--unit {glob}: {}", error.msg))
    };
    Ok(service::journal::source(service::journal::Wanted {
        units: wanted.unit.iter().map(pattern).collect::<Result<_>>()?,
        place: source::journal::Place {
            directory: wanted.directory.map(absolute),
            file: wanted.file.into_iter().map(absolute).collect(),
            namespace: wanted.namespace,
            merge: wanted.merge,
        },
        since,
    }))
}

/// Returns the path from the root: its name must mean the same in each run.
#[cfg(feature = "journal")]
fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

#[cfg(not(feature = "journal"))]
fn journal(_: config::Ingest, _: &Run) -> Result<service::Source> {
    Err(anyhow!(
        "this maillog was built without the journal; name files to follow with --follow"
    ))
}

/// Returns the bytes on disk, none when one of the inputs has no size.
fn total(inputs: &[Input]) -> Option<u64> {
    (!inputs.iter().any(Input::is_stream)).then(|| inputs.iter().map(Input::size).sum())
}
