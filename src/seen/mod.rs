//! Seen: which lines were told already, and by which other stream, so that each counts once.
//!
//! rsyslog writes mail to two files, the journal has what the file has, somebody pipes a log that was read before. A line
//! is known when another stream told the same: host, process, second and text (`key`). How often a stream has a line is
//! its own affair: with `o` the times that others were first to tell it, and `d` the times that this stream's was dropped
//! for that, the next one is known while `d < o`. So a stream alone drops nothing, and of several the one that has a line
//! most often decides, in whatever order they are read.
//!
//! Syslog and the journal may stamp a line a second apart. The second before and after are looked at for lines that name
//! a message, and between a journal and what is none. A file that begins in the second in which another ended is taken
//! for its continuation: there, only lines that name a message can be known.
//!
//! Promises: pure. Memory is bounded but for some 60 bytes a thousand lines stored. What is handed out to be stored is
//! all that is needed to go on.
//!
//! Limits: a key has 40 bits. A line that is new is taken for a known one with the probability of the keys it is compared
//! with in 2^40: with another stream over the same time, some 3,000 at three seconds, or one in 120 million lines.
//! What is written in other words is not recognised: a line without its stamp, one that was cut, one whose control
//! characters were escaped, `message repeated 3 times` against the three lines.
//!
//! | file | duty |
//! |---|---|
//! | `key` | what stands for a line |
//! | `block` | keys as bytes |
//! | `teller` | one stream and what it told |

mod block;
mod key;
mod teller;
#[cfg(test)]
mod tests;

pub use key::Key;

use crate::model::entry::Entry;
use anyhow::Result;
use key::{Content, Host};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;
use teller::{Block, Made, Near, Other, Teller};

/// Decoded blocks in memory, of 8 kB each.
const CACHED: usize = 512;
/// Blocks that are fetched together: log is read in the order of its time.
const AHEAD: usize = 32;

/// A block as stored, without its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Number.
    pub id: i64,
    /// First and last second.
    pub span: RangeInclusive<i64>,
    /// Lines.
    pub lines: usize,
    /// It is to be part of a larger one.
    pub is_piece: bool,
}

/// What is stored of one stream.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// Path or name, for people.
    pub name: String,
    /// It is a journal.
    pub is_journal: bool,
    /// Its hosts.
    pub hosts: Vec<String>,
    /// Its first second.
    pub begins: Option<i64>,
    /// Its blocks.
    pub blocks: Vec<Stored>,
}

/// A block to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub stored: Stored,
    /// Its keys.
    pub keys: Vec<u8>,
}

/// What is to be stored of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// New blocks.
    pub rows: Vec<Row>,
    /// Numbers of blocks that are part of them.
    pub gone: Vec<i64>,
}

/// What a stream must remember from one process to the next: keys of lines that others had told, how many, their second.
pub type Recent = Vec<(Key, u32, i64)>;

/// Fetches the keys of stored blocks; those that were deleted since are missing.
pub type Fetch = Box<dyn Fn(&[i64]) -> Result<Vec<(i64, Vec<u8>)>> + Send>;

/// See the module.
pub struct Seen {
    /// All streams but the one whose turn it is.
    tellers: BTreeMap<u64, Teller>,
    /// The number of the stream whose turn it is, and itself.
    current: Option<u64>,
    own: Teller,
    fetch: Fetch,
    last_id: i64,
    /// Blocks that may not be stored yet, and the number of the part that they go with.
    written: BTreeMap<i64, (u64, Vec<u8>)>,
    cache: Cache,
    /// Changes when what a stream can find does.
    epoch: u64,
}

impl Seen {
    /// Goes on from what is stored; the streams are numbered in their order.
    #[must_use]
    pub fn restore(sources: Vec<Source>, fetch: Fetch) -> Self {
        let mut last_id = 0;
        let mut tellers = BTreeMap::new();
        for (source, no) in sources.into_iter().zip(0..) {
            let mut teller = Teller::named(&source.name, source.is_journal);
            teller.begins = source.begins;
            for host in &source.hosts {
                teller.host(host);
            }
            let ids = source.blocks.iter().map(|block| block.id);
            last_id = ids.fold(last_id, i64::max);
            teller.extend(source.blocks.into_iter().map(|stored| Block {
                id: stored.id,
                span: stored.span,
                lines: stored.lines,
                is_piece: stored.is_piece,
                keys: None,
            }));
            tellers.insert(no, teller);
        }
        Self {
            tellers,
            current: None,
            own: Teller::default(),
            fetch,
            last_id,
            written: BTreeMap::new(),
            cache: Cache::default(),
            epoch: 1,
        }
    }

