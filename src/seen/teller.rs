//! Teller: one stream of log and what it was the first to tell: blocks that are stored, and lines since.

use super::key::{Content, Host, Key};
use hashbrown::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Lines of a whole block: four bytes each, the longest blob that `DuckDB` keeps in a column's own blocks.
pub(super) const BLOCK: usize = 1000;
/// Blocks that are not whole, of which one is made.
const PIECES: usize = 64;
/// Hosts of a stream that are told apart.
const HOSTS: usize = 4096;
/// Hosts of another stream that a line without a host may be of.
const ALIASES: usize = 16;
/// Lines that were known already and are remembered at least.
const DROPPED: usize = 8192;
/// Of these, handed to the next process at most.
const HANDED_ON: usize = 2000;

/// Keys of lines, stored under a number.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) id: i64,
    /// Seconds of its lines.
    pub(super) span: RangeInclusive<i64>,
    pub(super) lines: usize,
    /// There are fewer lines in it than in a whole one: it will be part of one.
    pub(super) is_piece: bool,
    /// Its keys, where it is a piece and of this process.
    pub(super) keys: Option<Arc<[Key]>>,
}

/// A block to be stored.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) block: Block,
    pub(super) keys: Vec<Key>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Teller {
    pub(super) name: String,
    pub(super) is_journal: bool,
    pub(super) is_anew: bool,
    /// Hosts that lines name, by name as logged.
    names: HashMap<String, Host>,
    hosts: Vec<Host>,
    last_host: Option<(String, Host)>,
    /// By first second.
    blocks: Vec<Block>,
    /// The latest second of each block and those before it.
    reach: Vec<i64>,
    fresh: Vec<(i64, Key)>,
    /// Keys of the first of them, sorted: made when another stream wants to know.
    index: Vec<Key>,
    fresh_span: Option<RangeInclusive<i64>>,
    /// The first second that it told, known or not.
    pub(super) begins: Option<i64>,
    dropped: Dropped,
    pub(super) near: Near,
}

/// What others told about the second that a stream is at.
#[derive(Debug)]
pub(super) struct Near {
    /// When it was found out; each change begins an epoch.
    pub(super) epoch: u64,
    /// Seconds for which it is true.
    pub(super) span: RangeInclusive<i64>,
    pub(super) others: Vec<Other>,
}

impl Default for Near {
    fn default() -> Self {
        Self {
            epoch: 0,
            span: 0..=0,
            others: Vec::new(),
        }
    }
}

/// Keys of another stream.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) teller: u64,
    pub(super) span: RangeInclusive<i64>,
    /// None: what it told since its last block.
    pub(super) block: Option<i64>,
    pub(super) keys: Option<Arc<[Key]>>,
}

impl Teller {
    pub(super) fn named(name: &str, is_journal: bool) -> Self {
        Self {
            name: name.to_owned(),
            is_journal,
            ..Self::default()
        }
    }

    /// Returns the host of this name, and whether it is a new one.
    pub(super) fn host(&mut self, name: &str) -> (Host, bool) {
        if let Some((last, host)) = &self.last_host
            && last == name
        {
            return (*host, false);
        }
        let known = self.names.get(name).copied();
        let host = known.unwrap_or_else(|| Host::of(name));
        let is_new = known.is_none() && self.names.len() < HOSTS;
        if is_new {
            self.names.insert(name.to_owned(), host);
            if !self.hosts.contains(&host) {
                self.hosts.push(host);
            }
        }
        let (last, of_last) = self.last_host.get_or_insert_default();
        name.clone_into(last);
        *of_last = host;
        (host, is_new)
    }

    /// Returns the keys that a line has where this stream told it.
    pub(super) fn keys_of(
        &self,
        content: Content,
        second: i64,
        host: Host,
    ) -> impl Iterator<Item = Key> {
        let others = self
            .hosts
            .iter()
            .filter(move |other| **other != host && other.agrees(host) && !content.names_message);
        let others = others.take(ALIASES).copied();
        std::iter::once(host)
            .chain(others)
            .map(move |host| content.at(second, host))
    }

    /// Notes that a line was told, by whomever first.
    pub(super) fn tell(&mut self, second: i64) {
        self.begins = Some(self.begins.map_or(second, |begins| begins.min(second)));
    }

