//! Imported: the closing summary of an import.

use super::counted::{count, many};
use super::{Context as Run, old_log};
use crate::check::Check;
use crate::ingest::stats::{Opaque, Summary};
use crate::model::zone::Zone;
use crate::notice;
use crate::render::{escape, json};
use anyhow::{Context, Result};
use std::io::Write;

/// Writes the closing summary, for people or as JSON.
///
/// # Errors
/// When `out` does not take it.
pub(super) fn print(summary: &Summary, json: bool, run: &Run, out: &mut dyn Write) -> Result<()> {
    if json {
        return json::line(summary, out).context("cannot write the summary");
    }
    text(summary, run.zone, out).context("cannot write the summary")?;
    let old = [
        old_log::said(summary, run),
        old_log::raw_lines(summary, run),
    ];
    for line in old.into_iter().flatten() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Says of an input that nothing in it was understood, and what it looks like.
pub(super) fn not_understood(opaque: &Opaque) {
    let lines = match opaque.lines {
        1 => "its only line".to_owned(),
        n => format!("any of its {} lines", count(n)),
    };
    let text = format!(
        "cannot understand {lines} in {}, the first is: {}",
        opaque.name, opaque.sample
    );
    notice::tell(notice::Level::Warning, &text);
    notice::hint(&format!(
        "maillog parse {} shows how each line was read",
        opaque.name
    ));
}

/// Says how many lines tell no time.
fn undated(s: &Summary, out: &mut dyn Write) -> std::io::Result<()> {
    let Some(sample) = s.undated_sample.as_deref().map(escape::terminal) else {
        return Ok(());
    };
    let lines = match s.undated {
        1 => "1 line has".to_owned(),
        n => format!("{} lines have", count(n)),
    };
    writeln!(
        out,
        "{lines} no time and cannot be stored, the first: {sample}"
    )
}

/// Writes the closing lines for people.
fn text(s: &Summary, zone: Zone, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{} read from {} in {}: {} understood, {} foreign, {} not understood",
        many(s.lines, "line"),
        files(s),
        seconds(s),
        count(s.understood),
        count(s.foreign),
        count(s.not_understood),
    )?;
    writeln!(
        out,
        "{}, {}, {}, {}",
        many(s.messages, "message"),
        many(s.recipients, "recipient"),
        many(s.refusals, "refusal"),
        hosts(s)
    )?;
    if let (Some(first), Some(last)) = (s.first_time, s.last_time) {
        writeln!(out, "log from {} to {}", zone.show(first), zone.show(last))?;
    }
    if s.known > 0 {
        writeln!(
            out,
            "{} lines were already read from another source and are stored once ({})",
            count(s.known),
            others(s)
        )?;
    }
    undated(s, out)?;
    if s.lost > 0 {
        writeln!(
            out,
            "the log says that {} lost before {} written",
            was(s.lost),
            if s.lost == 1 { "it was" } else { "they were" }
        )?;
    }
    let is_told = |check: Check| s.findings.iter().any(|finding| finding.check == check);
    if s.future > 0 && !is_told(Check::Future) {
        writeln!(
            out,
            "{} dated in the future: see --year and --timezone",
            if s.future == 1 {
                "1 line is".to_owned()
            } else {
                format!("{} lines are", count(s.future))
            }
        )?;
    }
    if s.not_understood > 0 {
        writeln!(out, "maillog status lists what was not understood")?;
    }
    wrong(s, out)?;
    for skipped in &s.skipped {
        writeln!(out, "skipped {}", escape::terminal(skipped))?;
    }
    Ok(())
}

/// Says what looks wrong.
fn wrong(s: &Summary, out: &mut dyn Write) -> std::io::Result<()> {
    // The report has the first line of each of these.
    let is_said = |check: Check| match check {
        Check::NoLine => !s.opaque.is_empty(),
        Check::NoTime => s.undated_sample.is_some(),
        _ => false,
    };
    for finding in s.findings.iter().filter(|f| !is_said(f.check)) {
        writeln!(out, "looks wrong: {}", escape::terminal(&finding.text()))?;
    }
    Ok(())
}

fn files(s: &Summary) -> String {
    let files = if s.files == 1 {
        "1 file".to_owned()
    } else {
        format!("{} files", s.files)
    };
    match s.files_known {
        0 => files,
        n if n == s.files => format!("{files} (nothing new)"),
        n => format!("{files} ({n} without anything new)"),
    }
}

/// Names up to three sources.
fn others(s: &Summary) -> String {
    const SHOWN: usize = 3;
    let name = |name: &String| match name.as_str() {
        "-" => "standard input".to_owned(),
        name => escape::terminal(name).into_owned(),
    };
    let mut names: Vec<String> = s.known_from.iter().take(SHOWN).map(name).collect();
    if s.known_from.len() > SHOWN {
        names.push("...".to_owned());
    }
    names.join(", ")
}

fn seconds(s: &Summary) -> String {
    if s.lines == 0 {
        return format!("{:.1} s", s.seconds);
    }
    format!("{:.1} s ({:.0} lines/s)", s.seconds, s.lines_per_second)
}

/// Names up to four hosts.
fn hosts(s: &Summary) -> String {
    let named = s.hosts.iter().filter(|h| !h.is_empty());
    let number = named.clone().count();
    let names: Vec<String> = named
        .take(4)
        .map(|h| escape::terminal(h).into_owned())
        .collect();
    match number {
        0 => "no host".to_owned(),
        1 => format!("host {}", names.join(", ")),
        n if n > 4 => format!("{n} hosts ({}, ...)", names.join(", ")),
        n => format!("{n} hosts ({})", names.join(", ")),
    }
}

fn was(lines: u64) -> String {
    let verb = if lines == 1 { "was" } else { "were" };
    format!("{} {verb}", many(lines, "line"))
}
