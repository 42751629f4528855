//! Nofollow: opens and checks the program's own files so that nothing that somebody planted is followed or overwritten.
//!
//! The database, its WAL, its spill directory, its lock, its socket, the copy of a compaction and the history of the
//! shell are plain files (or directories) with one link, and belong to who may write there anyway. Root works in
//! directories of others: whatever is written there is written with the rights of the directory's owner
//! ([`Owner`](crate::store::Owner)), so that who swaps a file between the look and the opening gains nothing.
//!
//! Promises: none of this needs `fs.protected_symlinks` or its siblings. Nothing waits: a pipe is refused, not opened.
//!
//! Limits: DuckDB opens its files by name. In a directory that everyone can write to (`/tmp`) a link that is planted
//! between the look and the opening is followed unless the kernel refuses it; the look is taken before each commit.

use nix::libc::{O_CLOEXEC, O_NOFOLLOW, O_NONBLOCK};
use nix::unistd::{Uid, User};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

/// Links that a path may have, as in the kernel.
const MOST_LINKS: usize = 40;
/// Number of `/dev/null`.
const NULL_DEVICE: u64 = (1 << 8) | 3;

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read: what it leads to harms nobody but the reader.
    Read,
    /// To write.
    Write,
}

/// What a path of ours has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A plain file.
    File,
    /// A directory.
    Directory,
    /// A socket.
    Socket,
}

impl Kind {
    fn is(self, data: &Metadata) -> bool {
        match self {
            Self::File => data.is_file(),
            Self::Directory => data.is_dir(),
            Self::Socket => data.file_type().is_socket(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::File => "a plain file",
            Self::Directory => "a directory",
            Self::Socket => "a socket",
        }
    }
}

/// Why a path is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot use {}: {what}", .path.display())]
pub struct Refused {
    /// The path, or the part of it that is the reason.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
    /// What helps.
    pub hint: String,
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        Self::new(io::ErrorKind::InvalidInput, refused)
    }
}

impl Refused {
    /// Refuses a path.
    pub fn new(path: &Path, what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            path: path.to_path_buf(),
            what: what.into(),
            hint: hint.into(),
        }
    }
}

/// The directory that a path lies in, or will: the deepest one that exists.
#[derive(Debug)]
pub struct Folder {
    /// Its path without links.
    pub path: PathBuf,
    data: Metadata,
}

impl Folder {
    /// Finds it, without going through links that another user made.
    ///
    /// # Errors
    /// When there is such a link on the way, or a part of it is no directory.
    pub fn of(path: &Path) -> io::Result<Self> {
        walk(directory(path), Uid::effective().as_raw())
    }

    /// Returns the user id of its owner.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.data.uid()
    }

    /// Returns its group id.
    #[must_use]
    pub fn gid(&self) -> u32 {
        self.data.gid()
    }

    /// Tells whether only root and this user can put something there.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.is_safe(Uid::effective().as_raw())
    }

    /// Tells whether a user is the one to believe about a file in it: the owner of the directory is, and that of the
    /// file, though not for root where others can put files.
    #[must_use]
    pub fn is_of(&self, uid: u32, file: &Path) -> bool {
        let owner = || fs::symlink_metadata(file).ok().map(|data| data.uid());
        let is_shared = Uid::effective().is_root() && !self.is_ours();
        uid == self.uid() || (!is_shared && owner() == Some(uid))
    }

    fn is_safe(&self, me: u32) -> bool {
        is_trusted(self.data.uid(), me) && self.data.mode() & 0o022 == 0
    }
}

const fn is_trusted(uid: u32, me: u32) -> bool {
    uid == 0 || uid == me
}

