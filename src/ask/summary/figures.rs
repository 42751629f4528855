//! Figures: the numbers of a report beside those of the spans before, in one statement, and whether those spans can be compared.

use super::{SummaryError, SummaryRequest, logged};
use crate::ask::Ask;
use crate::model::retain::Group;
use crate::model::table::{Cell, Param, Row, Table};
use crate::model::time::{HOUR, Time};
use crate::report::average::value;
use crate::report::span::{BEFORE, Span};
use crate::report::usual::{Figure, Kind};

/// The span and those before it, as rows.
const SPANS: &str = "\
unnest([
        {n: 0, since: $1::TIMESTAMP, until: $2::TIMESTAMP},
        {n: 1, since: $3::TIMESTAMP, until: $4::TIMESTAMP},
        {n: 2, since: $5::TIMESTAMP, until: $6::TIMESTAMP},
        {n: 3, since: $7::TIMESTAMP, until: $8::TIMESTAMP},
        {n: 4, since: $9::TIMESTAMP, until: $10::TIMESTAMP}
    ], recursive := true)";

/// `$1`, `$2`: the span; `$3` to `$10`: the spans before; `$11` to `$13`: host, instance, domain.
const FIGURES: &str = "\
WITH spans AS (
    SELECT {spans}
),
ended AS (
    SELECT {n} AS n, t.status, t.recipient, t.delay
    FROM delivery_to t
    WHERE {within}
        AND $11 IN ('', t.host)
        AND $12 IN ('', t.instance)
        AND ($13 = '' OR ends_with(lower(t.recipient), $13))
        AND t.status IN ('sent', 'bounced', 'expired')
),
received AS (
    SELECT {n} AS n, t.host, coalesce(t.sasl_username, '') AS login, count(*) AS messages, sum(t.size) AS bytes, sum(coalesce(t.nrcpt, 1)) AS recipients
    FROM delivery_from t
    WHERE {within}
        AND $11 IN ('', t.host)
        AND $12 IN ('', t.instance)
        AND ($13 = '' OR ends_with(lower(t.sender), $13))
        AND t.root_id = t.id
        AND t.origin <> 'bounce'
        AND t.status NOT IN ('receiving', 'canceled', 'rejected')
    GROUP BY ALL
),
counted AS (
    SELECT n, 'received' AS what, host AS subject, sum(messages) AS number FROM received GROUP BY ALL
    UNION ALL
    SELECT n, 'bytes_received', '', sum(bytes) FROM received GROUP BY ALL
    UNION ALL
    SELECT n, 'recipients_of_login', login, sum(recipients) FROM received WHERE login <> '' GROUP BY ALL
    UNION ALL
    SELECT n, 'delivered', '', count(*) FROM ended WHERE status = 'sent' GROUP BY ALL
    UNION ALL
    SELECT n, 'delay_p90', '', quantile_disc(delay, 0.9) FROM ended WHERE status = 'sent' GROUP BY ALL HAVING count(delay) >= 20
    UNION ALL
    SELECT n, status, CASE WHEN contains(recipient, '@') THEN lower(split_part(recipient, '@', -1)) ELSE '' END, count(*)
    FROM ended
    WHERE status <> 'sent'
    GROUP BY ALL
    UNION ALL
    SELECT {n}, 'deferrals', CASE WHEN contains(r.recipient, '@') THEN lower(split_part(r.recipient, '@', -1)) ELSE '' END, count(*)
    FROM attempt t
    JOIN delivery_to r ON r.id = t.to_id
    WHERE {within}
        AND $11 IN ('', r.host)
        AND $12 IN ('', r.instance)
        AND ($13 = '' OR ends_with(lower(r.recipient), $13))
        AND t.dsn LIKE '4.%'
    GROUP BY ALL
    UNION ALL
    SELECT {n}, 'rejected', coalesce(t.rule, 'none'), sum(t.count)
    FROM noqueue t
    WHERE {within}
        AND t.action NOT IN ('non-SMTP command', 'Refusing STARTTLS request')
        AND $11 IN ('', t.host)
        AND $12 IN ('', t.instance)
        AND ($13 = '' OR ends_with(lower(coalesce(t.recipient, '')), $13))
    GROUP BY ALL
    UNION ALL
    SELECT {n}, CASE WHEN t.ok THEN 'logins' ELSE 'failed_logins' END, '', sum(t.count)
    FROM auth t
    WHERE {within}
        AND $13 = ''
        AND $11 IN ('', t.host)
        AND $12 IN ('', t.instance)
    GROUP BY ALL
    UNION ALL
    SELECT {n}, 'connections', '', sum(t.count)
    FROM connection t
    WHERE {within}
        AND $13 = ''
        AND $11 IN ('', t.host)
        AND $12 IN ('', t.instance)
    GROUP BY ALL
    UNION ALL
    SELECT s.n, CASE t.level WHEN 'fatal' THEN 'fatals' WHEN 'panic' THEN 'panics' ELSE 'warnings' END, '', sum(t.count)
    FROM event t
    JOIN spans s ON t.last_time >= s.since AND t.first_time < s.until
    WHERE t.level IN ('fatal', 'panic', 'warning', 'error')
        AND $13 = ''
        AND $11 IN ('', t.host)
        AND $12 IN ('', t.instance)
    GROUP BY ALL
),
sums AS (
    SELECT n, what, subject, number FROM counted
    UNION ALL
    SELECT n, what, NULL, sum(number) FROM counted WHERE what NOT IN ('delay_p90', 'bytes_received') GROUP BY ALL
)
SELECT
    what,
    subject,
    max(number) FILTER (WHERE n = 0)::DOUBLE AS now,
    max(number) FILTER (WHERE n = 1)::DOUBLE AS before_1,
    max(number) FILTER (WHERE n = 2)::DOUBLE AS before_2,
    max(number) FILTER (WHERE n = 3)::DOUBLE AS before_3,
    max(number) FILTER (WHERE n = 4)::DOUBLE AS before_4
