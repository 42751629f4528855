//! Import: all inputs once, one after the other, and then the end.

use super::feed::Feeds;
use super::health::Health;
use super::progress::Progress;
use super::pump::{Pump, Rules};
use super::reader::{self, Planned};
use super::resume;
use super::stats::Summary;
use super::stream::Streams;
use super::writer::{self, Jobs};
use crate::correlate::{Correlator, Settings};
use crate::seen::Seen;
use crate::source::Input;
use crate::store::Store;
use anyhow::{Context, Result, anyhow};

/// Reads all `inputs` into `store`, with `is_again` also what was read before; `domains` are those whose deliveries are counted apart.
///
/// # Errors
/// When the store fails. What a source did wrong is in the summary's `failures` instead.
pub fn run(
    store: Store,
    inputs: Vec<Input>,
    is_again: bool,
    rules: Rules,
    domains: &[String],
    progress: Progress,
) -> Result<(Store, Summary)> {
    let (streams, correlator, seen) = restore(&store, rules)?;
    let plan = plan(inputs, is_again, &store)?;
    let (feeds, fed) = Feeds::channel();
    let (jobs, todo) = Jobs::channel();
    let health = &Health::default();
    let sources = streams.source_ids();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            // The pump's end is told by the storing thread.
            let _ = reader::read(plan, &rules.options, &feeds);
        });
        let storing = scope.spawn(move || writer::keep(store, sources, &todo, health, None));
        let pump = Pump::new(rules, correlator, streams, seen, jobs, health, progress)
            .with_domains(domains);
        let summary = pump.pump(&fed);
        drop(fed);
        let stored = storing
            .join()
            .map_err(|_| anyhow!("the writer stopped unexpectedly"))?;
        let mut store = stored?;
        let summary = summary?;
        store
            .checkpoint()
            .context("cannot finish the database file")?;
        Ok((store, summary))
    })
}

/// Returns what was stored of streams, open messages, and lines told.
///
/// # Errors
/// When the database fails or holds what maillog did not write.
pub fn restore(store: &Store, rules: Rules) -> Result<(Streams, Correlator, Seen)> {
    let stored = store
        .sources()
        .context("cannot read the stored position of the log")?;
    let open = store
        .open_state()
        .context("cannot read the open messages")?;
    let settings = Settings {
        log_line_from: rules.log_line_from(rules.present.now()),
        ..Settings::default()
    };
    let correlator =
        Correlator::restore(settings, open).context("cannot continue from the stored state")?;
    let told = store
        .seen()
        .context("cannot read the list of known lines")?;
    let session = store.session().context("cannot open a second connection")?;
    let fetch = move |ids: &[i64]| {
        let found = session.seen_keys(ids);
        found.context("cannot look up lines that another source has")
    };
    let seen = Seen::restore(told, Box::new(fetch));
    Ok((Streams::restore(stored), correlator, seen))
}

/// Finds the inputs that lie inside a stored stream.
fn plan(inputs: Vec<Input>, is_again: bool, store: &Store) -> Result<Vec<Planned>> {
    let stored = store
        .sources()
        .context("cannot read the stored position of the log")?;
    let planned = inputs.into_iter().map(|input| {
        let piece = if is_again {
            None
        } else {
            resume::piece_of(&input, &stored, store)?
        };
        Ok(Planned {
            input,
            piece,
            is_again,
        })
    });
    planned.collect()
}
