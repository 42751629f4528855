//! Words: tables, columns, functions and keywords, and which of them may stand at a place.

use crate::lexer::{self, Kind, tokens};
use crate::model::table::{Cell, Table};
use std::collections::BTreeMap;

/// Tables and views with their columns, and the functions that are of use to a person.
pub(super) const COLUMNS: &str = "\
SELECT table_name, column_name, data_type
FROM duckdb_columns()
WHERE NOT internal
ORDER BY table_name, column_index";

/// Functions with their parameters.
pub(super) const FUNCTIONS: &str = "\
SELECT
    function_name,
    function_type,
    arg_max(parameters, len(parameters)) AS parameters,
    any_value(description) AS description
FROM duckdb_functions()
WHERE regexp_full_match(function_name, '[a-z][a-z0-9_]*')
    AND function_type IN ('scalar', 'aggregate', 'table', 'macro')
GROUP BY function_name, function_type
ORDER BY function_name, function_type";

/// Keywords that a query is made of.
const KEYWORDS: &[&str] = &[
    "ALL",
    "AND",
    "ANTI JOIN",
    "ANY",
    "AS",
    "ASC",
    "ASOF JOIN",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS JOIN",
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXCLUDE",
    "EXISTS",
    "EXTRACT",
    "FALSE",
    "FILTER",
    "FROM",
    "FULL JOIN",
    "GROUP BY",
    "GROUP BY ALL",
    "HAVING",
    "ILIKE",
    "IN",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "IS NOT NULL",
    "IS NULL",
    "JOIN",
    "LATERAL",
    "LEFT JOIN",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "NULLS FIRST",
    "NULLS LAST",
    "OFFSET",
    "ON",
    "OR",
    "ORDER BY",
    "ORDER BY ALL",
    "OVER",
    "PARTITION BY",
    "PIVOT",
    "QUALIFY",
    "RIGHT JOIN",
    "SELECT",
    "SEMI JOIN",
    "SUMMARIZE",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "UNION",
    "UNION ALL",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WITHIN GROUP",
];

/// A word that may be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// What is inserted.
    pub(super) name: String,
    /// What is said about it: a type, a signature.
    pub(super) about: String,
}

/// All that can be completed.
#[derive(Debug, Default)]
pub(super) struct Words {
    tables: BTreeMap<String, Vec<Word>>,
    functions: Vec<Word>,
}

impl Words {
    /// Takes the results of [`COLUMNS`] and [`FUNCTIONS`].
    pub(super) fn new(columns: &Table, functions: &Table) -> Self {
        let mut tables: BTreeMap<String, Vec<Word>> = BTreeMap::new();
        for row in &columns.rows {
            if let [Cell::Text(table), Cell::Text(name), Cell::Text(kind)] = row.as_slice() {
                tables.entry(table.clone()).or_default().push(Word {
                    name: name.clone(),
                    about: format!("{table}, {kind}"),
                });
            }
        }
        let functions = functions.rows.iter().filter_map(|row| function(row));
        Self {
            tables,
            functions: functions.collect(),
        }
    }

    /// Returns the start of the word before `at`, and what it may become.
    pub(super) fn at(&self, line: &str, at: usize) -> (usize, Vec<Word>) {
        let before = line.get(..at).unwrap_or(line);
        let start = before
            .char_indices()
            .rev()
            .find(|(_, c)| !lexer::is_word(*c))
            .map_or(0, |(i, c)| i + c.len_utf8());
        let typed = before.get(start..).unwrap_or_default();
        let head = before.get(..start).unwrap_or_default();
        if is_inside_text(before) {
            return (start, Vec::new());
        }
        if let Some(owner) = head.strip_suffix('.').map(last_word) {
            let columns = self.columns_of(&self.owner(line, owner));
            return (start, fitting(columns, typed));
        }
        if typed.is_empty() {
            return (start, Vec::new());
        }
        if after_from(head) {
            return (start, fitting(self.table_words(), typed));
        }
        let mentioned = self.mentioned(line);
        let mut words = fitting(self.columns_of(&mentioned), typed);
        words.extend(fitting(keywords(typed), typed));
        words.extend(fitting(self.functions.clone(), typed));
        words.extend(fitting(self.table_words(), typed));
        (start, words)
    }

    /// Returns the function whose parentheses the end of `before` lies in.
    pub(super) fn call(&self, before: &str) -> Option<&Word> {
        let mut depth = 0usize;
        let tokens: Vec<_> = tokens(before).collect();
        for (index, token) in tokens.iter().enumerate().rev() {
            match before.get(token.span.clone())? {
                ")" => depth += 1,
                "(" if depth > 0 => depth -= 1,
                "(" => {
                    let name = tokens.get(index.checked_sub(1)?)?;
                    let name = before.get(name.span.clone())?;
                    return self
                        .functions
                        .iter()
                        .find(|f| f.name.strip_suffix('(') == Some(&name.to_lowercase()));
                }
                _ => {}
            }
        }
        None
    }

    fn table_words(&self) -> Vec<Word> {
        let word = |name: &String| Word {
            name: name.clone(),
            about: "table".to_owned(),
        };
        self.tables.keys().map(word).collect()
    }

    /// Returns the tables named in the text; all when there is none.
    fn mentioned(&self, text: &str) -> Vec<String> {
        let named: Vec<String> = words(text)
            .filter(|w| self.tables.contains_key(*w))
            .map(str::to_owned)
            .collect();
        if named.is_empty() {
            self.tables.keys().cloned().collect()
        } else {
            named
        }
    }