FROM sums
WHERE n IS NOT NULL
GROUP BY what, subject
HAVING subject IS NULL OR what IN ('received', 'bytes_received', 'delay_p90') OR now > 5
ORDER BY what, subject NULLS FIRST";

/// In which span the time of a row lies.
const SPAN: &str = "CASE WHEN t.time >= $1 AND t.time < $2 THEN 0 WHEN t.time >= $3 AND t.time < $4 THEN 1 \
    WHEN t.time >= $5 AND t.time < $6 THEN 2 WHEN t.time >= $7 AND t.time < $8 THEN 3 WHEN t.time >= $9 AND t.time < $10 THEN 4 END";

/// Whether it lies in one; the first line lets whole blocks of rows be left out.
const WITHIN: &str = "t.time >= least($1::TIMESTAMP, $3::TIMESTAMP, $5::TIMESTAMP, $7::TIMESTAMP, $9::TIMESTAMP)
        AND t.time < $2
        AND (t.time >= $1 OR (t.time >= $3 AND t.time < $4) OR (t.time >= $5 AND t.time < $6) OR (t.time >= $7 AND t.time < $8) OR (t.time >= $9 AND t.time < $10))";

/// What was read of each span, and since when each table has rows. Hours with a line of a host, those of them that the span that is reported
/// has as well, lines, and lines that were lost.
const READ: &str = "\
WITH read AS (
    SELECT s.n, c.host, date_diff('hour', time_bucket(INTERVAL 1 HOUR, s.since), c.hour) AS place, sum(c.lines) AS lines, sum(c.lost) AS lost
    FROM coverage c
    JOIN (
        SELECT {spans}
    ) s ON c.last_time >= s.since AND c.first_time < s.until
    WHERE c.understood > 0
        AND $11 IN ('', c.host)
    GROUP BY ALL
)
SELECT
    n,
    count(*) AS hours,
    count(*) FILTER (WHERE (host, place) IN (SELECT (host, place) FROM read WHERE n = 0)) AS common,
    count(DISTINCT host) AS hosts,
    sum(lines)::BIGINT AS lines,
    sum(lost)::BIGINT AS lost
