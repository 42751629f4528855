//! Settings of a session: what PostgreSQL's clients set and ask without meaning harm. DuckDB's own are out of reach.

use super::failure::Failure;
use super::message::Transaction;
use std::collections::BTreeMap;
use std::time::Duration;

/// Version of PostgreSQL that clients are told: what its catalog is like here.
pub(super) const VERSION: &str = "15.0";
/// Our own client sets it: cells come packed, errors whole, statements are not rewritten.
pub(super) const CELLS: &str = "maillog.cells";

/// Settings that clients are told of when they begin, and when they change.
const REPORTED: [(&str, &str); 11] = [
    ("application_name", "application_name"),
    ("client_encoding", "client_encoding"),
    ("datestyle", "DateStyle"),
    (
        "default_transaction_read_only",
        "default_transaction_read_only",
    ),
    ("integer_datetimes", "integer_datetimes"),
    ("intervalstyle", "IntervalStyle"),
    ("is_superuser", "is_superuser"),
    ("server_encoding", "server_encoding"),
    ("server_version", "server_version"),
    ("standard_conforming_strings", "standard_conforming_strings"),
    ("timezone", "TimeZone"),
];

/// Known settings with their defaults; setting one of those that are fixed changes nothing.
const KNOWN: [(&str, &str); 52] = [
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("check_function_bodies", "on"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("constraint_exclusion", "partition"),
    ("datestyle", "ISO, MDY"),
    ("default_tablespace", ""),
    ("default_transaction_deferrable", "off"),
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_read_only", "on"),
    ("enable_seqscan", "on"),
    ("escape_string_warning", "on"),
    ("extra_float_digits", "1"),
    ("geqo", "on"),
    ("idle_in_transaction_session_timeout", "0"),
    ("idle_session_timeout", "0"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("is_superuser", "off"),
    ("jit", "off"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("lc_messages", "C"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("lock_timeout", "0"),
    ("max_connections", "50"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("password_encryption", "scram-sha-256"),
    ("plan_cache_mode", "auto"),
    ("quote_all_identifiers", "off"),
    ("role", "none"),
    ("row_security", "on"),
    ("search_path", "main"),
    ("server_encoding", "UTF8"),
    ("server_version", VERSION),
    ("server_version_num", "150000"),
    ("session_authorization", ""),
    ("session_replication_role", "origin"),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("synchronize_seqscans", "on"),
    ("synchronous_commit", "on"),
    ("timezone", "UTC"),
    ("transaction_deferrable", "off"),
    ("transaction_isolation", "repeatable read"),
    ("transaction_read_only", "on"),
    ("xmloption", "content"),
];

/// Settings that are times, kept in milliseconds.
const DURATIONS: [&str; 3] = [
    "statement_timeout",
    "idle_session_timeout",
    "idle_in_transaction_session_timeout",
];

/// Settings that say how things are.
const FIXED: [&str; 14] = [
    "integer_datetimes",
    "is_superuser",
    "in_hot_standby",
    "lc_collate",
    "lc_ctype",
    "max_connections",
    "max_identifier_length",
    "max_index_keys",
    "server_encoding",
    "server_version",
    "server_version_num",
    "session_authorization",
    "default_transaction_read_only",
    "transaction_read_only",
];

/// The settings of one session.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    changed: BTreeMap<String, String>,
    defaults: BTreeMap<String, String>,
    limits: Limits,
}

/// Time that a statement may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub usual: Duration,
    pub longest: Duration,
}

impl Settings {
    pub(super) fn new(user: &str, limits: Limits) -> Self {
        let mut defaults: BTreeMap<String, String> = KNOWN
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        defaults.insert("session_authorization".to_owned(), user.to_owned());
        defaults.insert(
            "statement_timeout".to_owned(),
            limits.usual.as_millis().to_string(),
        );
        Self {
            changed: BTreeMap::new(),
            defaults,
            limits,
        }
    }

    /// Returns the value of a setting.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        let value = self.changed.get(&name).or_else(|| self.defaults.get(&name));
        value.map(String::as_str)
    }

    /// Returns the value that `SHOW` shows.
    pub(super) fn show(&self, name: &str) -> Option<String> {
        let value = self.get(name)?;
        if DURATIONS.contains(&name.to_ascii_lowercase().as_str()) && value != "0" {
            return Some(format!("{value}ms"));
        }
        Some(value.to_owned())
    }

    /// Returns all settings.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, String)> {
        self.defaults
            .keys()
            .filter_map(|name| Some((name.as_str(), self.show(name)?)))
    }

    /// Makes what a client asks for when it begins the default of its session.
    pub(super) fn begin(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        self.set(name, Some(value))?;
        let name = name.to_ascii_lowercase();
        if let Some(value) = self.changed.remove(&name) {
            self.defaults.insert(name, value);
        }
        Ok(())
    }

    /// Changes a setting; no value restores the default. Returns the name and value to report.
    pub(super) fn set(
        &mut self,
        name: &str,
        value: Option<&str>,
    ) -> Result<Option<(&'static str, String)>, Failure> {
        let name = name.to_ascii_lowercase();
        let is_own = name.contains('.')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "._".contains(c));
        if !is_own && !self.defaults.contains_key(&name) {
            return Err(Failure::new(
                "42704",
                format!("unrecognized configuration parameter {name:?}"),
            )
            .hint("the settings of the database cannot be changed here"));
        }
        match value {
            None => {
                self.changed.remove(&name);
            }
            Some(_) if FIXED.contains(&name.as_str()) => {}
            Some(value) => {
                let value = self.checked(&name, value)?;
                // A client that makes up names is not to fill the memory.
                if self.changed.len() > 200 || value.len() > 1000 {
                    return Err(Failure::new("54000", "too many settings"));
                }
                self.changed.insert(name.clone(), value);
            }
        }
        let reported = REPORTED.iter().find(|(reported, _)| *reported == name);
        Ok(reported.and_then(|(_, shown)| Some((*shown, self.get(&name)?.to_owned()))))
    }

    pub(super) fn reset(&mut self) {
        self.changed.clear();
    }

    /// Returns what clients are told when they begin.
    pub(super) fn reported(&self) -> impl Iterator<Item = (&'static str, &str)> {
        REPORTED
            .iter()
            .filter_map(|(name, shown)| Some((*shown, self.get(name)?)))
    }

    /// Returns how long a statement may take.
    pub(super) fn timeout(&self) -> Duration {
        let millis = self
            .get("statement_timeout")
            .and_then(|text| text.parse().ok());
        let asked = millis.map_or(self.limits.usual, Duration::from_millis);
        if asked.is_zero() {
            self.limits.longest
        } else {
            asked.min(self.limits.longest)
        }
    }

    /// Returns how long the client wishes to be idle at most, and what it is told after that.
    pub(super) fn idle(
        &self,
        transaction: Transaction,
    ) -> Option<(Duration, &'static str, &'static str)> {
        let (name, code, text) = if transaction == Transaction::None {
            (
                "idle_session_timeout",
                "57P05",
                "terminating connection due to idle-session timeout",
            )
        } else {
            (
                "idle_in_transaction_session_timeout",
                "25P03",
                "terminating connection due to idle-in-transaction timeout",
            )
        };
        let millis: u64 = self.get(name)?.parse().ok()?;
        (millis > 0).then(|| (Duration::from_millis(millis), code, text))
    }

    /// Returns whether the client is our own.
    pub(super) fn is_packed(&self) -> bool {
        self.get(CELLS) == Some("packed")
    }

    /// Returns the zone, when the client chose one.
    pub(super) fn zone(&self) -> Option<&str> {
        self.get("timezone")
            .filter(|zone| *zone != "UTC" || self.changed.contains_key("timezone"))
    }

    fn checked(&self, name: &str, value: &str) -> Result<String, Failure> {
        let invalid = || {
            Failure::new(
                "22023",
                format!("invalid value for parameter {name:?}: {value:?}"),
            )
        };
        match name {
            "client_encoding" => {
                let plain = value.replace(['-', '_'], "").to_ascii_uppercase();
                if matches!(plain.as_str(), "UTF8" | "UNICODE" | "SQLASCII" | "AUTO") {
                    return Ok("UTF8".to_owned());
                }
                Err(invalid().hint("text is sent in UTF8"))
            }
            "timezone" => {
                let known: Result<chrono_tz::Tz, _> = value.parse();
                known
                    .map(|zone| zone.name().to_owned())
                    .map_err(|_| invalid().hint("name a zone like Europe/Berlin"))
            }
            // ISO is what is sent, whatever the order of day and month in what is read.
            "datestyle" => Ok("ISO, MDY".to_owned()),
            "intervalstyle" => Ok("postgres".to_owned()),
            "standard_conforming_strings" => Ok("on".to_owned()),
            "statement_timeout" => {
                let asked = duration(value).ok_or_else(invalid)?;
                Ok(asked.min(self.limits.longest).as_millis().to_string())
            }
            "idle_session_timeout" | "idle_in_transaction_session_timeout" => {
                let asked = duration(value).filter(|asked| *asked <= LONGEST_IDLE);
                Ok(asked.ok_or_else(invalid)?.as_millis().to_string())
            }
            _ => Ok(value.to_owned()),
        }
    }
}

