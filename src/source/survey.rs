//! Survey: the year of a file's first stamp, found before it is read, where stamps carry no year.
//!
//! A long queue id near the start tells it at once (grammar 3.1), and so does a stamp with a year before or behind those
//! without (an upgrade changed the form). Else the file is walked through, so that its latest line is not after the time
//! it was last written.
//!
//! Limits: of a large plain file only evenly spread parts are looked at.

use super::clock::date_of;
use super::queue_id;
use super::repeat;
use super::stamp::{self, Stamp, Wall};
use super::syslog;
use super::year::{self, Date, YearWalk};
use crate::model::time::{DAY, Time};
use memchr::{memchr, memrchr};

/// How far a queue id may be from the stamp of a line that shows it: zones, and mail a few hours old.
const QUEUE_ID_DAYS: i64 = 1;

/// What the lines seen so far tell about years; the first is year 0.
#[derive(Debug, Default)]
pub(super) struct Survey {
    years: Option<YearWalk>,
    has_stamps: bool,
    /// Year 0, told by a queue id or by a stamp with a year.
    anchor: Option<i32>,
    /// Date of the last stamp with a year before the first without.
    dated: Option<Date>,
    /// A Feb 29, and the year it is in.
    leap_day: Option<(i32, Wall)>,
    /// Month and day of the line before, as written at its start.
    last_day: Option<[u8; 6]>,
}

impl Survey {
    /// Looks at the first lines of a file, each of which may show a queue id.
    pub(super) fn head(&mut self, data: &[u8]) {
        let end = memrchr(b'\n', data).map_or(data.len(), |end| end + 1);
        for line in data.get(..end).unwrap_or(data).split(|byte| *byte == b'\n') {
            if self.anchor.is_some() {
                break;
            }
            self.line(line);
        }
    }

    /// Looks at whole lines for changes of the date.
    pub(super) fn body(&mut self, data: &[u8]) {
        let mut rest = data;
        while self.anchor.is_none()
            && let Some(end) = memchr(b'\n', rest)
        {
            let (line, after) = rest.split_at_checked(end).unwrap_or_default();
            if self.last_day.is_none_or(|day| !line.starts_with(&day)) {
                self.line(line);
            }
            rest = after.get(1..).unwrap_or_default();
        }
    }

    /// Tells whether a queue id settled the matter, or there is nothing to settle.
    pub(super) fn is_settled(&self) -> bool {
        !self.has_stamps || self.anchor.is_some()
    }

    /// Tells whether the year is known for sure.
    pub(super) fn has_anchor(&self) -> bool {
        self.anchor.is_some()
    }

    fn line(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let Some(head) = syslog::read(&text) else {
            return;
        };
        // The stamp of a repeat notice may be of weeks ago.
        let Some(stamp) = head
            .outer
            .or(head.stamp)
            .filter(|_| repeat::notice(head.text).is_none())
        else {
            return;
        };
        let wall = match stamp {
            Stamp::Absolute(time, _) => return self.dated(date_of(time)),
            Stamp::Wall(wall, _) => wall,
        };
        if let Some(year) = wall.year {
            return self.dated((year, year::day_of_year(wall.month, wall.day)));
        }
        self.last_day = stamp::read(&text).and_then(|_| line.first_chunk().copied());
        let year = match &mut self.years {
            None => {
                self.has_stamps = true;
                self.years = Some(YearWalk::start(0, &wall));
                let known = self.dated.map(YearWalk::at);
                self.anchor = known.map(|mut walk| walk.step(&wall, None));
                0
            }
            Some(years) => years
                .same_day(&wall)
                .unwrap_or_else(|| years.step(&wall, None)),
        };
        if wall.month == 2 && wall.day == 29 {
            self.leap_day = Some((year, wall));
        }
        if self.anchor.is_none()
            && let Some(told) = told_by_queue_id(&wall, head.text)
        {
            self.anchor = Some(told - year);
        }
    }

    /// Takes notice of a stamp with a year.
    fn dated(&mut self, date: Date) {
        match &self.years {
            None => self.dated = Some(date),
            Some(years) if self.anchor.is_none() => {
                let (year, _) = years.last();
                self.anchor = Some(year::before(date, years.last()) - year);
            }
            Some(_) => {}
        }
    }

    /// Returns the year of the first stamp without year, if the file has any; nothing was written after `written`.
    pub(super) fn first_year(&self, written: Time) -> Option<i32> {
        let years = self.years.as_ref()?;
        if self.anchor.is_some() {
            return self.anchor;
        }
        let (last, day): Date = years.latest();
        let (year, limit) = date_of(written.plus(DAY));
        let mut first = year - last - i32::from(day > limit);
        if let Some((of_leap, wall)) = &self.leap_day {
            while !year::exists(wall, first + of_leap) {
                first -= 1;
            }
        }
        Some(first)
    }
}

/// Returns the year that a long queue id tells for the stamp of its line, if they belong to the same day.
fn told_by_queue_id(wall: &Wall, text: &str) -> Option<i32> {
    let created = queue_id::created(text)?;
    let (about, _) = date_of(created);
    [about, about - 1, about + 1].into_iter().find(|year| {
        let apart = Time(wall.as_utc(*year)).since(created);
        apart.abs() <= QUEUE_ID_DAYS * DAY
    })
}
