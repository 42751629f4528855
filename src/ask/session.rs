//! Session: who runs statements, whether in this process or in the service, for everybody or in a scope.

use super::scope;
use crate::answers::{Answers, Stop};
use crate::model::scope::Scope;
use crate::model::table::{Cell, Param, Table};
use crate::query::{Plan, Wanted};
use crate::store::{Error, Session};
use std::cell::Cell as Moment;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Takes the names of the columns and a row; says whether there is to be another.
pub type Row<'a> = dyn FnMut(&[String], Vec<Cell>) -> ControlFlow<()> + 'a;

/// Runs statements that this program wrote.
pub trait Ask {
    /// Runs one `SELECT` and hands its rows on as they come, with the names of the columns, until `row` breaks. Returns the names of the
    /// columns.
    ///
    /// # Errors
    /// When it is wrong, or the database fails.
    fn each(&self, sql: &str, params: &[Param], row: &mut Row<'_>) -> Result<Vec<String>, Error>;

    /// Runs a search, and hands its rows on as [`Ask::each`] does.
    ///
    /// # Errors
    /// When the database fails.
    fn find_each(
        &self,
        plan: &Plan,
        wanted: &Wanted,
        row: &mut Row<'_>,
    ) -> Result<Vec<String>, Error> {
        let statement = plan.statement(wanted);
        self.each(&statement.sql, &statement.params, row)
    }

    /// Runs a search and returns all of its rows.
    ///
    /// # Errors
    /// When the database fails.
    fn find(&self, plan: &Plan, wanted: &Wanted) -> Result<Table, Error> {
        let mut rows = Vec::new();
        let columns = self.find_each(plan, wanted, &mut |_, row| {
            rows.push(row);
            ControlFlow::Continue(())
        })?;
        Ok(Table { columns, rows })
    }

    /// The same, patiently.
    ///
    /// # Errors
    /// When the database fails.
    fn find_all(&self, plan: &Plan) -> Result<Table, Error> {
        let mut table = Table::default();
        self.retry(&mut || {
            table = self.find(plan, &Wanted::Rows)?;
            Ok(())
        })?;
        Ok(table)
    }

    /// Returns what stops the statements that run here.
    fn stop(&self) -> Stop;

    /// Returns whether others ask of the same memory: then nobody takes much of it at once.
    fn is_shared(&self) -> bool;

    /// Runs `work`; when others have the memory of the service, again.
    ///
    /// # Errors
    /// What `work` fails with at last.
    fn retry(&self, work: &mut dyn FnMut() -> Result<(), Error>) -> Result<(), Error> {
        work()
    }

    /// Runs one `SELECT` and returns all of its rows.
    ///
    /// # Errors
    /// When it is wrong, or the database fails.
    fn rows_once(&self, sql: &str, params: &[Param]) -> Result<Table, Error> {
        let mut rows = Vec::new();
        let columns = self.each(sql, params, &mut |_, row| {
            rows.push(row);
            ControlFlow::Continue(())
        })?;
        Ok(Table { columns, rows })
    }

    /// The same, patiently.
    ///
    /// # Errors
    /// As [`Ask::rows_once`].
    fn rows(&self, sql: &str, params: &[Param]) -> Result<Table, Error> {
        let mut table = Table::default();
        self.retry(&mut || {
            table = self.rows_once(sql, params)?;
            Ok(())
        })?;
        Ok(table)
    }
}

impl Ask for Answers {
    fn find_each(
        &self,
        plan: &Plan,
        wanted: &Wanted,
        row: &mut Row<'_>,
    ) -> Result<Vec<String>, Error> {
        match self {
            Self::Here(_) => {
                let statement = plan.statement(wanted);
                self.select_each(&statement.sql, &statement.params, row)
            }
            // The service compiles it itself: then it knows what is asked, and in which scope.
            Self::There(client) => client.select_each(&plan.request(wanted), &[], row),
        }
    }

    fn each(&self, sql: &str, params: &[Param], row: &mut Row<'_>) -> Result<Vec<String>, Error> {
        self.select_each(sql, params, row)
    }

