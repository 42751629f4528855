//! `maillog signature serve`: the server alone, with pyzord's options and files, on a database of its own.

use super::super::{Context as Run, Exit};
use super::detach::{self, PidFile};
use super::home::{Options, warn};
use super::keep::Keeper;
use super::log::{Log, UsageLog};
use crate::notice::Level;
use crate::signature::answer::CLOCK_DIFFERENCE;
use crate::signature::client::quoted;
use crate::signature::directory::{self, Directory, Named};
use crate::signature::forward::Forwarder;
use crate::signature::home::PORT;
use crate::signature::listen::{CLEANUP_AGE, MAX_DIGESTS, Server, Settings, Signals};
use crate::signature::stored;
use crate::store::{Limits, Store};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use nix::sys::stat::{Mode, umask};
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
use std::thread;

/// Run a server that counts digests, in the place of pyzord
///
/// The server counts in memory and stores twice a second what changed. SIGUSR1 makes it read the files with accounts and access rules
/// again, as it does when they change. SIGTERM ends it.
#[derive(Debug, Clone, Args)]
pub(super) struct Serve {
    /// Address to listen on [default: 127.0.0.1]
    #[arg(short, long, value_name = "IP")]
    address: Option<String>,
    /// Port to listen on [default: 24441]
    #[arg(short, long, value_name = "NUMBER")]
    port: Option<u16>,
    /// File with users and keys, user : key on each line [default: pyzord.passwd]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// File with what users may do, operations : users : allow|deny on each line [default: pyzord.access]
    #[arg(long, value_name = "FILE")]
    access_file: Option<PathBuf>,
    /// Seconds after which a digest that nobody reports is forgotten, 0 for never [default: 10368000]
    #[arg(long, value_name = "SECONDS")]
    cleanup_age: Option<u32>,
    /// File to which a line for each request is added
    #[arg(long, value_name = "FILE")]
    usage_log_file: Option<PathBuf>,
    /// Home directory of a client; its servers get each report, too
    #[arg(long, value_name = "DIR")]
    forward_client_homedir: Option<PathBuf>,
    /// Run in the background, with output to this file
    #[arg(long, value_name = "FILE")]
    detach: Option<PathBuf>,
    /// File with the process id while --detach is in use [default: pyzord.pid]
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
    /// Requests of one address that are answered in a second, 0 for all
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    rate_limit: u32,
    /// Digests that there may be; reports of further ones are refused
    #[arg(long, value_name = "NUMBER", default_value_t = MAX_DIGESTS)]
    max_digests: usize,
    /// Seconds that the clock of a client may be off
    #[arg(long, value_name = "SECONDS", default_value_t = CLOCK_DIFFERENCE)]
    clock_difference: u32,
    #[command(flatten)]
    unused: Unused,
}

/// What pyzord needs and this server does not: one thread answers all, and --db names the database.
#[derive(Debug, Clone, Args)]
struct Unused {
    /// Has no effect: one thread answers all requests
    #[arg(long, value_name = "BOOLEAN")]
    threads: Option<String>,
    /// Has no effect, as --threads
    #[arg(long, value_name = "NUMBER")]
    max_threads: Option<u32>,
    /// Has no effect, as --threads
    #[arg(long, value_name = "BOOLEAN")]
    processes: Option<String>,
    /// Has no effect, as --threads
    #[arg(long, value_name = "NUMBER")]
    max_processes: Option<u32>,
    /// Has no effect, as --threads
    #[arg(long, value_name = "NUMBER")]
    db_connections: Option<u32>,
    /// Has no effect, as --threads
    #[arg(long, value_name = "NUMBER")]
    pre_fork: Option<u32>,
    /// Has no effect, as --threads
    #[arg(long, value_name = "BOOLEAN")]
    gevent: Option<String>,
    /// Has no effect: --db names the database
    #[arg(short = 'e', long, value_name = "ENGINE")]
    database_engine: Option<String>,
    /// Has no effect: --db names the database
    #[arg(long, value_name = "NAME")]
    dsn: Option<String>,
}

/// What options, `config` and defaults say.
struct Set<'s> {
    serve: &'s Serve,
    directory: Directory,
}

