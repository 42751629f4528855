//! Metrics for Prometheus, over HTTP: `GET /metrics` on the address of the settings.
//!
//! Promises: a scrape reads the stored totals, a few hundred rows, on a connection of its own, and waits for no other.
//! What would have to look through tables is kept for half a minute and renewed beside the scrape.
//!
//! Limits: no TLS and no password (see `web`).

use super::task::{Task, When};
use super::{Shared, memory_guard};
use crate::ingest::health::Health;
use crate::metrics::family::{FAMILIES, Family, Kind};
use crate::metrics::label;
use crate::model::table::{Cell, Param, Table};
use crate::model::tables;
use crate::model::time::{MINUTE, SECOND, Time};
use crate::store::{self, Session, Sessions};
use crate::web::{self, Limits};
use anyhow::{Context, Result, anyhow};
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};
use prometheus::{Encoder, TextEncoder};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long what is dear to find out stays true enough.
const SLOW_AGE: Duration = Duration::from_secs(30);
/// Scrapes at a time that ask the database; more wait.
const SCRAPES: usize = 4;
/// Time that a scrape may take: Prometheus waits for ten seconds unless it is told otherwise.
const PATIENCE: Duration = Duration::from_secs(20);
/// Hosts with a series of their own.
const HOSTS: usize = 200;

/// Rows of what stands in the queue: its kind, messages, arrival of the oldest.
const QUEUE: &str = "\
SELECT CASE
        WHEN f.status = 'held' THEN 'hold'
        WHEN f.status = 'receiving' THEN 'incoming'
        WHEN f.id IN (SELECT from_id FROM delivery_to WHERE status IN ('deferred', 'SOFTBOUNCE')
            AND from_id >= (SELECT min(id) FROM delivery_from WHERE removed IS NULL)) THEN 'deferred'
        ELSE 'active'
    END AS queue, count(*) AS messages, min(f.time) AS oldest
FROM delivery_from f
WHERE f.removed IS NULL
GROUP BY queue";
/// The same of Postfix's queue itself, where the service listed it a short while ago.
const LISTED: &str = "\
SELECT s.status AS queue, s.mails AS messages, coalesce(s.oldest, s.time) AS oldest
FROM queue_snapshot s
JOIN queue_listing l ON l.time = s.time AND l.host = s.host
WHERE s.domain IS NULL
    AND s.time > $1
    AND s.time < $2";
/// So old may a listing be: some times it may have failed.
const LISTED_AGE: i64 = 5 * MINUTE;
const HOST_TIMES: &str = "SELECT host, max(last_time) FROM coverage GROUP BY host ORDER BY max(last_time) DESC LIMIT 200";

/// Returns the task that answers on the address.
pub(super) fn task(address: SocketAddr) -> Task {
    let without = "metrics cannot be scraped";
    Task::new("metrics", without, When::Always, move |run| {
        let scraped = Arc::new(Scraped::new(run.shared));
        let ended = web::serve(address, &routes(scraped), Limits::USUAL, |_| run.is_up());
        ended.map(|never| match never {})
    })
}

fn routes(scraped: Arc<Scraped>) -> Router {
    let places = Arc::new(Semaphore::new(SCRAPES));
    let scrape = move || {
        let (places, scraped) = (Arc::clone(&places), Arc::clone(&scraped));
        async move {
            let text = web::blocking(places, PATIENCE, move || scraped.text()).await;
            match text {
                Ok(Ok(text)) => ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
                Ok(Err(error)) => {
                    let text = format!("{error:#}\n");
                    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
                }
                Err(unanswered) => unanswered.answer().into_response(),
            }
        }
    };
    let not_allowed = || async { (StatusCode::METHOD_NOT_ALLOWED, "GET only\n") };
    Router::new()
        .route("/metrics", get(scrape))
        .route("/", get(|| async { "maillog: see /metrics\n" }))
        .method_not_allowed_fallback(not_allowed)
        .fallback(get(|| async { (StatusCode::NOT_FOUND, "see /metrics\n") }).fallback(not_allowed))
}

/// Samples of one family: labels and value.
type Samples = BTreeMap<&'static str, Vec<(String, f64)>>;

