//! What people type, asked of logs that hold it: addresses as the log shows them, SRS, BATV and VERP, ids and relays of the other side,
//! times; and who was asked for comes first.

use crate::program::{Outcome, Place, shared};
use std::fmt::Write as _;

/// A message of one sender: its lines with these deliveries.
fn mail(id: &str, sender: &str, deliveries: &[(&str, &str)]) -> String {
    let n = deliveries.len();
    let mut log = format!(
        "2026-11-27T10:00:00.000000+00:00 mx postfix/smtpd[2]: {id}: client=mail.example.com[192.0.2.1]\n\
         2026-11-27T10:00:00.000001+00:00 mx postfix/cleanup[4]: {id}: message-id=<{id}@example.com>\n\
         2026-11-27T10:00:00.000002+00:00 mx postfix/qmgr[3]: {id}: from=<{sender}>, size=1000, nrcpt={n} (queue active)\n"
    );
    for (to, what) in deliveries {
        writeln!(
            log,
            "2026-11-27T10:00:01.000000+00:00 mx postfix/smtp[4]: {id}: to=<{to}>, {what}"
        )
        .unwrap();
    }
    writeln!(
        log,
        "2026-11-27T10:00:01.010000+00:00 mx postfix/qmgr[3]: {id}: removed"
    )
    .unwrap();
    log
}

fn sent(remote: &str) -> String {
    format!(
        "relay=mx.example.org[192.0.2.25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {remote})"
    )
}

fn filled(log: &str) -> Place {
    let place = Place::filled(&["-"]);
    let file = place.path("mail.log");
    std::fs::write(&file, log).unwrap();
    place.succeed(&["ingest", file.to_str().unwrap()]);
    place
}

fn find(place: &Place, args: &[&str]) -> Outcome {
    place.run(&[&["find", "--now", "2026-11-28T12:00:00Z"], args].concat())
}

/// Expects so many hits of each search.
fn expect_counts(place: &Place, searches: &[(&[&str], usize)]) {
    for (args, count) in searches {
        let outcome = find(place, &[args, &["--all", "-o", "short"][..]].concat());
        assert_eq!(
            outcome.stdout.lines().count(),
            *count,
            "{args:?}: {outcome:?}"
        );
        assert_eq!(outcome.code, Some(i32::from(*count == 0)), "{args:?}");
    }
}

