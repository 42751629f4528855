//! Questions that take all memory, beside a service that has little of it.

use crate::program::{Place, say};
use crate::service::Service;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// Each needs more memory than there is.
const HEAVY: [&str; 4] = [
    "SELECT max(length(s)) FROM (SELECT string_agg(recipient || i, ',') AS s FROM delivery_to, range(3000) r(i))",
    "SELECT length(list(recipient || i)) FROM delivery_to, range(3000) r(i)",
    "SELECT count(DISTINCT recipient || i) FROM delivery_to, range(20000) r(i)",
    "SELECT max(n) FROM (SELECT row_number() OVER (PARTITION BY i % 7 ORDER BY recipient || i) AS n FROM delivery_to, range(2000) r(i))",
];

#[test]
fn what_is_to_be_stored_comes_before_questions_that_take_all_memory() {
    let place = Place::new();
    let settings = place.path("maillog.toml");
    std::fs::write(&settings, "memory_mib = 64\n").unwrap();
    let log = place.path("mail.log");
    std::fs::copy("testlogs/demo/mail.log", &log).unwrap();
    let global = ["--config", settings.to_str().unwrap()];
    let mut service = Service::start_with(&place, &global, &["--follow", log.to_str().unwrap()]);
    service.until("SELECT (count(*) > 0)::INT FROM delivery_to", 1);
    let (done, refused) = (AtomicBool::new(false), AtomicUsize::new(0));
    let mut lines = std::fs::read_to_string(&log).unwrap().lines().count();
    let mut refusals = 0;
    std::thread::scope(|scope| {
        for question in HEAVY {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let asked = place.run(&["sql", question]);
                    assert!(matches!(asked.code, Some(0 | 2)), "{asked:?}");
                    refused.fetch_add(usize::from(asked.code == Some(2)), Ordering::Relaxed);
                }
            });
        }
        let begun = std::time::Instant::now();
        for second in 0.. {
            // Until one had too little memory, however fast the machine is.
            if second >= 10
                && (refused.load(Ordering::Relaxed) > 0 || begun.elapsed() > Duration::from_mins(2))
            {
                break;
            }
            let text: String = (0..2000).map(|n| refusal(second * 2000 + n)).collect();
            lines += 2000;
            refusals += 2000;
            let mut file = std::fs::OpenOptions::new().append(true).open(&log).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(700));
        }
        done.store(true, Ordering::Relaxed);
    });
    let lines = i64::try_from(lines).unwrap();
    service.until("SELECT sum(lines)::BIGINT FROM coverage", lines);
    service.until(
        "SELECT count(*) FROM noqueue WHERE host = 'relief'",
        refusals,
    );
    let (said, refused) = (service.said(), refused.into_inner());
    assert!(!said.contains("restarting"), "{said}");
    let stopped = said.matches("cancelling them").count();
    say(&format!(
        "{refused} questions had too little memory, all were stopped {stopped} times"
    ));
    assert!(refused > 0);
}

fn refusal(number: u32) -> String {
    format!(
        "2026-11-21T10:00:00+00:00 relief postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 \
         <a{number}@example.com>: Recipient address rejected: User unknown; from=<b@example.com> \
         to=<a{number}@example.com> proto=SMTP helo=<x>\n"
    )
}
