//! Text: SQL cut into statements, and whether more of it is to come, as far as an editor needs to know it.

use crate::lexer::{Kind, tokens};

/// The sign that ends a statement.
const END: &str = ";";

/// Returns the statements that a `;` ends, and what follows the last of them; blanks and comments alone are none.
pub(super) fn split(text: &str) -> (Vec<&str>, &str) {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut has_content = false;
    for token in tokens(text) {
        if text.get(token.span.clone()) == Some(END) {
            let statement = text.get(start..token.span.start).unwrap_or_default();
            if has_content {
                statements.push(statement.trim());
            }
            start = token.span.end;
            has_content = false;
        } else if !matches!(token.kind, Kind::Blank | Kind::Comment) {
            has_content = true;
        }
    }
    let rest = if has_content {
        text.get(start..).unwrap_or_default().trim()
    } else {
        ""
    };
    (statements, rest)
}

/// Returns whether an open quote or comment, or a missing `;`, asks for a further line.
pub(super) fn is_complete(text: &str) -> bool {
    let tokens: Vec<_> = tokens(text).collect();
    let mut content = tokens
        .iter()
        .rev()
        .skip_while(|p| p.is_closed && matches!(p.kind, Kind::Blank | Kind::Comment));
    content
        .next()
        .is_none_or(|last| text.get(last.span.clone()) == Some(END))
}

/// Returns whether the text ends inside a quote or comment.
pub(super) fn is_inside(text: &str) -> bool {
    tokens(text).last().is_some_and(|last| !last.is_closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_in_quotes_or_comments_ends_nothing() {
        let text =
            "SELECT ';', \"a;b\", $$;$$, $q$ $$; $q$ -- ;\n /* ; /* ; */ ; */ ; SELECT e'\\';' ;x";
        let (statements, rest) = split(text);
        assert_eq!(statements.len(), 2, "{statements:?}");
        assert_eq!(statements.get(1), Some(&"SELECT e'\\';'"));
        assert_eq!(rest, "x");
    }

    #[test]
    fn what_is_open_asks_for_more() {
        for text in [
            "SELECT 1",
            "SELECT ';",
            "SELECT 1; /* ",
            "SELECT \";",
            "$$ ; ",
        ] {
            assert!(!is_complete(text), "{text}");
        }
        for text in [
            "SELECT 1;",
            "SELECT 1; -- done",
            "",
            "-- only a remark",
            "SELECT $1;",
        ] {
            assert!(is_complete(text), "{text}");
        }
    }

    #[test]
    fn blanks_and_remarks_are_no_statement() {
        assert_eq!(split(" ; ;; -- x\n; "), (vec![], ""));
        assert_eq!(split("-- why\nSELECT 1"), (vec![], "-- why\nSELECT 1"));
    }
}
