//! Rewrites the database into a new file: gives free space back, and leaves nothing behind of what was deleted.
//!
//! DuckDB never shrinks a file and does not overwrite what a deleted row said. So what is alive is copied into a file
//! beside it, in order, with everything else that makes up the database, and the new file takes the old one's name.
//!
//! Promises: at every moment, power loss included, the name stands for a whole database: the old one until the rename,
//! the new one after it. What a crash leaves is deleted when the database is next opened. Owner, group and mode stay.
//!
//! Limits: nobody else may have the database open, and the file system needs room for the copy.

use super::error::Error;
use super::limits::Limits;
use super::place::{ENDINGS, Place, copy_name, remove_leftovers, with};
use super::{Store, function};
use crate::nofollow::{self, Access};
use duckdb::{Config, Connection};
use nix::sys::statvfs::statvfs;
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

/// Files smaller than this are not compacted unasked.
const WORTH_IT: u64 = 64 << 20;
/// Room that stays free on the file system, in bytes.
const SPARE: u64 = 32 << 20;
/// Row in `meta` by which the next start is asked to compact.
const WISH: &str = "compact";

/// Has a row while the database is to be rewritten.
pub const WISHES: &str = "SELECT value FROM meta WHERE key = 'compact'";

/// Sizes of the file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compacted {
    /// Before.
    pub before: u64,
    /// After.
    pub after: u64,
}

/// How much of a database file is in use, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    /// Blocks of the file.
    pub total: u64,
    /// Blocks without anything in them.
    pub free: u64,
}

impl Space {
    /// Tells whether more than half of a file of some size is free.
    #[must_use]
    pub const fn is_mostly_free(self) -> bool {
        self.total >= WORTH_IT && self.free > self.total / 2
    }
}

impl Store {
    /// Returns how much of the file is in use.
    ///
    /// # Errors
    /// When the database fails.
    pub fn space(&self) -> Result<Space, Error> {
        let sql = "SELECT block_size, total_blocks, free_blocks FROM pragma_database_size() \
                   WHERE database_name = current_database()";
        let found: (u64, u64, u64) = self
            .conn
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .map_err(|error| self.sort(sql, &error))?;
        let (size, total, free) = found;
        Ok(Space {
            total: size * total,
            free: size * free,
        })
    }

    /// Asks the next start of the service to compact the database before it does anything else.
    ///
    /// # Errors
    /// When the database fails.
    pub fn wish_compaction(&mut self) -> Result<(), Error> {
        self.run(&format!(
            "DELETE FROM meta WHERE key = '{WISH}'; INSERT INTO meta VALUES ('{WISH}', 'wanted')"
        ))
    }

    /// Tells whether compaction was asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub fn wishes_compaction(&self) -> Result<bool, Error> {
        let sql = format!("SELECT count(*) > 0 FROM meta WHERE key = '{WISH}'");
        let found = self.conn.query_row(&sql, [], |row| row.get(0));
        found.map_err(|error| self.sort(&sql, &error))
    }
}

/// Tells whether the file system has room for the copy; with an error that says how much is missing.
///
/// # Errors
/// When it has not.
pub fn check_room(path: &Path, space: Space) -> Result<(), Error> {
    let needed = space.total.saturating_sub(space.free) + SPARE;
    let folder = path.parent().filter(|p| *p != Path::new(""));
    let Ok(fs) = statvfs(folder.unwrap_or(Path::new("."))) else {
        return Ok(());
    };
    #[allow(clippy::useless_conversion, reason = "narrower on some systems")]
    let free = u64::from(fs.blocks_available()).saturating_mul(u64::from(fs.fragment_size()));
    if free < needed {
        return Err(Error::NoRoom {
            path: path.to_path_buf(),
            needed: needed / 1_000_000 + 1,
            free: free / 1_000_000,
        });
    }
    Ok(())
}

/// Rewrites the database; nobody may have it open.
///
/// # Errors
/// When it is in use, has no room beside it, or cannot be read or written; it is as it was then.
pub fn compact(path: &Path, limits: Limits) -> Result<Compacted, Error> {
    // A rename replaces a link, not what it leads to.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut store = Store::open_writer_with(path, limits)?;
    store.checkpoint()?;
    let space = store.space()?;
    check_room(path, space)?;
    drop(store);
    let new = copy_name(path);
    let place = Place::of(path, Access::Write)?;
    let _owner = place.owner.act();
    let done = rewrite(path, &new, limits, &place);
    if done.is_err() {
        remove_leftovers(path);
    }
    done
}

