//! Held: how much memory a session's statements and parameters take, and no more of it than is sensible.

use super::failure::Failure;
use super::portal::Prepared;
use super::session::Session;
use super::wire::Stream;
use crate::model::kind::Column;
use crate::model::table::Param;
use bytes::Bytes;
use pgwire::api::Type;
use std::collections::HashSet;

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

/// Returns about how much memory parameters take.
pub(super) fn bytes(params: &[Param]) -> usize {
    let more = params.iter().map(|param| match param {
        Param::Text(text) => text.len(),
        Param::Blob(bytes) => bytes.len(),
        Param::List(params) => bytes(params),
        _ => 0,
    });
    size_of_val(params) + more.sum::<usize>()
}

/// Returns about how much memory a column takes.
pub(super) fn column(column: &Column) -> usize {
    size_of::<Column>() + column.name.len()
}

impl<S: Stream> Session<S> {
    /// Refuses more when too much is held already.
    pub(super) fn check_held(&self, more: usize) -> Result<(), Failure> {
        if self.held() + more > MOST {
            let message =
                "the prepared statements and parameters of the session use too much memory";
            return Err(Failure::new("54000", message)
                .hint("close some: DEALLOCATE ALL closes all statements"));
        }
        Ok(())
    }

    /// Returns about how much memory its statements and portals take.
    fn held(&self) -> usize {
        let mut counted: HashSet<*const Prepared> = HashSet::new();
        let names = self.prepared.keys().chain(self.portals.keys());
        let params = self.portals.values().map(|portal| bytes(&portal.params));
        let own = self.portals.values().map(|portal| &portal.prepared);
        let statements = self.prepared.values().chain(own);
        let statements = statements
            .filter(|prepared| counted.insert(std::sync::Arc::as_ptr(prepared)))
            .map(|prepared| prepared.bytes());
        names.map(String::len).sum::<usize>() + params.sum::<usize>() + statements.sum::<usize>()
    }
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

    #[test]
    fn parameters_are_counted_with_what_they_hold() {
        let list = Param::List(vec![Param::Text("x".repeat(1000)), Param::Null]);
        let all = bytes(&[list, Param::Blob(vec![0; 500]), Param::Int(1)]);
        assert!((1500..2000).contains(&all), "{all}");
    }
}
