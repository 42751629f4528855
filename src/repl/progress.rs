//! Progress: says on stderr that a long query still runs, and for how long.

use std::io::{IsTerminal, Write, stderr};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A query that takes longer than this is spoken of.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two pictures.
const TICK: Duration = Duration::from_millis(200);
const PICTURES: [char; 4] = ['|', '/', '-', '\\'];

/// Runs as long as the query does; dropped at its end, and the line is gone.
pub(super) struct Waiting {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Waiting {
    /// Begins to wait.
    pub(super) fn start() -> Self {
        let (done, is_done) = channel::<()>();
        let wait = move || {
            let begin = Instant::now();
            let mut pictures = PICTURES.iter().cycle();
            let mut pause = PATIENCE;
            while is_done.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let seconds = begin.elapsed().as_secs();
                let picture = pictures.next().unwrap_or(&'|');
                // The terminal may have written ^C behind it: each picture clears the line.
                draw(&format!(
                    "\r\x1b[K{picture} {seconds} s, Ctrl-C stops the query"
                ));
                pause = TICK;
            }
            if pause == TICK {
                draw("\r\x1b[K");
            }
        };
        let thread = stderr().is_terminal().then(|| std::thread::spawn(wait));
        Self {
            done: Some(done),
            thread,
        }
    }
}

/// What cannot be drawn is not missed.
fn draw(text: &str) {
    let mut out = stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
