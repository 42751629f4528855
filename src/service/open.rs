//! Open: the database for the service alone. Another program that holds it is waited for; a second service is not.
//! `crate::instance` tells the two apart.

use super::restart;
use super::systemd_notify::Notify;
use crate::config::Config;
use crate::instance::{self, Refused};
use crate::nofollow::Refused as Planted;
use crate::notice::{self, Level};
use crate::store::{AsOwner, Error, Limits, Store};
use anyhow::{Context, Result, anyhow};
use nix::fcntl::Flock;
use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// First pause before the database is tried again; each is twice as long,
const FIRST: Duration = Duration::from_millis(500);
/// up to this one.
const LONGEST: Duration = Duration::from_secs(5);
/// The pause while another program has the database: queries leave it to the service for two seconds only.
const BRIEF: Duration = Duration::from_millis(200);

/// Makes sure that no other service has this database; held as long as the process lives.
///
/// # Errors
/// When one has, or when the directory of the database cannot be used.
pub(super) fn sole_instance(database: &Path, notify: &Notify) -> Result<Flock<File>> {
    let path = instance::path(database);
    let mut pause = Pause::new();
    let file = loop {
        match lock_file(&path) {
            Ok(file) => break file,
            Err(e) if matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
                let error = Error::Full { path: path.clone() };
                pause.wait(&error, error.hint(), notify);
            }
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {
                let denied = Error::Permission {
                    path: database.to_path_buf(),
                    write: true,
                    cause: "permission denied".to_owned(),
                };
                return Err(denied.into());
            }
            Err(e) => {
                let parent = path.parent().filter(|parent| parent.is_file());
                if let Some(parent) = parent {
                    return Err(anyhow!("{} is not a directory", parent.display()));
                }
                if let Some(refused) = e
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<Planted>())
                {
                    return Err(Error::Refused(refused.clone()).into());
                }
                return Err(e).with_context(|| format!("cannot write {}", path.display()));
            }
        }
    };
    passed("space is available again");
    instance::hold(file).map_err(|refused| match refused {
        Refused::Held(pid) => anyhow!(
            "another maillog service (pid {pid}) uses {}",
            database.display()
        ),
        Refused::Failed(errno) => anyhow!("cannot lock {}: {}", path.display(), errno.desc()),
    })
}

/// Opens the file that a service locks, for the owner of the database.
fn lock_file(path: &Path) -> std::io::Result<File> {
    let _owner = AsOwner::of(path)?;
    instance::open(path)
}

/// Opens the database, and waits for whoever has it or for space on the disk.
///
/// # Errors
/// What waiting does not help against.
pub(super) fn open(config: &Config, notify: &Notify) -> Result<Store> {
    let limits = Limits::SERVICE.with_memory(config.memory_mib);
    let mut pause = Pause::new();
    loop {
        notify.starting();
        match Store::open_writer_with(&config.database, limits) {
            Ok(store) => {
                passed(&format!("{} can be used again", config.database.display()));
                return Ok(store);
            }
            Err(error @ Error::Locked { .. }) => {
                Pause { next: BRIEF }.wait(&error, error.hint(), notify);
            }
            Err(error) if may_pass(&error) => pause.wait(&error, error.hint(), notify),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Returns whether waiting may help.
fn may_pass(error: &Error) -> bool {
    matches!(
        error,
        Error::Full { .. } | Error::Io { .. } | Error::OutOfMemory
    )
}

/// Waiting for something to pass, longer each time.
struct Pause {
    next: Duration,
}

/// Kind of the trouble that the database cannot be opened.
const TROUBLE: &str = "open";

impl Pause {
    fn new() -> Self {
        Self { next: FIRST }
    }

    fn wait(&mut self, error: &dyn std::fmt::Display, hint: Option<&str>, notify: &Notify) {
        let hint = hint.map_or(String::new(), |hint| format!(" ({hint})"));
        notice::trouble(TROUBLE, Level::Warning, &format!("waiting: {error}{hint}"));
        notify.waiting(&error.to_string());
        restart::wait(self.next);
        self.next = (self.next * 2).min(LONGEST);
    }
}

/// Says that waiting has ended, when there was any.
fn passed(text: &str) {
    notice::over(TROUBLE, text);
}
