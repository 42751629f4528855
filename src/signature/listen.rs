//! Listen: the loop of a server: receive a packet, answer it, hand over each second what changed.
//!
//! One thread answers all: a packet takes microseconds. Options for threads and processes have nothing to set here.

use super::access::Access;
use super::account::{self, Keys};
use super::answer::{self, Answer, Rules};
use super::counter::{Counters, Record};
use super::forward::now;
use super::message::PACKET_SIZE;
use super::rate::Limit;
use super::usage::{Used, Uses};
use nix::sys::socket::{setsockopt, sockopt};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// From one handing over to the next: so much is lost when the process is killed.
const PERIOD: Duration = Duration::from_secs(1);

/// How long a packet is waited for: so late a signal is seen.
const WAIT: Duration = Duration::from_millis(100);

/// Packets that wait while one is answered, in bytes; the system may give less.
const QUEUE: usize = 8 << 20;

/// From one look for old digests to the next.
const EXPIRY: Duration = Duration::from_mins(1);

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens.
    pub address: SocketAddr,
    /// The file with the keys of users.
    pub password_file: Option<PathBuf>,
    /// The file with what they may do.
    pub access_file: Option<PathBuf>,
    /// Seconds that a client's clock may be off.
    pub clock_difference: i64,
    /// Seconds after which a digest that nobody reports is forgotten; 0: never.
    pub cleanup_age: i64,
    /// Packets of one address that are answered in a second; 0: all.
    pub rate_limit: u32,
    /// How many digests there may be.
    pub digest_limit: usize,
}

/// What others want of the loop.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    /// The files are to be read again.
    pub reload: Arc<AtomicBool>,
    /// The loop is to end.
    pub end: Arc<AtomicBool>,
}

/// What changed since it was handed over last.
#[derive(Debug, Default)]
pub struct Batch {
    /// When.
    pub time: i64,
    /// Digests with their counts.
    pub records: Vec<(String, Record)>,
    /// Digests that are forgotten.
    pub expired: Vec<String>,
    /// Who asked what, and how often.
    pub uses: Vec<(Used, u64)>,
    /// Packets by operation and code.
    pub packets: Vec<((Option<&'static str>, u16), u64)>,
    /// Packets that got no answer: more than one address may send, or replies.
    pub ignored: u64,
    /// How many digests there are.
    pub digests: usize,
    /// What is to be told to the administrator.
    pub notices: Vec<String>,
}

/// A file and its state when it was read.
#[derive(Debug)]
struct Watched {
    path: Option<PathBuf>,
    state: Option<(SystemTime, u64)>,
}

impl Watched {
    const fn new(path: Option<PathBuf>) -> Self {
        Self { path, state: None }
    }

    fn now(&self) -> Option<(SystemTime, u64)> {
        let data = std::fs::metadata(self.path.as_ref()?).ok()?;
        Some((data.modified().ok()?, data.len()))
    }

    /// Reads it; none if there is no such file.
    fn read(&mut self) -> io::Result<Option<String>> {
        self.state = self.now();
        let Some(path) = &self.path else {
            return Ok(None);
        };
        match std::fs::read(path) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io::Error::new(
                error.kind(),
                format!("cannot read {}: {error}", path.display()),
            )),
        }
    }

    fn wrong(&self, lines: &[(usize, &str)], notices: &mut Vec<String>) {
        let path = self.path.as_deref().unwrap_or(Path::new(""));
        notices.extend(
            lines
                .iter()
                .map(|(line, why)| format!("{}: line {line} is skipped: {why}", path.display())),
        );
    }
}

/// A server.
#[derive(Debug)]
pub struct Server {
    socket: UdpSocket,
    settings: Settings,
    passwords: Watched,
    access: Watched,
    rules: Rules,
    /// Its counters.
    pub counters: Counters,
    limit: Limit,
    uses: Uses,
    packets: BTreeMap<(Option<&'static str>, u16), u64>,
    ignored: u64,
    notices: Vec<String>,
}

impl Server {
    /// Listens, and reads the files.
    ///
    /// # Errors
    /// When the address is taken, or a file cannot be read.
    pub fn bind(settings: Settings) -> io::Result<Self> {
        let socket = UdpSocket::bind(settings.address)?;
        socket.set_read_timeout(Some(WAIT))?;
        // Less than wanted is no fault: the system has a limit of its own.
        let _ = setsockopt(&socket, sockopt::RcvBuf, &QUEUE);
        let mut server = Self {
            socket,
            passwords: Watched::new(settings.password_file.clone()),
            access: Watched::new(settings.access_file.clone()),
            rules: Rules {
                keys: Keys::new(),
                access: Access::default(),
                clock_difference: settings.clock_difference,
            },
            counters: Counters::new(settings.digest_limit),
            limit: Limit::new(settings.rate_limit),
            uses: Uses::default(),
            packets: BTreeMap::new(),
            ignored: 0,
            notices: Vec::new(),
            settings,
        };
        server.load()?;
        Ok(server)
    }