    fn stop(&self) -> Stop {
        self.interrupt()
    }

    fn is_shared(&self) -> bool {
        matches!(self, Self::There(_))
    }

    fn retry(&self, work: &mut dyn FnMut() -> Result<(), Error>) -> Result<(), Error> {
        self.patiently(work)
    }
}

/// All columns of all tables: they are the same as long as the database is open.
const COLUMNS: &str = "\
SELECT database_name, table_name, column_name, data_type
FROM duckdb_columns()
WHERE NOT internal AND database_name = current_database() AND schema_name = 'main'
    AND table_name IN (SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT temporary)
ORDER BY table_name, column_index";

/// How long what was found to be seen is taken for complete.
const FRESH: Duration = Duration::from_secs(1);

/// What keeps a session in its scope.
#[derive(Debug)]
pub struct Restriction {
    refresh: String,
    /// When it was last found out what is seen.
    done: Moment<Option<Instant>>,
}

impl Restriction {
    /// Puts the session into the scope, for good: see [`scope`]. None where everything is seen.
    ///
    /// # Errors
    /// When the database fails; the session must not be used then.
    pub fn put(session: &Session, scope: &Scope) -> Result<Option<Self>, Error> {
        if *scope == Scope::All {
            return Ok(None);
        }
        let (database, tables) = tables(session)?;
        let restriction = Self {
            refresh: scope::refresh(scope, &database),
            done: Moment::default(),
        };
        restriction.refresh(session)?;
        session.furnish(&scope::views(scope, &database, &tables))?;
        Ok(Some(restriction))
    }

    /// Finds out what is seen now; to be called before each statement.
    ///
    /// # Errors
    /// When the database fails.
    pub fn refresh(&self, session: &Session) -> Result<(), Error> {
        let is_fresh = |done: Instant| done.elapsed() < FRESH;
        if self.refresh.is_empty() || self.done.get().is_some_and(is_fresh) {
            return Ok(());
        }
        let begun = Instant::now();
        session.furnish(&self.refresh)?;
        self.done.set(Some(begun));
        Ok(())
    }
}

/// Returns the name of the database, and its tables with their columns.
fn tables(session: &Session) -> Result<(String, Vec<scope::Table>), Error> {
    let found = session.select_own(COLUMNS, &[])?;
    let mut database = String::new();
    let mut tables: Vec<scope::Table> = Vec::new();
    for row in found.rows {
        let [
            Cell::Text(of),
            Cell::Text(table),
            Cell::Text(column),
            Cell::Text(kind),
        ] = row.as_slice()
        else {
            continue;
        };
        database.clone_from(of);
        let column = (column.clone(), kind.clone());
        match tables.last_mut() {
            Some((name, columns)) if name == table => columns.push(column),
            _ => tables.push((table.clone(), vec![column])),
        }
    }
    if tables.is_empty() {
        return Err(Error::Sql {
            statement: COLUMNS.to_owned(),
            message: "the database has no tables".to_owned(),
        });
    }
    Ok((database, tables))
}

/// A session in a scope, for a part of the service that asks in somebody's name.
pub struct Scoped {
    session: Session,
    restriction: Option<Restriction>,
}

impl Scoped {
    /// Puts the session into the scope.
    ///
    /// # Errors
    /// When the database fails.
    pub fn new(session: Session, scope: &Scope) -> Result<Self, Error> {
        let restriction = Restriction::put(&session, scope)?;
        Ok(Self {
            session,
            restriction,
        })
    }
}

impl Ask for Scoped {
    fn each(
        &self,
        sql: &str,
        params: &[Param],
        mut row: &mut Row<'_>,
    ) -> Result<Vec<String>, Error> {
        if let Some(restriction) = &self.restriction {
            restriction.refresh(&self.session)?;
        }
        self.session.select_own_each(sql, params, &mut row)
    }

    fn stop(&self) -> Stop {
        Stop::Here(self.session.interrupt())
    }

    fn is_shared(&self) -> bool {
        true
    }
}