/// Returns the directory part of a path.
#[must_use]
pub fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Goes along a path as the kernel does, part by part, and looks at each link before it follows it.
fn walk(path: &Path, me: u32) -> io::Result<Folder> {
    let absolute = if path.is_absolute() {
        path.to_path_buf()
    } else {
        std::env::current_dir()?.join(path)
    };
    let mut ahead = parts(&absolute);
    let mut links = 0;
    let mut at = Folder {
        path: PathBuf::from("/"),
        data: fs::symlink_metadata("/")?,
    };
    while let Some(part) = ahead.pop_front() {
        if part == ".." {
            at.path.pop();
            at.data = fs::symlink_metadata(&at.path)?;
            continue;
        }
        let next = at.path.join(&part);
        let data = match fs::symlink_metadata(&next) {
            Ok(data) => data,
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        };
        if data.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::from_raw_os_error(nix::libc::ELOOP));
            }
            refuse_link(&next, &data, &at, me)?;
            let target = fs::read_link(&next)?;
            if target.is_absolute() {
                at.path = PathBuf::from("/");
                at.data = fs::symlink_metadata("/")?;
            }
            let mut before = parts(&target);
            before.append(&mut ahead);
            ahead = before;
        } else if data.is_dir() {
            at = Folder { path: next, data };
        } else {
            return Err(io::Error::from_raw_os_error(nix::libc::ENOTDIR));
        }
    }
    Ok(at)
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let part = |part| match part {
        Component::Normal(name) => Some(name.to_os_string()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().filter_map(part).collect()
}

/// Refuses a link that another user made, or could have put there.
fn refuse_link(path: &Path, link: &Metadata, folder: &Folder, me: u32) -> Result<(), Refused> {
    let is_ours = is_trusted(link.uid(), me) && (link.nlink() == 1 || folder.is_safe(me));
    // As the kernel has it (`fs.protected_symlinks`): the owner of the directory could put anything there. Only for
    // root that is no comfort.
    let is_owners = me != 0 && link.uid() == folder.uid();
    if is_ours || is_owners {
        return Ok(());
    }
    let what = format!("it is a symbolic link that belongs to {}", user(link.uid()));
    Err(Refused::new(
        path,
        what,
        "name the file that the link points to",
    ))
}

/// Looks at a path of ours; returns where it is without links, none when there is nothing.
///
/// # Errors
/// When it is something else, a link of another user, a file with several links, or belongs to somebody else.
pub fn check(
    path: &Path,
    kind: Kind,
    access: Access,
    folder: &Folder,
) -> io::Result<Option<PathBuf>> {
    let Some(data) = look(path)? else {
        return Ok(None);
    };
    if !data.is_symlink() {
        refuse(path, &data, kind, access, folder)?;
        return Ok(Some(path.to_path_buf()));
    }
    let me = Uid::effective().as_raw();
    refuse_link(path, &data, folder, me)?;
    // An administrator's own link: each one on the way is looked at.
    let mut target = folder.path.join(fs::read_link(path)?);
    for _ in 0..MOST_LINKS {
        let there = Folder::of(&target)?;
        if !is_trusted(there.uid(), me) && there.uid() != folder.uid() {
            let what = format!(
                "it points into a directory that belongs to {}",
                user(there.uid())
            );
            return Err(Refused::new(path, what, "name the file that the link points to").into());
        }
        let Some(data) = look(&target)? else {
            return Ok(None);
        };
        if !data.is_symlink() {
            refuse(&target, &data, kind, access, &there)?;
            return Ok(Some(target));
        }
        refuse_link(&target, &data, &there, me)?;
        target = there.path.join(fs::read_link(&target)?);
    }
    Err(io::Error::from_raw_os_error(nix::libc::ELOOP))
}

fn look(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(data) => Ok(Some(data)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Refuses what is not ours; `data` is that of what would be used.
fn refuse(
    path: &Path,
    data: &Metadata,
    kind: Kind,
    access: Access,
    folder: &Folder,
) -> Result<(), Refused> {
    let me = Uid::effective().as_raw();
    if !kind.is(data) {
        let what = format!("it is {}, not {}", name(data), kind.name());
        return Err(Refused::new(
            path,
            what,
            "move it away, or name another path",
        ));
    }
    if folder.is_safe(me) || (access == Access::Read && me != 0) {
        return Ok(());
    }
    if kind == Kind::File && data.nlink() > 1 {
        let what = format!("it has {} hard links", data.nlink());
        return Err(Refused::new(path, what, "copy it and use the copy"));
    }
    // Root writes there as the owner of the directory, who may not write what is root's.
    let is_mine = is_trusted(data.uid(), me)
        && (access == Access::Read || me != 0 || is_trusted(folder.uid(), me));
    if !is_mine && data.uid() != folder.uid() {
        let what = format!(
            "it belongs to {}, but the directory belongs to {}",
            user(data.uid()),
            user(folder.uid())
        );
        let hint = format!(
            "find out where it came from, then run: chown {} {}",
            user(folder.uid()),
            path.display()
        );
        return Err(Refused::new(path, what, hint));
    }
    Ok(())
}

fn name(data: &Metadata) -> &'static str {
    let kind = data.file_type();
    match kind {
        _ if kind.is_dir() => "a directory",
        _ if kind.is_fifo() => "a pipe",
        _ if kind.is_socket() => "a socket",
        _ if kind.is_file() => "a file",
        _ if kind.is_symlink() => "a symbolic link",
        _ => "a device",
    }
}

/// Returns the name of a user, or the number.
#[must_use]
pub fn user(uid: u32) -> String {
    let found = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    found.map_or_else(|| format!("uid {uid}"), |user| user.name)
}

/// Opens a plain file of ours; nothing is followed, cut short or waited for.
///
/// # Errors
/// As [`check`], and those of the file system.
pub fn open(path: &Path, access: Access, options: &mut OpenOptions) -> io::Result<File> {
    let folder = Folder::of(path)?;
    // Says in words what the opening would refuse with a number.
    let found = check(path, Kind::File, access, &folder)?;
    let path = found.as_deref().unwrap_or(path);
    let file = options
        .custom_flags(O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        .open(path)?;
    refuse(
        path,
        &file.metadata()?,
        Kind::File,
        access,
        &Folder::of(path)?,
    )?;
    Ok(file)
}

/// Makes or empties the file that a user named for output; `/dev/stdout` and pipes are fine.
///
/// # Errors
/// When a link or a file of another user is in the way, and those of the file system.
pub fn create(path: &Path) -> io::Result<File> {
    let is_special = |data: &Metadata| !data.is_file() && !data.is_dir();
    if fs::metadata(path).is_ok_and(|data| is_special(&data)) {
        return OpenOptions::new().write(true).open(path);
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let file = open(path, Access::Write, &mut options)?;
    file.set_len(0)?;
    Ok(file)
}

/// Opens a file to read whole that may be anywhere, but is a file: a pipe or a terminal would wait for ever.
///
/// # Errors
/// When it is none, and those of the file system.
pub fn plain(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(O_NONBLOCK | O_CLOEXEC)
        .open(path);
    let file = match file {
        // A socket.
        Err(error) if error.raw_os_error() == Some(nix::libc::ENXIO) => {
            return Err(not_plain(path, "a socket").into());
        }
        file => file?,
    };
    let data = file.metadata()?;
    if data.is_file() || (data.file_type().is_char_device() && data.rdev() == NULL_DEVICE) {
        return Ok(file);
    }
    Err(not_plain(path, name(&data)).into())
}

fn not_plain(path: &Path, found: &str) -> Refused {
    Refused::new(path, format!("it is {found}, not a plain file"), "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::unix::fs::symlink;

    #[expect(clippy::needless_pass_by_value, reason = "a function to map with")]
    fn said(error: io::Error) -> String {
        error.to_string()
    }

    #[test]
    fn what_is_no_plain_file_is_refused_and_not_waited_for() {
        let place = tempfile::tempdir().unwrap();
        let pipe = place.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(place.path().join("socket")).unwrap();
        for (name, found) in [
            ("pipe", "a pipe"),
            ("socket", "a socket"),
            ("", "a directory"),
        ] {
            let path = place.path().join(name);
            let text = said(plain(&path).unwrap_err());
            assert!(
                text.ends_with(&format!("it is {found}, not a plain file")),
                "{text}"
            );
            let text =
                said(open(&path, Access::Write, OpenOptions::new().write(true)).unwrap_err());
            assert!(
                text.contains(&format!("it is {found}, not a plain file")),
                "{text}"
            );
        }
        assert!(plain(Path::new("/dev/null")).is_ok());
        assert!(said(plain(Path::new("/dev/zero")).unwrap_err()).contains("a device"));
    }

    #[test]
    fn links_are_followed_as_far_as_they_are_ours() {
        let place = tempfile::tempdir().unwrap();
        let real = place.path().join("real");
        fs::create_dir(&real).unwrap();
        symlink(&real, place.path().join("link")).unwrap();
        symlink("link/../link", place.path().join("second")).unwrap();
        let found = Folder::of(&place.path().join("second/new/deep/m.duckdb")).unwrap();
        assert_eq!(found.path, real.canonicalize().unwrap());
        symlink("round", place.path().join("round")).unwrap();
        let error = Folder::of(&place.path().join("round/m.duckdb")).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(nix::libc::ELOOP));
        fs::write(place.path().join("file"), "").unwrap();
        let error = Folder::of(&place.path().join("file/m.duckdb")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
    }

    #[test]
    fn a_new_output_keeps_nothing_of_the_old_and_special_files_are_fine() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("out");
        fs::write(&path, "old and long").unwrap();
        create(&path).unwrap().write_all(b"new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        create(Path::new("/dev/null"))
            .unwrap()
            .write_all(b"gone")
            .unwrap();
        assert!(create(place.path()).is_err());
    }

    #[test]
    fn a_link_of_another_user_is_refused_to_root_and_in_shared_directories() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("link");
        symlink("/nowhere", &path).unwrap();
        let link = fs::symlink_metadata(&path).unwrap();
        let folder = Folder::of(&path).unwrap();
        let me = Uid::effective().as_raw();
        assert_eq!(refuse_link(&path, &link, &folder, me), Ok(()));
        // Seen by others: the owner of the directory may put links there, though not for root.
        let other = 64_999;
        assert_eq!(refuse_link(&path, &link, &folder, other), Ok(()));
        if me != 0 {
            let refused = refuse_link(&path, &link, &folder, 0).unwrap_err();
            assert!(
                refused
                    .what
                    .starts_with("it is a symbolic link that belongs to ")
            );
        }
        if std::os::unix::fs::lchown(&path, Some(other), Some(other)).is_ok() {
            let link = fs::symlink_metadata(&path).unwrap();
            for me in [0, 64_998] {
                let refused = refuse_link(&path, &link, &folder, me).unwrap_err();
                assert_eq!(
                    refused.what,
                    "it is a symbolic link that belongs to uid 64999"
                );
            }
        }
    }
}
