use super::*;
use chrono::{Local, TimeZone};

fn cells(store: &Store, sql: &str) -> Vec<Cell> {
    store.select(sql, &[]).unwrap().rows.remove(0)
}

#[test]
fn local_time_is_that_of_the_system() {
    let store = Store::open_in_memory().unwrap();
    let utc = T0.to_utc().unwrap().naive_utc();
    let shown = Local.from_utc_datetime(&utc).naive_local().and_utc();
    let found = store
        .select("SELECT local_time(?), local_time(NULL)", &[Param::Time(T0)])
        .unwrap();
    assert_eq!(found.rows, [[Cell::Time(shown.into()), Cell::Null]]);
}

#[test]
fn zones_follow_their_rules_in_summer_and_winter() {
    let store = Store::open_in_memory().unwrap();
    let sql = "SELECT in_zone(TIMESTAMP '2026-07-01 10:00:00', 'Europe/Berlin') = TIMESTAMP '2026-07-01 12:00:00',
        in_zone(TIMESTAMP '2026-01-01 10:00:00.5', 'Europe/Berlin') = TIMESTAMP '2026-01-01 11:00:00.5',
        in_zone(TIMESTAMP '2026-03-29 00:59:59', 'Europe/Berlin') = TIMESTAMP '2026-03-29 01:59:59',
        in_zone(TIMESTAMP '2026-03-29 01:00:00', 'Europe/Berlin') = TIMESTAMP '2026-03-29 03:00:00',
        in_zone(TIMESTAMP '2026-01-01 10:00:00', 'UTC') = TIMESTAMP '2026-01-01 10:00:00',
        in_zone(TIMESTAMP 'infinity', 'America/New_York') = TIMESTAMP 'infinity',
        in_zone(NULL, 'UTC'), in_zone(TIMESTAMP '2026-01-01', NULL)";
    let found = cells(&store, sql);
    assert_eq!(found[..6], [const { Cell::Bool(true) }; 6]);
    assert_eq!(found[6..], [Cell::Null, Cell::Null]);
}

#[test]
fn a_cause_is_told_by_text_and_codes() {
    let store = Store::open_in_memory().unwrap();
    let sql = "SELECT cause('550 sorry', '5.1.1', ''), cause('550 sorry', '', 'relay'), cause('550 sorry', '', ''),
        cause_dnsbl('554 Client host [192.0.2.1] blocked using bl.example.org', '', ''), cause_dnsbl('550 sorry', '5.1.1', '')";
    let text = |text: &str| Cell::Text(text.to_owned());
    assert_eq!(
        cells(&store, sql),
        [
            text("unknown_user"),
            text("relay_denied"),
            text("other"),
            text("bl.example.org"),
            Cell::Null
        ]
    );
}

#[test]
fn spellings_that_lower_makes_equal_have_one_key() {
    let store = Store::open_in_memory().unwrap();
    let every_character = "SELECT count(*) FROM range(1, 1114112) AS r(i)
        WHERE (i < 55296 OR i > 57343) AND address_key(chr(i::INTEGER)) <> address_key(lower(chr(i::INTEGER)))";
    assert_eq!(number(&store, every_character), 0);
    let sql = "SELECT address_key('Alice@Example.org') = address_key('alice@eXample.ORG'), address_key(NULL)";
    assert_eq!(cells(&store, sql), [Cell::Bool(true), Cell::Null]);
}

#[test]
fn many_rows_with_several_zones() {
    let store = Store::open_in_memory().unwrap();
    let sql = "SELECT count(*) FROM range(100000) AS r(i) WHERE in_zone(TIMESTAMP '2026-01-01' + to_seconds(i),
        CASE WHEN i % 3 = 0 THEN 'Asia/Kolkata' WHEN i % 3 = 1 THEN NULL ELSE 'UTC' END) > TIMESTAMP '2026-01-01' + to_seconds(i)";
    assert_eq!(number(&store, sql), 33_334);
}

#[test]
fn unknown_zone_is_named() {
    let store = Store::open_in_memory().unwrap();
    let error = store
        .select(
            "SELECT in_zone(TIMESTAMP '2026-01-01', 'Europe/Nowhere')",
            &[],
        )
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("unknown time zone \"Europe/Nowhere\""),
        "{error}"
    );
}

#[test]
fn addresses_lie_in_networks() {
    let store = Store::open_in_memory().unwrap();
    let sql = "SELECT ip_in('192.0.2.77', '192.0.2.0/24'), ip_in('198.51.100.1', '192.0.2.0/24'),
        ip_in('2001:db8::1', '2001:db8::/32'), ip_in('192.0.2.1', '2001:db8::/32'), ip_in('unknown', '0.0.0.0/0'),
        ip_in('192.0.2.1', '192.0.2.1'), ip_in('192.0.2.1', '0.0.0.0/0'), ip_in(NULL, '0.0.0.0/0'), ip_in('192.0.2.1', NULL)";
    let expected = [true, false, true, false, false, true, true].map(Cell::Bool);
    let found = cells(&store, sql);
    assert_eq!(found[..7], expected);
    assert_eq!(found[7..], [Cell::Null, Cell::Null]);
}

#[test]
fn the_address_within_is_that_of_the_program() {
    let store = Store::open_in_memory().unwrap();
    let sql = "SELECT address_within('SRS0=a=b=example.net=ann@fwd.example.org'), address_within('ann@example.net'), address_within(NULL)";
    assert_eq!(
        cells(&store, sql),
        [Cell::Text("ann@example.net".into()), Cell::Null, Cell::Null]
    );
}