    /// Returns the table that the alias stands for, or the table of that name.
    fn owner(&self, text: &str, alias: &str) -> Vec<String> {
        if self.tables.contains_key(alias) {
            return vec![alias.to_owned()];
        }
        let words: Vec<&str> = words(text).collect();
        let named = words.windows(3).filter_map(|w| match w {
            [table, second, _] if *second == alias => Some(*table),
            [table, second, third] if second.eq_ignore_ascii_case("as") && *third == alias => {
                Some(*table)
            }
            _ => None,
        });
        let last = match words.as_slice() {
            [.., table, last] if *last == alias => Some(*table),
            _ => None,
        };
        named
            .chain(last)
            .filter(|table| self.tables.contains_key(*table))
            .map(str::to_owned)
            .collect()
    }

    fn columns_of(&self, tables: &[String]) -> Vec<Word> {
        let mut columns: Vec<Word> = Vec::new();
        for column in tables
            .iter()
            .filter_map(|t| self.tables.get(t))
            .flat_map(|columns| columns.iter())
        {
            if !columns.iter().any(|known| known.name == column.name) {
                columns.push(column.clone());
            }
        }
        columns
    }
}

fn function(row: &[Cell]) -> Option<Word> {
    let [Cell::Text(name), Cell::Text(kind), parameters, about] = row else {
        return None;
    };
    let parameters = match parameters {
        Cell::List(names) => names
            .iter()
            .filter_map(|n| match n {
                Cell::Text(name) => Some(name.as_str()),
                _ => None,
            })
            .collect::<Vec<_>>()
            .join(", "),
        _ => String::new(),
    };
    let about = match about {
        Cell::Text(about) => format!(": {}", about.lines().next().unwrap_or_default()),
        _ => format!(": {kind}"),
    };
    Some(Word {
        name: format!("{name}("),
        about: format!("{name}({parameters}){about}"),
    })
}

/// Returns the keywords in the case that was typed.
fn keywords(typed: &str) -> Vec<Word> {
    let is_lower = typed.chars().all(|c| !c.is_uppercase());
    let word = |name: &&str| Word {
        name: if is_lower {
            name.to_lowercase()
        } else {
            (*name).to_owned()
        },
        about: String::new(),
    };
    KEYWORDS.iter().map(word).collect()
}

/// Returns whether the word is a keyword, for colours.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS
        .iter()
        .flat_map(|k| k.split(' '))
        .any(|k| k.eq_ignore_ascii_case(word))
}

fn fitting(words: Vec<Word>, typed: &str) -> Vec<Word> {
    let typed = typed.to_lowercase();
    words
        .into_iter()
        .filter(|w| w.name.to_lowercase().starts_with(&typed))
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    tokens(text)
        .filter(|t| t.kind == Kind::Word)
        .filter_map(|t| text.get(t.span))
}

fn last_word(text: &str) -> &str {
    words(text).last().unwrap_or_default()
}

fn after_from(head: &str) -> bool {
    let last = last_word(head);
    let ends_there = head.trim_end().ends_with(last) && !last.is_empty();
    ends_there
        && ["from", "join"]
            .iter()
            .any(|k| last.eq_ignore_ascii_case(k))
}

fn is_inside_text(before: &str) -> bool {
    tokens(before)
        .last()
        .is_some_and(|last| !last.is_closed || last.kind == Kind::Comment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    fn words() -> Words {
        let column = |t: &str, c: &str| vec![text(t), text(c), text("VARCHAR")];
        let columns = Table {
            columns: Vec::new(),
            rows: vec![
                column("delivery_from", "sender"),
                column("delivery_from", "size"),
                column("delivery_to", "recipient"),
                column("delivery_to", "relay"),
            ],
        };
        let functions = Table {
            columns: Vec::new(),
            rows: vec![vec![
                text("in_zone"),
                text("scalar"),
                Cell::List(vec![text("t"), text("zone")]),
                Cell::Null,
            ]],
        };
        Words::new(&columns, &functions)
    }

    fn names(line: &str) -> Vec<String> {
        let (_, found) = words().at(line, line.len());
        found.into_iter().map(|w| w.name).collect()
    }

    #[test]
    fn tables_follow_from_and_columns_their_alias() {
        assert_eq!(names("SELECT * FROM del"), ["delivery_from", "delivery_to"]);
        assert_eq!(
            names("SELECT 1 FROM delivery_to AS t WHERE t.re"),
            ["recipient", "relay"]
        );
        assert_eq!(
            names("SELECT 1 FROM delivery_to t, delivery_from f WHERE f."),
            ["sender", "size"]
        );
    }

    #[test]
    fn keywords_keep_the_case_that_was_typed() {
        assert_eq!(names("sel"), ["select"]);
        assert_eq!(names("SEL"), ["SELECT"]);
    }

    #[test]
    fn nothing_is_completed_in_text() {
        assert_eq!(names("SELECT 'sel"), [""; 0]);
        assert_eq!(names("SELECT 1 -- sel"), [""; 0]);
    }

    #[test]
    fn the_function_around_the_cursor_is_told() {
        let words = words();
        let call = words.call("SELECT in_zone(local_time(a), ");
        assert_eq!(
            call.map(|w| w.about.as_str()),
            Some("in_zone(t, zone): scalar")
        );
        assert!(words.call("SELECT in_zone(a, 'x') + ").is_none());
    }
}
