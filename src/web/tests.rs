//! Clients that are slow, and whether others notice.

use super::*;
use axum::routing::get;
use std::io::{Read, Write};
use std::net::TcpStream as Client;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Long enough that no test waits for it.
const LONG: Duration = Duration::from_hours(1);

const PATIENT: Limits = Limits {
    connections: 8,
    head: LONG,
    age: LONG,
    last: LONG,
    ..Limits::USUAL
};

/// Serves `/` and the routes for as long as the tests run.
fn start(routes: Router, limits: Limits) -> SocketAddr {
    let routes = routes.route("/", get(|| async { "here\n" }));
    let (up, address) = sync_channel(1);
    thread::spawn(move || {
        let any = "127.0.0.1:0".parse().unwrap();
        serve(any, &routes, limits, |address| up.send(address).unwrap()).unwrap();
    });
    address.recv().unwrap()
}

fn send(address: SocketAddr, text: &str) -> Client {
    let mut client = Client::connect(address).unwrap();
    client.write_all(text.as_bytes()).unwrap();
    client
}

/// Returns all that a request is answered.
fn ask(address: SocketAddr, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    rest(send(address, &request))
}

fn rest(mut client: Client) -> String {
    let mut text = String::new();
    // A connection that was cut has said all that it will.
    let _ = client.read_to_string(&mut text);
    text
}

/// A route that answers when the test says so.
fn held() -> (Router, SyncSender<()>, Receiver<()>) {
    let ((release, released), (begun, begins)) = (sync_channel::<()>(0), sync_channel(16));
    let released = Arc::new(Mutex::new(released));
    let places = Arc::new(Semaphore::new(2));
    let route = get(move || {
        let (released, begun) = (Arc::clone(&released), begun.clone());
        let work = move || {
            begun.send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
            "at last\n"
        };
        let places = Arc::clone(&places);
        async move {
            blocking(places, LONG, work)
                .await
                .map_err(Unanswered::answer)
        }
    });
    (Router::new().route("/held", route), release, begins)
}

#[test]
fn an_answer_that_takes_long_stops_no_other() {
    let (routes, release, begins) = held();
    let address = start(routes, PATIENT);
    let request = "GET /held HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let slow = [send(address, request), send(address, request)];
    // Both are in the midst of it, and block their threads.
    begins.recv().unwrap();
    begins.recv().unwrap();
    assert!(ask(address, "/").ends_with("here\n"));
    release.send(()).unwrap();
    release.send(()).unwrap();
    for client in slow {
        assert!(rest(client).ends_with("at last\n"));
    }
}

#[test]
fn clients_that_send_a_byte_now_and_then_stop_no_other() {
    let address = start(Router::new(), PATIENT);
    let mut slow: Vec<Client> = (0..3 * PATIENT.connections)
        .map(|_| send(address, "GET / HT"))
        .collect();
    for _ in 0..3 {
        assert!(ask(address, "/").ends_with("here\n"));
        for client in &mut slow {
            // Some are closed by now.
            let _ = client.write_all(b"T");
        }
    }
}

#[test]
fn clients_that_never_read_stop_no_other() {
    // More than the kernel keeps for a client.
    let big = get(|| async { "x".repeat(32 << 20) });
    let address = start(Router::new().route("/big", big), PATIENT);
    let request = "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
    let deaf: Vec<Client> = (0..3 * PATIENT.connections)
        .map(|_| send(address, request))
        .collect();
    assert!(ask(address, "/").ends_with("here\n"));
    drop(deaf);
}

#[test]
fn a_head_that_does_not_come_ends_its_connection() {
    let hasty = Limits {
        head: Duration::from_millis(50),
        ..PATIENT
    };
    let address = start(Router::new(), hasty);
    // It ends by itself: else the test would not.
    assert!(!rest(send(address, "GET / HTTP/1.1\r\nHo")).contains("200 OK"));
}

#[test]
fn an_old_connection_is_closed_once_its_answer_is_out() {
    let brief = Limits {
        age: Duration::from_millis(200),
        ..PATIENT
    };
    let (routes, release, begins) = held();
    let address = start(routes, brief);
    let old = loop {
        let client = send(address, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
        // On a slow machine it may be too old before its request has come.
        if begins.recv_timeout(Duration::from_secs(10)).is_ok() {
            break client;
        }
    };
    thread::sleep(brief.age * 2);
    release.send(()).unwrap();
    // It is closed, though the client did not ask for that: else this would not end.
    assert!(rest(old).ends_with("at last\n"));
}

#[test]
fn heads_that_are_too_big_are_refused() {
    let address = start(Router::new(), PATIENT);
    let line = format!("X: {}\r\n", "x".repeat(PATIENT.head_bytes));
    let many = "X: y\r\n".repeat(PATIENT.headers + 1);
    for headers in [line, many] {
        let client = send(address, &format!("GET / HTTP/1.1\r\n{headers}\r\n"));
        let answer = rest(client);
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer}"
        );
    }
    assert!(ask(address, "/").starts_with("HTTP/1.1 200"));
}

#[test]
fn what_panics_or_waits_too_long_is_answered_all_the_same() {
    let places = Arc::new(Semaphore::new(1));
    let (waiting, panicking) = (Arc::clone(&places), Arc::clone(&places));
    let broken = get(move || async move {
        let work = || -> String { panic!("killed by a test") };
        blocking(panicking, LONG, work)
            .await
            .map_err(Unanswered::answer)
    });
    let late = get(move || async move {
        let place = Arc::clone(&waiting).acquire_owned().await.unwrap();
        let answer = blocking(waiting, Duration::from_millis(1), || "never");
        let answer = answer.await.map_err(Unanswered::answer);
        drop(place);
        answer
    });
    let routes = Router::new().route("/broken", broken).route("/late", late);
    let address = start(routes, PATIENT);
    assert!(ask(address, "/broken").starts_with("HTTP/1.1 500"));
    assert!(ask(address, "/late").starts_with("HTTP/1.1 503"));
    assert!(ask(address, "/").starts_with("HTTP/1.1 200"));
}