    /// Keeps a line that nobody told before.
    pub(super) fn keep(&mut self, second: i64, key: Key) {
        self.fresh.push((second, key));
        self.fresh_span = Some(match self.fresh_span.take() {
            Some(span) => *span.start().min(&second)..=*span.end().max(&second),
            None => second..=second,
        });
    }

    /// Returns how many of the lines since the last block have the key. Index them before.
    pub(super) fn fresh(&self, key: Key) -> usize {
        count(&self.index, key)
    }

    /// Makes what was told since the last block ready to be looked at.
    #[expect(
        clippy::stable_sort_primitive,
        reason = "it merges runs that are sorted already"
    )]
    fn make_index(&mut self) {
        let news = self.fresh.get(self.index.len()..).unwrap_or_default();
        if !news.is_empty() {
            self.index.extend(news.iter().map(|(_, key)| *key));
            self.index.sort();
        }
    }

    /// Returns the first and last second of what it was the first to tell.
    pub(super) fn span(&self) -> Option<RangeInclusive<i64>> {
        let stored = self.blocks.first().zip(self.reach.last());
        let stored = stored.map(|(first, last)| *first.span.start()..=*last);
        match (stored, &self.fresh_span) {
            (Some(a), Some(b)) => Some(*a.start().min(b.start())..=*a.end().max(b.end())),
            (stored, fresh) => stored.or_else(|| fresh.clone()),
        }
    }

    /// Adds what was told within a second of `second`; narrows the span of seconds for which that is all.
    pub(super) fn look(
        &mut self,
        no: u64,
        second: i64,
        others: &mut Vec<Other>,
        valid: &mut (i64, i64),
    ) {
        let Some(span) = self.span() else { return };
        if !is_near(&span, second, valid) {
            return;
        }
        let end = self
            .blocks
            .partition_point(|block| *block.span.start() - 1 <= second);
        if let Some(next) = self.blocks.get(end) {
            valid.1 = valid.1.min(*next.span.start() - 2);
        }
        for (block, reach) in self.blocks.iter().zip(&self.reach).take(end).rev() {
            if reach + 1 < second {
                valid.0 = valid.0.max(reach + 2);
                break;
            }
            if is_near(&block.span, second, valid) {
                others.push(Other {
                    teller: no,
                    span: block.span.clone(),
                    block: Some(block.id),
                    keys: block.keys.clone(),
                });
            }
        }
        if let Some(span) = self.fresh_span.clone()
            && is_near(&span, second, valid)
        {
            self.make_index();
            others.push(Other {
                teller: no,
                span,
                block: None,
                keys: None,
            });
        }
    }

    /// Returns how many lines of the key of this stream others had told.
    pub(super) fn dropped(&self, key: Key) -> usize {
        self.dropped.count(key)
    }

    /// Counts one more.
    pub(super) fn drop(&mut self, key: Key, second: i64) {
        self.dropped.add(key, second);
    }

    /// Adds a block to those that are stored.
    pub(super) fn insert(&mut self, block: Block) {
        let at = self
            .blocks
            .partition_point(|other| other.span.start() <= block.span.start());
        self.blocks.insert(at, block);
        self.reach_from(at);
    }

    /// Adds many.
    pub(super) fn extend(&mut self, blocks: impl IntoIterator<Item = Block>) {
        self.blocks.extend(blocks);
        self.blocks.sort_by_key(|block| *block.span.start());
        self.reach_from(0);
    }

    fn reach_from(&mut self, at: usize) {
        self.reach.truncate(at);
        for block in self.blocks.iter().skip(at) {
            let before = self.reach.last().copied().unwrap_or(i64::MIN);
            self.reach.push(before.max(*block.span.end()));
        }
    }

    /// Returns the blocks from the one of this number on, at most so many.
    pub(super) fn from(&self, id: i64, most: usize) -> impl Iterator<Item = &Block> {
        let at = self.blocks.iter().rposition(|block| block.id == id);
        self.blocks.iter().skip(at.unwrap_or(usize::MAX)).take(most)
    }

    /// Returns whether something was told since the last block.
    pub(super) fn is_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Makes blocks of what was told since the last one, in the order of time.
    pub(super) fn make(&mut self, mut id: impl FnMut() -> i64) -> Vec<Made> {
        let mut lines = std::mem::take(&mut self.fresh);
        self.index.clear();
        self.fresh_span = None;
        if !lines.is_sorted_by_key(|(second, _)| *second) {
            lines.sort_by_key(|(second, _)| *second);
        }
        let chunks = lines.chunks(BLOCK).map(|lines| {
            let first = lines.first().map_or(0, |(second, _)| *second);
            let last = lines.last().map_or(0, |(second, _)| *second);
            let keys = lines.iter().map(|(_, key)| *key).collect();
            made(id(), first..=last, keys)
        });
        chunks.collect()
    }

    /// Takes the pieces away that together make a block; none while they are too few.
    pub(super) fn take_pieces(&mut self) -> Vec<Block> {
        let pieces = self.blocks.iter().filter(|block| block.is_piece);
        let (count, lines) = pieces.fold((0, 0), |(count, lines), block| {
            (count + 1, lines + block.lines)
        });
        if count < 2 || (count < PIECES && lines < BLOCK) {
            return Vec::new();
        }
        let pieces = self.blocks.extract_if(.., |block| block.is_piece).collect();
        self.reach_from(0);
        pieces
    }

    /// Returns what the next process must know of lines that others had told: key, how many, second.
    pub(super) fn recent(&self) -> Vec<(Key, u32, i64)> {
        self.dropped.recent()
    }

    /// Takes what the process before knew; this one knows better.
    pub(super) fn remember(&mut self, recent: Vec<(Key, u32, i64)>) {
        if !self.dropped.now.is_empty() || !self.dropped.before.is_empty() {
            return;
        }
        for (key, count, second) in recent {
            self.dropped.now.insert(key, (count, second));
            self.dropped.latest = self.dropped.latest.max(second);
        }
    }
}

