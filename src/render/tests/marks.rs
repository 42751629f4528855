use crate::model::table::{Cell, Table};
use crate::render::{Format, Marks, Style, marked};

fn traffic() -> Table {
    let row = |hour: &str, n: i64, days: &[i64]| {
        let days = days.iter().map(|n| Cell::Int(*n)).collect();
        vec![Cell::Text(hour.into()), Cell::Int(n), Cell::List(days)]
    };
    Table {
        columns: ["hour", "mails", "days"].map(str::to_owned).into(),
        rows: vec![
            row("00", 0, &[0, 0]),
            row("01", 1, &[0, 1, 8]),
            row("02", 500, &[4, 2]),
            row("03", 1000, &[]),
        ],
    }
}

fn drawn(width: Option<u16>, is_ascii: bool, format: Format) -> String {
    let marks = Marks {
        bars: &["mails", "nosuch"],
        sparks: &["days"],
        is_ascii,
    };
    let style = Style {
        width,
        ..Style::default()
    };
    let mut out = Vec::new();
    marked(&traffic(), &marks, format, &style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn bars_stand_beside_numbers_and_lists_become_lines() {
    insta::assert_snapshot!(drawn(Some(60), false, Format::Table), @"
    hour  mails                       days
    00        0                       ▁▁
    01        1  ▏                    ▁▂█
    02      500  █████████▌           █▅
    03     1000  ███████████████████
    ");
}

#[test]
fn without_utf8_they_are_ascii() {
    let text = drawn(Some(60), true, Format::Table);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!(text, @"
    hour  mails                       days
    00        0                       __
    01        1  #                    _.#
    02      500  ##########           #=
    03     1000  ###################
    ");
}

#[test]
fn bars_take_only_what_is_left_of_the_line() {
    for width in 10..120 {
        let text = drawn(Some(width), false, Format::Table);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(
            widest <= usize::from(width).max(22),
            "{width}: {widest}\n{text}"
        );
    }
    assert!(!drawn(Some(22), false, Format::Table).contains("██"));
}

#[test]
fn what_programs_read_stays_plain() {
    assert_eq!(
        drawn(None, false, Format::Csv).lines().nth(2),
        Some("01,1,\"[0,1,8]\"")
    );
    assert!(!drawn(None, false, Format::Json).contains('▁'));
}
