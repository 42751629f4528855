//! `maillog sql`: statements from the command line, a file or standard input; a shell on a terminal.

use super::output::{Output, of_table};
use super::{Cli, Context as Run, Exit, failure, usage};
use crate::model::zone::Zone;
use crate::query;
use crate::render::{self, Format, Style};
use crate::repl::{self, Host, Watch};
use crate::store::STACK;
use anyhow::{Context, Result, bail};
use clap::{Args, Parser as _};
use std::ffi::OsString;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

/// Query the database in SQL, read-only
///
/// Without a statement, on a terminal, it opens a shell with completion and history; .help lists its commands. Times are
/// UTC; `local_time(t)` and `in_zone(t, 'Europe/Berlin')` convert them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maillog sql
  maillog sql \"SELECT status, count(*) FROM delivery_to GROUP BY ALL ORDER BY ALL\"")]
pub struct Sql {
    /// Statements, separated by ;  (- reads standard input)
    #[arg(value_name = "SELECT")]
    pub statement: Option<String>,
    /// Read the statements from a file
    #[arg(short, long, value_name = "FILE", conflicts_with = "statement")]
    pub file: Option<PathBuf>,
    /// Output format [default: table on a terminal, tsv in a pipe]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<Format>,
}

impl Sql {
    /// Runs the command.
    ///
    /// # Errors
    /// When a statement is wrong, is not a query, or the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        of_table(self.output)?;
        let watch = if self.is_shell() {
            Some(Watch::start().context("cannot wait for Ctrl-C")?)
        } else {
            None
        };
        // What is asked may be deep.
        let thread = std::thread::Builder::new().stack_size(STACK);
        std::thread::scope(|scope| {
            let asked = thread.spawn_scoped(scope, || self.ask(run, watch));
            let asked = asked.context("cannot start a thread")?.join();
            asked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn is_shell(&self) -> bool {
        let is_typed = self.statement.is_none() && self.file.is_none();
        is_typed && std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
    }

    fn ask(self, run: &Run, watch: Option<Watch>) -> Result<Exit> {
        if let Some(watch) = watch {
            return with_host(run, |host| repl::run(host, watch));
        }
        let text = self.text()?;
        if repl::is_command(&text) {
            return with_host(run, |host| repl::command(host, &text));
        }
        let statements = repl::statements(&text);
        if statements.is_empty() {
            bail!(
                "no statement: write one, as in maillog sql \"SELECT count(*) FROM delivery_to\""
            );
        }
        let default = if std::io::stdout().is_terminal() {
            Format::Table
        } else {
            Format::Tsv
        };
        let format = self.output.unwrap_or(default);
        let store = run.reader()?.with_clock()?;
        for statement in statements {
            if let Some((explained, is_run)) = repl::explained(statement) {
                let plan = store.explain(explained, is_run)?;
                let mut output = run.output(true);
                repl::write_plan(&plan, output.writer())?;
                output.finish()?;
                continue;
            }
            let table = store.select_once(statement, &[])?;
            let table = render::local::readings(statement, table, format);
            let mut output = run.output(matches!(format, Format::Table | Format::Record));
            let style = stored_times(&output);
            render::table(&table, format, &style, output.writer())?;
            output.finish()?;
        }
        Ok(Exit::Found)
    }

    fn text(&self) -> Result<String> {
        if let Some(file) = &self.file {
            return std::fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()));
        }
        match self.statement.as_deref() {
            None | Some("-") => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .context("cannot read standard input")?;
                Ok(text)
            }
            Some(text) => Ok(text.to_owned()),
        }
    }
}

/// The times of SQL are what the statement says, and that is UTC unless it converts them itself.
fn stored_times(output: &Output) -> Style {
    Style {
        zone: Zone::UTC,
        ..output.style
    }
}

/// Gives the shell what it needs of the program.
fn with_host(run: &Run, work: impl FnOnce(&Host<'_>) -> Result<()>) -> Result<Exit> {
    let page = |write: &mut dyn FnMut(&Style, &mut dyn Write) -> Result<()>| {
        let mut output = run.output(true);
        let style = stored_times(&output);
        let written = write(&style, output.writer());
        let finished = output.finish();
        match written.and(finished) {
            // Who leaves the pager early has seen enough.
            Err(error) if failure::is_closed_pipe(&error) => Ok(()),
            done => done,
        }
    };
    let host = Host {
        open: &|| Ok(run.reader()?.with_clock()?),
        page: &page,
        command: &|arguments| subcommand(arguments, run),
        tell: &failure::tell,
        history: history(),
        color: run.output(false).style.color,
    };
    work(&host)?;
    Ok(Exit::Found)
}

/// Runs `find` or `query` as if typed at the shell of the system.
fn subcommand(arguments: Vec<String>, run: &Run) {
    let program = std::iter::once("maillog".to_owned());
    let arguments = program.chain(arguments).map(OsString::from);
    match Cli::try_parse_from(query::protect(arguments)) {
        Ok(cli) => {
            if let Err(error) = cli.command.run(&run.later()) {
                failure::tell(&error);
            }
        }
        // Help and usage; a terminal that does not take them cannot be told.
        Err(error) => drop(usage::with_tip(error).print()),
    }
}

/// `$XDG_STATE_HOME/maillog/sql_history`, else below `~/.local/state`.
fn history() -> Option<PathBuf> {
    let named = |name| std::env::var_os(name).map(PathBuf::from);
    let state = named("XDG_STATE_HOME").filter(|p| p.is_absolute());
    let state = state.or_else(|| Some(named("HOME")?.join(".local/state")))?;
    Some(state.join("maillog/sql_history"))
}