/// Longest time that PostgreSQL knows for these settings.
const LONGEST_IDLE: Duration = Duration::from_millis(i32::MAX as u64);

/// Reads `5000`, `5s`, `2min`.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().ok()?;
    let millis = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(millis)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let limits = Limits {
            usual: Duration::from_mins(1),
            longest: Duration::from_mins(10),
        };
        Settings::new("alice", limits)
    }

    #[test]
    fn time_is_bounded() {
        let mut settings = settings();
        for (asked, seconds) in [("5s", 5), ("0", 600), ("1h", 600), ("90000", 90)] {
            settings.set("statement_timeout", Some(asked)).unwrap();
            assert_eq!(settings.timeout().as_secs(), seconds, "{asked}");
        }
        settings.set("STATEMENT_TIMEOUT", None).unwrap();
        assert_eq!(settings.timeout().as_secs(), 60);
        assert!(settings.set("statement_timeout", Some("-1")).is_err());
    }

    #[test]
    fn a_client_may_wish_not_to_be_idle() {
        let mut settings = settings();
        assert_eq!(settings.idle(Transaction::None), None);
        settings.set("idle_session_timeout", Some("2s")).unwrap();
        let (time, code, _) = settings.idle(Transaction::None).unwrap();
        assert_eq!((time, code), (Duration::from_secs(2), "57P05"));
        assert_eq!(settings.idle(Transaction::Open), None);
        settings
            .set("idle_in_transaction_session_timeout", Some("1min"))
            .unwrap();
        assert_eq!(settings.idle(Transaction::Failed).unwrap().1, "25P03");
        assert_eq!(settings.show("idle_session_timeout").unwrap(), "2000ms");
        assert!(settings.set("idle_session_timeout", Some("soon")).is_err());
    }

    #[test]
    fn the_databases_own_settings_are_unknown() {
        for name in [
            "memory_limit",
            "threads",
            "enable_external_access",
            "temp_directory",
            "TimeZone;x",
            "",
        ] {
            let refused = settings().set(name, Some("1")).unwrap_err();
            assert_eq!(refused.code, "42704", "{name}");
        }
    }

    #[test]
    fn what_is_fixed_stays() {
        let mut settings = settings();
        settings.set("transaction_read_only", Some("off")).unwrap();
        settings.set("client_encoding", Some("utf-8")).unwrap();
        assert_eq!(settings.get("transaction_read_only"), Some("on"));
        assert_eq!(
            settings
                .set("client_encoding", Some("LATIN1"))
                .unwrap_err()
                .code,
            "22023"
        );
        assert_eq!(
            settings.set("TimeZone", Some("Europe/Berlin")).unwrap(),
            Some(("TimeZone", "Europe/Berlin".to_owned()))
        );
    }
}
