//! Access: who may come in. On the Unix socket the kernel says who it is; over TCP a password does, inside TLS.

use super::failure::Failure;
use super::message;
use super::secret::Passwords;
use super::turnstile::User;
use super::wire::{Stream, Wire};
use crate::config::Serve;
use crate::model::scope::Scope;
use crate::nofollow;
use anyhow::{Context as _, Result, anyhow};
use nix::unistd::{Gid, Group, Uid, User as Account};
use pgwire::api::auth::sasl::scram::{ScramSecret, ScramServerAuth};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

/// Returns the group that the settings name.
///
/// # Errors
/// When there is no such group.
pub(super) fn named(group: &str) -> Result<Group> {
    let found =
        Group::from_name(group).with_context(|| format!("cannot look up the group {group:?}"))?;
    found.ok_or_else(|| anyhow!("the system has no group {group:?}"))
}

/// Who may use the Unix socket.
#[derive(Debug, Clone)]
pub(super) struct Peers {
    /// Root, the process's user and the owner of the database.
    owners: Vec<(u32, Arc<User>)>,
    /// Groups whose members may ask: the configured one, and the one that may read the file anyway.
    groups: Vec<Group>,
    /// Those who may see some mail only.
    scoped: Vec<Scoped>,
}

/// Users and groups of one scope.
#[derive(Debug, Clone)]
struct Scoped {
    users: Vec<String>,
    groups: Vec<Group>,
    scope: Scope,
}

/// Returns the scopes of the settings with their users and groups.
///
/// # Errors
/// When a scope is none, or there is no such group.
fn scoped(serve: &Serve) -> Result<Vec<Scoped>> {
    let each = serve.scopes.iter().map(|(name, table)| {
        let groups = table.groups.iter().map(|group| {
            let found = named(group);
            found.with_context(|| format!("[scope.{name}] groups"))
        });
        Ok(Scoped {
            users: table.users.clone(),
            groups: groups.collect::<Result<_>>()?,
            scope: table.scope(name)?,
        })
    });
    each.collect()
}

/// Looks at what the settings say of users.
///
/// # Errors
/// When they name a group that does not exist, or a scope is none.
pub(super) fn check(serve: &Serve) -> Result<()> {
    if let Some(group) = &serve.group {
        named(group).context("[serve] group")?;
    }
    scoped(serve).map(drop)
}

/// Returns whose mail a user of TCP may see: all, unless the settings say otherwise.
pub(super) fn remote(serve: &Serve, user: &str) -> Scope {
    let of_user = serve.scopes.iter().filter(|(_, table)| {
        let mut users = table.remote.iter();
        users.any(|known| known == user)
    });
    // They were looked at when the service started.
    let scopes = of_user.map(|(name, table)| table.scope(name).unwrap_or_default());
    scopes.reduce(Scope::or).unwrap_or(Scope::All)
}

impl Peers {
    /// # Errors
    /// When there is no such group.
    pub(super) fn new(database: &Path, serve: &Serve) -> Result<Self> {
        let file = std::fs::metadata(database).ok();
        let mut owners = vec![0, Uid::effective().as_raw()];
        owners.extend(file.as_ref().map(MetadataExt::uid));
        let owner = |uid| {
            let name = nofollow::user(uid);
            (
                uid,
                Arc::new(User {
                    name,
                    is_remote: false,
                    is_owner: true,
                    scope: Scope::All,
                }),
            )
        };
        let readers = file.filter(|file| file.permissions().mode() & 0o040 != 0);
        let readers = readers.and_then(|file| Group::from_gid(Gid::from_raw(file.gid())).ok()?);
        let mut groups: Vec<Group> = readers.into_iter().collect();
        if let Some(name) = &serve.group {
            groups.push(named(name).context("[serve] group")?);
        }
        Ok(Self {
            owners: owners.into_iter().map(owner).collect(),
            groups,
            scoped: scoped(serve)?,
        })
    }

    /// Returns the user when it is root or the owner.
    pub(super) fn owner(&self, uid: u32) -> Option<Arc<User>> {
        let found = self.owners.iter().find(|(owner, _)| *owner == uid);
        found.map(|(_, user)| Arc::clone(user))
    }

