//! Settings: the table `[mail]` and the name of the machine -> who sends, and how.

use super::hand_over::Carrier;
use super::identity::Identity;
use super::mailbox::{Mailbox, address_of};
use super::outgoing::Rules;
use crate::config::Mail;
use crate::model::time::DAY;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// Where sendmail(1) is by custom.
const SENDMAIL: &str = "/usr/sbin/sendmail";

/// Who sends, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Who.
    pub identity: Identity,
    /// How.
    pub rules: Rules,
}

/// Reads the settings; `host` is the name of the machine where they do not say one.
///
/// # Errors
/// When a value is not what it has to be.
pub fn setup(settings: &Mail, host: &str) -> Result<Setup> {
    let fqdn = settings.fqdn.as_deref().unwrap_or(host);
    let fqdn = address_of(&format!("maillog@{fqdn}"))
        .and_then(|address| Some(address.rsplit_once('@')?.1.to_owned()))
        .with_context(|| format!("{fqdn}: not the name of a machine; set fqdn below [mail]"))?;
    let from = match &settings.from {
        Some(from) => Mailbox::parse(from).context("[mail] from")?,
        None => Mailbox::parse(&format!("maillog <maillog@{fqdn}>"))?,
    };
    let envelope = match settings.envelope.as_deref() {
        None => from.address().to_owned(),
        Some("" | "<>") => String::new(),
        Some(envelope) => Mailbox::parse(envelope)
            .context("[mail] envelope")?
            .address()
            .to_owned(),
    };
    for (name, value) in [
        ("per_address", settings.per_address),
        ("per_day", settings.per_day),
        ("give_up_days", settings.give_up_days),
    ] {
        if value == 0 {
            bail!("[mail] {name}: write at least 1");
        }
    }
    Ok(Setup {
        rules: Rules {
            carrier: carrier(settings)?,
            fqdn: fqdn.clone(),
            per_address: settings.per_address.into(),
            per_day: settings.per_day.into(),
            give_up_after: i64::from(settings.give_up_days) * DAY,
        },
        identity: Identity {
            fqdn,
            from,
            envelope,
        },
    })
}

fn carrier(settings: &Mail) -> Result<Carrier> {
    let Some(smtp) = &settings.smtp else {
        let program = settings.sendmail.clone();
        let program = program.unwrap_or_else(|| PathBuf::from(SENDMAIL));
        if !program.is_absolute() {
            bail!(
                "[mail] sendmail: {}: write the whole path",
                program.display()
            );
        }
        return Ok(Carrier::Sendmail(program));
    };
    if settings.sendmail.is_some() {
        bail!("[mail] sendmail and smtp: set one of them");
    }
    let wrong = || format!("[mail] smtp: {smtp}: write host:port, such as localhost:25");
    let (host, port) = smtp.rsplit_once(':').with_context(wrong)?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let port = port.parse().ok().filter(|port| *port != 0);
    if host.is_empty() || host.contains(char::is_whitespace) {
        bail!(wrong());
    }
    Ok(Carrier::Smtp {
        host: host.to_owned(),
        port: port.with_context(wrong)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Setup, String> {
        let settings: Mail = toml::from_str(text).unwrap();
        setup(&settings, "mx1.example.org").map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn the_machine_gives_the_names() {
        let Setup { identity, rules } = read("").unwrap();
        assert_eq!(
            identity.from.to_string(),
            "maillog <maillog@mx1.example.org>"
        );
        assert_eq!(identity.envelope, "maillog@mx1.example.org");
        assert_eq!(
            rules.carrier,
            Carrier::Sendmail("/usr/sbin/sendmail".into())
        );
        assert_eq!(identity.address("bounces"), "bounces@mx1.example.org");
    }

    #[test]
    fn settings_are_taken() {
        let text = "fqdn = \"mail.example.net\"\nfrom = \"Post <post@example.net>\"\nenvelope = \"<>\"\nsmtp = \"[::1]:2525\"";
        let Setup { identity, rules } = read(text).unwrap();
        assert_eq!(identity.from.to_string(), "Post <post@example.net>");
        assert_eq!(identity.envelope, "");
        assert_eq!(identity.fqdn, "mail.example.net");
        let host = "::1".to_owned();
        assert_eq!(rules.carrier, Carrier::Smtp { host, port: 2525 });
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, error) in [
            (
                "from = \"post\"",
                "[mail] from: post: not a mail address; write it as alice@example.org",
            ),
            (
                "envelope = \"post\"",
                "[mail] envelope: post: not a mail address; write it as alice@example.org",
            ),
            (
                "smtp = \"localhost\"",
                "[mail] smtp: localhost: write host:port, such as localhost:25",
            ),
            (
                "smtp = \"localhost:0\"",
                "[mail] smtp: localhost:0: write host:port, such as localhost:25",
            ),
            (
                "smtp = \":25\"",
                "[mail] smtp: :25: write host:port, such as localhost:25",
            ),
            (
                "smtp = \"a:1\"\nsendmail = \"/x\"",
                "[mail] sendmail and smtp: set one of them",
            ),
            (
                "sendmail = \"sendmail\"",
                "[mail] sendmail: sendmail: write the whole path",
            ),
            ("per_day = 0", "[mail] per_day: write at least 1"),
            (
                "fqdn = \"a b\"",
                "a b: not the name of a machine; set fqdn below [mail]",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), error);
        }
    }
}
