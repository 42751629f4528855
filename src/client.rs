//! Client: asks the running service instead of the file, with the same answers; nothing else knows which it was.
//!
//! Cells come packed (`model/packed.rs`), so they are the very ones that the database gives; errors are told with the
//! same words.

use crate::model::packed;
use crate::model::table::{Cell, Param, Table};
use crate::nofollow::{self, Folder};
use crate::notice;
use crate::socket;
use crate::store::Error;
use futures::{SinkExt, StreamExt, pin_mut};
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, CancelToken, Config, NoTls};

/// Time for the service to say good day.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection to the service.
pub struct Client {
    runtime: Runtime,
    asked: tokio_postgres::Client,
    path: PathBuf,
    /// Whose mail is seen, where it is not all.
    scope: Option<String>,
}

/// Stops what a client's query is doing, from another thread.
#[derive(Clone)]
pub struct Cancel(Arc<CancelToken>);

impl Cancel {
    /// Makes the service stop the running query.
    pub fn interrupt(&self) {
        if let Ok(runtime) = Builder::new_current_thread().enable_all().build() {
            let _ = runtime.block_on(self.0.cancel_query(NoTls));
        }
    }
}

impl Client {
    /// Connects to the service that has the database; none when no service answers.
    ///
    /// `zone` is that of the user, for `local_time`.
    ///
    /// # Errors
    /// When the service refuses.
    pub fn connect(database: &Path, zone: Option<&str>) -> Result<Option<Self>, Error> {
        let directory = socket::directory(database);
        let path = directory.join(socket::NAME);
        match fs::symlink_metadata(&path) {
            Ok(data) if data.file_type().is_socket() => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(Error::Permission {
                    path,
                    write: false,
                    cause: "permission denied".to_owned(),
                });
            }
            _ => return Ok(None),
        }
        if !is_trusted(&path, database) {
            return Ok(None);
        }
        let failed = |error: io::Error| service(format!("cannot connect to the service: {error}"));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let mut options = "-c maillog.cells=packed -c statement_timeout=0".to_owned();
        if let Some(zone) = zone {
            options.push_str(&format!(" -c TimeZone={zone}"));
        }
        let mut config = Config::new();
        config
            .host_path(&directory)
            .port(socket::PORT)
            .user("maillog")
            .dbname("maillog")
            .application_name("maillog")
            .options(options)
            .connect_timeout(PATIENCE);
        let connected = runtime.block_on(config.connect(NoTls));
        let (client, mut connection) = match connected {
            Ok(connected) => connected,
            Err(error) => return refused(&error),
        };
        let scope = connection.parameter(socket::SCOPE).map(str::to_owned);
        // What the service says while a query waits for its place.
        runtime.spawn(async move {
            let next = move |context: &mut Context<'_>| connection.poll_message(context);
            let mut messages = pin!(futures::stream::poll_fn(next));
            while let Some(Ok(message)) = messages.next().await {
                if let AsyncMessage::Notice(said) = message {
                    notice::say(said.message());
                }
            }
        });
        Ok(Some(Self {
            runtime,
            asked: client,
            path: database.to_path_buf(),
            scope,
        }))
    }

    /// Returns the path of the database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whose mail the service lets this user see; none where it is all mail.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// Returns what stops the queries of this client.
    pub fn cancel(&self) -> Cancel {
        Cancel(Arc::new(self.asked.cancel_token()))
    }

    /// Runs one `SELECT` and returns all of its rows.
    ///
    /// # Errors
    /// As the database has them, and when the service is gone.
    pub fn select(&self, sql: &str, params: &[Param]) -> Result<Table, Error> {
        let mut rows = Vec::new();
        let columns = self.select_each(sql, params, |_, row| {
            rows.push(row);
            ControlFlow::Continue(())
        })?;
        Ok(Table { columns, rows })
    }

    /// Runs one `SELECT` and hands its rows on as they come, until `row` breaks. Returns the names of the columns.
    ///
    /// # Errors
    /// As the database has them, and when the service is gone.
    pub fn select_each(
        &self,
        sql: &str,
        params: &[Param],
        mut row: impl FnMut(&[String], Vec<Cell>) -> ControlFlow<()>,
    ) -> Result<Vec<String>, Error> {
        let types: Vec<Type> = params.iter().map(kind).collect();
        let values: Vec<Box<dyn ToSql + Sync>> = params.iter().map(value).collect();
        let failed = |error: tokio_postgres::Error| told(&error, sql);
        self.runtime.block_on(async {
            let statement = self
                .asked
                .prepare_typed(sql, &types)
                .await
                .map_err(failed)?;
            let columns: Vec<String> = statement
                .columns()
                .iter()
                .map(|column| column.name().to_owned())
                .collect();
            let values = values.iter().map(|value| &**value as &(dyn ToSql + Sync));
            let rows = self
                .asked
                .query_raw(&statement, values)
                .await
                .map_err(failed)?;
            pin_mut!(rows);
            while let Some(found) = rows.next().await {
                let found = found.map_err(failed)?;
                let cells = (0..columns.len()).map(|index| {
                    let text: Option<&str> = found.try_get(index).ok()?;
                    packed::unpack(text)
                });
                let Some(cells) = cells.collect::<Option<Vec<Cell>>>() else {
                    return Err(service(
                        "the service sent a value that maillog cannot read".to_owned(),
                    ));
                };
                if row(&columns, cells).is_break() {
                    // What is still under way is of no use to anybody.
                    let _ = self.asked.cancel_token().cancel_query(NoTls).await;
                    break;
                }
            }
            Ok(columns)
        })
    }

    /// Sends parts to a `COPY ... FROM STDIN`.
    ///
    /// # Errors
    /// When the service refuses or goes away.
    pub fn copy_in(&self, sql: &str, parts: impl Iterator<Item = Vec<u8>>) -> Result<(), Error> {
        let failed = |error: tokio_postgres::Error| told(&error, sql);
        self.runtime.block_on(async {
            let sink = self.asked.copy_in(sql).await.map_err(failed)?;
            pin_mut!(sink);
            for part in parts {
                sink.send(bytes::Bytes::from(part)).await.map_err(failed)?;
            }
            sink.finish().await.map(drop).map_err(failed)
        })
    }

    /// Runs a verb of the service with its argument.
    ///
    /// # Errors
    /// When the service refuses or fails.
    pub fn call(&self, verb: &str, argument: &str) -> Result<Table, Error> {
        let sql = format!("CALL {verb}('{}')", argument.replace('\'', "''"));
        let failed = |error: tokio_postgres::Error| told(&error, &sql);
        let messages = self
            .runtime
            .block_on(self.asked.simple_query(&sql))
            .map_err(failed)?;
        let mut table = Table::default();
        for message in messages {
            match message {
                tokio_postgres::SimpleQueryMessage::RowDescription(columns) => {
                    table.columns = columns
                        .iter()
                        .map(|column| column.name().to_owned())
                        .collect();
                }
                tokio_postgres::SimpleQueryMessage::Row(row) => {
                    let cells = (0..row.len()).map(|index| match row.get(index) {
                        Some(text) => Cell::Text(text.to_owned()),
                        None => Cell::Null,
                    });
                    table.rows.push(cells.collect());
                }
                _ => {}
            }
        }
        Ok(table)
    }
}