    /// Begins a stream, or goes on with it, under this name.
    pub fn begin(&mut self, no: u64, name: &str, is_journal: bool, recent: Recent) {
        self.turn_to(no);
        name.clone_into(&mut self.own.name);
        self.own.is_journal = is_journal;
        self.own.remember(recent);
    }

    /// Says whether the stream is read anew on purpose: whatever others told, its lines are new.
    pub fn read_anew(&mut self, is_anew: bool) {
        self.own.is_anew = is_anew;
    }

    /// Says which stream tells what follows.
    pub fn turn_to(&mut self, no: u64) {
        if self.current == Some(no) {
            return;
        }
        let next = self.tellers.remove(&no).unwrap_or_default();
        let last = std::mem::replace(&mut self.own, next);
        if let Some(current) = self.current.replace(no) {
            self.tellers.insert(current, last);
        }
        self.epoch += 1;
    }

    /// Returns the name of another stream.
    #[must_use]
    pub fn name(&self, no: u64) -> &str {
        self.tellers.get(&no).map_or("", |teller| &teller.name)
    }

    /// Takes a line of the stream whose turn it is; returns which other stream told it before.
    ///
    /// # Errors
    /// When the database fails.
    pub fn tell(&mut self, entry: &Entry<'_>) -> Result<Option<u64>> {
        let Some(second) = key::second(entry) else {
            return Ok(None);
        };
        self.own.tell(second);
        let (host, _) = self.own.host(entry.host);
        let content = Content::of(entry);
        if !self.own.is_anew
            && let Some(other) = self.look_for(content, second, host)?
        {
            return Ok(Some(other));
        }
        self.own.keep(second, content.at(second, host));
        Ok(None)
    }

    /// Looks for a line of this second among what others told, and counts it where it is there.
    fn look_for(&mut self, content: Content, second: i64, host: Host) -> Result<Option<u64>> {
        let near = &self.own.near;
        if near.epoch != self.epoch || !near.span.contains(&second) {
            self.look_around(second);
        }
        if self.own.near.others.is_empty() {
            return Ok(None);
        }
        let mut near = std::mem::take(&mut self.own.near);
        let found = self.find(&mut near.others, content, second, host);
        self.own.near = near;
        found
    }

    /// Finds out who else told something at about this second.
    fn look_around(&mut self, second: i64) {
        let mut others = Vec::new();
        let mut valid = (i64::MIN, i64::MAX);
        for (no, teller) in &mut self.tellers {
            teller.look(*no, second, &mut others, &mut valid);
        }
        self.own.near = Near {
            epoch: self.epoch,
            span: valid.0..=valid.1,
            others,
        };
    }

    /// Looks for a line among these.
    fn find(
        &mut self,
        others: &mut [Other],
        content: Content,
        second: i64,
        host: Host,
    ) -> Result<Option<u64>> {
        for at in [second, second - 1, second + 1] {
            let key = content.at(at, host);
            let dropped = self.own.dropped(key);
            let mut told = 0;
            for other in others.iter_mut().filter(|other| other.span.contains(&at)) {
                if self.may_tell(other.teller, content, second, at) {
                    told += self.count(other, content, at, host)?;
                }
                if told > dropped {
                    self.own.drop(key, at);
                    return Ok(Some(other.teller));
                }
            }
        }
        Ok(None)
    }

    /// Tells whether a line of this second can be the same as one of another stream at a second next to it, or the same.
    fn may_tell(&self, other: u64, content: Content, second: i64, at: i64) -> bool {
        if content.names_message {
            return true;
        }
        let Some((other, span)) = self.tellers.get(&other).and_then(|t| Some((t, t.span()?)))
        else {
            return false;
        };
        if other.is_journal != self.own.is_journal {
            return true;
        }
        if at == second {
            // Else one goes on where the other ended, and a line that comes again in that second is another.
            return self.own.begins != Some(second)
                || *span.end() > second
                || *span.start() == second;
        }
        *span.start() + 1 < second && second + 1 < *span.end()
    }

    /// Counts a line among the keys of another stream.
    fn count(
        &mut self,
        other: &mut Other,
        content: Content,
        second: i64,
        host: Host,
    ) -> Result<usize> {
        if let (None, Some(id)) = (&other.keys, other.block) {
            other.keys = Some(self.keys(other.teller, id)?);
        }
        let Some(teller) = self.tellers.get(&other.teller) else {
            return Ok(0);
        };
        let keys = teller.keys_of(content, second, host);
        let counts = keys.map(|key| match &other.keys {
            Some(keys) => teller::count(keys, key),
            None => teller.fresh(key),
        });
        Ok(counts.sum())
    }

