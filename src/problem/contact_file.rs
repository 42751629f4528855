//! Contact file: `contacts.toml` read, and what is wrong in it told with its line.

use super::contact::{Book, Contact, Filter, Mode, Pattern, is_address, yes};
use super::severity::{Periods, Severity};
use crate::model::time::{SECOND, Time};
use crate::model::zone::Zone;
use crate::query;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// Languages that templates are built in for.
pub const LOCALES: [&str; 3] = ["en", "de", "cs"];

/// What is wrong with a file of contacts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text}")]
pub struct Wrong {
    /// The line, from 1 on.
    pub line: usize,
    /// What is wrong, and the cure.
    pub text: String,
}

/// Seconds in place of the built-in ones; what is absent is built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeriodTable {
    every: Option<u32>,
    silence: Option<u32>,
    tail: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTable {
    #[serde(default)]
    fallback: Vec<Spanned<String>>,
    #[serde(default)]
    contact: Vec<ContactTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactTable {
    name: Spanned<String>,
    owns: Vec<Spanned<String>>,
    #[serde(default)]
    priority: i32,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    template: Option<Spanned<String>>,
    #[serde(default)]
    locale: Option<Spanned<String>>,
    #[serde(default)]
    timezone: Option<Spanned<String>>,
    #[serde(default)]
    redirect: bool,
    #[serde(default)]
    fallback: Vec<Spanned<String>>,
    #[serde(default)]
    filter: Vec<Spanned<Filter>>,
    #[serde(default)]
    info: Vec<Spanned<String>>,
    #[serde(default)]
    low: Vec<Spanned<String>>,
    #[serde(default)]
    medium: Vec<Spanned<String>>,
    #[serde(default)]
    high: Vec<Spanned<String>>,
    #[serde(default)]
    critical: Vec<Spanned<String>>,
    #[serde(default)]
    period: BTreeMap<Severity, Spanned<PeriodTable>>,
}

/// A filter is checked without a window; it gets that of the run.
fn any_time() -> query::Options {
    query::Options {
        now: Time(0),
        zone: Zone::UTC,
        since: None,
        until: None,
        all: true,
        limit: None,
        all_hops: true,
    }
}

/// Reads a file of contacts; what is wrong is told with its line, everything at once where it can be.
///
/// # Errors
/// What is wrong: at least one.
pub fn read(text: &str) -> Result<Book, Vec<Wrong>> {
    let line_of = |at: usize| {
        let before = text.as_bytes().get(..at).unwrap_or_default();
        1 + memchr::memchr_iter(b'\n', before).count()
    };
    let file: FileTable = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(span.start));
        let text = error.message().replace('\n', " ");
        vec![Wrong { line, text }]
    })?;
    let mut reader = Reader {
        line_of: &line_of,
        wrong: Vec::new(),
    };
    let fallback = reader.addresses(&file.fallback);
    let mut names = BTreeSet::new();
    let mut contacts = Vec::new();
    for table in &file.contact {
        let name = table.name.get_ref();
        if name.is_empty() || name.chars().any(char::is_control) {
            reader.say(&table.name, "name: write a word".to_owned());
        } else if !names.insert(name.to_lowercase()) {
            let text = format!("name: {name:?} stands twice; give this contact another name");
            reader.say(&table.name, text);
        }
        contacts.push(reader.contact(table));
    }
    for other in file.contact.iter().flat_map(|table| &table.fallback) {
        if !names.contains(&other.get_ref().to_lowercase()) {
            let text = format!("fallback: no contact is called {:?}", other.get_ref());
            reader.say(other, text);
        }
    }
    reader.wrong.sort_by_key(|wrong| wrong.line);
    if reader.wrong.is_empty() {
        Ok(Book::new(contacts, fallback))
    } else {
        Err(reader.wrong)
    }
}

/// Collects what is wrong.
struct Reader<'a> {
    line_of: &'a dyn Fn(usize) -> usize,
    wrong: Vec<Wrong>,
}

