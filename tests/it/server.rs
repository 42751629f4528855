//! Questions to a service: the same answers as without one, clients of other makes, and what they may not do.
//!
//! The service is this process: its server on a database that the program has filled.

use crate::program::Place;
use maillog::config::{ScopeTable, Serve};
use maillog::model::table::{Cell, Table};
use maillog::server::{Failure, Hooks, Server};
use maillog::socket;
use maillog::store::Store;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls};

/// A database with the demo log in it, and its service.
struct Service {
    place: Place,
    store: Store,
    server: Server,
}

fn filled() -> Place {
    Place::filled(&["testlogs/demo"])
}

impl Service {
    fn start(place: Place, serve: &Serve) -> Self {
        let database = place.path("maillog.duckdb");
        let store = Store::open_writer(&database).unwrap();
        let echo = |argument: &str| {
            if argument == "no" {
                return Err(Failure::new("22023", "said no"));
            }
            Ok(Table {
                columns: vec!["said".to_owned()],
                rows: vec![vec![Cell::Text(argument.to_owned())]],
            })
        };
        let hooks = Hooks::default().verb("maillog_echo", echo);
        let server = Server::start(&database, serve, store.sessions().unwrap(), hooks).unwrap();
        Self {
            place,
            store,
            server,
        }
    }

    fn new() -> Self {
        Self::start(filled(), &Serve::default())
    }

    fn directory(&self) -> PathBuf {
        socket::directory(&self.place.path("maillog.duckdb"))
    }

