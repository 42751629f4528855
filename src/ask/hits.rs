//! Hits: what a search finds, in pages that fit into memory, however many there are and whoever has the database.
//!
//! What matches is asked for by times and ids alone, then the rows are fetched a page at a time, so that the first ones are there at
//! once and memory stays flat. Where the tables are big, even the ids are asked for in slices of time, from the end that is shown first:
//! the newest twenty are found without looking at a year. What takes more memory than there is, is asked again in smaller pieces.
//!
//! Limits: beside a service that stores lines meanwhile, a recipient that is tried again between two slices may be in both, or in neither
//! where the newest are asked for.

use super::{Ask, stored};
use crate::model::table::{Cell, Table};
use crate::model::time::Time;
use crate::query::found::{EXTENT, Found, Slice, rows_of};
use crate::query::{Plan, Wanted};
use crate::store::Error;
use std::collections::BTreeMap;
use std::mem;
use std::ops::ControlFlow;

/// Rows that one statement fetches: it looks through the tables once, whatever their number. They take some 60 MB of the database's
/// memory.
const PAGE: usize = 65_536;
/// The same of a service, which has little memory for all who ask: a reader may be slow to take the rows.
const SHARED_PAGE: usize = 16_384;
/// The same where a page is handed on as a whole: some 20 MB with all their texts.
const WHOLE_PAGE: usize = 8192;
/// Rows of the first page, which somebody waits for.
const FIRST_PAGE: usize = 512;
/// A smaller page would not help.
const LEAST_PAGE: usize = 64;
/// A page is so many times as big as the one before.
const PAGE_GROWTH: usize = 16;
/// Rows that are handed on at once.
const HANDFUL: usize = 512;

/// Rows of the tables that a first slice is about: enough for a screen of what is common.
const FIRST_SLICE: i64 = 50_000;
/// Rows of the tables that a slice is about at most.
const MOST_SLICE: i64 = 1_000_000;
/// The same where hits are only counted.
const MOST_COUNTED: i64 = 4_000_000;
/// Below this a slice is not divided.
const LEAST_SLICE: i64 = 500;
/// A slice is so many times as wide as the one before, as long as nothing speaks against it.
const GROWTH: i64 = 8;

/// How hits are handed on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct How {
    /// The newest first.
    pub newest_first: bool,
    /// With what the mail store did.
    pub with_store: bool,
    /// Who takes them asks the database itself, which has one answer at a time: rows are handed on when a statement has ended.
    pub asks: bool,
}

/// Hands on all hits some at a time until `page` breaks. Returns their number.
///
/// # Errors
/// When the database fails, or `page` does.
pub(super) fn pages<E: From<Error>>(
    asked: &dyn Ask,
    plan: &Plan,
    how: How,
    mut page: impl FnMut(Table) -> Result<ControlFlow<()>, E>,
) -> Result<u64, E> {
    let mut pages = Pages {
        asked,
        how,
        size: FIRST_PAGE,
        most: match () {
            () if how.asks => WHOLE_PAGE,
            () if asked.is_shared() => SHARED_PAGE,
            () => PAGE,
        },
    };
    let mut count = 0;
    if let Some(limit) = plan.search.limit() {
        let found = newest(asked, plan, limit)?;
        return pages.hand_on(&found, &mut count, &mut page).map(|_| count);
    }
    let mut slices = Slices::of(asked, plan, how.newest_first, MOST_SLICE)?;
    while let Some(slice) = slices.next() {
        let ids = ids(asked, plan, slice, None, slices.is_least());
        let Some(found) = slices.tried(ids)? else {
            continue;
        };
        if pages.hand_on(&found, &mut count, &mut page)?.is_break() {
            break;
        }
    }
    Ok(count)
}

/// Returns all hits.
///
/// # Errors
/// When the database fails.
pub(super) fn all(asked: &dyn Ask, plan: &Plan, how: How) -> Result<Table, Error> {
    let mut all = Table {
        columns: crate::model::hits::names()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        rows: Vec::new(),
    };
    pages(asked, plan, how, |page| {
        all.rows.extend(page.rows);
        Ok::<_, Error>(ControlFlow::Continue(()))
    })?;
    Ok(all)
}

/// Returns the number of hits.
///
/// # Errors
/// When the database fails.
pub(super) fn count(asked: &dyn Ask, plan: &Plan) -> Result<u64, Error> {
    let mut slices = Slices::of(asked, plan, true, MOST_COUNTED)?;
    let mut count = 0;
    while let Some(slice) = slices.next() {
        let wanted = Wanted::Count { slice };
        let counted = patiently(asked, slices.is_least(), || asked.find(plan, &wanted));
        if let Some(counted) = slices.tried(counted)?
            && let Some([Cell::Int(number)]) = counted.rows.first().map(Vec::as_slice)
        {
            count += u64::try_from(*number).unwrap_or(0);
        }
        if plan.search.limit().is_some_and(|limit| count >= limit) {
            break;
        }
    }
    Ok(plan.search.limit().map_or(count, |limit| count.min(limit)))
}

