//! Whose line it is: the identifier tells the program, and the program which texts it can write.
//!
//! Postfix: `util/msg_syslog.c`, `global/mail_task.c`: the program is what follows the last slash, whatever
//! `syslog_name` stands in front. A tag that begins with `postfix` is Postfix's even when the program is not known.

use super::{dovecot, loss, neighbour};

/// A program of Postfix, as far as its texts differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// smtpd, qmqpd.
    Smtpd,
    /// postscreen.
    Postscreen,
    /// cleanup.
    Cleanup,
    /// qmgr, nqmgr, oqmgr.
    Qmgr,
    /// pickup.
    Pickup,
    /// bounce, defer, trace.
    Bounce,
    /// smtp, lmtp.
    Smtp,
    /// local, virtual, pipe, error, discard: besides delivery records hardly a word.
    Agent,
    /// postsuper.
    Postsuper,
    /// master.
    Master,
    /// postfix-script.
    Script,
    /// Servers and commands whose info lines have no bearing on mail.
    Other,
    /// The tag says Postfix, the program is hidden: any text is possible.
    Unknown,
}

/// Who wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// Postfix.
    Postfix(Program),
    /// Another mail daemon.
    Neighbour(neighbour::Daemon),
    /// dovecot, in a log file of its own.
    DovecotFile,
    /// journald, rsyslogd.
    Carrier,
    /// Anybody else.
    Foreign,
}

/// Returns who wrote lines under this identifier.
#[must_use]
pub(super) fn origin(ident: &str) -> Origin {
    // A plain loop: identifiers are short, and each line has one.
    let slash = ident.bytes().rposition(|byte| byte == b'/');
    let halves = slash.and_then(|at| Some((ident.get(..at)?, ident.get(at + 1..)?)));
    let (tag, name) = halves.unwrap_or(("", ident));
    // Its lmtpd is no agent of ours.
    if tag == "cyrus" {
        return neighbour::daemon(name)
            .or((name == "lmtp").then_some(neighbour::Daemon::Cyrus))
            .map_or(Origin::Foreign, Origin::Neighbour);
    }
    if !tag.is_empty()
        && let Some(program) = program(name)
    {
        return Origin::Postfix(program);
    }
    if let Some(daemon) = neighbour::daemon(name) {
        return Origin::Neighbour(daemon);
    }
    if ident == "postfix" {
        // Templates of collectors cut the tag at the slash: the text tells.
        return Origin::Postfix(Program::Unknown);
    }
    if ident.starts_with("postfix") {
        let name = name.strip_prefix("postfix-").unwrap_or(name);
        return Origin::Postfix(program(name).unwrap_or(Program::Unknown));
    }
    if loss::is_carrier(name) {
        return Origin::Carrier;
    }
    if dovecot::is_tag(ident) {
        return Origin::DovecotFile;
    }
    Origin::Foreign
}

/// Returns the program of that name. The frequent ones come first.
fn program(name: &str) -> Option<Program> {
    Some(match name {
        "smtpd" | "qmqpd" => Program::Smtpd,
        "qmgr" | "nqmgr" | "oqmgr" => Program::Qmgr,
        "cleanup" => Program::Cleanup,
        "smtp" | "lmtp" => Program::Smtp,
        "postscreen" => Program::Postscreen,
        "local" | "virtual" | "pipe" | "error" | "discard" => Program::Agent,
        "bounce" | "defer" | "trace" => Program::Bounce,
        "pickup" => Program::Pickup,
        "postsuper" => Program::Postsuper,
        "master" => Program::Master,
        "postfix-script" | "script" => Program::Script,
        "dnsblog"
        | "tlsproxy"
        | "anvil"
        | "scache"
        | "verify"
        | "flush"
        | "showq"
        | "tlsmgr"
        | "proxymap"
        | "proxywrite"
        | "trivial-rewrite"
        | "rewrite"
        | "sendmail"
        | "postdrop"
        | "postqueue"
        | "postmap"
        | "postalias"
        | "postlog"
        | "postlogd"
        | "postcat"
        | "postconf"
        | "postkick"
        | "postlock"
        | "postmulti"
        | "posttls-finger"
        | "spawn"
        | "postfix"
        | "post-install"
        | "postfix-files"
        | "postfix-wrapper"
        | "postfix-tls-script"
        | "fsstone"
        | "smtp-sink"
        | "smtp-source"
        | "qmqp-sink"
        | "qmqp-source"
        | "nbdb_reindexd"
        | "postfix-non-bdb-script" => Program::Other,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_component_names_the_program() {
        let cases = [
            ("postfix/smtpd", Origin::Postfix(Program::Smtpd)),
            ("postfix/submission/smtpd", Origin::Postfix(Program::Smtpd)),
            ("postfix-out/relay/smtp", Origin::Postfix(Program::Smtp)),
            ("submission/smtpd", Origin::Postfix(Program::Smtpd)),
            ("mta1/nqmgr", Origin::Postfix(Program::Qmgr)),
            ("postfix/postfix-script", Origin::Postfix(Program::Script)),
            ("/postfix-script", Origin::Foreign),
            ("postfix", Origin::Postfix(Program::Unknown)),
            ("postfix@-.service", Origin::Postfix(Program::Unknown)),
            ("postfix-local", Origin::Postfix(Program::Agent)),
            ("postfix-script", Origin::Postfix(Program::Script)),
            ("postfix/newdaemon", Origin::Postfix(Program::Unknown)),
            ("smtpd", Origin::Foreign),
            ("sendmail", Origin::Foreign),
            ("cron", Origin::Foreign),
            ("", Origin::Foreign),
            ("rsyslogd", Origin::Carrier),
            ("cyrus/lmtp", Origin::Neighbour(neighbour::Daemon::Cyrus)),
            (
                "cyrus/lmtpunix",
                Origin::Neighbour(neighbour::Daemon::Cyrus),
            ),
            ("cyrus/master", Origin::Foreign),
        ];
        for (ident, expected) in cases {
            assert_eq!(origin(ident), expected, "{ident}");
        }
    }
}
