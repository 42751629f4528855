//! Listen: the loop of a server: receive a packet, answer it, hand over twice a second what changed.
//!
//! One thread answers all: a packet takes microseconds. Options for threads and processes have nothing to set here.
//! The loop never waits for whoever stores: what changed while he was busy is handed over when he asks again.

use super::access::Access;
use super::account::{self, Keys};
use super::answer::{self, Answer, Rules};
use super::counter::{Counters, Order, Record};
use super::forward::now;
use super::message::PACKET_SIZE;
use super::rate::Limit;
use super::usage::{Used, Uses};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, setsockopt, socket, sockopt,
};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Seconds after which a digest that nobody reports is forgotten, as in pyzor: 120 days.
pub const CLEANUP_AGE: u32 = 120 * 24 * 3600;

/// Digests that there may be unless the settings say otherwise: about a gigabyte.
pub const MAX_DIGESTS: usize = 8_000_000;

/// From one handing over to the next: with the time of a commit it is less than a second that a crash loses.
const PERIOD: Duration = Duration::from_millis(500);

/// How long a packet is waited for: so late a signal is seen.
const WAIT: Duration = Duration::from_millis(100);

/// Packets that wait while one is answered, in bytes; the system may give less.
const QUEUE: usize = 8 << 20;

/// Parts of the counters in which old digests are looked for each time: all of them within ten seconds.
const EXPIRY: usize = 16;

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
    pub clock_difference: u32,
    /// Seconds after which a digest that nobody reports is forgotten; 0: never.
    pub cleanup_age: u32,
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
    /// What an administrator has changed.
    orders: Arc<Mutex<Vec<Order>>>,
}

impl Signals {
    /// Has the server obey, within half a second.
    pub fn order(&self, orders: impl Iterator<Item = Order>) {
        let waiting = self.orders.lock();
        waiting
            .unwrap_or_else(PoisonError::into_inner)
            .extend(orders);
    }

    fn take(&self) -> Vec<Order> {
        let waiting = self.orders.lock();
        std::mem::take(&mut waiting.unwrap_or_else(PoisonError::into_inner))
    }
}

/// What changed since it was handed over last.
#[derive(Debug, Default)]
pub struct Batch {
    /// When.
    pub time: i64,
    /// Digests with their counts; those that are forgotten have none.
    pub records: Vec<(String, Record)>,
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
    /// What nobody took yet.
    late: Option<Batch>,
}

/// Returns a socket. One for all addresses of IPv6 takes IPv4, too.
fn listening(address: SocketAddr) -> io::Result<UdpSocket> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let socket = socket(family, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    if address.is_ipv6() {
        setsockopt(&socket, sockopt::Ipv6V6Only, &false)?;
    }
    // Less than wanted is no fault: only root gets more than the limit of the system.
    if setsockopt(&socket, sockopt::RcvBufForce, &QUEUE).is_err() {
        let _ = setsockopt(&socket, sockopt::RcvBuf, &QUEUE);
    }
    bind(socket.as_raw_fd(), &SockaddrStorage::from(address))?;
    let socket = UdpSocket::from(socket);
    socket.set_read_timeout(Some(WAIT))?;
    Ok(socket)
}

impl Server {
    /// Listens, and reads the files.
    ///
    /// # Errors
    /// When the address is taken, or a file cannot be read.
    pub fn bind(settings: Settings) -> io::Result<Self> {
        let mut server = Self {
            socket: listening(settings.address)?,
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
            late: None,
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

    /// Answers packets until the signal to end. Shows each packet with its answer; hands over what changed twice a second, when somebody
    /// waits for it, and all of it at the end.
    ///
    /// # Errors
    /// When the socket fails, or nobody takes over what changed any more.
    pub fn serve(
        &mut self,
        signals: &Signals,
        outlet: &SyncSender<Batch>,
        mut answered: impl FnMut(&[u8], IpAddr, &Answer),
    ) -> io::Result<()> {
        let mut buffer = vec![0; PACKET_SIZE + 1];
        let mut last = Instant::now();
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
                Err(error) => return Err(error),
            }
            if last.elapsed() >= PERIOD {
                last = Instant::now();
                self.reload(signals);
                self.settle(signals);
                self.hand_over(outlet)?;
            }
        }
        self.settle(signals);
        for batch in [self.late.take(), Some(self.batch())].into_iter().flatten() {
            outlet.send(batch).map_err(|_| gone())?;
        }
        Ok(())
    }

    /// Forgets what is old, and does what is ordered.
    fn settle(&mut self, signals: &Signals) {
        self.counters
            .expire(i64::from(self.settings.cleanup_age), now(), EXPIRY);
        for order in signals.take() {
            self.counters.obey(order);
        }
    }

    fn hand_over(&mut self, outlet: &SyncSender<Batch>) -> io::Result<()> {
        let batch = match self.late.take() {
            Some(batch) => batch,
            None => self.batch(),
        };
        match outlet.try_send(batch) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(batch)) => {
                self.late = Some(batch);
                Ok(())
            }
            Err(TrySendError::Disconnected(_)) => Err(gone()),
        }
    }

    fn packet(
        &mut self,
        packet: &[u8],
        source: SocketAddr,
        answered: &mut impl FnMut(&[u8], IpAddr, &Answer),
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
        answered(packet, source.ip().to_canonical(), &answer);
    }

    fn batch(&mut self) -> Batch {
        Batch {
            time: now(),
            records: self.counters.changes(),
            uses: self.uses.take(),
            packets: std::mem::take(&mut self.packets).into_iter().collect(),
            ignored: std::mem::take(&mut self.ignored),
            digests: self.counters.len(),
            notices: std::mem::take(&mut self.notices),
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("what is counted cannot be stored any more")
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