FROM read
GROUP BY n
ORDER BY n";

/// Since when there is anything.
const OLDEST: &str = "\
SELECT
    (SELECT min(first_time) FROM coverage WHERE understood > 0) AS log,
    (SELECT min(time) FROM delivery_from) AS deliveries,
    (SELECT min(time) FROM noqueue) AS noqueue,
    (SELECT min(time) FROM connection) AS connection,
    (SELECT min(time) FROM auth) AS auth,
    (SELECT min(first_time) FROM event) AS event";

/// What the failures of a domain say: the most frequent text of each. `$1`, `$2`: the span; `$3`: domains; `$4`: host; `$5`: instance.
const SAID: &str = "\
WITH failed AS (
    SELECT
        CASE WHEN t.dsn LIKE '4.%' THEN 'deferrals' ELSE t.status END AS what,
        lower(split_part(r.recipient, '@', -1)) AS domain,
        regexp_replace(regexp_replace(coalesce(t.reason, ''), '^host [^ ]+ (said|refused to talk to me): ', ''), ' \\(in reply to .*$', '') AS text
    FROM attempt t
    JOIN delivery_to r ON r.id = t.to_id
    WHERE t.time >= $1
        AND t.time < $2
        AND $4 IN ('', r.host)
        AND $5 IN ('', r.instance)
        AND (t.dsn LIKE '4.%' OR t.status IN ('bounced', 'expired'))
        AND lower(split_part(r.recipient, '@', -1)) IN (SELECT unnest($3::VARCHAR[]))
),
texts AS (
    SELECT what, domain, left(regexp_replace(text, '<[^<> ]*>|\\[[0-9A-Fa-f.:]+\\]|[^ ]*@[^ ]*|[^ ]*[0-9]{4,}[^ ]*', '...', 'g'), 80) AS text, count(*) AS number
    FROM failed
    GROUP BY ALL
)
SELECT what, domain, max(number) AS number, arg_max(text, (number, text)) AS text
FROM texts
GROUP BY what, domain
ORDER BY what, domain";

fn read() -> String {
    READ.replace("{spans}", SPANS)
}

fn figures(as_logged: bool) -> String {
    let sql = FIGURES
        .replace("{spans}", SPANS)
        .replace("{n}", SPAN)
        .replace("{within}", WITHIN);
    if as_logged { logged::of(&sql) } else { sql }
}

/// The statements of this file.
#[must_use]
pub(super) fn statements() -> Vec<String> {
    vec![
        figures(false),
        figures(true),
        read(),
        OLDEST.to_owned(),
        SAID.to_owned(),
    ]
}

/// What was read of a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Read {
    /// Hours with a line, of each host.
    pub hours: i64,
    /// Those at which the span that is reported has lines, too.
    pub common: i64,
    /// Hosts.
    pub hosts: i64,
    /// Lines.
    pub lines: i64,
    /// Lines that were lost.
    pub lost: i64,
}

/// The figures, and what they are compared with.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Compared {
    /// All of them: sums and parts.
    pub figures: Vec<Figure>,
    /// The spans before, the newest first.
    pub before: Vec<Span>,
    /// Why each of them cannot be compared; none where it can.
    pub unfit: Vec<Option<Unfit>>,
    /// What was read of the span that is reported.
    pub read: Read,
}

/// Why a span before tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The log begins later.
    Begins,
    /// Parts of it were not read.
    Gaps,
    /// Lines were lost.
    Lost,
}

/// Of hours that have lines in the span that is reported, so many may be missing before: a host that writes every hour has them all.
const MOST_MISSING: f64 = 0.1;

/// A share of lost lines that changes no figure.
const MOST_LOST: f64 = 0.01;

