//! Live: the entries of a journal from a place in it on, as they come, chosen by who wrote them.
//!
//! Promises: entries in the journal's own order (cursor order: a clock that steps back changes nothing), each once;
//! whatever is rotated, vacuumed, added or damaged meanwhile, the rest is read. Where entries are gone, it is said.
//!
//! Every entry's identifier is looked at, rather than asking libsystemd for known ones: `syslog_name` can be anything,
//! and an identifier that appears while the journal is read would be missed.
//!
//! Limits: how many of the entries that are gone were about mail, nobody knows.

use super::super::record::Record;
use super::super::stamp::Stamp;
use super::super::{RECORD_BYTES, syslog};
use super::place::Identity;
use super::{Place, entry};
use crate::model::time::Time;
use glob::Pattern;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use systemd::journal::{Journal, JournalWaitResult, OpenFilesOptions};

/// A portion ends after about so many bytes,
const PORTION_BYTES: usize = 512 * 1024;
/// or after so many entries that nobody wants.
const PORTION_ENTRIES: usize = 50_000;
/// A file younger than this may be still without its head.
const SETTLED: Duration = Duration::from_secs(5);

/// Which entries are wanted.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Tells whether lines under an identifier bear on mail.
    pub wants: fn(&str) -> bool,
    /// Units, any of them; none: all.
    pub units: Vec<Pattern>,
}

/// From where entries are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// All there are.
    Beginning,
    /// Later than this.
    After(Time),
    /// Behind the entry of this cursor.
    Cursor(String),
}

/// What was read at a time.
#[derive(Debug, Default)]
pub struct Portion {
    /// The wanted entries in export format.
    pub records: Vec<u8>,
    /// Entries looked at.
    pub entries: usize,
    /// Cursor of the last of them.
    pub cursor: Option<String>,
    /// Entries are gone that came before these.
    pub gap: Option<Gap>,
    /// There is nothing more for now.
    pub is_end: bool,
}

/// Entries that were removed before they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Host of the first entry behind it.
    pub host: String,
    /// Its time.
    pub time: Time,
    /// Entries of all programs, where the numbering tells.
    pub entries: Option<u64>,
}

/// A journal that is being read.
pub struct Live {
    journal: Journal,
    place: Place,
    selection: Selection,
    /// Directories and files as they were when it was opened.
    identity: Vec<Option<Identity>>,
    /// Cursor of the last entry looked at.
    last: Option<String>,
    /// Entries may be gone behind the last one.
    is_doubtful: bool,
}

impl Live {
    /// Opens a journal.
    ///
    /// # Errors
    /// When libsystemd cannot open it or find the place.
    pub fn open(place: &Place, selection: &Selection, start: &Start) -> systemd::Result<Self> {
        let identity = place.identity();
        let mut journal = place.open()?;
        journal.set_data_threshold(RECORD_BYTES)?;
        let mut last = None;
        match start {
            Start::Beginning => journal.seek_head()?,
            Start::After(time) => {
                let micros = u64::try_from(time.0).unwrap_or_default();
                journal.seek_realtime_usec(micros.saturating_add(1))?;
            }
            Start::Cursor(cursor) => {
                journal.seek_cursor(cursor.as_str())?;
                last = Some(cursor.clone());
            }
        }
        Ok(Self {
            journal,
            place: place.clone(),
            selection: selection.clone(),
            identity,
            is_doubtful: last.is_some(),
            last,
        })
    }

    /// Tells whether there is any file to read.
    pub fn has_files(&self) -> bool {
        self.journal.usage().is_ok_and(|bytes| bytes > 0)
    }

    /// Tells whether its directories or files are no longer those that were opened: then open it again.
    pub fn is_outdated(&self) -> bool {
        self.place.identity() != self.identity
    }

    /// Reads on, up to the size of a portion.
    ///
    /// # Errors
    /// When libsystemd cannot go on; what was read before is lost with the portion and comes again after opening anew.
    pub fn read(&mut self) -> systemd::Result<Portion> {
        let mut portion = Portion::default();
        while portion.records.len() < PORTION_BYTES && portion.entries < PORTION_ENTRIES {
            if self.journal.next()? == 0 {
                portion.is_end = true;
                break;
            }
            if self.is_doubtful {
                self.is_doubtful = false;
                if self.is_last()? {
                    continue;
                }
                portion.gap = self.gap()?;
            }
            portion.entries += 1;
            if self.is_wanted()? {
                entry(&mut self.journal, &mut portion.records, Record::wants)?;
            }
        }
        if portion.entries > 0 {
            self.last = Some(self.journal.cursor()?);
            portion.cursor.clone_from(&self.last);
        }
        Ok(portion)
    }

    /// Waits until there may be more.
    ///
    /// # Errors
    /// When libsystemd cannot wait.
    pub fn wait(&mut self, limit: Duration) -> systemd::Result<()> {
        if matches!(
            self.journal.wait(Some(limit))?,
            JournalWaitResult::Invalidate
        ) {
            self.is_doubtful = self.last.is_some();
        }
        Ok(())
    }