fn rewrite(path: &Path, new: &Path, limits: Limits, place: &Place) -> Result<Compacted, Error> {
    let sort = |error: duckdb::Error| Error::sort(Some(path), "", &error);
    let io = |error: io::Error| Error::Io {
        path: path.to_path_buf(),
        cause: error.to_string(),
    };
    let conn = open(path, new, limits).map_err(sort)?;
    // Read-only, so that closing it later touches no file; its lock keeps writers away until then.
    let attach = format!("ATTACH {} AS old (READ_ONLY)", quoted(path));
    conn.execute_batch(&attach).map_err(sort)?;
    if fs::metadata(with(path, ".wal")).is_ok_and(|wal| wal.len() > 0) {
        // Somebody wrote in between and was killed. A WAL must not meet the new file.
        return Err(Error::Io {
            path: path.to_path_buf(),
            cause: "it was written to meanwhile; try again".to_owned(),
        });
    }
    let before = fs::symlink_metadata(path).map_err(io)?;
    let _ = fs::remove_file(with(path, ".wal"));
    remove_leftovers(path);
    conn.execute_batch(&format!("ATTACH {} AS new", quoted(new)))
        .and_then(|()| conn.execute_batch("COPY FROM DATABASE old TO new"))
        .and_then(|()| compare(&conn))
        .map_err(sort)?;
    conn.execute_batch(&format!(
        "DELETE FROM new.meta WHERE key = '{WISH}'; CHECKPOINT new; DETACH new"
    ))
    .map_err(sort)?;
    let after = keep_rights(new, &before, place).map_err(io)?;
    fs::rename(new, path).map_err(io)?;
    let folder = path.parent().filter(|p| *p != Path::new(""));
    let folder = File::open(folder.unwrap_or(Path::new("."))).and_then(|file| file.sync_all());
    folder.map_err(io)?;
    drop(conn);
    Ok(Compacted {
        before: before.len(),
        after: after.len(),
    })
}

/// Gives the copy the mode and the group of the file that it replaces, and writes it to the disk. Through one open file:
/// its name may lead elsewhere by now, and root has more rights than the owner of the directory.
fn keep_rights(new: &Path, before: &Metadata, place: &Place) -> io::Result<Metadata> {
    let mut options = OpenOptions::new();
    let file = nofollow::open(new, Access::Write, options.read(true).write(true))?;
    file.set_permissions(Permissions::from_mode(before.mode() & 0o777))?;
    let after = file.metadata()?;
    if (after.uid(), after.gid()) != (before.uid(), before.gid()) {
        // Only root may give files away, or to any group.
        place
            .owner
            .rest(|| fchown(&file, Some(before.uid()), Some(before.gid())))?;
    }
    file.sync_all()?;
    Ok(after)
}

/// Opens a database in memory that reaches the two files and nothing else.
fn open(path: &Path, new: &Path, limits: Limits) -> duckdb::Result<Connection> {
    let config = Config::default()
        .with("temp_directory", "")?
        .enable_autoload_extension(false)?
        .with("allow_community_extensions", "false")?
        .max_memory(&format!("{}MB", limits.memory_mb.max(512)))?
        .threads(1)?;
    let conn = Connection::open_in_memory_with_flags(config)?;
    // Views may name them.
    function::register(&conn)?;
    let files: Vec<String> = [path, new]
        .iter()
        .flat_map(|file| ENDINGS.map(|ending| quoted(&with(file, ending))))
        .collect();
    conn.execute_batch(&format!(
        "SET allowed_paths = [{}]; SET enable_external_access = false; SET lock_configuration = true",
        files.join(", ")
    ))?;
    Ok(conn)
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "''"))
}

/// Fails unless every table has as many rows in the copy.
fn compare(conn: &Connection) -> duckdb::Result<()> {
    let sql = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'old' AND NOT internal";
    let mut statement = conn.prepare(sql)?;
    let tables: Vec<String> = statement
        .query_map([], |row| row.get(0))?
        .collect::<duckdb::Result<_>>()?;
    for table in tables {
        let table = table.replace('"', "\"\"");
        let sql = format!(
            "SELECT CASE WHEN (SELECT count(*) FROM old.\"{table}\") = (SELECT count(*) FROM new.\"{table}\") \
             THEN true ELSE error('the copy of {} is not whole') END",
            table.replace('\'', "''")
        );
        conn.query_row(&sql, [], |row| row.get::<_, bool>(0))?;
    }
    Ok(())
}
