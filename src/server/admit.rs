//! Admit: what a user may ask, and what is noted of it.
//!
//! Who sees all may send SQL. In a scope there are searches, which are compiled here, and our own statements that belong to them.

use super::failure::Failure;
use super::portal::Prepared;
use super::statement::Statement;
use crate::ask::own;
use crate::model::audit::AuditRow;
use crate::model::scope::Scope;
use crate::query::Request;
use crate::store::{Verb, erase};

/// How a search is noted.
pub(super) const FIND: &str = "find";

/// Reads a search that our own client hands over; none when it is something else.
pub(super) fn search(text: &str) -> Result<Option<Prepared>, Failure> {
    let Some(request) = Request::read(text) else {
        return Ok(None);
    };
    let compiled = request.statement();
    let statement = compiled.map_err(|error| Failure::new("42601", error.to_string()))?;
    let asked = Statement::Ask(Verb::Select, statement.sql);
    let mut prepared = Prepared::new(asked, Vec::new(), text.len());
    prepared.given = statement.params;
    let what = format!("{FIND} {}", request.text());
    prepared.what = Some(AuditRow::cut(what.trim_end()));
    Ok(Some(prepared))
}

/// Refuses SQL in a scope.
pub(super) fn check(statement: &Statement, scope: &Scope) -> Result<(), Failure> {
    let is_open = match statement {
        Statement::Ask(Verb::Select, sql) => own::of(sql).is_some(),
        Statement::Ask(..) | Statement::Declare(..) | Statement::CopyOut { .. } => false,
        // About the session, or for root and the owner alone.
        _ => true,
    };
    if *scope == Scope::All || is_open {
        return Ok(());
    }
    let message = format!("you may see mail of {scope} only: SQL and reports need all mail");
    let message = match scope {
        Scope::Nothing => "you may see no mail".to_owned(),
        _ => message,
    };
    Err(Failure::new("42501", message)
        .hint("use `maillog find`; whose mail you see is set in [scope.NAME] of /etc/maillog.toml"))
}

/// Returns what is noted of a statement; none when it needs no note, or belongs to the search before it.
pub(super) fn what(statement: &Statement, is_owner: bool, has_asked: bool) -> Option<String> {
    let (Statement::Ask(_, sql) | Statement::Declare(_, sql) | Statement::CopyOut { sql, .. }) =
        statement
    else {
        return None;
    };
    match own::of(sql) {
        // They tell of no mail.
        Some("status" | "coverage" | "extent" | "names") => None,
        Some(_) if has_asked => None,
        Some(name) => Some(name.to_owned()),
        // What is to be erased is not written down again.
        None if is_owner && erase::is_preview(sql) => Some("prune --address".to_owned()),
        None => Some(AuditRow::cut(&format!("sql {}", sql.trim()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::story;

    fn ask(sql: &str) -> Statement {
        Statement::Ask(Verb::Select, sql.to_owned())
    }

    #[test]
    fn in_a_scope_there_is_no_sql() {
        let scope = Scope::of(&["example.org"]).unwrap();
        let free = "SELECT * FROM delivery_to";
        let copy = super::super::statement::CopyForm {
            is_csv: false,
            has_header: false,
            delimiter: String::new(),
            null: String::new(),
        };
        for refused in [
            ask(free),
            ask(&format!("{} ", story::MESSAGES)),
            Statement::Ask(Verb::Explain, story::MESSAGES.to_owned()),
            Statement::Ask(Verb::Analyze, story::MESSAGES.to_owned()),
            Statement::Declare("c".to_owned(), free.to_owned()),
            Statement::Declare("c".to_owned(), story::MESSAGES.to_owned()),
            Statement::CopyOut {
                sql: free.to_owned(),
                form: copy,
            },
        ] {
            assert!(check(&refused, &Scope::All).is_ok());
            for scope in [&scope, &Scope::Nothing] {
                let failure = check(&refused, scope).unwrap_err();
                assert_eq!(failure.code, "42501", "{refused:?}");
            }
        }
        assert!(check(&ask(story::MESSAGES), &scope).is_ok());
        assert!(check(&Statement::Begin, &scope).is_ok());
    }

    #[test]
    fn what_is_asked_is_noted_in_words_and_never_an_address_to_erase() {
        let what = |sql: &str| what(&ask(sql), true, false);
        assert_eq!(what(" SELECT 1 ").as_deref(), Some("sql SELECT 1"));
        assert_eq!(what(story::LINES).as_deref(), Some("story"));
        assert_eq!(super::what(&ask(story::LINES), false, true), None);
        assert_eq!(
            what("SELECT max(last_time) FROM coverage").as_deref(),
            Some("near misses")
        );
        let address = erase::Address::parse("bob@example.org").unwrap();
        let (preview, _) = erase::preview(&address);
        assert_eq!(what(&preview).as_deref(), Some("prune --address"));
        assert_eq!(what(&"x".repeat(5000)).unwrap().chars().count(), 2003);
        assert!(search("maillog_find {\"text\":1}").unwrap().is_none());
    }
}
