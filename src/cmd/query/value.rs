//! Value: what was typed for a parameter, or its default -> what is bound.

use super::Query;
use crate::canned::{Declared, Kind};
use crate::cmd::Context;
use crate::model::table::Param;
use crate::model::time::{DAY, Time};
use crate::model::zone::Zone;
use crate::query::time;
use crate::render::escape;
use anyhow::{Result, anyhow, bail};

/// Returns the value of the parameter.
///
/// # Errors
/// When the text does not fit its type.
pub(in crate::cmd) fn value(query: &Query, declared: &Declared, run: &Context) -> Result<Param> {
    let name = declared.name;
    let given = query.given.get(name).map(String::as_str);
    let text = given.unwrap_or(declared.default).trim();
    Ok(match declared.kind {
        Kind::Time if name == "since" && query.all => Param::Time(Time(0)),
        Kind::Time if name == "until" && given.is_none() && text == "now" => {
            // What is dated in the future belongs to "until now" as well.
            Param::Time(run.now.plus(36_500 * DAY))
        }
        Kind::Time => Param::Time(point(name, text, run.now, run.zone)?),
        Kind::Count => {
            let number: Option<i64> = text.parse().ok().filter(|n| *n >= 0);
            Param::Int(number.ok_or_else(|| anyhow!("--{name}: {text:?} is not a number"))?)
        }
        Kind::Number => {
            let number: Option<f64> = text.parse().ok().filter(|n: &f64| n.is_finite());
            Param::Float(number.ok_or_else(|| anyhow!("--{name}: {text:?} is not a number"))?)
        }
        Kind::Text => Param::Text(text.to_owned()),
        Kind::Domain => Param::Text(domain(name, text)?),
        Kind::Zone if text.is_empty() => Param::Text(zone_name(run.zone)),
        Kind::Zone => {
            let zone = Zone::parse(text).map_err(|error| anyhow!("--{name}: {error}"))?;
            Param::Text(zone_name(zone))
        }
    })
}

/// Returns the time that the text names; the start of a day, month or the like.
///
/// # Errors
/// When it is none.
pub(in crate::cmd) fn point(name: &str, text: &str, now: Time, zone: Zone) -> Result<Time> {
    if text == "all" {
        return Ok(Time(0));
    }
    let unit = time::parse(text, now, zone);
    let unit = unit.ok_or_else(|| anyhow!("--{name}: {text:?} is not a time; {}", time::FORMS))?;
    Ok(unit.start)
}

/// Returns the domain with an `@` before it, or nothing for all.
///
/// # Errors
/// When the text is no domain.
///
/// Addresses are compared with `ends_with`, and with nothing everything ends.
pub(in crate::cmd) fn domain(name: &str, text: &str) -> Result<String> {
    let domain = text.strip_prefix('@').unwrap_or(text).to_lowercase();
    if domain.starts_with('.') || domain.contains(['@', '*', '?', ' ']) {
        bail!("--{name}: {text:?} is not a domain; write it as in example.com");
    }
    Ok(if domain.is_empty() {
        domain
    } else {
        format!("@{domain}")
    })
}

/// Returns the name that the SQL function `in_zone` knows the zone by.
fn zone_name(zone: Zone) -> String {
    match zone {
        Zone::Named(zone) => zone.name().to_owned(),
        Zone::Fixed(offset) => offset.to_string(),
        Zone::System => "localtime".to_owned(),
    }
}

/// Returns the value for eyes.
pub(super) fn show(param: &Param, run: &Context) -> String {
    match param {
        Param::Time(time) => run.zone.show(*time),
        Param::Int(number) => number.to_string(),
        Param::Float(number) => number.to_string(),
        Param::Bool(truth) => truth.to_string(),
        other => escape::terminal(&other.to_string()).into_owned(),
    }
}
