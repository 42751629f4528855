//! Memory relief: who makes room when the memory of the database is taken by queries.

use std::sync::{Arc, PoisonError, RwLock};

/// The way to whoever answers queries; cheap to clone. What log is read for comes before what is asked about it.
#[derive(Clone, Default)]
pub struct MemoryRelief(Arc<RwLock<Option<OnMemoryRequest>>>);

/// What is wished of whoever answers queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryRequest {
    /// Stop all queries, wait a while for their end, and let none begin.
    Room,
    /// Let queries begin again.
    NoMore,
}

type OnMemoryRequest = Arc<dyn Fn(MemoryRequest) + Send + Sync>;

impl MemoryRelief {
    /// Says how wishes are granted from now on.
    pub fn offer(&self, grant: impl Fn(MemoryRequest) + Send + Sync + 'static) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(grant));
    }

    /// Stops all queries; their memory is free until [`MemoryRelief::give_back`].
    pub fn make_room(&self) {
        self.wish(MemoryRequest::Room);
    }

    /// Lets queries run again.
    pub fn give_back(&self) {
        self.wish(MemoryRequest::NoMore);
    }

    fn wish(&self, wish: MemoryRequest) {
        let granted = self
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(grant) = granted {
            grant(wish);
        }
    }
}
