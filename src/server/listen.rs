//! Listen: the Unix socket and, where it is configured, TCP; one task for each connection.

use super::access::{self, Peers};
use super::admission::Current;
use super::failure::Failure;
use super::ingest::Intake;
use super::login_queue::{self, LoginQueue};
use super::message::{self, Start, Transaction};
use super::run::Pool;
use super::secret::Tcp;
use super::session::{Login, Session};
use super::session_budget::SessionBudget;
use super::setting::Settings;
use super::turnstile::User;
use super::wire::{Stream, Wire};
use super::{Inner, Place};
use crate::model::scope::Scope;
use crate::nofollow::Folder;
use crate::socket;
use crate::store::Owner;
use anyhow::{Context, Result, bail};
use nix::sys::socket::{setsockopt, sockopt};
use std::collections::HashMap;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{error::Elapsed, timeout};
use tokio_rustls::server::TlsStream;

/// Time to log in on the machine itself,
const GREETING: Duration = Duration::from_secs(10);
/// over the network,
const GREETING_TCP: Duration = Duration::from_secs(20);
/// and to be told that one may not.
const REFUSAL: Duration = Duration::from_secs(1);
/// Time that the system has to say who a user is: it may have to ask the network.
const LOOK_UP: Duration = Duration::from_secs(5);
/// Users that it is asked about at once.
pub(super) const LOOK_UPS: usize = 16;
/// Characters of a user's name that are kept, as in PostgreSQL.
const LONGEST_NAME: usize = 63;

/// Opens the Unix socket of the database.
///
/// # Errors
/// When its path is taken or cannot be made.
pub(super) fn bind(database: &Path) -> Result<StdListener> {
    let directory = socket::directory(database);
    let shown = directory.display();
    let folder = Folder::of(&directory).with_context(|| format!("cannot use {shown}"))?;
    let owner = Owner::of(&folder)?;
    let _acting = owner.act();
    match DirBuilder::new().mode(0o755).create(&directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(error).with_context(|| format!("cannot create directory {shown}"));
        }
    }
    let data = fs::symlink_metadata(&directory).with_context(|| format!("cannot use {shown}"))?;
    if !data.is_dir() {
        bail!("cannot create directory {shown} for the socket: a file has that name; move it away");
    }
    if data.uid() != owner.uid() && data.uid() != 0 {
        bail!(
            "cannot use {shown} for the socket: it belongs to uid {}; move it away",
            data.uid()
        );
    }
    // The kernel tells who connects, so the files need not keep anybody out.
    let _ = fs::set_permissions(&directory, Permissions::from_mode(0o755));
    let path = directory.join(socket::NAME);
    if let Ok(data) = fs::symlink_metadata(&path) {
        if !data.file_type().is_socket() {
            bail!(
                "cannot make the socket {}: a file has that name; move it away",
                path.display()
            );
        }
        if StdStream::connect(&path).is_ok() {
            bail!(
                "cannot make the socket {}: another process listens on it",
                path.display()
            );
        }
        // Left by a service that was killed.
        fs::remove_file(&path).with_context(|| format!("cannot replace {}", path.display()))?;
    }
    let listener = StdListener::bind(&path)
        .with_context(|| format!("cannot make the socket {}", path.display()))?;
    fs::set_permissions(&path, Permissions::from_mode(0o666))
        .with_context(|| format!("cannot open the socket {}", path.display()))?;
    listener
        .set_nonblocking(true)
        .context("cannot use the socket")?;
    Ok(listener)
}

/// Opens the configured address.
///
/// # Errors
/// When it is taken or none of ours.
pub(super) fn bind_tcp(address: &str) -> Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)
        .with_context(|| format!("[serve] listen: cannot use {address}"))?;
    listener.set_nonblocking(true).context("cannot use TCP")?;
    Ok(listener)
}

/// Accepts clients of the Unix socket for ever.
pub(super) async fn unix(listener: UnixListener, inner: Arc<Inner>, peers: Peers) {
    let (owners, others): (Arc<LoginQueue<u32>>, Arc<LoginQueue<u32>>) =
        (Arc::default(), Arc::default());
    let look_ups = Arc::new(Semaphore::new(LOOK_UPS));
    loop {
        let Some((stream, _)) = accepted(listener.accept().await).await else {
            continue;
        };
        let Ok(peer) = stream.peer_cred() else {
            continue;
        };
        let (uid, gid) = (peer.uid(), peer.gid());
        let owner = peers.owner(uid);
        let waiting = if owner.is_some() { &owners } else { &others }.enter(uid);
        let (inner, peers) = (Arc::clone(&inner), peers.clone());
        let look_ups = Arc::clone(&look_ups);
        tokio::spawn(async move {
            let greeted = waiting.meanwhile(async {
                let admitted = match owner {
                    Some(owner) => Ok(owner),
                    None => look_up(peers, uid, gid, look_ups).await,
                };
                let time = if admitted.is_ok() { GREETING } else { REFUSAL };
                timeout(time, greet_unix(Wire::new(stream), inner, admitted)).await
            });
            serve(greeted.await).await;
        });
    }
}

