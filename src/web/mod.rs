//! Web: the HTTP listener of the service. What it answers are routes that others give it (axum).
//!
//! Promises: a client that sends slowly, or does not read, costs a connection for a while and holds up nobody: when there
//! are too many, the oldest is closed for the newest. Heads, headers and times are bounded. Whatever takes more than a
//! moment is done on a thread of its own ([`blocking`]), never on the one that talks with clients.
//!
//! Limits: HTTP/1 only, no TLS; listen on loopback, or let a proxy stand in front.

#[cfg(test)]
mod tests;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::StatusCode;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::{sleep, timeout};

/// What one listener bears.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Time for the head of a request to arrive, also of the next one on the same connection.
    pub head: Duration,
    /// Age from which on a connection takes no further request,
    pub age: Duration,
    /// and time that the last answer has to go out then.
    pub last: Duration,
    /// Bytes of a head.
    pub head_bytes: usize,
    /// Headers of a request.
    pub headers: usize,
}

impl Limits {
    /// What suits a few dashboards and scrapers; each keeps one connection or makes one a request.
    pub const USUAL: Self = Self {
        connections: 64,
        head: Duration::from_secs(10),
        age: Duration::from_mins(5),
        last: Duration::from_secs(30),
        head_bytes: 16 << 10,
        headers: 64,
    };
}

/// Answers on the address, in this thread, until something breaks; `is_up` is called when it is listened to.
///
/// # Errors
/// When the address cannot be listened to.
pub fn serve(
    address: SocketAddr,
    routes: &Router,
    limits: Limits,
    is_up: impl FnOnce(SocketAddr),
) -> Result<Infallible> {
    // Its own runtime: a route that blocks in spite of all holds up this listener only.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(limits.connections)
        .enable_all()
        .build()
        .context("cannot start an HTTP listener")?;
    let ended = runtime.block_on(async {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}"))?;
        is_up(listener.local_addr().unwrap_or(address));
        Ok(accept(&listener, routes, limits).await)
    });
    runtime.shutdown_background();
    ended
}

async fn accept(listener: &TcpListener, routes: &Router, limits: Limits) -> Infallible {
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Too many open files, or a client that is gone already.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        open.retain(|connection| !connection.is_finished());
        while open.len() >= limits.connections {
            // Who means it has been answered by then.
            if let Some(oldest) = open.pop_front() {
                oldest.abort();
            }
        }
        let talk = tokio::spawn(talk(stream, routes.clone(), limits));
        open.push_back(talk.abort_handle());
    }
}

/// Answers on one connection. A client that goes away or talks nonsense is no concern of ours.
async fn talk(stream: TcpStream, routes: Router, limits: Limits) {
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let mut connection = pin!(connection);
    if timeout(limits.age, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(limits.last, connection).await;
    }
}

/// Why something that blocks has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// It takes too long, or others are before it.
    Late,
    /// It panicked.
    Broken,
}

impl Unanswered {
    /// Returns what an answer says of it.
    #[must_use]
    pub fn answer(self) -> (StatusCode, &'static str) {
        match self {
            Self::Late => (
                StatusCode::SERVICE_UNAVAILABLE,
                "this takes too long; retry later\n",
            ),
            Self::Broken => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "this cannot be answered\n",
            ),
        }
    }
}

/// Does what blocks on a thread of its own, at most as many at a time as `places` has, and waits for a while. What takes
/// longer goes on, and keeps its place until it has ended.
///
/// # Errors
/// When there is no result in time.
pub async fn blocking<T: Send + 'static>(
    places: Arc<Semaphore>,
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unanswered> {
    let done = async {
        let place = places.acquire_owned().await;
        let place = place.map_err(|_| Unanswered::Broken)?;
        let work = move || {
            let _place = place;
            work()
        };
        spawn_blocking(work).await.map_err(|_| Unanswered::Broken)
    };
    timeout(patience, done)
        .await
        .unwrap_or(Err(Unanswered::Late))
}
