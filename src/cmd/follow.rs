//! Follows a search: prints new hits and changes of state as they are committed, until the outcome is known if that is wanted.
//!
//! Asks again every second, of the running service when there is one; else it opens the database for a moment, so that an import in
//! between is not kept out. What was said of a hit is said again only when its state changes.

use super::{Context as Run, Exit};
use crate::ask::find::{FindRequest, Search};
use crate::ask::follow::{Followed, outcome};
use crate::model::table::Table;
use crate::notice::{self, Level};
use crate::query::Plan;
use crate::render::mask::Mask;
use crate::render::{self, Format};
use crate::store;
use anyhow::{Result, anyhow, bail};
use std::time::{Duration, Instant};

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// Hits shown at the beginning, unless `-n` says another number.
const FIRST: usize = 10;

/// How a search is followed.
#[derive(Debug, Default)]
pub struct Options {
    /// Hits shown at the beginning.
    pub first: Option<u64>,
    /// The format.
    pub output: Option<Format>,
    /// End when every hit has an outcome.
    pub until_final: bool,
    /// End after this time.
    pub timeout: Option<Length>,
    /// Hides addresses.
    pub mask: Option<Mask>,
}

/// Follows the search.
///
/// # Errors
/// When the format cannot be followed, or the database fails.
pub fn follow(request: &FindRequest, plan: &Plan, mut options: Options, run: &Run) -> Result<Exit> {
    let format = match options.output {
        None => Format::Short,
        Some(format @ (Format::Short | Format::Json)) => format,
        Some(_) => bail!("--follow and --until-final need -o short or -o json"),
    };
    let end = options.timeout.map(|seconds| Instant::now() + seconds.0);
    let mut followed = Followed::default();
    let mut is_first = true;
    loop {
        if let Some(hits) = ask(request, plan, run)? {
            let fresh = followed.changed(&hits);
            let most = options
                .first
                .map_or(FIRST, |n| usize::try_from(n).unwrap_or(usize::MAX));
            let skip = if is_first {
                fresh.rows.len().saturating_sub(most)
            } else {
                0
            };
            is_first = false;
            print(fresh, skip, format, options.mask.as_mut(), request, run)?;
            if options.until_final
                && let Some(is_delivered) = outcome(&hits)
            {
                return Ok(if is_delivered {
                    Exit::Found
                } else {
                    Exit::Nothing
                });
            }
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            if options.until_final {
                notice::tell(Level::Warning, "no outcome before the timeout (--timeout)");
                return Ok(Exit::Nothing);
            }
            return Ok(if followed.is_empty() {
                Exit::Nothing
            } else {
                Exit::Found
            });
        }
        std::thread::sleep(left.map_or(PERIOD, |left| left.min(PERIOD)));
    }
}

/// Asks once; nothing while the database is out of reach for a moment.
fn ask(request: &FindRequest, plan: &Plan, run: &Run) -> Result<Option<Table>> {
    let hits = run.reader().and_then(|store| {
        let search = Search {
            asked: &store,
            request,
            plan,
        };
        Ok(search.all()?)
    });
    match hits {
        Ok(hits) => {
            notice::over("follow", "the database answers again");
            Ok(Some(hits))
        }
        Err(error) if is_passing(&error) => {
            notice::trouble("follow", Level::Warning, &format!("waiting: {error}"));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns whether waiting may cure it: somebody writes just now.
fn is_passing(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<store::Error>(),
        Some(store::Error::Locked { .. })
    )
}

fn print(
    mut fresh: Table,
    skip: usize,
    format: Format,
    mask: Option<&mut Mask>,
    request: &FindRequest,
    run: &Run,
) -> Result<()> {
    fresh.rows.drain(..skip);
    if fresh.rows.is_empty() {
        return Ok(());
    }
    if let Some(mask) = mask {
        mask.apply(&mut fresh);
    }
    let fresh = request.chosen(fresh).map_err(|error| anyhow!(error))?;
    let mut output = run.output(false);
    let style = output.style;
    render::hits(&fresh, format, &style, output.writer())?;
    output.finish()
}

/// A length of time as an option's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length(pub Duration);

impl std::str::FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = crate::query::time::parse_length(text)
            .filter(|s| s.is_finite() && (0.0..1e9).contains(s))
            .ok_or("write 30s, 10min or 2h")?;
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}
