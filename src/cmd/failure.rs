//! An error in words: one line that names the thing, and the cure where it is known.

use crate::queue::postfix;
use crate::{notice, query, source, store};

/// The reader of the result has had enough (`| head`): that is success.
#[must_use]
pub fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind);
        let json = cause
            .downcast_ref::<serde_json::Error>()
            .and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(std::io::ErrorKind::BrokenPipe)
    })
}

/// Tells the user why nothing came of it.
pub fn tell(error: &anyhow::Error) {
    if let Some(error) = error.downcast_ref::<query::Error>() {
        notice::block(&format!("maillog: {error}"));
        return;
    }
    let mut text = "maillog".to_owned();
    for cause in error.chain() {
        let system = cause.downcast_ref::<std::io::Error>();
        let cause = system.map_or_else(|| cause.to_string(), source::error::plain);
        if !says(&text, &cause) {
            text.push_str(&format!(": {cause}"));
        }
    }
    // The database's messages have several lines: the statement with a caret below it.
    notice::block(&text);
    if let Some(hint) = error.chain().find_map(hint) {
        notice::hint(&hint);
    }
}

/// Returns whether the text ends with the cause already, as errors do that quote theirs.
fn says(text: &str, cause: &str) -> bool {
    let plain = |text: &str| {
        text.split(" (os error")
            .next()
            .unwrap_or_default()
            .to_lowercase()
    };
    plain(text).ends_with(&plain(cause))
}

fn hint(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<store::Error>() {
        return error.hint().map(str::to_owned);
    }
    if let Some(error) = cause.downcast_ref::<postfix::Error>() {
        return error.hint();
    }
    cause.downcast_ref::<source::Error>()?.hint()
}
