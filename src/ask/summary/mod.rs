//! Summary: the report of a span: what is asked of the database for it, and the report made of the answers.
//!
//! | file | duty |
//! |---|---|
//! | `sections` | which canned queries are in it, in which order, and their statements |
//! | `figures` | the figures beside those of the spans before |
//! | `logged` | counting like pflogsumm |
//! | `notes` | what was read, and what the report is compared with |

mod figures;
mod logged;
mod notes;
mod sections;

pub use sections::{SECTIONS, Slot};

use super::Ask;
use super::coverage::Coverage;
use crate::canned::{self, Canned, Declared, Kind as ParamKind};
use crate::check;
use crate::model::retain::Retain;
use crate::model::table::{Cell, Param, Table};
use crate::model::time::Time;
use crate::query::time;
use crate::render::Format;
use crate::render::local::readings;
use crate::report::changes::{Change, changes};
use crate::report::span::Span;
use crate::report::usual::{Figure, Kind};
use crate::report::{More, Part, Report, Section, average, finds, picture};
use crate::store;
use figures::Compared;
use sections::{ALL_ROWS, DAILY, HOURLY, statement};
use std::collections::BTreeSet;

/// What is to be in a report.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "what a person may want or not"
)]
pub struct SummaryRequest {
    /// The time.
    pub span: Span,
    /// The present.
    pub now: Time,
    /// How long rows are kept: what is older is not known.
    pub retain: Retain,
    /// At most this many rows in a section; its query's own default where none.
    pub top: Option<u32>,
    /// Only this domain; empty for all.
    pub domain: String,
    /// Only this host; empty for all.
    pub host: String,
    /// Only this Postfix instance; empty for all.
    pub instance: String,
    /// Count like pflogsumm: each hop is a mail.
    pub as_logged: bool,
    /// Also the newest messages with their outcome.
    pub messages: bool,
    /// Also the queue, recipient by recipient.
    pub queue: bool,
    /// Leave out sections without rows.
    pub no_empty: bool,
    /// Whose mail is seen, in words; none where it is all mail.
    pub seen: Option<String>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    /// A file of the user in place of a section is broken.
    #[error("query {name}: {fault}")]
    Broken {
        /// The section.
        name: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// There is no such query.
    #[error("no query {0}")]
    Missing(&'static str),
    /// The database fails.
    #[error(transparent)]
    Database(#[from] store::Error),
}

/// What changed is cut to this where nothing else is said.
const MOST_CHANGES: usize = 20;

/// Domains whose failures are looked at for what they say.
const MOST_SAID: usize = 50;

impl SummaryRequest {
    /// Returns the request for everything in the span.
    #[must_use]
    pub fn new(span: Span, now: Time, retain: Retain) -> Self {
        Self {
            span,
            now,
            retain,
            top: None,
            domain: String::new(),
            host: String::new(),
            instance: String::new(),
            as_logged: false,
            messages: false,
            queue: false,
            no_empty: false,
            seen: None,
        }
    }

    /// Asks for everything and makes the report of it; `listed` are the queries, those of the user before the program's own.
    ///
    /// # Errors
    /// When the query of a section is broken or missing, or the database fails.
    pub fn report(&self, ask: &dyn Ask, listed: &[canned::Listed]) -> Result<Report, SummaryError> {
        let compared = Compared::of(ask, self)?;
        // The hour that begins when the span ends is no part of it.
        let end = self.span.last().plus(-1);
        let coverage = Coverage::of(ask, (Some(self.span.since), Some(end)))?;
        let (mut notes, is_whole) = notes::notes(self, &compared, &coverage);
        let mut changes = self.changes(ask, &compared, is_whole)?;
        let most = self.top.map_or(MOST_CHANGES, |top| top as usize);
        let more_changes = changes.len().saturating_sub(most);
        changes.truncate(most);
        let mut sections = vec![self.figures(&compared)];
        let mut left_out = Vec::new();
        for section in SECTIONS {
            let query = query(listed, section.name)?;
            if !self.is_wanted(section.name) {
                continue;
            }
            if !self.domain.is_empty() && query.param("domain").is_none() {
                left_out.push(title(query).to_owned());
                continue;
            }
            sections.push(self.section(ask, *section, query)?);
        }
        notes.extend(notes::left_out(&self.domain, &left_out));
        Ok(Report {
            title: format!("Mail log: {}{}", self.span.name(), self.whose()),
            span: self.span,
            notes,
            changes,
            more_changes,
            is_compared: compared.is_possible(),
            sections,
            no_empty: self.no_empty,
        })
    }

    /// The parts of all mail that the report is about.
    fn whose(&self) -> String {
        let parts = [
            ("domain", &self.domain),
            ("host", &self.host),
            ("instance", &self.instance),
        ];
        let parts = parts.into_iter().filter(|(_, name)| !name.is_empty());
        parts
            .map(|(what, name)| format!(", {what} {name}"))
            .collect()
    }

    fn is_wanted(&self, section: &str) -> bool {
        match section {
            "messages" => self.messages,
            "queue_now" => self.queue,
            name => !DAILY.contains(&name) || self.span.has_days(),
        }
    }

    /// The domain as statements compare it with the end of an address.
    fn domain_end(&self) -> String {
        if self.domain.is_empty() {
            String::new()
        } else {
            format!("@{}", self.domain)
        }
    }

    fn context(&self) -> Vec<String> {
        finds::context(&self.domain, &self.host, &self.instance)
    }

    fn changes(
        &self,
        ask: &dyn Ask,
        compared: &Compared,
        is_whole: bool,
    ) -> Result<Vec<Change>, SummaryError> {
        let mut found = changes(&compared.figures);
        // Where log is missing, less mail is no news.
        found.retain(|change| is_whole || change.figure.now > change.range.most);
        let of_domain = |change: &&Change| {
            let kind = change.figure.kind;
            let is_failure = matches!(kind, Kind::Bounced | Kind::Deferrals | Kind::Expired);
            is_failure && !change.figure.subject.is_empty()
        };
        let domains = found
            .iter()
            .filter(of_domain)
            .map(|change| change.figure.subject.clone());
        let domains: BTreeSet<String> = domains.take(MOST_SAID).collect();
        let domains: Vec<String> = domains.into_iter().collect();
        let said = Compared::said(ask, self, &domains)?;
        for change in &mut found {
            let (kind, subject) = (change.figure.kind, &change.figure.subject);
            let mut of_change = said
                .iter()
                .filter(|(what, domain, ..)| *what == kind && domain == subject);
            change.said = of_change.next().map(|(.., n, text)| (*n, text.clone()));
            change.find = finds::of_figure(kind, subject, &self.span, &self.context());
        }
        Ok(found)
    }

    /// The figures as a section.
    fn figures(&self, compared: &Compared) -> Section {
        let mut heads = vec!["figure".to_owned(), self.span.short()];
        let mut columns = vec!["figure".to_owned(), "number".to_owned()];
        for (place, span) in compared.before.iter().enumerate() {
            columns.push(format!("before_{}", place + 1));
            heads.push(span.short());
        }
        if !compared.before.is_empty() {
            columns.extend(["least", "most"].map(str::to_owned));
            heads.extend(["usually from", "to"].map(str::to_owned));
        }
        let is_shown =
            |figure: &&Figure| figure.subject.is_empty() || figure.kind == Kind::Received;
        let shown: Vec<&Figure> = compared.figures.iter().filter(is_shown).collect();
        let rows = shown.iter().map(|figure| {
            let mut row = vec![
                Cell::Text(figure.kind.words(&figure.subject)),
                number(Some(figure.now)),
            ];
            if !compared.before.is_empty() {
                let range = figure.range();
                row.extend(figure.before.iter().map(|n| number(*n)));
                row.push(number(range.map(|range| range.least)));
                row.push(number(range.map(|range| range.most)));
            }
            row
        });
        let table = Table {
            columns,
            rows: rows.collect(),
        };
        let context = self.context();
        let finds = shown.iter();
        let finds = finds.map(|f| finds::of_figure(f.kind, &f.subject, &self.span, &context));
        Section {
            name: "figures".to_owned(),
            title: format!("Figures beside {}", self.span.before_name()),
            part: Part::Compared,
            finds: finds.collect(),
            heads,
            table,
            ..Section::default()
        }
    }

    fn section(
        &self,
        ask: &dyn Ask,
        section: Slot,
        query: &Canned,
    ) -> Result<Section, SummaryError> {
        let statement = statement(query, self.as_logged);
        let params: Vec<Param> = query.params.iter().map(|p| self.value(p)).collect();
        let table = ask.rows(&statement.sql, &params)?;
        let mut table = readings(&statement.sql, table, Format::Json);
        let all = statement
            .has_count
            .then(|| take_count(&mut table))
            .flatten();
        let more = self.more(query, &table, all);
        let mut title = title(query).to_owned();
        if HOURLY.contains(&section.name) && self.span.has_days() {
            table = average::by_hour(&table, days(&table));
            title = title.replace("Summary", "Daily Average");
        }
        let owned = |names: &[&'static str]| names.iter().map(|name| (*name).to_owned()).collect();
        Ok(Section {
            name: section.name.to_owned(),
            title,
            part: section.part,
            heads: Vec::new(),
            bars: owned(&query.bars),
            sparks: owned(&query.sparks),
            picture: picture::of(section.name, &table),
            finds: finds::finds(section.name, &table, &self.span, &self.context()),
            table,
            more,
        })
    }

    /// What is bound to a parameter: what the request says, else its default.
    fn value(&self, declared: &Declared) -> Param {
        let text = declared.default;
        match (declared.name, declared.kind) {
            ("since", _) => Param::Time(self.span.since),
            ("until", _) => Param::Time(self.span.last()),
            ("at", _) => Param::Time(self.span.until),
            ("top", _) => Param::Int(self.top(declared)),
            ("domain", _) => Param::Text(self.domain_end()),
            ("host", _) => Param::Text(self.host.clone()),
            ("instance", _) => Param::Text(self.instance.clone()),
            (_, ParamKind::Zone) => Param::Text(self.span.zone.written()),
            (_, ParamKind::Count) => Param::Int(text.parse().unwrap_or(0)),
            (_, ParamKind::Number) => Param::Float(text.parse().unwrap_or(0.0)),
            (_, ParamKind::Time) => {
                let unit = time::parse(text, self.now, self.span.zone);
                Param::Time(unit.map_or(Time(0), |unit| unit.start))
            }
            (_, ParamKind::Text | ParamKind::Domain) => Param::Text(text.to_owned()),
        }
    }

    fn top(&self, declared: &Declared) -> i64 {
        let default = || declared.default.parse().unwrap_or(20);
        self.top.map_or_else(default, i64::from)
    }

    /// What is cut from the rows, of which there are so many in all.
    fn more(&self, query: &Canned, table: &Table, all: Option<u64>) -> Option<More> {
        let top = self.top(query.param("top")?);
        let shown = table.rows.len() as u64;
        let rows = match all {
            Some(all) => Some(all.checked_sub(shown).filter(|more| *more > 0)?),
            // Nobody counted: as many as were asked for may be all.
            None if i64::try_from(shown).is_ok_and(|shown| shown >= top) => None,
            None => return None,
        };
        let span = if query.param("at").is_some() {
            self.span.at_option()
        } else {
            format!(" {}", self.span.options())
        };
        let mut command = format!("maillog query {}{span}", query.name);
        let options = [
            ("domain", &self.domain),
            ("host", &self.host),
            ("instance", &self.instance),
        ];
        for (name, value) in options {
            if !value.is_empty() && query.param(name).is_some() {
                command.push_str(&format!(" --{name} {}", check::quoted(value)));
            }
        }
        let all = all.unwrap_or(1_000_000).max(shown);
        command.push_str(&format!(" --top {all}"));
        Some(More { rows, command })
    }
}

/// The statements of a report, for sessions that may run no others.
#[must_use]
pub fn statements() -> Vec<String> {
    let queries = canned::all().unwrap_or_default();
    let queries = queries.iter().filter(|query| {
        let mut listed = SECTIONS.iter();
        listed.any(|section| section.name == query.name)
    });
    queries
        .flat_map(|query| [false, true].map(|as_logged| statement(query, as_logged).sql))
        .chain(figures::statements())
        .collect()
}

/// Returns the query of a section.
fn query<'a>(listed: &'a [canned::Listed], name: &'static str) -> Result<&'a Canned, SummaryError> {
    let found = listed.iter().find(|listed| listed.name == name);
    match found.map(|listed| &listed.query) {
        Some(Ok(query)) => Ok(query),
        Some(Err(fault)) => Err(SummaryError::Broken {
            name,
            fault: fault.clone(),
        }),
        None => Err(SummaryError::Missing(name)),
    }
}

fn title(query: &Canned) -> &str {
    query.title.unwrap_or(query.summary)
}

/// Takes the column of the number of all rows off the table.
fn take_count(table: &mut Table) -> Option<u64> {
    let at = table.columns.iter().position(|name| name == ALL_ROWS)?;
    table.columns.remove(at);
    let mut all = None;
    for row in &mut table.rows {
        if at < row.len()
            && let Cell::Int(n) = row.remove(at)
        {
            all = u64::try_from(n).ok();
        }
    }
    all
}

/// Returns how many days the hours of the table are of.
fn days(table: &Table) -> u32 {
    let day = |row: &Vec<Cell>| match row.first() {
        Some(Cell::Text(text)) => text.split(' ').next().map(str::to_owned),
        _ => None,
    };
    let days: BTreeSet<String> = table.rows.iter().filter_map(day).collect();
    u32::try_from(days.len()).unwrap_or(u32::MAX)
}

fn number(number: Option<f64>) -> Cell {
    #[expect(clippy::cast_possible_truncation, reason = "a whole number, and small")]
    match number {
        None => Cell::Null,
        Some(n) if n.fract() == 0.0 && n.abs() < 1e15 => Cell::Int(n as i64),
        Some(n) => Cell::Float(n),
    }
}
