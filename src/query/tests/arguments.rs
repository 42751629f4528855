//! What the shell hands over, and what query text becomes of it.

use crate::query::args::join;
use crate::query::protect;

#[test]
fn arguments_with_blanks_are_judged_by_their_form() {
    for (args, text) in [
        (
            &["alice@example.org", "status:sent"][..],
            "alice@example.org status:sent",
        ),
        (&["subject:annual report"], "subject:\"annual report\""),
        (&["-text:user unknown"], "-text:\"user unknown\""),
        (&["since:2 hours ago", "to:a"], "since:\"2 hours ago\" to:a"),
        (
            &["date:2026-11-20 10:00..2026-11-20 12:00"],
            "date:\"2026-11-20 10:00\"..\"2026-11-20 12:00\"",
        ),
        (&["date:2026-11-20 10:00.."], "date:\"2026-11-20 10:00\".."),
        (&["delay:>1h 30min"], "delay:>\"1h 30min\""),
        (&["to:alice postfix"], "to:alice postfix"),
        (&["mailbox full"], "\"mailbox full\""),
        (&["said \"no\\way\""], "said \"no\\way\""),
        (&["back\\slash here"], "\"back\\\\slash here\""),
        (&["to:a OR from:b"], "to:a OR from:b"),
        (
            &["a@example.org -status:sent"],
            "a@example.org -status:sent",
        ),
        (&["NOT to:a"], "NOT to:a"),
        (&["(to:a OR to:b)"], "(to:a OR to:b)"),
        (&["subject:\"a b\" to:c"], "subject:\"a b\" to:c"),
        (
            &["text:/user (unknown|gone)/i"],
            "text:/user (unknown|gone)/i",
        ),
        (&["/no such user/"], "/no such user/"),
        (
            &["host mx.example.com said: 550 no"],
            "\"host mx.example.com said: 550 no\"",
        ),
        (&["", "a", " "], "a"),
    ] {
        assert_eq!(join(args), text, "{args:?}");
    }
}

#[test]
fn addresses_in_quotes_and_days_in_words_stay_whole() {
    for (args, text) in [
        (
            &["\"john smith\"@example.org"][..],
            "\"john smith\"@example.org",
        ),
        (
            &["<\"john smith\"@example.org>"],
            "<\"john smith\"@example.org>",
        ),
        (
            &["to:<\"john smith\"@example.org>"],
            "to:<\"john smith\"@example.org>",
        ),
        (
            &["from:\"Mary Poppins\"@example.com"],
            "from:\"Mary Poppins\"@example.com",
        ),
        (
            &["-to:\"john smith\"@example.org"],
            "-to:\"john smith\"@example.org",
        ),
        (
            &["\"a b\"@example.org, \"c,d\"@example.org"],
            "\"a b\"@example.org,\"c,d\"@example.org",
        ),
        (
            &["/C=DE/A=DBP/P=X/S=Meier/@x400.example.org"],
            "/C=DE/A=DBP/P=X/S=Meier/@x400.example.org",
        ),
        (
            &["a@example.org", "Nov", "24"],
            "a@example.org date:\"Nov 24\"",
        ),
        (&["24", "Nov", "2026", "x"], "date:\"24 Nov 2026\" x"),
        (&["NOT", "last", "week"], "NOT date:\"last week\""),
        (&["last week"], "date:\"last week\""),
        (
            &["a@example.org last week"],
            "a@example.org date:\"last week\"",
        ),
        (&["a@example.org monday"], "a@example.org monday"),
        (&["since:last week"], "since:\"last week\""),
        (&["no such user last week"], "\"no such user last week\""),
        (&["last", "words"], "last words"),
    ] {
        assert_eq!(join(args), text, "{args:?}");
    }
}

fn protected(args: &[&str]) -> Vec<String> {
    protect(args.iter().map(Into::into))
        .into_iter()
        .map(|arg| arg.into_string().unwrap())
        .collect()
}

#[test]
fn negated_terms_are_no_flags_and_stay_in_their_place() {
    assert_eq!(
        protected(&["find", "-status:sent", "OR", "a", "-o", "json"]),
        ["find", "NOT status:sent", "OR", "a", "-o", "json"]
    );
    assert_eq!(protected(&["-subject:a b"]), ["NOT subject:\"a b\""]);
    assert_eq!(protected(&["-statsu:x"]), ["NOT statsu:x"]);
}

#[test]
fn flags_and_what_follows_two_dashes_stay() {
    for arg in [
        "-S10:30", "-n5", "--since", "--db=x:y", "-", "-ojson", "-x:y", "-é:x",
    ] {
        assert_eq!(protected(&[arg]), [arg]);
    }
    assert_eq!(protected(&["--", "-to:a"]), ["--", "-to:a"]);
}
