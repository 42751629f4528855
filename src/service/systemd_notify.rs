//! systemd: what systemd is told (`sd_notify(3)`): when the service is ready, what it is doing, and that it lives.
//!
//! Promises: the watchdog hears of it only while both threads that reading depends on, the pump and the storing
//! thread, show signs of life; a service that only waits (for a database that another program has) is alive.
//! Whoever starts it never waits for long: it counts as ready when it can only wait.

use crate::ingest::health::{Health, SourceHealth};
use crate::model::time::{SECOND, Time};
use crate::model::zone::Zone;
use crate::notice::{self, Level};
use sd_notify::NotifyState;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often the status is told; the watchdog hears more often where it has to.
const TICK: Duration = Duration::from_secs(5);
/// Silence of the threads after which the service counts as stuck, where there is no watchdog.
const PATIENCE: Duration = Duration::from_mins(3);
/// How much longer the start may take, told with each tick of it.
const LONGER: Duration = Duration::from_mins(1);
/// A start that takes longer than this is stuck: replaying a log and migrating are done by then.
const LONGEST_START: Duration = Duration::from_hours(2);
/// A service that waits, or a source that has not said how it is, is ready after this time.
const READY_AFTER: Duration = Duration::from_secs(20);

/// What the service is doing.
enum Phase {
    /// It opens, migrates, restores.
    Starting,
    /// It waits, and says what for.
    Waiting(String),
    /// It reads from this many sources.
    Running(Arc<Health>, usize),
}

/// Tells systemd; says nothing where there is none. Cheap to clone.
#[derive(Clone)]
pub(super) struct Notify(Sender<Phase>);

impl Notify {
    /// Begins to tell, in a thread of its own.
    pub(super) fn start() -> Self {
        let (phases, told) = channel();
        if std::env::var_os("NOTIFY_SOCKET").is_some() {
            let watchdog = sd_notify::watchdog_enabled();
            thread::spawn(move || {
                // Without a listener there is nothing to be done about it.
                Teller::new(watchdog, |state| drop(sd_notify::notify(state))).run(&told);
            });
        }
        Self(phases)
    }

    /// The database is being opened.
    pub(super) fn starting(&self) {
        self.tell(Phase::Starting);
    }

    /// Waiting; `why` says for what.
    pub(super) fn waiting(&self, why: &str) {
        self.tell(Phase::Waiting(why.to_owned()));
    }

    /// Everything runs, with this many sources.
    pub(super) fn running(&self, health: &Arc<Health>, sources: usize) {
        self.tell(Phase::Running(Arc::clone(health), sources));
    }

    fn tell(&self, phase: Phase) {
        // No systemd, no listener.
        let _ = self.0.send(phase);
    }
}

