//! Queue: mails of the queue, their summary and their clusters, for eyes.

use super::Style;
use super::color::{Tone, tone};
use super::escape::terminal;
use super::row;
use super::table::{Drawing, GAP, draw, natural, shorten};
use super::words::{count, when, whole_seconds};
use super::wrap;
use crate::model::time::{DAY, HOUR, MINUTE, SECOND, Time};
use crate::queue::cluster::Cluster;
use crate::queue::filter::{self, Present};
use crate::queue::mail::Mail;
use crate::queue::sheet;
use crate::queue::summary::{Count, Summary};
use chrono::SecondsFormat;
use std::io::{self, Write};
use tabled::grid::util::string::get_string_width;

/// Recipients of a mail that are told one by one; of the others only the number.
const MOST_RECIPIENTS: usize = 20;

/// Returns a length of time in a word: `45s`, `12min`, `3h`, `5d`.
#[must_use]
pub fn age(micros: i64) -> String {
    match micros {
        ..MINUTE => format!("{}s", micros / SECOND),
        MINUTE..HOUR => format!("{}min", micros / MINUTE),
        HOUR..DAY => format!("{}h{:02}", micros / HOUR, micros % HOUR / MINUTE),
        _ => format!("{}d{:02}h", micros / DAY, micros % DAY / HOUR),
    }
}