impl Compared {
    /// Asks for the figures of the request.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn of(ask: &dyn Ask, request: &SummaryRequest) -> Result<Self, SummaryError> {
        let span = request.span;
        let before = span.before();
        let params = params(request, &before);
        let read = ask.rows(&read(), params.get(..2 * BEFORE + 3).unwrap_or_default())?;
        let reads = reads(&read);
        let oldest = ask.rows(OLDEST, &[])?;
        let oldest = oldest.named().next();
        let log = oldest.and_then(|row| row.time("log"));
        let now = reads.first().copied().unwrap_or_default();
        let length = span.until.since(span.since) / HOUR;
        let is_open_hour = |span: &Span| log.is_none_or(|log| log.since(span.since) > HOUR);
        let unfit: Vec<Option<Unfit>> = before
            .iter()
            .zip(reads.iter().skip(1))
            .map(|(span, read)| match read {
                _ if is_open_hour(span) => Some(Unfit::Begins),
                read => unfit(&now, read, length),
            })
            .collect();
        let table = ask.rows(&figures(request.as_logged), &params)?;
        let is_known = |kind: Kind, place: usize| {
            let span = before.get(place);
            let is_fit = unfit.get(place).is_some_and(Option::is_none);
            is_fit && span.is_some_and(|span| is_kept(request, group(kind), span, oldest))
        };
        let mut figures: Vec<Figure> = table
            .named()
            .filter_map(|row| figure(row, &is_known))
            .collect();
        // One host is the sum.
        if now.hosts <= 1 && !has_many(&figures) {
            figures.retain(|figure| figure.kind != Kind::Received || figure.subject.is_empty());
        }
        complete(&mut figures, &is_known);
        Ok(Self {
            figures,
            before,
            unfit,
            read: now,
        })
    }

    /// Asks what the failures of these domains say: kind of failure, domain, how many, text.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn said(
        ask: &dyn Ask,
        request: &SummaryRequest,
        domains: &[String],
    ) -> Result<Vec<(Kind, String, u64, String)>, SummaryError> {
        if domains.is_empty() {
            return Ok(Vec::new());
        }
        let domains = domains.iter().cloned().map(Param::Text).collect();
        let params = [
            Param::Time(request.span.since),
            Param::Time(request.span.last()),
            Param::List(domains),
            Param::Text(request.host.clone()),
            Param::Text(request.instance.clone()),
        ];
        let table = ask.rows(SAID, &params)?;
        let said = table.named().filter_map(|row| {
            let count = u64::try_from(row.int("number")?).ok()?;
            let text = row.raw("text")?.trim().to_owned();
            let kind = Kind::of(row.raw("what")?)?;
            (!text.is_empty()).then(|| {
                (
                    kind,
                    row.raw("domain").unwrap_or("").to_owned(),
                    count,
                    text,
                )
            })
        });
        Ok(said.collect())
    }
}

fn params(request: &SummaryRequest, before: &[Span]) -> Vec<Param> {
    // Where there is no span before, one in which nothing can be.
    let nothing = (request.span.since, request.span.since);
    let spans = [(request.span.since, request.span.last())]
        .into_iter()
        .chain((0..BEFORE).map(|place| {
            let span = before.get(place);
            span.map_or(nothing, |span| (span.since, span.until))
        }));
    spans
        .flat_map(|(since, until)| [Param::Time(since), Param::Time(until)])
        .chain([
            Param::Text(request.host.clone()),
            Param::Text(request.instance.clone()),
            Param::Text(request.domain_end()),
        ])
        .collect()
}

fn reads(table: &Table) -> Vec<Read> {
    let mut reads = vec![Read::default(); BEFORE + 1];
    for row in table.named() {
        let int = |name: &str| row.int(name).unwrap_or(0);
        let place = usize::try_from(int("n")).ok();
        if let Some(read) = place.and_then(|place| reads.get_mut(place)) {
            *read = Read {
                hours: int("hours"),
                common: int("common"),
                hosts: int("hosts"),
                lines: int("lines"),
                lost: int("lost"),
            };
        }
    }
    reads
}