/// The telling thread.
struct Teller<F: Fn(&[NotifyState<'_>])> {
    tell: F,
    tick: Duration,
    patience: Duration,
    has_watchdog: bool,
    is_ready: bool,
    is_stuck: bool,
    phase: Phase,
    since: Instant,
    /// Records at the last tick.
    before: (Instant, u64),
}

impl<F: Fn(&[NotifyState<'_>])> Teller<F> {
    fn new(watchdog: Option<Duration>, tell: F) -> Self {
        let now = Instant::now();
        Self {
            tell,
            tick: watchdog.map_or(TICK, |w| TICK.min(w / 4)),
            patience: watchdog.unwrap_or(PATIENCE),
            has_watchdog: watchdog.is_some(),
            is_ready: false,
            is_stuck: false,
            phase: Phase::Starting,
            since: now,
            before: (now, 0),
        }
    }

    /// Tells until the process ends.
    fn run(mut self, told: &Receiver<Phase>) {
        loop {
            self.tick();
            // Until it is ready every moment counts for who waits.
            let is_near = !self.is_ready && matches!(self.phase, Phase::Running(..));
            let tick = if is_near { self.tick / 50 } else { self.tick };
            match told.recv_timeout(tick) {
                Ok(phase) => self.enter(phase),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::sleep(tick),
            }
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.since = Instant::now();
    }

    fn tick(&mut self) {
        let lasted = self.since.elapsed();
        let (is_alive, is_ready, status) = match &self.phase {
            Phase::Starting => {
                let is_alive = lasted < LONGEST_START;
                if is_alive && !self.is_ready {
                    let longer = u32::try_from(LONGER.as_micros()).unwrap_or(u32::MAX);
                    (self.tell)(&[NotifyState::ExtendTimeoutUsec(longer)]);
                }
                (is_alive, false, "opening the database".to_owned())
            }
            Phase::Waiting(why) => (true, lasted >= READY_AFTER, format!("waiting: {why}")),
            Phase::Running(health, expected) => {
                let sources = health.sources();
                let known = sources.values().filter(|s| !s.state.is_empty()).count();
                let is_ready = known >= *expected || lasted >= READY_AFTER;
                let lines = health.lines();
                let lines = lines.understood
                    + lines.ignored
                    + lines.foreign
                    + lines.not_understood
                    + lines.known;
                let (at, count) = std::mem::replace(&mut self.before, (Instant::now(), lines));
                let rate = rate(lines.saturating_sub(count), at.elapsed());
                let now = chrono::Utc::now().into();
                let is_alive = health.silence() < self.patience;
                (
                    is_alive,
                    is_ready,
                    status(&sources, rate, now, Zone::system()),
                )
            }
        };
        self.note(is_alive);
        let status = if is_alive { &status } else { "stuck" };
        let mut states = vec![NotifyState::Status(status)];
        if is_ready && !self.is_ready {
            self.is_ready = true;
            states.push(NotifyState::Ready);
        }
        if is_alive && self.has_watchdog {
            states.push(NotifyState::Watchdog);
        }
        (self.tell)(&states);
    }

    /// Says once that the service is stuck, or no longer.
    fn note(&mut self, is_alive: bool) {
        if self.is_stuck == is_alive {
            self.is_stuck = !is_alive;
            let seconds = self.patience.as_secs();
            if is_alive {
                notice::tell(Level::Notice, "reading and storing continue");
            } else {
                let next = if self.has_watchdog {
                    "; the watchdog will restart the service"
                } else {
                    ""
                };
                let text = format!("nothing was read or stored for {seconds} s{next}");
                notice::tell(Level::Error, &text);
            }
        }
    }
}

/// Returns records a second.
fn rate(count: u64, time: Duration) -> u64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    count.saturating_mul(1000) / millis.max(1)
}

/// Says in one line how the sources are.
fn status(sources: &BTreeMap<String, SourceHealth>, rate: u64, now: Time, zone: Zone) -> String {
    let live = sources
        .iter()
        .filter(|(_, s)| !matches!(s.state.as_str(), "" | "ended"));
    let mut states: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for (name, source) in live {
        states.entry(&source.state).or_insert((0, name)).0 += 1;
    }
    let mut text = String::new();
    for (state, (count, name)) in &states {
        let joint = if text.is_empty() { "" } else { ", " };
        // Writing into a String cannot fail.
        let _ = match count {
            1 => write!(text, "{joint}{state} ({name})"),
            _ => write!(text, "{joint}{state} ({count} sources)"),
        };
    }
    if text.is_empty() {
        text.push_str("no log yet");
    }
    if let Some(last) = sources.values().filter_map(|s| s.last_entry).max() {
        let last_second = Time(last.0 - last.0.rem_euclid(SECOND));
        let ago = span(now.since(last) / SECOND);
        let _ = write!(text, "; last entry {} ({ago} ago)", zone.show(last_second));
    }
    if rate > 0 {
        let _ = write!(text, "; {rate} lines/s");
    }
    text
}

/// Returns a length of time in its largest unit.
fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Collects what is told.
    fn teller(
        watchdog: Duration,
        told: &Mutex<Vec<String>>,
    ) -> Teller<impl Fn(&[NotifyState<'_>])> {
        Teller::new(Some(watchdog), |states| {
            let mut told = told.lock().unwrap();
            told.extend(states.iter().map(ToString::to_string));
        })
    }

    fn source(state: &str, last: i64) -> SourceHealth {
        SourceHealth {
            state: state.to_owned(),
            last_entry: Some(Time(last * SECOND)),
            ..SourceHealth::default()
        }
    }

    #[test]
    fn threads_that_show_no_life_stop_the_watchdog() {
        let told = Mutex::default();
        let mut teller = teller(Duration::from_millis(200), &told);
        let health = Arc::new(Health::default());
        teller.enter(Phase::Running(Arc::clone(&health), 1));
        teller.tick();
        assert!(told.lock().unwrap().contains(&"WATCHDOG=1".to_owned()));
        while health.silence() < Duration::from_millis(250) {
            thread::yield_now();
        }
        told.lock().unwrap().clear();
        teller.tick();
        assert_eq!(*told.lock().unwrap(), ["STATUS=stuck"]);
    }

    #[test]
    fn ready_when_every_source_has_said_how_it_is() {
        let told = Mutex::default();
        let mut teller = teller(Duration::from_mins(1), &told);
        let health = Arc::new(Health::default());
        teller.tick();
        teller.enter(Phase::Running(Arc::clone(&health), 2));
        health.set_state("journal", "catching up");
        teller.tick();
        let is_ready = || told.lock().unwrap().contains(&"READY=1".to_owned());
        assert!(!is_ready());
        health.set_state("/var/log/mail.log", "following");
        teller.tick();
        assert!(is_ready());
        teller.tick();
        let told = told.lock().unwrap();
        assert_eq!(told.iter().filter(|t| *t == "READY=1").count(), 1);
        assert!(told.contains(&"EXTEND_TIMEOUT_USEC=60000000".to_owned()));
    }

    #[test]
    fn waiting_is_alive_and_says_for_what() {
        let told = Mutex::default();
        let mut teller = teller(Duration::from_mins(1), &told);
        teller.enter(Phase::Waiting("/x is in use by pid 7".to_owned()));
        teller.tick();
        assert_eq!(
            *told.lock().unwrap(),
            ["STATUS=waiting: /x is in use by pid 7", "WATCHDOG=1"]
        );
    }

    #[test]
    fn the_status_names_what_stands_in_the_way() {
        let mut sources = BTreeMap::new();
        let now = Time(1000 * SECOND);
        assert_eq!(
            status(&sources, 0, now, Zone::parse("UTC").unwrap()),
            "no log yet"
        );
        sources.insert("/a".to_owned(), source("following", 990));
        sources.insert("/b".to_owned(), source("following", 100));
        sources.insert("/c".to_owned(), source("permission denied", 0));
        sources.insert("/d.1".to_owned(), source("ended", 0));
        assert_eq!(
            status(&sources, 42, now, Zone::parse("UTC").unwrap()),
            "following (2 sources), permission denied (/c); last entry 1970-01-01 00:16:30 +00:00 (10 s ago); 42 lines/s"
        );
    }
}