/// Only the owner of the database, root and oneself are believed: anybody can make a directory in `/tmp`, and a link in
/// a directory of their own.
fn is_trusted(socket: &Path, database: &Path) -> bool {
    let owner = |path: &Path| fs::symlink_metadata(path).ok().map(|data| data.uid());
    let Some(found) = owner(socket) else {
        return false;
    };
    let me = nix::unistd::Uid::effective().as_raw();
    let is_believed = |uid: u32| {
        uid == 0
            || uid == me
            || Folder::of(database).is_ok_and(|folder| folder.is_of(uid, database))
    };
    is_believed(found) && owner(nofollow::directory(socket)).is_some_and(is_believed)
}

fn kind(param: &Param) -> Type {
    match param {
        Param::Text(_) | Param::Null => Type::TEXT,
        Param::List(items) if is_of_numbers(items) => Type::INT8_ARRAY,
        Param::List(_) => Type::TEXT_ARRAY,
        Param::Int(_) => Type::INT8,
        Param::Float(_) => Type::FLOAT8,
        Param::Time(_) => Type::TIMESTAMP,
        Param::Bool(_) => Type::BOOL,
        Param::Blob(_) => Type::BYTEA,
    }
}

fn value(param: &Param) -> Box<dyn ToSql + Sync> {
    match param {
        Param::Text(text) => Box::new(text.clone()),
        Param::Int(number) => Box::new(*number),
        Param::Float(number) => Box::new(*number),
        Param::Time(time) => Box::new(Micros(time.0)),
        Param::Bool(truth) => Box::new(*truth),
        Param::Blob(bytes) => Box::new(bytes.clone()),
        Param::List(items) if is_of_numbers(items) => {
            let item = |item: &Param| match item {
                Param::Int(number) => Some(*number),
                _ => None,
            };
            Box::new(items.iter().map(item).collect::<Vec<_>>())
        }
        Param::List(items) => {
            let item = |item: &Param| match item {
                Param::Text(text) => Some(text.clone()),
                _ => None,
            };
            Box::new(items.iter().map(item).collect::<Vec<_>>())
        }
        Param::Null => Box::new(None::<String>),
    }
}

/// Our own lists are of whole numbers or of texts.
fn is_of_numbers(items: &[Param]) -> bool {
    matches!(items.first(), Some(Param::Int(_)))
}

/// A time as the protocol carries it, whatever its year.
#[derive(Debug)]
struct Micros(i64);

impl ToSql for Micros {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<tokio_postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        // Microseconds since 2000.
        out.extend_from_slice(&self.0.saturating_sub(946_684_800_000_000).to_be_bytes());
        Ok(tokio_postgres::types::IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMP
    }

    tokio_postgres::types::to_sql_checked!();
}

fn service(message: String) -> Error {
    Error::Service {
        message,
        hint: String::new(),
    }
}

/// Nobody listens on a socket that a killed service left.
fn refused(error: &tokio_postgres::Error) -> Result<Option<Client>, Error> {
    if error.as_db_error().is_some() {
        return Err(told(error, ""));
    }
    let cause =
        std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    match cause.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Ok(None),
        _ => Err(service(format!("cannot connect to the service: {error}"))),
    }
}

/// Returns the error that the database would have had here.
fn told(error: &tokio_postgres::Error, sql: &str) -> Error {
    let Some(told) = error.as_db_error() else {
        return service(format!("the connection to the service was lost: {error}"));
    };
    let message = told.message().to_owned();
    match told.code().code() {
        "25006" if message == Error::NotSelect.to_string() => Error::NotSelect,
        "53200" => Error::OutOfMemory,
        "57014" if message == Error::Interrupted.to_string() => Error::Interrupted,
        _ if told.hint().is_none() => Error::Sql {
            statement: sql.to_owned(),
            message,
        },
        _ => Error::Service {
            message,
            hint: told.hint().unwrap_or_default().to_owned(),
        },
    }
}
