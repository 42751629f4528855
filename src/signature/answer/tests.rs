use super::*;
use proptest::prelude::*;

const NOW: i64 = 1_700_000_000;

fn rules() -> Rules {
    let keys = super::super::account::keys("bob : cf88277c5d4abdc0a3f56f416011966d04a3f462\n").list;
    let access = "all : bob : allow\ncheck report ping pong info madeup : anonymous : allow\n";
    Rules {
        access: Access::parse(access, &keys).list,
        keys,
        clock_difference: CLOCK_DIFFERENCE,
    }
}

fn ask(counters: &mut Counters, packet: &str) -> String {
    let answer = answer(&rules(), counters, packet.as_bytes(), NOW).unwrap();
    String::from_utf8(answer.reply).unwrap()
}

fn asked(packet: &str) -> String {
    ask(&mut Counters::new(10), packet)
}

fn signed(fields: &str, key: &str, time: i64) -> String {
    let text = format!("{fields}User: bob\nTime: {time}\n");
    let key = message::hashed_key("bob", key);
    let signature = message::sign(&Packet::parse(text.as_bytes()).signed(), &key, time);
    format!("{text}Sig: {signature}\n\n")
}

const KEY: &str = "cf88277c5d4abdc0a3f56f416011966d04a3f462";

#[test]
fn errors_have_pyzords_codes_and_texts() {
    let of = |packet: &str, code: u16, text: &str, thread: &str| {
        let reply = format!("Code: {code}\nDiag: {text}\nPV: 2.1\nThread: {thread}\n\n");
        assert_eq!(asked(packet), reply, "{packet}");
    };
    of(
        "",
        400,
        "Bad request: Protocol Version not specified in request",
        "",
    );
    of(
        "garbage",
        400,
        "Bad request: Protocol Version not specified in request",
        "",
    );
    of(
        "PV: x\nThread: 5\n",
        400,
        "Bad request: Invalid Protocol Version",
        "5",
    );
    of("PV: 3.1\nThread: 5\n", 505, "Version Not Supported: ", "5");
    of(
        "PV: 2.1\nThread: 5\n",
        403,
        "Forbidden: User is not authorized to request the operation.",
        "5",
    );
    of(
        "Op: whitelist\nPV: 2.1\nThread: 5\n",
        403,
        "Forbidden: User is not authorized to request the operation.",
        "5",
    );
    of(
        "Op: madeup\nPV: 2\nThread: 5\n",
        501,
        "Not implemented: Requested operation is not implemented.",
        "5",
    );
    of(
        "User: eve\nThread: 5\n",
        401,
        "Unauthorized: Signature Error: Unknown user.",
        "5",
    );
    of(
        "User: bob\nTime: x\nThread: 5\n",
        400,
        "Bad request: Invalid time",
        "5",
    );
    of(
        "op:ping\r\nTHREAD: a\r\n b\r\npv: 2\r\n",
        200,
        "OK",
        "a\n b",
    );
}

#[test]
fn signatures_are_verified() {
    let ping = "Op: ping\nThread: 4242\nPV: 2.1\n";
    let code = |packet: &str| asked(packet).lines().nth(1).unwrap().to_owned();
    assert_eq!(code(&signed(ping, KEY, NOW)), "Diag: OK");
    assert_eq!(code(&signed(ping, KEY, NOW - 300)), "Diag: OK");
    let off = "Diag: Unauthorized: Signature Error: Timestamp not within allowed range.";
    assert_eq!(code(&signed(ping, KEY, NOW - 301)), off);
    assert_eq!(code(&signed(ping, KEY, NOW + 301)), off);
    let invalid = "Diag: Unauthorized: Signature Error: Invalid signature.";
    assert_eq!(code(&signed(ping, "00", NOW)), invalid);
    assert_eq!(
        code(&signed(ping, KEY, NOW).replace("4242", "4243")),
        invalid
    );
    assert_eq!(
        code(&signed(ping, KEY, NOW).replace("Sig: ", "Sig: 0")),
        invalid
    );
}