impl Reader<'_> {
    fn say<T>(&mut self, place: &Spanned<T>, text: String) {
        let line = (self.line_of)(place.span().start);
        self.wrong.push(Wrong { line, text });
    }

    fn addresses(&mut self, list: &[Spanned<String>]) -> Vec<String> {
        for word in list {
            let address = word.get_ref();
            if !is_address(address) {
                let text = format!("{address:?} is no address; write it as bob@example.org");
                self.say(word, text);
            }
        }
        list.iter().map(|word| word.get_ref().clone()).collect()
    }

    fn patterns(&mut self, list: &[Spanned<String>]) -> Vec<Pattern> {
        let mut patterns = Vec::new();
        for word in list {
            if let Some(pattern) = Pattern::read(word.get_ref()) {
                patterns.push(pattern);
                continue;
            }
            let text = format!(
                "owns: {:?} is neither an address (bob@example.org) nor a domain (example.org, or .example.org with its subdomains) nor \"*\"",
                word.get_ref()
            );
            self.say(word, text);
        }
        patterns
    }

    fn periods(&mut self, severity: Severity, table: &Spanned<PeriodTable>) -> Periods {
        let built_in = severity.periods();
        let micros = |seconds: Option<u32>, other: i64| {
            seconds.map_or(other, |seconds| i64::from(seconds) * SECOND)
        };
        let own = table.get_ref();
        let silence = micros(own.silence, built_in.silence);
        let periods = Periods {
            every: micros(own.every, built_in.every),
            silence,
            tail: micros(own.tail, built_in.tail.min(silence)),
        };
        if periods.every == 0 || periods.tail > periods.silence {
            let text = "period: write seconds; every is above 0, and tail is at most silence";
            self.say(table, text.to_owned());
        } else if periods.tail > 0 && periods.silence % periods.every != 0 {
            let text = "period: a report is due when the silence ends, or nothing is ever recurring; make silence a multiple of every";
            self.say(table, text.to_owned());
        }
        periods
    }

    fn contact(&mut self, table: &ContactTable) -> Contact {
        let lists = [
            (Severity::Info, &table.info),
            (Severity::Low, &table.low),
            (Severity::Medium, &table.medium),
            (Severity::High, &table.high),
            (Severity::Critical, &table.critical),
        ];
        let lists = lists.map(|(severity, list)| (severity, self.addresses(list)));
        let periods = table.period.iter();
        let periods = periods.map(|(severity, table)| (*severity, self.periods(*severity, table)));
        let periods = periods.collect();
        self.words(table);
        let or = |word: &Option<Spanned<String>>, other: &str| {
            let word = word.as_ref().map(|word| word.get_ref().clone());
            word.unwrap_or_else(|| other.to_owned())
        };
        Contact {
            name: table.name.get_ref().clone(),
            owns: self.patterns(&table.owns),
            priority: table.priority,
            enabled: table.enabled,
            mode: table.mode,
            template: or(&table.template, "default"),
            locale: or(&table.locale, "en"),
            timezone: table.timezone.as_ref().map(|zone| zone.get_ref().clone()),
            redirect: table.redirect,
            fallback: table
                .fallback
                .iter()
                .map(|name| name.get_ref().clone())
                .collect(),
            filters: table
                .filter
                .iter()
                .map(|filter| filter.get_ref().clone())
                .collect(),
            addresses: lists.into_iter().collect(),
            periods,
        }
    }

    /// Says what is wrong with words that name something.
    fn words(&mut self, table: &ContactTable) {
        if let Some(locale) = &table.locale
            && !LOCALES.contains(&locale.get_ref().as_str())
        {
            let text = format!(
                "locale: {:?} is not built in; write one of {}",
                locale.get_ref(),
                LOCALES.join(", ")
            );
            self.say(locale, text);
        }
        if let Some(zone) = &table.timezone
            && zone.get_ref().parse::<chrono_tz::Tz>().is_err()
        {
            let text = format!(
                "timezone: {:?} is no zone; write one as Europe/Berlin",
                zone.get_ref()
            );
            self.say(zone, text);
        }
        if let Some(template) = &table.template
            && (template.get_ref().is_empty() || template.get_ref().contains(['/', '\0', '.']))
        {
            let text = "template: write the name of a template without its directory and ending";
            self.say(template, text.to_owned());
        }
        for filter in &table.filter {
            self.filter(filter);
        }
    }

    fn filter(&mut self, filter: &Spanned<Filter>) {
        let own = filter.get_ref();
        let is_day = |day: &String| day.parse::<chrono::NaiveDate>().is_ok();
        if !own.from.iter().chain(&own.to).all(is_day) {
            let text = format!(
                "filter {:?}: from and to are days; write them as 2026-11-28",
                own.name
            );
            self.say(filter, text);
        }
        if let Err(error) = query::compile_text(&own.query, &any_time()) {
            self.say(filter, format!("filter {:?}: {error}", own.name));
        }
    }
}
