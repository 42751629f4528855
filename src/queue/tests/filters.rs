//! Queries and pymailq's selectors over mails in memory.

use super::super::filter::{self, Present};
use super::super::mail::{Client, Header, History};
use super::super::select::Selectors;
use super::*;
use crate::query;

const LISTING: &str = "\
A1*        100 Sat Nov 28 10:00:00 alice@example.org
          (host mx.example.net[192.0.2.25] said: 452 4.2.2 Mailbox full (in reply to RCPT TO command))
                                  bob@example.net
                                  \"john smith\"@example.net

B2!       2000 Fri Nov 27 10:00:00 MAILER-DAEMON
                                  carol@sub.example.com

C3#      30000 Sun Nov 22 00:00:00 MAILER-DAEMON@example.org
          (connect to mx.example.com[192.0.2.26]:25: Connection timed out)
                                  dave@example.com

D4      400000 Sat Nov 21 23:59:59 jörg@example.org
                                  eve@bücher.example
";

fn mails() -> Vec<Mail> {
    let (mut mails, odd) = read(LISTING);
    assert_eq!(odd, []);
    mails[0].client = Some(Box::new(Client {
        name: Some("mail.client.example".into()),
        address: Some("198.51.100.7".into()),
        user: Some("alice".into()),
    }));
    mails[1].headers = Some(Box::new([
        Header {
            name: "Subject".into(),
            value: "=?utf-8?q?Gr=C3=BC=C3=9Fe?=".into(),
        },
        Header {
            name: "X-Spam".into(),
            value: "Yes, score 9".into(),
        },
    ]));
    mails[2].history = Some(Box::new(History {
        attempts: 7,
        user: Some("carol@example.org".into()),
        ..History::default()
    }));
    mails
}

fn query_options() -> query::Options {
    query::Options {
        now: options().now,
        zone: Zone::UTC,
        since: None,
        until: None,
        all: true,
        limit: None,
        all_hops: false,
    }
}

