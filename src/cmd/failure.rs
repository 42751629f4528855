//! An error in words: one line that names the thing, and the cure where it is known.

use crate::{notice, query, source, store};

/// Tells the user why nothing came of it.
pub fn tell(error: &anyhow::Error) {
    if let Some(error) = error.downcast_ref::<query::Error>() {
        notice::block(&format!("maillog: {error}"));
        return;
    }
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    notice::say(&causes.join(": "));
    if let Some(hint) = error.chain().find_map(hint) {
        notice::hint(&hint);
    }
}

fn hint(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    if let Some(error) = cause.downcast_ref::<store::Error>() {
        return error.hint().map(str::to_owned);
    }
    cause.downcast_ref::<source::Error>()?.hint()
}
