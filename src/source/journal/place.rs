//! Place: which journal is meant: the system's, a namespace, a directory, or files.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use systemd::journal::{Journal, OpenDirectoryOptions, OpenFilesOptions, OpenOptions};

/// Where journald keeps journals: on disk, and in memory until there is a disk.
const ROOTS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];
/// What names this machine.
const MACHINE_ID: &str = "/etc/machine-id";

/// Device, number and time of making of a file.
pub(super) type Identity = (u64, u64, Option<SystemTime>);

/// A journal; all that is empty: the system's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Directory with journal files.
    pub directory: Option<PathBuf>,
    /// Journal files.
    pub file: Vec<PathBuf>,
    /// Namespace of journald.
    pub namespace: Option<String>,
    /// Journals of other machines, too.
    pub merge: bool,
}

impl Place {
    /// Returns what names it for good, and for people.
    #[must_use]
    pub fn name(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.directory.iter().map(|d| d.display().to_string()));
        parts.extend(self.file.iter().map(|f| f.display().to_string()));
        parts.extend(self.namespace.iter().map(|n| format!("namespace {n}")));
        if self.merge {
            parts.push("all machines".to_owned());
        }
        parts.join(", ")
    }

    pub(super) fn open(&self) -> systemd::Result<Journal> {
        if !self.file.is_empty() {
            let files = self.file.iter().map(|f| f.to_string_lossy().into_owned());
            return OpenFilesOptions::default().open_files(files);
        }
        if let Some(directory) = self.sole_directory() {
            return OpenDirectoryOptions::default()
                .open_directory(directory.to_string_lossy().into_owned());
        }
        OpenOptions::default().local_only(!self.merge).open()
    }

    /// Returns the one directory that it is all in.
    fn sole_directory(&self) -> Option<PathBuf> {
        if self.directory.is_some() {
            return self.directory.clone();
        }
        self.namespace.as_ref()?;
        let directories = self.directories();
        let found = directories.iter().find(|d| d.is_dir());
        found.or(directories.first()).cloned()
    }

    /// Returns the directories that hold its files, whether they are there or not.
    fn directories(&self) -> Vec<PathBuf> {
        if let Some(directory) = &self.directory {
            return vec![directory.clone()];
        }
        let machine = fs::read_to_string(MACHINE_ID).unwrap_or_default();
        let machine = match &self.namespace {
            Some(namespace) => format!("{}.{namespace}", machine.trim()),
            None => machine.trim().to_owned(),
        };
        ROOTS.map(|root| Path::new(root).join(&machine)).into()
    }

    /// Returns what changes when a directory or a named file goes, comes, or is another of the same name: libsystemd
    /// watches what was there when it was opened. The number of what is gone may soon be that of what comes, hence the
    /// time at which it was made, where the file system has it.
    pub(super) fn identity(&self) -> Vec<Option<Identity>> {
        let paths = if self.file.is_empty() {
            self.directories()
        } else {
            self.file.clone()
        };
        let identity = |path: &PathBuf| {
            let found = fs::metadata(path).ok()?;
            Some((found.dev(), found.ino(), found.created().ok()))
        };
        paths.iter().map(identity).collect()
    }

    /// Returns the journal files that can be found, in its directories and one level below.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        if !self.file.is_empty() {
            return self.file.clone();
        }
        let mut found = Vec::new();
        let mut ahead: Vec<(PathBuf, bool)> =
            self.directories().into_iter().map(|d| (d, true)).collect();
        while let Some((directory, is_top)) = ahead.pop() {
            let entries = fs::read_dir(directory).into_iter().flatten().flatten();
            for path in entries.map(|entry| entry.path()) {
                let name = path.to_string_lossy();
                if name.ends_with(".journal") || name.ends_with(".journal~") {
                    found.push(path);
                } else if is_top && path.is_dir() {
                    ahead.push((path, false));
                }
            }
        }
        found.sort();
        found
    }
}
