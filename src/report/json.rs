//! Json: one object a line, each with `section`, `title` and `rows`: first the report itself, then what changed, then the sections.

use super::changes::Change;
use super::{Report, Section};
use crate::render::{self, Format, Style};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Writes the report.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    line(&head(report), out)?;
    if !report.no_empty || !report.changes.is_empty() {
        let rows: Vec<Value> = report.changes.iter().map(change).collect();
        let more = (report.more_changes > 0).then(|| json!({ "rows": report.more_changes }));
        let changes = json!({
            "section": "changes", "title": "What changed", "rows": rows, "part": "compared", "more": more,
        });
        line(&changes, out)?;
    }
    for section in report.shown() {
        line(&self::section(section)?, out)?;
    }
    Ok(())
}

fn line(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    render::json::line(value, out)
}

fn head(report: &Report) -> Value {
    let time = render::json::time;
    let notes: Vec<Value> = report
        .notes
        .iter()
        .map(|note| json!({ "text": note.text, "fault": note.is_fault }))
        .collect();
    json!({
        "section": "report",
        "title": report.title,
        "rows": [{
            "since": time(report.span.since),
            "until": time(report.span.until),
            "timezone": report.span.zone.written(),
            "problems": report.has_problems(),
            "notes": notes,
        }],
    })
}

fn change(change: &Change) -> Value {
    let figure = &change.figure;
    json!({
        "text": change.sentence(),
        "figure": figure.kind.name(),
        "subject": figure.subject,
        "number": figure.now,
        "least": change.range.least,
        "most": change.range.most,
        "said": change.said.as_ref().map(|(count, text)| json!({ "number": count, "text": text })),
        "find": change.find,
    })
}

fn section(section: &Section) -> io::Result<Value> {
    let mut rows = Vec::new();
    render::table(&section.table, Format::Json, &Style::default(), &mut rows)?;
    let rows: Vec<Value> = serde_json::Deserializer::from_slice(&rows)
        .into_iter()
        .collect::<Result<_, _>>()?;
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("section", json!(section.name));
    put("title", json!(section.title));
    put("rows", Value::Array(rows));
    put("part", json!(section.part.name()));
    if section.finds.iter().any(Option::is_some) {
        put("find", json!(section.finds));
    }
    if let Some(more) = &section.more {
        put(
            "more",
            json!({ "rows": more.rows, "command": more.command }),
        );
    }
    Ok(Value::Object(object))
}