/// What is scraped.
struct Scraped {
    /// Connections that no scrape uses now.
    idle: Mutex<Vec<Session>>,
    sessions: Sessions,
    health: Arc<Health>,
    database: PathBuf,
    slow: Arc<Mutex<Option<Slow>>>,
    is_renewing: Arc<AtomicBool>,
}

/// What takes looking through tables.
#[derive(Clone, Default)]
struct Slow {
    made: Option<Instant>,
    samples: Samples,
}

/// What is dear is being found out, until this is dropped, also by a panic.
struct Renewing(Arc<AtomicBool>);

impl Drop for Renewing {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Scraped {
    fn new(shared: &Shared) -> Self {
        Self {
            idle: Mutex::default(),
            sessions: shared.sessions.clone(),
            health: Arc::clone(&shared.health),
            database: shared.config.database.clone(),
            slow: Arc::default(),
            is_renewing: Arc::default(),
        }
    }

    /// Returns the text of one scrape; asks the database.
    fn text(&self) -> Result<Vec<u8>> {
        let idle = locked(&self.idle).pop();
        let session = match idle {
            Some(session) => session,
            None => self.sessions.open().context("cannot ask the database")?,
        };
        let text = self.text_of(&session);
        locked(&self.idle).push(session);
        text
    }

    fn text_of(&self, session: &Session) -> Result<Vec<u8>> {
        let stored = session
            .select(
                "SELECT name, labels, value FROM counter ORDER BY name, labels",
                &[],
            )
            .context("cannot read the totals")?;
        let mut samples = self.slow(session)?;
        self.live(&mut samples);
        let stored = stored_samples(&stored);
        let families: Vec<MetricFamily> = FAMILIES
            .iter()
            .filter_map(|family| match family.kind {
                Kind::Gauge => made(family, samples.get(family.name)?),
                Kind::Counter => counted(family, &stored),
                Kind::Histogram(bounds) => histogram(family, bounds, &stored),
            })
            .collect();
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&families, &mut text)
            .map_err(|error| anyhow!("cannot write the metrics: {error}"))?;
        Ok(text)
    }

    /// Returns what was found out last, and has it found out again when it is old.
    fn slow(&self, session: &Session) -> Result<Samples> {
        let last = locked(&self.slow).clone();
        let Some(last) = last else {
            let fresh = slow(session).context("cannot read the tables")?;
            let samples = fresh.samples.clone();
            *locked(&self.slow) = Some(fresh);
            return Ok(samples);
        };
        let is_old = last.made.is_none_or(|made| made.elapsed() > SLOW_AGE);
        if is_old && !self.is_renewing.swap(true, Ordering::AcqRel) {
            let (sessions, place) = (self.sessions.clone(), Arc::clone(&self.slow));
            let renewing = Renewing(Arc::clone(&self.is_renewing));
            thread::spawn(move || {
                let _renewing = renewing;
                // What cannot be found out now stays as it was.
                if let Ok(Ok(fresh)) = sessions.open().map(|session| slow(&session)) {
                    *locked(&place) = Some(fresh);
                }
            });
        }
        Ok(last.samples)
    }

    /// What the process knows without asking the database.
    fn live(&self, samples: &mut Samples) {
        let now: Time = chrono::Utc::now().into();
        let (mut up, mut lag) = (BTreeMap::new(), BTreeMap::new());
        for (name, source) in self.health.sources() {
            if source.state == "ended" {
                continue;
            }
            let source_name = label::source(&name).to_owned();
            let is_up = f64::from(u8::from(source.last_read.is_some()));
            let known = up.entry(source_name.clone()).or_insert(0.0_f64);
            *known = known.max(is_up);
            if let Some(last) = source.last_entry {
                let behind = seconds(now.since(last).max(0));
                let known = lag.entry(source_name).or_insert(behind);
                *known = known.min(behind);
            }
        }
        let labelled = |name: &str, list: BTreeMap<String, f64>| -> Vec<(String, f64)> {
            list.into_iter()
                .map(|(value, sample)| (label::join(&[(name, &value)]), sample))
                .collect()
        };
        samples.insert("postfix_up", labelled("path", up));
        samples.insert("maillog_ingest_lag_seconds", labelled("source", lag));
        let one = |value: f64| vec![(String::new(), value)];
        samples.insert(
            "maillog_open_messages",
            one(float(self.health.open_messages())),
        );
        if let Some(time) = self.health.last_commit() {
            samples.insert(
                "maillog_last_commit_timestamp_seconds",
                one(seconds(time.0)),
            );
        }
        let version = label::join(&[("version", env!("CARGO_PKG_VERSION"))]);
        samples.insert("maillog_build_info", vec![(version, 1.0)]);
        samples.insert("maillog_database_size_bytes", one(size(&self.database)));
        let mut wal = self.database.clone().into_os_string();
        wal.push(".wal");
        samples.insert("maillog_wal_size_bytes", one(size(Path::new(&wal))));
        if let Some(mib) = memory_guard::resident_mib() {
            samples.insert("process_resident_memory_bytes", one(float(mib << 20)));
        }
    }
}

