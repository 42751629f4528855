//! master and postfix-script: the mail system starts, stops, reloads (grammar 5.14).
//!
//! Postfix: `master/master.c`, `conf/postfix-script`. The version tells which forms other lines have.

use crate::model::event::Event;

/// Reads a line of master that carries no severity word.
#[must_use]
pub(super) fn of_master(text: &str) -> Option<Event<'_>> {
    let known = [
        "daemon started",
        "reload",
        "terminating on signal",
        "terminating",
    ]
    .iter()
    .any(|words| text.starts_with(words));
    known.then(|| Event::Master {
        text,
        version: version(text),
    })
}

fn version(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(" version ")?;
    let (version, _) = super::attrs::until(rest, |byte| matches!(byte, b',' | b' '));
    Some(version).filter(|version| !version.is_empty())
}

/// Reads a line of postfix-script that carries no severity word.
#[must_use]
pub(super) fn of_script(text: &str) -> Option<Event<'_>> {
    let known = [
        "starting the Postfix mail system",
        "stopping the Postfix mail system",
        "refreshing the Postfix mail system",
        "aborting the Postfix mail system",
        "the Postfix mail system is running",
        "the Postfix mail system is not running",
    ]
    .iter()
    .any(|words| text.starts_with(words));
    known.then_some(Event::Master {
        text,
        version: None,
    })
}
