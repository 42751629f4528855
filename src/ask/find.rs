//! Find: a search as a request, and what it finds: hits, the stories of their mails, or what log was read and what might have been meant.

use super::Ask;
use super::coverage::Coverage;
use super::hits::{self, How};
use super::near_misses::NearMisses;
use super::story::{Focus, Stories};
use crate::model::hits as columns;
use crate::model::table::{Cell, Table};
use crate::query::{self, Options, Other, Plan};
use crate::store::Error;
use std::ops::ControlFlow;

/// What is searched for, and how it is shown.
#[derive(Debug, Clone)]
pub struct FindRequest {
    /// The terms of the query.
    pub terms: Vec<String>,
    /// What the query depends on beside its text.
    pub options: Options,
    /// Count the hits by this field, that many values at most.
    pub count_by: Option<(String, Option<u64>)>,
    /// Only these columns; all where none.
    pub columns: Vec<String>,
    /// The newest first.
    pub newest_first: bool,
    /// With what the mail store did.
    pub with_store: bool,
    /// Tell each recipient of a mail.
    pub tells_all: bool,
}

impl FindRequest {
    /// Compiles the query.
    ///
    /// # Errors
    /// When it is wrong, with the place in its text.
    pub fn plan(&self) -> Result<Plan, query::Error> {
        self.counted(query::compile(&self.terms, &self.options)?)
    }

    /// Compiles the query with a bare word read in another way, each one that is worth asking at once.
    pub fn others<'a>(
        &'a self,
        plan: &'a Plan,
    ) -> impl Iterator<Item = (&'a Other, Result<Plan, query::Error>)> {
        let tried = plan.others.iter().filter(|other| other.is_tried);
        tried.filter_map(|other| {
            let plan = query::compile_text(&other.text, &self.options).ok()?;
            Some((other, self.counted(plan)))
        })
    }

    fn counted(&self, plan: Plan) -> Result<Plan, query::Error> {
        match &self.count_by {
            Some((field, top)) => query::count_by(plan, field, *top),
            None => Ok(plan),
        }
    }

    /// Returns the rows of a result of which nothing is found: none, with the names of its columns.
    ///
    /// # Errors
    /// When there is no field to count by of that name.
    pub fn nothing(&self) -> Result<Table, query::Error> {
        let columns = match &self.count_by {
            Some((field, _)) => query::counted(field)?,
            None => columns::names().into_iter().map(str::to_owned).collect(),
        };
        Ok(Table {
            columns,
            rows: Vec::new(),
        })
    }

    /// Returns the hits with the columns alone that are wanted.
    ///
    /// # Errors
    /// When there is no column of a name: which one may be meant.
    pub fn chosen(&self, hits: Table) -> Result<Table, String> {
        if self.columns.is_empty() {
            return Ok(hits);
        }
        let place = |name: &String| query::column(name, &hits.columns);
        let places: Vec<usize> = self.columns.iter().map(place).collect::<Result<_, _>>()?;
        let pick = |row: Vec<Cell>| {
            let cell = |place: &usize| row.get(*place).cloned().unwrap_or(Cell::Null);
            places.iter().map(cell).collect()
        };
        Ok(Table {
            columns: places
                .iter()
                .filter_map(|place| hits.columns.get(*place).cloned())
                .collect(),
            rows: hits.rows.into_iter().map(pick).collect(),
        })
    }
}

/// A compiled search and whom it asks.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// Who runs its statements.
    pub asked: &'a dyn Ask,
    /// What is wanted.
    pub request: &'a FindRequest,
    /// What is searched for.
    pub plan: &'a Plan,
}

impl Search<'_> {
    /// Hands on all hits some at a time until `page` breaks; with `asks` it asks the database itself. Returns their number.
    ///
    /// # Errors
    /// When the database fails, or `page` does.
    pub fn pages<E: From<Error>>(
        &self,
        asks: bool,
        page: impl FnMut(Table) -> Result<ControlFlow<()>, E>,
    ) -> Result<u64, E> {
        let how = How { asks, ..self.how() };
        hits::pages(self.asked, self.plan, how, page)
    }

    /// Returns how many hits each value of the field has that they are counted by.
    ///
    /// # Errors
    /// When the database fails.
    pub fn counts(&self) -> Result<Table, Error> {
        self.asked.find_all(self.plan)
    }

    /// Returns all hits.
    ///
    /// # Errors
    /// When the database fails.
    pub fn all(&self) -> Result<Table, Error> {
        hits::all(self.asked, self.plan, self.how())
    }

    /// Returns the number of hits.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count(&self) -> Result<u64, Error> {
        hits::count(self.asked, self.plan)
    }

    /// Returns the stories of the mails among the hits.
    ///
    /// # Errors
    /// When the database fails.
    pub fn stories(&self, hits: &Table) -> Result<Stories, Error> {
        let focus = Focus {
            addresses: self.addresses().map(str::to_owned).collect(),
            names_recipient: self.plan.names_recipient,
            tells_all: self.request.tells_all,
        };
        Stories::of(self.asked, hits, &focus)
    }

    /// Returns the addresses that the query names, in small letters.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.plan.asked.iter().map(|(_, address)| address.as_str())
    }

    /// Returns what log was read for the time searched, so that "nothing found" means something.
    ///
    /// # Errors
    /// When the database fails.
    pub fn coverage(&self) -> Result<Coverage, Error> {
        Coverage::of(self.asked, self.plan.window)
    }

    /// Returns what might have been meant where nothing is found.
    ///
    /// # Errors
    /// When the database fails.
    pub fn near_misses(&self) -> Result<NearMisses, Error> {
        NearMisses::of(self.asked, self.plan)
    }

    const fn how(&self) -> How {
        How {
            newest_first: self.request.newest_first,
            with_store: self.request.with_store,
            asks: false,
        }
    }
}