/// Returns why a span cannot be compared with the one that is reported, of so many hours.
fn unfit(now: &Read, before: &Read, length: i64) -> Option<Unfit> {
    #[expect(clippy::cast_precision_loss, reason = "hours and lines are few enough")]
    let share = |part: i64, of: i64| part as f64 / of.max(1) as f64;
    if share(before.lost, before.lines) > MOST_LOST {
        return Some(Unfit::Lost);
    }
    let is_dense = share(now.hours, (length * now.hosts).max(1)) >= 1.0 - MOST_MISSING;
    let is_read = if is_dense {
        share(before.common, now.hours) >= 1.0 - MOST_MISSING
    } else {
        // A host that is silent for hours: which ones, chance says.
        share(before.hours, now.hours) >= 1.0 / 3.0
    };
    (!is_read).then_some(Unfit::Gaps)
}

const fn group(kind: Kind) -> Group {
    match kind {
        Kind::Rejected => Group::Noqueue,
        Kind::Connections => Group::Connection,
        Kind::Logins | Kind::FailedLogins => Group::Auth,
        Kind::Warnings | Kind::Fatals | Kind::Panics => Group::Event,
        _ => Group::Deliveries,
    }
}

/// Returns whether rows of a group are still there for the span: retention has not reached it, or there is an older one.
fn is_kept(request: &SummaryRequest, group: Group, span: &Span, oldest: Option<Row<'_>>) -> bool {
    let days = i64::from(request.retain.of(group).days());
    let cutoff = Time(request.now.0.saturating_sub(days * crate::model::time::DAY));
    let first = oldest.and_then(|row| row.time(group.name()));
    cutoff <= span.since || first.is_some_and(|first| first < span.since)
}

fn figure(row: Row<'_>, is_known: &dyn Fn(Kind, usize) -> bool) -> Option<Figure> {
    let kind = Kind::of(row.raw("what")?)?;
    // A sum has NULL; a recipient without a domain has an empty one, which is no subject.
    let subject = match row.get("subject") {
        Cell::Text(text) if text.is_empty() && !is_single(kind) => return None,
        Cell::Text(text) => text.clone(),
        _ if is_single(kind) => return None,
        _ => String::new(),
    };
    let number = |name: &str| value(row.get(name)).unwrap_or(0.0);
    let names = ["before_1", "before_2", "before_3", "before_4"];
    let before = names.iter().enumerate().map(|(place, name)| {
        // A delay of nothing is no delay.
        let is_there = kind != Kind::Delay || value(row.get(name)).is_some();
        (is_known(kind, place) && is_there).then(|| number(name))
    });
    Some(Figure {
        kind,
        subject,
        now: number("now"),
        before: before.collect(),
    })
}

/// Figures that have no parts.
const fn is_single(kind: Kind) -> bool {
    matches!(kind, Kind::Delay | Kind::Bytes)
}

fn has_many(figures: &[Figure]) -> bool {
    let hosts = figures
        .iter()
        .filter(|figure| figure.kind == Kind::Received && !figure.subject.is_empty());
    hosts.count() > 1
}

/// Adds the sums that nothing was counted for, and sorts by what people read first.
fn complete(figures: &mut Vec<Figure>, is_known: &dyn Fn(Kind, usize) -> bool) {
    for kind in Kind::ALL {
        let is_sum = |figure: &Figure| figure.kind == kind && figure.subject.is_empty();
        if kind != Kind::Delay && !figures.iter().any(is_sum) {
            figures.push(Figure {
                kind,
                subject: String::new(),
                now: 0.0,
                before: (0..BEFORE)
                    .map(|place| is_known(kind, place).then_some(0.0))
                    .collect(),
            });
        }
    }
    let rank = |kind: Kind| Kind::ALL.iter().position(|other| *other == kind);
    figures.sort_by(|a, b| {
        rank(a.kind)
            .cmp(&rank(b.kind))
            .then_with(|| a.subject.cmp(&b.subject))
    });
}
