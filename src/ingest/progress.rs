//! The progress bar of an import: bytes, lines a second, time left. Only on a terminal.

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::time::Instant;

/// A bar, or nothing.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    start: Instant,
    done: u64,
}

impl Progress {
    /// Starts a bar over `total` bytes on disk; `None` when the size is unknown (stdin); hidden unless `visible`.
    #[must_use]
    pub fn start(total: Option<u64>, visible: bool) -> Self {
        let bar = visible.then(|| match total {
            Some(total) => ProgressBar::new(total)
                .with_style(style("{wide_bar} {bytes}/{total_bytes}  {msg}  {eta} left")),
            None => ProgressBar::new_spinner().with_style(style("{spinner} {bytes}  {msg}")),
        });
        Self {
            bar,
            start: Instant::now(),
            done: 0,
        }
    }

    /// Moves to `file_bytes` of the current file, with `lines` read in all.
    pub fn at(&self, file_bytes: u64, lines: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.done + file_bytes);
            let seconds = self.start.elapsed().as_secs_f64().max(0.001);
            bar.set_message(format!("{} lines/s", HumanCount(rate(lines, seconds))));
        }
    }

    /// Ends the current file, of `file_bytes`.
    pub fn file_done(&mut self, file_bytes: u64) {
        self.done += file_bytes;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Returns the seconds since the start.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }
}

/// Returns whole lines a second.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rate for people"
)]
fn rate(lines: u64, seconds: f64) -> u64 {
    (lines as f64 / seconds) as u64
}

/// The templates are constants; a broken one would show as the plain default bar.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
