//! Client: asks a server of pyzor's protocol, and says what it replied in pyzor's words.

use super::account::{Account, Accounts};
use super::counter::Kind;
use super::home::Server;
use super::message::{self, ANONYMOUS, PACKET_SIZE, Packet, VERSION, integer};
use std::net::{ToSocketAddrs, UdpSocket};
use std::sync::mpsc::Sender;
use std::time::Duration;

/// Digests that a report carries at most.
pub const BATCH: usize = 10;

/// Where lines of a text are taken from, as servers are told; none of them asks.
const SPECIFICATION: &str = "20,3,60,3";

/// Numbers of threads: lower ones mean an error.
const THREADS: std::ops::Range<i64> = 1024..65_536;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Whether the server is there.
    Ping,
    /// The highest counts, for tests.
    Pong,
    /// The counts of a digest.
    Check,
    /// Counts and times of a digest.
    Info,
    /// A report as spam.
    Report,
    /// A report as ham.
    Whitelist,
}

impl Operation {
    /// Returns its name in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Check => "check",
            Self::Info => "info",
            Self::Report => "report",
            Self::Whitelist => "whitelist",
        }
    }

    /// Returns the operation that counts as this kind.
    #[must_use]
    pub const fn counting(kind: Kind) -> Self {
        match kind {
            Kind::Report => Self::Report,
            Kind::Whitelist => Self::Whitelist,
        }
    }
}

/// Writes a request. Digests stand before the specification if there is one, after it in a batch, as pyzor has them.
#[must_use]
pub fn request(
    operation: Operation,
    digests: &[String],
    is_batch: bool,
    thread: i64,
    account: Option<&Account>,
    now: i64,
) -> String {
    let mut text = String::new();
    message::push(&mut text, "Op", operation.name());
    let is_report = matches!(operation, Operation::Report | Operation::Whitelist);
    if is_report && is_batch {
        message::push(&mut text, "Op-Spec", SPECIFICATION);
    }
    for digest in digests {
        message::push(&mut text, "Op-Digest", digest);
    }
    if is_report && !is_batch {
        message::push(&mut text, "Op-Spec", SPECIFICATION);
    }
    message::push(&mut text, "Thread", &thread.to_string());
    message::push(&mut text, "PV", VERSION);
    let (user, key) = account.map_or((ANONYMOUS, ""), |account| (&*account.user, &*account.key));
    message::push(&mut text, "User", user);
    message::push(&mut text, "Time", &now.to_string());
    let signed = super::blank::trim(&text).to_owned();
    message::push(
        &mut text,
        "Sig",
        &message::sign(&signed, &message::hashed_key(user, key), now),
    );
    text.push('\n');
    text
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its code: 200 if all is well.
    pub code: i64,
    /// Its text.
    pub diagnosis: String,
    packet: Packet,
}

/// Why there is no reply, as pyzor says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// 504 if the time is over, else 400.
    pub code: i64,
    /// The text.
    pub text: String,
}

fn failure<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure {
        code: 400,
        text: text.into(),
    })
}

impl Reply {
    /// Reads a reply to a request with this thread.
    ///
    /// # Errors
    /// When it is none, or one to another request.
    pub fn parse(bytes: &[u8], thread: i64) -> Result<Self, Failure> {
        let (fields, body) = super::mime::header(bytes);
        let packet = Packet::from_parts(fields, body);
        let (Some(code), Some(diagnosis)) = (packet.first("Code"), packet.first("Diag")) else {
            return failure("doesn't have fields for a Response");
        };
        let (Some(_), Some(own)) = (packet.first("PV"), packet.first("Thread")) else {
            return failure("Doesn't have fields for a ThreadedMessage.");
        };
        let Some(own) = integer(&own) else {
            return failure(format!(
                "invalid literal for int() with base 10: {}",
                quoted(&own)
            ));
        };
        if !(0..THREADS.end).contains(&own) {
            return failure("value outside of range");
        }
        if own != thread && THREADS.contains(&own) {
            return failure(format!(
                "received unexpected thread id {own} (expected {thread})"
            ));
        }
        match integer(&code) {
            Some(code) => Ok(Self {
                code,
                diagnosis,
                packet,
            }),
            None => failure(format!(
                "invalid literal for int() with base 10: {}",
                quoted(&code)
            )),
        }
    }

    /// Returns whether all is well.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.code == 200
    }

    /// Returns a number that it carries.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.packet.first(name).as_deref().and_then(integer)
    }
}

/// Returns text in quotes, as Python shows it: nothing in it can disturb a terminal.
#[must_use]
pub fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut shown = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if character == quote => {
                shown.push('\\');
                shown.push(character);
            }
            ' '..='~' => shown.push(character),
            _ => {
                let number = u32::from(character);
                shown.push_str(&match number {
                    0..=0xff => format!("\\x{number:02x}"),
                    0x100..=0xffff => format!("\\u{number:04x}"),
                    _ => format!("\\U{number:08x}"),
                });
            }
        }
    }
    shown.push(quote);
    shown
}

/// Asks servers.
#[derive(Debug, Clone)]
pub struct Client {
    /// Who asks which server; others are asked by the anonymous user.
    pub accounts: Accounts,
    /// How long a reply is waited for.
    pub timeout: Duration,
    /// Who is shown each packet.
    pub trace: Option<Sender<String>>,
}

