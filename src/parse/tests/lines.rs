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

/// A tag without the program hides little: the text tells. It cannot tell who removed a message, smtp's header checks from
/// cleanup's, and tlsproxy from postscreen.
#[test]
fn a_bare_tag_is_read_by_its_text() {
    let (mut lines, mut others) = (0, Vec::new());
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/testlogs/lines")).unwrap()
    {
        let path = entry.unwrap().path();
        if path.ends_with("neighbours.log") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
        {
            let (ident, text) = header(line).unwrap();
            let only_program_tells = ident.ends_with("/tlsproxy")
                || ident.ends_with("/postsuper") && text.ends_with(": removed")
                || ident.ends_with("/smtp") && text.contains(": replace: header ");
            if !ident.starts_with("postfix") || only_program_tells {
                continue;
            }
            lines += 1;
            if event("postfix", text) != event(ident, text) {
                others.push(format!(
                    "{ident}: {text}\n  {:?}\n  {:?}",
                    event("postfix", text),
                    event(ident, text)
                ));
            }
        }
    }
    assert!(lines > 100);
    assert!(others.is_empty(), "{}", others.join("\n"));
}
