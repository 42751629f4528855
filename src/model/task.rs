//! Task runs: the last run of what the service does beside reading and storing.

use super::time::Time;

/// How a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaskState {
    /// It has not said yet that it does its work.
    #[default]
    Starting,
    /// It does its work, for as long as the service runs.
    Running,
    /// It has not been due yet.
    Waiting,
    /// Its last run is completed.
    Done,
    /// Its last run failed; it is tried again.
    Failed,
}

impl TaskState {
    /// Returns the word for it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

/// The last run of a task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskRun {
    /// Name of the task.
    pub name: String,
    /// When it runs, in words.
    pub schedule: String,
    /// How it is.
    pub state: TaskState,
    /// Time that the last completed run was for: of a task at a calendar time that time, of others the start.
    pub due: Option<Time>,
    /// Start of the last run.
    pub started: Option<Time>,
    /// End of the last run.
    pub ended: Option<Time>,
    /// Start of the next run, as far as it is known.
    pub next_run: Option<Time>,
    /// Failures since the last completed run.
    pub failures: u32,
    /// What the last run came to, or why it failed.
    pub result: String,
}
