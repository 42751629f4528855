//! Access: who may come in. On the Unix socket the kernel says who it is; over TCP a password does, inside TLS.
//!
//! The file of passwords has lines `user:password`, or `user:SCRAM-SHA-256$...` as PostgreSQL keeps them; `#` begins
//! a comment. Nobody but its owner and group may read it.

use super::failure::Failure;
use super::message;
use super::wire::{Stream, Wire};
use crate::config::Serve;
use anyhow::{Context, Result, bail};
use nix::unistd::{Gid, Group, Uid, User};
use pgwire::api::auth::sasl::scram::{ScramSecret, ScramServerAuth, gen_salted_password};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::HashMap;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

const ITERATIONS: usize = 4096;

/// Who may use the Unix socket.
#[derive(Debug, Clone)]
pub(super) struct Peers {
    /// The process's user and the owner of the database.
    owners: Vec<u32>,
    /// Groups whose members may ask: the configured one, and the one that may read the file anyway.
    groups: Vec<Group>,
}

impl Peers {
    /// # Errors
    /// When there is no such group.
    pub(super) fn new(database: &Path, group: Option<&str>) -> Result<Self> {
        let file = std::fs::metadata(database).ok();
        let mut owners = vec![0, Uid::effective().as_raw()];
        owners.extend(file.as_ref().map(MetadataExt::uid));
        let readers = file.filter(|file| file.permissions().mode() & 0o040 != 0);
        let readers = readers.and_then(|file| Group::from_gid(Gid::from_raw(file.gid())).ok()?);
        let mut groups: Vec<Group> = readers.into_iter().collect();
        if let Some(name) = group {
            match Group::from_name(name)? {
                Some(group) => groups.push(group),
                None => bail!("[serve] group: there is no group {name:?}"),
            }
        }
        Ok(Self { owners, groups })
    }

    /// Returns whether the user may also add log and prune; an error when the user may not even ask.
    pub(super) fn admit(&self, uid: u32, gid: u32) -> Result<bool, Failure> {
        if self.owners.contains(&uid) {
            return Ok(true);
        }
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        let name = match &user {
            Some(user) => user.name.clone(),
            None => format!("uid {uid}"),
        };
        let is_member = |group: &Group| {
            // By name as well, because the other process may be older than the user's membership.
            let members = Group::from_gid(group.gid).ok().flatten();
            group.gid.as_raw() == gid
                || user.as_ref().is_some_and(|user| user.gid == group.gid)
                || members.is_some_and(|group| group.mem.contains(&name))
        };
        if self.groups.iter().any(is_member) {
            return Ok(false);
        }
        let names: Vec<&str> = self
            .groups
            .iter()
            .map(|group| group.name.as_str())
            .collect();
        let hint = if names.is_empty() {
            "run it as root or as its owner, or let a group in: group in [serve] of /etc/maillog.toml".to_owned()
        } else {
            format!(
                "run it as root, or become a member of the group {}",
                names.join(" or ")
            )
        };
        let failure = Failure::new("28000", format!("{name} may not ask this database"));
        Err(failure.hint(hint).fatal())
    }
}

/// What TCP needs.
#[derive(Clone)]
pub(super) struct Tcp {
    pub tls: TlsAcceptor,
    pub passwords: Arc<HashMap<String, Secret>>,
}

/// What is known of a password.
#[derive(Clone)]
pub(super) struct Secret {
    salt: Vec<u8>,
    iterations: usize,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl Tcp {
    /// # Errors
    /// When certificate, key or passwords are not named, cannot be read or make no sense.
    pub(super) fn new(serve: &Serve) -> Result<Self> {
        let named = |path: &Option<std::path::PathBuf>, key: &str| {
            path.clone().with_context(|| {
                format!("[serve] listen needs {key}: TCP is offered with TLS and passwords only")
            })
        };
        let certificate = named(&serve.certificate, "certificate")?;
        let key = named(&serve.key, "key")?;
        let passwords = named(&serve.passwords, "passwords")?;
        let chain: Vec<CertificateDer<'_>> = CertificateDer::pem_file_iter(&certificate)
            .and_then(Iterator::collect)
            .with_context(|| {
                format!("[serve] certificate: cannot read {}", certificate.display())
            })?;
        if chain.is_empty() {
            bail!(
                "[serve] certificate: no certificate in {}",
                certificate.display()
            );
        }
        let key = PrivateKeyDer::from_pem_file(&key)
            .with_context(|| format!("[serve] key: cannot read {}", key.display()))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .context("[serve] certificate and key do not fit together")?;
        Ok(Self {
            tls: TlsAcceptor::from(Arc::new(config)),
            passwords: Arc::new(read_passwords(&passwords)?),
        })
    }
}

fn read_passwords(path: &Path) -> Result<HashMap<String, Secret>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("[serve] passwords: cannot read {}", path.display()))?;
    let mode = std::fs::metadata(path).map_or(0, |data| data.permissions().mode());
    if mode & 0o007 != 0 {
        bail!(
            "[serve] passwords: everyone can read {}: chmod 640 it",
            path.display()
        );
    }
    let mut secrets = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let secret = line
            .split_once(':')
            .and_then(|(user, secret)| Some((user.trim(), read_secret(secret.trim())?)));
        let Some((user, secret)) = secret else {
            bail!(
                "[serve] passwords: {} line {}: write user:password",
                path.display(),
                index + 1
            );
        };
        secrets.insert(user.to_owned(), secret);
    }
    if secrets.is_empty() {
        bail!("[serve] passwords: {} names nobody", path.display());
    }
    Ok(secrets)
}