/// Returns what stands in the queue: as Postfix listed it, else as the log knows it.
fn queue(session: &Session, now: Time) -> Result<Table, store::Error> {
    let span = [now.plus(-LISTED_AGE), now.plus(MINUTE)].map(Param::Time);
    let listed = session.select(LISTED, &span)?;
    if listed.rows.is_empty() {
        return session.select(QUEUE, &[]);
    }
    Ok(listed)
}

fn slow(session: &Session) -> Result<Slow, store::Error> {
    let mut samples = Samples::new();
    let now: Time = chrono::Utc::now().into();
    let queue = queue(session, now)?;
    let mut messages = Vec::new();
    let mut ages = Vec::new();
    for queue_name in ["incoming", "active", "deferred", "hold"] {
        let found = queue.rows.iter().find_map(|row| match row.as_slice() {
            [Cell::Text(name), Cell::Int(count), Cell::Time(oldest)] if name == queue_name => {
                Some((*count, *oldest))
            }
            _ => None,
        });
        let labels = label::join(&[("queue", queue_name)]);
        let count = found.map_or(0, |(count, _)| count);
        messages.push((labels.clone(), float(count.unsigned_abs())));
        // Of an empty queue there is no oldest mail, only the time of the listing.
        let oldest = found.filter(|(count, _)| *count > 0);
        let age = oldest.map_or(0, |(_, oldest)| now.since(oldest).max(0));
        ages.push((labels, seconds(age)));
    }
    samples.insert("postfix_queue_messages", messages);
    samples.insert("postfix_queue_oldest_age_seconds", ages);
    samples.insert(
        "maillog_last_event_timestamp_seconds",
        host_times(&session.select(HOST_TIMES, &[])?),
    );
    let counted = tables::tables().iter().filter(|table| table.is_counted);
    let counts: Vec<String> = counted
        .map(|table| format!("SELECT '{0}', count(*) FROM {0}", table.name))
        .collect();
    let rows = session.select(&counts.join(" UNION ALL "), &[])?;
    let rows = rows.rows.iter().filter_map(|row| match row.as_slice() {
        [Cell::Text(table), Cell::Int(count)] => Some((
            label::join(&[("table", table)]),
            float(count.unsigned_abs()),
        )),
        _ => None,
    });
    samples.insert("maillog_rows", rows.collect());
    let free = "SELECT block_size * free_blocks FROM pragma_database_size() WHERE database_name = current_database()";
    if let Some([Cell::Int(free)]) = session.select(free, &[])?.rows.first().map(Vec::as_slice) {
        samples.insert(
            "maillog_database_free_bytes",
            vec![(String::new(), float(free.unsigned_abs()))],
        );
    }
    let memory = "SELECT tag, memory_usage_bytes FROM duckdb_memory() ORDER BY ALL";
    let memory = session.select(memory, &[])?;
    let memory = memory.rows.iter().filter_map(|row| match row.as_slice() {
        [Cell::Text(tag), Cell::Int(bytes)] => Some((
            label::join(&[("use", &tag.to_lowercase())]),
            float(bytes.unsigned_abs()),
        )),
        _ => None,
    });
    samples.insert("maillog_database_memory_bytes", memory.collect());
    Ok(Slow {
        made: Some(Instant::now()),
        samples,
    })
}

