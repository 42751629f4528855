//! Listings of Postfix 3.7 as they were printed, and what people and attackers make of them.

use super::super::filter::Present;
use super::super::{defer, postcat, sheet};
use super::*;
use crate::model::table::Cell;
use crate::render::{self, Format, Style};

const TEXT: &str = "\
----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------
4jc6Pz2LgJz1SS28!#     328 Sat Nov 28 10:45:43 alice@late.test
                       (connect to 127.0.0.1[127.0.0.1]:1: Connection refused)
                                               \"(paren)\"@late.test
                                               \"john smith\"@late.test
                                                  (mail transport unavailable)
                                               \"a@b\"@nowhere.test

4jc6Pz2Mjhz1SS2D*      314 Sat Nov 28 10:45:43 jörg@late.test
                                               müller@bücher.test
                                              (Test (with (nested) parentheses))
                                               user
                                                                            ()
                                               later@example.org

4jc6Pz1sFKz1SS0y       305 Fri Nov  6 00:00:00 MAILER-DAEMON
                                               bob@late.test

-- 1 Kbytes in 3 Requests.
";

#[test]
fn a_text_listing_gives_its_mails() {
    let (mails, odd) = read(TEXT);
    assert_eq!(odd, []);
    let lines: Vec<String> = mails.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "4jc6Pz2LgJz1SS28 hold# 328 2026-11-28 10:45:43 +00:00 <alice@late.test> -> \"(paren)\"@late.test (connect to 127.0.0.1[127.0.0.1]:1: Connection refused), \"john smith\"@late.test (connect to 127.0.0.1[127.0.0.1]:1: Connection refused), \"a@b\"@nowhere.test (mail transport unavailable)",
            "4jc6Pz2Mjhz1SS2D active 314 2026-11-28 10:45:43 +00:00 <jörg@late.test> -> müller@bücher.test, user (Test (with (nested) parentheses)), later@example.org",
            "4jc6Pz1sFKz1SS0y deferred 305 2026-11-06 00:00:00 +00:00 <> -> bob@late.test",
        ]
    );
}

#[test]
fn a_json_listing_gives_the_same() {
    let (mails, odd) = read(
        r#"{"queue_name": "hold", "queue_id": "4jc6Pz2LgJz1SS28", "arrival_time": 1795862743, "message_size": 328, "forced_expire": true, "sender": "alice@late.test", "recipients": [{"address": "\"(paren)\"@late.test", "delay_reason": "connect to 127.0.0.1[127.0.0.1]:1: Connection refused"}, {"address": "\"john smith\"@late.test", "delay_reason": "connect to 127.0.0.1[127.0.0.1]:1: Connection refused"}, {"address": "\"a@b\"@nowhere.test", "delay_reason": "mail transport unavailable"}]}
{"queue_name": "active", "queue_id": "4jc6Pz2Mjhz1SS2D", "arrival_time": 1795862743, "message_size": 314, "forced_expire": false, "sender": "jörg@late.test", "recipients": [{"address": "müller@bücher.test"}, {"address": "user", "delay_reason": "Test (with (nested) parentheses)"}, {"address": "later@example.org", "delay_reason": ""}]}
{"queue_name": "deferred", "queue_id": "4jc6Pz1sFKz1SS0y", "arrival_time": 1793923200, "message_size": 305, "forced_expire": false, "sender": "MAILER-DAEMON", "recipients": [{"address": "bob@late.test"}]}
"#,
    );
    assert_eq!(odd, []);
    assert_eq!(mails, read(TEXT).0);
}

