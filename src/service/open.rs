//! Open: the database for the service alone. Another program that holds it is waited for; a second service is not.
//!
//! A lock on a file beside the database tells the two apart: only a service holds it.

use super::afresh;
use crate::config::Config;
use crate::notice;
use crate::store::{Error, Limits, Store};
use anyhow::{Context, Result, anyhow};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// First pause before the database is tried again; each is twice as long,
const FIRST: Duration = Duration::from_millis(500);
/// up to this one.
const LONGEST: Duration = Duration::from_secs(30);

/// Makes sure that no other service has this database; held as long as the process lives.
///
/// # Errors
/// When one has, or when the directory of the database cannot be used.
pub(super) fn sole_instance(database: &Path) -> Result<Flock<File>> {
    let path = lock_path(database);
    if let Some(parent) = path.parent().filter(|p| *p != Path::new("")) {
        let made = DirBuilder::new().recursive(true).mode(0o750).create(parent);
        made.with_context(|| format!("cannot create directory {}", parent.display()))?;
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut held) => {
            // The number is for people and for the message below.
            let _ = held.set_len(0);
            let _ = writeln!(held, "{}", std::process::id());
            Ok(held)
        }
        Err((mut file, Errno::EWOULDBLOCK)) => {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            Err(anyhow!(
                "another maillog service (pid {}) has {}",
                pid.trim(),
                database.display()
            ))
        }
        Err((_, errno)) => Err(anyhow!("cannot lock {}: {}", path.display(), errno.desc())),
    }
}

/// Returns the file that a service locks, beside the database.
fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".service");
    PathBuf::from(name)
}

/// Opens the database, and waits for whoever has it or for space on the disk.
///
/// # Errors
/// What waiting does not help against.
pub(super) fn open(config: &Config) -> Result<Store> {
    let limits = Limits {
        memory_mb: config.memory_mib,
        ..Limits::WRITER
    };
    let mut pause = FIRST;
    let mut told = String::new();
    loop {
        let error = match Store::open_writer_with(&config.database, limits) {
            Ok(store) => {
                if !told.is_empty() {
                    notice::say(&format!("{} is free now", config.database.display()));
                }
                return Ok(store);
            }
            Err(error @ (Error::Locked { .. } | Error::Full { .. })) => error.to_string(),
            Err(error) => return Err(error.into()),
        };
        if told != error {
            notice::say(&format!("waiting: {error}"));
            told = error;
        }
        afresh::wait(pause);
        pause = (pause * 2).min(LONGEST);
    }
}