/// Returns a size in a word: `328`, `12K`, `3.4M`.
#[must_use]
pub fn size(bytes: u128) -> String {
    const UNITS: [&str; 5] = ["K", "M", "G", "T", "P"];
    if bytes < 1024 {
        return bytes.to_string();
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with two digits")]
    let mut number = bytes as f64 / 1024.0;
    let mut unit = 0;
    while number >= 1023.5 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(number < 9.95);
    format!("{number:.digits$}{}", UNITS.get(unit).unwrap_or(&""))
}

fn address(address: Option<&str>) -> String {
    match address {
        None => "-".to_owned(),
        Some("") => "<>".to_owned(),
        Some(address) => terminal(address).into_owned(),
    }
}

fn status(mail: &Mail) -> String {
    let expires = if mail.forced_expire { ", expires" } else { "" };
    format!("{}{expires}", terminal(mail.status.name()))
}

fn recipients(mail: &Mail) -> String {
    let first = mail.recipients.first().map(|r| r.address.as_str());
    let first = address(first);
    match mail.recipients.len() {
        0 | 1 => first,
        more => format!("{first} +{}", more - 1),
    }
}

fn status_tone(mail: &Mail) -> Tone {
    match mail.status.name() {
        "hold" => Tone::Waiting,
        "corrupt" => Tone::Bad,
        name => tone(name),
    }
}

/// Writes a line a mail below headers, or two where the addresses would have to be cut; nothing when there are none.
///
/// # Errors
/// When `out` does not take it.
pub fn list(
    mails: &[Mail],
    present: &mut Present,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    const COLUMNS: [&str; 8] = [
        "queue_id",
        "status",
        "age",
        "size",
        "tries",
        "cause",
        "sender",
        "recipient",
    ];
    /// Place of the status among them, and of the number of attempts.
    const STATUS: usize = 1;
    const TRIES: usize = 4;
    let mut drawing = Drawing {
        columns: COLUMNS.map(str::to_owned).to_vec(),
        rows: Vec::new(),
        right: vec![false, false, true, true, true, false, false, false],
        whole: vec![true; COLUMNS.len()],
        tones: Vec::new(),
    };
    for (i, mail) in mails.iter().enumerate() {
        drawing.tones.push((i, STATUS, status_tone(mail)));
        let history = mail.history.as_ref();
        drawing.rows.push(vec![
            terminal(&mail.queue_id).into_owned(),
            status(mail),
            mail.age(present.now).map_or("-".into(), age),
            mail.size.map_or("-".into(), |bytes| size(bytes.into())),
            history.map_or_else(String::new, |history| history.attempts.to_string()),
            sheet::main_cause(mail, present).unwrap_or_default(),
            address(mail.sender.as_deref()),
            recipients(mail),
        ]);
    }
    if mails.iter().all(|mail| mail.history.is_none()) {
        drawing.drop_column(TRIES);
    }
    let widths = natural(&drawing.columns, &drawing.rows);
    let total: usize = widths.iter().map(|width| width + GAP).sum();
    match style.width.map(usize::from) {
        Some(width) if total > width + GAP => two_lines(&drawing, &widths, style, out),
        _ => draw(drawing, style, out),
    }
}

/// All but the addresses in one line, these below it.
fn two_lines(
    drawing: &Drawing,
    widths: &[usize],
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    const INDENT: usize = 4;
    let beside = drawing.columns.len().saturating_sub(2);
    let cells = |texts: &[String], paint: Option<Tone>| -> String {
        let mut line = String::new();
        for (i, (text, width)) in texts.iter().zip(widths).take(beside).enumerate() {
            let blanks = " ".repeat(width.saturating_sub(get_string_width(text)));
            let is_right = drawing.right.get(i).is_some_and(|right| *right);
            let painted = match paint.filter(|_| i == 1) {
                Some(tone) => tone.paint(text, style.color),
                None => text.clone(),
            };
            let (left, right) = if is_right {
                (blanks.as_str(), "")
            } else {
                ("", blanks.as_str())
            };
            line.push_str(&format!("{left}{painted}{right}{}", " ".repeat(GAP)));
        }
        line.trim_end().to_owned()
    };
    writeln!(out, "{}", cells(&drawing.columns, None))?;
    for (texts, (_, _, tone)) in drawing.rows.iter().zip(&drawing.tones) {
        writeln!(out, "{}", cells(texts, Some(*tone)))?;
        let addresses = texts.get(beside..).unwrap_or_default().join(" -> ");
        for line in wrap::lines(&addresses, INDENT, INDENT, style.width) {
            writeln!(out, "{}{line}", " ".repeat(INDENT))?;
        }
    }
    Ok(())
}

/// Writes one line a mail, for pipes.
///
/// # Errors
/// When `out` does not take it.
pub fn short(mails: &[Mail], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for mail in mails {
        let time = mail.arrival.and_then(|time| style.zone.local(time));
        let time = time.map_or_else(
            || "-".into(),
            |time| time.to_rfc3339_opts(SecondsFormat::Secs, false),
        );
        let bracketed = |address: Option<&str>| {
            address.map_or_else(|| "-".into(), |address| format!("<{}>", terminal(address)))
        };
        let first = mail.recipients.first().map(|r| r.address.as_str());
        let more = match mail.recipients.len() {
            0 | 1 => String::new(),
            more => format!(" +{}", more - 1),
        };
        let reason = sheet::commonest(mail)
            .map_or_else(String::new, |(reason, _)| format!(": {}", terminal(reason)));
        writeln!(
            out,
            "{time} {} {} {} -> {}{more} size={}{reason}",
            status_tone(mail).paint(&status(mail).replace(", ", ","), style.color),
            terminal(&mail.queue_id),
            bracketed(mail.sender.as_deref()),
            bracketed(first),
            mail.size.map_or("-".into(), |size| size.to_string()),
        )?;
    }
    Ok(())
}

/// Writes the present state of a mail: a sentence, what is known of it, and each recipient with its error.
///
/// # Errors
/// When `out` does not take it.
pub fn state(
    mail: &Mail,
    present: &mut Present,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let waiting = i64::try_from(mail.recipients.len()).unwrap_or(i64::MAX);
    let arrived = match (mail.arrival, mail.age(present.now)) {
        (Some(time), Some(age)) => {
            format!(
                "arrived {}, {} ago",
                when(Some(time), style),
                self::age(age)
            )
        }
        _ => "time of arrival not known".to_owned(),
    };
    let sentence = format!("{arrived}; {} waiting", count(waiting, "recipient"));
    writeln!(
        out,
        "{}: {}, {sentence}",
        terminal(&mail.queue_id),
        status_tone(mail).paint(&in_words(mail), style.color),
    )?;
    writeln!(out)?;
    // The story that follows tells where it came from.
    let has_story = mail.history.is_some();
    let mut line = |name: &str, value: Option<String>| match value {
        Some(value) if !value.is_empty() => wrap::wrapped(
            &format!("  {name:<10}"),
            &value,
            12,
            Tone::Plain,
            style,
            out,
        ),
        _ => Ok(()),
    };
    if !has_story {
        line("sender", Some(address(mail.sender.as_deref())))?;
        line("size", mail.size.map(|size| format!("{size} bytes")))?;
        line(
            "message",
            sheet::message_id(mail).map(|id| terminal(&id).into_owned()),
        )?;
        line("client", client(mail))?;
    }
    line("subject", mail.subject().map(|s| terminal(&s).into_owned()))?;
    line(
        "login",
        filter::user(mail).map(|user| terminal(user).into_owned()),
    )?;
    if let Some(history) = mail.history.as_ref() {
        line("attempts", Some(history.attempts.to_string()))?;
        let time = |time: Option<Time>| time.map(|_| when(time, style));
        line(
            "deferred",
            time(history.first_deferral).map(|t| format!("first {t}")),
        )?;
        line(
            "next",
            time(history.next_attempt).map(|t| format!("attempt not before {t}")),
        )?;
    }
    line("odd", mail.odd.map(str::to_owned))?;
    writeln!(out)?;
    waiting_recipients(mail, present, style, out)
}

fn in_words(mail: &Mail) -> String {
    let words = match mail.status.name() {
        "hold" => "on hold".to_owned(),
        "corrupt" => "corrupt".to_owned(),
        name => format!("in the queue {}", terminal(name)),
    };
    if mail.forced_expire {
        format!("{words}, forced to expire")
    } else {
        words
    }
}

fn client(mail: &Mail) -> Option<String> {
    let shown = |text: &str| terminal(text).into_owned();
    match filter::client(mail) {
        (None, None) => None,
        (Some(name), None) => Some(shown(name)),
        (None, Some(address)) => Some(format!("[{}]", shown(address))),
        (Some(name), Some(address)) => Some(format!("{}[{}]", shown(name), shown(address))),
    }
}

fn waiting_recipients(
    mail: &Mail,
    present: &mut Present,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for recipient in mail.recipients.iter().take(MOST_RECIPIENTS) {
        let start = format!("  {}", address(Some(&recipient.address)));
        match recipient.reason.as_deref() {
            None => writeln!(out, "{start}: no error so far")?,
            Some(reason) => {
                let cause = filter::cause(reason, present);
                let text = format!("{cause}: {}", terminal(reason));
                wrap::wrapped(&format!("{start}: "), &text, 4, Tone::Plain, style, out)?;
            }
        }
    }
    let more = mail.recipients.len().saturating_sub(MOST_RECIPIENTS);
    if more > 0 {
        writeln!(out, "  and {more} more; -o json tells all")?;
    }
    Ok(())
}

/// Writes the headers of a mail, the subject decoded.
///
/// # Errors
/// When `out` does not take it.
pub fn headers(mail: &Mail, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for header in mail.headers.iter().flat_map(|headers| headers.iter()) {
        let value = if header.name.eq_ignore_ascii_case("subject") {
            header.decoded()
        } else {
            header.value.clone()
        };
        let start = format!("  {}: ", terminal(&header.name));
        wrap::wrapped(&start, &terminal(&value), 4, Tone::Plain, style, out)?;
    }
    Ok(())
}

/// Writes the summary; `from` says where the listing came from.
///
/// # Errors
/// When `out` does not take it.
pub fn summary(
    summary: &Summary,
    time: Time,
    from: &str,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (average, largest, smallest) = summary.sizes();
    let [day, days, older, unknown] = summary.ages();
    writeln!(
        out,
        "mail queue at {}, {}",
        style.zone.show(whole_seconds(time)),
        terminal(from)
    )?;
    writeln!(out)?;
    let mut line = |name: &str, value: String| writeln!(out, "  {name:<29}{value}");
    line("mails", summary.mails().to_string())?;
    line("size", format!("{} bytes", summary.size()))?;
    line("average size", format!("{} bytes", rounded(average)))?;
    line("largest, smallest", format!("{largest}, {smallest} bytes"))?;
    line("younger than a day", day.to_string())?;
    line("1 to 4 days old", days.to_string())?;
    line("older than 4 days", older.to_string())?;
    if unknown > 0 {
        line("of unknown age", unknown.to_string())?;
    }
    if let Some(oldest) = summary.oldest() {
        line("oldest", style.zone.show(oldest))?;
    }
    for (status, count) in summary.statuses() {
        line(&terminal(status.name()), count.to_string())?;
    }
    if summary.forced_expire() > 0 {
        line("forced to expire", summary.forced_expire().to_string())?;
    }
    let (waiting, _) = summary.waiting();
    line("recipients waiting", waiting.to_string())?;
    let names = [
        "senders",
        "sender domains",
        "recipients",
        "recipient domains",
    ];
    for (name, number) in names.iter().zip(summary.different()) {
        line(&format!("different {name}"), number.to_string())?;
    }
    for (name, counts) in summary.top() {
        if !counts.is_empty() {
            top(&name.replace('_', " "), &counts, style, out)?;
        }
    }
    Ok(())
}

fn top(name: &str, counts: &[Count], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out)?;
    writeln!(out, "top {name}")?;
    let digits = counts.iter().map(|c| c.count.to_string().len()).max();
    let digits = digits.unwrap_or(1);
    for entry in counts {
        let start = format!("  {:>digits$}  ", entry.count);
        wrap::wrapped(
            &start,
            &terminal(&entry.name),
            digits + 4,
            Tone::Plain,
            style,
            out,
        )?;
    }
    Ok(())
}

