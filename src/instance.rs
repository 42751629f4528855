//! Instance: the lock that only a running service of a database has, so that a second one is refused and queries
//! leave the file to it.
//!
//! A file beside the database (`maillog.duckdb.service`) that holds the service's pid. The lock ends with the process.

use crate::nofollow::{self, Access};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the lock is tried: a query that looks for the service has it for a moment.
const TRIES: u32 = 5;
/// Pause between two of them.
const PAUSE: Duration = Duration::from_millis(50);

/// Returns the file that the service of a database locks.
#[must_use]
pub fn path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".service");
    PathBuf::from(name)
}

/// Opens the file to be locked, made with its directory (0750) as needed.
///
/// # Errors
/// Those of the file system, and when something else is in its place.
pub fn open(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent().filter(|p| *p != Path::new("")) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(parent)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).mode(0o640);
    nofollow::open(path, Access::Write, &mut options)
}

/// Makes this process the service; held as long as the result lives.
///
/// # Errors
/// The pid that another service wrote, or why it cannot be locked.
pub fn hold(mut file: File) -> Result<Flock<File>, Refused> {
    for _ in 0..TRIES {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut held) => {
                // The number is for people and for the message of the next.
                let _ = held.set_len(0);
                let _ = writeln!(held, "{}", std::process::id());
                return Ok(held);
            }
            Err((back, Errno::EWOULDBLOCK)) => file = back,
            Err((_, errno)) => return Err(Refused::Failed(errno)),
        }
        std::thread::sleep(PAUSE);
    }
    let mut pid = String::new();
    let _ = file.read_to_string(&mut pid);
    Err(Refused::Held(pid.trim().to_owned()))
}

/// Why a process cannot be the service.
#[derive(Debug)]
pub enum Refused {
    /// Another one is: its pid.
    Held(String),
    /// The lock failed.
    Failed(Errno),
}

/// Returns whether a service of the database runs, be it that it waits for the database; false where that cannot be seen.
#[must_use]
pub fn runs(database: &Path) -> bool {
    let mut options = OpenOptions::new();
    let Ok(file) = nofollow::open(&path(database), Access::Read, options.read(true)) else {
        return false;
    };
    matches!(
        Flock::lock(file, FlockArg::LockSharedNonblock),
        Err((_, Errno::EWOULDBLOCK))
    )
}

#[cfg(test)]
mod tests {
    use super::{Refused, hold, open, path, runs};

    #[test]
    fn what_is_planted_in_place_of_the_lock_is_neither_followed_nor_waited_for() {
        let place = tempfile::tempdir().unwrap();
        let database = place.path().join("maillog.duckdb");
        let lock = path(&database);
        // Links of others are planted in tests/it/planted.rs.
        nix::unistd::mkfifo(&place.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::fs::rename(place.path().join("pipe"), &lock).unwrap();
        let error = open(&lock).unwrap_err().to_string();
        assert!(error.ends_with("it is a pipe, not a plain file"), "{error}");
        assert!(!runs(&database));
    }

    #[test]
    fn one_service_holds_the_lock_and_questions_see_it() {
        let place = tempfile::tempdir().unwrap();
        let database = place.path().join("new/maillog.duckdb");
        assert!(!runs(&database));
        let lock = || hold(open(&path(&database)).unwrap());
        let held = lock().unwrap();
        assert!(runs(&database));
        let pid = std::process::id().to_string();
        assert!(matches!(lock(), Err(Refused::Held(of)) if of == pid));
        drop(held);
        assert!(!runs(&database));
        lock().unwrap();
    }
}
