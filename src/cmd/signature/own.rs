//! `maillog signature list`, `purge`, `import`, `export`: what our own server has counted.

use super::super::output::of_table;
use super::super::{Context as Run, Exit};
use crate::client::Client;
use crate::model::signature::SignatureRow;
use crate::model::table::{Cell, Param};
use crate::render::{self, Format};
use crate::signature::table;
use crate::store::{self, Limits, Store};
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use std::fs::File;
use std::io::{IsTerminal, Read, stdin};
use std::path::PathBuf;

/// Digests in one order to the service, and in one page of an export.
const ORDER: usize = 1000;
const PAGE: i64 = 20_000;

/// Show the digests that were reported to our own server most
#[derive(Debug, Clone, Args)]
pub(super) struct List {
    /// Only these digests
    #[arg(value_name = "DIGEST")]
    digests: Vec<String>,
    /// So many digests
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    top: u32,
    /// Output format [default: table on a terminal, tsv in a pipe]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
}

/// Forget digests
#[derive(Debug, Clone, Args)]
pub(super) struct Purge {
    /// Digests to forget
    #[arg(value_name = "DIGEST", required_unless_present = "all")]
    digests: Vec<String>,
    /// Forget all digests
    #[arg(long, conflicts_with = "digests")]
    all: bool,
}

