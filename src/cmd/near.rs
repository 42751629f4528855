//! Near misses: what might have been meant where nothing was found, each with the command to type.
//!
//! Only addresses have near misses. They are looked for in the window of the search, at most the newest month of it, in one pass; whether
//! the same search finds something at other times is asked for what was searched, too. All of it ends after [`PATIENCE`]: what was not
//! looked for until then is said.

use super::find::Find;
use crate::answers::{Answers, Stop};
use crate::model::key;
use crate::model::table::{Cell, Param, Table};
use crate::model::time::{DAY, SECOND, Time};
use crate::model::zone::Zone;
use crate::query::found::Slice;
use crate::query::{self, Options, Other, Plan};
use crate::render::escape;
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

/// Returns the lines to say.
///
/// # Errors
/// When the database fails.
pub fn misses(
    store: &Answers,
    find: &Find,
    options: &Options,
    plan: &Plan,
) -> Result<Vec<String>, store::Error> {
    let limit = Limit::new(store.interrupt(), patience());
    let mut lines = Vec::new();
    let mut is_whole = true;
    let same = same_window(find);
    if let Some((since, until)) = limit.ask(|| span(store, plan))? {
        for (field, address) in plan.asked.iter().take(2) {
            is_whole &= on_other_side(
                store,
                &limit,
                (since, until),
                field,
                address,
                &same,
                &mut lines,
            )?;
            let carried = limit.ask(|| carried(store, since, until, address))?;
            is_whole &= carried.is_some();
            if let Some((term, times)) = carried {
                lines.extend(note(
                    times,
                    &format!("as part of the address of a mailing list or bounce ({times})"),
                    &term,
                    &same,
                ));
            }
            let similar = limit.ask(|| similar(store, since, until, address))?;
            is_whole &= similar.is_some();
            for (name, times) in similar.into_iter().flatten() {
                let what = format!("{} ({times})", escape::terminal(&name));
                let field = if *field == "from" { "addr" } else { "to" };
                lines.extend(note(1, &what, &format!("{field}:{name}"), &same));
            }
        }
    }
    for other in plan.others.iter().filter(|other| !other.is_tried) {
        let found = limit.ask(|| read_otherwise(store, other, options))?;
        is_whole &= found.is_some();
        lines.extend(note(
            found.unwrap_or(0),
            &format!("as {} ({})", other.what, many(found.unwrap_or(0))),
            &other.text,
            &same,
        ));
    }
    let other_times = limit.ask(|| other_times(store, find, options, plan))?;
    is_whole &= other_times.is_some();
    lines.extend(other_times.flatten());
    if !lines.is_empty() {
        lines.insert(0, "near misses:".to_owned());
    }
    if !is_whole {
        lines.push(
            "the search for near misses stopped after a second: there may be more (use --all for other times)"
                .to_owned(),
        );
    }
    Ok(lines)
}

/// Hits are counted up to here.
const MOST_COUNTED: i64 = 1000;

fn many(n: i64) -> String {
    if n >= MOST_COUNTED {
        format!("{MOST_COUNTED} or more")
    } else {
        n.to_string()
    }
}

/// Counts what the query finds with a word read in another way.
fn read_otherwise(store: &Answers, other: &Other, options: &Options) -> Result<i64, store::Error> {
    let options = Options {
        limit: u64::try_from(MOST_COUNTED).ok(),
        ..options.clone()
    };
    let Ok(plan) = query::compile_text(&other.text, &options) else {
        return Ok(0);
    };
    let found = store.select_once(&plan.sql, &plan.params)?;
    Ok(i64::try_from(found.rows.len()).unwrap_or(i64::MAX))
}

/// `$1` from, `$2` until, `$3` a part of the local part with its @. Addresses that carry another one, as VERP writes it.
const CARRIED: &str = "\
SELECT
    (SELECT count(*) FROM delivery_to WHERE time >= $1 AND first_time < $2 AND contains(lower(recipient), $3))
    + (SELECT count(*) FROM delivery_from WHERE updated >= $1 AND time < $2 AND contains(lower(sender), $3))";

/// Counts the mail from and to addresses of VERP in which the address stands: of a mailing list, and what came back to it.
fn carried(
    store: &Answers,
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
    let found = store.select_once(CARRIED, &params)?;
    let n = match found.rows.first().map(Vec::as_slice) {
        Some([Cell::Int(n)]) => *n,
        _ => 0,
    };
    Ok((format!("addr:*{part}*"), n))
}