impl Set<'_> {
    fn file(&self, option: Option<&PathBuf>, setting: &str, usual: &str) -> Option<PathBuf> {
        self.directory.file(Named {
            option: option.map(PathBuf::as_path),
            setting,
            usual,
        })
    }

    fn address(&self) -> Result<SocketAddr> {
        let serve = self.serve;
        let port = self.directory.number(serve.port, "port", PORT)?;
        let host = serve.address.as_deref();
        let host = host.or(self.directory.text("listenaddress"));
        let host = host.unwrap_or("127.0.0.1");
        let found = (host.trim_matches(['[', ']']), port).to_socket_addrs();
        let first = found.ok().and_then(|mut found| found.next());
        first.with_context(|| format!("{host} is no address of this machine; name one with -a"))
    }

    fn settings(&self) -> Result<Settings> {
        let serve = self.serve;
        let (users, access) = (serve.password_file.as_ref(), serve.access_file.as_ref());
        Ok(Settings {
            address: self.address()?,
            password_file: self.file(users, "passwdfile", "pyzord.passwd"),
            access_file: self.file(access, "accessfile", "pyzord.access"),
            clock_difference: serve.clock_difference,
            cleanup_age: self
                .directory
                .number(serve.cleanup_age, "cleanupage", CLEANUP_AGE)?,
            rate_limit: serve.rate_limit,
            digest_limit: serve.max_digests,
        })
    }

    fn forwarder(&self) -> Result<Option<Forwarder>> {
        let option = self.serve.forward_client_homedir.clone();
        let set = self.directory.text("forwardclienthomedir");
        let Some(home) = option.or_else(|| set.map(PathBuf::from)) else {
            return Ok(None);
        };
        let home = Directory::open(home, "client")?;
        let client = home.client(None, None, warn)?;
        let forwarder = Forwarder::start(client, home.servers(None, warn)?);
        Ok(Some(forwarder.context("cannot start the forwarder")?))
    }
}

impl Serve {
    /// Runs the server until SIGTERM or SIGINT.
    pub(super) fn run(&self, options: &Options, run: &Run) -> Result<Exit> {
        // As pyzord's, its files are for nobody else to read.
        umask(Mode::from_bits_truncate(0o077));
        let detached = match &self.detach {
            None => None,
            Some(output) => match detach::begin(output)? {
                Some(detached) => Some(detached),
                None => return Ok(Exit::Found),
            },
        };
        let home = directory::usual(options.homedir.as_deref());
        let set = Set {
            serve: self,
            directory: Directory::open(home, "server")?,
        };
        let log = set.file(options.log_file.as_ref(), "logfile", "");
        let log = Log::open(log.as_deref(), options.debug)?;
        let usage = set.file(self.usage_log_file.as_ref(), "usagelogfile", "");
        let usage = UsageLog::open(usage.as_deref())?;
        let settings = set.settings()?;
        let address = settings.address;
        let signals = signals()?;
        let mut server =
            Server::bind(settings).with_context(|| format!("cannot listen on {address} (UDP)"))?;
        let store = open(&mut server, run)?;
        let forwarder = set.forwarder()?;
        let address = server.address()?;
        let pid_file = set.file(self.pid_file.as_ref(), "pidfile", "pyzord.pid");
        let pid_file = pid_file.filter(|_| detached.is_some());
        let _pid_file = pid_file.map(PidFile::write).transpose()?;
        if let Some(detached) = detached {
            detached.say_up()?;
        }
        let database = run.config.database.display();
        let text = format!("listening on {address} (UDP); database {database}");
        log.tell(Level::Notice, &text);
        let keeper = Keeper {
            store,
            retain: run.config.retain,
            present: run.present,
            forwarder: forwarder.as_ref(),
            log: &log,
        };
        serve(&mut server, &signals, keeper, &usage)?;
        log.tell(Level::Notice, "ended");
        Ok(Exit::Found)
    }
}

fn signals() -> Result<Signals> {
    let signals = Signals::default();
    let on = |signal, flag: &Arc<AtomicBool>| {
        signal_hook::flag::register(signal, Arc::clone(flag)).context("cannot wait for signals")
    };
    on(SIGUSR1, &signals.reload)?;
    on(SIGTERM, &signals.end)?;
    on(SIGINT, &signals.end)?;
    Ok(signals)
}

/// Opens the database, and fills the counters from it.
fn open(server: &mut Server, run: &Run) -> Result<Store> {
    let limits = Limits::SERVICE.with_memory(run.config.memory_mib);
    let store = Store::open_writer_with(&run.config.database, limits)?;
    let counters = &mut server.counters;
    store
        .each_signature(|row| counters.restore(&row.digest, stored::record(row)))
        .context("cannot read the digests")?;
    Ok(store)
}

fn serve(
    server: &mut Server,
    signals: &Signals,
    keeper: Keeper<'_>,
    usage: &UsageLog,
) -> Result<()> {
    let (outlet, batches) = sync_channel(0);
    let (forwarder, log) = (keeper.forwarder, keeper.log);
    thread::scope(|scope| {
        let kept = scope.spawn(move || keeper.keep(&batches));
        let served = server.serve(signals, &outlet, |packet, address, answer| {
            log.debug(|| shown(packet, address, &answer.reply));
            usage.add(address, &answer.used);
            if let (Some(kind), Some(forwarder)) = (answer.counted, forwarder) {
                forwarder.forward(kind, &answer.used.digests);
            }
        });
        drop(outlet);
        let kept = kept.join().map_err(|_| anyhow!("the database broke off"))?;
        // Why nothing is stored comes first: the loop only knows that it is so.
        kept.and(served.context("cannot go on"))
    })
}

fn shown(packet: &[u8], address: std::net::IpAddr, reply: &[u8]) -> String {
    let text = |bytes| quoted(&String::from_utf8_lossy(bytes));
    format!(
        "{address}: received {}, sending {}",
        text(packet),
        text(reply)
    )
}