/// Add digests from a file that export wrote
#[derive(Debug, Clone, Args)]
pub(super) struct Import {
    /// CSV with the columns of export; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

const COLUMNS: &str = "digest, count, wl_count, entered, updated, wl_entered, wl_updated";

impl List {
    /// Prints the digests.
    pub(super) fn run(&self, run: &Run) -> Result<Exit> {
        of_table(self.output)?;
        let reader = run.reader()?;
        let mut table = crate::model::table::Table::default();
        if self.digests.is_empty() {
            let sql = format!(
                "SELECT {COLUMNS} FROM signature ORDER BY count DESC, wl_count DESC, digest LIMIT $1"
            );
            table = reader.select(&sql, &[Param::Int(self.top.into())])?;
        }
        for digest in &self.digests {
            let sql = format!("SELECT {COLUMNS} FROM signature WHERE digest = $1");
            let found = reader.select(&sql, &[Param::Text(digest.clone())])?;
            table.columns = found.columns;
            table.rows.extend(found.rows);
        }
        let is_terminal = std::io::stdout().is_terminal();
        let usual = if is_terminal {
            Format::Table
        } else {
            Format::Tsv
        };
        let mut output = run.output(true);
        let style = output.style;
        let format = self.output.unwrap_or(usual);
        render::table(&table, format, &style, output.writer())?;
        output.finish()?;
        Ok(match table.rows.len() {
            0 => Exit::Nothing,
            _ => Exit::Found,
        })
    }
}

/// Hands over all digests, page by page in their order.
fn pages(run: &Run, mut each: impl FnMut(Vec<SignatureRow>) -> Result<()>) -> Result<()> {
    let reader = run.reader()?;
    let times = "entered, updated, wl_entered, wl_updated";
    let sql = format!(
        "SELECT digest, count, wl_count, {times} FROM signature WHERE digest > $1 ORDER BY digest LIMIT {PAGE}"
    );
    let mut last = String::new();
    loop {
        let found = reader.select(&sql, &[Param::Text(last.clone())])?;
        let rows: Option<Vec<SignatureRow>> = found.rows.iter().map(|row| read(row)).collect();
        let rows = rows.ok_or_else(|| anyhow!("the database has a digest that cannot be read"))?;
        match rows.last() {
            None => return Ok(()),
            Some(row) => last = row.digest.to_string(),
        }
        each(rows)?;
    }
}

fn read(cells: &[Cell]) -> Option<SignatureRow> {
    let [digest, count, wl_count, times @ ..] = cells else {
        return None;
    };
    let number = |cell: &Cell| match cell {
        Cell::Int(number) => Some(*number),
        _ => None,
    };
    let time = |at: usize| match times.get(at) {
        Some(Cell::Time(time)) => Some(*time),
        _ => None,
    };
    let Cell::Text(digest) = digest else {
        return None;
    };
    Some(SignatureRow {
        digest: digest.as_str().into(),
        count: number(count)?,
        wl_count: number(wl_count)?,
        entered: time(0),
        updated: time(1),
        wl_entered: time(2),
        wl_updated: time(3),
    })
}

/// Prints all digests as CSV.
pub(super) fn export(run: &Run) -> Result<Exit> {
    let mut output = run.output(false);
    let mut is_first = true;
    pages(run, |rows| {
        let text = table::write(&rows, is_first);
        is_first = false;
        Ok(output.writer().write_all(&text)?)
    })?;
    if is_first {
        output.writer().write_all(&table::write(&[], true))?;
    }
    output.finish()?;
    Ok(Exit::Found)
}

/// Who changes the digests: this process, or the service that has the database.
enum Changer {
    Here(Box<Store>),
    There(Box<Client>),
}

impl Changer {
    fn open(run: &Run) -> Result<Self> {
        let database = &run.config.database;
        let limits = Limits::PRUNER.with_memory(run.config.memory_mib);
        match Store::open_writer_with(database, limits) {
            Ok(store) => Ok(Self::Here(Box::new(store))),
            Err(locked @ store::Error::Locked { .. }) => match Client::connect(database, None)? {
                Some(service) => Ok(Self::There(Box::new(service))),
                None => Err(locked).context(
                    "a server that has the database to itself (maillog signature serve) must end first",
                ),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn merge(&mut self, rows: &[SignatureRow]) -> Result<()> {
        match self {
            Self::Here(store) => Ok(store.merge_signatures(rows)?),
            Self::There(service) => order(service, "maillog_signature_merge", rows),
        }
    }

    fn forget(&mut self, rows: &[SignatureRow]) -> Result<()> {
        match self {
            Self::Here(store) => Ok(store.forget_signatures(rows)?),
            Self::There(service) => order(service, "maillog_signature_forget", rows),
        }
    }
}

fn order(service: &Client, verb: &str, rows: &[SignatureRow]) -> Result<()> {
    for rows in rows.chunks(ORDER) {
        let text = String::from_utf8(table::write(rows, true))?;
        service.call(verb, &text)?;
    }
    Ok(())
}

fn told(run: &Run, count: usize, done: &str) -> Result<Exit> {
    let mut output = run.output(false);
    let digests = if count == 1 { "digest" } else { "digests" };
    writeln!(output.writer(), "{count} {digests} {done}")?;
    output.finish()?;
    Ok(Exit::Found)
}

impl Purge {
    /// Forgets digests.
    pub(super) fn run(&self, run: &Run) -> Result<Exit> {
        let mut rows = Vec::new();
        pages(run, |page| {
            let is_meant =
                |row: &SignatureRow| self.all || self.digests.iter().any(|d| *d == row.digest);
            rows.extend(page.into_iter().filter(is_meant));
            Ok(())
        })?;
        if rows.is_empty() {
            told(run, 0, "forgotten")?;
            return Ok(Exit::Nothing);
        }
        Changer::open(run)?.forget(&rows)?;
        told(run, rows.len(), "forgotten")
    }
}

impl Import {
    /// Adds the digests of a file.
    pub(super) fn run(&self, run: &Run) -> Result<Exit> {
        let name = self.file.display();
        let input: Box<dyn Read> = if self.file.as_os_str() == "-" {
            Box::new(stdin().lock())
        } else {
            Box::new(File::open(&self.file).with_context(|| format!("cannot read {name}"))?)
        };
        let rows = match table::read(input) {
            Ok(rows) => rows,
            Err(why) => bail!("cannot import {name}: {why}"),
        };
        Changer::open(run)?.merge(&rows)?;
        told(run, rows.len(), "imported")
    }
}
