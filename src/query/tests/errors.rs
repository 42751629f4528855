//! Every way a query can be wrong, as the user sees it.

use super::{compile_all, options};
use crate::query::error::Kind;
use crate::query::{Options, compile, compile_text};

const WRONG: &[&str] = &[
    "",
    "   ",
    "(to:a",
    "((to:a)",
    "(",
    "to:a)",
    ")",
    "()",
    "to:\"a b",
    "to:a\"b\"",
    "to:\"a\"b",
    "to:/a",
    "to:/a/x",
    "to:a OR",
    "OR to:a",
    "to:a AND",
    "to:a AND OR to:b",
    "AND",
    "NOT",
    "to:a NOT",
    "(-)",
    "- OR x)",
    "to:a or to:b",
    "alice And bob",
    "user not found",
    "status=sent",
    "to=<alice@example.org>,",
    "size>10M",
    "to:",
    "to: alice",
    "to:a, b",
    "to:,a",
    "a,,b",
    "frm:alice@example.org",
    "recipent:a",
    "http://example.org/",
    "qwertz:1",
    "size:~5",
    "chain:=3A1973E542",
    "size:/5/",
    "since:/x/",
    "date:>/x/",
    "to:/a(b/",
    "to:/a{9999}{9999}/",
    "since:someday",
    "since:2026-13-01",
    "date:now",
    "date:-2h",
    "status:delivered",
    "status:bunced",
    "cause:gerylisted",
    "cause:qwertz",
    "ever:queued",
    "ever:xyzzyx",
    "size:big",
    "size:1.5",
    "size:-5",
    "size:1..2..3",
    "nrcpt:99999999999999999999",
    "attempts:2x",
    "delay:soon",
    "dsn:5.x",
    "dsn:1.2.3.4",
    "code:5500",
    "code:x",
    "qid:\"\"",
    "size:20M..10K",
    "date:2026-11-20..2026-11-18",
    "text:\"\u{1b}[2J\" to:a\u{202e}b or x",
    "müller@example.org frm:例え",
];

#[test]
fn message_caret_and_hint() {
    let all: Vec<String> = WRONG
        .iter()
        .map(|text| match compile_all(text) {
            Err(error) => format!("{error}\n"),
            Ok(plan) => panic!("{text} was understood: {}", plan.sql),
        })
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn option_with_a_bad_time_is_drawn_itself() {
    let error = compile_text(
        "a@example.org",
        &Options {
            since: Some("soonish".into()),
            ..options()
        },
    )
    .unwrap_err();
    insta::assert_snapshot!(error.to_string());
}

#[test]
fn too_much_of_anything_is_refused() {
    let kind = |text: &str| compile_all(text).unwrap_err().kind;
    assert_eq!(kind(&"a".repeat(70_000)), Kind::TooLong);
    assert_eq!(
        kind(&format!("{}a{}", "(".repeat(1000), ")".repeat(1000))),
        Kind::TooDeep
    );
    assert_eq!(kind(&format!("{}a", "-".repeat(1000))), Kind::TooDeep);
    assert_eq!(
        kind(&format!("to:{}", vec!["a"; 2000].join(","))),
        Kind::TooMany
    );
    assert!(compile_all(&format!("{}a{}", "(".repeat(40), ")".repeat(40))).is_ok());
}

#[test]
fn error_in_a_long_query_is_drawn_with_its_surroundings() {
    let text = format!(
        "{} frm:x {}",
        "to:alice@example.org ".repeat(20),
        "to:bob ".repeat(50)
    );
    let error = compile(&[text], &options()).unwrap_err();
    insta::assert_snapshot!(error.to_string());
}