#[test]
fn digests_are_counted_and_told() {
    let mut counters = Counters::new(10);
    let report = "Op: report\nPV: 2.1\nThread: 7\nOp-Digest: a\nOp-Digest: b\nOp-Spec: 20,3,60,3\n";
    let plain = "Code: 200\nDiag: OK\nPV: 2.1\nThread: 7\n\n";
    assert_eq!(ask(&mut counters, report), plain);
    assert_eq!(
        ask(
            &mut counters,
            &signed(&report.replace("report", "whitelist"), KEY, NOW)
        ),
        plain
    );
    let check = "Op: check\nPV: 2.1\nThread: 7\nOp-Digest: b\nOp-Digest: c\n";
    let known = "Code: 200\nDiag: OK\nPV: 2.1\nThread: 7\nCount: 1\nWL-Count: 1\n\n";
    assert_eq!(ask(&mut counters, check), known);
    let info = "Code: 200\nDiag: OK\nPV: 2.1\nThread: 7\nEntered: 1700000000\nUpdated: 1700000000\nWL-Entered: 1700000000\nWL-Updated: 1700000000\nCount: 1\nWL-Count: 1\n\n";
    assert_eq!(ask(&mut counters, &check.replace("check", "info")), info);
    let zeros = "Code: 200\nDiag: OK\nPV: 2.1\nThread: 7\nEntered: 0\nUpdated: 0\nWL-Entered: 0\nWL-Updated: 0\nCount: 0\nWL-Count: 0\n\n";
    assert_eq!(
        ask(
            &mut counters,
            "Op: info\nPV: 2.1\nThread: 7\nOp-Digest: c\n"
        ),
        zeros
    );
    assert_eq!(ask(&mut counters, "Op: check\nPV: 2.1\nThread: 7\n"), plain);
    let pong =
        "Code: 200\nDiag: OK\nPV: 2.1\nThread: 7\nCount: 9223372036854775807\nWL-Count: 0\n\n";
    assert_eq!(ask(&mut counters, &check.replace("check", "pong")), pong);
}

#[test]
fn a_reply_gets_no_reply() {
    let mut counters = Counters::new(10);
    let reply = asked("Op: ping\nPV: 2.1\nThread: 7\n");
    assert_eq!(answer(&rules(), &mut counters, reply.as_bytes(), NOW), None);
    let refusal = asked("x");
    assert_eq!(
        answer(&rules(), &mut counters, refusal.as_bytes(), NOW),
        None
    );
}

#[test]
fn a_packet_that_is_too_long_is_not_executed() {
    let mut counters = Counters::new(10);
    let mut packet = "Op: report\nPV: 2.1\nThread: 7\nOp-Digest: a\nX: ".to_owned();
    packet.push_str(&"x".repeat(PACKET_SIZE - packet.len()));
    assert!(ask(&mut counters, &packet).starts_with("Code: 200\n"));
    packet.push('x');
    assert!(ask(&mut counters, &packet).starts_with("Code: 400\n"));
    assert_eq!(counters.get("a").report.count, 1);
}

#[test]
fn bytes_of_a_request_make_no_field_of_a_reply() {
    for thread in [
        "7\x0bCode: 200",
        "7\u{85}Code: 200",
        "7\u{2028}Code: 200",
        "\u{e4}",
    ] {
        let packet = format!("Op: ping\nPV: 2.1\nThread: {thread}\n");
        assert!(asked(&packet).ends_with("\nThread: \n\n"), "{thread:?}");
    }
    let long = format!(
        "Op: report\nPV: 2.1\nThread: 7\nOp-Digest: {}\n",
        "a".repeat(129)
    );
    assert!(asked(&long).starts_with("Code: 400\nDiag: Bad request: Invalid digest\n"));
}

proptest! {
    #[test]
    fn no_reply_is_much_larger_than_its_request(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let mut counters = Counters::new(10);
        if let Some(answer) = answer(&rules(), &mut counters, &bytes, NOW) {
            prop_assert!(answer.reply.len() <= bytes.len() + 160);
        }
        prop_assert_eq!(counters.len(), 0);
    }

    #[test]
    fn whatever_the_fields_are_the_reply_has_a_form(
        op in "(ping|pong|check|info|report|[a-z]{0,5})", thread in "[ -~]{0,20}", digest in "[ -~]{0,50}", pv in "(2(\\.[0-9])?|.{0,4})"
    ) {
        let mut counters = Counters::new(10);
        let packet = format!("Op: {op}\nThread: {thread}\nPV: {pv}\nOp-Digest: {digest}\n");
        let reply = ask(&mut counters, &packet);
        let fields = mime_fields(&reply);
        prop_assert_eq!(&fields[..4], ["Code", "Diag", "PV", "Thread"]);
        prop_assert!(reply.len() <= packet.len() + 220);
    }
}

fn mime_fields(reply: &str) -> Vec<&str> {
    reply
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name)
        .collect()
}