/// Returns the newest hits, oldest first.
fn newest(asked: &dyn Ask, plan: &Plan, limit: u64) -> Result<Vec<Found>, Error> {
    let mut slices = Slices::of(asked, plan, true, MOST_SLICE)?;
    // The last slice asked is the first one in time.
    let mut found: Vec<Vec<Found>> = Vec::new();
    let mut left = limit;
    while left > 0
        && let Some(slice) = slices.next()
    {
        let ids = ids(asked, plan, slice, Some(left), slices.is_least());
        if let Some(ids) = slices.tried(ids)? {
            left = left.saturating_sub(ids.len().try_into().unwrap_or(u64::MAX));
            found.push(ids);
        }
    }
    Ok(found.into_iter().rev().flatten().collect())
}

/// Returns what is found in the slice, oldest first; where there is no memory for it, it may be asked again.
fn ids(
    asked: &dyn Ask,
    plan: &Plan,
    slice: Slice,
    limit: Option<u64>,
    is_patient: bool,
) -> Result<Vec<Found>, Error> {
    let wanted = Wanted::Ids { slice, limit };
    patiently(asked, is_patient, || {
        let mut found = Vec::new();
        asked.find_each(plan, &wanted, &mut |_, row| {
            if let [
                _,
                Cell::Int(part),
                Cell::Int(id),
                Cell::Int(from_id),
                Cell::Int(hop_id),
            ] = row.as_slice()
            {
                found.push(Found {
                    part: u8::try_from(*part).unwrap_or_default(),
                    id: *id,
                    from_id: *from_id,
                    hop_id: *hop_id,
                });
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    })
}

/// Runs `work`; if `is_patient`, again when others have the memory.
fn patiently<T: Default>(
    asked: &dyn Ask,
    is_patient: bool,
    mut work: impl FnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    if !is_patient {
        return work();
    }
    let mut done = T::default();
    asked.retry(&mut || {
        done = work()?;
        Ok(())
    })?;
    Ok(done)
}

/// Fetches rows.
struct Pages<'a> {
    asked: &'a dyn Ask,
    how: How,
    size: usize,
    most: usize,
}

impl Pages<'_> {
    /// Fetches the rows of what was found, oldest first, and hands them on.
    fn hand_on<E: From<Error>>(
        &mut self,
        found: &[Found],
        count: &mut u64,
        page: &mut impl FnMut(Table) -> Result<ControlFlow<()>, E>,
    ) -> Result<ControlFlow<()>, E> {
        let mut left = found;
        while !left.is_empty() {
            let size = self.size.min(left.len());
            let (next, rest) = if self.how.newest_first {
                let (rest, next) = left.split_at(left.len() - size);
                (next, rest)
            } else {
                left.split_at(size)
            };
            let mut told = 0;
            match self.fetch(next, &mut told, page) {
                // What was handed on cannot be taken back.
                Err(Error::OutOfMemory) if told == 0 && size > LEAST_PAGE => {
                    self.most = size / 2;
                    self.size = self.most;
                    continue;
                }
                fetched => {
                    *count += told;
                    if fetched??.is_break() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
            self.size = (size * PAGE_GROWTH).clamp(self.size, self.most);
            left = rest;
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Fetches these rows with one statement, and hands them on as they come; counts them. Returns what came of handing them on.
    fn fetch<E>(
        &self,
        some: &[Found],
        told: &mut u64,
        page: &mut impl FnMut(Table) -> Result<ControlFlow<()>, E>,
    ) -> Result<Result<ControlFlow<()>, E>, Error> {
        let mut taker = Taker {
            stored: BTreeMap::new(),
            handful: HANDFUL,
            rows: Vec::new(),
            told,
            went: Ok(ControlFlow::Continue(())),
            page,
        };
        if self.how.with_store {
            taker.stored = stored::of(self.asked, some)?;
        }
        if self.how.asks {
            taker.handful = usize::MAX;
        }
        let statement = rows_of(some, self.how.newest_first);
        let mut columns = Ok(Vec::new());
        self.asked.retry(&mut || {
            taker.rows.clear();
            let mut each = |columns: &[String], row| taker.take(columns, row);
            columns = match self
                .asked
                .each(&statement.sql, &statement.params, &mut each)
            {
                // What was handed on cannot be taken back.
                Err(Error::OutOfMemory) if *taker.told > 0 => Err(Error::OutOfMemory),
                fetched => Ok(fetched?),
            };
            Ok(())
        })?;
        let columns = columns?;
        if !taker.rows.is_empty() {
            // Where it broke, there is nothing left.
            let _ = taker.hand_on(&columns);
        }
        Ok(taker.went)
    }
}

/// Takes rows as they come, and hands some on at once.
struct Taker<'a, F, E> {
    /// What the mail store did, by recipient.
    stored: BTreeMap<i64, Cell>,
    handful: usize,
    rows: Vec<Vec<Cell>>,
    told: &'a mut u64,
    went: Result<ControlFlow<()>, E>,
    page: &'a mut F,
}

impl<E, F: FnMut(Table) -> Result<ControlFlow<()>, E>> Taker<'_, F, E> {
    fn take(&mut self, columns: &[String], row: Vec<Cell>) -> ControlFlow<()> {
        self.rows.push(row);
        if self.rows.len() < self.handful {
            return ControlFlow::Continue(());
        }
        self.hand_on(columns)
    }

    fn hand_on(&mut self, columns: &[String]) -> ControlFlow<()> {
        let mut table = Table {
            columns: columns.to_vec(),
            rows: mem::take(&mut self.rows),
        };
        *self.told += table.rows.len() as u64;
        stored::fill(&self.stored, &mut table);
        self.went = (self.page)(table);
        match &self.went {
            Ok(way) => *way,
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// The slices of a search, one after the other.
struct Slices {
    /// Times between which rows are.
    ends: (Time, Time),
    /// Microseconds that one row takes.
    step: f64,
    /// Where the next slice begins, seen from the end that is asked first; none when it was the last one.
    next: Option<i64>,
    backwards: bool,
    /// Rows of the next slice.
    width: i64,
    most: i64,
    /// Where the slice began that is asked just now.
    at: Option<i64>,
}

impl Slices {
    fn of(asked: &dyn Ask, plan: &Plan, backwards: bool, most: i64) -> Result<Self, Error> {
        let mut slices = Self {
            ends: (Time(0), Time(0)),
            step: 0.0,
            next: Some(0),
            backwards,
            width: i64::MAX,
            most,
            at: None,
        };
        if !plan.search.has_slices() {
            return Ok(slices);
        }
        let extent = asked.rows(EXTENT, &[])?;
        let Some([Cell::Int(rows), Cell::Time(first), Cell::Time(last)]) =
            extent.rows.first().map(Vec::as_slice)
        else {
            return Ok(slices);
        };
        let since = plan.window.0.map_or(*first, |since| since.max(*first));
        let until = plan.window.1.map_or(*last, |until| until.min(*last));
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let (all, span) = (*rows as f64, last.since(*first).max(1) as f64);
        slices.step = (span / all.max(1.0)).max(1.0);
        slices.ends = (since, until.max(since));
        let in_window = slices.rows(slices.ends.1.since(slices.ends.0));
        if in_window > FIRST_SLICE * 2 && !plan.search.is_pointed() {
            slices.width = FIRST_SLICE;
        }
        Ok(slices)
    }

    /// Returns how many rows there are in so many microseconds.
    fn rows(&self, micros: i64) -> i64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "an estimate"
        )]
        let rows = (micros as f64 / self.step) as i64;
        rows
    }

    fn micros(&self, rows: i64) -> i64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "an estimate"
        )]
        let micros = (rows as f64 * self.step) as i64;
        micros.max(1)
    }

    /// Returns the next slice; what lies beyond the known times belongs to the first and to the last one.
    fn next(&mut self) -> Option<Slice> {
        let at = self.next?;
        self.at = Some(at);
        let span = self.ends.1.since(self.ends.0);
        let end = if self.width == i64::MAX {
            span.saturating_add(1)
        } else {
            at.saturating_add(self.micros(self.width))
        };
        let is_last = end > span;
        self.next = (!is_last).then_some(end);
        let place = |offset: i64| {
            if self.backwards {
                self.ends.1.plus(-offset)
            } else {
                self.ends.0.plus(offset)
            }
        };
        let near = (at > 0).then(|| place(at));
        let far = (!is_last).then(|| place(end));
        Some(if self.backwards {
            Slice {
                from: far,
                until: near,
            }
        } else {
            Slice {
                from: near,
                until: far,
            }
        })
    }

    /// Returns whether the slice that is asked cannot be divided.
    fn is_least(&self) -> bool {
        self.step <= 0.0 || self.width <= LEAST_SLICE
    }

    /// Takes what came of a slice: after too little memory it is asked again in a smaller one, and there is nothing yet.
    fn tried<T>(&mut self, asked: Result<T, Error>) -> Result<Option<T>, Error> {
        match asked {
            Err(Error::OutOfMemory) if !self.is_least() => {
                let all = self.rows(self.ends.1.since(self.ends.0)).max(1);
                self.width = (self.width.min(all) / GROWTH).max(LEAST_SLICE);
                self.most = self.width;
                self.next = self.at;
                Ok(None)
            }
            Err(error) => Err(error),
            Ok(value) => {
                if self.width < i64::MAX {
                    self.width = self.width.saturating_mul(GROWTH).min(self.most);
                }
                Ok(Some(value))
            }
        }
    }
}
