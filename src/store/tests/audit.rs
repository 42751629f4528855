//! Who asked what: added, pruned, and without the address of a person who was erased.

use super::*;
use crate::model::audit::AuditRow;
use crate::model::retain::{Cutoffs, Group};
use crate::model::time::DAY;
use crate::store::erase::Address;

fn asked(time: Time, what: &str) -> AuditRow {
    AuditRow {
        time,
        who: "alice@example.org".to_owned(),
        origin: "192.0.2.7".to_owned(),
        what: what.to_owned(),
        scope: "alice@example.org @example.net".to_owned(),
        hits: Some(3),
    }
}

fn rows(store: &Store) -> String {
    text(
        store,
        "SELECT coalesce(string_agg(concat_ws('|', who, origin, what, scope, hits), chr(10) ORDER BY time), '') FROM audit",
    )
}

#[test]
fn rows_join_a_commit_or_make_one() {
    let mut store = Store::open_in_memory().unwrap();
    let small = vec![
        SmallRow::Audit(asked(T0, "find a")),
        SmallRow::Audit(asked(T0, "find a")),
    ];
    let batch = Batch {
        small,
        ..Batch::default()
    };
    store.commit(batch).unwrap();
    let failed = AuditRow {
        hits: None,
        ..asked(T0.plus(1), "queue delete")
    };
    store.add_audit(&[failed]).unwrap();
    let row = "alice@example.org|192.0.2.7|find a|alice@example.org @example.net|3";
    assert_eq!(
        rows(&store),
        format!(
            "{row}\n{row}\nalice@example.org|192.0.2.7|queue delete|alice@example.org @example.net"
        )
    );
}

#[test]
fn an_address_that_was_erased_is_in_no_question() {
    let mut store = Store::open_in_memory().unwrap();
    let questions = [
        "find to:Alice@Example.org -to:malice@example.org",
        "sql SELECT * FROM delivery_to WHERE recipient = 'alice@example.org'",
        "find bob@example.org",
    ];
    let asked: Vec<AuditRow> = (0..)
        .zip(questions)
        .map(|(at, what)| asked(T0.plus(at), what))
        .collect();
    store.add_audit(&asked).unwrap();
    let address = Address::parse("alice@example.org").unwrap();
    let erased = store.erase(address).unwrap();
    assert_eq!(erased.changed, [("audit", 3)]);
    let left = rows(&store);
    assert!(
        !left
            .to_lowercase()
            .replace("malice@", "")
            .contains("alice@"),
        "{left}"
    );
    assert!(
        left.contains("malice@example.org") && left.contains("find bob@example.org"),
        "{left}"
    );
}

#[test]
fn old_questions_go() {
    let mut store = Store::open_in_memory().unwrap();
    store
        .add_audit(&[asked(T0, "find a"), asked(T0.plus(DAY), "find b")])
        .unwrap();
    let mut cutoffs = Cutoffs::default();
    cutoffs.set(Group::Audit, Some(T0.plus(HOUR)));
    let gone = super::retain::prune(&mut store, cutoffs);
    assert_eq!(gone, [("audit", 1)]);
    assert!(rows(&store).contains("find b"));
}
