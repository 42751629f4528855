//! Each form of output.

use super::super::{Format, Style, json};
use super::{at, berlin, hits, shown, shown_hits, table, text};
use crate::model::table::Cell;
use crate::model::time::Time;

#[test]
fn hits_as_wide_as_they_are() {
    insta::assert_snapshot!(shown_hits(&hits(), Format::Table, &berlin(None)));
}

#[test]
fn hits_fit_a_terminal() {
    for width in [80, 100, 132, 200] {
        let drawn = shown_hits(&hits(), Format::Table, &berlin(Some(width)));
        for line in drawn.lines() {
            let used = tabled::grid::util::string::get_string_width(line);
            assert!(used <= usize::from(width), "{used} of {width}: {line}");
        }
    }
    insta::assert_snapshot!(shown_hits(&hits(), Format::Table, &berlin(Some(100))));
}

#[test]
fn narrow_terminal_shows_addresses_whole() {
    for width in [1, 40, 80] {
        let drawn = shown_hits(&hits(), Format::Table, &berlin(Some(width)));
        for address in ["bob@example.net", "alice@example.org", "名前@例え.example"] {
            assert!(drawn.contains(address), "{address} at {width}: {drawn}");
        }
    }
    insta::assert_snapshot!(shown_hits(&hits(), Format::Table, &berlin(Some(80))));
}

#[test]
fn hits_one_a_line() {
    insta::assert_snapshot!(shown_hits(&hits(), Format::Short, &berlin(None)));
}

#[test]
fn colour_tells_the_outcome_and_only_where_wanted() {
    let color = Style {
        color: true,
        ..berlin(None)
    };
    for format in [Format::Table, Format::Short] {
        let drawn = shown_hits(&hits(), format, &color);
        assert!(drawn.contains("\u{1b}[32m"), "{drawn}");
        assert!(drawn.contains("\u{1b}[31m") && drawn.contains("\u{1b}[33m"));
        assert!(!shown_hits(&hits(), format, &berlin(None)).contains('\u{1b}'));
    }
}

#[test]
fn queue_ids_once_and_the_number_of_hits() {
    assert_eq!(
        shown_hits(&hits(), Format::Qid, &berlin(None)),
        "3A1973E542\n3A1973E543\n"
    );
    assert_eq!(shown_hits(&hits(), Format::Count, &berlin(None)), "4\n");
}

#[test]
fn no_rows_say_nothing_but_headers_of_files() {
    let empty = table(&["a", "b"], Vec::new());
    let style = berlin(Some(80));
    for format in [
        Format::Table,
        Format::Short,
        Format::Story,
        Format::Json,
        Format::Qid,
    ] {
        assert_eq!(shown(&empty, format, &style), "");
        assert_eq!(shown_hits(&empty, format, &style), "");
    }
    assert_eq!(shown(&empty, Format::Csv, &style), "a,b\n");
    assert_eq!(shown(&empty, Format::Tsv, &style), "a\tb\n");
    assert_eq!(shown(&empty, Format::Count, &style), "0\n");
}

/// A value of every kind.
fn everything() -> crate::model::table::Table {
    table(
        &[
            "null", "bool", "int", "big", "huge", "float", "nan", "inf", "text", "time",
            "fraction", "blob", "list", "struct", "text",
        ],
        vec![vec![
            Cell::Null,
            Cell::Bool(true),
            Cell::Int(-5),
            Cell::Big(u64::MAX.into()),
            Cell::Big(i128::MIN),
            Cell::Float(0.25),
            Cell::Float(f64::NAN),
            Cell::Float(f64::NEG_INFINITY),
            text("a\t\"b\", c\\d\ne"),
            at(0),
            Cell::Time(Time(super::T.0 + 250_000)),
            Cell::Blob(vec![0, 255]),
            Cell::List(vec![Cell::Int(1), Cell::Null, text("x")]),
            Cell::Struct(vec![
                ("k".into(), Cell::Float(f64::NAN)),
                ("k".into(), at(1)),
            ]),
            text("again"),
        ]],
    )
}

