//! Hosts as logged: their clocks, the timers that run on them, and the Postfix instances known there.
//!
//! Promises: a host's clock is the time of its last entry in the order of feeding, so nothing depends on
//! when results are drained. One stray stamp more than a day ahead does not move it: the next line confirms.

use crate::model::row::Text;
use crate::model::time::{DAY, HOUR, Time};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Names and instance tags come from the log; a log cannot name more than this many of them usefully.
const INSTANCE_LIMIT: usize = 64;

/// One host and what runs on its clock.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Host {
    pub(super) name: Text,
    pub(super) clock: Option<Time>,
    /// When it first spoke.
    #[serde(default)]
    pub(super) first: Option<Time>,
    /// A stamp far ahead that no second line has confirmed yet.
    jump: Option<Time>,
    /// When idle sessions and stale expectations are next looked for.
    pub(super) sweep: Option<Time>,
    /// First identifier components that a queue manager, cleanup, ... has logged under.
    instances: Vec<Text>,
    #[serde(skip)]
    timers: BinaryHeap<Reverse<(Time, i64)>>,
}

impl Host {
    fn step(&mut self, t: Time) {
        let Some(clock) = self.clock else {
            self.clock = Some(t);
            self.first = Some(t);
            return;
        };
        let confirmed = self.jump.is_some_and(|j| t.since(j) >= -DAY);
        if t.since(clock) > DAY && !confirmed {
            self.jump = Some(t);
        } else {
            self.clock = Some(t);
            self.jump = None;
        }
    }

    /// Registers a look at message `id` at `at`.
    pub(super) fn arm(&mut self, at: Time, id: i64) {
        self.timers.push(Reverse((at, id)));
    }

    /// Takes the earliest timer that the clock has reached.
    pub(super) fn due(&mut self) -> Option<(Time, i64)> {
        let clock = self.clock?;
        let Reverse((at, _)) = self.timers.peek()?;
        if *at > clock {
            return None;
        }
        self.timers.pop().map(|Reverse(timer)| timer)
    }

    /// Tells whether it is time to sweep, and sets the next time.
    pub(super) fn sweep_due(&mut self) -> bool {
        let Some(clock) = self.clock else {
            return false;
        };
        // A clock that went back (import of older files) starts a new rhythm.
        let due = self
            .sweep
            .is_none_or(|at| clock >= at || at.since(clock) > HOUR);
        if due {
            self.sweep = Some(clock.plus(HOUR));
        }
        due
    }

    /// Remembers that `instance` is a real one when only a daemon without a label logs so.
    pub(super) fn learn(&mut self, instance: &str, program: &str) {
        if self.instances.iter().any(|i| i == instance) {
            return;
        }
        // cleanup and bounce may have a label: they prove an instance where no other is known.
        let is_likely = matches!(program, "cleanup" | "bounce") && self.instances.is_empty();
        if is_stock(instance) || is_likely || is_proof(program) {
            self.add(instance);
        }
    }

    fn add(&mut self, instance: &str) {
        if instance.is_empty() {
            return;
        }
        if self.instances.len() >= INSTANCE_LIMIT {
            self.instances.remove(0);
        }
        self.instances.push(Text::from(instance));
    }

    /// Tells whether the first component of an identifier is an instance and not a label (grammar 2.3).
    pub(super) fn knows(&self, instance: &str) -> bool {
        is_stock(instance) || self.instances.iter().any(|i| i == instance)
    }
}

/// Tells whether each instance has a program of its own of that name, which nobody gives a label.
fn is_proof(program: &str) -> bool {
    matches!(
        program,
        "qmgr" | "nqmgr" | "oqmgr" | "pickup" | "master" | "postsuper" | "postfix-script"
    )
}

/// `postfix` and the customary `postfix-NAME` of multi-instance set-ups need no proof.
fn is_stock(instance: &str) -> bool {
    instance.starts_with("postfix")
}

/// All hosts of the log set; a small number stands for each.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    list: Vec<Host>,
    by_name: HashMap<Text, u32>,
    last: u32,
    latest: Time,
}

impl Hosts {
    pub(super) fn restore(mut list: Vec<Host>) -> Self {
        for host in &mut list {
            host.first = host.first.or(host.clock);
        }
        let by_name = (0u32..)
            .zip(&list)
            .map(|(n, host)| (host.name.clone(), n))
            .collect();
        let latest = list.iter().filter_map(|h| h.clock).max();
        Self {
            list,
            by_name,
            last: 0,
            latest: latest.unwrap_or_default(),
        }
    }

    pub(super) fn list(&self) -> &[Host] {
        &self.list
    }

    /// Returns the number of the host with that name, a new one if need be.
    pub(super) fn number(&mut self, name: &str) -> u32 {
        if self.get(self.last).is_some_and(|h| h.name == name) {
            return self.last;
        }
        let name = super::limited(name);
        let number = if let Some(n) = self.by_name.get(name) {
            *n
        } else {
            let n = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
            self.list.push(Host {
                name: super::text(name),
                ..Host::default()
            });
            self.by_name.insert(super::text(name), n);
            n
        };
        self.last = number;
        number
    }

    pub(super) fn get(&self, host: u32) -> Option<&Host> {
        self.list.get(host as usize)
    }

    pub(super) fn get_mut(&mut self, host: u32) -> Option<&mut Host> {
        self.list.get_mut(host as usize)
    }

    /// Remembers an instance that a program of its own proves; tells whether it was not known.
    pub(super) fn proves(&mut self, host: u32, tag: &str, program: &str) -> bool {
        let Some(host) = self.get_mut(host) else {
            return false;
        };
        if tag.is_empty() || host.knows(tag) || !is_proof(program) {
            return false;
        }
        host.add(tag);
        true
    }

    /// Returns the only instance of the host when the tag of a line is a label in place of it.
    pub(super) fn sole_instance(&self, host: u32, tag: &str) -> Option<Text> {
        let host = self
            .get(host)
            .filter(|h| !tag.is_empty() && !h.knows(tag))?;
        match host.instances.as_slice() {
            [sole] => Some(sole.clone()),
            _ => None,
        }
    }

    pub(super) fn clock(&self, host: u32) -> Time {
        self.get(host).and_then(|h| h.clock).unwrap_or(self.latest)
    }

    /// Moves the host's clock to the entry's time and returns the time to use for the entry.
    pub(super) fn advance(&mut self, host: u32, time: Option<Time>) -> Time {
        let Some(t) = time else {
            return self.clock(host);
        };
        if let Some(h) = self.get_mut(host) {
            h.step(t);
        }
        self.latest = t;
        t
    }
}
