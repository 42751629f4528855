//! Reads a directory of journal files with the crate alone, as a yardstick for `bench/journal`: next entry, identifier,
//! message, host, pid, and nothing done with them. Prints entries and seconds.

use std::io::Write as _;
use std::time::Instant;
use systemd::journal::OpenDirectoryOptions;

const FIELDS: [&str; 4] = ["SYSLOG_IDENTIFIER", "MESSAGE", "_HOSTNAME", "SYSLOG_PID"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args().nth(1).ok_or("journal_raw DIRECTORY")?;
    let start = Instant::now();
    let mut journal = OpenDirectoryOptions::default().open_directory(directory)?;
    let (mut entries, mut bytes) = (0_u64, 0_usize);
    while journal.next()? > 0 {
        entries += 1;
        for field in FIELDS {
            let found = journal.get_data(field)?;
            bytes += found.map_or(0, |field| field.data().len());
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    writeln!(std::io::stdout(), "{entries} {seconds} {bytes}")?;
    Ok(())
}