impl Client {
    fn account(&self, server: &Server) -> Option<&Account> {
        self.accounts.get(&(server.host.clone(), server.port))
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            // Who listens no longer misses nothing.
            let _ = trace.send(text());
        }
    }

    /// Sends a request to the first address of a server that takes it.
    ///
    /// # Errors
    /// When none takes it.
    pub fn send(&self, server: &Server, text: &str) -> Result<UdpSocket, Failure> {
        self.trace(|| format!("sending to {server}: {}", quoted(text)));
        let addresses = (&*server.host, server.port).to_socket_addrs();
        for address in addresses.into_iter().flatten() {
            let own = if address.is_ipv4() {
                "0.0.0.0:0"
            } else {
                "[::]:0"
            };
            // A connected socket takes replies of this server only.
            let sent = UdpSocket::bind(own).and_then(|socket| {
                socket.connect(address)?;
                socket.send(text.as_bytes())?;
                Ok(socket)
            });
            if let Ok(socket) = sent {
                return Ok(socket);
            }
        }
        failure(format!("Unable to send to {server}"))
    }

    /// Sends a report without waiting for a reply.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub fn tell(
        &self,
        server: &Server,
        kind: Kind,
        digests: &[String],
        now: i64,
    ) -> Result<(), Failure> {
        let text = request(
            Operation::counting(kind),
            digests,
            true,
            thread(),
            self.account(server),
            now,
        );
        self.send(server, &text).map(drop)
    }

    /// Asks a server.
    ///
    /// # Errors
    /// When there is no reply in time, or none that can be read.
    pub fn ask(
        &self,
        server: &Server,
        operation: Operation,
        digests: &[String],
        now: i64,
    ) -> Result<Reply, Failure> {
        let thread = thread();
        let text = request(operation, digests, false, thread, self.account(server), now);
        let socket = self.send(server, &text)?;
        let mut buffer = vec![0; PACKET_SIZE];
        let received = socket
            .set_read_timeout(Some(self.timeout))
            .and_then(|()| socket.recv(&mut buffer));
        match received {
            Ok(length) => {
                let reply = buffer.get(..length).unwrap_or_default();
                self.trace(|| {
                    let text = quoted(&String::from_utf8_lossy(reply));
                    format!("received from {server}: {text}")
                });
                Reply::parse(reply, thread)
            }
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) =>
            {
                Err(Failure {
                    code: 504,
                    text: "Reading response timed-out.".to_owned(),
                })
            }
            Err(error) => failure(format!("Socket error while reading response: {error}")),
        }
    }
}

/// Returns a number for a request that nobody guesses.
fn thread() -> i64 {
    let mut bytes = [0; 4];
    // Without random numbers a fixed one still works: it is only easier to guess.
    let _ = getrandom::fill(&mut bytes);
    let span = THREADS.end - THREADS.start;
    THREADS.start + i64::from(u32::from_ne_bytes(bytes)) % span
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_the_fields_in_pyzors_order() {
        let digests = ["a".to_owned(), "b".to_owned()];
        let names = |text: &str| {
            text.lines()
                .filter_map(|line| line.split_once(": "))
                .map(|(name, _)| name.to_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let single = request(Operation::Report, &digests[..1], false, 2000, None, 5);
        assert_eq!(
            names(&single),
            "Op Op-Digest Op-Spec Thread PV User Time Sig"
        );
        let batch = request(Operation::Whitelist, &digests, true, 2000, None, 5);
        assert_eq!(
            names(&batch),
            "Op Op-Spec Op-Digest Op-Digest Thread PV User Time Sig"
        );
        assert!(batch.ends_with("\n\n"));
    }

    #[test]
    fn a_signed_request_is_verified_by_the_server() {
        use super::super::{access::Access, account, answer, counter::Counters};
        let account = Account {
            user: "bob".to_owned(),
            key: "CF88".to_owned(),
        };
        let text = request(
            Operation::Whitelist,
            &["d".to_owned()],
            false,
            2000,
            Some(&account),
            5,
        );
        let keys = account::keys("bob : cf88\n").list;
        let access = Access::parse("all : bob : allow\n", &keys).list;
        let rules = answer::Rules {
            keys,
            access,
            clock_difference: 300,
        };
        let answer = answer::answer(&rules, &mut Counters::new(1), text.as_bytes(), 6).unwrap();
        assert_eq!(
            (answer.used.code, answer.counted),
            (200, Some(Kind::Whitelist))
        );
        assert!(Reply::parse(&answer.reply, 2000).unwrap().is_ok());
    }

    #[test]
    fn replies_are_checked() {
        let reply = |text: &str| Reply::parse(text.as_bytes(), 2000);
        let good = reply("Code: 200\nDiag: OK\nPV: 2.1\nThread: 2000\nCount: 5\n\n").unwrap();
        assert!(good.is_ok());
        assert_eq!(
            (good.number("Count"), good.number("WL-Count")),
            (Some(5), None)
        );
        assert!(reply("Code: 400\nDiag: x\nPV: 2.1\nThread: 0\n").is_ok());
        for wrong in [
            "",
            "Code: 200\nDiag: OK\nPV: 2.1\n",
            "Code: 200\nDiag: OK\nPV: 2.1\nThread: 2001\n",
            "Code: 200\nDiag: OK\nPV: 2.1\nThread: 70000\n",
            "Code: 200\nDiag: OK\nPV: 2.1\nThread: \n",
            "Code: x\nDiag: OK\nPV: 2.1\nThread: 2000\n",
        ] {
            assert_eq!(reply(wrong).unwrap_err().code, 400, "{wrong:?}");
        }
    }

    #[test]
    fn texts_are_quoted_as_in_python() {
        assert_eq!(quoted("OK"), "'OK'");
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(
            quoted("a'b\"c\\\n\x1b[31m\u{e9}\u{20ac}"),
            "'a\\'b\"c\\\\\\n\\x1b[31m\\xe9\\u20ac'"
        );
    }

    #[test]
    fn threads_are_in_their_range() {
        assert!((0..100).all(|_| THREADS.contains(&thread())));
    }
}
