//! The service in one process: tasks are killed, log is read and stored all the same.

use super::*;
use crate::client::Client;
use crate::config::Environment;
use crate::ingest::clock::Present;
use crate::ingest::feed::{Ending, Opening};
use crate::model::table::{Cell, Table};
use crate::model::time::{DAY, HOUR, SECOND, Time};
use crate::model::zone::Zone;
use crate::server::Server;
use crate::service::calendar::Calendar;
use crate::service::supervisor::Supervised;
use crate::service::task::{TaskResult, When};
use crate::signature::listen::Signals;
use crate::source::{self, Chunk, Hints, Options};
use std::collections::{BTreeSet, HashMap};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

const LOG: &str = include_str!("../../testlogs/demo/mail.log");

/// 2026-11-27 12:00:00 UTC.
const NOON: Time = Time(1_795_780_800 * SECOND);

/// Waits for nothing longer than it must.
const QUICK: Pace = Pace {
    look: Duration::from_millis(5),
    again: Duration::from_millis(5),
    again_later: Duration::from_millis(5),
};

/// Tasks that a test has fail, each once.
#[derive(Clone, Default)]
pub(super) struct Kills {
    ordered: Arc<Mutex<BTreeSet<&'static str>>>,
    server: Arc<Mutex<Option<Server>>>,
}

impl Kills {
    /// Makes the next run of the task panic; it is due at once.
    fn order(&self, task: &'static str) {
        self.ordered().insert(task);
    }

    pub(super) fn waits(&self, task: &str) -> bool {
        self.ordered().contains(task)
    }

    pub(super) fn strike(&self, task: &str) {
        let is_ordered = self.ordered().remove(task);
        assert!(!is_ordered, "killed by a test");
    }

    pub(super) fn serve(&self, server: &Server) {
        *self.server.lock().unwrap() = Some(server.clone());
    }

