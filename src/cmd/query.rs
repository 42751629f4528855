//! `maillog query`: the canned queries.

use super::{Context as Run, Exit};
use crate::canned::{self, Canned, Declared, Kind};
use crate::model::table::Param;
use crate::model::time::{DAY, Time};
use crate::query::time;
use crate::render::{self, Format};
use anyhow::{Result, anyhow, bail};
use clap::Args;
use std::io::IsTerminal;

/// Run a canned query, or list them
#[derive(Debug, Args)]
#[command(after_help = "Example:
  maillog query senders_count --since yesterday --top 5")]
pub struct Query {
    /// Which; without a name they are listed
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Nothing before this time [default: 7 days ago]
    #[arg(short = 'S', long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Nothing after this time [default: now]
    #[arg(short = 'U', long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// All that is stored, not only 7 days
    #[arg(long, conflicts_with = "since")]
    pub all: bool,
    /// At most this many rows
    #[arg(long, value_name = "COUNT")]
    pub top: Option<i64>,
    /// Only this domain
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// Output format [default: table on a terminal, tsv in a pipe]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// Print the SQL instead of asking
    #[arg(long)]
    pub explain: bool,
}

impl Query {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such query, an option does not fit it, or the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let Some(name) = &self.name else {
            return list(run);
        };
        let query = canned::named(name).map_err(|e| anyhow!(e))?;
        self.check_options(&query)?;
        let params = query.bind(|declared| self.value(declared, run))?;
        let default = if std::io::stdout().is_terminal() {
            Format::Table
        } else {
            Format::Tsv
        };
        let format = self.output.unwrap_or(default);
        let mut output = run.output(format == Format::Table);
        let style = output.style;
        if self.explain {
            output.writer().write_all(query.text.as_bytes())?;
        } else {
            let table = run.reader()?.select(&query.sql, &params)?;
            render::table(&table, format, &style, output.writer())?;
        }
        output.finish()?;
        Ok(Exit::Found)
    }

    /// Refuses an option that the query has no parameter for, so that nobody trusts a filter that does nothing.
    fn check_options(&self, query: &Canned) -> Result<()> {
        let given = [
            ("since", self.since.is_some()),
            ("until", self.until.is_some()),
            ("top", self.top.is_some()),
            ("domain", self.domain.is_some()),
        ];
        for (name, is_given) in given {
            if is_given && !query.params.iter().any(|p| p.name == name) {
                bail!("the query {} has no parameter --{name}", query.name);
            }
        }
        Ok(())
    }

    fn value(&self, declared: &Declared, run: &Run) -> Result<Param> {
        let given = match declared.name.as_str() {
            "since" => self.since.clone(),
            "until" => self.until.clone(),
            "top" => self.top.map(|n| n.to_string()),
            "domain" => self.domain.clone(),
            _ => None,
        };
        let text = given.unwrap_or_else(|| declared.default.clone());
        Ok(match declared.kind {
            Kind::Time => Param::Time(self.time(&declared.name, &text, run)?),
            Kind::Count => {
                let number = text
                    .parse()
                    .map_err(|_| anyhow!("--{}: {text:?} is no number", declared.name))?;
                Param::Int(number)
            }
            Kind::Text => Param::Text(text),
        })
    }

    fn time(&self, name: &str, text: &str, run: &Run) -> Result<Time> {
        if name == "since" && self.all {
            return Ok(Time(0));
        }
        match text {
            "-7d" => Ok(run.now.plus(-7 * DAY)),
            // What is dated in the future belongs to "until now" as well.
            "now" if self.until.is_none() => Ok(run.now.plus(36_500 * DAY)),
            text => time::parse(text, run.now, run.zone)
                .map(|unit| unit.start)
                .ok_or_else(|| {
                    anyhow!("--{name}: {text:?} is no time; write 2026-11-20, yesterday or -2h")
                }),
        }
    }
}

fn list(run: &Run) -> Result<Exit> {
    let queries = canned::all().map_err(|e| anyhow!(e))?;
    let width = queries.iter().map(|q| q.name.len()).max().unwrap_or(0);
    let mut output = run.output(true);
    for query in queries {
        writeln!(output.writer(), "{:width$}  {}", query.name, query.summary)?;
    }
    output.finish()?;
    Ok(Exit::Found)
}
