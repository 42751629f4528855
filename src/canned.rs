//! The queries/ files: embedded list, header, parameters.
//!
//! A file is a header of comments and one SELECT. The header names a summary and the parameters:
//! `-- summary: text`, `-- param: name type default`. Types: time, count, text. In the statement a parameter is
//! `$name`; it becomes a bound parameter, never text.

use crate::model::table::Param;
use std::borrow::Cow;

/// A canned query as its file tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canned {
    /// File name without `.sql`.
    pub name: &'static str,
    /// One line for the list.
    pub summary: Cow<'static, str>,
    /// Parameters in the order of the header.
    pub params: Vec<Declared>,
    /// The statement with `$1`, `$2`, ... in place of names; `order` tells which is which.
    pub sql: String,
    /// The whole file.
    pub text: &'static str,
}

/// A declared parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// Name, as in `$name` and `--name`.
    pub name: String,
    /// Type.
    pub kind: Kind,
    /// Default as written; empty for none.
    pub default: String,
}

/// Types of parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A point in time, in the words that `find` understands.
    Time,
    /// A whole number.
    Count,
    /// Text.
    Text,
}

/// The files of queries/, by name.
const FILES: &[(&str, &str)] = &[
    (
        "bounced_detail",
        include_str!("../queries/bounced_detail.sql"),
    ),
    ("causes", include_str!("../queries/causes.sql")),
    (
        "deferred_detail",
        include_str!("../queries/deferred_detail.sql"),
    ),
    ("domains_to", include_str!("../queries/domains_to.sql")),
    (
        "recipients_count",
        include_str!("../queries/recipients_count.sql"),
    ),
    (
        "rejected_detail",
        include_str!("../queries/rejected_detail.sql"),
    ),
    (
        "senders_count",
        include_str!("../queries/senders_count.sql"),
    ),
    ("totals", include_str!("../queries/totals.sql")),
    (
        "traffic_hourly",
        include_str!("../queries/traffic_hourly.sql"),
    ),
];

/// Returns all canned queries by name.
///
/// # Errors
/// What is wrong with the header of one; the tests see to it that none is.
pub fn all() -> Result<Vec<Canned>, String> {
    FILES.iter().map(|(name, text)| read(name, text)).collect()
}

/// Returns the query called `name`.
///
/// # Errors
/// Names the queries there are.
pub fn named(name: &str) -> Result<Canned, String> {
    let queries = all()?;
    let names: Vec<&str> = queries.iter().map(|q| q.name).collect();
    let unknown = format!(
        "there is no query {name:?}; there are: {}",
        names.join(", ")
    );
    queries.into_iter().find(|q| q.name == name).ok_or(unknown)
}

fn read(name: &'static str, text: &'static str) -> Result<Canned, String> {
    let header = |key: &str| {
        let prefix = format!("-- {key}: ");
        text.lines()
            .filter_map(move |l| l.strip_prefix(prefix.as_str()).map(str::trim))
            .collect::<Vec<_>>()
    };
    let summary = header("summary")
        .first()
        .copied()
        .ok_or(format!("{name}: no summary"))?;
    let params = header("param")
        .into_iter()
        .map(declared)
        .collect::<Result<Vec<_>, _>>();
    let params = params.map_err(|why| format!("{name}: {why}"))?;
    let body: Vec<&str> = text.lines().filter(|l| !l.starts_with("--")).collect();
    let mut sql = body.join("\n");
    for (i, param) in params.iter().enumerate() {
        sql = sql.replace(&format!("${}", param.name), &format!("${}", i + 1));
    }
    Ok(Canned {
        name,
        summary: summary.into(),
        params,
        sql,
        text,
    })
}

fn declared(line: &str) -> Result<Declared, String> {
    let mut words = line.splitn(3, ' ');
    let (name, kind) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let kind = match kind {
        "time" => Kind::Time,
        "count" => Kind::Count,
        "text" => Kind::Text,
        other => return Err(format!("parameter {name}: no type {other:?}")),
    };
    Ok(Declared {
        name: name.to_owned(),
        kind,
        default: words.next().unwrap_or("").to_owned(),
    })
}

impl Canned {
    /// Returns the values to bind, in the statement's order, from what `value` gives for each parameter.
    ///
    /// # Errors
    /// The first error of `value`.
    pub fn bind<E>(&self, value: impl Fn(&Declared) -> Result<Param, E>) -> Result<Vec<Param>, E> {
        self.params.iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_and_readable() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
        let mut files: Vec<String> = std::fs::read_dir(directory)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter_map(|n| n.strip_suffix(".sql").map(str::to_owned))
            .collect();
        files.sort();
        let listed: Vec<&str> = all().unwrap().iter().map(|q| q.name).collect();
        assert_eq!(files, listed);
    }

    #[test]
    fn every_parameter_is_used_and_none_is_left() {
        for query in all().unwrap() {
            for i in 1..=query.params.len() {
                assert!(query.sql.contains(&format!("${i}")), "{}: ${i}", query.name);
            }
            let left = query
                .sql
                .split('$')
                .skip(1)
                .any(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()));
            assert!(!left, "{}: {}", query.name, query.sql);
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known() {
        let error = named("nosuch").unwrap_err();
        assert!(error.contains("totals"), "{error}");
    }
}
