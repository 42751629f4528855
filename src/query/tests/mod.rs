//! Tests of the whole stage: text in; SQL, readings or error out.

#[cfg(feature = "store")]
mod answers;
mod arguments;
mod errors;
mod properties;
#[cfg(feature = "store")]
mod reference;
#[cfg(feature = "store")]
pub(crate) mod same;
mod statements;
mod times;

use super::{Error, Options, Plan, compile_text};
use crate::model::time::Time;
use crate::model::zone::Zone;
use chrono_tz::Tz;

/// 2026-11-21 12:00:00 UTC, a Saturday; 13:00 in Berlin.
pub(super) const NOW: Time = Time(1_795_262_400_000_000);

pub(super) fn options() -> Options {
    Options {
        now: NOW,
        zone: Zone::Named(Tz::Europe__Berlin),
        since: None,
        until: None,
        all: false,
        limit: None,
        all_hops: false,
    }
}

/// Without the default window, so that only the query itself shows in the SQL.
pub(super) fn everything() -> Options {
    Options {
        all: true,
        ..options()
    }
}

pub(super) fn compile_all(text: &str) -> Result<Plan, Error> {
    compile_text(text, &everything())
}
