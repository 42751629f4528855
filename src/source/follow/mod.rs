//! Follow: files that are being written to, through rotation, truncation, deletion and return.
//!
//! [`Follower::look`] looks at everything once and tells a [`Taker`] what is new; [`Follower::wait`] returns when there
//! may be something to look at. Nothing depends on being woken: each look compares what is there with what was there.
//!
//! Promises: whole lines, each once and in order, whatever names the files get: a file is known by its inode while it
//! is open here, and by its first bytes before and after. What a rotation left unread, while running or not, is looked
//! for beside the file (`mail.log.1`, `mail.log.2.gz`) and read first. Where something may be missing, it is said.
//!
//! Limits: a writer that goes on between copying and cutting short (`copytruncate`) loses lines that nobody can see.
//! Two files that agree in their first 4096 bytes are one log: the one that goes on is read.

mod begin;
mod file;
mod life;
mod names;
#[cfg(test)]
mod tests;
mod watch;

use super::input::Input;
use super::{Chunk, Hints, Options, identity};
use crate::model::cursor::{SourceKey, StoredCursor};
use crate::model::time::Time;
use file::{File, State};
use names::{Found, Wanted};
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use watch::Watch;

/// How often names are looked up, if nothing tells that they changed.
const SCAN: Duration = Duration::from_secs(1);
/// Longest wait: the net for changes that are not told (NFS, overlays, bind mounts).
const POLL: Duration = Duration::from_millis(500);
/// Shortest time between two looks, so that many small writes are read together.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a file without its name is kept open after its last change: its writer may not know yet.
const KEEP: Duration = Duration::from_mins(1);
/// How long something may be gone before that is said.
const GRACE: Duration = Duration::from_secs(10);

/// Device and inode: a file as long as it is held open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Id(u64, u64);

impl Id {
    fn of(about: &std::fs::Metadata) -> Self {
        Self(about.dev(), about.ino())
    }
}

/// Nobody takes anything any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// A file that is about to be read.
#[derive(Debug)]
pub struct Candidate<'f> {
    /// Number of the reading, unique in this process.
    pub no: u64,
    /// Path, for people.
    pub path: &'f Path,
    /// First bytes of its uncompressed content.
    pub head: &'f [u8],
    /// What names it: the fingerprint of the head, or that it is a pipe.
    pub key: SourceKey,
    /// Bytes on disk.
    pub size: u64,
    /// The file as it can be looked at; none for a pipe, and for one that is known to go on another.
    pub input: Option<&'f Input>,
}

/// From where to read it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Place {
    /// Offset in the file's uncompressed content.
    pub offset: u64,
    /// It, or what it goes on, was read before.
    pub is_known: bool,
    /// Its first bytes do not name it: it lies inside another.
    pub is_piece: bool,
}

/// Takes what is read.
pub trait Taker {
    /// Finds out from where to read a file; what `open` began, `end` ends.
    ///
    /// # Errors
    /// When nothing is taken any more, as all that follow.
    fn open(&mut self, candidate: &Candidate<'_>) -> Result<Place, Gone>;
    /// Begins; `hints` for reading from the beginning.
    fn begin(&mut self, no: u64, hints: Hints) -> Result<(), Gone>;
    /// Takes whole lines; urgent when nothing follows for now.
    fn chunk(&mut self, no: u64, chunk: Chunk, is_urgent: bool) -> Result<(), Gone>;
    /// Notes another name, or a fingerprint that covers more.
    fn name(&mut self, no: u64, path: &Path, key: SourceKey) -> Result<(), Gone>;
    /// Returns the latest time in what was read.
    fn last_time(&mut self, no: u64) -> Result<Option<Time>, Gone>;
    /// Notes that something may be missing before the next lines.
    fn lose(&mut self, no: u64, text: &str) -> Result<(), Gone>;
    /// Ends the reading.
    fn end(&mut self, no: u64) -> Result<(), Gone>;
    /// Tells the user.
    fn say(&mut self, text: &str, hint: Option<&str>);
}

/// Follows files.
#[derive(Debug)]
pub struct Follower {
    wanted: Vec<Wanted>,
    files: Vec<File>,
    watch: Watch,
    troubles: HashMap<PathBuf, Unreadable>,
    /// What was stored when following began.
    stored: Vec<StoredCursor>,
    /// Stored streams that were found again, or of which was said that the rest is gone.
    accounted: HashSet<SourceKey>,
    next: u64,
    scanned: Option<Instant>,
    looked: Option<Instant>,
    names_changed: bool,
    keep: Duration,
}

/// What keeps a path from being read.
#[derive(Debug)]
struct Unreadable {
    kind: io::ErrorKind,
    since: Instant,
    is_said: bool,
}

impl Follower {
    /// Returns a follower of files, directories and patterns; `stored` tells where reading stood.
    #[must_use]
    pub fn new(arguments: &[OsString], stored: Vec<StoredCursor>) -> Self {
        Self {
            wanted: arguments.iter().map(Wanted::new).collect(),
            files: Vec::new(),
            watch: Watch::new(),
            troubles: HashMap::new(),
            stored,
            accounted: HashSet::new(),
            next: 0,
            scanned: None,
            looked: None,
            names_changed: true,
            keep: KEEP,
        }
    }