#[test]
fn addresses_are_found_as_the_log_shows_them() {
    let ok = sent("4DB2640C31");
    let log = [
        mail(
            "6A00140001",
            "\"Mary Poppins\"@example.com",
            &[
                ("\"john smith\"@example.org", &ok),
                ("/C=DE/A=DBP/P=X/S=Meier/@x400.example.org", &ok),
                ("\"a,b\"@example.org", &ok),
                ("plain old@example.net", &ok),
            ],
        ),
        mail(
            "6A00140002",
            "J\u{f6}rg@example.com",
            &[("Zoe\u{308}@example.org", &ok)],
        ),
    ]
    .concat();
    let place = filled(&log);
    expect_counts(
        &place,
        &[
            (&["\"john smith\"@example.org"], 1),
            (&["<\"john smith\"@example.org>"], 1),
            (&["to:<\"john smith\"@example.org>"], 1),
            (&["to:\"john smith\"@example.org"], 1),
            (&["to:\"john smith@example.org\""], 1),
            // The shell took the quotes away: read as text first, then as an address.
            (&["john smith@example.org"], 1),
            (&["from:\"Mary Poppins\"@example.com"], 4),
            (&["from:\"Mary Poppins@example.com\""], 4),
            (
                &[
                    "from:<\"Mary Poppins\"@example.com>",
                    "to:@x400.example.org",
                ],
                1,
            ),
            (&["/C=DE/A=DBP/P=X/S=Meier/@x400.example.org"], 1),
            (&["to:/C=DE/A=DBP/P=X/S=Meier/@x400.example.org"], 1),
            (&["/S=Meier.*x400/"], 0),
            (&["to:/S=Meier.*x400/"], 1),
            (&["\"a,b\"@example.org"], 1),
            (&["to:\"a,b@example.org\""], 1),
            (&["\"a,b@example.org\""], 1),
            (&["\"plain old\"@example.net"], 1),
            (&["from:Jo\u{308}rg@example.com"], 1),
            (&["from:J\u{f6}rg@example.com"], 1),
            (&["Zo\u{eb}@example.org"], 1),
            (&["Zoe\u{308}@example.org"], 1),
            (&["to:Zo\u{eb}*"], 1),
        ],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one log, all that is asked of it")]
fn the_sender_within_srs_batv_and_verp_is_found() {
    let ok = sent("4DB2640C31");
    let to = [("bob@example.org", ok.as_str())];
    let senders = [
        "SRS0=xK3d=Xv=example.net=ann@fwd.example.org",
        "srs0+xk3d=xv=example.net=ann@fwd.example.org",
        "SRS1=HHH=first.example==xK3d=Xv=example.net=ann@second.example",
        "prvs=1234567890=ann@example.net",
        "btv1==0123abcd==ann@example.net",
        "list-return-12-alice=example.com@lists.example.org",
        "list-bounces+alice=example.com@lists.example.org",
        "eve@example.net",
    ];
    let mut log = String::new();
    for (n, sender) in senders.iter().enumerate() {
        log.push_str(&mail(&format!("6A0014000{n}"), sender, &to));
    }
    let back = [
        ("SRS0=xK3d=Xv=example.net=ann@fwd.example.org", ok.as_str()),
        ("prvs=1234567890=ann@example.net", ok.as_str()),
        (
            "list-return-12-alice=example.com@lists.example.org",
            ok.as_str(),
        ),
    ];
    for (n, one) in back.iter().enumerate() {
        log.push_str(&mail(&format!("6A0014001{n}"), "", &[*one]));
    }
    let place = filled(&log);
    expect_counts(
        &place,
        &[
            (&["from:ann@example.net"], 5),
            (&["from:ANN@example.net"], 5),
            (&["from:@example.net"], 6),
            (&["-from:ann@example.net", "to:bob@example.org"], 3),
            (&["from:list-return@lists.example.org"], 1),
            (&["from:list-bounces@lists.example.org"], 1),
            (&["ann@example.net"], 2),
            (&["addr:ann@example.net"], 7),
            (&["list-return@lists.example.org"], 1),
            (&["alice@example.com"], 0),
        ],
    );
    let near = find(&place, &["alice@example.com", "--all"]).stderr;
    assert!(
        near.contains("as part of the address of a mailing list or bounce (3): maillog find 'addr:*alice=example.com@*' --all"),
        "{near}"
    );
    expect_counts(&place, &[(&["addr:*alice=example.com@*"], 3)]);
    let story = find(&place, &["from:ann@example.net", "--all", "-o", "story"]).stdout;
    assert!(story.contains("(within: ann@example.net)"), "{story}");
    let hidden = find(&place, &["from:ann@example.net", "--all", "--mask"]).stdout;
    assert!(
        hidden.contains("=example.net=ann@fwd.example.org") && !hidden.contains("bob@"),
        "{hidden}"
    );
    let hidden = find(&place, &["bob@example.org", "--all", "--mask"]).stdout;
    assert!(
        !hidden.contains("ann") && !hidden.contains("alice") && !hidden.contains("eve"),
        "{hidden}"
    );
    place.succeed(&["prune", "--address", "ann@example.net"]);
    let left = "SELECT count(*) FROM delivery_from WHERE contains(lower(concat_ws(' ', sender, orig_sender)), 'ann')";
    assert_eq!(place.number(left), 0);
    let left = "SELECT count(*) FROM delivery_to WHERE contains(lower(concat_ws(' ', recipient, recipient_within)), 'ann')";
    assert_eq!(place.number(left), 0);
    expect_counts(
        &place,
        &[
            (&["from:list-return@lists.example.org"], 1),
            (&["to:bob@example.org"], 8),
        ],
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one log, all that is asked of it")]
fn ids_and_hosts_of_the_other_side_are_found_and_it_is_said_how_they_were_read() {
    let lmtp = "relay=mx.example.org[private/dovecot-lmtp], delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 <c@example.org> Saved)";
    let other = "relay=private/dovecot-lmtp, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 <d@example.org> Saved)";
    let exim = "relay=mx.example.net[198.51.100.7]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 OK id=1aBcDe-000000-XX)";
    let v6 = "relay=mx6.example.net[2001:db8::25]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 OK  1732534862 d2e1a72fcca58-724de55a5desi123456b3a.123 - gsmtp)";
    let log = mail(
        "6A00140001",
        "ann@example.com",
        &[
            ("a@example.org", &sent("4DB2640C31")),
            ("b@example.org", &sent("4fQnFR2wTjz8tX9")),
            ("c@example.org", lmtp),
            ("d@example.org", other),
            ("e@example.net", exim),
            ("f@example.net", v6),
        ],
    );
    let place = filled(&log);
    for (word, count, said) in [
        (
            "4DB2640C31",
            1,
            "nothing found; 4DB2640C31 read as queue id that the next host gave (remote_qid:)",
        ),
        ("4db2640c31", 1, "(remote_qid:)"),
        ("4fQnFR2wTjz8tX9", 1, "(remote_qid:)"),
        ("1aBcDe-000000-XX", 1, "read as text of the reply"),
        (
            "d2e1a72fcca58-724de55a5desi123456b3a.123",
            1,
            "read as text of the reply",
        ),
        ("6A00140001", 6, "read as queue id (qid:)"),
        (
            "mx.example.org",
            3,
            "mx.example.org read as host that the mail was sent to (relay:)",
        ),
        (
            "mx.example.org[192.0.2.25]:25",
            2,
            "read as host that the mail was sent to (relay:)",
        ),
        ("mx6.example.net[2001:db8::25]:25", 1, "(relay:)"),
        (
            "198.51.100.7",
            1,
            "198.51.100.7 read as host that the mail was sent to (relay:)",
        ),
        (
            "private/dovecot-lmtp",
            2,
            "read as host that the mail was sent to (relay:)",
        ),
        ("mail.example.com[192.0.2.1]", 6, "read as client (client:)"),
    ] {
        let outcome = find(&place, &[word, "--all", "-o", "short"]);
        assert_eq!(outcome.stdout.lines().count(), count, "{word}: {outcome:?}");
        assert!(outcome.stderr.contains(said), "{word}: {}", outcome.stderr);
    }
    let near = find(&place, &["example.com", "--all"]);
    assert_eq!(near.code, Some(1));
    assert!(
        near.stderr
            .contains("as sender's domain (6): maillog find from:example.com --all"),
        "{}",
        near.stderr
    );
    let near = find(&place, &["mx6", "--all"]);
    assert_eq!(near.code, Some(1));
    assert!(
        near.stderr
            .contains("as part of a relay's name (1): maillog find relay:mx6 --all"),
        "{}",
        near.stderr
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one log, all that is asked of it")]
fn who_was_asked_for_comes_first_in_a_mail_to_many() {
    for n in [12, 60, 3000] {
        let ok = sent("4DB2640C31");
        let bounced = "relay=mx.example.org[192.0.2.25]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.org[192.0.2.25] said: 550 5.1.1 no such user)";
        let names: Vec<String> = (1..=n).map(|i| format!("r{i}@example.org")).collect();
        let deliveries: Vec<(&str, &str)> = names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                (
                    name.as_str(),
                    if i % 10 == 8 { bounced } else { ok.as_str() },
                )
            })
            .collect();
        let place = filled(&mail("6A00140001", "news@example.com", &deliveries));
        for id in [1, 9, n] {
            for format in ["story", "ticket"] {
                let asked = format!("r{id}@example.org");
                let told = find(&place, &[&asked, "--all", "-o", format]).stdout;
                assert!(told.starts_with(&format!("{asked}: ")), "{told}");
                assert_eq!(id == 9, told.contains("550 5.1.1 no such user"), "{told}");
                assert!(told.contains(" sent"), "{told}");
                assert!(!told.contains("r2@example.org"), "{told}");
                let all = find(&place, &[&asked, "--all", "-o", format, "--all-recipients"]).stdout;
                assert!(all.starts_with(&format!("{asked}: ")), "{all}");
                assert!(
                    names.iter().all(|name| all.contains(name.as_str())),
                    "{all}"
                );
                let masked = find(
                    &place,
                    &[&asked, "--all", "-o", format, "--all-recipients", "--mask"],
                )
                .stdout;
                assert!(masked.starts_with(&format!("{asked}: ")), "{masked}");
                assert!(masked.matches("@example.org").count() > n, "{masked}");
                let other = names.iter().find(|name| **name != asked).unwrap();
                assert!(!masked.contains(&format!(" {other}")), "{masked}");
            }
        }
        let told = find(
            &place,
            &["to:r7@example.org,r9@example.org", "--all", "-o", "story"],
        )
        .stdout;
        let first: Vec<&str> = told
            .lines()
            .map(|line| line.split('@').next().unwrap())
            .take(2)
            .collect();
        assert_eq!(first, ["r7", "r9"], "{told}");
        let told = find(&place, &["@example.org", "--all", "-o", "story"]).stdout;
        assert!(
            names.iter().all(|name| told.contains(&format!("{name}: "))),
            "{told}"
        );
        let told = find(
            &place,
            &[
                "from:news@example.com",
                "status:bounced",
                "--all",
                "-o",
                "story",
            ],
        )
        .stdout;
        assert!(told.starts_with("r9@example.org: bounced"), "{told}");
    }
}

#[test]
fn log_lines_that_are_not_kept_are_nothing_to_print() {
    let place = Place::new();
    let file = place.path("mail.log");
    std::fs::write(
        &file,
        mail(
            "6A00140001",
            "ann@example.com",
            &[("a@example.org", &sent("4DB2640C31"))],
        ),
    )
    .unwrap();
    place.succeed(&["ingest", file.to_str().unwrap()]);
    let kept = find(&place, &["a@example.org", "--all", "-o", "raw"]);
    assert_eq!(kept.code, Some(0), "{kept:?}");
    assert_eq!(kept.stdout.lines().count(), 5, "{kept:?}");
    // A month later they are gone, the delivery is not.
    place.succeed(&[
        "prune",
        "--table",
        "lines",
        "--older-than",
        "1h",
        "--now",
        "2026-12-20T00:00:00Z",
    ]);
    for mask in [&[][..], &["--mask"]] {
        let gone = find(
            &place,
            &[&["a@example.org", "--all", "-o", "raw"], mask].concat(),
        );
        assert_eq!((gone.code, gone.stdout.as_str()), (Some(1), ""), "{gone:?}");
        assert!(
            gone.stderr
                .contains("nothing to print: the log lines of this mail are not stored"),
            "{gone:?}"
        );
    }
}

#[test]
fn cases_from_reports_have_their_right_answers() {
    let Some(cases) = shared("cases/turn02", "reported cases") else {
        return;
    };
    let place = |name: &str| {
        let file = cases.join(name);
        file.is_file()
            .then(|| filled(&std::fs::read_to_string(file).unwrap()))
    };
    let Some((srs, quoted)) = place("12-srs.log").zip(place("30-quoted-local-part.log")) else {
        crate::skip::skip("cases 12 and 30 (not in ../shared/cases/turn02)");
        return;
    };
    let found = find(&srs, &["from:ann@example.net", "--all"]);
    assert!(found.stdout.contains("2C0E1A8001"), "{found:?}");
    let story = find(&srs, &["ann@example.net", "--all", "-o", "story"]).stdout;
    assert!(story.starts_with("ann@example.net"), "{story}");
    for part in [
        "notice of failure about 2C0E1A8001",
        "bad@example.com",
        "7D0F2A8002",
    ] {
        assert!(story.contains(part), "{story}");
    }
    expect_counts(
        &quoted,
        &[
            (&["\"john smith\"@example.org"], 1),
            (&["to:<\"john smith\"@example.org>"], 1),
            (&["<\"john smith\"@example.org>"], 1),
            (&["from:\"Mary Poppins\"@example.com"], 2),
            (&["/C=DE/A=DBP/P=X/S=Meier/@x400.example.org"], 1),
        ],
    );
}
