//! Html: one page without outside resources, for browsers, phones, screen readers and mail clients.
//!
//! The page is HTML that is well-formed XML as well. Styles are few and in its head: a mail client that drops them shows plain tables.

use super::picture::Picture;
use super::{Part, Report, Section, draw};
use crate::render::{Style, escape};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2024;--paper:#ffffff;--faint:#5a636d;--line:#d5dae0;--band:#f4f6f8;--bad:#a3291c;--badband:#fdf0ee}
@media (prefers-color-scheme:dark){:root{--ink:#e4e7eb;--paper:#15181c;--faint:#a2abb5;--line:#3a4149;--band:#1d2126;--bad:#ff9c8d;--badband:#2d1c1a}}
body{margin:0 auto;padding:1rem;max-width:72rem;background:var(--paper);color:var(--ink);font:1rem/1.45 system-ui,sans-serif}
h1{font-size:1.5rem;margin:.2em 0}
h2{font-size:1.25rem;margin:2em 0 .3em;padding-bottom:.2em;border-bottom:2px solid var(--line)}
h3{font-size:1.05rem;margin:1.6em 0 .4em}
p,ul{margin:.4em 0}
.bad{color:var(--bad);font-weight:600}
.changes{border:1px solid var(--line);border-left:.4rem solid var(--bad);background:var(--badband);padding:.6rem 1rem;border-radius:.3rem}
.changes li{margin:.35em 0}
.faint,figcaption,summary{color:var(--faint);font-size:.9rem}
.table{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.25em .7em;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);white-space:nowrap}
th{background:var(--band)}
.n{text-align:right}
.w{white-space:normal;overflow-wrap:anywhere;min-width:16em}
figure{margin:.6em 0;overflow-x:auto}
svg{min-width:36rem;max-width:100%;height:auto}
code{font:.85rem/1.4 ui-monospace,monospace;overflow-wrap:anywhere}
details{margin:.4em 0}
@media (max-width:40rem){body{padding:.6rem}th,td{padding:.2em .45em}table{font-size:.85rem}}
@media print{details{display:none}}
";

/// Returns the text as it stands in an element or in an attribute.
fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 16);
    for c in escape::terminal(text).chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            // Characters that no page may have.
            '\u{fffe}' | '\u{ffff}' => shown.push('\u{fffd}'),
            c => shown.push(c),
        }
    }
    shown
}

/// Returns the page.
#[must_use]
pub(super) fn page(report: &Report) -> String {
    let title = escaped(&report.title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n"
    );
    for note in &report.notes {
        let class = if note.is_fault {
            " class=\"bad\""
        } else {
            " class=\"faint\""
        };
        page.push_str(&format!("<p{class}>{}</p>\n", escaped(&note.text)));
    }
    page.push_str("</header>\n<main>\n");
    changed(report, &mut page);
    let mut part = None;
    for section in report
        .shown()
        .filter(|section| !section.table.rows.is_empty())
    {
        if part != Some(section.part) {
            if section.part != Part::Compared {
                page.push_str(&format!("<h2>{}</h2>\n", section.part.title()));
            }
            part = Some(section.part);
        }
        self::section(section, report, &mut page);
    }
    let empty: Vec<String> = report
        .shown()
        .filter(|section| section.table.rows.is_empty())
        .map(|section| escaped(&section.title))
        .collect();
    if !empty.is_empty() {
        page.push_str(&format!(
            "<p class=\"faint\">Without rows: {}.</p>\n",
            empty.join("; ")
        ));
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn changed(report: &Report, page: &mut String) {
    page.push_str("<h2>What changed</h2>\n");
    if report.changes.is_empty() {
        page.push_str(&format!("<p>{}</p>\n", report.nothing_changed()));
        return;
    }
    page.push_str("<ul class=\"changes\">\n");
    for change in &report.changes {
        page.push_str(&format!("<li>{}", escaped(&change.sentence())));
        if let Some(find) = &change.find {
            page.push_str(&format!("<br/><code>{}</code>", escaped(find)));
        }
        page.push_str("</li>\n");
    }
    if report.more_changes > 0 {
        page.push_str(&format!("<li>and {} more</li>\n", report.more_changes));
    }
    page.push_str("</ul>\n");
}

fn section(section: &Section, report: &Report, page: &mut String) {
    let title = escaped(&section.title);
    page.push_str(&format!("<section>\n<h3>{title}</h3>\n"));
    if let Some(picture) = &section.picture {
        figure(picture, page);
    }
    table(section, report, page);
    if let Some(more) = &section.more {
        page.push_str(&format!(
            "<p class=\"faint\">{}: <code>{}</code></p>\n",
            escaped(&more.words()),
            escaped(&more.command)
        ));
    }
    finds(section, report, page);
    page.push_str("</section>\n");
}

fn figure(picture: &Picture, page: &mut String) {
    if let Some(svg) = draw::svg(picture) {
        let title = escaped(&picture.title);
        let svg = svg.replacen(
            "<svg ",
            &format!("<svg role=\"img\" aria-label=\"{title}\" "),
            1,
        );
        page.push_str(&format!(
            "<figure>\n{svg}\n<figcaption>{title}. The table has the numbers.</figcaption>\n</figure>\n"
        ));
    }
}

/// Columns with longer texts are broken into lines; nothing else is.
const WIDE: usize = 40;

/// Returns the classes of the columns and the text of the cells.
fn cells(section: &Section, report: &Report) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let style = Style {
        zone: report.zone(),
        ..Style::default()
    };
    let rows = section.table.rows.iter();
    let texts: Vec<Vec<String>> = rows
        .map(|row| {
            row.iter()
                .map(|cell| super::shown_cell(cell, &style))
                .collect()
        })
        .collect();
    let class = |at: usize| {
        let longest = texts
            .iter()
            .filter_map(|row| row.get(at))
            .map(String::len)
            .max();
        match longest.unwrap_or(0) {
            _ if section.is_numeric(at) => "n",
            longest if longest > WIDE => "w",
            _ => "",
        }
    };
    let classes = (0..section.table.columns.len()).map(class).collect();
    (classes, texts)
}

fn table(section: &Section, report: &Report, page: &mut String) {
    let (classes, texts) = cells(section, report);
    let attribute = |at: usize| match classes.get(at).copied().unwrap_or("") {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    let title = escaped(&section.title);
    page.push_str(&format!(
        "<div class=\"table\" role=\"region\" tabindex=\"0\" aria-label=\"{title}\">\n<table>\n<thead>\n<tr>"
    ));
    for at in 0..section.table.columns.len() {
        let head = escaped(&section.head(at));
        page.push_str(&format!("<th scope=\"col\"{}>{head}</th>", attribute(at)));
    }
    page.push_str("</tr>\n</thead>\n<tbody>\n");
    for row in texts {
        page.push_str("<tr>");
        for (at, text) in row.iter().enumerate() {
            page.push_str(&format!("<td{}>{}</td>", attribute(at), escaped(text)));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n</div>\n");
}

/// The command behind each row, folded away.
fn finds(section: &Section, report: &Report, page: &mut String) {
    if section.finds.iter().all(Option::is_none) {
        return;
    }
    let (_, texts) = cells(section, report);
    page.push_str("<details>\n<summary>The mails behind each row</summary>\n<ul>\n");
    for (row, find) in texts.iter().zip(&section.finds) {
        if let (Some(first), Some(find)) = (row.first(), find) {
            page.push_str(&format!(
                "<li>{}: <code>{}</code></li>\n",
                escaped(first),
                escaped(find)
            ));
        }
    }
    page.push_str("</ul>\n</details>\n");
}
