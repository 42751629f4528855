//! Listen: the Unix socket and, where it is configured, TCP; one task for each connection.

use super::access::{self, Peers, Tcp};
use super::failure::Failure;
use super::message::{self, Start, Transaction};
use super::run::Pool;
use super::session::{Current, Session};
use super::setting::Settings;
use super::wire::{GREETING, Stream, Wire};
use super::{Inner, ingest};
use crate::socket;
use crate::store::AsOwner;
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};

/// Connections that have not said yet who they are, beside the sessions.
const GREETED: usize = 30;

/// Opens the Unix socket of the database.
///
/// # Errors
/// When its path is taken or cannot be made.
pub(super) fn bind(database: &Path) -> Result<StdListener> {
    let owner = AsOwner::of(database);
    let directory = socket::directory(database);
    let shown = directory.display();
    match DirBuilder::new().mode(0o755).create(&directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(error).with_context(|| format!("cannot create directory {shown}"));
        }
    }
    let data = fs::symlink_metadata(&directory).with_context(|| format!("cannot use {shown}"))?;
    if !data.is_dir() {
        bail!(
            "cannot create directory {shown} for the socket: there is a file of that name; move it away"
        );
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
                "cannot make the socket {}: there is a file of that name; move it away",
                path.display()
            );
        }
        if StdStream::connect(&path).is_ok() {
            bail!(
                "cannot make the socket {}: another process answers there",
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
    loop {
        let Some((stream, _)) = accepted(listener.accept().await).await else {
            continue;
        };
        let Some(guard) = Inner::connection(&inner) else {
            continue;
        };
        let (inner, peers) = (Arc::clone(&inner), peers.clone());
        tokio::spawn(async move {
            let _guard = guard;
            let admitted = match stream.peer_cred() {
                Ok(peer) => peers.admit(peer.uid(), peer.gid()),
                Err(_) => Err(Failure::new("28000", "cannot find out who connects").fatal()),
            };
            let _ = greet_unix(Wire::new(stream), inner, admitted).await;
        });
    }
}

/// Accepts clients over TCP for ever.
pub(super) async fn tcp(listener: TcpListener, inner: Arc<Inner>, tcp: Tcp) {
    loop {
        let Some((stream, _)) = accepted(listener.accept().await).await else {
            continue;
        };
        let Some(guard) = Inner::connection(&inner) else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (inner, tcp) = (Arc::clone(&inner), tcp.clone());
        tokio::spawn(async move {
            let _guard = guard;
            let _ = greet_tcp(Wire::new(stream), inner, tcp).await;
        });
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
    admitted: Result<bool, Failure>,
) -> io::Result<()> {
    let Some(options) = first(&mut wire, &inner, false).await? else {
        return Ok(());
    };
    match admitted {
        Ok(is_owner) => begin(wire, inner, options, is_owner).await,
        Err(failure) => refuse(&mut wire, &failure).await,
    }
}

async fn greet_tcp(
    mut wire: Wire<tokio::net::TcpStream>,
    inner: Arc<Inner>,
    tcp: Tcp,
) -> io::Result<()> {
    let greeting = tokio::time::timeout(GREETING, wire.start());
    match greeting.await?? {
        Start::Tls => {}
        Start::Cancel { pid, secret } => {
            inner.cancel(pid, secret);
            return Ok(());
        }
        Start::Gss | Start::Session { .. } => {
            let failure = Failure::new("28000", "TLS is needed")
                .hint("connect with sslmode=require")
                .fatal();
            return refuse(&mut wire, &failure).await;
        }
    }
    wire.out.extend_from_slice(b"S");
    wire.flush().await?;
    let Some(stream) = wire.into_stream() else {
        return Ok(());
    };
    let stream = tokio::time::timeout(GREETING, tcp.tls.accept(stream)).await??;
    let mut wire = Wire::new(stream);
    let Some(options) = first(&mut wire, &inner, true).await? else {
        return Ok(());
    };
    let user = options.get("user").cloned().unwrap_or_default();
    let asked = access::password(&mut wire, &user, &tcp.passwords);
    match tokio::time::timeout(GREETING, asked).await?? {
        Ok(()) => begin(wire, inner, options, false).await,
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
        let start = match tokio::time::timeout(GREETING, wire.start()).await? {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                refuse(wire, &Failure::new("08P01", error.to_string()).fatal()).await?;
                return Ok(None);
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

async fn refuse<S: Stream>(wire: &mut Wire<S>, failure: &Failure) -> io::Result<()> {
    failure.put(&mut wire.out);
    wire.close().await;
    Ok(())
}

async fn begin<S: Stream>(
    mut wire: Wire<S>,
    inner: Arc<Inner>,
    options: HashMap<String, String>,
    is_owner: bool,
) -> io::Result<()> {
    let user = options.get("user").cloned().unwrap_or_default();
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
    let Some(place) = Inner::session(&inner, &current) else {
        let failure = Failure::new(
            "53300",
            format!("too many sessions: {} are open", inner.most_sessions),
        )
        .hint("close some, or raise sessions in [serve] of the settings")
        .fatal();
        return refuse(&mut wire, &failure).await;
    };
    message::authentication(&mut wire.out, 0, &[]);
    for (name, value) in settings.reported() {
        message::parameter(&mut wire.out, name, value);
    }
    message::key(&mut wire.out, place.pid, place.secret);
    message::ready(&mut wire.out, Transaction::None);
    wire.flush().await?;
    let pool = Pool::new(
        inner.sessions.clone(),
        Arc::clone(&inner.turnstile),
        inner.most_rows,
    );
    let mut session = Session {
        wire,
        inner: Arc::clone(&inner),
        user,
        is_owner,
        pid: place.pid,
        current,
        settings,
        pool: Arc::new(pool),
        transaction: Transaction::None,
        prepared: HashMap::new(),
        portals: HashMap::new(),
        intake: ingest::Intake::default(),
    };
    session.serve().await
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

/// Counts a connection as long as it lives.
pub(super) struct Connection(Arc<Inner>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Inner {
    /// Counts a connection; none when there are far too many.
    fn connection(inner: &Arc<Self>) -> Option<Connection> {
        let before = inner.connections.fetch_add(1, Ordering::SeqCst);
        let connection = Connection(Arc::clone(inner));
        (before < inner.most_sessions + GREETED).then_some(connection)
    }
}
