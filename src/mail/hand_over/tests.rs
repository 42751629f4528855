//! Hand-over to programs and servers that record, refuse and break.

use super::*;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread::JoinHandle;

const PARCEL: Parcel<'_> = Parcel {
    sender: "maillog@mx1.example.org",
    recipient: "-alice@example.org",
    message: "Subject: x\r\n\r\n.\r\n..two\r\nend\r\n",
};

/// A sendmail of this text.
fn program(directory: &Path, text: &str) -> Carrier {
    let file = directory.join("sendmail");
    fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    Carrier::Sendmail(file)
}

fn sendmail_says(text: &str) -> Handed {
    let directory = tempfile::tempdir().unwrap();
    program(directory.path(), text).hand_over(PARCEL, "mx1.example.org")
}

#[test]
fn sendmail_gets_envelope_and_message() {
    let directory = tempfile::tempdir().unwrap();
    let got = directory.path().join("got");
    let text = format!(
        r#"for a; do echo "<$a>"; done > {0}; cat >> {0}"#,
        got.display()
    );
    let handed = program(directory.path(), &text).hand_over(PARCEL, "mx1.example.org");
    assert!(matches!(handed, Handed::Taken(_)), "{handed:?}");
    let expected = "<-i>\n<-f>\n<maillog@mx1.example.org>\n<-->\n<-alice@example.org>\nSubject: x\n\n.\n..two\nend\n";
    assert_eq!(fs::read_to_string(&got).unwrap(), expected);
    let null = Parcel {
        sender: "",
        ..PARCEL
    };
    let _ = program(directory.path(), &text).hand_over(null, "mx1.example.org");
    assert!(fs::read_to_string(&got).unwrap().contains("<-f>\n<<>>\n"));
}

#[test]
fn the_exit_status_decides() {
    assert!(matches!(sendmail_says("exit 0"), Handed::Taken(_)));
    for code in [1, 69, 70, 71, 73, 75, 77, 78, 127] {
        let handed = sendmail_says(&format!("echo no >&2; exit {code}"));
        let Handed::Later(said) = &handed else {
            panic!("{handed:?}");
        };
        assert!(
            said.ends_with(&format!("failed with status {code}: no")),
            "{said}"
        );
    }
    for code in [64, 65, 67, 68] {
        assert!(matches!(
            sendmail_says(&format!("exit {code}")),
            Handed::Never(_)
        ));
    }
    assert!(matches!(sendmail_says("kill -9 $$"), Handed::Unknown(_)));
    let missing = Carrier::Sendmail("/nonexistent/sendmail".into());
    let Handed::Later(said) = missing.hand_over(PARCEL, "x") else {
        panic!();
    };
    assert_eq!(
        said,
        "there is no /nonexistent/sendmail; set sendmail or smtp below [mail]"
    );
}

#[test]
fn a_sendmail_that_may_not_write_is_not_waited_for() {
    let said = "postdrop: warning: mail_queue_enter: create file maildrop/1.2: Permission denied";
    let handed = sendmail_says(&format!("echo '{said}' >&2; sleep 600"));
    let Handed::Later(told) = &handed else {
        panic!("{handed:?}");
    };
    assert!(
        told.contains("may not write to Postfix's queue; the unit"),
        "{told}"
    );
}

/// A server that answers each line by the script, and returns what it read; an empty answer hangs up.
fn server(script: Vec<&'static str>) -> (Carrier, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut writer = stream.try_clone().unwrap();
        let mut lines = BufReader::new(stream).lines();
        let mut got = Vec::new();
        let mut is_data = false;
        for answer in script {
            if answer.is_empty() {
                return got;
            }
            writer
                .write_all(format!("{answer}\r\n").as_bytes())
                .unwrap();
            loop {
                let Some(Ok(line)) = lines.next() else {
                    return got;
                };
                let is_end = line == ".";
                got.push(line);
                if !is_data || is_end {
                    break;
                }
            }
            is_data = got.last().is_some_and(|last| last == "DATA");
        }
        got
    });
    let host = "127.0.0.1".to_owned();
    (Carrier::Smtp { host, port }, serving)
}

#[test]
fn smtp_gets_envelope_and_message() {
    let (carrier, serving) = server(vec![
        "220 x",
        "250 x",
        "250 ok",
        "250 ok",
        "354 go",
        "250 2.0.0 Ok: queued as 4X",
        "221 bye",
    ]);
    let handed = carrier.hand_over(PARCEL, "mx1.example.org");
    let Handed::Taken(said) = &handed else {
        panic!("{handed:?}");
    };
    assert!(said.ends_with(": 250 2.0.0 Ok: queued as 4X"), "{said}");
    let got = serving.join().unwrap();
    let expected = [
        "EHLO mx1.example.org",
        "MAIL FROM:<maillog@mx1.example.org>",
        "RCPT TO:<-alice@example.org>",
        "DATA",
        "Subject: x",
        "",
        "..",
        "...two",
        "end",
        "",
        ".",
        "QUIT",
    ];
    // Whether an empty line stands before the dot is the crate's: it is not part of the mail's lines that count.
    let without: Vec<&String> = got
        .iter()
        .enumerate()
        .filter(|(at, line)| *at < 9 || !line.is_empty())
        .map(|(_, l)| l)
        .collect();
    let expected: Vec<&str> = expected
        .iter()
        .enumerate()
        .filter(|(at, line)| *at < 9 || !line.is_empty())
        .map(|(_, l)| *l)
        .collect();
    assert_eq!(without, expected);
}

#[test]
fn smtp_is_tried_again_unless_it_refuses_for_good() {
    let begin = ["220 x", "250 x"];
    let handed = |rest: &[&'static str]| {
        let (carrier, serving) = server([&begin, rest].concat());
        let handed = carrier.hand_over(PARCEL, "mx1.example.org");
        drop(serving.join());
        handed
    };
    assert!(matches!(
        handed(&["451 4.3.0 later", "221 x"]),
        Handed::Later(_)
    ));
    assert!(matches!(
        handed(&["250 ok", "550 5.1.1 no", "221 x"]),
        Handed::Never(_)
    ));
    assert!(matches!(handed(&["250 ok", ""]), Handed::Later(_)));
    assert!(matches!(
        handed(&["250 ok", "250 ok", "354 go", "554 no", "221 x"]),
        Handed::Never(_)
    ));
    assert!(matches!(
        handed(&["250 ok", "250 ok", "354 go", "452 full", "221 x"]),
        Handed::Later(_)
    ));
    // After the message it may have been taken.
    assert!(matches!(
        handed(&["250 ok", "250 ok", "354 go", ""]),
        Handed::Unknown(_)
    ));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let host = "127.0.0.1".to_owned();
    let handed = Carrier::Smtp { host, port }.hand_over(PARCEL, "x");
    assert!(
        matches!(&handed, Handed::Later(said) if said.contains("refused")),
        "{handed:?}"
    );
}
