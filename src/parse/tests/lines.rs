//! `testlogs/lines/<service>.log`: one line per case, snapshot of the events.

use super::{event, header};
use std::fmt::Write;

#[test]
fn lines_are_understood_as_before() {
    insta::glob!(
        concat!(env!("CARGO_MANIFEST_DIR"), "/testlogs/lines"),
        "*.log",
        |path| {
            let text = std::fs::read_to_string(path).unwrap();
            let mut seen = String::new();
            for line in text.lines().filter(|line| !line.is_empty()) {
                if let Some(why) = line.strip_prefix("# ") {
                    writeln!(seen, "# {why}").unwrap();
                    continue;
                }
                let (ident, text) = header(line).unwrap();
                let event = serde_json::to_string(&event(ident, text)).unwrap();
                writeln!(seen, "{line}\n{event}\n").unwrap();
            }
            insta::assert_snapshot!(seen);
        }
    );
}
