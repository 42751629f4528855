//! File: the text of a canned query -> header and statement.

use super::names::{SqlPart, pieces};
use super::{Canned, Declared, Kind};

/// Options that every query has, so that no parameter may be called so.
const TAKEN: &[&str] = &[
    "all", "color", "config", "db", "explain", "help", "no-pager", "now", "output", "version",
];

/// Reads a file.
///
/// # Errors
/// What is wrong with it, in one line.
pub(super) fn read(name: &'static str, text: &'static str) -> Result<Canned, String> {
    is_name(name)?;
    let mut canned = Canned {
        name,
        summary: "",
        group: None,
        title: None,
        help: Vec::new(),
        params: Vec::new(),
        bars: Vec::new(),
        sparks: Vec::new(),
        sql: String::new(),
        text,
    };
    let mut body = 0;
    for line in text.split_inclusive('\n') {
        let Some(comment) = line.strip_prefix("--") else {
            break;
        };
        body += line.len();
        header(&mut canned, comment)?;
    }
    while canned.help.first().is_some_and(|line| line.is_empty()) {
        canned.help.remove(0);
    }
    if canned.summary.is_empty() {
        return Err("the header has no line `-- summary: ...`".to_owned());
    }
    canned.sql = statement(&canned.params, text.get(body..).unwrap_or_default())?;
    Ok(canned)
}

fn header(canned: &mut Canned, comment: &'static str) -> Result<(), String> {
    let comment = comment.trim_end();
    let (key, value) = comment.split_once(": ").unwrap_or((comment, ""));
    let value = value.trim();
    match key {
        " summary" => canned.summary = value,
        " group" => canned.group = Some(value),
        " title" => canned.title = Some(value),
        " bar" => canned.bars.push(value),
        " spark" => canned.sparks.push(value),
        " param" => {
            let param = declared(value)?;
            if canned.param(param.name).is_some() {
                return Err(format!("parameter {}: declared twice", param.name));
            }
            canned.params.push(param);
        }
        _ => canned
            .help
            .push(comment.strip_prefix(' ').unwrap_or(comment)),
    }
    Ok(())
}

fn declared(line: &'static str) -> Result<Declared, String> {
    let (line, help) = line.split_once(" -- ").unwrap_or((line, ""));
    let mut words = line.splitn(3, ' ').map(str::trim);
    let (name, kind) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let default = words.next().unwrap_or("");
    is_name(name).map_err(|why| format!("parameter: {why}"))?;
    if TAKEN.contains(&name) {
        return Err(format!(
            "parameter {name}: every query has an option --{name}"
        ));
    }
    let (kind, is_required) = match kind.strip_suffix('!') {
        Some(kind) => (kind, true),
        None => (kind, false),
    };
    let kind = match kind {
        "time" => Kind::Time,
        "count" => Kind::Count,
        "number" => Kind::Number,
        "text" => Kind::Text,
        "domain" => Kind::Domain,
        "zone" => Kind::Zone,
        other => {
            return Err(format!(
                "parameter {name}: unknown type {other:?}; use time, count, number, text, domain or zone"
            ));
        }
    };
    let has_none = default.is_empty() && !is_required;
    if has_none && matches!(kind, Kind::Time | Kind::Count | Kind::Number) {
        return Err(format!(
            "parameter {name}: write a default, or mark it as required with !"
        ));
    }
    Ok(Declared {
        name,
        kind,
        default,
        is_required,
        help: help.trim(),
    })
}

/// Names are typed, become options and stand behind a `$`.
fn is_name(name: &str) -> Result<(), String> {
    let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if fits && name.len() <= 40 {
        return Ok(());
    }
    Err(format!(
        "{name:?} is not a name: use the letters a to z, digits and _, and begin with a letter"
    ))
}

fn statement(params: &[Declared], body: &str) -> Result<String, String> {
    let mut sql = String::with_capacity(body.len());
    let mut is_used = vec![false; params.len()];
    for piece in pieces(body) {
        match piece {
            SqlPart::Text(text) => sql.push_str(text),
            SqlPart::Name(name) => {
                let at = params.iter().position(|param| param.name == name);
                let at = at.ok_or_else(|| format!("${name} is no parameter of the header"))?;
                sql.push_str(&format!("${}", at + 1));
                if let Some(used) = is_used.get_mut(at) {
                    *used = true;
                }
            }
        }
    }
    if let Some((param, _)) = params.iter().zip(is_used).find(|(_, used)| !used) {
        return Err(format!(
            "parameter {}: the statement has no ${}",
            param.name, param.name
        ));
    }
    let sql = sql.trim();
    if sql.is_empty() {
        return Err("no statement below the header".to_owned());
    }
    Ok(sql.to_owned())
}
