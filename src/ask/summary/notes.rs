//! Notes: what was read for a report, and what it is compared with, in sentences.

use super::SummaryRequest;
use super::figures::{Compared, Unfit};
use crate::ask::coverage::{Coverage, NoProof};
use crate::model::time::{DAY, Time};
use crate::report::Note;
use crate::report::usual::{Kind, LEAST_SPANS};

/// More hosts are not named.
const MOST_HOSTS: usize = 5;

impl Compared {
    /// Returns whether enough of the spans before can be compared.
    #[must_use]
    pub(super) fn is_possible(&self) -> bool {
        let fit = self.unfit.iter().filter(|unfit| unfit.is_none());
        fit.count() >= LEAST_SPANS
    }

    /// Returns whether there was no mail at all, not even a refused one.
    fn is_nothing(&self) -> bool {
        let is_mail = |kind: Kind| {
            !matches!(
                kind,
                Kind::Connections | Kind::Logins | Kind::FailedLogins | Kind::Warnings
            )
        };
        let mut mail = self.figures.iter().filter(|figure| is_mail(figure.kind));
        mail.all(|figure| figure.now == 0.0)
    }
}

/// Returns the notes, and whether all of the span was read.
pub(super) fn notes(
    request: &SummaryRequest,
    compared: &Compared,
    coverage: &Coverage,
) -> (Vec<Note>, bool) {
    let (mut notes, is_whole) = read(request, compared, coverage);
    notes.extend(compared_with(request, compared));
    if request.as_logged {
        notes.push(Note::plain(
            "Counted as pflogsumm counts: each hop of a mail is a mail, each delivery line is a recipient.",
        ));
    }
    if let Some(whose) = &request.seen {
        notes.push(Note::plain(format!("You see mail of {whose} only.")));
    }
    let is_cut = |time: Time| time.0.rem_euclid(DAY) != 0;
    if request.span.since.0 > 0 && (is_cut(request.span.since) || is_cut(request.span.until)) {
        notes.push(Note::plain(
            "Warnings, errors and actions are counted by days of UTC: days that the report cuts count whole in those sections.",
        ));
    }
    (notes, is_whole)
}

fn read(request: &SummaryRequest, compared: &Compared, coverage: &Coverage) -> (Vec<Note>, bool) {
    let show = |time: Time| {
        request
            .span
            .zone
            .show(Time(time.0 - time.0.rem_euclid(1_000_000)))
    };
    let window = (Some(request.span.since), Some(request.span.until));
    let mut coverage = coverage.clone();
    coverage
        .hosts
        .retain(|host| request.host.is_empty() || host.name == request.host);
    if coverage.hosts.is_empty() {
        let reach = coverage.reach.map_or(String::new(), |(first, last)| {
            format!(" Log was read from {} to {}.", show(first), show(last))
        });
        let of_host = match request.host.as_str() {
            "" => String::new(),
            host => format!(" of host {host}"),
        };
        let text = format!(
            "No log{of_host} was read for this time: what happened then is not known.{reach}"
        );
        return (vec![Note::fault(text)], false);
    }
    let lines: i64 = coverage.hosts.iter().map(|host| host.lines).sum();
    let first = coverage.hosts.iter().map(|host| host.first).min();
    let last = coverage.hosts.iter().map(|host| host.last).max();
    let (first, last) = (first.map(show), last.map(show));
    let mut notes = Vec::new();
    if compared.is_nothing() {
        notes.push(Note::plain(
            "Nothing happened: log of this time was read, and there is no mail in it.",
        ));
    }
    notes.push(Note::plain(format!(
        "Read: {lines} lines of {}, the first of {}, the last of {}.",
        hosts(&coverage),
        first.unwrap_or_default(),
        last.unwrap_or_default()
    )));
    let mut is_whole = true;
    for doubt in coverage.doubts(window, request.now) {
        let (note, is_missing) = self::doubt(doubt, request, &coverage, &show);
        notes.push(note);
        is_whole &= !is_missing;
    }
    (notes, is_whole)
}

