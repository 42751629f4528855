//! `maillog find`: the question that maillog is for.

use super::{Context as Run, Exit, coverage, story};
use crate::model::table::Table;
use crate::notice;
use crate::query::{self, Plan};
use crate::render::{self, Format};
use anyhow::Result;
use clap::Args;
use std::io::IsTerminal;

/// Find what became of mail
///
/// Terms are joined by AND; OR, NOT, -term and parentheses combine them. A bare word is an address, a domain, a
/// queue id, a <message-id>, an IP address or network, else text of the reply. Fields: to, from, qid, msgid,
/// status, client, since, until and more; see maillog-query(7).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maillog find alice@example.org
  maillog find to:@example.net status:bounced,deferred since:yesterday
  maillog find from:shop@example.com -status:sent --all -o json")]
pub struct Find {
    /// What to look for
    #[arg(value_name = "TERM", required = true, allow_hyphen_values = false)]
    pub terms: Vec<String>,
    /// Nothing before this time: 2026-11-20, yesterday, -2h, "10:30" [default: 7 days ago]
    #[arg(short = 'S', long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Nothing after this time
    #[arg(short = 'U', long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// All that is stored, not only 7 days
    #[arg(long)]
    pub all: bool,
    /// At most this many, the newest
    #[arg(short = 'n', long, value_name = "COUNT")]
    pub limit: Option<u64>,
    /// Output format [default: table on a terminal, short in a pipe]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// Count the hits by a field instead: cause, to, from, client, relay, date, ... (-n: that many values)
    #[arg(long, value_name = "FIELD")]
    pub count_by: Option<String>,
    /// Show also the steps inside our own systems (filter, relay, forward, requeue)
    #[arg(long)]
    pub all_hops: bool,
    /// Print the SQL and its parameters instead of asking
    #[arg(long)]
    pub explain: bool,
}

impl Find {
    /// Runs the command.
    ///
    /// # Errors
    /// When the query is wrong (drawn with a caret) or the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let mut plan = query::compile(&self.terms, &self.options(run))?;
        if let Some(field) = &self.count_by {
            plan = query::count_by(plan, field, self.limit)?;
        }
        if self.explain {
            return explain(&plan, run);
        }
        for reading in &plan.reading {
            notice::say(reading);
        }
        let store = run.reader()?;
        let table = store.select(&plan.sql, &plan.params)?;
        let format = self.output.unwrap_or_else(|| self.default_format());
        if format == Format::Count && self.count_by.is_none() {
            return count(&table, run);
        }
        if table.rows.is_empty() {
            for line in coverage::nothing_found(&store, &plan.window, run.zone)? {
                notice::say(&line);
            }
            if format == Format::Json || format == Format::Csv || format == Format::Tsv {
                let mut output = run.output(false);
                let style = output.style;
                render::table(&table, format, &style, output.writer())?;
                output.finish()?;
            }
            return Ok(Exit::Nothing);
        }
        let mut output = run.output(matches!(format, Format::Table | Format::Story));
        let style = output.style;
        match format {
            _ if self.count_by.is_some() => {
                render::table(&table, format, &style, output.writer())?;
            }
            Format::Story => story::write(&store, &table, &style, output.writer())?,
            _ => render::hits(&table, format, &style, output.writer())?,
        }
        output.finish()?;
        Ok(Exit::Found)
    }

    fn default_format(&self) -> Format {
        match self.count_by {
            _ if std::io::stdout().is_terminal() => Format::Table,
            Some(_) => Format::Tsv,
            None => Format::Short,
        }
    }

    fn options(&self, run: &Run) -> query::Options {
        query::Options {
            now: run.now,
            zone: run.zone,
            since: self.since.clone(),
            until: self.until.clone(),
            all: self.all,
            limit: self.limit.filter(|_| self.count_by.is_none()),
            all_hops: self.all_hops,
        }
    }
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
            render::escape::terminal(&format!("{param:?}"))
        )?;
    }
    output.finish()?;
    Ok(Exit::Found)
}

fn count(table: &Table, run: &Run) -> Result<Exit> {
    let mut output = run.output(false);
    let style = output.style;
    render::hits(table, Format::Count, &style, output.writer())?;
    output.finish()?;
    Ok(if table.rows.is_empty() {
        Exit::Nothing
    } else {
        Exit::Found
    })
}
