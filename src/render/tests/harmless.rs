//! Whatever the cells hold, a terminal is not told to do anything, and programs can read what is for them.

use super::super::story;
use super::super::ticket;
use super::super::{Format, Style, escape};
use super::{berlin, shown, shown_hits, write_story, write_ticket};
use crate::model::table::{Cell, Table};
use crate::model::time::Time;
use crate::story::{StoryInput, refusals};
use proptest::prelude::*;

/// Columns that hits and stories look at, and one that they do not.
const COLUMNS: [&str; 28] = [
    "id",
    "from_id",
    "to_id",
    "parent_id",
    "root_id",
    "time",
    "first_time",
    "updated",
    "removed",
    "kind",
    "queue_id",
    "status",
    "sender",
    "recipient",
    "orig_to",
    "client_name",
    "relay",
    "dsn",
    "reason",
    "parent_link",
    "attempts",
    "delay",
    "subject",
    "program",
    "action",
    "detail",
    "for_recipient",
    "x\u{1b}[2J",
];

fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\x00-\\x1f\\x7f-\\u{9f}\u{202a}-\u{202e}\u{200b}-\u{200f}a-z]{0,12}",
        Just("sent".to_owned()),
        Just("filtered".to_owned()),
        Just("bounce".to_owned()),
    ]
}

fn cell() -> impl Strategy<Value = Cell> {
    let plain = prop_oneof![
        Just(Cell::Null),
        any::<bool>().prop_map(Cell::Bool),
        prop_oneof![any::<i64>(), 0..3_i64].prop_map(Cell::Int),
        any::<i128>().prop_map(Cell::Big),
        any::<f64>().prop_map(Cell::Float),
        hostile().prop_map(Cell::Text),
        any::<i64>().prop_map(|t| Cell::Time(Time(t))),
        prop::collection::vec(any::<u8>(), 0..5).prop_map(Cell::Blob),
    ];
    plain.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Cell::List),
            prop::collection::vec((hostile(), inner), 0..3).prop_map(Cell::Struct),
        ]
    })
}

fn any_table() -> impl Strategy<Value = Table> {
    let row = prop::collection::vec(cell(), COLUMNS.len());
    prop::collection::vec(row, 0..5).prop_map(|rows| Table {
        columns: COLUMNS.iter().map(|c| (*c).to_owned()).collect(),
        rows,
    })
}

fn assert_harmless(shown: &str) {
    let harmful = shown.chars().find(|c| *c != '\n' && escape::is_harmful(*c));
    assert_eq!(harmful, None, "{shown:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn nothing_for_eyes_moves_a_terminal(table in any_table(), width in prop::option::of(0..200_u16)) {
        let style = berlin(width);
        for format in [Format::Table, Format::Short, Format::Story, Format::Qid, Format::Count] {
            assert_harmless(&shown_hits(&table, format, &style));
            assert_harmless(&shown(&table, format, &style));
        }
        let lines = shown_hits(&table, Format::Short, &style).lines().count();
        prop_assert_eq!(lines, table.rows.len());
    }

    #[test]
    fn no_story_moves_a_terminal(messages in any_table(), recipients in any_table(), attempts in any_table()) {
        let mut out = Vec::new();
        let story = StoryInput { messages, recipients, refusals: attempts.clone(), asked: attempts.clone(), neighbours: attempts.clone(), later: Some(attempts.clone()), attempts, ..StoryInput::default() };
        write_story(&story, &berlin(None), &mut out);
        let refused = refusals(&story.messages, &[], &[]);
        story::write_refusals(&refused, &berlin(None), &mut out).unwrap();
        write_ticket(&story, &berlin(None), &mut out);
        ticket::write_refusals(&refused, &berlin(None), &mut out).unwrap();
        assert_harmless(&String::from_utf8(out).unwrap());
    }

    #[test]
    fn json_is_valid_and_one_object_a_row(table in any_table()) {
        let json = shown(&table, Format::Json, &Style::default());
        let objects: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(objects.len(), table.rows.len());
        prop_assert!(objects.iter().all(|object| object.as_object().unwrap().len() == COLUMNS.len()));
    }

    #[test]
    fn csv_is_read_back_with_all_its_cells(table in any_table()) {
        let csv = shown(&table, Format::Csv, &Style::default());
        let records: Vec<csv::StringRecord> = csv::Reader::from_reader(csv.as_bytes()).records().map(Result::unwrap).collect();
        prop_assert_eq!(records.len(), table.rows.len());
        let is_formula = |cell: &str| cell.starts_with(['=', '+', '@', '\t', '\r']);
        prop_assert!(records.iter().flatten().all(|cell| !is_formula(cell)));
    }

    #[test]
    fn tsv_is_one_line_a_row_with_all_its_cells(table in any_table()) {
        let tsv = shown(&table, Format::Tsv, &Style::default());
        prop_assert_eq!(tsv.lines().count(), table.rows.len() + 1);
        prop_assert!(tsv.lines().all(|line| line.split('\t').count() == COLUMNS.len()));
    }
}
