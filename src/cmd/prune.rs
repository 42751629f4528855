//! `maillog prune`: what is past retention goes, or everything about one address; and the file gets smaller.

use super::output::of_table;
use super::{Context as Run, Exit, restart};
use crate::client::Client;
use crate::model::retain::{Cutoffs, Group};
use crate::model::table::{Cell, Table};
use crate::model::tables;
use crate::model::time::{DAY, SECOND, Time};
use crate::notice;
use crate::query::time;
use crate::render::{self, Format};
use crate::store::erase::{self, Address};
use crate::store::noted::Rows;
use crate::store::order::Erasure;
use crate::store::{self, Limits, Store, compact, order, retain};
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use std::io::IsTerminal;
use std::time::SystemTime;

/// Delete rows past retention, or everything about one address
///
/// Without options it does what the service does every hour: it deletes rows that are older than the settings say. A
/// message that is still in the queue stays with everything that belongs to it, whatever its age.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maillog prune --dry-run
  maillog prune --older-than 30 --table noqueue
  maillog prune --address alice@example.org --compact")]
pub struct Prune {
    /// Report what would be deleted, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
    /// Delete what is older: days (30) or a length of time (36h)
    ///
    /// This replaces the retention of the settings.
    #[arg(long, value_name = "AGE")]
    pub older_than: Option<String>,
    /// deliveries, noqueue, connection, auth, event, lines, audit, queue, mail or signature
    ///
    /// May be repeated.
    #[arg(long, value_name = "NAME")]
    pub table: Vec<String>,
    /// Erase this address, whatever its age
    ///
    /// As sender, recipient and login, and in every text that quotes it.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["older_than", "table"])]
    pub address: Option<String>,
    /// Rewrite the file: smaller, without traces of deleted rows
    #[arg(long)]
    pub compact: bool,
    /// Output format [default: table on a terminal, tsv in a pipe]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<Format>,
}