/// Several odd names may share the label `other`: the latest counts.
fn host_times(table: &Table) -> Vec<(String, f64)> {
    let mut times: BTreeMap<String, f64> = BTreeMap::new();
    for row in table.rows.iter().take(HOSTS) {
        if let [Cell::Text(host), Cell::Time(time)] = row.as_slice() {
            let known = times
                .entry(label::join(&[("host", label::word(host))]))
                .or_insert(0.0);
            *known = known.max(seconds(time.0));
        }
    }
    times.into_iter().collect()
}

/// Totals by name.
fn stored_samples(table: &Table) -> BTreeMap<String, Vec<(String, f64)>> {
    let mut all: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
    for row in &table.rows {
        if let [Cell::Text(name), Cell::Text(labels), Cell::Float(value)] = row.as_slice() {
            all.entry(name.clone())
                .or_default()
                .push((labels.clone(), *value));
        }
    }
    all
}

fn family_of(family: &Family, kind: MetricType, metrics: Vec<Metric>) -> Option<MetricFamily> {
    if metrics.is_empty() {
        return None;
    }
    let mut made = MetricFamily::default();
    made.set_name(family.name.to_owned());
    made.set_help(family.help.to_owned());
    made.set_field_type(kind);
    made.set_metric(metrics);
    Some(made)
}

fn labels(text: &str) -> Vec<LabelPair> {
    let pairs = label::split(text).into_iter();
    pairs
        .map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name.to_owned());
            pair.set_value(value.to_owned());
            pair
        })
        .collect()
}

fn made(family: &Family, samples: &[(String, f64)]) -> Option<MetricFamily> {
    let metrics = samples.iter().map(|(text, value)| {
        let mut gauge = Gauge::default();
        gauge.set_value(*value);
        let mut metric = Metric::from_label(labels(text));
        metric.set_gauge(gauge);
        metric
    });
    family_of(family, MetricType::GAUGE, metrics.collect())
}

/// A counter without labels begins at 0; one with labels with the first of its kind.
fn counted(family: &Family, stored: &BTreeMap<String, Vec<(String, f64)>>) -> Option<MetricFamily> {
    let metrics = stored.get(family.name)?.iter().map(|(text, value)| {
        let mut counter = Counter::default();
        counter.set_value(*value);
        let mut metric = Metric::from_label(labels(text));
        metric.set_counter(counter);
        metric
    });
    family_of(family, MetricType::COUNTER, metrics.collect())
}

/// Puts the buckets of each series together: stored apart, told cumulatively.
fn histogram(
    family: &Family,
    bounds: &[f64],
    stored: &BTreeMap<String, Vec<(String, f64)>>,
) -> Option<MetricFamily> {
    let of = |ending: &str| stored.get(&format!("{}{ending}", family.name));
    let mut buckets: BTreeMap<(String, String), f64> = BTreeMap::new();
    for (text, value) in of("_bucket")? {
        let mut pairs = label::split(text);
        let bound = pairs.pop().map(|(_, bound)| bound.to_owned());
        buckets.insert((label::join(&pairs), bound.unwrap_or_default()), *value);
    }
    let metrics = of("_count")?.iter().map(|(text, count)| {
        let mut sum = 0.0;
        let list = bounds.iter().map(|bound| {
            sum += buckets
                .get(&(text.clone(), bound.to_string()))
                .copied()
                .unwrap_or(0.0);
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(whole(sum));
            bucket
        });
        let list = list.collect();
        let total = of("_sum").and_then(|sums| sums.iter().find(|(labels, _)| labels == text));
        let mut histogram = Histogram::default();
        histogram.set_bucket(list);
        histogram.set_sample_count(whole(*count));
        histogram.set_sample_sum(total.map_or(0.0, |(_, sum)| *sum));
        let mut metric = Metric::from_label(labels(text));
        metric.set_histogram(histogram);
        metric
    });
    let metrics: Vec<Metric> = metrics.collect();
    family_of(family, MetricType::HISTOGRAM, metrics)
}

/// Its length is asked without opening it (see store/open.rs).
fn size(path: &Path) -> f64 {
    std::fs::metadata(path).map_or(0.0, |data| float(data.len()))
}

fn locked<T>(place: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::cast_precision_loss, reason = "counts and sizes for a graph")]
fn float(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "times for a graph")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / SECOND as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count stored as a double"
)]
fn whole(count: f64) -> u64 {
    count as u64
}
