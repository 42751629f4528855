//! Near misses: what might have been meant where nothing was found, each with the query for it.
//!
//! Only addresses have near misses. They are looked for in the window of the search, at most the newest month of it, in one pass; whether
//! the same search finds something at other times is asked for what was searched, too. All of it ends after [`PATIENCE`]: what was not
//! looked for until then is said.

use super::Ask;
use crate::answers::Stop;
use crate::model::key;
use crate::model::table::{Cell, Param, Table};
use crate::model::time::{DAY, Time};
use crate::query::found::Slice;
use crate::query::{self, Options, Other, Plan, Wanted};
use crate::store;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// Days of the window in which similar addresses are looked for, so that the cost has a bound.
const MOST_DAYS: i64 = 31;

/// Time for all near misses: nobody waits longer for what was not asked.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The same in milliseconds, for tests: what they compare must not depend on how busy the machine is.
const PATIENCE_VARIABLE: &str = "MAILLOG_NEAR_MISSES_MS";

/// Addresses told.
const MOST: usize = 5;

/// Letters that may differ.
const DISTANCE: i64 = 2;

/// `$1` from, `$2` until, `$3` the local part, `$4` the domain, `$5` the local part without its tag. Addresses of which one part is the
/// same and the other one similar; the distance to what was asked for, and how often.
const SIMILAR: &str = "\
WITH seen AS (
    SELECT lower(recipient) AS name FROM delivery_to WHERE time >= $1 AND first_time < $2
    UNION ALL
    SELECT lower(orig_to) FROM delivery_to WHERE time >= $1 AND first_time < $2 AND orig_to IS NOT NULL
    UNION ALL
    SELECT lower(recipient) FROM noqueue WHERE time >= $1 AND time < $2
),
counted AS (
    SELECT name, count(*) AS times FROM seen
    WHERE starts_with(name, $3 || '@') OR ends_with(name, '@' || $4)
    GROUP BY name
),
parts AS (
    SELECT
        name, times,
        starts_with(name, $5 || '+') OR name = $5 || '@' || $4 AS is_tag,
        ends_with(name, '@' || $4) AS same_domain,
        CASE WHEN same_domain THEN name[: length(name) - length($4) - 1] ELSE name[length($3) + 2 :] END AS part,
        CASE WHEN same_domain THEN $3 ELSE $4 END AS asked
    FROM counted
    WHERE name <> $3 || '@' || $4
),
apart AS (
    SELECT
        name, times, same_domain,
        CASE
            WHEN is_tag THEN 0
            -- Two letters in the other order are one mistake.
            WHEN levenshtein(part, asked) = 2 AND list_sort(string_split(part, '')) = list_sort(string_split(asked, '')) THEN 1
            WHEN same_domain THEN levenshtein(part, asked)
            ELSE least(levenshtein(part, asked), 3)
        END AS distance
    FROM parts
)
SELECT name, times, distance FROM apart
WHERE distance <= CASE WHEN same_domain THEN least($6, (length($3) + 1) // 3) ELSE 3 END
ORDER BY distance, times DESC, name
LIMIT 5";

/// `$1` from, `$2` until, `$3` the address, `$4` its key.
const AS_SENDER: &str = "\
SELECT
    (SELECT count(*) FROM delivery_from WHERE updated >= $1 AND time < $2 AND sender_key = $4 AND lower(sender) = $3)
    + (SELECT count(*) FROM delivery_from
    WHERE updated >= $1 AND time < $2 AND orig_sender_key = $4 AND lower(orig_sender) = $3)
    + (SELECT count(*) FROM noqueue WHERE time >= $1 AND time < $2 AND sender_key = $4 AND lower(sender) = $3)";

/// The same.
const AS_RECIPIENT: &str = "\
SELECT
    (SELECT count(*) FROM delivery_to
    WHERE time >= $1 AND first_time < $2 AND recipient_key = $4 AND lower(recipient) = $3)
    + (SELECT count(*) FROM delivery_to
    WHERE time >= $1 AND first_time < $2 AND recipient_within_key = $4 AND lower(recipient_within) = $3)
    + (SELECT count(*) FROM delivery_to
    WHERE time >= $1 AND first_time < $2 AND orig_to_key = $4 AND lower(orig_to) = $3 AND lower(recipient) <> $3)";

/// Interrupts what is asked once the time is over, until it is dropped.
struct Limit {
    over: Instant,
    _done: Sender<()>,
}

impl Limit {
    fn new(stop: Stop, patience: Duration) -> Self {
        /// A query may begin just when another one is interrupted.
        const AGAIN: Duration = Duration::from_millis(200);
        let (done, is_done) = channel::<()>();
        std::thread::spawn(move || {
            let mut wait = patience;
            while is_done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                stop.interrupt();
                wait = AGAIN;
            }
        });
        Self {
            over: Instant::now() + patience,
            _done: done,
        }
    }

    /// Returns the answer; none when there was no time for it.
    fn ask<T>(
        &self,
        ask: impl FnOnce() -> Result<T, store::Error>,
    ) -> Result<Option<T>, store::Error> {
        if Instant::now() >= self.over {
            return Ok(None);
        }
        match ask() {
            Err(store::Error::Interrupted | store::Error::OutOfMemory) => Ok(None),
            other => other.map(Some),
        }
    }
}