impl Prune {
    /// Runs the command.
    ///
    /// # Errors
    /// When an option makes no sense, or the database is in use or fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        of_table(self.output)?;
        let address = self.address()?;
        let cutoffs = self.cutoffs(run)?;
        if self.dry_run {
            return self.preview(run, address.as_ref(), &cutoffs);
        }
        let limits = Limits::PRUNER.with_memory(run.config.memory_mib);
        if !run.config.database.exists() {
            // A writer would make one.
            run.reader()?;
        }
        let is_asked = address.is_some() || !self.table.is_empty() || self.older_than.is_some();
        let does_prune = is_asked || !self.compact;
        match Store::open_writer_with(&run.config.database, limits) {
            Ok(store) => self.run_here(run, store, address, cutoffs, does_prune),
            Err(locked @ store::Error::Locked { .. }) => {
                let Some(service) = Client::connect(&run.config.database, None)? else {
                    return Err(locked.into());
                };
                self.run_there(run, &service, cutoffs, does_prune)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Does it with the database to itself.
    fn run_here(
        &self,
        run: &Run,
        mut store: Store,
        address: Option<Address>,
        cutoffs: Cutoffs,
        does_prune: bool,
    ) -> Result<Exit> {
        let mut exit = Exit::Found;
        for left in store.noted_erasures()? {
            store
                .erase(left)
                .context("cannot finish the erasure that the service began")?;
        }
        store.forget_erasures()?;
        if let Some(address) = address {
            let erased = store.erase(address).context("cannot erase the address")?;
            exit = self.show_erased(run, order::erased_table(&erased))?;
        } else if does_prune {
            let gone = store.prune(cutoffs).context("cannot prune")?;
            self.show(run, &order::gone_table(&gone))?;
        }
        store
            .checkpoint()
            .context("cannot finish the database file")?;
        drop(store);
        if self.compact {
            let limits = Limits::PRUNER.with_memory(run.config.memory_mib);
            let sizes = compact::compact(&run.config.database, limits)?;
            notice::say(&format!(
                "database file rewritten: {} before, {} now",
                megabytes(sizes.before),
                megabytes(sizes.after)
            ));
        }
        Ok(exit)
    }

    /// Has the running service do it, and waits for the end of what the service does when it restarts.
    fn run_there(
        &self,
        run: &Run,
        service: &Client,
        cutoffs: Cutoffs,
        does_prune: bool,
    ) -> Result<Exit> {
        let life = restart::life(service).unwrap_or_default();
        let erasure = self.address.as_ref().map(|address| Erasure {
            address: address.clone(),
            ticket: ticket(),
        });
        let mut erased = None;
        if let Some(erasure) = &erasure {
            erased = Some(service.call("maillog_erase", &serde_json::to_string(erasure)?)?);
        } else if does_prune {
            let table = service.call("maillog_prune", &order::argument(&cutoffs))?;
            self.show(run, &table)?;
        }
        if !self.compact && erasure.is_none() {
            return Ok(Exit::Found);
        }
        // It remembers messages and sessions, and lets go of them only when it starts.
        let verb = if self.compact {
            "maillog_compact"
        } else {
            "maillog_afresh"
        };
        service.call(verb, "")?;
        let service = restart::wait(&run.config.database, &life)?;
        let mut exit = Exit::Found;
        if let (Some(erasure), Some(first)) = (erasure, erased) {
            let rest = service.call("maillog_erased", &erasure.ticket)?;
            let Some(rest) = restart::cell(&rest) else {
                bail!("the service could not erase everything; see its messages");
            };
            let rest = order::erased_again(&serde_json::from_str::<Rows>(&rest)?);
            exit = self.show_erased(run, order::erased_sum(first, rest))?;
        }
        if self.compact {
            let wish = service.select(compact::WISHES, &[])?;
            if !wish.rows.is_empty() {
                bail!("the service could not rewrite the database file; see its messages");
            }
            notice::say("database file rewritten by the service");
        }
        Ok(exit)
    }

    /// Shows what was erased; says what was not.
    fn show_erased(&self, run: &Run, mut table: Table) -> Result<Exit> {
        let is_queued = |row: &Vec<Cell>| matches!(row.first(), Some(Cell::Text(name)) if name == order::QUEUED);
        let queued = table.rows.iter().position(is_queued);
        let queued = queued.map(|at| table.rows.remove(at));
        self.show(run, &table)?;
        let open = match queued.as_ref().and_then(|row| row.get(2)) {
            Some(Cell::Int(open)) => *open,
            Some(Cell::Text(open)) => open.parse().unwrap_or(1),
            _ => 0,
        };
        Ok(tell_open(open))
    }

    fn address(&self) -> Result<Option<Address>> {
        let Some(text) = &self.address else {
            return Ok(None);
        };
        let address = Address::parse(text);
        let address =
            address.ok_or_else(|| anyhow!("--address {text}: write an address as user@domain"))?;
        Ok(Some(address))
    }

    /// Returns before which times rows go.
    fn cutoffs(&self, run: &Run) -> Result<Cutoffs> {
        let mut cutoffs = run.config.retain.cutoffs(run.now);
        if let Some(age) = &self.older_than {
            let before = Some(older_than(age, run.now)?);
            for group in Group::ALL {
                cutoffs.set(group, before);
            }
        }
        if self.table.is_empty() {
            return Ok(cutoffs);
        }
        let mut chosen = Cutoffs::default();
        chosen.now = cutoffs.now;
        for name in &self.table {
            let Some(group) = tables::group(name) else {
                let names = Group::ALL.map(Group::name).join(", ");
                bail!("--table {name}: not one of {names}");
            };
            chosen.set(group, cutoffs.of(group));
            if cutoffs.of(group).is_none() {
                bail!(
                    "--table {name}: the settings keep it forever; use --older-than to prune it anyway"
                );
            }
        }
        Ok(chosen)
    }

    fn preview(&self, run: &Run, address: Option<&Address>, cutoffs: &Cutoffs) -> Result<Exit> {
        let (sql, params) = match address {
            Some(address) => erase::preview(address),
            None => retain::preview(cutoffs),
        };
        let table = run.reader()?.select(&sql, &params)?;
        self.show(run, &table)?;
        Ok(Exit::Found)
    }

    fn show(&self, run: &Run, table: &Table) -> Result<()> {
        let default = if std::io::stdout().is_terminal() {
            Format::Table
        } else {
            Format::Tsv
        };
        let mut output = run.output(false);
        let style = output.style;
        render::table(
            table,
            self.output.unwrap_or(default),
            &style,
            output.writer(),
        )?;
        output.finish()
    }
}

/// Reads an age: a bare number is days.
fn older_than(age: &str, now: Time) -> Result<Time> {
    let seconds = match age.trim().parse::<u32>() {
        Ok(days) => Some(f64::from(days) * 86_400.0),
        Err(_) => time::parse_length(age).filter(|_| age.contains(char::is_alphabetic)),
    };
    let seconds = seconds
        .filter(|seconds| *seconds >= 0.0 && *seconds < 86_400.0 * 36_500.0)
        .ok_or_else(|| {
            anyhow!("--older-than {age}: write days (30) or a length of time (36h, 2weeks)")
        })?;
    #[expect(clippy::cast_possible_truncation, reason = "below a century")]
    let micros = seconds as i64 * SECOND;
    debug_assert!(micros <= 36_500 * DAY);
    Ok(now.plus(-micros))
}

/// Returns what nobody else has.
fn ticket() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    format!(
        "{}-{}",
        std::process::id(),
        now.unwrap_or_default().as_nanos()
    )
}

fn tell_open(open: i64) -> Exit {
    if open == 0 {
        return Exit::Found;
    }
    let messages = match open {
        1 => "1 message in the queue names".to_owned(),
        n => format!("{n} messages in the queue name"),
    };
    notice::say(&format!("{messages} the address and stays unchanged"));
    notice::hint("run the command again when it has left the queue");
    Exit::Failed
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes.div_ceil(1_000_000))
}
