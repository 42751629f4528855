//! What is reported, and under which name.

use crate::model::time::{HOUR, MINUTE, Time};
use crate::problem::event::{Direction, Failure, Fate, blocks, class, severity};
use crate::problem::label::{Kind, label, subject};
use crate::problem::severity::Severity;

fn failure<'a>(fate: Fate, cause: &'a str, dsn: Option<&'a str>) -> Failure<'a> {
    Failure {
        direction: Direction::Outbound,
        fate,
        cause,
        dsn,
        is_ours: false,
        source: "example.net",
    }
}

#[test]
fn a_class_is_direction_cause_and_detail() {
    let of = |dsn| class(&failure(Fate::Bounced, "unknown_user", dsn));
    assert_eq!(of(Some("5.1.1")), "outbound-unknown_user-1.1");
    assert_eq!(of(Some("5.0.0")), "outbound-unknown_user");
    assert_eq!(of(None), "outbound-unknown_user");
}

#[test]
fn each_failure_has_its_severity() {
    let ours = |dsn| Failure {
        is_ours: true,
        ..failure(Fate::Bounced, "other", dsn)
    };
    let waits = |age| severity(&failure(Fate::Deferred { age }, "timeout", Some("4.4.1")));
    let bounced = |cause, dsn| severity(&failure(Fate::Bounced, cause, Some(dsn)));
    assert_eq!(waits(59 * MINUTE), None);
    assert_eq!(waits(HOUR), Some(Severity::Low));
    assert_eq!(bounced("unknown_user", "5.1.1"), Some(Severity::Medium));
    assert_eq!(bounced("spam", "5.7.1"), Some(Severity::High));
    assert_eq!(bounced("other", "5.3.0"), Some(Severity::Medium));
    assert_eq!(bounced("loop", "5.4.6"), Some(Severity::Critical));
    assert_eq!(severity(&ours(Some("5.3.0"))), Some(Severity::Critical));
    assert_eq!(severity(&ours(Some("5.1.1"))), Some(Severity::Medium));
    let expired = failure(Fate::Expired, "timeout", Some("4.4.1"));
    assert_eq!(severity(&expired), Some(Severity::High));
    let full = failure(Fate::Refused, "storage", Some("4.3.1"));
    assert_eq!(severity(&full), Some(Severity::Low));
    assert_eq!(
        severity(&Failure {
            is_ours: true,
            ..full
        }),
        Some(Severity::Critical)
    );
}

#[test]
fn three_domains_that_block_us_are_our_fault() {
    let block = |source| Failure {
        source,
        ..failure(Fate::Bounced, "blocklisted", Some("5.7.1"))
    };
    let of = |sources: &[&'static str]| blocks(sources.iter().map(|s| block(s))).len();
    assert_eq!(of(&["a.example", "b.example", "a.example"]), 0);
    assert_eq!(of(&["a.example", "b.example", "c.example"]), 3);
}

#[test]
fn a_label_names_day_type_and_severity() {
    let at = Time(1_795_824_000_000_000);
    let label = label(at, Kind::Extra, Severity::High, [0, 25, 26, 35, 36]);
    assert_eq!(label, "M20261128EH-AZ09A");
    let of = |source| subject(&label, Severity::High, "2 problems", source);
    assert_eq!(of(None), "[M20261128EH-AZ09A] High - 2 problems");
    assert_eq!(
        of(Some("example.net")),
        "[M20261128EH-AZ09A] High - 2 problems - example.net"
    );
}