fn rounded(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Writes the clusters, at most so many.
///
/// # Errors
/// When `out` does not take it.
pub fn clusters(
    clusters: &[Cluster],
    most: usize,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for cluster in clusters.iter().take(most) {
        let span = match cluster.span {
            None => String::new(),
            Some((first, last)) => format!(
                ", {} to {}",
                row::time(whole_seconds(first), style.zone),
                row::time(whole_seconds(last), style.zone)
            ),
        };
        writeln!(
            out,
            "{}, {}, {}{span}",
            count(i64::try_from(cluster.mails).unwrap_or(i64::MAX), "mail"),
            count(
                i64::try_from(cluster.recipients).unwrap_or(i64::MAX),
                "recipient"
            ),
            size(cluster.size),
        )?;
        for (dimension, value, mails) in &cluster.shared {
            let all = if *mails == cluster.mails {
                String::new()
            } else {
                format!(" ({mails})")
            };
            let room = usize::from(style.width.unwrap_or(u16::MAX)).saturating_sub(16);
            let value = shorten(&terminal(value), room.max(8));
            writeln!(out, "  {:<12}{value}{all}", dimension.name())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_sizes_are_words() {
        let seconds = [0, 59, 60, 3599, 3600, 86_399, 86_400, 900_000];
        let ages = seconds.map(|n| age(n * SECOND));
        assert_eq!(
            ages,
            [
                "0s", "59s", "1min", "59min", "1h00", "23h59", "1d00h", "10d10h"
            ]
        );
        let sizes = [0, 1023, 1024, 10_189, 10_240, 1_048_576, 5_000_000_000].map(size);
        assert_eq!(sizes, ["0", "1023", "1.0K", "10K", "10K", "1.0M", "4.7G"]);
    }
}
