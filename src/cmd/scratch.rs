//! Scratch: log that is looked at and not kept, in a database that goes with the command.

use super::Context as Run;
use crate::answers::Answers;
use crate::check::Check;
use crate::ingest::clock::Present;
use crate::ingest::import;
use crate::ingest::progress::Progress;
use crate::ingest::pump::Rules;
use crate::ingest::stats::Summary;
use crate::notice;
use crate::source::{self, Options};
use crate::store::Store;
use anyhow::{Result, bail};
use std::ffi::OsString;
use std::io::IsTerminal;

/// Raw lines of whatever age are kept for as long as the command runs.
const DAYS: u32 = 36_500;

/// Reads the files; what cannot be read is told, and what was readable is there.
///
/// # Errors
/// When there is no log in what is named, or the database fails.
pub fn read(run: &Run, files: &[OsString], options: Options) -> Result<(Answers, Summary)> {
    let (inputs, skipped) = source::collect(files, &options)?;
    if inputs.is_empty() {
        let reason = |s: &source::Skipped| format!(": {}: {}", s.path.display(), s.reason);
        bail!(
            "no log in the named files{}",
            skipped.first().map(reason).unwrap_or_default()
        );
    }
    let found: Vec<String> = inputs
        .iter()
        .filter(|input| input.is_found())
        .map(|input| input.path().display().to_string())
        .collect();
    let sizes = (!inputs.iter().any(source::Input::is_stream))
        .then(|| inputs.iter().map(source::Input::size).sum());
    let progress = Progress::start(sizes, std::io::stderr().is_terminal());
    let rules = Rules {
        options,
        present: Present::Fixed(run.now),
        retain_lines_days: DAYS,
    };
    let (store, mut summary) =
        import::run(Store::open_scratch()?, inputs, false, rules, &[], progress)?;
    // Other logs lie in a directory, too; what was named was meant.
    let is_blind = summary.lines > 0 && summary.understood + summary.known == 0;
    let is_found = |source: &String| found.contains(source);
    summary.findings.retain(|finding| {
        let is_other = finding.source.as_ref().is_some_and(is_found);
        finding.check != Check::NoLine || is_blind || !is_other
    });
    for failure in &summary.failures {
        notice::tell(notice::Level::Error, failure);
    }
    summary.skipped = skipped
        .iter()
        .map(|s| format!("{}: {}", s.path.display(), s.reason))
        .collect();
    Ok((Answers::Here(Box::new(store)), summary))
}
