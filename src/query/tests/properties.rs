//! What holds for any text.

use super::{everything, options};
use crate::query::ast::{Expr, Form, Node};
use crate::query::{Error, Plan, args, compile_text, parse_text, protect, time};
use proptest::prelude::*;

/// Text made of what queries are made of, so that deep places are reached.
fn query_like() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("(".to_owned()),
        Just(")".to_owned()),
        Just(" OR ".to_owned()),
        Just(" AND ".to_owned()),
        Just("NOT ".to_owned()),
        Just("-".to_owned()),
        Just(",".to_owned()),
        Just("..".to_owned()),
        Just("\"".to_owned()),
        Just("/".to_owned()),
        Just("\\".to_owned()),
        Just(" ".to_owned()),
        Just("<".to_owned()),
        Just(">".to_owned()),
        Just(">=".to_owned()),
        Just("!=".to_owned()),
        Just("~".to_owned()),
        Just("<>".to_owned()),
        Just("*".to_owned()),
        Just("/x/i".to_owned()),
        Just("\"a b\"".to_owned()),
        Just("10M".to_owned()),
        Just("2026-11-20".to_owned()),
        Just("-2h".to_owned()),
        Just("192.0.2.0/24".to_owned()),
        Just("2001:db8::1".to_owned()),
        Just("sent".to_owned()),
        Just("5.7".to_owned()),
        Just("550".to_owned()),
        Just("\"john smith\"@example.org".to_owned()),
        Just("<\"a*b>c\"@example.org>".to_owned()),
        Just("/C=DE/S=Meier/@x400.example.org".to_owned()),
        Just("/null@example.org".to_owned()),
        Just("Jo\u{308}rg@example.org".to_owned()),
        Just("mx.example.org[192.0.2.25]:25".to_owned()),
        Just("private/dovecot-lmtp".to_owned()),
        Just("Nov 24".to_owned()),
        Just("last week".to_owned()),
        Just("24.11.".to_owned()),
        (0..crate::query::fields::FIELDS.len())
            .prop_map(|i| format!("{}:", crate::query::fields::FIELDS[i].name)),
        "[a-zA-Z0-9@.é]{1,8}",
        "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// Trees that can be written: a generated query's own.
fn without_spans(expr: &mut Expr) {
    expr.span = 0..0;
    match &mut expr.node {
        Node::Or(list) | Node::And(list) => list.iter_mut().for_each(without_spans),
        Node::Not(inner) => without_spans(inner),
        Node::Term(term) => {
            term.field.iter_mut().for_each(|name| name.span = 0..0);
            term.values.iter_mut().for_each(|value| value.span = 0..0);
        }
    }
}

fn check(text: &str, result: &Result<Plan, Error>) {
    match result {
        Ok(plan) => check_parameters(plan),
        Err(error) => {
            assert_eq!(error.text, text);
            assert!(
                error.text.get(error.span.clone()).is_some(),
                "{:?} in {text:?}",
                error.span
            );
            let message = error.to_string();
            assert!(
                !message.chars().any(|c| c.is_control() && c != '\n'),
                "{message:?}"
            );
            assert!(message.starts_with("query: "));
        }
    }
}

/// Each parameter stands in the statement once, in order.
fn check_parameters(plan: &Plan) {
    for other in &plan.others {
        let again = compile_text(&other.text, &everything());
        let again =
            again.unwrap_or_else(|error| panic!("{} of {}: {error}", other.text, plan.text));
        assert!(!other.word.chars().any(char::is_control));
        assert!(again.sql.is_ascii());
    }
    let numbers: Vec<usize> = plan
        .sql
        .split('$')
        .skip(1)
        .map(|rest| {
            rest.chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>()
                .parse()
                .unwrap()
        })
        .collect();
    assert_eq!(numbers, (1..=plan.params.len()).collect::<Vec<_>>());
    assert!(!plan.sql.contains('?'));
}

fn spans_are_nested(expr: &Expr, text: &str) {
    assert!(text.get(expr.span.clone()).is_some());
    let inside = |inner: &Expr| {
        assert!(
            expr.span.start <= inner.span.start && inner.span.end <= expr.span.end,
            "{inner} in {expr}"
        );
        spans_are_nested(inner, text);
    };
    match &expr.node {
        Node::Or(list) | Node::And(list) => list.iter().for_each(inside),
        Node::Not(inner) => inside(inner),
        Node::Term(term) => {
            for value in &term.values {
                assert!(expr.span.start <= value.span.start && value.span.end <= expr.span.end);
                if let Form::Range(None, None) = value.form {
                    panic!("range without ends");
                }
            }
        }
    }
}

