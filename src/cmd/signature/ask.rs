//! `maillog signature ping`, `pong`, `check`, `info`, `report`, `whitelist`: each digest to each server.

use super::super::{Context as Run, Exit};
use super::home::{Home, Options};
use crate::signature::client::{Client, Failure, Operation, Reply};
use crate::signature::directory::read;
use crate::signature::home::{self, Server};
use crate::signature::outcome::Outcome;
use anyhow::Result;
use std::collections::BTreeSet;
use std::sync::mpsc::channel;
use std::thread;

/// Runs the subcommand. Servers are asked at the same time, digests one after the other.
pub(super) fn run(operation: Operation, options: &Options, run: &Run) -> Result<Exit> {
    let home = Home::new(options)?;
    let (servers, mut client) = (home.servers()?, home.client()?);
    let log = home.log()?;
    let (trace, packets) = channel();
    client.trace = log.is_debug.then_some(trace);
    let thresholds = home.thresholds()?;
    let known_good = match operation {
        Operation::Check => home::whitelist(&read(&home.whitelist())?.unwrap_or_default()),
        _ => BTreeSet::new(),
    };
    let digests = match operation {
        Operation::Ping => vec![None],
        _ => home.digests()?.into_iter().map(Some).collect(),
    };
    let (mut outcome, mut good) = (Outcome::default(), Outcome::default());
    for digest in digests {
        if digest
            .as_ref()
            .is_some_and(|digest| known_good.contains(digest))
        {
            for server in &servers {
                good.add_known_good(server);
            }
            continue;
        }
        let digests: Vec<String> = digest.into_iter().collect();
        let replies = ask(&client, &servers, operation, &digests, run);
        for packet in packets.try_iter() {
            log.debug(|| packet);
        }
        for (server, reply) in servers.iter().zip(&replies) {
            if let Err(failure) = reply {
                log.note(&format!("{server}: {}", failure.text));
            }
            outcome.add(operation, server, reply, thresholds);
        }
    }
    let mut output = run.output(false);
    output.writer().write_all(good.text.as_bytes())?;
    output.writer().write_all(outcome.text.as_bytes())?;
    output.finish()?;
    Ok(if outcome.is_success(operation) {
        Exit::Found
    } else {
        Exit::Nothing
    })
}

fn ask(
    client: &Client,
    servers: &[Server],
    operation: Operation,
    digests: &[String],
    run: &Run,
) -> Vec<Result<Reply, Failure>> {
    let now = run.present.now().0.div_euclid(1_000_000);
    thread::scope(|scope| {
        let asked: Vec<_> = servers
            .iter()
            .map(|server| scope.spawn(move || client.ask(server, operation, digests, now)))
            .collect();
        let failed = || Failure {
            code: 400,
            text: "The request failed".to_owned(),
        };
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap_or_else(|_| Err(failed())))
            .collect()
    })
}
