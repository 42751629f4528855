//! `maillog summary`: the report of a span, as text, HTML, JSON or Markdown.

use super::query::{self, value};
use super::{Context as Run, Exit};
use crate::ask::summary::SummaryRequest;
use crate::model::zone::Zone;
use crate::query::time;
use crate::report::TextStyle;
use crate::report::span::{Calendar, Span};
use anyhow::{Result, anyhow, bail};
use clap::{Args, ValueEnum};

/// Report what changed, what failed, and the traffic of a period
///
/// Shows what left its usual range first, beside the same weekday of the last four weeks, then failures, then everything else that
/// pflogsumm and logwatch report. Each section is a canned query: `maillog query NAME` runs one of them alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  maillog summary --day
  maillog summary --week -o html > week.html")]
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
    /// Report a day [default: yesterday]
    #[arg(long, value_name = "DAY", num_args = 0..=1, default_missing_value = "yesterday", conflicts_with_all = ["since", "until", "week", "month"])]
    pub day: Option<String>,
    /// Report a week [default: last week]
    #[arg(long, value_name = "WEEK", num_args = 0..=1, default_missing_value = "last week", conflicts_with_all = ["since", "until", "month"])]
    pub week: Option<String>,
    /// Report a month [default: last month]
    #[arg(long, value_name = "MONTH", num_args = 0..=1, default_missing_value = "last month", conflicts_with_all = ["since", "until"]
    )]
    pub month: Option<String>,
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
    #[arg(long, value_name = "TEXT", hide_short_help = true)]
    pub instance: Option<String>,
    /// Time zone of days and hours [default: yours]
    #[arg(
        long,
        value_name = "ZONE",
        allow_hyphen_values = true,
        hide_short_help = true
    )]
    pub timezone: Option<String>,
    /// Count like pflogsumm: each hop of a mail is a mail
    #[arg(long)]
    pub as_logged: bool,
    /// Sections about problems come first anyway.
    #[arg(long, hide = true)]
    pub problems_first: bool,
    /// Leave out sections without rows
    #[arg(long)]
    pub no_empty: bool,
    /// Also show the newest messages with their outcome
    #[arg(long, hide_short_help = true)]
    pub messages: bool,
    /// Also show the queue, according to the log
    #[arg(long, hide_short_help = true)]
    pub queue: bool,
    /// Show the `maillog find` command of each row, in text
    #[arg(long, hide_short_help = true)]
    pub queries: bool,
    /// text, html, json or markdown [default: text]
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t = Form::Text, hide_possible_values = true, hide_default_value = true)]
    pub output: Form,
}

/// Forms of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Sections with titles
    Text,
    /// One page without outside resources
    Html,
    /// One JSON object for each section
    Json,
    /// Tables of GitHub's Markdown
    Markdown,
}

impl Summary {
    /// Runs the command.
    ///
    /// # Errors
    /// When a value does not fit, a user's file in place of a section is broken, or the database fails.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let mut request = self.request(run)?;
        let listed = query::listed();
        let store = run.reader()?;
        request.seen = store.scope().map(str::to_owned);
        let report = request.report(&store, &listed)?;
        let mut output = run.output(matches!(self.output, Form::Text | Form::Markdown));
        let style = TextStyle {
            style: crate::render::Style {
                zone: request.span.zone,
                ..output.style
            },
            is_ascii: !super::output::is_utf8(),
            with_finds: self.queries,
        };
        let out = output.writer();
        match self.output {
            Form::Text => report.write_text(&style, out)?,
            Form::Html => out.write_all(report.html().as_bytes())?,
            Form::Json => report.write_json(out)?,
            Form::Markdown => report.write_markdown(out)?,
        }
        output.finish()?;
        Ok(Exit::Found)
    }

    fn request(&self, run: &Run) -> Result<SummaryRequest> {
        let domain = self.domain.as_deref().unwrap_or_default();
        let domain = value::domain("domain", domain.trim())?;
        let text = |text: &Option<String>| text.clone().unwrap_or_default().trim().to_owned();
        Ok(SummaryRequest {
            top: self.top,
            domain: domain.trim_start_matches('@').to_owned(),
            host: text(&self.host),
            instance: text(&self.instance),
            as_logged: self.as_logged,
            messages: self.messages,
            queue: self.queue,
            no_empty: self.no_empty,
            ..SummaryRequest::new(self.span(run)?, run.now, run.config.retain)
        })
    }

    fn span(&self, run: &Run) -> Result<Span> {
        let zone = match self.timezone.as_deref() {
            None | Some("") => run.zone,
            Some(text) => Zone::parse(text).map_err(|error| anyhow!("--timezone: {error}"))?,
        };
        let units = [
            ("day", &self.day, Calendar::Day),
            ("week", &self.week, Calendar::Week),
            ("month", &self.month, Calendar::Month),
        ];
        for (name, text, calendar) in units {
            if let Some(text) = text {
                let unit = time::parse(text, run.now, zone);
                let unit = unit
                    .ok_or_else(|| anyhow!("--{name}: {text:?} is not a time; {}", time::FORMS))?;
                let span = Span::of_calendar(calendar, unit.start, zone, run.zone);
                // A day that is not over ends now.
                return Ok(span.up_to(run.now));
            }
        }
        let typed = |name: &str, text: &str| value::point(name, text.trim(), run.now, zone);
        let since = typed("since", &self.since)?;
        let until = match &self.until {
            Some(text) => Some(typed("until", text)?),
            None => None,
        };
        let span = Span {
            since,
            until: until.unwrap_or(run.now),
            is_open: until.is_none(),
            zone,
            reader: run.zone,
        };
        if span.until <= span.since {
            bail!(
                "--until: {} is not after {}, the start; name a later time",
                zone.show(span.until),
                zone.show(span.since)
            );
        }
        Ok(span)
    }
}