    /// Returns where it listens.
    ///
    /// # Errors
    /// When the system does not know.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn load(&mut self) -> io::Result<()> {
        let keys = account::keys(&self.passwords.read()?.unwrap_or_default());
        self.passwords.wrong(&keys.wrong, &mut self.notices);
        self.rules.access = match self.access.read()? {
            None => Access::without_file(),
            Some(text) => {
                let access = Access::parse(&text, &keys.list);
                self.access.wrong(&access.wrong, &mut self.notices);
                access.list
            }
        };
        self.rules.keys = keys.list;
        Ok(())
    }

    /// Reads the files again if one changed, or somebody asked for it; rules stay as they are if that fails.
    fn reload(&mut self, signals: &Signals) {
        let is_asked = signals.reload.swap(false, Ordering::Relaxed);
        let has_changed =
            self.passwords.now() != self.passwords.state || self.access.now() != self.access.state;
        if is_asked || has_changed {
            match self.load() {
                Ok(()) => self
                    .notices
                    .push("accounts and access rules were read again".to_owned()),
                Err(error) => self
                    .notices
                    .push(format!("{error}; the rules stay as they were")),
            }
        }
    }

    /// Answers packets until the signal to end; shows each answer, hands over what changed each second, and at the end.
    ///
    /// # Errors
    /// When the socket fails, or who takes over.
    pub fn serve<E: From<io::Error>>(
        &mut self,
        signals: &Signals,
        mut answered: impl FnMut(IpAddr, &Answer),
        mut hand_over: impl FnMut(Batch) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut buffer = vec![0; PACKET_SIZE + 1];
        let (mut last, mut expired) = (Instant::now(), None::<Instant>);
        while !signals.end.load(Ordering::Relaxed) {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, source)) => {
                    self.packet(
                        buffer.get(..length).unwrap_or_default(),
                        source,
                        &mut answered,
                    );
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error.into()),
            }
            if last.elapsed() >= PERIOD {
                last = Instant::now();
                self.reload(signals);
                let mut batch = self.batch();
                if expired.is_none_or(|expired| expired.elapsed() >= EXPIRY) {
                    expired = Some(last);
                    batch.expired = self.counters.expire(self.settings.cleanup_age, now());
                }
                hand_over(batch)?;
            }
        }
        hand_over(self.batch())
    }

    fn packet(
        &mut self,
        packet: &[u8],
        source: SocketAddr,
        answered: &mut impl FnMut(IpAddr, &Answer),
    ) {
        let now = now();
        let answer = if self.limit.allows(source.ip(), now) {
            answer::answer(&self.rules, &mut self.counters, packet, now)
        } else {
            None
        };
        let Some(answer) = answer else {
            self.ignored += 1;
            return;
        };
        // Who is no longer there needs no reply.
        let _ = self.socket.send_to(&answer.reply, source);
        *self
            .packets
            .entry((answer.used.operation, answer.used.code))
            .or_default() += 1;
        self.uses.add(source.ip(), &answer.used);
        answered(source.ip(), &answer);
    }

    fn batch(&mut self) -> Batch {
        Batch {
            time: now(),
            records: self.counters.changes(),
            expired: Vec::new(),
            uses: self.uses.take(),
            packets: std::mem::take(&mut self.packets).into_iter().collect(),
            ignored: std::mem::take(&mut self.ignored),
            digests: self.counters.len(),
            notices: std::mem::take(&mut self.notices),
        }
    }
}

/// Returns whether the next packet may be received all the same. An earlier reply that found nobody is told, too.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock
            | ErrorKind::TimedOut
            | ErrorKind::Interrupted
            | ErrorKind::ConnectionRefused
    )
}
