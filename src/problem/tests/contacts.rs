//! Who is told.

use crate::problem::contact::{Book, is_address};
use crate::problem::contact_file::{Wrong, read};
use crate::problem::severity::Severity;

const BOOK: &str = r#"
fallback = ["root@isp.example"]

[[contact]]
name = "isp"
owns = ["*"]
low = ["noc@isp.example"]

[[contact]]
name = "shop"
owns = ["example.com", ".example.com"]
priority = 2
high = ["admin@example.com"]
low = ["desk@example.com", "ADMIN@example.com"]

[[contact]]
name = "agency"
owns = ["@example.com"]
priority = 1
critical = ["pager@agency.example"]
medium = ["agency@agency.example", "desk@example.com"]

[[contact]]
name = "boss"
owns = ["Boss@Example.com"]
fallback = ["shop"]

[[contact]]
name = "left"
owns = ["gone@example.com"]
enabled = false
"#;

fn book() -> Book {
    read(BOOK).unwrap()
}

fn owners(address: &str) -> Vec<String> {
    let book = book();
    let owners = book.owners(address);
    owners.iter().map(|contact| contact.name.clone()).collect()
}

#[test]
fn the_most_specific_pattern_owns_an_address() {
    assert_eq!(owners("boss@example.com"), ["boss"]);
    assert_eq!(owners("BOSS@EXAMPLE.COM"), ["boss"]);
    assert_eq!(owners("x@example.com"), ["agency", "shop"]);
    assert_eq!(owners("x@mail.example.com"), ["shop"]);
    assert_eq!(owners("x@notexample.com"), ["isp"]);
    assert_eq!(owners(""), ["isp"]);
    // Who is not told owns nothing.
    assert_eq!(owners("gone@example.com"), ["agency", "shop"]);
}

fn recipients(address: &str, severity: Severity) -> (String, String) {
    let book = book();
    let found = book.recipients(&book.owners(address), severity);
    (found.to.join(" "), found.cc.join(" "))
}

#[test]
fn the_first_list_from_the_severity_downwards_is_to_and_all_others_are_cc() {
    let of = |severity| recipients("x@example.com", severity);
    let pair = |to: &str, cc: &str| (to.to_owned(), cc.to_owned());
    assert_eq!(
        of(Severity::Critical),
        pair(
            "pager@agency.example",
            "agency@agency.example desk@example.com admin@example.com"
        )
    );
    assert_eq!(
        of(Severity::High),
        pair(
            "agency@agency.example desk@example.com",
            "admin@example.com"
        )
    );
    // A list of a higher severity is never used.
    assert_eq!(
        of(Severity::Medium),
        pair(
            "agency@agency.example desk@example.com",
            "ADMIN@example.com"
        )
    );
    assert_eq!(
        of(Severity::Low),
        pair("desk@example.com ADMIN@example.com", "")
    );
    assert_eq!(of(Severity::Info), pair("root@isp.example", ""));
}

#[test]
fn who_has_no_address_falls_back() {
    let (to, cc) = recipients("boss@example.com", Severity::High);
    assert_eq!(
        (to.as_str(), cc.as_str()),
        ("admin@example.com", "desk@example.com")
    );
    let (to, _) = recipients("boss@example.com", Severity::Info);
    assert_eq!(to, "root@isp.example");
}

fn wrong(text: &str) -> Vec<String> {
    let wrong = read(text).unwrap_err();
    wrong.iter().map(Wrong::to_string).collect()
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let text = r#"[[contact]]
name = "a"
owns = ["exa mple"]
low = ["nobody"]
locale = "fr"
timezone = "Berlin"
template = "../../etc/passwd"
fallback = ["b"]
[contact.period.high]
every = 7
[[contact.filter]]
name = "f"
query = "to:"
[[contact]]
name = "A"
owns = []
"#;
    let all = wrong(text);
    let begins = |line: &str| all.iter().any(|text| text.starts_with(line));
    for line in [
        "line 3: owns: ",
        "line 4: \"nobody\" is no address; ",
        "line 5: locale: ",
        "line 6: timezone: ",
        "line 7: template: ",
        "line 8: fallback: ",
        "line 15: name: \"A\" stands twice",
    ] {
        assert!(begins(line), "{line}\n{}", all.join("\n"));
    }
    assert!(all.iter().any(|text| text.contains("period: ")), "{all:?}");
    assert!(
        all.iter().any(|text| text.contains("filter \"f\": ")),
        "{all:?}"
    );
    assert!(wrong("[[contact]]\nnmae = 1\n")[0].starts_with("line 2: "));
    assert!(wrong("[[contact")[0].starts_with("line 1: "));
}

#[test]
fn an_address_holds_nothing_that_ends_a_header() {
    assert!(is_address("bob+x@example.org"));
    assert!(is_address("bøb@exämple.org"));
    for word in [
        "bob",
        "@example.org",
        "bob@",
        "a@b@c",
        "a@b..c",
        "a b@c.d",
        "a@c.d\r\nBcc: x@y.z",
        "<a@b.c>",
        "a,b@c.d",
    ] {
        assert!(!is_address(word), "{word:?}");
    }
}