fn patience() -> Duration {
    let asked = std::env::var(PATIENCE_VARIABLE).ok();
    let asked = asked.and_then(|millis| millis.parse().ok());
    asked.map_or(PATIENCE, Duration::from_millis)
}

/// What might have been meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meant {
    /// The address as what it was not asked for: `sender` or `recipient`.
    Side(&'static str),
    /// The address within one of VERP.
    Carried,
    /// An address that is similar.
    Similar(String),
    /// A bare word read in another way: for what it is taken.
    Reading(&'static str),
}

/// Something that is there and might have been meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// What.
    pub meant: Meant,
    /// How many there are; of readings [`MOST_COUNTED`] at most.
    pub count: i64,
    /// The query that finds it in the same window.
    pub query: String,
}

/// The same query finds something at other times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherTimes {
    /// How many, [`MOST_COUNTED`] at most.
    pub count: i64,
    /// The first.
    pub first: Time,
    /// The last.
    pub last: Time,
}

/// What there is near a search that found nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMisses {
    /// In the order of likelihood.
    pub list: Vec<NearMiss>,
    /// What the same query finds at other times.
    pub other_times: Option<OtherTimes>,
    /// There was time to look for everything.
    pub is_whole: bool,
}

impl NearMisses {
    /// Looks for what might have been meant by the plan, which found nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub fn of(asked: &dyn Ask, plan: &Plan) -> Result<Self, store::Error> {
        let mut search = Search {
            asked,
            limit: Limit::new(asked.stop(), patience()),
            found: Self {
                list: Vec::new(),
                other_times: None,
                is_whole: true,
            },
        };
        search.addresses(plan)?;
        for other in plan.others.iter().filter(|other| !other.is_tried) {
            let count = search.ask(|asked| read_otherwise(asked, other, &plan.options))?;
            search.note(Meant::Reading(other.what), count, other.text.clone());
        }
        let other_times = search.limit.ask(|| other_times(asked, plan))?;
        search.found.is_whole &= other_times.is_some();
        search.found.other_times = other_times.flatten();
        Ok(search.found)
    }
}

/// Looks, as long as there is time.
struct Search<'a> {
    asked: &'a dyn Ask,
    limit: Limit,
    found: NearMisses,
}

impl Search<'_> {
    /// Returns the answer, or the default when there was no time for it.
    fn ask<T: Default>(
        &mut self,
        ask: impl FnOnce(&dyn Ask) -> Result<T, store::Error>,
    ) -> Result<T, store::Error> {
        let answer = self.limit.ask(|| ask(self.asked))?;
        self.found.is_whole &= answer.is_some();
        Ok(answer.unwrap_or_default())
    }

    fn note(&mut self, meant: Meant, count: i64, query: String) {
        if count > 0 {
            self.found.list.push(NearMiss {
                meant,
                count,
                query,
            });
        }
    }

    /// Looks for the addresses that were asked for elsewhere, and for similar ones.
    fn addresses(&mut self, plan: &Plan) -> Result<(), store::Error> {
        let Some((since, until)) = self.limit.ask(|| span(self.asked, plan))? else {
            return Ok(());
        };
        for (field, address) in plan.asked.iter().take(2) {
            let is_sender = *field == "from";
            let (sql, what, other) = if is_sender {
                (AS_RECIPIENT, "recipient", "to")
            } else {
                (AS_SENDER, "sender", "from")
            };
            let times = self.ask(|asked| count(asked, sql, since, until, address))?;
            self.note(Meant::Side(what), times, format!("{other}:{address}"));
            let (term, times) = self.ask(|asked| carried(asked, since, until, address))?;
            self.note(Meant::Carried, times, term);
            let field = if is_sender { "addr" } else { "to" };
            for (name, times) in self.ask(|asked| similar(asked, since, until, address))? {
                let query = format!("{field}:{name}");
                self.note(Meant::Similar(name), times, query);
            }
        }
        Ok(())
    }
}

/// Hits are counted up to here.
pub const MOST_COUNTED: i64 = 1000;

/// Counts what the query finds with a word read in another way.
fn read_otherwise(asked: &dyn Ask, other: &Other, options: &Options) -> Result<i64, store::Error> {
    let options = Options {
        limit: u64::try_from(MOST_COUNTED).ok(),
        ..options.clone()
    };
    let Ok(plan) = query::compile_text(&other.text, &options) else {
        return Ok(0);
    };
    let found = asked.find(&plan, &Wanted::Rows)?;
    Ok(i64::try_from(found.rows.len()).unwrap_or(i64::MAX))
}