    /// Reads what is new everywhere.
    ///
    /// # Errors
    /// When nothing is taken any more.
    pub fn look(&mut self, options: &Options, taker: &mut dyn Taker) -> Result<(), Gone> {
        let now = Instant::now();
        self.names_changed |= self.watch.drain().names;
        let is_due = self.scanned.is_none_or(|at| now - at >= SCAN);
        if is_due || self.names_changed {
            self.names_changed = false;
            self.scan(now, taker)?;
            self.scanned = Some(now);
        }
        // First to the end of what is open, and only then what came after it.
        self.read(now, options, taker)?;
        // A file that was cut short begins anew at once; one that is cut short all the time, with the next look.
        for _ in 0..3 {
            self.identify(now, options, taker)?;
            if !self.read(now, options, taker)? {
                break;
            }
        }
        self.let_go(now, taker)?;
        self.looked = Some(Instant::now());
        Ok(())
    }

    /// Waits until there may be something new, half a second at most.
    pub fn wait(&mut self) {
        let since = self.looked.map_or(PAUSE, |at| at.elapsed());
        std::thread::sleep(PAUSE.saturating_sub(since));
        let pipes: Vec<_> = self
            .files
            .iter()
            .filter(|file| file.is_pipe)
            .map(|file| file.handle.as_fd())
            .collect();
        let seen = self.watch.wait(&pipes, POLL);
        self.names_changed |= seen.names;
    }

    /// Finds out which paths lead where.
    fn scan(&mut self, now: Instant, taker: &mut dyn Taker) -> Result<(), Gone> {
        let mut found = Found::default();
        for wanted in &self.wanted {
            wanted.find(&mut found);
        }
        found.directories.sort();
        found.directories.dedup();
        for directory in &found.directories {
            self.watch.directory(directory);
        }
        for file in &mut self.files {
            file.is_current = false;
        }
        for (path, error) in &found.missing {
            self.trouble(path, error, now, taker);
            if self.scanned.is_none() {
                // Rotated, and not yet made anew.
                self.rests(path, taker)?;
            }
        }
        for (path, is_named) in &found.files {
            match std::fs::metadata(path) {
                Ok(about) => self.found(path, *is_named, Id::of(&about), now, taker)?,
                Err(error) => self.trouble(path, &error, now, taker),
            }
        }
        let is_there = |path: &Path| found.files.iter().any(|(other, _)| other == path);
        let is_missing = |path: &Path| found.missing.iter().any(|(other, _)| other == path);
        self.troubles
            .retain(|path, _| is_there(path) || is_missing(path));
        Ok(())
    }

    /// Takes note of a path that leads to a file.
    fn found(
        &mut self,
        path: &Path,
        is_named: bool,
        id: Id,
        now: Instant,
        taker: &mut dyn Taker,
    ) -> Result<(), Gone> {
        if let Some(file) = self.files.iter_mut().find(|file| file.id == id) {
            // Of several names the first counts.
            if !file.is_current {
                file.is_current = true;
                file.is_named |= is_named;
                file.is_rest = false;
                if file.path != path {
                    path.clone_into(&mut file.path);
                    tell_name(file, taker)?;
                }
                self.recover(path, taker);
            }
            return Ok(());
        }
        let no = self.number();
        match File::open(no, path, is_named) {
            Ok(file) => self.add(file, taker),
            Err(error) => {
                self.trouble(path, &error, now, taker);
                Ok(())
            }
        }
    }

    /// Adds a file that was not followed before, and what may be left of those that had its name.
    fn add(&mut self, mut file: File, taker: &mut dyn Taker) -> Result<(), Gone> {
        if self.files.iter().any(|other| other.id == file.id) {
            return Ok(());
        }
        self.recover(&file.path, taker);
        if !file.is_pipe {
            file.expects = self.rests(&file.path, taker)?;
        }
        self.push(file);
        Ok(())
    }

    fn push(&mut self, mut file: File) {
        if !file.is_pipe {
            file.watched = self.watch.file(&file.handle, &file.path);
        }
        self.files.push(file);
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Says once what keeps a path from being read; what is merely gone, only after a while.
    fn trouble(&mut self, path: &Path, error: &io::Error, now: Instant, taker: &mut dyn Taker) {
        let is_first = self.scanned.is_none();
        let kind = error.kind();
        let trouble = self.troubles.entry(path.to_owned()).or_insert(Unreadable {
            kind,
            since: now,
            is_said: false,
        });
        if trouble.kind != kind {
            (trouble.kind, trouble.since, trouble.is_said) = (kind, now, false);
        }
        let is_gone = kind == io::ErrorKind::NotFound;
        if trouble.is_said || (is_gone && !is_first && now - trouble.since < GRACE) {
            return;
        }
        trouble.is_said = true;
        let path = path.display();
        let why = super::error::plain(error);
        if is_gone {
            taker.say(&format!("waiting for {path}: {why}"), None);
        } else {
            let hint = (kind == io::ErrorKind::PermissionDenied).then_some(
                "make it readable for the user that runs maillog; maillog retries every second",
            );
            taker.say(&format!("cannot read {path}: {why}"), hint);
        }
    }

    /// Says that a path can be read again, if it was said that it cannot.
    fn recover(&mut self, path: &Path, taker: &mut dyn Taker) {
        if let Some(trouble) = self.troubles.remove(path)
            && trouble.is_said
        {
            taker.say(&format!("{} can be read again", path.display()), None);
        }
    }
}

/// Returns the fingerprint of a file as far as it is known.
fn key_of(file: &File) -> SourceKey {
    if file.is_pipe {
        SourceKey::Stdin
    } else {
        identity::key(&file.head)
    }
}

/// Tells the name and fingerprint of a file that is read.
fn tell_name(file: &File, taker: &mut dyn Taker) -> Result<(), Gone> {
    if file.state == State::Reading && !file.is_piece && !file.is_pipe {
        taker.name(file.no, &file.path, key_of(file))?;
    }
    Ok(())
}