#[test]
fn nothing_stops_a_listing_and_what_is_odd_is_kept() {
    let (mails, odd) = read(
        "postqueue: warning: Mail system is down\n\
         Mail queue is empty\n\
         {\"queue_name\": \"incoming\", \"queue_id\": \"A1\", \"arrival_time\": \"x\", \"message_size\": -1, \"new\": [1]}\n\
         {\"queue_name\": \"active\", \"que\n\
         {\"queue_name\": \"active\"}\n\
         [{\"queue_name\": \"later\", \"queue_id\": \"B2\", \"arrival_time\": 1.7e9, \"message_size\": 5, \"sender\": \"\", \"recipients\": [{\"address\": \"a\"}]}]\n\
         \n\
         ABCDEF12      99 Foo Bar 77 99:99:99 x@example.org\n\
         \x20        y@example.org\n\
         AB 5 Sat Nov 28 10:45:43\n\
         some line that is none\n\
         -- 1 Kbytes in 9 Requests.\n",
    );
    let lines: Vec<String> = mails.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "A1 incoming - - <?> -> ",
            "B2 later 5 2023-11-14 22:13:20 +00:00 <> -> a",
            "ABCDEF12 deferred 99 - <x@example.org> -> y@example.org",
            "AB deferred 5 2026-11-28 10:45:43 +00:00 <?> -> ",
        ]
    );
    assert_eq!(mails.iter().filter(|mail| mail.odd.is_some()).count(), 3);
    let odd: Vec<String> = odd
        .iter()
        .map(|o| format!("{}: {}", o.line, o.why))
        .collect();
    assert_eq!(
        odd,
        [
            "1: not a line of a queue listing",
            "4: an object that is cut off",
            "5: an object without a queue_id",
            "11: not a line of a queue listing",
        ]
    );
}

#[test]
fn a_footer_that_tells_another_number_is_odd() {
    let (mails, odd) = read(&TEXT.replace("in 3 Requests", "in 4 Requests"));
    assert_eq!(mails.len(), 3);
    assert_eq!(odd.len(), 1);
    // Without its header the listing is a part that somebody cut out.
    let (mails, odd) = read(TEXT.split_once('\n').unwrap().1);
    assert_eq!((mails.len(), odd.len()), (3, 0));
}

#[test]
fn a_recipient_that_looks_like_a_mail_is_none() {
    // As Postfix before 3.5 shows local parts with blanks: without quotes.
    let (mails, odd) = read(
        "0123456789ABCDEF*     328 Sat Nov 28 10:45:43 alice@example.org\n\
         \x20                                              AAAAAAAAAA 9 Sat Nov 28 10:45:43 evil@example.org\n\
         \x20                                              -- 1 Kbytes in 1 Request.@example.org\n\
         \x20                                              -dash@example.org\n",
    );
    assert_eq!(odd, []);
    assert_eq!(mails.len(), 1);
    let addresses: Vec<&str> = mails[0]
        .recipients
        .iter()
        .map(|r| r.address.as_str())
        .collect();
    assert_eq!(
        addresses,
        [
            "AAAAAAAAAA 9 Sat Nov 28 10:45:43 evil@example.org",
            "-- 1 Kbytes in 1 Request.@example.org",
            "-dash@example.org"
        ]
    );
}

#[test]
fn a_listing_that_was_indented_or_trimmed_is_read() {
    let indented: String = TEXT.lines().map(|line| format!("    {line}\r\n")).collect();
    let trimmed: String = TEXT
        .lines()
        .map(|line| format!("{}\n", line.trim()))
        .collect();
    let expected = read(TEXT);
    assert_eq!(read(&indented), expected);
    assert_eq!(read(&trimmed), expected);
}

