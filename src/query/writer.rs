//! Writer: conditions -> text of a statement; every value is a bound parameter, never text of it.

use super::condition::Condition;
use crate::model::table::Param;

/// A statement and the values of its parameters `$1`, `$2`, …
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// One `SELECT`.
    pub sql: String,
    /// Their values.
    pub params: Vec<Param>,
}

/// Numbers parameters in the order of writing.
#[derive(Debug, Default)]
pub(super) struct Writer {
    params: Vec<Param>,
}

impl Writer {
    pub(super) fn done(self, sql: String) -> Statement {
        Statement {
            sql,
            params: self.params,
        }
    }

    pub(super) fn bind(&mut self, param: Param) -> String {
        self.params.push(param);
        format!("${}", self.params.len())
    }

    pub(super) fn condition(&mut self, condition: &Condition) -> String {
        match condition {
            Condition::Always => "true".into(),
            Condition::Never => "false".into(),
            Condition::And(list) => self.list(list, " AND "),
            Condition::Or(list) => self.list(list, " OR "),
            Condition::Leaf(text, params) => {
                let mut pieces = text.split('?');
                let mut sql = pieces.next().unwrap_or_default().to_owned();
                for (param, piece) in params.iter().zip(pieces) {
                    sql.push_str(&self.bind(param.clone()));
                    sql.push_str(piece);
                }
                sql
            }
        }
    }

    fn list(&mut self, list: &[Condition], by: &str) -> String {
        let list: Vec<String> = list.iter().map(|c| self.condition(c)).collect();
        format!("({})", list.join(by))
    }
}