/// Makes a block of keys in any order.
pub(super) fn made(id: i64, span: RangeInclusive<i64>, mut keys: Vec<Key>) -> Made {
    keys.sort_unstable();
    let is_piece = keys.len() < BLOCK;
    let block = Block {
        id,
        span,
        lines: keys.len(),
        is_piece,
        keys: is_piece.then(|| keys.as_slice().into()),
    };
    Made { block, keys }
}

/// Returns how many of the sorted keys are this one.
pub(super) fn count(keys: &[Key], key: Key) -> usize {
    let start = keys.partition_point(|other| *other < key);
    let rest = keys.get(start..).unwrap_or_default();
    rest.iter().take_while(|other| **other == key).count()
}

/// Tells whether the span comes within a second of `second`, and narrows the seconds of which the same is true.
fn is_near(span: &RangeInclusive<i64>, second: i64, valid: &mut (i64, i64)) -> bool {
    let (first, last) = (span.start() - 1, span.end() + 1);
    if last < second {
        valid.0 = valid.0.max(last + 1);
    } else if first > second {
        valid.1 = valid.1.min(first - 1);
    } else {
        *valid = (valid.0.max(first), valid.1.min(last));
        return true;
    }
    false
}

/// Lines that others had told, the latest by key.
#[derive(Debug, Default)]
struct Dropped {
    now: HashMap<Key, (u32, i64)>,
    before: HashMap<Key, (u32, i64)>,
    latest: i64,
}

impl Dropped {
    fn count(&self, key: Key) -> usize {
        let found = self.now.get(&key).or_else(|| self.before.get(&key));
        found.map_or(0, |(count, _)| *count as usize)
    }

    fn add(&mut self, key: Key, second: i64) {
        if self.now.len() >= DROPPED {
            self.before = std::mem::take(&mut self.now);
        }
        let known = self.before.remove(&key).unwrap_or((0, second));
        let entry = self.now.entry(key).or_insert(known);
        entry.0 += 1;
        self.latest = second;
    }

    /// A line comes again within its second, or not at all.
    fn recent(&self) -> Vec<(Key, u32, i64)> {
        let recent = self
            .now
            .iter()
            .filter(|(_, (_, second))| second + 2 >= self.latest);
        let recent = recent.map(|(key, (count, second))| (*key, *count, *second));
        let mut recent: Vec<_> = recent.collect();
        recent.sort_unstable_by_key(|(key, _, second)| (-second, *key));
        recent.truncate(HANDED_ON);
        recent
    }
}