    fn ordered(&self) -> std::sync::MutexGuard<'_, BTreeSet<&'static str>> {
        self.ordered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A service that reads what the test gives it.
struct Living {
    shared: Shared,
    supervisor: Supervisor,
    metrics: SocketAddr,
    /// Removed while the service still has it open: its threads end with the tests.
    _directory: tempfile::TempDir,
}

/// Makes programs of Postfix whose queue has one mail.
fn a_postfix(directory: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir(directory).unwrap();
    for (name, text) in [
        (
            "postqueue",
            r#"echo '{"queue_name": "deferred", "queue_id": "4jc6Pz1sFKz1SS0y", "arrival_time": 1795231305, "message_size": 328, "sender": "alice@example.org", "recipients": [{"address": "bob@example.com", "delay_reason": "connection refused"}]}'"#,
        ),
        ("postconf", "echo syslog_name = postfix"),
    ] {
        let file = directory.join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn rules(present: Present) -> Rules {
    Rules {
        options: Options {
            zone: Zone::UTC,
            year: None,
            now: NOON,
        },
        present,
        retain_lines_days: 0,
    }
}

impl Living {
    /// Starts one in which these tasks fail at first.
    fn start(kills: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let free = listener.local_addr().unwrap();
        drop(listener);
        Self::start_at(free, kills)
    }

    fn start_at(metrics: SocketAddr, kills: &[&'static str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("maillog.duckdb");
        let settings = directory.path().join("maillog.toml");
        // The other tests have memory of this process, too.
        let programs = directory.path().join("programs");
        a_postfix(&programs);
        let text = format!(
            "memory_mib = 100000\n[metrics]\nlisten = \"{metrics}\"\n[signature]\nlisten = \"{metrics}\"\n[queue]\ncommand_directory = \"{}\"\n",
            programs.display()
        );
        std::fs::write(&settings, text).unwrap();
        let config = Config::resolve(Some(&database), Some(&settings), &Environment::default());
        let supervisor = Supervisor::new(QUICK);
        for task in kills {
            supervisor.kills.order(task);
        }
        let store = Store::open_writer(&database).unwrap();
        let shared = begin(
            &config.unwrap(),
            rules(Present::Running),
            store,
            &supervisor,
        )
        .unwrap();
        Self {
            shared,
            supervisor,
            metrics,
            _directory: directory,
        }
    }

    /// Reads the bytes of the log, and returns once they are stored.
    fn read(&self, from: usize, to: usize) {
        let mut feed = self
            .shared
            .feeds
            .open(Opening {
                name: "mail.log".to_owned(),
                key: source::fingerprint(LOG.as_bytes()),
                head: LOG.as_bytes().to_vec(),
                piece: None,
                size: 0,
                is_counted: true,
                is_named: false,
                is_again: false,
            })
            .unwrap();
        feed.begin(Hints::default()).unwrap();
        let chunk = Chunk {
            data: LOG.as_bytes()[from..to].to_vec(),
            offset: from as u64,
            read: 0,
            is_last: false,
        };
        feed.chunk(chunk, true).unwrap();
        feed.settle(Ending::Pause).unwrap();
    }

    fn select(&self, sql: &str) -> Table {
        self.shared
            .sessions
            .open()
            .unwrap()
            .select(sql, &[])
            .unwrap()
    }

    fn number(&self, sql: &str) -> i64 {
        match self.select(sql).rows[0][0] {
            Cell::Int(number) => number,
            ref other => panic!("{other:?}"),
        }
    }

    /// Waits until the task is in the state.
    fn until(&self, task: &str, state: &str) {
        let sql = format!("SELECT state FROM task_run WHERE name = '{task}'");
        until(&format!("{task} {state}"), || {
            let found = self.select(&sql).rows;
            found == [[Cell::Text(state.to_owned())]]
        });
    }

    /// Does what a task is there for.
    fn use_of(&self, task: &str) {
        match task {
            "server" => until("an answer", || {
                let client = Client::connect(&self.shared.config.database, None);
                let answer = client.ok().flatten().map(|c| c.select("SELECT 1", &[]));
                answer.is_some_and(|answer| answer.is_ok())
            }),
            "metrics" => until("a scrape", || scrape(self.metrics).is_some()),
            "retention" => self.until("retention", "done"),
            "outbox" => self.until("outbox", "running"),
            "queue" => {
                self.until("queue", "done");
                assert_eq!(self.number("SELECT mails FROM queue_listing"), 1);
            }
            "signature server" => until("a reply", || ping(self.metrics)),
            other => panic!("say how {other} is used"),
        }
    }

    /// Whether the service is to start again.
    fn has_failed(&self) -> bool {
        self.supervisor.has_failed()
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(2), "no {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Asks the signature server; it has the port of the metrics, over UDP.
fn ping(address: SocketAddr) -> bool {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    socket.connect(address).unwrap();
    let mut buffer = [0; 512];
    let asked = socket.send(b"Op: ping\nPV: 2.1\nThread: 2000\n\n");
    asked.is_ok() && socket.recv(&mut buffer).is_ok() && buffer.starts_with(b"Code: 200\n")
}

fn scrape(address: SocketAddr) -> Option<String> {
    let mut client = TcpStream::connect(address).ok()?;
    let request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    client.write_all(request.as_bytes()).ok()?;
    let mut text = String::new();
    client.read_to_string(&mut text).ok()?;
    text.starts_with("HTTP/1.1 200").then_some(text)
}

#[test]
fn a_panic_in_any_task_that_is_not_essential_disturbs_neither_reading_nor_the_others() {
    let half = LOG.len() / 2;
    let config = Config {
        metrics: crate::config::Metrics {
            listen: Some("127.0.0.1:1".parse().unwrap()),
            domains: Vec::new(),
        },
        signature: crate::config::Signature {
            listen: Some("127.0.0.1:1".parse().unwrap()),
            ..crate::config::Signature::default()
        },
        ..Config::resolve(Some("x".as_ref()), None, &Environment::default()).unwrap()
    };
    let names = |is_essential| -> Vec<&'static str> {
        let tasks = tasks(&config).into_iter();
        let some = tasks.filter(|task| task.is_essential == is_essential);
        some.map(|task| task.name).collect()
    };
    assert_eq!(names(true), ["memory guard"]);
    for killed in names(false) {
        let service = Living::start(&[killed]);
        service.read(0, half);
        let first = service.number("SELECT count(*) FROM delivery_to");
        assert!(first > 50, "{killed}: {first}");
        for task in names(false) {
            // These are due later; one that was killed is tried again at once.
            if !["retention", "queue"].contains(&task) || killed == task {
                service.use_of(task);
            }
        }
        service.read(half, LOG.len());
        assert!(service.number("SELECT count(*) FROM delivery_to") > first);
        assert!(
            !service.supervisor.kills.waits(killed),
            "{killed} was not killed"
        );
        assert!(!service.has_failed(), "{killed}");
    }
}

#[test]
fn a_server_that_breaks_while_it_serves_serves_again() {
    let service = Living::start(&[]);
    service.use_of("server");
    let broken = service.supervisor.kills.server.lock().unwrap().take();
    broken.unwrap().break_down();
    // The supervisor has started another one.
    until("second server", || {
        service.supervisor.kills.server.lock().unwrap().is_some()
    });
    service.use_of("server");
    service.until("server", "running");
    service.read(0, LOG.len());
    assert!(!service.has_failed());
}

#[test]
fn a_panic_in_an_essential_task_starts_the_service_again() {
    let service = Living::start(&["memory guard"]);
    let error = service.supervisor.first().to_string();
    assert_eq!(error, "the memory guard stopped unexpectedly");
}

#[test]
fn an_address_that_is_taken_is_waited_for() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let service = Living::start_at(address, &[]);
    service.until("metrics", "failed");
    let told = service.select("SELECT result FROM task_run WHERE name = 'metrics'");
    let Cell::Text(told) = &told.rows[0][0] else {
        panic!("{told:?}");
    };
    let expected = format!("cannot listen on {address}: Address already in use");
    assert!(told.starts_with(&expected), "{told}");
    service.read(0, LOG.len());
    drop(taken);
    service.until("metrics", "running");
    service.use_of("metrics");
}

#[test]
fn each_task_has_a_row_that_says_how_it_is() {
    let service = Living::start(&[]);
    service.until("metrics", "running");
    service.until("server", "running");
    service.until("outbox", "running");
    service.until("signature server", "running");
    let sql = "SELECT name, schedule, state, failures::BIGINT, result FROM task_run ORDER BY name";
    let row = |name: &str, schedule: &str, state: &str| {
        let text = |text: &str| Cell::Text(text.to_owned());
        vec![
            text(name),
            text(schedule),
            text(state),
            Cell::Int(0),
            text(""),
        ]
    };
    let rows = [
        row("memory guard", "always", "running"),
        row("metrics", "always", "running"),
        row("outbox", "always", "running"),
        row("queue", "every 1 min", "waiting"),
        row("retention", "every 1 h", "waiting"),
        row("server", "always", "running"),
        row("signature server", "always", "running"),
    ];
    assert_eq!(service.select(sql).rows, rows);
}

/// One life of a service, in which the clock stands: looks several times whether a task at 06:30 is due, and runs it then.
/// Returns the store and how often it ran.
/// With `is_killed` the first run fails.
fn life(mut store: Store, now: Time, is_killed: bool) -> (Store, usize) {
    let supervisor = Supervisor::new(QUICK);
    let config = Config::resolve(Some("x".as_ref()), None, &Environment::default()).unwrap();
    let last = store.task_runs(&["daily"]).unwrap();
    let (jobs, todo) = Jobs::channel();
    let (feeds, _fed) = Feeds::channel();
    let shared = Shared {
        sessions: store.sessions().unwrap(),
        jobs,
        feeds,
        health: Arc::default(),
        config: Arc::new(config),
        relief: MemoryRelief::default(),
        signature: Signals::default(),
        rules: rules(Present::Fixed(now)),
        restart: supervisor.restart(),
        kills: Kills::default(),
    };
    let storing = thread::spawn(move || {
        let health = Health::default();
        writer::keep(store, HashMap::new(), &todo, &health, None).unwrap()
    });
    let at = When::At(Calendar::parse("06:30", Zone::UTC).unwrap());
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let daily = Task::new("daily", "no daily task", at, move |run| {
        counted.fetch_add(1, Ordering::SeqCst);
        // It is for a time of that day, whenever it runs.
        assert_eq!(run.due.0.rem_euclid(DAY), 6 * HOUR + HOUR / 2);
        Ok(TaskResult::with(format!("for {}", Zone::UTC.show(run.due))))
    });
    if is_killed {
        shared.kills.order("daily");
    }
    let (begun, _begins) = sync_channel(1);
    let mut task = Supervised::new(daily, last.first(), &shared, QUICK, begun);
    for _ in 0..3 {
        if task.left().is_zero() {
            assert!(task.turn());
        }
    }
    drop((task, shared));
    (storing.join().unwrap(), runs.load(Ordering::SeqCst))
}

#[test]
fn a_task_once_a_day_is_done_once_also_over_restarts_and_sleep() {
    let mut store = Store::open_in_memory().unwrap();
    let mut done = Vec::new();
    // New, so that it waits for its time; then lives before and after it, of which one comes after two days of sleep,
    // and in one it fails at first.
    for hours in [0, 18, 19, 20, 42, 43, 100, 101] {
        let (back, runs) = life(store, NOON.plus(hours * HOUR), hours == 43);
        store = back;
        done.push(runs);
    }
    assert_eq!(done, [0, 0, 1, 0, 0, 1, 1, 0]);
    let sql = "SELECT state, schedule, result, next_run FROM task_run";
    let text = |text: &str| Cell::Text(text.to_owned());
    let row = [
        text("done"),
        text("at 06:30"),
        text("for 2026-12-01 06:30:00 +00:00"),
        Cell::Time(NOON.plus(114 * HOUR + HOUR / 2)),
    ];
    assert_eq!(store.select(sql, &[]).unwrap().rows, [row]);
}
