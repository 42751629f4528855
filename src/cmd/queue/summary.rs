//! `maillog queue summary`: the queue in numbers.

use super::super::{Context as Run, Exit};
use super::load::{self, Needs};
use super::options::{Form, Shared};
use crate::queue::filter::Present;
use crate::queue::summary::Summary;
use crate::render::{json, queue};
use anyhow::{Result, bail};
use serde_json::Value;

/// Runs the subcommand.
pub(super) fn run(terms: &[String], shared: &Shared, run: &Run) -> Result<Exit> {
    let form = shared.output.unwrap_or(Form::Table);
    if !matches!(form, Form::Table | Form::Json | Form::Count) {
        bail!("the summary is shown as table, json or count only: use -o with one of these");
    }
    let filter = shared.filter(terms, run)?;
    let mut present = Present::new(run.now, run.zone);
    let mut summary = Summary::default();
    let listing = if Needs::of(&filter).any() {
        let loaded = load::load(&filter, false, shared, run, &mut present)?;
        for mail in &loaded.mails {
            summary.add(mail, run.now);
        }
        loaded.listing
    } else {
        // No mail is kept.
        let listing = load::each(shared, run, &mut |mail| {
            if filter.fits(&mail, &mut present) {
                summary.add(&mail, run.now);
            }
        })?;
        listing.tell();
        listing
    };
    let mut output = run.output(form == Form::Table);
    let style = output.style;
    let out = output.writer();
    match form {
        Form::Json => {
            let mut all = summary.json();
            let time = listing.time.to_utc();
            let time = time.map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
            all.insert("time".to_owned(), time.map_or(Value::Null, Value::String));
            all.insert("not_understood".to_owned(), listing.odd_lines.into());
            json::line(&Value::Object(all), out)?;
        }
        Form::Count => writeln!(out, "{}", summary.mails())?,
        _ => queue::summary(&summary, listing.time, &listing.from, &style, out)?,
    }
    output.finish()?;
    Ok(Exit::Found)
}
