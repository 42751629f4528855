//! The writers: all numbers are in each of them, and any text stays text.

use super::changes::Change;
use super::picture::{Picture, Shape};
use super::span::Span;
use super::usual::{Figure, Kind, Range};
use super::*;
use crate::model::table::{Cell, Table};
use crate::model::time::{DAY, Time};
use crate::model::zone::Zone;
use crate::render::escape;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A report in which a hostile text stands in every place that a log can reach.
fn report(text: &str) -> Report {
    let since = Time(20_000 * DAY);
    let find = finds::term("to", text).map(|term| format!("maillog find {term}"));
    Report {
        title: text.to_owned(),
        span: Span {
            since,
            until: since.plus(DAY),
            is_open: false,
            zone: Zone::UTC,
            reader: Zone::UTC,
        },
        notes: vec![Note::plain(text), Note::fault(text)],
        changes: vec![Change {
            figure: Figure {
                kind: Kind::Bounced,
                subject: text.to_owned(),
                now: 41.0,
                before: vec![Some(0.0), Some(3.0)],
            },
            range: Range {
                least: 0.0,
                most: 3.0,
                spans: 2,
            },
            excess: 5.0,
            said: Some((38, text.to_owned())),
            find: find.clone(),
        }],
        more_changes: 2,
        is_compared: true,
        sections: vec![Section {
            name: "causes".to_owned(),
            title: text.to_owned(),
            part: Part::Failures,
            table: Table {
                columns: vec!["provider".to_owned(), "attempts".to_owned()],
                rows: vec![
                    vec![Cell::Text(text.to_owned()), Cell::Int(4321)],
                    vec![Cell::Null, Cell::Float(0.5)],
                ],
            },
            finds: vec![find, None],
            picture: Some(Picture {
                shape: Shape::Bars,
                title: text.to_owned(),
                labels: vec![text.to_owned()],
                series: vec![(text.to_owned(), vec![4321.0])],
            }),
            more: Some(More {
                rows: Some(7),
                command: format!("maillog query causes --host {text}"),
            }),
            ..Section::default()
        }],
        no_empty: false,
    }
}

/// Returns the elements of a page with their attributes, and its texts.
fn parsed(page: &str) -> (Vec<String>, Vec<String>) {
    let options = roxmltree::ParsingOptions {
        allow_dtd: true,
        ..roxmltree::ParsingOptions::default()
    };
    let tree = roxmltree::Document::parse_with_options(page, options)
        .unwrap_or_else(|error| panic!("{error}\n{page}"));
    let elements = tree.descendants().filter(roxmltree::Node::is_element);
    let elements = elements
        .filter(|node| node.tag_name().name() != "rect")
        .map(|node| {
            let names = node.attributes().map(|a| a.name());
            // Classes depend on how long a text is.
            let mut names: Vec<&str> = names.filter(|name| *name != "class").collect();
            names.sort_unstable();
            format!("{} {}", node.tag_name().name(), names.join(" "))
        });
    let texts = tree.descendants().filter(roxmltree::Node::is_text);
    let texts = texts.filter_map(|node| node.text()).map(str::to_owned);
    (elements.collect(), texts.collect())
}

/// What a reader of Markdown sees of the cells of the first table, and whether there is anything but text and tables.
fn cells(markdown: &str) -> (Vec<String>, Vec<String>) {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_MATH;
    let (mut cells, mut strange) = (Vec::new(), Vec::new());
    let mut cell: Option<String> = None;
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Start(Tag::TableCell) => cell = Some(String::new()),
            Event::End(TagEnd::TableCell) => cells.extend(cell.take()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(cell) = &mut cell {
                    cell.push_str(&text);
                }
            }
            Event::Start(
                Tag::Link { .. }
                | Tag::Image { .. }
                | Tag::HtmlBlock
                | Tag::Emphasis
                | Tag::Strikethrough
                | Tag::CodeBlock(_),
            )
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_) => strange.push(format!("{event:?}")),
            _ => {}
        }
    }
    (cells, strange)
}

