//! Forwarder: reports that a server received go on to other servers, ten in a packet or after a second.
//!
//! Whoever reports waits for nothing: what the queue has no place for is dropped and counted.

use super::client::{BATCH, Client};
use super::counter::Kind;
use super::home::Server;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Digests that wait at most.
const QUEUE: usize = 10_000;

/// How long a packet that is not full waits for more.
const PAUSE: Duration = Duration::from_secs(1);

/// Digests of one kind that wait for a packet.
#[derive(Debug, Default)]
struct Waiting {
    digests: Vec<String>,
    since: Option<Instant>,
}

impl Waiting {
    fn is_due(&self) -> bool {
        self.digests.len() >= BATCH || self.since.is_some_and(|since| since.elapsed() >= PAUSE)
    }
}

/// Sends reports on; ends, with all that waits, when it is dropped.
#[derive(Debug)]
pub struct Forwarder {
    queue: Option<SyncSender<(Kind, String)>>,
    dropped: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Forwarder {
    /// Starts a thread that sends to these servers.
    ///
    /// # Errors
    /// When there can be no further thread.
    pub fn start(client: Client, servers: Vec<Server>) -> std::io::Result<Self> {
        let (queue, waiting) = sync_channel(QUEUE);
        let failed = Arc::new(AtomicU64::new(0));
        let failures = Arc::clone(&failed);
        let thread = std::thread::Builder::new()
            .name("forwarder".to_owned())
            .spawn(move || run(&client, &servers, &waiting, &failures))?;
        Ok(Self {
            queue: Some(queue),
            dropped: Arc::default(),
            failed,
            thread: Some(thread),
        })
    }

    /// Puts digests into the queue.
    pub fn forward(&self, kind: Kind, digests: &[String]) {
        for digest in digests {
            let queue = self.queue.as_ref();
            if queue.is_none_or(|queue| queue.try_send((kind, digest.clone())).is_err()) {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Says how many digests found no place, and how many packets could not be sent, since the last call; none if all went well.
    pub fn losses(&self) -> Option<String> {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        let failed = self.failed.swap(0, Ordering::Relaxed);
        (dropped + failed > 0).then(|| {
            format!("forwarding: {dropped} digests were dropped, {failed} packets were not sent")
        })
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(client: &Client, servers: &[Server], queue: &Receiver<(Kind, String)>, failed: &AtomicU64) {
    let (mut reports, mut whitelists) = (Waiting::default(), Waiting::default());
    loop {
        let next = queue.recv_timeout(PAUSE / 10);
        let is_over = matches!(next, Err(RecvTimeoutError::Disconnected));
        if let Ok((kind, digest)) = next {
            let waiting = match kind {
                Kind::Report => &mut reports,
                Kind::Whitelist => &mut whitelists,
            };
            waiting.digests.push(digest);
            waiting.since.get_or_insert_with(Instant::now);
        }
        for (kind, waiting) in [
            (Kind::Report, &mut reports),
            (Kind::Whitelist, &mut whitelists),
        ] {
            if waiting.is_due() || is_over && !waiting.digests.is_empty() {
                let digests = std::mem::take(waiting).digests;
                let tell = |server| client.tell(server, kind, &digests, now()).is_err();
                let failures = servers.iter().filter(|server| tell(server)).count();
                failed.fetch_add(u64::try_from(failures).unwrap_or(0), Ordering::Relaxed);
            }
        }
        if is_over {
            return;
        }
    }
}

/// Returns the seconds since 1970.
pub(super) fn now() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::message::Packet;
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn digests_go_on_ten_in_a_packet_and_the_rest_after_it() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let server = Server {
            host: "127.0.0.1".to_owned(),
            port: socket.local_addr().unwrap().port(),
        };
        let client = Client {
            accounts: super::super::account::Accounts::new(),
            timeout: Duration::from_secs(5),
            trace: None,
        };
        let forwarder = Forwarder::start(client, vec![server]).unwrap();
        let digests: Vec<String> = (0..12).map(|number| format!("d{number}")).collect();
        forwarder.forward(Kind::Report, &digests);
        forwarder.forward(Kind::Whitelist, &digests[..1]);
        let mut seen: Vec<(String, usize)> = (0..3)
            .map(|_| {
                let mut buffer = [0; 8192];
                let length = socket.recv(&mut buffer).unwrap();
                let packet = Packet::parse(&buffer[..length]);
                (packet.first("Op").unwrap(), packet.all("Op-Digest").count())
            })
            .collect();
        seen.sort();
        let wanted = [("report", 2), ("report", 10), ("whitelist", 1)];
        assert_eq!(seen, wanted.map(|(op, count)| (op.to_owned(), count)));
        assert_eq!(forwarder.losses(), None);
    }
}
