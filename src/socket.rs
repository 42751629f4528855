//! Where the service's socket is: said by the path of the database alone, so that clients need no other setting.
//!
//! `/var/lib/maillog/maillog.duckdb` has `/var/lib/maillog/maillog.duckdb.sock/.s.PGSQL.5432`: a directory beside the
//! database, and in it the name that PostgreSQL's clients look for (`psql -h /var/lib/maillog/maillog.duckdb.sock`).
//! A path too long for a socket gets a directory named by its hash, below `/run/maillog` where that exists, else below
//! `/tmp`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::xxh3_64;

/// Parameter by which the service tells a client whose mail it sees, where that is not all mail.
pub const SCOPE: &str = "maillog.scope";
/// Name of the socket in its directory, as PostgreSQL's clients make it of a port.
pub const NAME: &str = ".s.PGSQL.5432";
/// The port that the name stands for.
pub const PORT: u16 = 5432;
/// Longest path of a socket (Linux: 108 bytes with the NUL).
const LONGEST: usize = 107;
/// Where directories of overlong paths are made.
const RUNTIME: &str = "/run/maillog";

/// Returns the directory of the socket of a database.
#[must_use]
pub fn directory(database: &Path) -> PathBuf {
    let database = absolute(database);
    let mut name = OsString::from(&database);
    name.push(".sock");
    if name.len() + 1 + NAME.len() <= LONGEST {
        return PathBuf::from(name);
    }
    let hash = xxh3_64(database.as_os_str().as_encoded_bytes());
    if Path::new(RUNTIME).is_dir() {
        return Path::new(RUNTIME).join(format!("{hash:016x}.sock"));
    }
    PathBuf::from(format!("/tmp/maillog-{hash:016x}.sock"))
}

/// Returns the path with the links of its directory followed, so that every way to name it gives the same.
fn absolute(database: &Path) -> PathBuf {
    let name = database.file_name().unwrap_or_default();
    let parent = match database.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    match parent.canonicalize() {
        Ok(parent) => parent.join(name),
        Err(_) => std::path::absolute(database).unwrap_or_else(|_| database.to_path_buf()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_name_the_database_finds_the_same_socket() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().join("real");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, dir.path().join("link")).unwrap();
        let direct = directory(&real.join("m.duckdb"));
        assert!(
            direct.ends_with("real/m.duckdb.sock"),
            "{}",
            direct.display()
        );
        assert_eq!(directory(&dir.path().join("link/m.duckdb")), direct);
        assert_eq!(directory(&real.join("../real/m.duckdb")), direct);
    }

    #[test]
    fn an_overlong_path_has_a_short_socket() {
        let long = PathBuf::from(format!("/{}/m.duckdb", "a".repeat(100)));
        let found = directory(&long);
        assert!(found.as_os_str().len() + 1 + NAME.len() <= LONGEST);
        assert_eq!(directory(&long), found);
        assert_ne!(directory(&long.with_file_name("n.duckdb")), found);
    }
}
