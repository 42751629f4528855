//! Limits: how much memory, how many threads and what work beside DuckDB may take, by who opens the database.

/// What DuckDB may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Memory for cached blocks, new rows and queries, in MB; what is beyond is spilled or refused.
    pub memory_mb: u32,
    /// What does not fit into memory may go to a directory beside the database.
    pub may_spill: bool,
    /// Threads.
    pub threads: u8,
    /// Parts of tables that each checkpoint may put together where rows are few or were deleted. It takes seconds.
    pub merges: u32,
    /// Size of the WAL at which its rows move into the database, in MB. Until then they are in memory, too.
    pub wal_mb: u32,
    /// The last commit may go straight into the database ([`Store::expect_end`]). Until then settings can be changed: for a process that
    /// runs nobody else's SQL.
    pub has_end: bool,
}

impl Limits {
    /// For the process that writes. One thread: a second one spins while it waits for the first (a third of all
    /// CPU time of an import on two cores), and parsing has better use for the other core.
    pub const WRITER: Self = Self {
        memory_mb: 128,
        may_spill: true,
        threads: 1,
        merges: 100,
        wal_mb: 128,
        has_end: false,
    };
    /// For an import, which knows its last commit.
    pub const IMPORT: Self = Self {
        has_end: true,
        ..Self::WRITER
    };
    /// For the service: nothing may hold up the next commit. What merging would give back, compaction does. Queries
    /// have what the rows since the last checkpoint leave of the memory. They may not spill: DuckDB 2.0 would spill what
    /// it needs to end a transaction, too, and must find the memory to read it back while queries have it all.
    pub const SERVICE: Self = Self {
        memory_mb: 384,
        may_spill: false,
        merges: 0,
        wal_mb: 64,
        ..Self::WRITER
    };
    /// For pruning and compaction, while nobody asks.
    pub const PRUNER: Self = Self {
        may_spill: true,
        ..Self::SERVICE
    };
    /// For log that is looked at and not kept: the database is in memory, and what does not fit is spilled.
    pub const SCRATCH: Self = Self {
        memory_mb: 1024,
        threads: 2,
        ..Self::WRITER
    };
    /// For a process that only reads. It may not spill, for DuckDB names its files alike in every process; so it gets
    /// more.
    pub const READER: Self = Self {
        memory_mb: 1024,
        may_spill: false,
        threads: 2,
        merges: 0,
        wal_mb: 128,
        has_end: false,
    };

    /// Returns the limits with the memory that the settings name, if they do.
    #[must_use]
    pub fn with_memory(self, memory_mb: Option<u32>) -> Self {
        Self {
            memory_mb: memory_mb.unwrap_or(self.memory_mb),
            ..self
        }
    }
}
