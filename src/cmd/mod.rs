//! The subcommands: what can be typed, and which file does it.

pub mod complete;
mod counted;
pub mod coverage;
pub mod doctor;
pub mod failure;
pub mod find;
pub mod follow;
pub mod generate;
mod imported;
pub mod ingest;
pub mod mail;
pub mod near_misses;
pub mod old_log;
pub mod output;
pub mod parse;
pub mod prune;
pub mod query;
pub mod queue;
mod restart;
pub mod scratch;
pub mod signature;
pub mod sql;
pub mod stamp;
pub mod status;
pub mod story;
pub mod summary;
pub mod usage;

use crate::answers::Answers;
use crate::config::{Config, Environment};
use crate::ingest::clock::Present;
use crate::model::time::Time;
use crate::model::zone::Zone;
use crate::render::Style;
use anyhow::{Context as _, Result};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Find out what happened to a mail, from Postfix's log
#[derive(Debug, Parser)]
#[command(
    name = "maillog",
    version,
    max_term_width = 100,
    // Without the usual empty line behind the first: the short help fits a screen.
    help_template = "{about-with-newline}{usage-heading} {usage}\n\n{all-args}{after-help}",
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Begin: maillog ingest /var/log/mail.log*, then maillog find alice@example.org",
    after_long_help = "Begin: maillog ingest /var/log/mail.log*, then maillog find alice@example.org
More:  maillog find -h, man maillog"
)]
pub struct Cli {
    /// Options of every subcommand.
    #[command(flatten)]
    pub global: Global,
    /// The subcommand.
    #[command(subcommand)]
    pub command: Command,
}

/// Heading of these options in help.
const EVERYWHERE: &str = "Options of every subcommand";

/// Options of every subcommand.
#[derive(Debug, Args)]
pub struct Global {
    /// Database file [default: /var/lib/maillog/maillog.duckdb for root and the user maillog, else below
    /// `$XDG_DATA_HOME`]
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        hide_short_help = true,
        value_name = "FILE",
        value_parser = path(),
        env = "MAILLOG_DB",
        hide_env_values = true
    )]
    pub db: Option<PathBuf>,
    /// Settings file [default: /etc/maillog.toml]
    #[arg(
        long,
        global = true,
        help_heading = EVERYWHERE,
        hide_short_help = true,
        value_name = "FILE",
        value_parser = path(),
        env = "MAILLOG_CONFIG",
        hide_env_values = true
    )]
    pub config: Option<PathBuf>,
    /// Colour the output
    #[arg(long, global = true, help_heading = EVERYWHERE, hide_short_help = true, value_enum, value_name = "WHEN", default_value_t)]
    pub color: output::Color,
    /// Do not start a pager
    #[arg(long, global = true, help_heading = EVERYWHERE, hide_short_help = true)]
    pub no_pager: bool,
    /// The present, for tests
    #[arg(long, global = true, hide = true, value_name = "TIME")]
    pub now: Option<String>,
}

/// Takes any path; an empty one is none (`MAILLOG_DB=`), see [`Context`].
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Returns the path, unless it is empty.
fn named(path: Option<&PathBuf>) -> Option<&Path> {
    path.map(PathBuf::as_path)
        .filter(|path| !path.as_os_str().is_empty())
}

/// The subcommands, in the order of help; their help is that of the structs.
#[derive(Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "a comment here would replace the help of the struct"
)]
pub enum Command {
    Ingest(ingest::Ingest),
    Find(find::Find),
    Query(query::Query),
    Queue(queue::Queue),
    Mail(mail::Mail),
    Summary(summary::Summary),
    Sql(sql::Sql),
    Status(status::Status),
    Doctor(doctor::Doctor),
    Prune(prune::Prune),
    Parse(parse::Parse),
    Signature(signature::Signature),
    Generate(generate::Generate),
    Complete(complete::Complete),
}

/// How a command ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Found or done: 0.
    Found,
    /// Nothing found: 1.
    Nothing,
    /// Done in part; what failed was said already: 2.
    Failed,
}

impl Cli {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// What cannot be done, for one line on stderr and exit status 2.
    pub fn run(self) -> Result<Exit> {
        let run = Context::new(&self.global)?;
        self.command.run(&run)
    }
}

impl Command {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// As [`Cli::run`].
    pub fn run(self, run: &Context) -> Result<Exit> {
        match self {
            Self::Ingest(c) => c.run(run),
            Self::Find(c) => c.run(run),
            Self::Query(c) => c.run(run),
            Self::Queue(c) => c.run(run),
            Self::Mail(c) => c.run(run),
            Self::Summary(c) => c.run(run),
            Self::Sql(c) => c.run(run),
            Self::Status(c) => c.run(run),
            Self::Doctor(c) => c.run(run),
            Self::Prune(c) => c.run(run),
            Self::Parse(c) => c.run(run),
            Self::Signature(c) => c.run(run),
            Self::Generate(c) => c.run(run),
            Self::Complete(c) => c.run(run),
        }
    }
}

/// What every command is given: settings, the present, the user's zone.
#[derive(Debug)]
pub struct Context {
    /// Resolved settings.
    pub config: Config,
    /// The present, when the command began.
    pub now: Time,
    /// Where the present is taken from later.
    pub present: Present,
    /// The user's zone, for what is shown and for times that are typed.
    pub zone: Zone,
    color: output::Color,
    no_pager: bool,
}

impl Context {
    fn new(global: &Global) -> Result<Self> {
        let config = Config::resolve(
            named(global.db.as_ref()),
            named(global.config.as_ref()),
            &Environment::current(),
        )?;
        let present = match &global.now {
            Some(text) => Present::Fixed(
                chrono::DateTime::parse_from_rfc3339(text)
                    .with_context(|| format!("--now {text}: not an RFC 3339 time"))?
                    .with_timezone(&chrono::Utc)
                    .into(),
            ),
            None => Present::Running,
        };
        let now = present.now();
        let zone = Zone::system();
        Ok(Self {
            config,
            now,
            present,
            zone,
            color: global.color,
            no_pager: global.no_pager,
        })
    }

    /// Returns the same at the present moment, for a program that goes on running.
    #[must_use]
    pub fn later(&self) -> Self {
        Self {
            config: self.config.clone(),
            now: self.present.now(),
            ..*self
        }
    }

    /// Opens stdout; `paged` when the result is for eyes and may be long.
    #[must_use]
    pub fn output(&self, paged: bool) -> output::Output {
        let is_terminal = std::io::stdout().is_terminal();
        let style = Style {
            color: self.color.is_on(is_terminal),
            width: is_terminal.then(output::terminal_width).flatten(),
            zone: self.zone,
        };
        output::Output::open(style, paged && !self.no_pager)
    }

    /// Opens the database for queries, or asks the service that has it.
    ///
    /// # Errors
    /// When it is missing, foreign, newer, broken, or held by somebody who does not answer.
    pub fn reader(&self) -> Result<Answers> {
        let zone = self.zone.name();
        Ok(Answers::open(&self.config.database_to_read(), zone)?)
    }
}
