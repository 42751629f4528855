//! Owner: root writes the database of another user in that user's name, so that the user's service can go on with it.
//!
//! `systemctl stop maillog; maillog ingest FILE` as root would else leave files that the service may not write. And it
//! must have no rights beyond those of the directory's owner: whoever owns the directory can put links in it.
//! `setfsuid(2)` takes root's rights over files, too. What is read is read as root.

use crate::nofollow::{Folder, Refused, user};
use nix::unistd::{Gid, Uid, User, getegid, geteuid, getgrouplist, setfsgid, setfsuid, setgroups};
use std::ffi::CString;
use std::marker::PhantomData;
use std::path::Path;

/// In whose name a database is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owner(Option<(Uid, Gid)>);

impl Owner {
    /// Returns the owner of the directory for root, else nobody but oneself.
    ///
    /// # Errors
    /// When the system does not let root write as another user.
    pub fn of(folder: &Folder) -> Result<Self, Refused> {
        if !geteuid().is_root() || folder.uid() == 0 {
            return Ok(Self::default());
        }
        let uid = Uid::from_raw(folder.uid());
        let owner = Self(Some((uid, group(uid, Gid::from_raw(folder.gid())))));
        // With its groups root could still write what is theirs; to read it needs none.
        let _ = setgroups(&[]);
        let acting = owner.act();
        // It tells by its next result whether it worked.
        let is_done = setfsuid(uid) == uid;
        drop(acting);
        if is_done {
            return Ok(owner);
        }
        let owner = user(uid.as_raw());
        let what = format!("it belongs to {owner}, and root may not write as {owner} here");
        Err(Refused::new(
            &folder.path,
            what,
            format!("run it as {owner}"),
        ))
    }

    /// Makes this thread, and those that it starts, write in that name until the result is dropped.
    pub fn act(self) -> AsOwner {
        AsOwner {
            acting: self.begin(),
            thread: PhantomData,
        }
    }

    /// As [`Owner::act`], for what is dropped by the thread that called this.
    pub(super) fn begin(self) -> Acting {
        Acting(self.0.map(|(uid, gid)| {
            let group = setfsgid(gid);
            (setfsuid(uid), group)
        }))
    }

    /// Does something in the own name, while this thread acts in the owner's.
    pub(super) fn rest<T>(self, work: impl FnOnce() -> T) -> T {
        let own = Self(self.0.map(|_| (geteuid(), getegid())));
        let _own = own.begin();
        work()
    }

    /// Returns the user id that files are made with.
    #[must_use]
    pub fn uid(self) -> u32 {
        self.0.map_or_else(geteuid, |(uid, _)| uid).as_raw()
    }
}

/// The group of the directory if its owner is in it, else the owner's own: it may have come with the directory above.
fn group(uid: Uid, wanted: Gid) -> Gid {
    let Ok(Some(user)) = User::from_uid(uid) else {
        return wanted;
    };
    let name = CString::new(user.name).unwrap_or_default();
    let is_in = |groups: Vec<Gid>| groups.contains(&wanted);
    if user.gid == wanted || getgrouplist(&name, user.gid).is_ok_and(is_in) {
        wanted
    } else {
        user.gid
    }
}

/// Who wrote before.
#[derive(Debug, Default)]
pub(super) struct Acting(Option<(Uid, Gid)>);

impl Drop for Acting {
    fn drop(&mut self) {
        if let Some((uid, gid)) = self.0 {
            setfsuid(uid);
            setfsgid(gid);
        }
    }
}

/// This thread, and those that it starts, make files in the name of the directory's owner until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct AsOwner {
    #[expect(dead_code, reason = "held until it is dropped")]
    acting: Acting,
    /// Belongs to one thread.
    thread: PhantomData<*const ()>,
}

impl AsOwner {
    /// Begins to, for a path in a directory of another user.
    ///
    /// # Errors
    /// When a link of another user is on the way to it, or root may not.
    pub fn of(path: &Path) -> std::io::Result<Self> {
        Ok(Owner::of(&Folder::of(path)?)?.act())
    }
}
