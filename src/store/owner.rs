//! Owner: root writes the database of another user in that user's name, so that the user's service can go on with it.
//!
//! `systemctl stop maillog; maillog ingest FILE` as root would else leave files that the service may not write.
//! Only files are made in the other name (`setfsuid(2)`): what is read is read as root.

use nix::unistd::{Gid, Uid, getegid, geteuid, setfsgid, setfsuid};
use std::marker::PhantomData;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// This thread, and those that it starts, make files in the name of the database's owner until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct AsOwner {
    other: Option<Uid>,
    /// Belongs to one thread.
    thread: PhantomData<*const ()>,
}

impl AsOwner {
    /// Begins to, when root runs this and both the database and its directory belong to the same other user.
    pub fn of(database: &Path) -> Self {
        let owner = geteuid().is_root().then(|| owner(database)).flatten();
        if let Some((user, group)) = owner {
            setfsgid(group);
            setfsuid(user);
        }
        Self {
            other: owner.map(|(user, _)| user),
            thread: PhantomData,
        }
    }

    /// Returns the user id that files are made with.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.other.unwrap_or_else(geteuid).as_raw()
    }
}

impl Drop for AsOwner {
    fn drop(&mut self) {
        if self.other.is_some() {
            setfsuid(geteuid());
            setfsgid(getegid());
        }
    }
}

/// Returns the owner of the database, or of what it will be made in; none for root.
fn owner(database: &Path) -> Option<(Uid, Gid)> {
    let directory = database
        .ancestors()
        .skip(1)
        .map(|dir| {
            if dir == Path::new("") {
                Path::new(".")
            } else {
                dir
            }
        })
        .find_map(|dir| dir.metadata().ok())?;
    let file = database.metadata().ok();
    let is_same = file.is_none_or(|file| file.uid() == directory.uid());
    (directory.uid() != 0 && is_same).then(|| {
        (
            Uid::from_raw(directory.uid()),
            Gid::from_raw(directory.gid()),
        )
    })
}