/// Returns the sentence, and whether log may be missing.
fn doubt(
    doubt: NoProof,
    request: &SummaryRequest,
    coverage: &Coverage,
    show: &dyn Fn(Time) -> String,
) -> (Note, bool) {
    let sum = |count: fn(&crate::ask::coverage::Host) -> i64| -> i64 {
        coverage.hosts.iter().map(count).sum()
    };
    match doubt {
        NoProof::Lost => {
            let lost = sum(|host| host.lost);
            let text =
                format!("{lost} lines were lost before they were read: numbers are too low.");
            (Note::fault(text), true)
        }
        NoProof::NotUnderstood => {
            let n = sum(|host| host.not_understood);
            let text = format!("{n} lines were not understood; run maillog status to see them.");
            (Note::plain(text), false)
        }
        NoProof::Gaps => {
            let longest = coverage.gaps.iter();
            let longest = longest
                .filter(|gap| request.host.is_empty() || gap.host == request.host)
                .max_by_key(|gap| gap.to.since(gap.from));
            let longest = longest.map_or(String::new(), |gap| {
                format!(
                    ", the longest time without a line is that of {} from {} to {}",
                    gap.host,
                    show(gap.from),
                    show(gap.to)
                )
            });
            let hours = sum(|host| host.silent_hours);
            let text = format!(
                "{hours} hours have no line{longest}: nothing was logged, or it was not read."
            );
            (Note::plain(text), false)
        }
        NoProof::Begins(first) if request.span.since.0 > 0 => {
            let text = format!("Log that was read begins at {} only.", show(first));
            (Note::fault(text), true)
        }
        NoProof::Begins(first) => {
            let text = format!("Log that was read begins at {}.", show(first));
            (Note::plain(text), false)
        }
        NoProof::Ends(last) => {
            let text = format!(
                "Log that was read ends at {}: what came later is not known.",
                show(last)
            );
            (Note::fault(text), true)
        }
    }
}

fn hosts(coverage: &Coverage) -> String {
    let names: Vec<&str> = coverage
        .hosts
        .iter()
        .take(MOST_HOSTS)
        .map(|host| host.name.as_str())
        .collect();
    let more = coverage.hosts.len().saturating_sub(MOST_HOSTS);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", names.join(", "))
}

fn compared_with(request: &SummaryRequest, compared: &Compared) -> Vec<Note> {
    if compared.before.is_empty() {
        return Vec::new();
    }
    let name = request.span.before_name();
    let unfit: Vec<String> = compared
        .before
        .iter()
        .zip(&compared.unfit)
        .filter_map(|(span, unfit)| Some(format!("{} ({})", span.short(), why((*unfit)?))))
        .collect();
    let not = if unfit.is_empty() {
        String::new()
    } else {
        format!("; not with {}", unfit.join(", "))
    };
    let fit = compared.before.len() - unfit.len();
    let mut notes = Vec::new();
    if compared.is_possible() {
        notes.push(Note::plain(format!("Compared with {name}{not}.")));
    } else {
        notes.push(Note::plain(format!(
            "Too little history to say what is usual: of {name}, {fit} can be compared and {LEAST_SPANS} are needed{not}."
        )));
    }
    notes.extend(forgotten(compared));
    notes
}

const fn why(unfit: Unfit) -> &'static str {
    match unfit {
        Unfit::Begins => "before the log begins",
        Unfit::Gaps => "parts were not read",
        Unfit::Lost => "lines were lost",
    }
}

/// Figures that are not known although the log was read: retention deleted their rows.
fn forgotten(compared: &Compared) -> Option<Note> {
    let is_forgotten = |kind: &Kind| {
        let figures = compared.figures.iter();
        let mut sums = figures.filter(|f| f.kind == *kind && f.subject.is_empty());
        *kind != Kind::Delay
            && sums.any(|figure| {
                let mut pairs = figure.before.iter().zip(&compared.unfit);
                pairs.any(|(number, unfit)| number.is_none() && unfit.is_none())
            })
    };
    let kinds: Vec<String> = Kind::ALL
        .into_iter()
        .filter(is_forgotten)
        .map(|kind| kind.words(""))
        .collect();
    (!kinds.is_empty()).then(|| {
        let kinds = kinds.join(", ");
        Note::plain(format!(
            "Not known any more of all spans before, because rows past retention were deleted: {kinds}."
        ))
    })
}

/// Returns the note about sections that say nothing of a domain.
pub(super) fn left_out(domain: &str, titles: &[String]) -> Option<Note> {
    (!titles.is_empty()).then(|| {
        let titles = titles.join(", ");
        Note::plain(format!(
            "Left out, because they cannot be told apart by domain ({domain}): {titles}."
        ))
    })
}