/// Asks the system who a user is; it is not asked by ever more threads when it does not answer.
async fn look_up(
    peers: Peers,
    uid: u32,
    gid: u32,
    look_ups: Arc<Semaphore>,
) -> Result<Arc<User>, Failure> {
    let looked = async {
        let permit = look_ups.acquire_owned().await.ok()?;
        let looked = spawn_blocking(move || {
            let _permit = permit;
            peers.admit(uid, gid)
        });
        looked.await.ok()
    };
    timeout(LOOK_UP, looked)
        .await
        .ok()
        .flatten()
        .unwrap_or_else(|| {
            let message = format!("the system has no user with uid {uid}");
            Err(Failure::new("57P03", message).fatal())
        })
}

/// Accepts clients over TCP for ever.
pub(super) async fn tcp(listener: TcpListener, inner: Arc<Inner>, tcp: Tcp) {
    let door: Arc<LoginQueue<IpAddr>> = Arc::default();
    loop {
        let Some((stream, address)) = accepted(listener.accept().await).await else {
            continue;
        };
        let waiting = door.enter(login_queue::network(address.ip()));
        keep_alive(&stream);
        let (inner, tcp) = (Arc::clone(&inner), tcp.clone());
        tokio::spawn(async move {
            let greeted = timeout(
                GREETING_TCP,
                greet_tcp(Wire::new(stream), address.ip(), inner, tcp),
            );
            serve(waiting.meanwhile(greeted).await).await;
        });
    }
}

/// Makes answers go out at once, and a peer that vanished noticed within two minutes.
fn keep_alive(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = setsockopt(stream, sockopt::KeepAlive, &true);
    let _ = setsockopt(stream, sockopt::TcpKeepIdle, &60);
    let _ = setsockopt(stream, sockopt::TcpKeepInterval, &15);
    let _ = setsockopt(stream, sockopt::TcpKeepCount, &4);
}

/// What logging in led to; none when the client was refused, or only cancelled something.
type Greeted<S> = io::Result<Option<(Session<S>, Place)>>;

/// Talks with a client that has logged in.
async fn serve<S: Stream>(greeted: Option<Result<Greeted<S>, Elapsed>>) {
    if let Some(Ok(Ok(Some((mut session, _place))))) = greeted {
        let _ = session.serve().await;
    }
}

/// Too many open files and the like pass.
async fn accepted<T>(accepted: io::Result<T>) -> Option<T> {
    if let Ok(accepted) = accepted {
        return Some(accepted);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    None
}

async fn greet_unix<S: Stream>(
    mut wire: Wire<S>,
    inner: Arc<Inner>,
    admitted: Result<Arc<User>, Failure>,
) -> Greeted<S> {
    let Some(options) = first(&mut wire, &inner, false).await? else {
        return Ok(None);
    };
    match admitted {
        Ok(user) => begin(wire, inner, options, user, "unix".to_owned()).await,
        Err(failure) => refuse(&mut wire, &failure).await,
    }
}

async fn greet_tcp(
    mut wire: Wire<TcpStream>,
    from: IpAddr,
    inner: Arc<Inner>,
    tcp: Tcp,
) -> Greeted<TlsStream<TcpStream>> {
    match wire.start().await? {
        Start::Tls => {}
        Start::Cancel { pid, secret } => {
            inner.cancel(pid, secret);
            return Ok(None);
        }
        Start::Gss | Start::Session { .. } => {
            let failure = Failure::new("28000", "TLS is required")
                .hint("connect with sslmode=require")
                .fatal();
            return refuse(&mut wire, &failure).await;
        }
    }
    wire.out.extend_from_slice(b"S");
    wire.flush().await?;
    let Some(stream) = wire.into_stream() else {
        return Ok(None);
    };
    let secrets = tcp.secrets().await;
    let mut wire = Wire::new(secrets.tls.accept(stream).await?);
    let Some(options) = first(&mut wire, &inner, true).await? else {
        return Ok(None);
    };
    let user = options.get("user").cloned().unwrap_or_default();
    match access::password(&mut wire, &user, &secrets.passwords).await? {
        Ok(()) => {
            let user = User {
                scope: access::remote(&inner.serve, &user),
                name: user.chars().take(LONGEST_NAME).collect(),
                is_remote: true,
                is_owner: false,
            };
            let origin = from.to_canonical().to_string();
            begin(wire, inner, options, Arc::new(user), origin).await
        }
        Err(failure) => refuse(&mut wire, &failure).await,
    }
}

/// Reads until a session is wanted; none when there is nothing more to do.
async fn first<S: Stream>(
    wire: &mut Wire<S>,
    inner: &Inner,
    is_tls: bool,
) -> io::Result<Option<HashMap<String, String>>> {
    // TLS and GSS are asked for once each.
    for _ in 0..3 {
        let start = match wire.start().await {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return refuse(wire, &Failure::new("08P01", error.to_string()).fatal()).await;
            }
            start => start?,
        };
        match start {
            Start::Tls | Start::Gss => {
                wire.out.extend_from_slice(b"N");
                wire.flush().await?;
            }
            Start::Cancel { pid, secret } => {
                inner.cancel(pid, secret);
                return Ok(None);
            }
            Start::Session { minor, options } => {
                let unknown: Vec<&str> = options
                    .keys()
                    .map(String::as_str)
                    .filter(|name| name.starts_with("_pq_."))
                    .collect();
                if minor > 0 || !unknown.is_empty() {
                    message::negotiate(&mut wire.out, &unknown);
                }
                return Ok(Some(options));
            }
        }
        if is_tls {
            break;
        }
    }
    Ok(None)
}