fn read_secret(text: &str) -> Option<Secret> {
    if let Some(verifier) = text.strip_prefix("SCRAM-SHA-256$") {
        let (first, keys) = verifier.split_once('$')?;
        let (iterations, salt) = first.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        return Some(Secret {
            salt: base64(salt)?,
            iterations: iterations.parse().ok()?,
            stored_key: base64(stored)?,
            server_key: base64(server)?,
        });
    }
    (!text.is_empty()).then(|| salted(text))
}

/// Returns what is kept of a password, with fresh salt.
fn salted(password: &str) -> Secret {
    let salt = super::random_bytes::<16>().to_vec();
    let salted = gen_salted_password(password, &salt, ITERATIONS);
    match ScramSecret::verifier_from_salted_password(salt, salted, ITERATIONS) {
        ScramSecret::Verifier {
            salt,
            iterations,
            stored_key,
            server_key,
        } => Secret {
            salt,
            iterations,
            stored_key,
            server_key,
        },
        ScramSecret::SaltedPassword {
            salt,
            salted_password,
        } => Secret {
            salt,
            iterations: ITERATIONS,
            stored_key: salted_password,
            server_key: Vec::new(),
        },
    }
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for c in text.trim_end_matches('=').bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// Asks for the password of a user; an error when it is wrong.
pub(super) async fn password<S: Stream>(
    wire: &mut Wire<S>,
    user: &str,
    passwords: &HashMap<String, Secret>,
) -> io::Result<Result<(), Failure>> {
    let wrong = || {
        Failure::new(
            "28P01",
            format!("password authentication failed for user {user:?}"),
        )
        .fatal()
    };
    let mut offer = b"SCRAM-SHA-256\0".to_vec();
    offer.push(0);
    message::authentication(&mut wire.out, 10, &offer);
    wire.flush().await?;
    let Some(message::Request::Password(first)) = wire.request().await? else {
        return Ok(Err(wrong()));
    };
    // The name of the mechanism, then the length of what follows.
    let first = memchr::memchr(0, &first)
        .filter(|end| first.get(..*end) == Some(b"SCRAM-SHA-256"))
        .and_then(|end| first.get(end + 5..));
    let Some(first) = first else {
        return Ok(Err(wrong()));
    };
    // Someone unknown is asked as well, so that nobody learns who is known.
    let unknown = || salted(&format!("{:?}", super::random_bytes::<16>()));
    let known = passwords.get(user).cloned().unwrap_or_else(unknown);
    let iterations = known.iterations;
    let secret = ScramSecret::Verifier {
        salt: known.salt,
        iterations,
        stored_key: known.stored_key,
        server_key: known.server_key,
    };
    let mut scram = ScramServerAuth::new();
    scram.set_iterations(iterations);
    let Ok((challenge, waiting)) = scram.on_client_first_message_with_secret(first, secret) else {
        return Ok(Err(wrong()));
    };
    message::authentication(&mut wire.out, 11, challenge.as_bytes());
    wire.flush().await?;
    let Some(message::Request::Password(last)) = wire.request().await? else {
        return Ok(Err(wrong()));
    };
    let Ok(proof) = waiting.on_client_final_message(&last) else {
        return Ok(Err(wrong()));
    };
    message::authentication(&mut wire.out, 12, proof.as_bytes());
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_told_how_to_come_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.duckdb");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let peers = Peers::new(&path, None).unwrap();
        assert_eq!(peers.admit(0, 0), Ok(true));
        assert_eq!(peers.admit(Uid::effective().as_raw(), 0), Ok(true));
        let refused = peers.admit(4_000_000, 4_000_000).unwrap_err();
        assert_eq!((refused.code, refused.is_fatal), ("28000", true));
        assert!(refused.hint.contains("[serve]"), "{refused:?}");
        // Who may read the file may ask, and no more.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let peers = Peers::new(&path, None).unwrap();
        let group = std::fs::metadata(&path).unwrap().gid();
        assert_eq!(peers.admit(4_000_000, group), Ok(false));
        assert!(Peers::new(&path, Some("no such group")).is_err());
    }

    #[test]
    fn base64_is_read() {
        assert_eq!(base64("aGFsbG8=").unwrap(), b"hallo");
        assert_eq!(base64("aGFsbG8h").unwrap(), b"hallo!");
        assert_eq!(base64("").unwrap(), b"");
        assert!(base64("a*b").is_none());
    }

    #[test]
    fn a_file_of_passwords_is_read_when_it_is_kept_well() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passwords");
        let verifier = "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy";
        std::fs::write(
            &path,
            format!("# who\n\nalice:secret:with colon\nbob:{verifier}\n"),
        )
        .unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let open = read_passwords(&path).err().unwrap().to_string();
        assert!(open.contains("everyone can read"), "{open}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let read = read_passwords(&path).unwrap();
        assert_eq!(read.get("bob").unwrap().stored_key, b"stored");
        assert_eq!(read.get("alice").unwrap().iterations, ITERATIONS);
        std::fs::write(&path, "alice\n").unwrap();
        let wrong = read_passwords(&path).err().unwrap().to_string();
        assert!(wrong.ends_with("line 1: write user:password"), "{wrong}");
    }
}