/// Texts made of what the formats could take for something else.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<script>alert(1)</script>".to_owned()),
        Just("]]>".to_owned()),
        Just("<!--".to_owned()),
        Just("</td></tr></table>".to_owned()),
        Just("&amp;&#60;".to_owned()),
        Just("\" onload='x' ".to_owned()),
        Just("[a](http://x.example) ![b](c)".to_owned()),
        Just("`|`\\|``".to_owned()),
        Just("**b** _i_ ~~s~~ $x$ # h".to_owned()),
        Just("https://www.example.com".to_owned()),
        Just("#010203".to_owned()),
        Just("\u{1b}[31m\u{202e}\r\n\0\u{fffe}".to_owned()),
        any::<String>(),
        "[ -~]{0,12}",
    ];
    proptest::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_text_stays_text_in_html(text in hostile()) {
        let (elements, texts) = parsed(&report(&text).html());
        let (plain, _) = parsed(&report("plain").html());
        // What stands behind a row is left out where it cannot be typed.
        let kinds = |all: &[String]| all.iter().filter(|e| !["br ", "code ", "details ", "summary ", "ul ", "li "].contains(&e.as_str())).cloned().collect::<Vec<_>>();
        prop_assert_eq!(kinds(&elements), kinds(&plain));
        let shown = escape::terminal(&text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
        prop_assert!(shown.is_empty() || texts.iter().filter(|t| **t == shown).count() >= 4, "{:?}", texts);
    }

    #[test]
    fn any_text_stays_text_in_markdown(text in hostile()) {
        let mut out = Vec::new();
        report(&text).write_markdown(&mut out).unwrap();
        let markdown = String::from_utf8(out).unwrap();
        let (cells, strange) = cells(&markdown);
        prop_assert!(strange.is_empty(), "{:?}\n{}", strange, markdown);
        let shown = escape::terminal(&text).trim().to_owned();
        prop_assert!(cells.contains(&shown), "{:?}\n{}", cells, markdown);
        prop_assert!(cells.iter().any(|cell| cell == "4321"));
    }

    #[test]
    fn any_text_stays_one_line_in_text_and_a_value_in_json(text in hostile()) {
        let report = report(&text);
        let plain = report.text();
        prop_assert!(!plain.replace('\n', "").contains(escape::is_harmful));
        let mut out = Vec::new();
        report.write_json(&mut out).unwrap();
        let json = String::from_utf8(out).unwrap();
        let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(lines.len(), 3);
        prop_assert_eq!(&lines[2]["rows"][0]["provider"], &serde_json::json!(text));
        prop_assert_eq!(&lines[1]["rows"][0]["subject"], &serde_json::json!(text));
    }
}

#[test]
fn a_command_names_what_it_can_and_nothing_else() {
    assert_eq!(finds::term("to", "a@b.c").as_deref(), Some("to:a@b.c"));
    let quoted = finds::term("to", "a\" OR status:sent \"").unwrap();
    assert_eq!(quoted, "to:\"a\\\" OR status:sent \\\"\"");
    assert_eq!(finds::term("to", "a\nb"), None);
    assert_eq!(finds::domain("to", "a b"), None);
    let table = Table {
        columns: vec!["domain".to_owned()],
        rows: vec![vec![Cell::Text("'; rm -rf /".to_owned())]],
    };
    let span = report("x").span;
    assert_eq!(finds::finds("domains_to", &table, &span, &[]), [None]);
}

#[test]
fn a_report_without_pictures_and_changes_says_so() {
    let mut report = report("x");
    report.changes.clear();
    assert!(report.text().contains("Nothing left its usual range."));
    report.is_compared = false;
    assert!(report.html().contains("Not compared"));
    assert!(report.has_problems(), "a note says that log is missing");
    report.notes.clear();
    assert!(!report.has_problems());
}