#[test]
fn every_kind_of_value_in_every_form() {
    let style = berlin(None);
    let all = [Format::Json, Format::Csv, Format::Tsv, Format::Table]
        .map(|format| shown(&everything(), format, &style));
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn times_beyond_any_calendar_do_not_stop_a_result() {
    let far = table(
        &["t"],
        vec![
            vec![Cell::Time(Time(i64::MAX))],
            vec![Cell::Time(Time(i64::MIN))],
        ],
    );
    for format in [Format::Json, Format::Csv, Format::Tsv, Format::Table] {
        assert!(shown(&far, format, &berlin(None)).contains("9223372036854775807"));
    }
}

#[test]
fn formulas_are_text_in_a_spreadsheet_and_numbers_stay() {
    let rows =
        ["=1+1", "+1", "-1", "@a", "\tx", "\rx", "a=1", "'"].map(|t| vec![text(t), Cell::Int(-1)]);
    let csv = shown(
        &table(&["=h", "n"], rows.to_vec()),
        Format::Csv,
        &berlin(None),
    );
    assert_eq!(
        csv,
        "'=h,n\n'=1+1,-1\n'+1,-1\n'-1,-1\n'@a,-1\n'\tx,-1\n'\\rx,-1\na=1,-1\n',-1\n"
    );
}

#[test]
fn columns_of_one_name_stay_apart_in_an_object() {
    let twice = table(
        &["a", "a", "a_2", "a"],
        vec![vec![Cell::Int(1), Cell::Int(2), Cell::Int(3), Cell::Int(4)]],
    );
    let line = shown(&twice, Format::Json, &berlin(None));
    let object: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(object.as_object().unwrap().len(), 4, "{line}");
}

#[test]
fn sections_are_one_object() {
    let mut out = Vec::new();
    json::sections(
        &[
            ("one", table(&["a"], vec![vec![Cell::Int(1)]])),
            ("none", table(&["a"], Vec::new())),
        ],
        &mut out,
    )
    .unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "{\"one\":[{\"a\":1}],\"none\":[]}\n"
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of statements and answers")]
fn what_a_clock_shows_has_no_zone() {
    let told = |sql: &str, column: &str, format: Format| {
        let table = table(&[column], vec![vec![at(0)]]);
        let table = super::super::local::readings(sql, table, format);
        shown(&table, format, &berlin(None))
    };
    let (utc, clock) = (
        told("SELECT time", "time", Format::Tsv),
        "time\n2026-11-20T10:00:00",
    );
    assert!(utc.trim_end().ends_with('Z'), "{utc}");
    assert!(utc.starts_with(clock), "{utc}");
    for (sql, column) in [
        ("SELECT local_time(time) FROM event", "local_time(\"time\")"),
        ("select IN_ZONE(time, 'Asia/Tokyo') AS t from x", "t"),
        (
            "SELECT in_zone(time, 'it''s, FROM x') \"My Time\" FROM x",
            "My Time",
        ),
        (
            "SELECT 1, date_trunc('hour', local_time(time)) AS hour, count(*) FROM x GROUP BY ALL",
            "hour",
        ),
        (
            "SELECT date_trunc('hour', local_time(time)) FROM x",
            "date_trunc('hour', local_time(\"time\"))",
        ),
        (
            "WITH a AS (SELECT local_time(time) AS lt FROM x) SELECT lt FROM a",
            "lt",
        ),
        (
            "WITH a AS (SELECT local_time(time) AS lt FROM x) SELECT max(a.lt) AS last FROM a",
            "last",
        ),
        (
            "SELECT * FROM (SELECT coalesce(in_zone(a, 'UTC'), b) AS c FROM x)",
            "c",
        ),
        (
            "SELECT CASE WHEN true THEN local_time(a) END AS c -- AS d\n FROM x",
            "c",
        ),
        (
            "SELECT a, (SELECT max(local_time(b)) FROM y) AS c FROM x",
            "c",
        ),
        ("SELECT local_time(time) t FROM x ORDER BY t", "t"),
    ] {
        for format in [Format::Json, Format::Csv, Format::Tsv, Format::Table] {
            let told = told(sql, column, format);
            assert!(
                told.contains("10:00:00") && !told.contains('Z'),
                "{sql}: {told}"
            );
        }
    }
    for sql in [
        "SELECT local_time(time) AS lt, time FROM x",
        "SELECT time FROM x WHERE local_time(time) > 'a' ORDER BY time",
        "SELECT time FROM x ORDER BY local_time(time), time",
        "SELECT time, 'local_time(time) AS time' FROM x",
        "SELECT time /* local_time(x) AS time */ FROM x",
        "SELECT time FROM (SELECT in_zone(time, 'UTC') AS other, time FROM x)",
        "SELECT date_diff('hour', local_time(time), time) AS h, time FROM x",
    ] {
        assert!(told(sql, "time", Format::Csv).contains('Z'), "{sql}");
    }
    for broken in [
        "local_time(",
        "SELECT in_zone(\"",
        "local_time)) AS x",
        "/* local_time",
        "'in_zone",
        "\u{fffd}local_time(\u{130}",
    ] {
        told(broken, "x", Format::Json);
    }
}

#[test]
fn what_does_not_fit_beside_stands_below_and_nothing_is_cut() {
    let wide = table(
        &[
            "client_address",
            "client_name",
            "refusals",
            "rules",
            "recipients",
            "first_time",
            "last_time",
        ],
        vec![
            vec![
                text("2001:db8:1234:5678:9abc:def0:1234:5678"),
                text("host-with-a-long-name.dynamic.customer.provider.example"),
                Cell::Int(120),
                text("dnsbl helo relay sender_domain"),
                Cell::Int(7),
                at(0),
                at(1),
            ],
            vec![
                text("192.0.2.1"),
                text(&"x".repeat(200)),
                Cell::Int(1),
                Cell::Null,
                Cell::Int(1),
                at(2),
                at(3),
            ],
        ],
    );
    for width in [40, 80, 100, 120, 132] {
        let drawn = shown(&wide, Format::Table, &berlin(Some(width)));
        for line in drawn.lines() {
            let used = tabled::grid::util::string::get_string_width(line);
            assert!(used <= usize::from(width), "{used} of {width}: {line}");
        }
        assert!(drawn.contains("2001:db8:1234:5678:9abc:def0:1234:5678"));
        assert!(drawn.contains("11:00:03"), "{drawn}");
        if width < 132 {
            assert!(!drawn.contains('…'), "{drawn}");
        }
    }
    insta::assert_snapshot!(shown(&wide, Format::Table, &berlin(Some(80))));
}

#[test]
fn a_bounce_is_told_by_its_reply_at_any_width() {
    let columns = [
        "time",
        "kind",
        "queue_id",
        "status",
        "sender",
        "recipient",
        "relay",
        "dsn",
        "reason",
    ];
    let row = vec![
        at(0),
        text("mail"),
        text("4jWctr3YP4z5rsG"),
        text("bounced"),
        text("newsletter@lists.example.com"),
        text("somebody.with.a.name@customer.example.net"),
        text("customer-example-net.mail.protection.example[203.0.113.36]:25"),
        text("5.4.1"),
        text(
            "host customer-example-net.mail.protection.example[203.0.113.36] said: 550 5.4.1 Recipient address rejected: \
             Access denied. (in reply to RCPT TO command)",
        ),
    ];
    let bounce = table(&columns, vec![row]);
    for width in [60, 80, 100, 120, 160, 200, 250] {
        let drawn = shown_hits(&bounce, Format::Table, &berlin(Some(width)));
        let words = drawn.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("550 5.4.1 Recipient address rejected: Access denied."),
            "{width}: {drawn}"
        );
        assert!(!drawn.contains("in reply to") && !drawn.contains("said:"));
    }
}
