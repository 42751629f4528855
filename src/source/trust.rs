//! Trust: whether the journal's own fields bear out the identifier that a record claims (grammar 9.4).
//!
//! Limits: the mail owner's uid is not in the journal; any uid below 1000 counts as a system account. Records that
//! another logger passed on (rsyslog, a container runtime) prove nothing either way.

use super::record::Record;
use crate::model::entry::Trust;

/// First uid of ordinary users.
const USERS: u32 = 1000;
/// Programs that log what others wrote.
const RELAYS: &[&str] = &[
    "rsyslogd",
    "syslog-ng",
    "dockerd",
    "docker",
    "conmon",
    "containerd",
    "containerd-shim",
    "podman",
];
/// Programs that any user runs, under the user's own uid and unit.
const USER_PROGRAMS: &[&str] = &[
    "sendmail",
    "postdrop",
    "postqueue",
    "postlog",
    "postmap",
    "mailq",
    "newaliases",
];
/// Daemons and commands of Postfix by the names they log under, in order.
const PROGRAMS: &[&str] = &[
    "anvil",
    "bounce",
    "cleanup",
    "defer",
    "discard",
    "dnsblog",
    "error",
    "flush",
    "lmtp",
    "local",
    "master",
    "nqmgr",
    "oqmgr",
    "pickup",
    "pipe",
    "postlogd",
    "postscreen",
    "postsuper",
    "proxymap",
    "qmgr",
    "qmqpd",
    "scache",
    "showq",
    "smtp",
    "smtpd",
    "spawn",
    "tlsmgr",
    "tlsproxy",
    "trivial-rewrite",
    "verify",
    "virtual",
];

/// Grades a record that claims to come from `ident`.
pub(super) fn grade(record: &Record, ident: &str) -> Trust {
    let Some((_, program)) = ident.rsplit_once('/') else {
        return Trust::Unproven;
    };
    if USER_PROGRAMS.contains(&program) || PROGRAMS.binary_search(&program).is_err() {
        return Trust::Unproven;
    }
    if RELAYS.contains(&record.comm.as_str()) && record.uid == Some(0) {
        return Trust::Unproven;
    }
    if program == "postsuper" && record.uid.is_some_and(|uid| uid != 0) {
        return Trust::Forged;
    }
    let is_postfix = is_postfix_unit(&record.systemd_unit);
    if is_postfix && (program != "postsuper" || record.uid == Some(0)) {
        return Trust::Verified;
    }
    match (record.uid, is_program(record, program)) {
        (Some(USERS..), _) | (_, Some(false)) => Trust::Forged,
        (Some(_), Some(true)) => Trust::Verified,
        _ => Trust::Unproven,
    }
}

/// `postfix.service`, `postfix@-.service`, `postfix@postfix-out.service`.
fn is_postfix_unit(unit: &str) -> bool {
    unit.starts_with("postfix")
        && unit
            .rsplit_once('.')
            .is_some_and(|(_, kind)| kind == "service")
}

/// Tells whether the process was the named program; `None` when the journal did not see it.
fn is_program(record: &Record, program: &str) -> Option<bool> {
    /// Where the kernel cuts the name of a process.
    const COMM_BYTES: usize = 15;
    if record.exe.is_empty() && record.comm.is_empty() {
        return None;
    }
    let file = record.exe.rsplit('/').next().unwrap_or_default();
    let name = program.get(..COMM_BYTES).unwrap_or(program);
    // The queue manager's alternatives log under the name of the service.
    let same = |found: &str| found == program || found.strip_prefix(['n', 'o']) == Some(program);
    Some(same(file) || record.comm == name || same(&record.comm))
}

#[cfg(test)]
mod tests {
    use super::PROGRAMS;

    #[test]
    fn programs_are_in_the_order_that_the_search_needs() {
        assert!(PROGRAMS.is_sorted());
    }
}
