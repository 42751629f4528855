//! Secret: what TCP needs: certificate, key and passwords. They are read again when their files change, for
//! certificates are renewed every few weeks; what cannot be used leaves the old ones in force.
//!
//! The file of passwords has lines `user:password`, or `user:SCRAM-SHA-256$...` as PostgreSQL keeps them; `#` begins
//! a comment. Nobody but its owner and group may read it.

use crate::config::Serve;
use crate::notice::{self, Level};
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pgwire::api::auth::sasl::scram::{ScramSecret, gen_salted_password};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

const ITERATIONS: usize = 4096;
/// The files are looked at no more often.
const LOOK: Duration = Duration::from_mins(1);
/// Kind of the trouble that they cannot be used.
const TROUBLE: &str = "secrets";

/// Certificate and passwords; cheap to clone.
#[derive(Clone)]
pub(super) struct Tcp(Arc<Files>);

/// Where they are, and what was in them.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    passwords: PathBuf,
    salting: Salting,
    known: Mutex<Known>,
}

struct Known {
    secrets: Arc<Secrets>,
    /// What the files looked like when they were read.
    state: State,
    looked: Instant,
}

/// Device, number, size and time of each file.
type State = [Option<(u64, u64, u64, i64, i64)>; 3];

/// What a client is met with.
pub(super) struct Secrets {
    pub tls: TlsAcceptor,
    pub passwords: Passwords,
}

/// What is known of everybody's password.
pub(super) struct Passwords {
    secrets: HashMap<String, Secret>,
    salting: Salting,
}

/// What is known of a password.
#[derive(Clone)]
pub(super) struct Secret {
    pub salt: Vec<u8>,
    pub iterations: usize,
    pub stored_key: Vec<u8>,
    pub server_key: Vec<u8>,
}

/// Makes the salt of a user: the same as long as the process lives, whether the user is known or not.
#[derive(Clone, Copy)]
struct Salting([u8; 32]);

impl Salting {
    fn of(&self, user: &str) -> Vec<u8> {
        let hash = Sha256::new().chain_update(self.0).chain_update(user);
        hash.finalize().iter().copied().take(16).collect()
    }
}

impl Passwords {
    /// Returns what is known of a user's password; of someone unknown what looks like it and fits no password.
    pub(super) fn of(&self, user: &str) -> Secret {
        let unknown = || {
            let salt = self.salting.of(user);
            // Verifiers of other makes may have other counts.
            let mut counts: Vec<usize> = self.secrets.values().map(|it| it.iterations).collect();
            counts.sort_unstable();
            let chosen = salt
                .first()
                .map_or(0, |byte| usize::from(*byte) % counts.len().max(1));
            Secret {
                iterations: counts.get(chosen).copied().unwrap_or(ITERATIONS),
                salt,
                stored_key: super::random_bytes::<32>().to_vec(),
                server_key: super::random_bytes::<32>().to_vec(),
            }
        };
        self.secrets.get(user).cloned().unwrap_or_else(unknown)
    }
}

impl Tcp {
    /// # Errors
    /// When certificate, key or passwords are not named, cannot be read or make no sense.
    pub(super) fn new(serve: &Serve) -> Result<Self> {
        let named = |path: &Option<PathBuf>, key: &str| {
            path.clone().with_context(|| {
                format!(
                    "[serve] listen also needs {key}: over TCP maillog requires TLS and passwords"
                )
            })
        };
        let certificate = named(&serve.certificate, "certificate")?;
        let key = named(&serve.key, "key")?;
        let passwords = named(&serve.passwords, "passwords")?;
        let salting = Salting(super::random_bytes());
        let paths = [&certificate, &key, &passwords].map(PathBuf::as_path);
        let known = Known {
            state: state(paths),
            secrets: Arc::new(read(paths, &salting)?),
            looked: Instant::now(),
        };
        Ok(Self(Arc::new(Files {
            known: Mutex::new(known),
            certificate,
            key,
            passwords,
            salting,
        })))
    }

    /// Returns certificate and passwords as they are now.
    pub(super) async fn secrets(&self) -> Arc<Secrets> {
        let files = Arc::clone(&self.0);
        let looked = tokio::task::spawn_blocking(move || files.look(Instant::now()));
        match looked.await {
            Ok(secrets) => secrets,
            Err(_) => self.0.known().secrets.clone(),
        }
    }
}

impl Files {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the files again when they have changed.
    fn look(&self, now: Instant) -> Arc<Secrets> {
        let paths = [&self.certificate, &self.key, &self.passwords].map(PathBuf::as_path);
        let state = {
            let mut known = self.known();
            if now.saturating_duration_since(known.looked) < LOOK {
                return Arc::clone(&known.secrets);
            }
            known.looked = now;
            let state = state(paths);
            if state == known.state {
                return Arc::clone(&known.secrets);
            }
            // What is broken is told once, and tried again when it changes.
            known.state = state;
            state
        };
        // Others are served with the old ones meanwhile.
        let read = read(paths, &self.salting);
        let mut known = self.known();
        match read {
            Ok(read) if known.state == state => {
                known.secrets = Arc::new(read);
                notice::over(TROUBLE, "certificate and passwords are valid again");
            }
            Ok(_) => {}
            Err(error) => {
                let text = format!("{error:#}; maillog keeps the ones that it read before");
                notice::trouble(TROUBLE, Level::Warning, &text);
            }
        }
        Arc::clone(&known.secrets)
    }
}