    /// Returns the files that cannot be read at all; libsystemd passes them over in silence.
    #[must_use]
    pub fn damaged(&self) -> Vec<(PathBuf, String)> {
        let is_settled = |path: &PathBuf| {
            let modified = path.metadata().and_then(|about| about.modified()).ok();
            let age = modified.and_then(|time| SystemTime::now().duration_since(time).ok());
            age.is_some_and(|age| age > SETTLED)
        };
        let files = self.place.files().into_iter().filter(is_settled);
        files
            .filter_map(|path| {
                let name = path.to_string_lossy().into_owned();
                let opened = OpenFilesOptions::default().open_files([name]);
                let error = opened.err()?;
                Some((path, error.to_string()))
            })
            .collect()
    }

    /// Tells whether the current entry is the last one that was read before.
    fn is_last(&self) -> systemd::Result<bool> {
        let current = self.journal.cursor()?;
        Ok(self
            .last
            .as_deref()
            .is_some_and(|last| is_same(last, &current)))
    }

    /// Tells what is missing between the last entry and the current one.
    fn gap(&mut self) -> systemd::Result<Option<Gap>> {
        let Some(last) = &self.last else {
            return Ok(None);
        };
        // The oldest go first: what came after an entry that is there is there, too.
        if self.was_found(last) {
            return Ok(None);
        }
        let current = self.journal.cursor()?;
        let entries = match (numbered(last), numbered(&current)) {
            (Some((series, last)), Some((same, now))) if series == same => {
                match now.saturating_sub(last) {
                    0 | 1 => return Ok(None),
                    apart => Some(apart - 1),
                }
            }
            _ => None,
        };
        let time = i64::try_from(self.journal.timestamp_usec()?).unwrap_or(i64::MAX);
        Ok(Some(Gap {
            host: self.text("_HOSTNAME").unwrap_or_default(),
            time: Time(time),
            entries,
        }))
    }

    /// Tells whether the entry of the cursor is still there.
    fn was_found(&self, cursor: &str) -> bool {
        let look = || -> systemd::Result<bool> {
            let mut journal = self.place.open()?;
            journal.seek_cursor(cursor)?;
            Ok(journal.next()? > 0 && is_same(cursor, &journal.cursor()?))
        };
        look().unwrap_or(false)
    }

    fn is_wanted(&mut self) -> systemd::Result<bool> {
        let ident = match self.text("SYSLOG_IDENTIFIER") {
            Some(ident) => ident,
            None => self.text("_COMM").unwrap_or_default(),
        };
        // Our own messages quote log.
        if ident == "maillog" {
            return Ok(false);
        }
        let is_of_mail = (self.selection.wants)(&ident) || self.holds_line()?;
        Ok(is_of_mail && self.is_of_unit())
    }

    fn is_of_unit(&mut self) -> bool {
        if self.selection.units.is_empty() {
            return true;
        }
        let unit = self.text("_SYSTEMD_UNIT").unwrap_or_default();
        self.selection.units.iter().any(|p| p.matches(&unit))
    }

    /// Tells whether the message is a complete line of a log (containers, `maillog_file = /dev/stdout`) about mail.
    fn holds_line(&mut self) -> systemd::Result<bool> {
        let wants = self.selection.wants;
        let time = i64::try_from(self.journal.timestamp_usec()?).unwrap_or(i64::MAX);
        let Ok(Some(field)) = self.journal.get_data("MESSAGE") else {
            return Ok(false);
        };
        let message = field.value().unwrap_or_default();
        let end = memchr::memchr(b'\n', message).unwrap_or(message.len());
        // A header has no more bytes than this.
        let head = message.get(..end.min(512)).unwrap_or_default();
        let head = String::from_utf8_lossy(head);
        let inner = syslog::inner(Stamp::Absolute(Time(time), 6), &head);
        Ok(inner.is_some_and(|head| wants(head.ident)))
    }

    /// Returns a field of the current entry; one that is damaged counts as absent.
    fn text(&mut self, field: &str) -> Option<String> {
        let field = self.journal.get_data(field).ok()??;
        Some(String::from_utf8_lossy(field.value()?).into_owned())
    }
}

/// Tells whether two cursors are of one entry. Its number says little: journald numbers anew what it moves from
/// memory to disk.
fn is_same(a: &str, b: &str) -> bool {
    ["b=", "m=", "t=", "x="]
        .iter()
        .all(|name| part(a, name) == part(b, name))
}

/// Returns the series that an entry's number belongs to, and the number.
fn numbered(cursor: &str) -> Option<(&str, u64)> {
    let number = u64::from_str_radix(part(cursor, "i=")?, 16).ok()?;
    Some((part(cursor, "s=")?, number))
}

fn part<'c>(cursor: &'c str, name: &str) -> Option<&'c str> {
    cursor.split(';').find_map(|part| part.strip_prefix(name))
}
