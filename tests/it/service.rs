//! A running service: started, asked, killed at any moment, started again.

use crate::program::Place;
use maillog::client::Client;
use maillog::model::table::Cell;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for what has to happen.
const DEADLINE: Duration = Duration::from_mins(1);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A service of a place; killed when it is dropped.
pub(crate) struct Service<'p> {
    place: &'p Place,
    /// Options of every command.
    global: Vec<String>,
    args: Vec<String>,
    child: Child,
    /// Earlier starts that were said.
    starts: usize,
}

impl<'p> Service<'p> {
    /// Starts `maillog ingest` with these arguments; its messages are added to the file `said` of the place.
    pub(crate) fn start(place: &'p Place, args: &[&str]) -> Self {
        Self::start_with(place, &[], args)
    }

    /// Starts it with options that also commands need which ask.
    pub(crate) fn start_with(place: &'p Place, global: &[&str], args: &[&str]) -> Self {
        let owned =
            |list: &[&str]| -> Vec<String> { list.iter().map(ToString::to_string).collect() };
        let global = owned(global);
        let all = [&global[..], &["ingest".to_owned()], &owned(args)].concat();
        let child = spawn(place, &all);
        Self {
            place,
            global,
            args: all,
            child,
            starts: 0,
        }
    }

    /// Kills it without warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Returns the name by which `pgrep -x` knows it.
    pub(crate) fn name(&self) -> String {
        let comm = fs::read_to_string(format!("/proc/{}/comm", self.child.id())).unwrap();
        comm.trim().to_owned()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
    }

    /// Returns whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it and starts it again.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.starts = self.said().matches("started; ").count();
        self.child = spawn(self.place, &self.args);
    }

    /// Waits until the SQL gives the number. The service answers, never the file: what follows may count on the service.
    pub(crate) fn until(&mut self, sql: &str, number: i64) {
        let begun = Instant::now();
        let named = self.global.iter().position(|option| option == "--db");
        let database = named.and_then(|at| self.global.get(at + 1));
        let database = database.map_or_else(|| self.place.path("maillog.duckdb"), PathBuf::from);
        let mut client = None;
        let mut answer = String::from("no service answers");
        while begun.elapsed() < DEADLINE {
            if client.is_none() {
                // It has just begun, or waits for something itself.
                client = Client::connect(&database, None).unwrap_or_else(|error| {
                    answer = error.to_string();
                    None
                });
            }
            match client.as_ref().map(|client| client.select(sql, &[])) {
                Some(Ok(table)) => {
                    let cell = table.rows.first().and_then(|row| row.first());
                    if cell == Some(&Cell::Int(number)) {
                        return;
                    }
                    answer = format!("{:?}", table.rows);
                }
                Some(Err(error)) => {
                    answer = error.to_string();
                    client = None;
                }
                None => {}
            }
            std::thread::sleep(LOOK);
        }
        panic!(
            "{sql}: {answer} after {DEADLINE:?}, expected {number}; it said:\n{}",
            self.said()
        );
    }

    /// Waits until it has its database.
    pub(crate) fn until_up(&self) {
        let begun = Instant::now();
        let starts = || self.said().matches("started; ").count();
        while starts() <= self.starts {
            assert!(begun.elapsed() < DEADLINE, "never up:\n{}", self.said());
            std::thread::sleep(LOOK);
        }
    }

    /// Waits until it has said something.
    pub(crate) fn until_said(&self, text: &str) {
        let begun = Instant::now();
        while !self.said().contains(text) {
            assert!(
                begun.elapsed() < DEADLINE,
                "never said {text:?}, but:\n{}",
                self.said()
            );
            std::thread::sleep(LOOK);
        }
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.place.path("said")).unwrap()
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(place: &Place, args: &[String]) -> Child {
    let said = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(place.path("said"))
        .unwrap();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    place
        .command(&args)
        .stdout(Stdio::null())
        .stderr(said)
        .spawn()
        .unwrap()
}