    fn socket(&self) -> UnixStream {
        let stream = UnixStream::connect(self.directory().join(socket::NAME)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream
    }

    /// Connects a client of another make, with options.
    fn ask<T>(&self, options: &str, talk: impl AsyncFnOnce(Client) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::Config::new()
                .host_path(self.directory())
                .port(socket::PORT)
                .user("alice")
                .dbname("maillog")
                .options(options)
                .connect(NoTls)
                .await
                .unwrap();
            tokio::spawn(connection);
            talk(client).await
        })
    }

    fn psql(&self, arguments: &[&str]) -> Option<(String, String)> {
        let psql = Command::new("psql")
            .args(["-X", "-h"])
            .arg(self.directory())
            .args(["-U", "alice", "maillog"])
            .args(arguments)
            .env("PAGER", "cat")
            .env_remove("PGOPTIONS")
            .output();
        let Ok(output) = psql else {
            crate::skip::skip("psql is not installed");
            return None;
        };
        Some((
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }
}

fn code(error: &tokio_postgres::Error) -> &str {
    error
        .as_db_error()
        .map_or("none", |error| error.code().code())
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn every_command_answers_the_same_beside_a_service() {
    let now = "2026-11-21T12:00:00Z";
    let commands: &[&[&str]] = &[
        &["find", "--all", "@ok.test"],
        &["find", "--all", "-o", "json", "status:bounced"],
        &["find", "--all", "-o", "story", "status:deferred"],
        &["find", "--all", "-o", "csv", "status:sent", "delay:>0"],
        &["find", "--all", "nobody@nowhere.invalid"],
        &[
            "find",
            "--since",
            "2001-01-01",
            "--until",
            "2001-01-02",
            "x@y.invalid",
        ],
        &["find", "--all", "-o", "table", "dir:refused"],
        &["query"],
        &["query", "totals", "--all"],
        &["query", "traffic_hourly", "--all"],
        &["query", "senders_count", "--all", "--top", "3"],
        &["query", "bounced_detail", "--all"],
        &["status", "--schema"],
        &["summary", "--since", "2026-11-01"],
        &["prune", "--dry-run"],
        &["find", "--all", "-o", "ticket", "bo.0117@ok.test"],
        &["find", "--all", "-o", "raw", "bo.0117@ok.test"],
        &["find", "--all", "--mask", "status:deferred"],
        &["find", "--all", "--count-by", "cause", "@ok.test"],
        &["sql", "SELECT * FROM delivery_to ORDER BY id LIMIT 20"],
        &[
            "sql",
            "-o",
            "json",
            "SELECT 1, 2.50, 'x', NULL, true, [1, NULL], {'a': [now() < now()]}, DATE '0044-03-15 (BC)', INTERVAL '14 months', 170141183460469231731687303715884105727::HUGEINT, '\\x00'::BLOB, 1e300, TIME '01:02:03', MAP {'a': 1}, 'infinity'::TIMESTAMP",
        ],
        &[
            "sql",
            "SELECT local_time(TIMESTAMP '2026-07-01 12:00:00'), in_zone(TIMESTAMP '2026-07-01 12:00:00', 'Asia/Tokyo')",
        ],
        &["sql", "SELECT * FROM delivery_to WHERE false"],
        &["sql", "SELEC 1"],
        &["sql", "SELECT nosuch\nFROM delivery_to"],
        &["sql", "SELECT 1; SELECT 2"],
        &["sql", "DELETE FROM delivery_to"],
        &["sql", "SET memory_limit = '10GB'"],
        &["sql", "COPY delivery_to TO '/tmp/x'"],
        &["sql", "SELECT * FROM checkpoint()"],
        &["sql", "SELECT 'x'::INTEGER"],
        &["sql", "  "],
        &["sql", "EXPLAIN SELECT 1"],
        &[
            "sql",
            "SELECT now() > TIMESTAMP '2020-01-01', current_date > DATE '2020-01-01'",
        ],
        &["sql", "\\d meta"],
    ];
    let place = filled();
    let ask = |place: &Place| -> Vec<_> {
        let ask = |arguments: &&[&str]| {
            let mut all = vec!["--now", now];
            all.extend_from_slice(arguments);
            let mut command = place.command(&all);
            let output = command.env("TZ", "Europe/Berlin").output().unwrap();
            (
                output.status.code(),
                String::from_utf8(output.stdout).unwrap(),
                String::from_utf8(output.stderr).unwrap(),
            )
        };
        commands.iter().map(ask).collect()
    };
    let without = ask(&place);
    let service = Service::start(place, &Serve::default());
    let with = ask(&service.place);
    for ((arguments, without), with) in commands.iter().zip(&without).zip(&with) {
        assert_eq!(without, with, "maillog {}", arguments.join(" "));
    }
    assert!(without.iter().any(|(code, ..)| *code == Some(1)));
    // The sizes of the files differ, for the service has a WAL.
    let status = service.place.succeed(&["status", "--json"]);
    assert!(status.contains("\"schema\""), "{status}");
}

#[test]
fn every_canned_query_answers_the_same_beside_a_service() {
    let place = filled();
    let names = std::fs::read_dir("queries").unwrap().map(|file| {
        let path = file.unwrap().path();
        path.file_stem().unwrap().to_str().unwrap().to_owned()
    });
    // The sizes of the files differ, for the service has a WAL.
    let names: Vec<String> = names.filter(|name| name != "storage").collect();
    let ask = |place: &Place| -> Vec<_> {
        let now = ["--now", "2026-11-21T12:00:00Z", "query"];
        let ask = |name: &String| {
            let outcome = place.run(&[&now[..], &[name]].concat());
            (name.clone(), outcome.code, outcome.stdout, outcome.stderr)
        };
        names.iter().map(ask).collect()
    };
    let without = ask(&place);
    let service = Service::start(place, &Serve::default());
    let with = ask(&service.place);
    for (without, with) in without.iter().zip(&with) {
        assert_eq!(without, with);
    }
    let answered = without.iter().filter(|(_, code, ..)| *code == Some(0));
    assert!(answered.count() > 50);
}

/// Statements that overflowed the stack, took all memory or held up every session.
fn killers() -> Vec<(String, &'static str)> {
    let nested =
        |count, open: &str, close: &str| open.repeat(count) + "SELECT 1" + &close.repeat(count);
    let text = |sql: &str| sql.to_owned();
    vec![
        (nested(900, "WITH a AS (", ") SELECT * FROM a"), "54001"),
        (nested(12_000, "FROM (", ")"), "54001"),
        (nested(12_000, "SELECT * FROM (", ")"), "54001"),
        (format!("FROM meta{}", ", meta".repeat(5000)), "54001"),
        (
            format!("SELECT 1{}", " UNION SELECT 1".repeat(5000)),
            "54001",
        ),
        (format!("SELECT 1{}", " + 1".repeat(5000)), "54001"),
        (format!("SELECT {}1", "$1,".repeat(300_000)), "54001"),
        (format!("SELECT {}", ")::regclass".repeat(80_000)), "54001"),
        (format!("SELECT '{}'", "x".repeat(2_000_000)), "54000"),
        (
            text("SELECT json_contains(repeat('[', 100000) || repeat(']', 100000), '2')"),
            "42501",
        ),
        (text("SELECT len(range(60000000))"), "42501"),
        (text("SELECT length(repeat('x', 1500000000))"), "42501"),
        (text("SELECT key::JSON::VARIANT FROM meta"), "42501"),
    ]
}

#[test]
fn the_service_outlives_what_would_stop_it() {
    let service = Service::new();
    for cells in ["", "-c maillog.cells=packed"] {
        service.ask(cells, async |client| {
            for (sql, expected) in killers() {
                let refused = client.simple_query(&sql).await;
                let refused = refused.map(|found| found.len()).unwrap_err();
                assert_eq!(code(&refused), expected, "{refused:?}: {sql:.40}");
            }
            assert!(client.simple_query("SELECT 1").await.is_ok());
        });
    }
}

#[test]
fn a_place_that_a_message_makes_up_is_survived() {
    Service::new().ask("", async |client| {
        let sql = "SELECT error(E'x\n\nLINE 0: a\n  ^')";
        let error = client.simple_query(sql).await.unwrap_err();
        assert_eq!(
            error
                .as_db_error()
                .map(tokio_postgres::error::DbError::message),
            Some("x")
        );
        assert!(client.simple_query("SELECT 1").await.is_ok());
    });
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn nothing_is_written_whatever_is_tried() {
    let service = Service::new();
    let count = |service: &Service| {
        service
            .store
            .select("SELECT count(*) FROM delivery_to", &[])
            .unwrap()
    };
    let before = count(&service);
    let refused = [
        ("INSERT INTO meta VALUES ('a', 'b')", "25006"),
        ("UPDATE meta SET value = 'x'", "25006"),
        ("DELETE FROM delivery_to", "25006"),
        ("/* SELECT 1; */ DELETE FROM delivery_to -- SELECT", "25006"),
        ("SELECT 1; DELETE FROM delivery_to", "25006"),
        ("SELECT 1;\n;/**/;DROP TABLE delivery_to", "25006"),
        ("BEGIN; DELETE FROM delivery_to; COMMIT", "25006"),
        (
            "WITH x AS (INSERT INTO meta VALUES ('a', 'b') RETURNING key) SELECT * FROM x",
            "25006",
        ),
        ("WITH x AS (SELECT 1) DELETE FROM delivery_to", "25006"),
        ("EXPLAIN DELETE FROM delivery_to", "25006"),
        ("EXPLAIN ANALYZE DELETE FROM delivery_to", "25006"),
        ("CREATE TABLE x (a INTEGER)", "25006"),
        ("CREATE TEMP TABLE x AS SELECT 1", "25006"),
        ("CREATE OR REPLACE VIEW queue_now AS SELECT 1", "25006"),
        ("DROP TABLE delivery_to", "25006"),
        ("ALTER TABLE meta ADD COLUMN x INTEGER", "25006"),
        ("TRUNCATE delivery_to", "25006"),
        ("COPY delivery_to TO '/tmp/maillog-refused'", "25006"),
        (
            "COPY (SELECT 1) TO '/tmp/maillog-refused' (FORMAT parquet)",
            "25006",
        ),
        ("COPY delivery_to FROM '/etc/passwd'", "25006"),
        ("COPY delivery_to FROM STDIN", "25006"),
        (
            "COPY (DELETE FROM delivery_to RETURNING *) TO STDOUT",
            "25006",
        ),
        ("DECLARE c CURSOR FOR DELETE FROM delivery_to", "25006"),
        ("EXPORT DATABASE '/tmp/maillog-refused'", "25006"),
        ("IMPORT DATABASE '/tmp'", "25006"),
        ("ATTACH '/tmp/x.duckdb'", "25006"),
        ("DETACH maillog", "25006"),
        ("USE memory", "25006"),
        ("LOAD httpfs", "25006"),
        ("INSTALL httpfs", "25006"),
        ("PRAGMA database_list", "25006"),
        ("PRAGMA memory_limit='10GB'", "25006"),
        ("SET memory_limit = '10GB'", "42704"),
        ("SET SESSION threads TO 8", "42704"),
        ("SET GLOBAL enable_external_access = true", "42704"),
        ("RESET memory_limit", "42704"),
        ("SET VARIABLE x = 1", "42704"),
        ("CALL pragma_version()", "42883"),
        ("CALL checkpoint()", "42883"),
        ("CHECKPOINT", "25006"),
        ("FORCE CHECKPOINT", "25006"),
        ("VACUUM", "25006"),
        ("ANALYZE", "25006"),
        ("GRANT ALL ON meta TO alice", "25006"),
        ("COMMENT ON TABLE meta IS 'x'", "25006"),
        ("LOCK TABLE meta", "25006"),
        ("DO $$ BEGIN END $$", "25006"),
        ("EXECUTE x", "25006"),
        ("SELECT * FROM read_csv('/etc/passwd')", "42501"),
        ("SELECT * FROM read_csv_auto('/etc/passwd')", "42501"),
        ("SELECT * FROM read_text('/etc/passwd')", "42501"),
        ("SELECT * FROM read_blob('/etc/passwd')", "42501"),
        ("SELECT * FROM read_json('/etc/passwd')", "42501"),
        ("SELECT * FROM read_parquet('/tmp/x')", "42501"),
        ("SELECT * FROM parquet_scan('/tmp/x')", "42501"),
        ("SELECT * FROM parquet_metadata('/tmp/x')", "42501"),
        ("SELECT * FROM sniff_csv('/etc/passwd')", "42501"),
        ("SELECT * FROM glob('/*')", "42501"),
        ("FROM '/etc/passwd'", "42P01"),
        ("FROM 'x.csv'", "42501"),
        ("SELECT * FROM \"/etc/x.parquet\"", "42501"),
        ("SELECT getenv('HOME')", "42501"),
        ("SELECT nextval('x')", "42501"),
        ("SELECT * FROM query('SELECT 1')", "42501"),
        ("SELECT * FROM checkpoint()", "42501"),
        ("SELECT * FROM force_checkpoint()", "42501"),
        ("SELECT * FROM enable_logging()", "42501"),
        ("SELECT write_log('x')", "42501"),
        ("SELECT * FROM arrow_scan(1, 2, 3)", "42501"),
        (
            "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
            "42501",
        ),
        ("SELECT set_config('memory_limit', '1GB', false)", "42501"),
        ("SELECT json_serialize_plan('SELECT 1')", "42501"),
        (
            "SELECT json_deserialize_sql(json_serialize_sql('SELECT 1'))",
            "42501",
        ),
        ("SELECT * FROM duckdb_secrets()", "42501"),
        ("SELECT * FROM duckdb_settings()", "42501"),
    ];
    service.ask("", async |client| {
        for (sql, expected) in refused {
            let simple = client
                .simple_query(sql)
                .await
                .map(|messages| format!("{messages:?}"))
                .unwrap_err();
            assert_eq!(code(&simple), expected, "{sql}: {simple:?}");
            let _ = client.simple_query("ROLLBACK").await;
            let prepared = match client.prepare(sql).await {
                Ok(statement) => client.query(&statement, &[]).await.map(drop),
                Err(error) => Err(error),
            };
            let prepared = prepared.unwrap_err();
            // Several statements cannot be prepared at all.
            let several = sql.contains(';') && code(&prepared) == "42601";
            assert!(
                several || code(&prepared) == expected,
                "prepared {sql}: {prepared:?}"
            );
        }
    });
    // Our own client's way in is no way around.
    service.ask("-c maillog.cells=packed", async |client| {
        for (sql, _) in refused
            .iter()
            .filter(|(sql, _)| !sql.starts_with("CALL") && *sql != "EXECUTE x")
        {
            let refused = client.simple_query(sql).await;
            assert!(refused.is_err(), "{sql}");
        }
    });
    assert!(!std::path::Path::new("/tmp/maillog-refused").exists());
    assert_eq!(count(&service), before);
    let tables = service.store.select(
        "SELECT count(*) FROM duckdb_tables() WHERE temporary OR table_name = 'x'",
        &[],
    );
    assert_eq!(tables.unwrap().rows, [[Cell::Int(0)]]);
}

#[test]
fn types_arrive_as_types() {
    let service = Service::new();
    service.ask("", async |client| {
        let row = client
            .query_one(
                "SELECT 1::SMALLINT, 2, 3::BIGINT, 1.5::FLOAT, 2.5, true, 'x', NULL::VARCHAR, ['a', NULL], [1, 2]::BIGINT[], \
                 TIMESTAMP '2026-01-02 03:04:05.6', DATE '2026-01-02', '\\x01\\xff'::BLOB, 2.5::DOUBLE",
                &[],
            )
            .await
            .unwrap();
        let numbers: (i16, i32, i64, f32) = (row.get(0), row.get(1), row.get(2), row.get(3));
        assert_eq!(numbers, (1, 2, 3, 1.5));
        assert_eq!(row.columns()[4].type_().name(), "numeric");
        assert!(row.get::<_, bool>(5));
        assert_eq!(row.get::<_, String>(6), "x");
        assert_eq!(row.get::<_, Option<String>>(7), None);
        assert_eq!(row.get::<_, Vec<Option<String>>>(8), [Some("a".to_owned()), None]);
        assert_eq!(row.get::<_, Vec<i64>>(9), [1, 2]);
        let time: chrono::NaiveDateTime = row.get(10);
        assert_eq!(time.to_string(), "2026-01-02 03:04:05.600");
        assert_eq!(row.get::<_, chrono::NaiveDate>(11).to_string(), "2026-01-02");
        assert_eq!(row.get::<_, Vec<u8>>(12), [1, 255]);
        assert!((row.get::<_, f64>(13) - 2.5).abs() < f64::EPSILON);
    });
}

#[test]
fn parameters_have_the_types_of_the_columns_beside_them() {
    let service = Service::new();
    service.ask("", async |client| {
        let statement = client
            .prepare("SELECT count(*) FROM delivery_to WHERE id >= $1 AND time < $2 AND status IN ($3, $4) LIMIT $5")
            .await
            .unwrap();
        let names: Vec<&str> = statement.params().iter().map(tokio_postgres::types::Type::name).collect();
        assert_eq!(names, ["int8", "timestamp", "text", "text", "int8"]);
        let until = chrono::NaiveDate::from_ymd_opt(2100, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
        let all: i64 = client.query_one(&statement, &[&1_i64, &until, &"sent", &"bounced", &9_i64]).await.unwrap().get(0);
        assert!(all > 100, "{all}");
        let any = "SELECT count(*) FROM delivery_to WHERE id = ANY($1)";
        let any = client.query_one(any, &[&vec![1_i64, 2, 3]]).await.unwrap();
        assert_eq!(any.get::<_, i64>(0), 3);
        let hostile = "x' OR '1' = '1";
        let none = "SELECT count(*) FROM delivery_to WHERE recipient = $1";
        let none = client.query_one(none, &[&hostile]).await.unwrap();
        assert_eq!(none.get::<_, i64>(0), 0);
    });
}

#[test]
fn portals_are_taken_in_parts_and_copies_stream() {
    let service = Service::new();
    service.ask("", async |mut client| {
        let transaction = client.transaction().await.unwrap();
        let portal = transaction
            .bind("SELECT range FROM range(100000)", &[])
            .await
            .unwrap();
        let first = transaction.query_portal(&portal, 10).await.unwrap();
        let second = transaction.query_portal(&portal, 5).await.unwrap();
        assert_eq!((first.len(), second[0].get::<_, i64>(0)), (10, 10));
        // Another question meanwhile.
        assert_eq!(transaction.query("SELECT 1", &[]).await.unwrap().len(), 1);
        let rest = transaction.query_portal(&portal, 0).await.unwrap();
        assert_eq!(rest.len(), 100_000 - 15);
        transaction.rollback().await.unwrap();
        let copied = client
            .copy_out("COPY (SELECT 1, 'a\tb', NULL, ['x']) TO STDOUT")
            .await
            .unwrap();
        let parts: Vec<bytes::Bytes> = futures::TryStreamExt::try_collect(copied).await.unwrap();
        assert_eq!(parts.concat(), b"1\ta\\tb\t\\N\t{x}\n");
        let csv =
            "COPY (SELECT 1 AS n, 'a,\"b' AS t, NULL AS u, '' AS e) TO STDOUT WITH CSV HEADER";
        let copied = client.copy_out(csv).await.unwrap();
        let parts: Vec<bytes::Bytes> = futures::TryStreamExt::try_collect(copied).await.unwrap();
        assert_eq!(parts.concat(), b"n,t,u,e\n1,\"a,\"\"b\",,\"\"\n");
    });
}

#[test]
fn a_failed_transaction_runs_nothing_until_it_ends() {
    let service = Service::new();
    service.ask("", async |client| {
        client.batch_execute("BEGIN READ ONLY").await.unwrap();
        assert_eq!(
            code(&client.batch_execute("SELECT nosuch").await.unwrap_err()),
            "42703"
        );
        assert_eq!(
            code(&client.batch_execute("SELECT 1").await.unwrap_err()),
            "25P02"
        );
        assert_eq!(
            code(&client.query("SELECT 1", &[]).await.unwrap_err()),
            "25P02"
        );
        client.batch_execute("COMMIT; SELECT 1").await.unwrap();
        client.batch_execute("").await.unwrap();
        client.batch_execute("; ;").await.unwrap();
    });
}

/// A question that takes for ever.
const ENDLESS: &str =
    "SELECT count(*) FROM range(10000000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3";

/// Waits until so many queries run.
async fn until_running(service: &Service, count: usize) {
    while service.server.running() != count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn questions_are_cancelled_and_stop_when_their_time_is_over() {
    let service = Service::new();
    service.ask("", async |client| {
        let cancel = client.cancel_token();
        let running = client.batch_execute(ENDLESS);
        let cancelled = async {
            until_running(&service, 1).await;
            cancel.cancel_query(NoTls).await.unwrap();
        };
        let (done, ()) = futures::future::join(running, cancelled).await;
        assert_eq!(code(&done.unwrap_err()), "57014");
        let (done, ()) = futures::future::join(client.batch_execute(ENDLESS), async {
            until_running(&service, 1).await;
            service.server.cancel_all();
        })
        .await;
        let error = done.unwrap_err();
        assert_eq!(code(&error), "53200");
        assert!(format!("{error:?}").contains("the service needs the memory"));
        client
            .batch_execute("SET statement_timeout = '100ms'")
            .await
            .unwrap();
        let begin = Instant::now();
        let error = client.batch_execute(ENDLESS).await.unwrap_err();
        assert_eq!(code(&error), "57014");
        assert!(begin.elapsed() < Duration::from_secs(20));
        assert_eq!(client.query("SELECT 1", &[]).await.unwrap().len(), 1);
    });
}

#[test]
fn limits_hold() {
    let serve = Serve {
        sessions: 2,
        queries: 1,
        timeout_seconds: 1,
        longest_timeout_seconds: 2,
        rows: 1000,
        ..Serve::default()
    };
    let service = Service::start(filled(), &serve);
    service.ask("", async |client| {
        assert_eq!(
            code(
                &client
                    .query("SELECT * FROM range(1001)", &[])
                    .await
                    .unwrap_err()
            ),
            "54000"
        );
        assert_eq!(
            client
                .query("SELECT * FROM range(1000)", &[])
                .await
                .unwrap()
                .len(),
            1000
        );
        client
            .batch_execute("SET statement_timeout = 0")
            .await
            .unwrap();
        let begin = Instant::now();
        assert_eq!(
            code(&client.batch_execute(ENDLESS).await.unwrap_err()),
            "57014"
        );
        assert!(
            begin.elapsed() >= Duration::from_secs(2),
            "{:?}",
            begin.elapsed()
        );
        let memory =
            "SELECT list(a.range), list(b.range::VARCHAR) FROM range(100000000) a, range(100) b";
        let error = client.batch_execute(memory).await.unwrap_err();
        assert!(["53200", "57014"].contains(&code(&error)), "{error:?}");
        let second = connect(&service).await.unwrap();
        let third = connect(&service).await.err().unwrap();
        assert_eq!(code(&third), "53300");
        drop(second);
    });
}

/// What one client leaves open.
#[test]
fn cursors_are_few_and_keep_nobody_waiting() {
    let service = Service::new();
    service.ask("", async |client| {
        let declare = |name: usize| {
            format!(
                "DECLARE c{name} CURSOR FOR SELECT range, repeat('x', 100) FROM range(100000000)"
            )
        };
        let open = async || {
            client.batch_execute("BEGIN").await.unwrap();
            let mut open = 0;
            let refused = loop {
                match client.batch_execute(&declare(open)).await {
                    Ok(()) => open += 1,
                    Err(error) => break error,
                }
            };
            assert_eq!((open, code(&refused)), (4, "53000"), "{refused:?}");
            client.batch_execute("ROLLBACK").await.unwrap();
        };
        // What was closed makes room at once, whether its thread has heard it or not.
        for _ in 0..20 {
            open().await;
        }
        client.batch_execute("BEGIN").await.unwrap();
        for name in 0..4 {
            client.batch_execute(&declare(name)).await.unwrap();
        }
        // So does what was read to its end.
        client
            .batch_execute("CLOSE c3; DECLARE c4 CURSOR FOR SELECT 1; FETCH ALL FROM c4")
            .await
            .unwrap();
        client.batch_execute(&declare(5)).await.unwrap();
        let others: Vec<Client> = futures::future::join_all((0..20).map(|_| connect(&service)))
            .await
            .into_iter()
            .map(Result::unwrap)
            .collect();
        let mut beside = 0;
        for other in &others {
            other.batch_execute("BEGIN").await.unwrap();
            other.batch_execute(&declare(0)).await.unwrap();
            while other.batch_execute(&declare(1 + beside)).await.is_ok() {
                beside += 1;
            }
            other.batch_execute("ROLLBACK; BEGIN").await.unwrap();
            other.batch_execute(&declare(0)).await.unwrap();
        }
        assert!(beside > 0);
        let last = connect(&service).await.unwrap();
        assert_eq!(last.query("SELECT 1", &[]).await.unwrap().len(), 1);
        // They wait for their clients, and are stopped all the same.
        service.server.cancel_all();
        let error = client.batch_execute("FETCH ALL FROM c0").await.unwrap_err();
        assert_eq!(code(&error), "53200");
    });
}

#[test]
fn what_a_session_holds_is_bounded() {
    let service = Service::new();
    service.ask("", async |client| {
        let long = format!("SELECT '{}'", "x".repeat(1 << 20));
        for error in [
            client.prepare(&long).await.unwrap_err(),
            client.batch_execute(&long).await.unwrap_err(),
        ] {
            assert_eq!(code(&error), "54000");
        }
        let long = format!("SELECT $1::VARCHAR, '{}' AS t", "x".repeat(900_000));
        let mut held = Vec::new();
        let refused = loop {
            match client.prepare(&long).await {
                Ok(statement) => held.push(statement),
                Err(error) => break error,
            }
        };
        assert_eq!(code(&refused), "54000");
        assert!((10..20).contains(&held.len()), "{}", held.len());
        // Parameters count as well, and what is closed is free again.
        let most = "x".repeat(15 << 20);
        let refused = client.query(&held[0], &[&most]).await.unwrap_err();
        assert_eq!(code(&refused), "54000");
        held.truncate(0);
        client.batch_execute("DEALLOCATE ALL").await.unwrap();
        let row = client
            .query_one("SELECT length($1::VARCHAR)", &[&most])
            .await
            .unwrap();
        assert_eq!(row.get::<_, i64>(0), 15 << 20);
    });
}

#[test]
fn describing_has_a_time() {
    let serve = Serve {
        queries: 1,
        ..Serve::default()
    };
    let service = Service::start(filled(), &serve);
    service.ask("", async |client| {
        let second = connect(&service).await.unwrap();
        second
            .batch_execute("SET statement_timeout = '300ms'")
            .await
            .unwrap();
        // The owner has one place more.
        let third = connect(&service).await.unwrap();
        let cancels = [client.cancel_token(), third.cancel_token()];
        let described = async {
            until_running(&service, 2).await;
            let begin = Instant::now();
            let error = second.prepare("SELECT 2").await.unwrap_err();
            assert_eq!(code(&error), "57014");
            assert!(begin.elapsed() < Duration::from_secs(20));
            for cancel in cancels {
                cancel.cancel_query(NoTls).await.unwrap();
            }
        };
        let one = client.batch_execute(ENDLESS);
        let other = third.batch_execute(ENDLESS);
        let (one, other, ()) = futures::future::join3(one, other, described).await;
        assert_eq!(code(&one.unwrap_err()), "57014");
        assert_eq!(code(&other.unwrap_err()), "57014");
        assert_eq!(second.query("SELECT 2", &[]).await.unwrap().len(), 1);
    });
}

#[test]
fn who_does_not_log_in_keeps_nobody_out() {
    let service = Service::new();
    let mut silent: Vec<UnixStream> = (0..300).map(|_| service.socket()).collect();
    service.ask("", async |client| {
        assert_eq!(client.query("SELECT 1", &[]).await.unwrap().len(), 1);
    });
    // Those that waited longest went.
    assert_eq!(silent[0].read(&mut [0]).unwrap(), 0);
}

#[test]
fn who_wishes_not_to_be_idle_is_not() {
    let service = Service::new();
    for (settings, expected) in [
        ("SET idle_session_timeout = '50ms'", "57P05"),
        (
            "SET idle_in_transaction_session_timeout = 50; BEGIN",
            "25P03",
        ),
    ] {
        let mut stream = service.socket();
        let mut bytes = b"\0\0\0\x10\0\x03\0\0user\0a\0\0Q".to_vec();
        bytes.extend(u32::try_from(settings.len() + 5).unwrap().to_be_bytes());
        bytes.extend(settings.as_bytes());
        bytes.push(0);
        stream.write_all(&bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.contains(expected), "{settings}: {answer:?}");
    }
}

async fn connect(service: &Service) -> Result<Client, tokio_postgres::Error> {
    let mut config = tokio_postgres::Config::new();
    let config = config
        .host_path(service.directory())
        .port(socket::PORT)
        .user("bob");
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

#[test]
fn the_session_is_what_clients_expect() {
    let Some((shown, errors)) = Service::new().psql(&[
        "-At",
        "-c", "SHOW server_version; SHOW TIME ZONE; SHOW transaction_isolation",
        "-c", "SET application_name = 'x'; SET extra_float_digits = 3; SET search_path TO \"$user\", public",
        "-c", "SELECT current_user, current_database(), current_schema(), pg_backend_pid() > 0",
        "-c", "SELECT current_setting('server_version_num'), current_setting('nosuch', true) IS NULL",
        "-c", "SET TIME ZONE 'Europe/Berlin'", "-c", "SHOW timezone",
        "-c", "DISCARD ALL", "-c", "DEALLOCATE ALL", "-c", "EXPLAIN SELECT 1",
        "-c", "BEGIN; DECLARE c CURSOR FOR SELECT * FROM range(5); FETCH 2 FROM c; MOVE 1 FROM c; FETCH ALL FROM c; CLOSE c; COMMIT",
    ]) else {
        return;
    };
    assert_eq!(errors, "");
    let lines: Vec<&str> = shown.lines().collect();
    for wanted in [
        "15.0",
        "UTC",
        "repeatable read",
        "alice|maillog|main|t",
        "150000|t",
        "Europe/Berlin",
        "MOVE 1",
        "COMMIT",
    ] {
        assert!(lines.contains(&wanted), "{wanted}: {shown}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn psql_describes_what_is_there() {
    let service = Service::new();
    let Some((tables, _)) = service.psql(&["-c", "\\d"]) else {
        return;
    };
    assert!(
        tables.contains("delivery_to") && tables.contains("queue_now") && !tables.contains("pg_"),
        "{tables}"
    );
    let (columns, _) = service.psql(&["-c", "\\d delivery_to"]).unwrap();
    assert!(
        columns.contains(" recipient ") && columns.contains("timestamp without time zone"),
        "{columns}"
    );
    for command in [
        "\\d",
        "\\d+",
        "\\dt",
        "\\dt+",
        "\\dv",
        "\\d delivery_to",
        "\\d+ queue_now",
        "\\l",
        "\\dn",
        "\\dn+",
        "\\df",
        "\\du",
        "\\di",
        "\\ds",
        "\\dT",
        "\\dx",
        "\\dp",
        "\\sv attempt",
        "\\conninfo",
        "\\da",
        "\\do",
        "\\db",
        "\\dC",
        "\\dD",
        "\\dE",
        "\\dm",
        "\\dy",
        "\\dd",
        "\\des",
        "\\dL",
        "\\dl",
        "\\dO",
        "\\dRp",
        "\\dRs",
        "\\dX",
        "\\dP",
        "\\dconfig",
        "\\dAc",
        "\\dAf",
    ] {
        let (_, errors) = service.psql(&["-c", command]).unwrap();
        assert!(!errors.contains("ERROR"), "{command}: {errors}");
    }
    let (_, errors) = service
        .psql(&["-c", "SELECT 1,\n nosuch FROM meta"])
        .unwrap();
    assert!(
        errors.contains("LINE 2:  nosuch FROM meta\n         ^"),
        "{errors}"
    );
}

/// What Grafana's PostgreSQL data source sends: to test itself, to list, and from its macros.
#[test]
fn statements_of_grafana_work() {
    let service = Service::new();
    let statements = [
        "SELECT 1",
        "SELECT current_setting('server_version_num')::int/100 as version",
        "SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'",
        "select quote_ident(table_name) as \"table\" from information_schema.tables\n    where quote_ident(table_schema) not in ('information_schema',\n                             'pg_catalog',\n                             '_timescaledb_cache')\n      and table_type IN ('BASE TABLE','VIEW')",
        "SELECT quote_ident(column_name) AS \"column\", data_type AS \"type\" FROM information_schema.columns WHERE quote_ident(table_name) = 'delivery_to'",
        "SELECT time AS \"time\", delay FROM delivery_to WHERE time BETWEEN '2026-01-01T00:00:00Z' AND '2027-01-01T00:00:00.123Z' ORDER BY 1",
        "SELECT floor(extract(epoch from time)/300)*300 AS \"time\", count(*) FROM delivery_to WHERE time >= '2026-01-01T00:00:00Z' GROUP BY 1 ORDER BY 1",
        "SELECT extract(epoch from time) AS time, status AS metric, count(*) AS value FROM delivery_to WHERE extract(epoch from time) >= 1767225600 AND extract(epoch from time) <= 1798761600 GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT date_trunc('hour', time) AS time, count(*) FROM delivery_to WHERE time > now() - interval '10 years' GROUP BY 1 ORDER BY 1",
        "SELECT to_timestamp(extract(epoch from time)) FROM delivery_to WHERE time < to_timestamp(1798761600) LIMIT 1",
        "SELECT \"time\" AT TIME ZONE 'Europe/Berlin' FROM delivery_to LIMIT 1",
        "SELECT time::date, count(*) FROM delivery_to WHERE time > CURRENT_TIMESTAMP - INTERVAL '5 years' GROUP BY time::date",
    ];
    service.ask("", async |client| {
        for sql in statements {
            client
                .simple_query(sql)
                .await
                .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            client
                .query(sql, &[])
                .await
                .unwrap_or_else(|error| panic!("prepared {sql}: {error:?}"));
        }
        let tables = client.query(statements[3], &[]).await.unwrap();
        let tables: Vec<String> = tables.iter().map(|row| row.get(0)).collect();
        assert!(tables.contains(&"delivery_to".to_owned()), "{tables:?}");
        assert!(
            !tables.iter().any(|name| name.starts_with("pg_")),
            "{tables:?}"
        );
    });
}

#[test]
fn bytes_of_any_kind_end_at_worst_their_own_session() {
    let service = Service::new();
    let greeting = b"\0\0\0\x10\0\x03\0\0user\0a\0\0";
    let garbage: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 100],
        vec![0, 0, 0, 4],
        vec![
            0, 0, 0, 8, 4, 210, 22, 47, 0, 0, 0, 8, 4, 210, 22, 48, 0, 0, 0, 8, 4, 210, 22, 47,
        ],
        [greeting.as_slice(), b"B\0\0\0\x05\0"].concat(),
        [greeting.as_slice(), b"Q\xff\xff\xff\xff"].concat(),
        [greeting.as_slice(), b"Q\0\0\0\0"].concat(),
        [greeting.as_slice(), b"P\0\0\0\x08\0\xff\0\0"].concat(),
        [greeting.as_slice(), b"\0\0\0\0\0\0"].concat(),
        [greeting.as_slice(), b"d\0\0\0\x05xc\0\0\0\x04S\0\0\0\x04"].concat(),
        [greeting.as_slice(), b"E\0\0\0\x09\0\x80\0\0\0S\0\0\0\x04"].concat(),
    ];
    for bytes in garbage {
        let mut stream = service.socket();
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }
    // Half open, and left alone.
    let silent: Vec<UnixStream> = (0..10).map(|_| service.socket()).collect();
    service.ask("", async |client| {
        assert_eq!(client.query("SELECT 1", &[]).await.unwrap().len(), 1);
    });
    drop(silent);
}

#[test]
fn a_client_that_does_not_read_keeps_nobody_waiting() {
    let service = Service::start(
        filled(),
        &Serve {
            queries: 1,
            ..Serve::default()
        },
    );
    let mut stalled = service.socket();
    let sql = b"SELECT repeat('x', 1000) FROM range(10000000)\0";
    let mut bytes = b"\0\0\0\x10\0\x03\0\0user\0a\0\0Q".to_vec();
    bytes.extend(u32::try_from(sql.len() + 4).unwrap().to_be_bytes());
    bytes.extend(sql);
    stalled.write_all(&bytes).unwrap();
    let mut first = [0; 1];
    stalled.read_exact(&mut first).unwrap();
    assert_eq!(first, *b"R");
    service.ask("", async |client| {
        assert_eq!(client.query("SELECT 1", &[]).await.unwrap().len(), 1);
    });
}

#[test]
fn verbs_are_for_the_owner_and_answer_with_tables() {
    let service = Service::new();
    let client = maillog::client::Client::connect(&service.place.path("maillog.duckdb"), None)
        .unwrap()
        .unwrap();
    let said = client.call("maillog_echo", "it's {\"a\": 1}").unwrap();
    assert_eq!(said.rows, [[Cell::Text("it's {\"a\": 1}".to_owned())]]);
    let no = client.call("maillog_echo", "no").unwrap_err();
    assert_eq!(no.to_string(), "said no");
    let unknown = client.call("maillog_nosuch", "").unwrap_err();
    assert!(unknown.to_string().contains("does not exist"), "{unknown}");
}

#[test]
fn what_lies_at_the_place_of_the_socket_is_told() {
    let place = filled();
    let database = place.path("maillog.duckdb");
    let directory = socket::directory(&database);
    let store = Store::open_writer(&database).unwrap();
    let start = || {
        Server::start(
            &database,
            &Serve::default(),
            store.sessions().unwrap(),
            Hooks::default(),
        )
    };
    std::fs::write(&directory, "mine").unwrap();
    let error = start().err().unwrap().to_string();
    assert!(
        error.contains("a file has that name; move it away"),
        "{error}"
    );
    std::fs::remove_file(&directory).unwrap();
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join(socket::NAME), "mine").unwrap();
    let error = start().err().unwrap().to_string();
    assert!(
        error.contains("a file has that name; move it away"),
        "{error}"
    );
    std::fs::remove_file(directory.join(socket::NAME)).unwrap();
    let other = std::os::unix::net::UnixListener::bind(directory.join(socket::NAME)).unwrap();
    let error = start().err().unwrap().to_string();
    assert!(error.contains("another process listens on it"), "{error}");
    // What a killed service left is replaced.
    drop(other);
    let _server = start().unwrap();
}

#[test]
fn mistakes_in_the_settings_are_told_at_the_start() {
    let place = filled();
    let database = place.path("maillog.duckdb");
    let store = Store::open_writer(&database).unwrap();
    let file = |name: &str, text: &str| {
        let path = place.path(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let listen = Some("127.0.0.1:0".to_owned());
    let cases = [
        (
            Serve {
                group: Some("no such group".to_owned()),
                ..Serve::default()
            },
            "the system has no group",
        ),
        (
            Serve {
                listen: listen.clone(),
                ..Serve::default()
            },
            "needs certificate",
        ),
        (
            Serve {
                listen: listen.clone(),
                certificate: file("c", ""),
                key: file("k", ""),
                ..Serve::default()
            },
            "needs passwords",
        ),
        (
            Serve {
                listen,
                certificate: file("c", ""),
                key: file("k", ""),
                passwords: file("p", "a:b"),
                ..Serve::default()
            },
            "no certificate in",
        ),
    ];
    for (serve, expected) in cases {
        let error = Server::start(
            &database,
            &serve,
            store.sessions().unwrap(),
            Hooks::default(),
        )
        .err()
        .unwrap();
        assert!(format!("{error:#}").contains(expected), "{error:#}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one story")]
fn tcp_wants_tls_and_a_password_and_knows_scopes() {
    const OWN: &str = "hold-release@ok.test";
    let scope = ScopeTable {
        mail: vec![OWN.to_owned()],
        remote: vec!["dave".to_owned()],
        ..ScopeTable::default()
    };
    let place = filled();
    let (key, certificate) = (place.path("key.pem"), place.path("cert.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    if made.is_err() || Command::new("psql").arg("--version").output().is_err() {
        return crate::skip::skip("openssl or psql is not installed");
    }
    let passwords = place.path("passwords");
    std::fs::write(&passwords, "carol:s3cret\ndave:hidden\n").unwrap();
    std::fs::set_permissions(
        &passwords,
        std::os::unix::fs::PermissionsExt::from_mode(0o600),
    )
    .unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let serve = Serve {
        listen: Some(format!("127.0.0.1:{port}")),
        certificate: Some(certificate),
        key: Some(key),
        passwords: Some(passwords),
        scopes: [("support".to_owned(), scope)].into(),
        ..Serve::default()
    };
    let _service = Service::start(place, &serve);
    let psql = |mode: &str, user: &str, password: &str, statements: &[&str]| {
        let address =
            format!("host=127.0.0.1 port={port} dbname=maillog user={user} sslmode={mode}");
        let output = Command::new("psql")
            .args(["-X", "-At"])
            .args(statements.iter().flat_map(|statement| ["-c", statement]))
            .arg(&address)
            .env("PGPASSWORD", password)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr))
    };
    let sql = "SELECT count(*) > 0 FROM delivery_to";
    let (shown, errors) = psql(
        "require",
        "carol",
        "s3cret",
        &[sql, "CALL maillog_echo('x')"],
    );
    assert_eq!(shown, "t\n", "{errors}");
    // A password lets in to ask, not to do.
    assert!(errors.contains("only root and the owner"), "{errors}");
    for (mode, user, password, expected) in [
        (
            "require",
            "carol",
            "wrong",
            "password authentication failed",
        ),
        (
            "require",
            "mallory",
            "s3cret",
            "password authentication failed",
        ),
        ("disable", "carol", "s3cret", "TLS is required"),
    ] {
        let (shown, errors) = psql(mode, user, password, &[sql]);
        assert!(
            shown.is_empty() && errors.contains(expected),
            "{shown}{errors}"
        );
    }
    // In a scope there are searches, and no SQL.
    let (shown, errors) = psql("require", "dave", "hidden", &[sql]);
    let refused = format!("you may see mail of {OWN} only");
    assert!(
        shown.is_empty() && errors.contains(&refused),
        "{shown}{errors}"
    );
}

#[test]
fn an_import_beside_a_service_stores_the_same_once() {
    let tables = [
        "delivery_to",
        "delivery_from",
        "noqueue",
        "connection",
        "auth",
        "event",
    ];
    let rows = |place: &Place| {
        let count = |table: &&str| place.number(&format!("SELECT count(*) FROM {table}"));
        tables.iter().map(count).collect::<Vec<_>>()
    };
    let alone = filled();
    let place = Place::new();
    std::fs::write(place.path("live.log"), "").unwrap();
    let live = place.path("live.log");
    let _service = crate::service::Service::start(&place, &["--follow", live.to_str().unwrap()]);
    let socket = socket::directory(&place.path("maillog.duckdb")).join(socket::NAME);
    let begin = Instant::now();
    while UnixStream::connect(&socket).is_err() {
        assert!(begin.elapsed() < Duration::from_mins(1), "no service");
        std::thread::sleep(Duration::from_millis(50));
    }
    let first = place.succeed(&["ingest", "testlogs/demo"]);
    assert!(first.contains("2,300 lines read from 3 files"), "{first}");
    assert!(first.contains("250 messages, 383 recipients"), "{first}");
    assert_eq!(rows(&place), rows(&alone));
    let again = place.succeed(&["ingest", "testlogs/demo"]);
    assert!(again.contains("3 files (nothing new)"), "{again}");
    // A piece of what was read is recognised, too.
    let whole = std::fs::read_to_string("testlogs/demo/mail.log").unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    std::fs::write(
        place.path("piece.log"),
        lines[lines.len() / 2..].join("\n") + "\n",
    )
    .unwrap();
    place.succeed(&["ingest", place.path("piece.log").to_str().unwrap()]);
    assert_eq!(rows(&place), rows(&alone));
    let zone = place.run(&["ingest", "--timezone", "Asia/Tokyo", "testlogs/demo"]);
    assert_eq!(zone.code, Some(2), "{zone:?}");
}

/// Runs a script of another language, when it and its driver are here.
fn script(service: &Service, program: &str, probe: &[&str], script: &str) {
    let node_path = std::env::var_os("HOME")
        .map(|home| PathBuf::from(home).join(".cache/maillog-node/node_modules"));
    let command = || {
        let mut command = Command::new(program);
        command.env("SOCKET", service.directory());
        if let Some(path) = &node_path {
            command.env("NODE_PATH", path);
        }
        command
    };
    if !command()
        .args(probe)
        .output()
        .is_ok_and(|output| output.status.success())
    {
        return crate::skip::skip(&format!(
            "{program} with its PostgreSQL driver is not installed"
        ));
    }
    let flag = if program == "node" { "-e" } else { "-c" };
    let output = command().args([flag, script]).output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "ok");
}

#[test]
fn psycopg_asks_with_parameters_of_every_type() {
    let text = r#"
import os, datetime, decimal, psycopg
connection = psycopg.connect(host=os.environ["SOCKET"], dbname="maillog", user="alice")
def ask(sql, *parameters, **options):
    return connection.cursor(**options).execute(sql, parameters).fetchall()
count = "SELECT count(*) FROM delivery_to WHERE "
for binary in (False, True):
    row = ask("SELECT 1::SMALLINT, 2.50, 'x', true, NULL, DATE '2026-01-02', TIMESTAMP '2026-01-02 03:04:05.5', ['a', NULL], "
              "{'a': 1}, INTERVAL '1 day', 4::HUGEINT, 1.5::DOUBLE", binary=binary)[0]
    assert row == (1, decimal.Decimal("2.50"), "x", True, None, datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 3, 4, 5, 500000),
                   ["a", None], {"a": 1}, datetime.timedelta(days=1), decimal.Decimal(4), 1.5), row
assert ask(count + "id = %s", 5) == [(1,)]
assert ask(count + "id > %s AND time < %s", 5, datetime.datetime(2100, 1, 1))[0][0] > 100
assert ask(count + "time < %s", datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc))[0][0] > 100
assert ask(count + "delay > %s AND status = %s", decimal.Decimal("0.01"), "sent")[0][0] > 0
assert ask(count + "id = ANY(%s)", [1, 2, 3]) == [(3,)]
assert ask(count + "status = ANY(%s)", ["sent", "it's"])[0][0] > 10
assert ask("SELECT %s::int + 1, %s, %s", 5, "x", None) == [(6, "x", None)]
with connection.cursor(name="part") as cursor:
    cursor.execute("SELECT range FROM range(50000) WHERE range >= %s", (5,))
    assert len(cursor.fetchmany(10)) == 10 and sum(1 for _ in cursor) == 49985
for _ in range(8):
    assert connection.execute("SELECT %s::bigint", (7,), prepare=True).fetchone() == (7,)
connection.commit()
with connection.pipeline():
    a, b = connection.execute("SELECT 1"), connection.execute("SELECT 2")
    assert (a.fetchone(), b.fetchone()) == ((1,), (2,))
print("ok")
"#;
    let has_driver = |python: &str| {
        let probe = Command::new(python).args(["-c", "import psycopg"]).output();
        probe.is_ok_and(|output| output.status.success())
    };
    let python = if has_driver("python3") {
        "python3"
    } else {
        "/usr/bin/python3"
    };
    script(&Service::new(), python, &["-c", "import psycopg"], text);
}

#[test]
fn node_asks_with_parameters() {
    let text = r#"
const { Client } = require("pg");
(async () => {
  const client = new Client({ host: process.env.SOCKET, database: "maillog", user: "alice" });
  await client.connect();
  const equal = (a, b) => { if (JSON.stringify(a) !== JSON.stringify(b)) throw new Error(JSON.stringify(a)); };
  let result = await client.query("SELECT count(*)::int AS n FROM delivery_to WHERE id = ANY($1) AND time < $2", [[1, 2], new Date("2100-01-01")]);
  equal(result.rows, [{ n: 2 }]);
  result = await client.query({ name: "named", text: "SELECT $1::text AS t, $2::int AS i, true AS b, NULL AS z, ARRAY[1, 2] AS l", values: ["it's", 7] });
  equal(result.rows, [{ t: "it's", i: 7, b: true, z: null, l: [1, 2] }]);
  result = await client.query("SELECT recipient FROM delivery_to WHERE status = $1 LIMIT $2", ["sent", 3]);
  equal(result.rowCount, 3);
  await client.end();
  console.log("ok");
})().catch((error) => { console.error(error); process.exit(1); });
"#;
    script(&Service::new(), "node", &["-e", "require('pg')"], text);
}
