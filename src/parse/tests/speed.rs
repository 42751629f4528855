//! Lines per second, by hand: `MAILLOG_SPEED_LOG=big.log cargo test --release --lib speed -- --ignored --nocapture`.

#![expect(clippy::print_stderr, reason = "the figure is the result")]

use super::{entry, header};

/// Seconds that this thread has run: other work on the machine does not count.
fn busy() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

#[test]
#[ignore = "needs a big log and a release build"]
fn speed_of_a_big_log() {
    let Ok(path) = std::env::var("MAILLOG_SPEED_LOG") else {
        eprintln!("skipped: MAILLOG_SPEED_LOG names no log");
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<_> = text.lines().filter_map(header).collect();
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = busy();
        for (ident, text) in &lines {
            std::hint::black_box(super::super::parse(&entry(ident, text)));
        }
        best = best.min(busy() - start);
    }
    #[expect(clippy::cast_precision_loss, reason = "a figure to read")]
    let rate = lines.len() as f64 / best;
    eprintln!("{} lines, {rate:.0} lines/s of one core", lines.len());
}