    /// Returns the keys of a block; none of one that was deleted.
    fn keys(&mut self, no: u64, id: i64) -> Result<Arc<[Key]>> {
        if let Some(keys) = self.cache.get(id) {
            return Ok(keys);
        }
        if let Some((_, bytes)) = self.written.get(&id) {
            let keys: Arc<[Key]> = block::decode(bytes).unwrap_or_default().into();
            self.cache.insert(id, Arc::clone(&keys));
            return Ok(keys);
        }
        let ids: Vec<i64> = self.tellers.get(&no).map_or_else(Vec::new, |teller| {
            let next = teller.from(id, AHEAD).map(|block| block.id);
            let next = next.filter(|id| !self.written.contains_key(id));
            next.collect()
        });
        for (id, bytes) in (self.fetch)(&ids)? {
            let keys = block::decode(&bytes).unwrap_or_default();
            self.cache.insert(id, keys.into());
        }
        Ok(self.cache.get(id).unwrap_or_default())
    }

    /// Hands out what is to be stored of a stream with the part of this number.
    ///
    /// # Errors
    /// When the database fails.
    pub fn take(&mut self, no: u64, part: u64) -> Result<News> {
        self.turn_to(no);
        let mut news = News::default();
        if !self.own.is_fresh() {
            return Ok(news);
        }
        self.epoch += 1;
        let last_id = &mut self.last_id;
        let made = self.own.make(|| {
            *last_id += 1;
            *last_id
        });
        for made in made {
            self.enter(part, made, &mut news);
        }
        self.join(part, &mut news)?;
        Ok(news)
    }

    /// Makes one block of pieces, when they are enough.
    fn join(&mut self, part: u64, news: &mut News) -> Result<()> {
        let pieces = self.own.take_pieces();
        let spans = pieces.iter().map(|piece| piece.span.clone());
        let Some(span) = spans.reduce(|a, b| *a.start().min(b.start())..=*a.end().max(b.end()))
        else {
            return Ok(());
        };
        let mut keys = Vec::new();
        for piece in pieces {
            match piece.keys {
                Some(own) => keys.extend_from_slice(&own),
                None => keys.extend(self.piece(piece.id)?),
            }
            let before = news.rows.len();
            news.rows.retain(|row| row.stored.id != piece.id);
            if news.rows.len() == before {
                news.gone.push(piece.id);
            }
        }
        self.last_id += 1;
        self.enter(part, teller::made(self.last_id, span, keys), news);
        Ok(())
    }

    /// Returns the keys of a piece that an earlier process stored.
    fn piece(&mut self, id: i64) -> Result<Vec<Key>> {
        if let Some(keys) = self.cache.get(id) {
            return Ok(keys.to_vec());
        }
        let found = (self.fetch)(&[id])?;
        let keys = found.first().and_then(|(_, bytes)| block::decode(bytes));
        Ok(keys.unwrap_or_default())
    }

    fn enter(&mut self, part: u64, made: Made, news: &mut News) {
        let Made { block, keys } = made;
        let keys = block::encode(&keys);
        news.rows.push(Row {
            stored: Stored {
                id: block.id,
                span: block.span.clone(),
                lines: block.lines,
                is_piece: block.is_piece,
            },
            keys: keys.clone(),
        });
        if !block.is_piece {
            self.written.insert(block.id, (part, keys));
        }
        self.own.insert(block);
    }

    /// Says that the part of this number and those before it are stored.
    pub fn stored(&mut self, part: u64) {
        self.written.retain(|_, (of, _)| *of > part);
    }

    /// Returns what a stream must remember.
    #[must_use]
    pub fn recent(&self, no: u64) -> Recent {
        if self.current == Some(no) {
            return self.own.recent();
        }
        self.tellers.get(&no).map_or_else(Vec::new, Teller::recent)
    }
}

/// Decoded blocks; the oldest goes first.
#[derive(Default)]
struct Cache {
    keys: HashMap<i64, Arc<[Key]>>,
    order: VecDeque<i64>,
}

impl Cache {
    fn get(&self, id: i64) -> Option<Arc<[Key]>> {
        self.keys.get(&id).map(Arc::clone)
    }

    fn insert(&mut self, id: i64, keys: Arc<[Key]>) {
        if self.keys.insert(id, keys).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > CACHED
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
    }
}