    /// Returns the user, who may also add log and prune if an owner; an error when the user may not even ask. Asks the
    /// system, which may take its time.
    pub(super) fn admit(&self, uid: u32, gid: u32) -> Result<Arc<User>, Failure> {
        if let Some(owner) = self.owner(uid) {
            return Ok(owner);
        }
        let user = Account::from_uid(Uid::from_raw(uid)).ok().flatten();
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
        let of_user = self.scoped.iter().filter(|scoped| {
            let is_named = user.is_some() && scoped.users.contains(&name);
            is_named || scoped.groups.iter().any(is_member)
        });
        let scope = of_user.map(|scoped| scoped.scope.clone()).reduce(Scope::or);
        // Who is in a scope sees no more, be it as a member of a group that may ask.
        let scope = scope.or_else(|| self.groups.iter().any(is_member).then_some(Scope::All));
        if let Some(scope) = scope {
            return Ok(Arc::new(User {
                name,
                is_remote: false,
                is_owner: false,
                scope,
            }));
        }
        let names: Vec<&str> = self
            .groups
            .iter()
            .map(|group| group.name.as_str())
            .collect();
        let hint = if names.is_empty() {
            "run the command as root or as the owner of the database, or set group below [serve] in /etc/maillog.toml".to_owned()
        } else {
            format!(
                "run the command as root, or add the user to the group {}",
                names.join(" or ")
            )
        };
        let failure = Failure::new("28000", format!("{name} may not query this database"));
        Err(failure.hint(hint).fatal())
    }
}

/// Asks for the password of a user; an error when it is wrong.
pub(super) async fn password<S: Stream>(
    wire: &mut Wire<S>,
    user: &str,
    passwords: &Passwords,
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
    let known = passwords.of(user);
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
        let peers = Peers::new(&path, &Serve::default()).unwrap();
        let root = peers.admit(0, 0).unwrap();
        assert_eq!((root.name.as_str(), root.is_owner), ("root", true));
        assert!(peers.admit(Uid::effective().as_raw(), 0).unwrap().is_owner);
        let refused = peers.admit(4_000_000, 4_000_000).unwrap_err();
        assert_eq!((refused.code, refused.is_fatal), ("28000", true));
        assert!(refused.hint.contains("[serve]"), "{refused:?}");
        // Who may read the file may ask, and no more.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let peers = Peers::new(&path, &Serve::default()).unwrap();
        let group = std::fs::metadata(&path).unwrap().gid();
        let reader = peers.admit(4_000_000, group).unwrap();
        assert_eq!(
            (reader.name.as_str(), reader.is_owner),
            ("uid 4000000", false)
        );
        let serve = Serve {
            group: Some("no such group".to_owned()),
            ..Serve::default()
        };
        assert!(Peers::new(&path, &serve).is_err());
    }

    #[test]
    fn who_is_in_a_scope_sees_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.duckdb");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let group = std::fs::metadata(&path).unwrap().gid();
        let name = Group::from_gid(Gid::from_raw(group)).unwrap().unwrap().name;
        let table = |mail: &str, users: &[&str], groups: &[&str], remote: &[&str]| {
            let list = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
            crate::config::ScopeTable {
                mail: vec![mail.to_owned()],
                users: list(users),
                groups: list(groups),
                remote: list(remote),
            }
        };
        let scopes = [
            ("a", table("example.org", &["nobody"], &[], &["grafana"])),
            ("b", table("example.com", &["nobody"], &[&name], &[])),
            ("c", table("all", &["daemon"], &[], &[])),
        ];
        let serve = Serve {
            scopes: scopes.map(|(name, table)| (name.to_owned(), table)).into(),
            ..Serve::default()
        };
        let peers = Peers::new(&path, &serve).unwrap();
        let id = |name| Account::from_name(name).unwrap().unwrap().uid.as_raw();
        let scope = |uid, gid| peers.admit(uid, gid).unwrap().scope.to_string();
        // What each of the scopes lets see; the group of the file alone would let see all.
        assert_eq!(scope(id("nobody"), group), "@example.com @example.org");
        assert_eq!(scope(4_000_000, group), "@example.com");
        assert_eq!(scope(id("daemon"), 4_000_000), "all");
        assert_eq!(scope(0, 0), "all");
        assert!(peers.admit(4_000_000, 4_000_000).is_err());
        assert_eq!(remote(&serve, "grafana").to_string(), "@example.org");
        assert_eq!(remote(&serve, "nobody"), Scope::All);
    }
}
