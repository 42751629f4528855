//! Says what was read for the window of a search in which nothing was found.

use super::Context as Run;
use crate::ask::coverage::{Coverage, Host, NoProof};
use crate::model::time::{SECOND, Time};
use crate::model::zone::Zone;
use crate::render::escape;

/// More hosts than these are told as one line.
const HOSTS: usize = 10;

/// Returns the lines to say when nothing was found between the two times; `scope` is whose mail was searched, where it is not all mail.
#[must_use]
pub fn nothing_found(
    coverage: &Coverage,
    window: (Option<Time>, Option<Time>),
    scope: Option<&str>,
    run: &Run,
) -> Vec<String> {
    let zone = run.zone;
    if coverage.hosts.is_empty() {
        return vec![format!("nothing found, and {}", none_read(coverage, zone))];
    }
    let mut lines = vec!["nothing found; log read in that time:".to_owned()];
    let hosts = coverage.hosts.iter().take(HOSTS);
    lines.extend(hosts.map(|of| host(of, zone)));
    if coverage.hosts.len() > HOSTS {
        let more = coverage.hosts.len() - HOSTS;
        lines.push(format!(
            "  and {more} more host{}",
            if more == 1 { "" } else { "s" }
        ));
    }
    for gap in &coverage.gaps {
        lines.push(format!(
            "  {}: no line between {} and {}",
            named(&gap.host),
            zone.show(gap.from),
            zone.show(gap.to)
        ));
    }
    lines.push(conclusion(&coverage.doubts(window, run.now), scope, zone));
    lines
}

/// Says what there is instead when the window holds no log at all.
fn none_read(coverage: &Coverage, zone: Zone) -> String {
    match coverage.reach {
        Some((first, last)) => format!(
            "no log was read for that time: the stored log reaches from {} to {} (--all searches everything)",
            zone.show(first),
            zone.show(last)
        ),
        None => "no log was read at all: run `maillog ingest /var/log/mail.log*` first".to_owned(),
    }
}

fn host(host: &Host, zone: Zone) -> String {
    let mut text = format!(
        "  {}: {} to {}, {} line{}",
        named(&host.name),
        zone.show(host.first),
        zone.show(host.last),
        host.lines,
        if host.lines == 1 { "" } else { "s" }
    );
    let mut add = |n: i64, one: &str, many: &str| {
        if n > 0 {
            text.push_str(&format!(", {n} {}", if n == 1 { one } else { many }));
        }
    };
    add(host.not_understood, "not understood", "not understood");
    add(host.lost, "line lost", "lines lost");
    add(
        host.silent_hours,
        "hour without a line",
        "hours without a line",
    );
    text
}

fn named(host: &str) -> String {
    if host.is_empty() {
        return "(no host name)".to_owned();
    }
    escape::terminal(host).into_owned()
}

/// Says how much "nothing" means.
fn conclusion(doubts: &[NoProof], scope: Option<&str>, zone: Zone) -> String {
    let show = |t: Time| zone.show(t.plus(-t.0.rem_euclid(SECOND)));
    let (mut words, mut borders) = (Vec::new(), Vec::new());
    for doubt in doubts {
        match doubt {
            NoProof::Lost => words.push("lines were lost".to_owned()),
            NoProof::NotUnderstood => {
                words.push("some lines were not understood (see maillog status)".to_owned());
            }
            NoProof::Gaps => words.push("the log has gaps".to_owned()),
            NoProof::Begins(first) => borders.push(format!("begins at {}", show(*first))),
            NoProof::Ends(last) => borders.push(format!("ends at {}", show(*last))),
        }
    }
    if !borders.is_empty() {
        words.push(format!("the log that was read {}", borders.join(" and ")));
    }
    let of = scope.map_or_else(String::new, |scope| format!(" of {scope}"));
    if words.is_empty() {
        format!(
            "the log has no gap and every line was understood: no such mail{of} passed these hosts in that time"
        )
    } else {
        format!(
            "this does not prove that there was no such mail{of}: {}",
            words.join(", ")
        )
    }
}
