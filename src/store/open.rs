//! The only opener: access mode, limits and settings of DuckDB, and what stands in the way of opening.
//!
//! A writer creates what is missing (directory 0750, database 0640) and brings the schema up to date; a reader
//! creates nothing. Settings are locked before any other SQL runs, and no file but the database is reachable.
//!
//! Limits: the lock is one of `fcntl`: it belongs to the process and is lost when *any* descriptor of the file is
//! closed. So nothing here (or elsewhere in the program) may open the database file, not even to look at it.

use super::error::Error;
use super::limits::Limits;
use super::place::{Place, remove_leftovers, spill};
use super::scratch::Scratch;
use super::{Store, function, migrate};
use crate::nofollow::Access;
use duckdb::{AccessMode, Config, Connection};
use nix::sys::stat::{Mode, umask};
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Memory for a migration that needs more than what is usual, in MB.
const MIGRATION_MB: u32 = 4096;

/// Most that queries may spill to the disk: it is the one that the log is stored on.
const MAX_SPILL: &str = "2GB";

impl Store {
    /// Opens the database for reading and writing, made or migrated as needed.
    pub fn open_writer(path: &Path) -> Result<Self, Error> {
        Self::open_writer_with(path, Limits::WRITER)
    }

    /// Opens the database for reading and writing within the limits.
    ///
    /// The files of this process are not readable by everyone from then on (umask): DuckDB makes a new WAL
    /// after each checkpoint, and there is no other way to give it a mode.
    pub fn open_writer_with(path: &Path, limits: Limits) -> Result<Self, Error> {
        refuse_directory(path)?;
        let _owner = Place::of(path, Access::Write)?.owner.act();
        let before = umask(Mode::from_bits_truncate(0o027));
        umask(before | Mode::from_bits_truncate(0o027));
        make_parent(path)?;
        match Self::open_to_write(path, limits) {
            // A migration may have to change every row at once.
            Err(Error::OutOfMemory) if limits.memory_mb < MIGRATION_MB => {
                let more = Limits {
                    memory_mb: MIGRATION_MB,
                    may_spill: true,
                    ..limits
                };
                drop(Self::open_to_write(path, more)?);
                Self::open_to_write(path, limits)
            }
            opened => opened,
        }
    }

