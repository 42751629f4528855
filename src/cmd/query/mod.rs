//! `maillog query`: the canned queries, and the user's own.
//!
//! Each is a subcommand with the parameters of its header as options, so the command line is put together at run time:
//! the folders are looked into only when `query` was typed.

mod list;
mod options;
pub(super) mod value;

use super::output::of_table;
use super::{Context as Run, Exit};
use crate::canned::{self, Canned, Listed, folder};
use crate::model::table::{Param, Table};
use crate::render::{self, Format, Marks, Style};
use crate::{config::Environment, notice};
use anyhow::{Result, anyhow, bail};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

/// Run a canned query, or list them
#[derive(Debug, Default)]
pub struct Query {
    /// Which; without a name they are listed.
    pub name: Option<String>,
    /// Values of parameters, as typed.
    pub given: BTreeMap<String, String>,
    /// Lift the default of `--since`.
    pub all: bool,
    /// Output format.
    pub output: Option<Format>,
    /// Print the SQL instead of running it.
    pub explain: bool,
}

impl Query {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such query, its file is broken, a value does not fit its parameter, or the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        of_table(self.output)?;
        let listed = listed();
        let Some(name) = &self.name else {
            return list::write(&listed, self.output, run);
        };
        let found = listed.into_iter().find(|listed| listed.name == name);
        let Listed { origin, query, .. } = found.ok_or_else(|| anyhow!("no query {name:?}"))?;
        let query = match (query, origin) {
            (Ok(query), _) => query,
            (Err(fault), canned::Origin::File(path)) => bail!("{}: {fault}", path.display()),
            (Err(fault), canned::Origin::Program) => bail!("query {name}: {fault}"),
        };
        let params = query.bind(|declared| value::value(&self, declared, run))?;
        if self.explain {
            return explain(&query, &params, run);
        }
        let format = self.output.unwrap_or_else(default_format);
        let table = run.reader()?.select(&query.sql, &params)?;
        if std::io::stderr().is_terminal() {
            tell(&query, &params, table.rows.is_empty(), run);
        }
        let mut output = run.output(format == Format::Table);
        let style = output.style;
        draw(&query, &table, format, &style, output.writer())?;
        output.finish()?;
        Ok(Exit::Found)
    }
}

/// Returns everything that can be typed.
pub(super) fn listed() -> Vec<Listed> {
    let env = Environment::current();
    canned::listed(&folder::folders(
        env.xdg_config_home.as_deref(),
        env.home.as_deref(),
    ))
}

/// Writes a result with the marks of its query.
///
/// # Errors
/// When `out` does not take it.
pub(super) fn draw(
    query: &Canned,
    table: &Table,
    format: Format,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let marks = Marks {
        bars: &query.bars,
        sparks: &query.sparks,
        is_ascii: !super::output::is_utf8(),
    };
    let table = render::local::readings(&query.sql, table.clone(), format);
    render::marked(&table, &marks, format, style, out)
}

fn default_format() -> Format {
    if std::io::stdout().is_terminal() {
        Format::Table
    } else {
        Format::Tsv
    }
}

/// Says to a person which time was asked about, and that nothing came of it.
fn tell(query: &Canned, params: &[Param], is_empty: bool, run: &Run) {
    let time = |name: &str| {
        let at = query.params.iter().position(|param| param.name == name)?;
        match params.get(at)? {
            Param::Time(time) if time.0 > 0 && *time <= run.now => Some(run.zone.show(*time)),
            _ => None,
        }
    };
    let words: Vec<String> = [("since", "from"), ("until", "until"), ("at", "at")]
        .iter()
        .filter_map(|(name, word)| Some(format!("{word} {}", time(name)?)))
        .collect();
    if !words.is_empty() {
        notice::say(&format!("{}: {}", query.name, words.join(" ")));
    }
    if is_empty {
        notice::say("no rows");
    }
}

fn explain(query: &Canned, params: &[Param], run: &Run) -> Result<Exit> {
    let mut output = run.output(false);
    let out = output.writer();
    for line in query.sql.lines() {
        writeln!(out, "{}", render::escape::terminal(line))?;
    }
    for (i, (declared, param)) in query.params.iter().zip(params).enumerate() {
        let value = value::show(param, run);
        writeln!(out, "-- ${} = --{} {value}", i + 1, declared.name)?;
    }
    output.finish()?;
    Ok(Exit::Found)
}
