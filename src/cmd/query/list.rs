//! List: what can be asked, in groups.

use crate::canned::{GROUPS, Listed, OWN, Origin};
use crate::cmd::{Context, Exit};
use crate::model::table::{Cell, Table};
use crate::render::{self, Format, escape};
use anyhow::Result;

/// Writes the list; in a format for programs, a row a query.
///
/// # Errors
/// When stdout does not take it.
pub(super) fn write(listed: &[Listed], format: Option<Format>, run: &Context) -> Result<Exit> {
    let mut output = run.output(true);
    let style = output.style;
    if let Some(format) = format {
        render::table(&table(listed), format, &style, output.writer())?;
    } else {
        for line in lines(listed, style.width) {
            writeln!(output.writer(), "{line}")?;
        }
    }
    output.finish()?;
    Ok(Exit::Found)
}

fn lines(listed: &[Listed], room: Option<u16>) -> Vec<String> {
    let width = listed.iter().map(|l| l.name.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for group in groups(listed) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("{}:", escape::terminal(group)));
        let of_group = listed.iter().filter(|l| self::group(l) == group);
        for l in of_group {
            let mut start = format!("  {:width$}  ", escape::terminal(l.name));
            let text = text(l);
            let text = escape::terminal(&text);
            for line in render::broken(&text, width + 4, room) {
                lines.push(format!("{start}{}", line.trim_end()));
                start = " ".repeat(width + 4);
            }
        }
    }
    lines
}

fn group(listed: &Listed) -> &'static str {
    match &listed.query {
        Ok(query) => query.group.unwrap_or(OWN),
        Err(_) => OWN,
    }
}

/// The program's groups in their order, then what users call theirs.
fn groups(listed: &[Listed]) -> Vec<&'static str> {
    let mut others: Vec<&str> = listed
        .iter()
        .map(group)
        .filter(|group| !GROUPS.contains(group))
        .collect();
    others.sort_unstable();
    others.dedup();
    let known = GROUPS.into_iter();
    known
        .filter(|group| listed.iter().any(|l| self::group(l) == *group))
        .chain(others)
        .collect()
}

fn text(listed: &Listed) -> String {
    let of_file = |path: &std::path::Path| path.display().to_string();
    match (&listed.query, &listed.origin) {
        (Ok(query), Origin::Program) => query.summary.to_owned(),
        (Ok(query), Origin::File(path)) => format!("{} ({})", query.summary, of_file(path)),
        (Err(fault), Origin::Program) => format!("broken: {fault}"),
        (Err(fault), Origin::File(path)) => format!("broken: {fault} ({})", of_file(path)),
    }
}

fn table(listed: &[Listed]) -> Table {
    let text = |text: &str| Cell::Text(text.to_owned());
    let rows = listed.iter().map(|l| {
        let (summary, fault) = match &l.query {
            Ok(query) => (text(query.summary), Cell::Null),
            Err(fault) => (Cell::Null, text(fault)),
        };
        let file = match &l.origin {
            Origin::Program => Cell::Null,
            Origin::File(path) => Cell::Text(path.display().to_string()),
        };
        vec![text(l.name), text(group(l)), summary, file, fault]
    });
    Table {
        columns: ["name", "group", "summary", "file", "fault"]
            .map(str::to_owned)
            .into(),
        rows: rows.collect(),
    }
}