    fn open_to_write(path: &Path, limits: Limits) -> Result<Self, Error> {
        // Once more: its directory may be new.
        let place = Place::of(path, Access::Write)?;
        let directory = if limits.may_spill {
            spill(path)
        } else {
            PathBuf::new()
        };
        let config = config(limits, AccessMode::ReadWrite, &directory);
        let conn = config
            .and_then(|config| Connection::open_with_flags(path, config))
            .map_err(|error| Error::opening(path, &error))?;
        // Left by a killed process; the lock is ours, so nobody uses it.
        let _ = fs::remove_dir_all(spill(path));
        remove_leftovers(&fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()));
        let sort = |error: duckdb::Error| Error::sort(Some(path), "", &error);
        function::register(&conn).map_err(sort)?;
        migrate::migrate(&conn, Some(path))?;
        let mut store = Self::from_connection(conn, Some(path), Some(place))?;
        store.has_end = limits.has_end;
        Ok(store)
    }

    /// Opens the database for reading only; several processes may do so at once.
    pub fn open_reader(path: &Path) -> Result<Self, Error> {
        Self::open_reader_with(path, Limits::READER)
    }

    /// Opens the database for reading only within the limits.
    ///
    /// A database of an older maillog is migrated first, when this process may write it.
    pub fn open_reader_with(path: &Path, limits: Limits) -> Result<Self, Error> {
        match Self::read(path, limits) {
            Err(outdated @ Error::Outdated { .. }) => match Self::open_writer(path) {
                Ok(writer) => {
                    drop(writer);
                    Self::read(path, limits)
                }
                Err(_) => Err(outdated),
            },
            opened => opened,
        }
    }

    /// Opens the database for reading only, if this maillog made it.
    pub fn open_unchanged(path: &Path) -> Result<Self, Error> {
        Self::read(path, Limits::READER)
    }

    /// Opens an empty database without a file.
    pub fn open_in_memory() -> Result<Self, Error> {
        let conn = config(Limits::WRITER, AccessMode::Automatic, Path::new(""))
            .and_then(Connection::open_in_memory_with_flags)
            .map_err(|error| Error::sort(None, "", &error))?;
        function::register(&conn).map_err(|error| Error::sort(None, "", &error))?;
        migrate::migrate(&conn, None)?;
        Self::from_connection(conn, None, None)
    }

    /// Opens an empty database of which nothing stays when it is dropped.
    pub fn open_scratch() -> Result<Self, Error> {
        let scratch = Scratch::new()?;
        let conn = config(Limits::SCRATCH, AccessMode::Automatic, scratch.path())
            .and_then(Connection::open_in_memory_with_flags)
            .map_err(|error| Error::sort(None, "", &error))?;
        function::register(&conn).map_err(|error| Error::sort(None, "", &error))?;
        migrate::migrate(&conn, None)?;
        let mut store = Self::from_connection(conn, None, None)?;
        store.scratch = Some(scratch);
        Ok(store)
    }

    fn read(path: &Path, limits: Limits) -> Result<Self, Error> {
        refuse_directory(path)?;
        let missing = || Error::Missing {
            path: path.to_path_buf(),
        };
        match fs::metadata(path) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return Err(Error::Permission {
                    path: path.to_path_buf(),
                    write: false,
                    cause: "permission denied".to_owned(),
                });
            }
            Err(_) => return Err(missing()),
        }
        let place = Place::of(path, Access::Read)?;
        let conn = config(limits, AccessMode::ReadOnly, Path::new(""))
            .and_then(|config| Connection::open_with_flags(path, config))
            .map_err(|error| match Error::opening(path, &error) {
                Error::Permission { path, cause, .. } => Error::Permission {
                    path,
                    write: false,
                    cause,
                },
                other => other,
            })?;
        let sort = |error: duckdb::Error| Error::sort(Some(path), "", &error);
        function::register(&conn).map_err(sort)?;
        let (found, known) = (migrate::version(&conn, Some(path))?, migrate::KNOWN);
        match found {
            0 => Err(missing()),
            _ if found > known => Err(Error::FromFuture { found, known }),
            _ if found < known => Err(Error::Outdated { found, known }),
            _ => Self::from_connection(conn, Some(path), Some(place)),
        }
    }

    fn from_connection(
        conn: Connection,
        path: Option<&Path>,
        place: Option<Place>,
    ) -> Result<Self, Error> {
        let sort = |error: duckdb::Error| Error::sort(path, "", &error);
        let session = conn.try_clone().map_err(sort)?;
        Ok(Self::new(conn, session, path, place))
    }
}

/// `spill` is the directory for what does not fit into memory, empty for none.
fn config(limits: Limits, mode: AccessMode, spill: &Path) -> duckdb::Result<Config> {
    Config::default()
        .access_mode(mode)?
        // Has to come before access to files is turned off.
        .with("temp_directory", spill.to_string_lossy())?
        .with("max_temp_directory_size", MAX_SPILL)?
        .enable_autoload_extension(false)?
        .with("allow_community_extensions", "false")?
        .enable_external_access(false)?
        .max_memory(&format!("{}MB", limits.memory_mb))?
        .threads(i64::from(limits.threads))?
        // It costs memory; but with more than one thread DuckDB 2.0 mixes up parts of a big result without it, even one with an
        // ORDER BY.
        .with("preserve_insertion_order", (limits.threads > 1).to_string())?
        .with("checkpoint_threshold", format!("{}MB", limits.wal_mb))?
        .with("max_vacuum_tasks", limits.merges.to_string())?
        .with("lock_configuration", (!limits.has_end).to_string())
}

fn refuse_directory(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Err(Error::IsDirectory {
            path: path.to_path_buf(),
        });
    }
    Ok(())
}

fn make_parent(path: &Path) -> Result<(), Error> {
    let Some(parent) = path.parent().filter(|parent| *parent != Path::new("")) else {
        return Ok(());
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(parent)
        .map_err(|source| Error::Directory {
            path: parent.to_path_buf(),
            source,
        })
}
