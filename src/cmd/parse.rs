//! `maillog parse`: what each line was understood as, one JSON object a line, without a database.

use crate::model::entry::Entry;
use crate::model::time::Time;
use crate::notice;
use crate::parse;
use crate::render::json;
use crate::source::{self, Decoder, Input};
use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;
use std::ffi::OsString;
use std::io::Write;

use super::{Context as Run, Exit};

/// Show how maillog reads each log line
///
/// Prints one JSON object for each line, in the order of the log, without a database. If maillog reads a line wrongly,
/// put this output into your bug report.
#[derive(Debug, Args)]
pub struct Parse {
    /// Log to read; - or nothing: standard input
    #[arg(value_name = "FILE")]
    pub file: Option<OsString>,
    /// Output format
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value_t)]
    pub output: Format,
    /// Show only lines that were not understood
    #[arg(long)]
    pub unknown: bool,
    /// Stamps without year or zone.
    #[command(flatten)]
    pub stamp: super::stamp::Stamp,
}

/// Formats of `maillog parse`.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub enum Format {
    /// One object on each line
    #[default]
    Json,
}

/// One printed object: the record, its identifier taken apart, and its meaning.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    host: &'a str,
    instance: &'a str,
    service: &'a str,
    pid: Option<u32>,
    /// Without a text of its own: it is a part of the line's.
    #[serde(flatten)]
    event: serde_json::Value,
    text: &'a str,
}

impl Parse {
    /// Runs the command.
    ///
    /// # Errors
    /// When the file cannot be read or the result not be written.
    pub fn run(self, run: &Run) -> Result<Exit> {
        let options = self.stamp.options(run)?;
        let path = self.file.unwrap_or_else(|| "-".into());
        let (inputs, _) = source::collect(&[path], &options)?;
        let mut output = run.output(false);
        let (mut undated, mut sample) = (0, String::new());
        for input in &inputs {
            let (lines, first) = print(input, &options, self.unknown, output.writer())?;
            if undated == 0 {
                sample = first;
            }
            undated += lines;
        }
        output.finish()?;
        tell(undated, &sample);
        Ok(Exit::Found)
    }
}

/// Prints each record of one input; returns how many tell no time, and the first. A failed write ends the reading; its error
/// is returned.
fn print(
    input: &Input,
    options: &source::Options,
    unknown: bool,
    out: &mut dyn Write,
) -> Result<(u64, String)> {
    let mut decoder = Decoder::new(options, input.hints(options), None);
    let mut written = Ok(());
    let (mut undated, mut sample) = (0_u64, String::new());
    let mut sink = |entry: &Entry<'_>| {
        if entry.time.is_none() {
            undated += 1;
            if undated == 1 {
                entry.raw.clone_into(&mut sample);
            }
        }
        if written.is_ok() {
            written = line(entry, unknown, out);
        }
    };
    for chunk in input.read_from(0)? {
        decoder.decode(&chunk?, &mut sink);
    }
    decoder.finish(&mut sink);
    written
        .map(|()| (undated, sample))
        .context("cannot write the result")
}

/// Says how many lines tell no time.
fn tell(undated: u64, sample: &str) {
    let lines = match undated {
        0 => return,
        1 => "1 line has".to_owned(),
        n => format!("{n} lines have"),
    };
    let text = format!("{lines} no time, the first: {sample}");
    notice::tell(notice::Level::Warning, &text);
}

fn line(entry: &Entry<'_>, unknown: bool, out: &mut dyn Write) -> std::io::Result<()> {
    let event = parse::parse(entry);
    if unknown && !matches!(event, crate::model::event::Event::Other { .. }) {
        return Ok(());
    }
    let mut meaning = serde_json::to_value(&event)?;
    if let Some(meaning) = meaning.as_object_mut() {
        meaning.shift_remove("text");
    }
    let line = Line {
        time: entry
            .time
            .and_then(Time::to_utc)
            .map(|t| t.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)),
        host: entry.host,
        instance: entry.instance(),
        service: entry.service(),
        pid: entry.pid,
        event: meaning,
        text: entry.text,
    };
    json::line(&line, out)
}
