//! `maillog summary`: one report over the canned queries, in the order of pflogsumm.

use super::query::{self, Query};
use super::{Context as Run, Exit};
use crate::ask::summary::SummaryRequest;
use crate::canned::Canned;
use crate::model::table::Table;
use crate::render::{self, Format, Style};
use anyhow::Result;
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::io::Write;

/// Report traffic and problems of a period, as pflogsumm does
///
/// Runs the canned queries of pflogsumm's sections. `maillog query NAME` runs one of them alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maillog summary --since yesterday --until today
  maillog summary --since -7d --domain example.org --problems-first")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub struct Summary {
    /// Start of the time range
    #[arg(
        short = 'S',
        long,
        value_name = "TIME",
        default_value = "-1d",
        allow_hyphen_values = true
    )]
    pub since: String,
    /// End of the time range [default: now]
    #[arg(short = 'U', long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    /// Show at most this many rows in a section
    #[arg(long, value_name = "COUNT")]
    pub top: Option<u32>,
    /// Show only this domain, in sections that know domains
    #[arg(long, value_name = "DOMAIN")]
    pub domain: Option<String>,
    /// Show only the log of this host
    #[arg(long, value_name = "TEXT")]
    pub host: Option<String>,
    /// Show only this Postfix instance (syslog name)
    #[arg(long, value_name = "TEXT")]
    pub instance: Option<String>,
    /// Time zone of days and hours [default: yours]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub timezone: Option<String>,
    /// Show sections about problems first
    #[arg(long)]
    pub problems_first: bool,
    /// Leave out sections without rows
    #[arg(long)]
    pub no_empty: bool,
    /// Also show the newest messages with their outcome
    #[arg(long)]
    pub messages: bool,
    /// Also show the queue, according to the log
    #[arg(long)]
    pub queue: bool,
    /// Output format
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Form::Text)]
    pub output: Form,
}

/// Forms of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Sections with titles
    Text,
    /// One JSON object for each section
    Json,
}

impl Summary {
    /// Runs the command.
    ///
    /// # Errors
    /// When a value does not fit, a user's file in place of a section is broken, or the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let listed = query::listed();
        let request = SummaryRequest {
            problems_first: self.problems_first,
            messages: self.messages,
            queue: self.queue,
        };
        let asked = request.sections(&listed)?;
        let store = run.reader()?;
        let mut output = run.output(self.output == Form::Text);
        let style = output.style;
        let mut is_first = true;
        for section in asked {
            let query = self.query(section);
            let params = section.bind(|declared| query::value::value(&query, declared, run))?;
            let table = store.select(&section.sql, &params)?;
            if table.rows.is_empty() && self.no_empty {
                continue;
            }
            match self.output {
                Form::Json => json(section, &table, &style, output.writer())?,
                Form::Text => {
                    if !is_first {
                        writeln!(output.writer())?;
                    }
                    text(section, &table, &style, output.writer())?;
                }
            }
            is_first = false;
        }
        output.finish()?;
        Ok(Exit::Found)
    }

    /// Returns the options as those of one section; what it does not take is left out.
    fn query(&self, section: &Canned) -> Query {
        let top = self.top.map(|top| top.to_string());
        let options = [
            ("since", Some(&self.since)),
            ("until", self.until.as_ref()),
            ("at", self.until.as_ref()),
            ("top", top.as_ref()),
            ("domain", self.domain.as_ref()),
            ("host", self.host.as_ref()),
            ("instance", self.instance.as_ref()),
            ("timezone", self.timezone.as_ref()),
        ];
        let given: BTreeMap<String, String> = options
            .into_iter()
            .filter(|(name, _)| section.param(name).is_some())
            .filter_map(|(name, value)| Some((name.to_owned(), value?.clone())))
            .collect();
        Query {
            given,
            ..Query::default()
        }
    }
}

fn title(section: &Canned) -> &str {
    section.title.unwrap_or(section.summary)
}

fn text(section: &Canned, table: &Table, style: &Style, out: &mut dyn Write) -> Result<()> {
    let title = render::escape::terminal(title(section));
    if table.rows.is_empty() {
        writeln!(out, "{title}: none")?;
        return Ok(());
    }
    writeln!(out, "{title}\n{}", "-".repeat(title.chars().count()))?;
    query::draw(section, table, Format::Table, style, out)?;
    Ok(())
}

fn json(section: &Canned, table: &Table, style: &Style, out: &mut dyn Write) -> Result<()> {
    let mut rows = Vec::new();
    render::table(table, Format::Json, style, &mut rows)?;
    let rows: Vec<serde_json::Value> = serde_json::Deserializer::from_slice(&rows)
        .into_iter()
        .collect::<Result<_, _>>()?;
    let object = serde_json::json!({
        "section": section.name,
        "title": title(section),
        "rows": rows,
    });
    Ok(render::json::line(&object, out)?)
}