fn ids(filter: &filter::Filter) -> String {
    let mut present = Present::new(options().now, Zone::UTC);
    let mails = mails();
    let found = mails.iter().filter(|mail| filter.fits(mail, &mut present));
    found
        .map(|mail| mail.queue_id.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_query_finds_mails_as_find_does() {
    for (terms, found) in [
        (&[][..], "A1 B2 C3 D4"),
        (&["from:alice@example.org"], "A1"),
        (&["from:ALICE@Example.ORG"], "A1"),
        (&["from:@example.org"], "A1 C3 D4"),
        (&["from:<>"], "B2"),
        (&["from:MAILER-DAEMON@example.org"], "C3"),
        (&["from:MAILER-DAEMON"], "C3"),
        (&["from:=alice"], ""),
        (&["to:bob@example.net"], "A1"),
        (&["bob@example.net"], "A1"),
        (&["to:\"john smith\"@example.net"], "A1"),
        (&["to:.example.com"], "B2 C3"),
        (&["to:example.com"], "C3"),
        (&["to:eve@xn--bcher-kva.example"], "D4"),
        (&["to:*@example.*"], "A1 C3"),
        (&["-to:bob@example.net"], "B2 C3 D4"),
        (&["NOT", "from:<>", "status:hold"], ""),
        (&["status:hold"], "B2"),
        (&["status:held,active"], "A1 B2"),
        (&["status:!=deferred"], "A1 B2"),
        (&["status:queued"], "A1 B2 C3 D4"),
        (&["status:forced_expire"], "C3"),
        (&["deferred"], "C3 D4"),
        (&["size:>10K"], "C3 D4"),
        (&["size:100..2000"], "A1 B2"),
        (&["size:<=100"], "A1"),
        (&["nrcpt:2"], "A1"),
        (&["reason:full"], "A1"),
        (&["reason:mailbox full"], "A1"),
        (&["mailbox full"], "A1"),
        (&["timed"], "C3"),
        (&["reason:/time.? out/i", "OR", "from:<>"], "B2 C3"),
        (&["cause:full"], "A1"),
        (&["cause:timeout"], "C3"),
        (&["qid:a1"], "A1"),
        (&["qid:B2,D4"], "B2 D4"),
        (&["date:today"], "A1"),
        (&["date:2026-11-27"], "B2"),
        (&["date:2026-11-21..2026-11-22"], "C3 D4"),
        (&["since:2026-11-22"], "A1 B2 C3"),
        (&["until:2026-11-22"], "D4"),
        (&["age:<3h"], "A1"),
        (&["age:>1d"], "B2 C3 D4"),
        (&["age:>1 day"], "B2 C3 D4"),
        (&["age:>1d size:<3000"], "B2"),
        (&["from:@example.org age:>1d"], "C3 D4"),
        (&["age:<1d OR from:<>"], "A1 B2"),
        (&["-age:>1d"], "A1"),
        (&["attempts:>5"], "C3"),
        (&["client:198.51.100.0/24"], "A1"),
        (&["198.51.100.7"], "A1"),
        (&["client:client.example"], "A1"),
        (&["user:alice"], "A1"),
        (&["user:carol"], "C3"),
        (&["subject:grüße"], "B2"),
        (&["header.x-spam:yes"], "B2"),
        (&["header.X-Spam:yes, score"], "B2"),
        (&["-header.x-spam:yes"], "A1 C3 D4"),
        (&["header.x-spam:/^Yes.*9$/"], "B2"),
        (&["(from:<> OR from:alice@example.org) -status:hold"], "A1"),
    ] {
        let reading = filter::read(terms, &query_options());
        let filter = reading
            .unwrap_or_else(|error| panic!("{terms:?}: {error}"))
            .filter;
        assert_eq!(ids(&filter), found, "{terms:?}");
    }
}

#[test]
fn a_wrong_query_is_told_with_its_place() {
    for (text, said) in [
        ("stat:hold", "write status: if that is meant"),
        (
            "status:held OR status:bounced",
            "known are active deferred hold",
        ),
        ("relay:x", "there are to from"),
        ("size:big", "size: takes a size"),
        ("from:", "from: lacks a value"),
        ("(from:a", "( is not closed"),
    ] {
        let error = filter::read(&[text], &query_options())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(said) && error.contains('^'),
            "{text}: {error}"
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn selectors_make_the_same_filters() {
    let list = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    let none = Selectors::default;
    for (selectors, found) in [
        (none(), "A1 B2 C3 D4"),
        (
            Selectors {
                sender: list(&["example.org"]),
                ..none()
            },
            "A1 C3 D4",
        ),
        (
            Selectors {
                sender: list(&["MAILER-DAEMON"]),
                ..none()
            },
            "B2 C3",
        ),
        (
            Selectors {
                sender: list(&["MAILER-DAEMON"]),
                exact: true,
                ..none()
            },
            "B2",
        ),
        (
            Selectors {
                sender: list(&["<>"]),
                ..none()
            },
            "B2",
        ),
        (
            Selectors {
                recipient: list(&["example.net"]),
                ..none()
            },
            "A1",
        ),
        (
            Selectors {
                recipient: list(&["bob@example.net"]),
                exact: true,
                ..none()
            },
            "A1",
        ),
        (
            Selectors {
                recipient: list(&["bob"]),
                exact: true,
                ..none()
            },
            "",
        ),
        (
            Selectors {
                status: list(&["hold,active"]),
                ..none()
            },
            "A1 B2",
        ),
        (
            Selectors {
                status: list(&["deferred"]),
                sender: list(&["org"]),
                ..none()
            },
            "C3 D4",
        ),
        (
            Selectors {
                size: list(&["2000"]),
                ..none()
            },
            "B2",
        ),
        (
            Selectors {
                size: list(&["-2000"]),
                ..none()
            },
            "A1 B2",
        ),
        (
            Selectors {
                size: list(&["+2000"]),
                ..none()
            },
            "B2 C3 D4",
        ),
        (
            Selectors {
                size: list(&["+101", "-30000"]),
                ..none()
            },
            "B2 C3",
        ),
        (
            Selectors {
                size: list(&["+101 -30000"]),
                ..none()
            },
            "B2 C3",
        ),
        (
            Selectors {
                date: Some("2026-11-27".into()),
                ..none()
            },
            "B2",
        ),
        (
            Selectors {
                date: Some("2026-11-21..2026-11-22".into()),
                ..none()
            },
            "D4",
        ),
        (
            Selectors {
                date: Some("+2026-11-22".into()),
                ..none()
            },
            "A1 B2 C3",
        ),
        (
            Selectors {
                date: Some("-2026-11-22".into()),
                ..none()
            },
            "D4",
        ),
        (
            Selectors {
                error: list(&["timed out"]),
                ..none()
            },
            "C3",
        ),
        (
            Selectors {
                header: list(&["x-spam: YES"]),
                ..none()
            },
            "B2",
        ),
        (
            Selectors {
                header: list(&["x-spam=YES"]),
                exact: true,
                ..none()
            },
            "",
        ),
        (
            Selectors {
                qid: list(&["A1,C3", "D4"]),
                ..none()
            },
            "A1 C3 D4",
        ),
    ] {
        let filter = selectors.filter(options().now, Zone::UTC).unwrap();
        assert_eq!(ids(&filter), found, "{selectors:?}");
    }
    for wrong in [
        Selectors {
            size: list(&["big"]),
            ..none()
        },
        Selectors {
            size: list(&["+5", "+6"]),
            ..none()
        },
        Selectors {
            size: list(&["5", "+6"]),
            ..none()
        },
        Selectors {
            size: list(&["+9", "-6"]),
            ..none()
        },
        Selectors {
            date: Some("yesterdy".into()),
            ..none()
        },
        Selectors {
            date: Some("2026-11-22..2026-11-21".into()),
            ..none()
        },
        Selectors {
            status: list(&["bounced"]),
            ..none()
        },
        Selectors {
            header: list(&["x-spam"]),
            ..none()
        },
    ] {
        assert!(wrong.filter(options().now, Zone::UTC).is_err(), "{wrong:?}");
    }
}
