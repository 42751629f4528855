//! Session budget: a session's prepared statements and portals, no more of them and of their memory than is sensible.

use super::failure::Failure;
use super::portal::{self, Portal, Prepared};
use bytes::Bytes;
use pgwire::api::Type;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Prepared statements, and portals, that a client may have.
const MOST_NAMED: usize = 1000;

/// Bytes that one session's prepared statements and portals may take.
const MOST: usize = 16 << 20;
/// Bytes of the text of a statement: far more than people write and programs make.
const LONGEST: usize = 1 << 20;
/// Bytes of lists among the parameters of a portal: each element takes many times what it takes on the wire.
const MOST_LISTED: usize = 2 << 20;

/// Refuses a text that is too long for a statement.
pub(super) fn check_text(sql: &str) -> Result<(), Failure> {
    if sql.len() > LONGEST {
        let message = format!("the statement is too long: {} bytes", sql.len());
        return Err(
            Failure::new("54000", message).hint("a statement may have at most 1 MB of text")
        );
    }
    Ok(())
}

/// Refuses lists that are too long, before they are read.
pub(super) fn check_lists(types: &[Type], values: &[Option<Bytes>]) -> Result<(), Failure> {
    let lists = types.iter().zip(values);
    let lists = lists.filter(|(kind, _)| kind.name().starts_with('_'));
    let bytes: usize = lists
        .filter_map(|(_, value)| Some(value.as_ref()?.len()))
        .sum();
    if bytes > MOST_LISTED {
        let message = format!("the lists in the parameters are too long: {bytes} bytes");
        return Err(Failure::new("54000", message).hint("split them into parts of at most 2 MB"));
    }
    Ok(())
}

/// Prepared statements and portals, by name.
#[derive(Default)]
pub(super) struct SessionBudget {
    pub(super) prepared: HashMap<String, Arc<Prepared>>,
    pub(super) portals: HashMap<String, Portal>,
}

impl SessionBudget {
    /// Refuses a prepared statement that is one too many, or has the name of another.
    pub(super) fn check_prepared(&self, name: &str) -> Result<(), Failure> {
        if !name.is_empty() && self.prepared.contains_key(name) {
            let message = format!("prepared statement {name:?} already exists");
            return Err(Failure::new("42P05", message));
        }
        if self.prepared.len() >= MOST_NAMED {
            return Err(Failure::new("54000", "too many prepared statements"));
        }
        Ok(())
    }

    /// Refuses a portal that is one too many.
    pub(super) fn check_portals(&self) -> Result<(), Failure> {
        if self.portals.len() >= MOST_NAMED {
            return Err(Failure::new("54000", "too many portals"));
        }
        Ok(())
    }

    /// Returns the prepared statement of that name.
    pub(super) fn prepared(&self, name: &str) -> Result<Arc<Prepared>, Failure> {
        let found = self.prepared.get(name).map(Arc::clone);
        found.ok_or_else(|| {
            Failure::new(
                "26000",
                format!("prepared statement {name:?} does not exist"),
            )
        })
    }

    /// Takes the portal of that name, to be put back.
    pub(super) fn take_portal(&mut self, name: &str) -> Result<Portal, Failure> {
        self.portals.remove(name).ok_or_else(|| no_portal(name))
    }

    /// Refuses more when too much is held already.
    pub(super) fn check(&self, more: usize) -> Result<(), Failure> {
        if self.bytes() + more > MOST {
            let message =
                "the prepared statements and parameters of the session use too much memory";
            return Err(Failure::new("54000", message)
                .hint("close some: DEALLOCATE ALL closes all statements"));
        }
        Ok(())
    }

    /// Returns about how much memory its statements and portals take.
    fn bytes(&self) -> usize {
        let mut counted: HashSet<*const Prepared> = HashSet::new();
        let names = self.prepared.keys().chain(self.portals.keys());
        let params = self
            .portals
            .values()
            .map(|portal| portal::bytes(&portal.params));
        let own = self.portals.values().map(|portal| &portal.prepared);
        let statements = self.prepared.values().chain(own);
        let statements = statements
            .filter(|prepared| counted.insert(Arc::as_ptr(prepared)))
            .map(|prepared| prepared.bytes());
        names.map(String::len).sum::<usize>() + params.sum::<usize>() + statements.sum::<usize>()
    }
}

/// Says that there is no such portal.
pub(super) fn no_portal(name: &str) -> Failure {
    Failure::new("34000", format!("portal {name:?} does not exist"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_lists_are_bounded_before_they_are_read() {
        assert!(check_text(&"x".repeat(LONGEST)).is_ok());
        assert_eq!(
            check_text(&"x".repeat(LONGEST + 1)).unwrap_err().code,
            "54000"
        );
        let long = Some(Bytes::from(vec![b'1'; MOST_LISTED + 1]));
        let (list, text) = ([Type::INT8_ARRAY], [Type::TEXT]);
        assert_eq!(
            check_lists(&list, std::slice::from_ref(&long))
                .unwrap_err()
                .code,
            "54000"
        );
        assert!(check_lists(&text, &[long]).is_ok());
        assert!(check_lists(&list, &[None]).is_ok());
    }
}