#[test]
fn an_open_bracket_takes_in_nothing_when_it_is_printed() {
    for text in ["<NOT ,<>", "to:<a ,b>,c", "to:!=<a ,<b>"] {
        let mut tree = parse_text(text).unwrap();
        let printed = tree.to_string();
        let mut again = parse_text(&printed).unwrap();
        without_spans(&mut tree);
        without_spans(&mut again);
        assert_eq!(tree, again, "{printed} of {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_text_is_a_statement_or_an_error_within_it(text in any::<String>()) {
        check(&text, &compile_text(&text, &options()));
    }

    #[test]
    fn anything_like_a_query_is_a_statement_or_an_error_within_it(text in query_like()) {
        check(&text, &compile_text(&text, &options()));
        check(&text, &compile_text(&text, &everything()));
    }

    #[test]
    fn any_bytes_are_a_statement_or_an_error_within_them(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        check(&text, &compile_text(&text, &options()));
    }

    #[test]
    fn no_word_of_the_query_is_in_the_statement(before in query_like(), after in query_like(), field in 0..crate::query::fields::FIELDS.len()) {
        let name = crate::query::fields::FIELDS[field].name;
        for literal in ["zqxjv", "\"zqxjv' --\"", "zqxjv@zqxjv.example", "/zqxjv/", "zqxjv*", "~zqxjv"] {
            for text in [format!("{name}:{literal}"), format!("{before} {literal} {after}"), format!("{before} {name}:{literal} {after}")] {
                if let Ok(plan) = compile_text(&text, &everything()) {
                    prop_assert!(!plan.sql.contains("zqxjv"), "{}", plan.sql);
                    prop_assert!(plan.sql.is_ascii());
                }
            }
        }
    }

    #[test]
    fn printed_query_is_read_as_the_same(text in query_like()) {
        if let Ok(mut tree) = parse_text(&text) {
            spans_are_nested(&tree, &text);
            let printed = tree.to_string();
            let mut again = parse_text(&printed).unwrap_or_else(|e| panic!("{printed:?} of {text:?}: {e}"));
            without_spans(&mut tree);
            without_spans(&mut again);
            prop_assert_eq!(&tree, &again, "{} of {}", printed, text);
            let sql = |text: &str| compile_text(text, &options()).map(|plan| (plan.sql, plan.params)).ok();
            prop_assert_eq!(sql(&text), sql(&printed));
        }
    }

    #[test]
    fn any_arguments_can_be_joined_and_protected(list in prop::collection::vec(prop_oneof![any::<String>(), query_like()], 0..5)) {
        let text = args::join(&list);
        check(&text, &compile_text(&text, &options()));
        let protected = protect(list.iter().map(Into::into));
        prop_assert_eq!(protected.len(), list.len());
    }

    #[test]
    fn any_time_is_read_or_refused(text in "(last |this |Nov |24 |monday |8am )?[-+@]?[0-9]{0,12}[-:. TZ]?[0-9a-zA-Z .:+-]{0,24}") {
        let unit = time::parse(&text, super::NOW, options().zone);
        prop_assert!(unit.is_none_or(|unit| unit.start <= unit.end));
        let _: Option<f64> = time::parse_length(&text);
    }
}

/// Long, deep and explosive text ends soon, with a statement or an error inside the text, on a thread's small stack.
#[test]
fn huge_queries_end_soon() {
    let begin = std::time::Instant::now();
    let deep = 10_000;
    for text in [
        "(".repeat(deep),
        format!("{}a{}", "(".repeat(deep), ")".repeat(deep)),
        "NOT ".repeat(deep) + "a",
        "-".repeat(deep) + "a",
        "a ".repeat(50_000),
        "a OR ".repeat(20_000) + "a",
        "a,".repeat(30_000) + "a",
        "é".repeat(50_000),
        "\u{0}\u{1b}".repeat(50_000),
        format!("\"{}", "\\\"".repeat(40_000)),
        format!("/{}/", "(a*)*".repeat(10_000)),
        "/((((a{1000}){1000}){1000}){1000})/".to_owned(),
        format!("/{}a{}/", "(".repeat(deep), ")".repeat(deep)),
        "to:/(a|a)*b/ text:/(.*)(.*)(.*)(.*)x/".to_owned(),
        "size:99999999999999999999999999999999M".to_owned(),
        format!("delay:{}", "9".repeat(40_000)),
    ] {
        check(&text, &compile_text(&text, &options()));
    }
    assert!(
        begin.elapsed() < std::time::Duration::from_mins(1),
        "{:?}",
        begin.elapsed()
    );
}
