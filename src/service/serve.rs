//! Serve: the server for queries as a task: it is started again when it has ended, or when its path or address was taken.

use super::task::{Run, Task, TaskResult, When};
use super::{outbox, queue, retain, signature};
use crate::ingest::memory_relief::MemoryRequest;
use crate::server::{Hooks, Server};
use anyhow::Result;
use std::thread;
use std::time::{Duration, Instant};

/// Returns the task.
pub(super) fn task() -> Task {
    Task::new(
        "server",
        "the service cannot answer queries",
        When::Always,
        run,
    )
}

/// Serves until the server ends.
fn run(run: &Run<'_>) -> Result<TaskResult> {
    let shared = run.shared;
    let hooks = Hooks::default()
        .feeds(shared.feeds.clone())
        .audit(shared.jobs.small_rows().clone());
    let hooks = outbox::verb(queue::verb(retain::verbs(hooks, shared), shared), shared);
    let hooks = signature::verbs(hooks, shared);
    let (config, sessions) = (&shared.config, shared.sessions.clone());
    let server = Server::start(&config.database, &config.serve, sessions, hooks)?;
    let granting = server.clone();
    shared.relief.offer(move |wish| grant(&granting, wish));
    #[cfg(test)]
    shared.kills.serve(&server);
    run.is_up();
    Err(server.ended())
}

/// Stops all queries and waits for their end, but not for ever; or lets them run again.
fn grant(server: &Server, wish: MemoryRequest) {
    const PATIENCE: Duration = Duration::from_secs(5);
    let begun = Instant::now();
    server.hold(wish == MemoryRequest::Room);
    if wish == MemoryRequest::NoMore {
        return;
    }
    server.cancel_all();
    while server.running() > 0 && begun.elapsed() < PATIENCE {
        thread::sleep(Duration::from_millis(20));
    }
}