#[test]
fn ids_short_and_long_and_flags_are_read() {
    for (id, status, expires) in [
        ("A1B2", "deferred", false),
        ("3A1973E542*", "active", false),
        ("3A1973E542!", "hold", false),
        ("3A1973E542#", "deferred", true),
        ("3A1973E542*#", "active", true),
        ("4jc6Pz1sFKz1SS0y!#", "hold", true),
    ] {
        let (mails, _) = read(&format!(
            "{id} 5000000000 Sat Nov 28 10:45:43 a@example.org\n  b@example.org\n"
        ));
        assert_eq!(mails.len(), 1, "{id}");
        assert_eq!(mails[0].status, Status::named(status), "{id}");
        assert_eq!(mails[0].forced_expire, expires, "{id}");
        assert_eq!(mails[0].size, Some(5_000_000_000), "{id}");
        assert!(id.starts_with(mails[0].queue_id.as_str()));
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_kept_as_far_as_they_go() {
    let (mails, _) = read_bytes(b"A1 5 Sat Nov 28 10:45:43 j\xf6rg@example.org\n  b@example.org\n");
    assert_eq!(mails[0].sender.as_deref(), Some("j\u{fffd}rg@example.org"));
}

const POSTCAT: &str = "\
*** ENVELOPE RECORDS hold/4jc6Pz2LgJz1SS28 ***
message_size:             328             832               3               0             328               0
message_arrival_time: Sat Nov 28 10:45:43 2026
create_time: Sat Nov 28 10:47:43 2026
named_attribute: rewrite_context=local
sender: alice@late.test
named_attribute: log_client_name=mail.example.org
named_attribute: log_client_address=192.0.2.7
named_attribute: sasl_username=alice
original_recipient: john smith@late.test
recipient: john smith@late.test
done_recipient: done@late.test
recipient: a\"b@nowhere.test
*** MESSAGE CONTENTS hold/4jc6Pz2LgJz1SS28 ***
Received: from x
\tby y
Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=
*** ENVELOPE RECORDS: nothing
*** HEADER EXTRACTED hold/4jc6Pz2LgJz1SS28 ***
*** MESSAGE FILE END hold/4jc6Pz2LgJz1SS28 ***
*** ENVELOPE RECORDS deferred/4/4jc6Pz1sFKz1SS0y ***
sender: 
create_time: Fri Nov  6 00:00:00 2026
recipient: bob@late.test
*** MESSAGE CONTENTS deferred/4/4jc6Pz1sFKz1SS0y ***
*** MESSAGE FILE END deferred/4/4jc6Pz1sFKz1SS0y ***
";

#[test]
fn queue_files_give_the_same_mails_with_headers_and_client() {
    let mut mails = Vec::new();
    postcat::read(POSTCAT.as_bytes(), &options(), |mail| {
        mails.push(mail);
        Ok(())
    })
    .unwrap();
    defer::apply(
        &mut mails[0],
        "<\"john smith\"@late.test>: old\nrecipient=\"john smith\"@late.test\noffset=651\nreason=old\n\nrecipient=\"john smith\"@late.test\nreason=new\n",
    );
    let lines: Vec<String> = mails.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "4jc6Pz2LgJz1SS28 hold 328 2026-11-28 10:45:43 +00:00 <alice@late.test> -> \"john smith\"@late.test (new), \"a\\\"b\"@nowhere.test",
            "4jc6Pz1sFKz1SS0y deferred - 2026-11-06 00:00:00 +00:00 <> -> bob@late.test",
        ]
    );
    assert_eq!(mails[0].subject().as_deref(), Some("grüße"));
    let client = mails[0].client.as_deref().unwrap();
    assert_eq!(client.user.as_deref(), Some("alice"));
    assert_eq!(client.address.as_deref(), Some("192.0.2.7"));
    assert_eq!(mails[0].headers.as_deref().unwrap()[0].value, "from x by y");
    let mut present = Present::new(options().now, Zone::UTC);
    let mut table = sheet::table(&mails, &mut present);
    sheet::add_headers(&mut table, &mails);
    let mut shown = Vec::new();
    render::table(&table, Format::Json, &Style::default(), &mut shown).unwrap();
    let shown: serde_json::Value = serde_json::Deserializer::from_slice(&shown)
        .into_iter()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(shown["headers"]["Subject"], serde_json::json!(["grüße"]));
    let names = sheet::rank(&mails, "header", &mut present).unwrap();
    assert!(
        names
            .rows
            .contains(&vec![Cell::Text("Subject".into()), Cell::Int(1)])
    );
}