/// Looks for the address where it was not asked for: as sender, or as recipient. Returns whether there was time to.
fn on_other_side(
    store: &Answers,
    limit: &Limit,
    (since, until): (Time, Time),
    field: &str,
    address: &str,
    same: &str,
    lines: &mut Vec<String>,
) -> Result<bool, store::Error> {
    let (sql, what, other) = if field == "from" {
        (AS_RECIPIENT, "recipient", "to")
    } else {
        (AS_SENDER, "sender", "from")
    };
    let found = limit.ask(|| count(store, sql, since, until, address))?;
    let times = found.unwrap_or(0);
    lines.extend(note(
        times,
        &format!("as {what} ({times})"),
        &format!("{other}:{address}"),
        same,
    ));
    Ok(found.is_some())
}

/// Returns the newest month of the window, as far as log was read.
fn span(store: &Answers, plan: &Plan) -> Result<(Time, Time), store::Error> {
    let end = Time(i64::MAX / 4);
    let last = match plan.window.1 {
        Some(until) => until,
        None => match store
            .select_once("SELECT max(last_time) FROM coverage", &[])?
            .rows
            .first()
            .map(Vec::as_slice)
        {
            Some([Cell::Time(last)]) => *last,
            _ => end,
        },
    };
    let earliest = last.plus(-MOST_DAYS * DAY);
    let since = plan.window.0.map_or(earliest, |since| since.max(earliest));
    Ok((since, plan.window.1.unwrap_or(end)))
}

fn count(
    store: &Answers,
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
        match store
            .select_once(sql, &params)?
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
    store: &Answers,
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
    let found = store.select_once(SIMILAR, &params)?;
    let name = |row: &Vec<Cell>| match row.as_slice() {
        [Cell::Text(name), Cell::Int(times), ..] => Some((name.clone(), *times)),
        _ => None,
    };
    Ok(found.rows.iter().filter_map(name).take(MOST).collect())
}

/// Asks the same of all that is stored, where the search had a window.
fn other_times(
    store: &Answers,
    find: &Find,
    options: &Options,
    plan: &Plan,
) -> Result<Option<String>, store::Error> {
    if options.all || plan.window == (None, None) || !plan.is_window_outside {
        return Ok(None);
    }
    let everything = Options {
        since: None,
        until: None,
        all: true,
        limit: Some(1000),
        ..options.clone()
    };
    let Ok(all) = query::compile(&find.terms, &everything) else {
        return Ok(None);
    };
    let asked = all.search.ids(Slice::WHOLE, all.search.limit());
    let found = store.select_once(&asked.sql, &asked.params)?;
    Ok(at_other_times(&found, options.zone))
}

fn at_other_times(found: &Table, zone: Zone) -> Option<String> {
    let column = found.columns.iter().position(|name| name == "time")?;
    let time = |row: &Vec<Cell>| match row.get(column) {
        Some(Cell::Time(time)) => Some(*time),
        _ => None,
    };
    let times = || found.rows.iter().filter_map(time);
    let (first, last) = (times().min()?, times().max()?);
    let n = found.rows.len();
    let many = if n >= 1000 {
        "1000 or more".to_owned()
    } else {
        n.to_string()
    };
    let whole = |t: Time| zone.show(t.plus(-t.0.rem_euclid(SECOND)));
    Some(format!(
        "  at other times ({many}), from {} to {}: use --all instead of a time",
        whole(first),
        whole(last)
    ))
}

fn note(found: i64, what: &str, term: &str, same: &str) -> Option<String> {
    (found > 0).then(|| format!("  {what}: maillog find {}{same}", typed(term)))
}

/// Returns the options that name the window.
fn same_window(find: &Find) -> String {
    let mut options = String::new();
    for (option, value) in [(" -S ", &find.since), (" -U ", &find.until)] {
        if let Some(value) = value {
            options.push_str(option);
            options.push_str(&typed(value));
        }
    }
    if find.all {
        options.push_str(" --all");
    }
    for file in &find.file {
        options.push_str(&format!(" --file {}", typed(&file.to_string_lossy())));
    }
    options
}

/// Returns the term as it is typed in a shell.
fn typed(term: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@._+:-=/%".contains(c);
    let shown = escape::terminal(term);
    if shown.chars().all(is_plain) {
        shown.into_owned()
    } else {
        format!("'{}'", shown.replace('\'', "'\\''"))
    }
}
