//! Place: the files of a database, all of them ours and none a link, and in whose name they are written.

use super::error::Error;
use super::owner::Owner;
use crate::nofollow::{Access, Folder, Kind, Refused, check};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Files that DuckDB makes of one name, the last of them the database.
pub(super) const ENDINGS: [&str; 4] = [".wal.checkpoint", ".wal.recovery", ".wal", ""];

/// Where a database is.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    folder: Folder,
    /// In whose name it is written.
    pub(super) owner: Owner,
}

impl Place {
    /// Looks at the way to the database and at every file of it.
    ///
    /// # Errors
    /// [`Error::Refused`], and those of the file system.
    pub(super) fn of(path: &Path, access: Access) -> Result<Self, Error> {
        let failed = |error| failed(path, access, error);
        let folder = Folder::of(path).map_err(failed)?;
        let owner = match access {
            Access::Read => Owner::default(),
            Access::Write => Owner::of(&folder)?,
        };
        let place = Self {
            path: path.to_path_buf(),
            folder,
            owner,
        };
        place.look(access)?;
        Ok(place)
    }

    /// Looks at the files.
    ///
    /// # Errors
    /// [`Error::Refused`], and those of the file system.
    pub(super) fn look(&self, access: Access) -> Result<(), Error> {
        let (path, folder) = (&self.path, &self.folder);
        let failed = |error| failed(path, access, error);
        for ending in ENDINGS {
            check(&with(path, ending), Kind::File, access, folder).map_err(failed)?;
        }
        if access == Access::Read {
            return Ok(());
        }
        for ending in ENDINGS {
            let copy = with(&copy_name(path), ending);
            check(&copy, Kind::File, access, folder).map_err(failed)?;
        }
        let spill = spill(path);
        check(&spill, Kind::Directory, access, folder).map_err(failed)?;
        Ok(())
    }

    /// Looks at the files again before they are written, where others can change them.
    ///
    /// # Errors
    /// As [`Place::look`].
    pub(super) fn look_again(&self) -> Result<(), Error> {
        if self.folder.is_ours() {
            return Ok(());
        }
        self.look(Access::Write)
    }
}

/// Returns the name with something behind it.
pub(super) fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Deletes what a compaction left that did not come to its end. The caller holds the database's lock.
pub(super) fn remove_leftovers(path: &Path) {
    let new = copy_name(path);
    for ending in ENDINGS {
        let _ = fs::remove_file(with(&new, ending));
    }
}

/// Returns the name of the file that a compaction writes.
pub(super) fn copy_name(path: &Path) -> PathBuf {
    with(path, ".compact")
}

/// Returns the directory that the writer spills to.
pub(super) fn spill(path: &Path) -> PathBuf {
    with(path, ".tmp")
}

fn failed(path: &Path, access: Access, error: io::Error) -> Error {
    if let Some(refused) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Refused>())
    {
        return Error::Refused(refused.clone());
    }
    let write = access == Access::Write;
    match error.kind() {
        io::ErrorKind::PermissionDenied => Error::Permission {
            path: path.to_path_buf(),
            write,
            cause: "permission denied".to_owned(),
        },
        io::ErrorKind::NotADirectory if !write => Error::Missing {
            path: path.to_path_buf(),
        },
        _ => Error::Directory {
            path: crate::nofollow::directory(path).to_path_buf(),
            source: error,
        },
    }
}