async fn refuse<S: Stream, T>(wire: &mut Wire<S>, failure: &Failure) -> io::Result<Option<T>> {
    failure.put(&mut wire.out);
    wire.close().await;
    Ok(None)
}

async fn begin<S: Stream>(
    mut wire: Wire<S>,
    inner: Arc<Inner>,
    options: HashMap<String, String>,
    who: Arc<User>,
    origin: String,
) -> Greeted<S> {
    let option = |name| options.get(name).map(String::as_str).unwrap_or_default();
    let user: String = option("user").chars().take(LONGEST_NAME).collect();
    let mut settings = Settings::new(&user, inner.limits);
    for (name, value) in start_settings(&options) {
        // What is unknown here is left out, as poolers and drivers send settings of every kind.
        if let Err(failure) = settings.begin(&name, &value)
            && failure.code != "42704"
        {
            return refuse(&mut wire, &failure.fatal()).await;
        }
    }
    let current = Arc::new(Current::default());
    let is_our_client = option("application_name") == "maillog";
    let place = match Inner::session(&inner, &current, &who, is_our_client) {
        Ok(place) => place,
        Err(open) => {
            let failure = Failure::new("53300", format!("too many sessions: {open}"))
                .hint("close some, or raise sessions below [serve] in /etc/maillog.toml")
                .fatal();
            return refuse(&mut wire, &failure).await;
        }
    };
    message::authentication(&mut wire.out, 0, &[]);
    for (name, value) in settings.reported() {
        message::parameter(&mut wire.out, name, value);
    }
    if who.scope != Scope::All {
        message::parameter(&mut wire.out, socket::SCOPE, &who.scope.to_string());
    }
    message::key(&mut wire.out, place.pid, place.secret);
    message::ready(&mut wire.out, Transaction::None);
    wire.flush().await?;
    wire.trust();
    let pool = Pool::new(
        inner.sessions.clone(),
        Arc::clone(&inner.turnstile),
        Arc::clone(&who),
        inner.most_rows,
    );
    let session = Session {
        wire,
        inner: Arc::clone(&inner),
        login: Login { user, who, origin },
        has_asked: false,
        pid: place.pid,
        current,
        settings,
        pool: Arc::new(pool),
        transaction: Transaction::None,
        held: SessionBudget::default(),
        intake: Intake::default(),
    };
    Ok(Some((session, place)))
}

/// Returns the settings that a client begins with: its options, and those in `-c name=value`.
fn start_settings(options: &HashMap<String, String>) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    for (name, value) in options {
        match name.as_str() {
            "user" | "database" | "replication" => {}
            "options" => {
                let words = value
                    .split_whitespace()
                    .map(|word| word.strip_prefix("-c").unwrap_or(word));
                let words = words.map(|word| word.strip_prefix("--").unwrap_or(word));
                let pairs = words.filter_map(|word| word.split_once('='));
                settings
                    .extend(pairs.map(|(name, value)| (name.replace('-', "_"), value.to_owned())));
            }
            name if name.starts_with("_pq_.") => {}
            name => settings.push((name.to_owned(), value.clone())),
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::socket::getsockopt;

    #[test]
    fn a_peer_that_vanishes_is_noticed() {
        let listener = bind_tcp("127.0.0.1:0").unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap().block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            keep_alive(&stream);
            assert!(getsockopt(&stream, sockopt::KeepAlive).unwrap());
            assert_eq!(getsockopt(&stream, sockopt::TcpKeepIdle), Ok(60));
            assert_eq!(getsockopt(&stream, sockopt::TcpKeepInterval), Ok(15));
            assert_eq!(getsockopt(&stream, sockopt::TcpKeepCount), Ok(4));
            assert!(stream.nodelay().unwrap());
        });
    }
}