/// `$1` from, `$2` until, `$3` a part of the local part with its @. Addresses that carry another one, as VERP writes it.
const CARRIED: &str = "\
SELECT
    (SELECT count(*) FROM delivery_to WHERE time >= $1 AND first_time < $2 AND contains(lower(recipient), $3))
    + (SELECT count(*) FROM delivery_from WHERE updated >= $1 AND time < $2 AND contains(lower(sender), $3))";

/// Counts the mail from and to addresses of VERP in which the address stands: of a mailing list, and what came back to it.
fn carried(
    asked: &dyn Ask,
    since: Time,
    until: Time,
    address: &str,
) -> Result<(String, i64), store::Error> {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return Ok((String::new(), 0));
    };
    let part = format!("{local}={domain}@");
    let params = [
        Param::Time(since),
        Param::Time(until),
        Param::Text(part.clone()),
    ];
    let found = asked.rows_once(CARRIED, &params)?;
    let n = match found.rows.first().map(Vec::as_slice) {
        Some([Cell::Int(n)]) => *n,
        _ => 0,
    };
    Ok((format!("addr:*{part}*"), n))
}

/// When the last line was read.
const LAST: &str = "SELECT max(last_time) FROM coverage";

/// The statements of this file.
pub const STATEMENTS: [&str; 5] = [SIMILAR, AS_SENDER, AS_RECIPIENT, CARRIED, LAST];

/// Returns the newest month of the window, as far as log was read.
fn span(asked: &dyn Ask, plan: &Plan) -> Result<(Time, Time), store::Error> {
    let end = Time(i64::MAX / 4);
    let last = match plan.window.1 {
        Some(until) => until,
        None => match asked.rows_once(LAST, &[])?.rows.first().map(Vec::as_slice) {
            Some([Cell::Time(last)]) => *last,
            _ => end,
        },
    };
    let earliest = last.plus(-MOST_DAYS * DAY);
    let since = plan.window.0.map_or(earliest, |since| since.max(earliest));
    Ok((since, plan.window.1.unwrap_or(end)))
}

fn count(
    asked: &dyn Ask,
    sql: &str,
    since: Time,
    until: Time,
    address: &str,
) -> Result<i64, store::Error> {
    let params = [
        Param::Time(since),
        Param::Time(until),
        Param::Text(address.to_owned()),
        Param::Int(key::of(address).into()),
    ];
    Ok(
        match asked
            .rows_once(sql, &params)?
            .rows
            .first()
            .map(Vec::as_slice)
        {
            Some([Cell::Int(n)]) => *n,
            _ => 0,
        },
    )
}

fn similar(
    asked: &dyn Ask,
    since: Time,
    until: Time,
    address: &str,
) -> Result<Vec<(String, i64)>, store::Error> {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return Ok(Vec::new());
    };
    let base = local.split('+').next().unwrap_or(local);
    let params = [
        Param::Time(since),
        Param::Time(until),
        Param::Text(local.to_owned()),
        Param::Text(domain.to_owned()),
        Param::Text(base.to_owned()),
        Param::Int(DISTANCE),
    ];
    let found = asked.rows_once(SIMILAR, &params)?;
    let name = |row: &Vec<Cell>| match row.as_slice() {
        [Cell::Text(name), Cell::Int(times), ..] => Some((name.clone(), *times)),
        _ => None,
    };
    Ok(found.rows.iter().filter_map(name).take(MOST).collect())
}

/// Asks the same of all that is stored, where the search had a window.
fn other_times(asked: &dyn Ask, plan: &Plan) -> Result<Option<OtherTimes>, store::Error> {
    let options = &plan.options;
    if options.all || plan.window == (None, None) || !plan.is_window_outside {
        return Ok(None);
    }
    let everything = Options {
        since: None,
        until: None,
        all: true,
        limit: u64::try_from(MOST_COUNTED).ok(),
        ..options.clone()
    };
    let all = if plan.text.is_empty() {
        query::compile::<&str>(&[], &everything)
    } else {
        query::compile_text(&plan.text, &everything)
    };
    let Ok(all) = all else {
        return Ok(None);
    };
    let wanted = Wanted::Ids {
        slice: Slice::WHOLE,
        limit: all.search.limit(),
    };
    Ok(at_other_times(&asked.find(&all, &wanted)?))
}

fn at_other_times(found: &Table) -> Option<OtherTimes> {
    let column = found.columns.iter().position(|name| name == "time")?;
    let time = |row: &Vec<Cell>| match row.get(column) {
        Some(Cell::Time(time)) => Some(*time),
        _ => None,
    };
    let times = || found.rows.iter().filter_map(time);
    Some(OtherTimes {
        count: i64::try_from(found.rows.len()).unwrap_or(i64::MAX),
        first: times().min()?,
        last: times().max()?,
    })
}