fn state(paths: [&Path; 3]) -> State {
    paths.map(|path| {
        let data = std::fs::metadata(path).ok()?;
        Some((
            data.dev(),
            data.ino(),
            data.len(),
            data.mtime(),
            data.mtime_nsec(),
        ))
    })
}

fn read([certificate, key, passwords]: [&Path; 3], salting: &Salting) -> Result<Secrets> {
    Ok(Secrets {
        tls: read_certificate(certificate, key)?,
        passwords: read_passwords(passwords, salting)?,
    })
}

fn read_certificate(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let chain: Vec<CertificateDer<'_>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| format!("[serve] certificate: cannot read {}", certificate.display()))?;
    if chain.is_empty() {
        bail!(
            "[serve] certificate: no certificate in {}",
            certificate.display()
        );
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("[serve] key: cannot read {}", key.display()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("[serve] certificate and key do not fit together")?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read_passwords(path: &Path, salting: &Salting) -> Result<Passwords> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("[serve] passwords: cannot read {}", path.display()))?;
    let mode = std::fs::metadata(path).map_or(0, |data| data.permissions().mode());
    if mode & 0o007 != 0 {
        bail!(
            "[serve] passwords: every user can read {}; restrict it with chmod 640",
            path.display()
        );
    }
    let mut secrets = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let secret = line.split_once(':').and_then(|(user, secret)| {
            Some((
                user.trim(),
                read_secret(user.trim(), secret.trim(), salting)?,
            ))
        });
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
        bail!("[serve] passwords: {} names no user", path.display());
    }
    Ok(Passwords {
        secrets,
        salting: *salting,
    })
}

fn read_secret(user: &str, text: &str, salting: &Salting) -> Option<Secret> {
    if let Some(verifier) = text.strip_prefix("SCRAM-SHA-256$") {
        let (first, keys) = verifier.split_once('$')?;
        let (iterations, salt) = first.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        return Some(Secret {
            salt: BASE64_STANDARD.decode(salt).ok()?,
            iterations: iterations.parse().ok()?,
            stored_key: BASE64_STANDARD.decode(stored).ok()?,
            server_key: BASE64_STANDARD.decode(server).ok()?,
        });
    }
    (!text.is_empty()).then(|| salted(text, salting.of(user)))
}

/// Returns what is kept of a password.
fn salted(password: &str, salt: Vec<u8>) -> Secret {
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

#[cfg(test)]
mod tests {
    use super::*;

    const SALTING: Salting = Salting([7; 32]);

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
        let open = read_passwords(&path, &SALTING).err().unwrap().to_string();
        assert!(open.contains("every user can read"), "{open}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let read = read_passwords(&path, &SALTING).unwrap();
        assert_eq!(read.of("bob").stored_key, b"stored");
        assert_eq!(read.of("alice").iterations, ITERATIONS);
        std::fs::write(&path, "alice\n").unwrap();
        let wrong = read_passwords(&path, &SALTING).err().unwrap().to_string();
        assert!(wrong.ends_with("line 1: write user:password"), "{wrong}");
    }

    #[test]
    fn nobody_learns_who_is_known() {
        let passwords = |salting| {
            let secret = read_secret("alice", "secret", &salting).unwrap();
            let secrets = HashMap::from([("alice".to_owned(), secret)]);
            Passwords { secrets, salting }
        };
        let known = passwords(SALTING);
        for user in ["alice", "mallory", ""] {
            let (first, second) = (known.of(user), known.of(user));
            assert_eq!(first.salt, second.salt, "{user}");
            assert_eq!((first.salt.len(), first.iterations), (16, ITERATIONS));
            assert_eq!(first.stored_key.len(), 32);
        }
        assert_ne!(known.of("mallory").salt, known.of("mallory2").salt);
        assert_ne!(
            known.of("mallory").stored_key,
            known.of("mallory").stored_key
        );
        // Nobody can work them out.
        let other = passwords(Salting([8; 32]));
        assert_ne!(known.of("mallory").salt, other.of("mallory").salt);
    }

    #[test]
    fn files_that_change_are_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| Some(dir.path().join(name));
        let [certificate, key, passwords] = ["c", "k", "p"].map(path);
        let made = std::process::Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x",
            ])
            .arg("-keyout")
            .arg(key.as_ref().unwrap())
            .arg("-out")
            .arg(certificate.as_ref().unwrap())
            .output();
        if made.is_err() {
            return crate::skip::skip("openssl is not installed");
        }
        let file = passwords.clone().unwrap();
        let write = |text: &str| {
            std::fs::write(&file, text).unwrap();
            let private = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(&file, private).unwrap();
        };
        write("alice:one");
        let serve = Serve {
            certificate,
            key,
            passwords,
            ..Serve::default()
        };
        let tcp = Tcp::new(&serve).unwrap();
        let begin = Instant::now();
        let users = |seconds| {
            let secrets = tcp.0.look(begin + Duration::from_secs(seconds));
            let mut users: Vec<_> = secrets.passwords.secrets.keys().cloned().collect();
            users.sort();
            users.join(" ")
        };
        assert_eq!(users(70), "alice");
        write("alice:one\nbob:two");
        assert_eq!(users(80), "alice");
        assert_eq!(users(140), "alice bob");
        write("broken");
        assert_eq!(users(210), "alice bob");
        write("carol:three");
        assert_eq!(users(280), "carol");
        std::fs::remove_file(serve.certificate.as_ref().unwrap()).unwrap();
        write("dora:four");
        assert_eq!(users(350), "carol");
    }
}
