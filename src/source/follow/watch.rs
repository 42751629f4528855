//! Watch: waits until something happens to the files and directories that are followed, or for a while.
//!
//! Promises: what happens between two waits ends the second one at once.
//!
//! Limits: nothing is told of changes made by other machines (NFS) or below a mount. So nobody may rely on being
//! woken: every wait is short, and whoever waits looks at everything again.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use std::collections::HashSet;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Watches by inotify, or by time alone where that is not to be had.
#[derive(Debug)]
pub(super) struct Watch {
    inotify: Option<Inotify>,
    directories: HashSet<WatchDescriptor>,
}

/// What a wait has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// A name came, went or moved, or its permissions changed.
    pub(super) names: bool,
    /// A file changed.
    pub(super) content: bool,
}

impl Watch {
    pub(super) fn new() -> Self {
        let flags = InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC;
        Self {
            inotify: Inotify::init(flags).ok(),
            directories: HashSet::new(),
        }
    }

    /// Watches the names in a directory; may be asked again and again.
    pub(super) fn directory(&mut self, path: &Path) {
        let flags = AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_MOVE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_ATTRIB
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_ONLYDIR;
        // What cannot be watched is looked at every second.
        if let Some(inotify) = &self.inotify
            && let Ok(descriptor) = inotify.add_watch(path, flags)
        {
            self.directories.insert(descriptor);
        }
    }

    /// Watches the content of an open file, whatever its name is or becomes.
    pub(super) fn file(&self, file: &File, path: &Path) -> Option<WatchDescriptor> {
        let flags = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_ATTRIB;
        let inotify = self.inotify.as_ref()?;
        inotify.add_watch(&place_of(file, path), flags).ok()
    }

    /// Ends the watch of a file.
    pub(super) fn forget(&self, descriptor: WatchDescriptor) {
        if let Some(inotify) = &self.inotify {
            // One whose file is gone has ended by itself.
            let _ = inotify.rm_watch(descriptor);
        }
    }

    /// Waits for a change, for something in one of the pipes, or for `limit`.
    pub(super) fn wait(&mut self, pipes: &[BorrowedFd<'_>], limit: Duration) -> Seen {
        let mut descriptors: Vec<PollFd> = pipes
            .iter()
            .map(|pipe| PollFd::new(*pipe, PollFlags::POLLIN))
            .collect();
        if let Some(inotify) = &self.inotify {
            descriptors.push(PollFd::new(inotify.as_fd(), PollFlags::POLLIN));
        }
        let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
        match poll(&mut descriptors, limit) {
            Ok(0) => return Seen::default(),
            Ok(_) | Err(Errno::EINTR) => {}
            // Not to be had: then by time alone.
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
        self.drain()
    }

    /// Returns what was seen up to now.
    pub(super) fn drain(&mut self) -> Seen {
        let mut seen = Seen::default();
        while let Some(events) = self.inotify.as_ref().and_then(|i| i.read_events().ok()) {
            for event in events {
                if event.mask.contains(AddWatchFlags::IN_IGNORED) {
                    self.directories.remove(&event.wd);
                }
                seen.names |= event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW)
                    || self.directories.contains(&event.wd);
                seen.content = true;
            }
        }
        seen
    }
}

/// Returns a path that leads to an open file even when it has another name by now.
pub(super) fn place_of(file: &File, path: &Path) -> PathBuf {
    let place = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    if place.exists() {
        place
    } else {
        path.to_owned()
    }
}