#[test]
fn what_json_tools_make_of_a_listing_gives_the_same_mails() {
    let objects: Vec<serde_json::Value> = (0..3)
        .map(|n| serde_json::json!({"queue_name": "active", "queue_id": format!("4jcLhM1TXyz1STn{n}"), "arrival_time": 1_795_862_743, "message_size": n,
            "forced_expire": false, "sender": "a@example.org", "recipients": [{"address": "{odd}@example.net", "delay_reason": "x"}, {"address": "b@example.net"}]}))
        .collect();
    let lines: Vec<String> = objects.iter().map(ToString::to_string).collect();
    let pretty = |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap();
    let (expected, _) = read(&lines.join("\n"));
    assert_eq!(expected.len(), 3);
    for (what, listing) in [
        (
            "jq -s -c",
            serde_json::Value::from(objects.clone()).to_string(),
        ),
        ("jq -s", pretty(&objects.clone().into())),
        (
            "jq",
            objects.iter().map(pretty).collect::<Vec<_>>().join("\n"),
        ),
        ("without line breaks", lines.concat()),
        (
            "jq --seq",
            lines.iter().map(|line| format!("\x1e{line}\n")).collect(),
        ),
        ("an editor", format!("\u{feff}{}\r\n", lines.join("\r\n"))),
    ] {
        let (mails, odd) = read(&listing);
        assert_eq!(odd, [], "{what}");
        assert_eq!(mails, expected, "{what}");
    }
}

#[test]
fn an_object_over_many_lines_that_has_no_end_takes_nothing_with_it() {
    let whole = r#"{"queue_name": "active", "queue_id": "B2", "arrival_time": 1, "message_size": 5, "sender": "a", "recipients": []}"#;
    let text = TEXT.split_once('\n').unwrap().1;
    let broken = "{\n  \"queue_id\": \"A1\",\n";
    for (rest, count) in [(whole, 1), (text, 3), ("", 0)] {
        let (mails, odd) = read(&format!("{broken}{rest}"));
        assert_eq!(mails.len(), count);
        let told: Vec<(u64, &str)> = odd.iter().map(|odd| (odd.line, odd.why)).collect();
        assert_eq!(told, [(1, "an object that is cut off")]);
    }
}

#[test]
fn an_error_that_was_wrapped_is_one_error() {
    let listing = "\
2A9D5AC1AC     1021 Tue Nov  3 13:21:50  bob@example.org
(host mx.example.net[192.0.2.1] said: 450 4.7.1 <x>:
 Recipient
 address rejected (greylisted))
                                         carol@example.net
(a short one)
                                         dave@example.net

2A9D5AC1AD     1021 Tue Nov  3 13:21:50  bob@example.org
                                         (an error that is cut
                                         carol@example.net
";
    let (mails, odd) = read(listing);
    assert_eq!(odd, []);
    let lines: Vec<String> = mails.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "2A9D5AC1AC deferred 1021 2026-11-03 13:21:50 +00:00 <bob@example.org> -> carol@example.net (host mx.example.net[192.0.2.1] said: 450 4.7.1 <x>: Recipient address rejected (greylisted)), dave@example.net (a short one)",
            "2A9D5AC1AD deferred 1021 2026-11-03 13:21:50 +00:00 <bob@example.org> -> carol@example.net (an error that is cut)",
        ]
    );
    assert_eq!(mails[0].odd, None);
    assert_eq!(mails[1].odd, Some("an error has no end"));
}

#[test]
fn what_is_no_listing_is_known_as_none() {
    let log = "Nov 28 19:59:01 mx postfix/smtp[9941]: 4jcLhM1TXyz1STnB: to=<r27@late.test>, status=deferred (connect)\n";
    for (text, is_listing) in [
        (TEXT, true),
        ("Mail queue is empty\n", true),
        ("[]\n", true),
        (
            "-Queue ID- --Size-- ----Arrival Time---- -Sender/Recipient-------\n",
            true,
        ),
        (
            "postqueue: fatal: Queue report unavailable - mail system is down\n",
            false,
        ),
        (log, false),
        ("{\"a\": 1}\n", false),
        ("", false),
    ] {
        let mut reader = Reader::new(text.as_bytes(), options());
        let mails = (&mut reader).filter(|item| matches!(item, Ok(Item::Mail(_))));
        assert_eq!(mails.count() > 0, text == TEXT, "{text}");
        assert_eq!(reader.is_listing(), is_listing, "{text}");
    }
}
