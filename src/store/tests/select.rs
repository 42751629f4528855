use super::*;
use crate::model::table::Param;
use std::fs;
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

fn one(store: &Store, sql: &str) -> Cell {
    store.select(sql, &[]).unwrap().rows.remove(0).remove(0)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn every_type_has_a_cell() {
    let store = Store::open_in_memory().unwrap();
    let text = |text: &str| Cell::Text(text.to_owned());
    let int = Cell::Int;
    let cases = [
        ("NULL", Cell::Null),
        ("true", Cell::Bool(true)),
        ("(-128)::TINYINT", int(-128)),
        ("(-32768)::SMALLINT", int(-32_768)),
        ("(-2147483648)::INTEGER", int(-2_147_483_648)),
        ("9223372036854775807::BIGINT", int(i64::MAX)),
        ("255::UTINYINT", int(255)),
        ("65535::USMALLINT", int(65_535)),
        ("4294967295::UINTEGER", int(4_294_967_295)),
        (
            "18446744073709551615::UBIGINT",
            Cell::Big(18_446_744_073_709_551_615),
        ),
        (
            "170141183460469231731687303715884105727::HUGEINT",
            Cell::Big(i128::MAX),
        ),
        ("(-7)::HUGEINT", int(-7)),
        ("7::UHUGEINT", int(7)),
        ("1.5::FLOAT", Cell::Float(1.5)),
        ("1e300::DOUBLE", Cell::Float(1e300)),
        ("12.30::DECIMAL(4,2)", text("12.30")),
        ("(-0.05)::DECIMAL(9,2)", text("-0.05")),
        ("(-123456789012.5)::DECIMAL(18,1)", text("-123456789012.5")),
        (
            "0.00000000000000000000000000000000000001::DECIMAL(38,38)",
            text("0.00000000000000000000000000000000000001"),
        ),
        ("'a\u{e4}'", text("a\u{e4}")),
        ("'\\x00\\xFFab'::BLOB", Cell::Blob(vec![0, 255, b'a', b'b'])),
        (
            "'00112233-4455-6677-8899-aabbccddeeff'::UUID",
            text("00112233-4455-6677-8899-aabbccddeeff"),
        ),
        ("DATE '2026-02-28'", text("2026-02-28")),
        ("DATE 'infinity'", text("infinity")),
        ("TIME '23:59:59.5'", text("23:59:59.5")),
        (
            "TIMESTAMP '1970-01-01 00:00:01.5'",
            Cell::Time(Time(1_500_000)),
        ),
        (
            "TIMESTAMP_S '1970-01-01 00:00:01'",
            Cell::Time(Time(1_000_000)),
        ),
        (
            "TIMESTAMP_MS '1969-12-31 23:59:59.999'",
            Cell::Time(Time(-1000)),
        ),
        (
            "TIMESTAMP_NS '1970-01-01 00:00:01.000001999'",
            Cell::Time(Time(1_000_001)),
        ),
        ("TIMESTAMP 'infinity'", text("infinity")),
        ("TIMESTAMP '-infinity'", text("-infinity")),
        ("INTERVAL 14 MONTH", text("1 year 2 months")),
        ("'a'::ENUM('a', 'b')", text("a")),
        ("[1, NULL, 3]", Cell::List(vec![int(1), Cell::Null, int(3)])),
        (
            "[[1], []]",
            Cell::List(vec![Cell::List(vec![int(1)]), Cell::List(vec![])]),
        ),
        ("array_value(1, 2)", Cell::List(vec![int(1), int(2)])),
        (
            "{'a': 1, 'b': 'x'}",
            Cell::Struct(vec![("a".to_owned(), int(1)), ("b".to_owned(), text("x"))]),
        ),
        (
            "MAP {'k': 1, 'l': NULL}",
            Cell::Struct(vec![("k".to_owned(), int(1)), ("l".to_owned(), Cell::Null)]),
        ),
        (
            "MAP {7: 'x'}",
            Cell::Struct(vec![("7".to_owned(), text("x"))]),
        ),
        ("union_value(num := 2)", int(2)),
        ("'{\"a\": 1}'::JSON", text("{\"a\": 1}")),
        ("sum(x) FROM (VALUES (1), (2)) t(x)", int(3)),
    ];
    for (sql, expected) in cases {
        assert_eq!(one(&store, &format!("SELECT {sql}")), expected, "{sql}");
    }
}

#[test]
fn dates_times_and_intervals_are_printed_as_duckdb_prints_them() {
    let store = Store::open_in_memory().unwrap();
    let same = |sql: &str| {
        let table = store
            .select(&format!("SELECT x, x::VARCHAR FROM ({sql}) AS t(x)"), &[])
            .unwrap();
        assert!(!table.rows.is_empty());
        for row in table.rows {
            assert_eq!(row[0], row[1], "{sql}");
        }
    };
    same("SELECT DATE '1970-01-01' + (i * 977)::INTEGER FROM range(-4000, 4000) r(i)");
    same("SELECT DATE '0001-01-01' - i::INTEGER FROM range(0, 3000, 7) r(i)");
    same("SELECT unnest([DATE '5881580-07-10', '5877642-06-25 (BC)'::DATE, DATE '-infinity'])");
    same("SELECT TIME '00:00:00' + to_microseconds(i * 7919 * 1009) FROM range(0, 9000) r(i)");
    same(
        "SELECT to_months(i::INTEGER * 5) + to_days(i::INTEGER % 4) + to_microseconds(i * 987654321) FROM range(-50, 50) r(i)",
    );
    same(
        "SELECT unnest([INTERVAL 0 DAY, INTERVAL '-1 day', INTERVAL '1 month', INTERVAL '-14 months', INTERVAL '100 hours'])",
    );
    same(
        "SELECT (i * 12345)::DECIMAL(15, 3) / 7 ::DECIMAL(4, 1) FROM range(-20, 20) r(i)"
            .replace(" / 7 ::DECIMAL(4, 1)", "")
            .as_str(),
    );
}

#[test]
fn all_types_of_duckdb_are_read_without_a_panic() {
    let store = Store::open_in_memory().unwrap();
    let mut rows = Vec::new();
    let mut keep = |_: &[String], row| {
        rows.push(row);
        ControlFlow::Continue(())
    };
    let sql = "SELECT * FROM test_all_types()";
    let statement = store.session.conn.prepare(sql);
    let columns = crate::store::select::each(&mut statement.unwrap(), &[], &mut keep).unwrap();
    let table = Table { columns, rows };
    assert_eq!(table.rows.len(), 3);
    assert!(table.columns.len() > 40);
    assert_eq!(
        table.rows[2]
            .iter()
            .filter(|cell| **cell == Cell::Null)
            .count(),
        table.columns.len()
    );
}

#[test]
fn parameters_are_bound_and_never_text() {
    let store = Store::open_in_memory().unwrap();
    let params = [
        Param::Text("'; DROP TABLE meta; --".to_owned()),
        Param::Int(i64::MIN),
        Param::Float(0.5),
        Param::Time(T0),
        Param::Bool(true),
    ];
    let table = store
        .select("SELECT $1, $2, $3, $4, $5, $1", &params)
        .unwrap();
    let text = Cell::Text("'; DROP TABLE meta; --".to_owned());
    assert_eq!(
        table.rows,
        [[
            text.clone(),
            Cell::Int(i64::MIN),
            Cell::Float(0.5),
            Cell::Time(T0),
            Cell::Bool(true),
            text
        ]]
    );
    let error = store.select("SELECT ?, ?", &params[..1]).unwrap_err();
    insta::assert_snapshot!(error, @"Wrong number of parameters passed to query. Got 1, needed 2");
}

#[test]
fn columns_are_named_without_rows_too() {
    let store = Store::open_in_memory().unwrap();
    let table = store
        .select("SELECT id, host AS h FROM delivery_from", &[])
        .unwrap();
    assert_eq!(
        (table.columns, table.rows.len()),
        (vec!["id".to_owned(), "h".to_owned()], 0)
    );
}

#[test]
fn statements_that_are_one_select_are_run() {
    let store = Store::open_in_memory().unwrap();
    for sql in [
        "SELECT 1;",
        " -- note\n SELECT 1 /* ; */ ;\n",
        "WITH a AS (SELECT 1) FROM a",
        "FROM meta",
        "VALUES (1)",
        "TABLE meta",
        "SELECT ';'",
        "SELECT 1 UNION ALL SELECT 2 ORDER BY 1",
        "DESCRIBE meta",
        "SUMMARIZE meta",
        "SHOW TABLES",
        "(SELECT 1)",
        "SELECT * FROM (SELECT 1) LIMIT 1",
    ] {
        store
            .select(sql, &[])
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

/// What must be refused, by a reader as by the writer.
const REFUSED: &[&str] = &[
    "INSERT INTO meta VALUES ('a', 'b')",
    "UPDATE meta SET value = '7'",
    "DELETE FROM meta",
    "TRUNCATE meta",
    "MERGE INTO meta USING meta AS m ON false WHEN NOT MATCHED THEN INSERT",
    "DROP TABLE meta",
    "CREATE TABLE t (x INTEGER)",
    "CREATE TEMP TABLE t (x INTEGER)",
    "CREATE MACRO f() AS 1",
    "CREATE SECRET (TYPE s3)",
    "ALTER TABLE meta ADD COLUMN x INTEGER",
    "ATTACH ':memory:' AS x",
    "ATTACH 'DIR/x.db' AS x",
    "DETACH memory",
    "USE memory",
    "COPY meta TO 'DIR/x.csv'",
    "COPY meta FROM 'DIR/y.csv'",
    "EXPORT DATABASE 'DIR/x'",
    "PRAGMA database_size",
    "PRAGMA enable_profiling",
    "SET threads = 1",
    "SET GLOBAL enable_external_access = true",
    "SET lock_configuration = false",
    "SET VARIABLE x = 1",
    "RESET threads",
    "INSTALL httpfs",
    "LOAD httpfs",
    "CALL pragma_version()",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "COMMIT",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "EXPLAIN ANALYZE SELECT 1",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE meta",
    "DROP TABLE meta; SELECT 1",
    "COMMIT; DROP TABLE meta; SELECT 1",
    "WITH d AS (DELETE FROM meta RETURNING *) SELECT * FROM d",
    "SELECT * FROM (DELETE FROM meta RETURNING *)",
    "SELECT * FROM read_csv('DIR/y.csv')",
    "SELECT * FROM 'DIR/y.csv'",
    "SELECT * FROM read_text('DIR/y.csv')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('DIR/y.csv')",
    "SELECT * FROM read_parquet('DIR/y.csv')",
    "SELECT * FROM parquet_metadata('DIR/y.csv')",
    "SELECT * FROM sniff_csv('DIR/y.csv')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_duckdb('DIR/y.csv')",
    "SELECT * FROM query('DROP TABLE meta')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('DROP TABLE meta'))",
    "SELECT * FROM enable_logging(storage := 'file', storage_path := 'DIR/x.log')",
    "SELECT * FROM enable_profiling(save_location := 'DIR/x.json')",
    "SELECT * INTO t FROM meta",
    "",
    "-- nothing",
    ";",
    "SELEC 1",
    "SELECT 1; SELEC 2",
    "DROP TABLE meta; SELEC 2",
];

fn refuse_all(store: &Store, dir: &std::path::Path) {
    fs::write(dir.join("y.csv"), "a,b\n1,2\n").unwrap();
    let before: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    for sql in REFUSED {
        let sql = sql.replace("DIR", &dir.display().to_string());
        let found = store.select(&sql, &[]);
        assert!(found.is_err(), "{sql}: {found:?}");
    }
    let after: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(before, after);
    assert_eq!(
        text(store, "SELECT value FROM meta WHERE key = 'maillog_schema'"),
        crate::store::migrate::KNOWN.to_string()
    );
    let locked = "SELECT count(*) FROM duckdb_settings() WHERE (name, value) IN (('lock_configuration', 'true'), \
        ('enable_external_access', 'false'), ('autoload_known_extensions', 'false'), ('autoinstall_known_extensions', 'false'))";
    // Not asked as a query: those may not see the settings.
    let found = store.session.conn.query_row(locked, [], |row| row.get(0));
    assert_eq!(found, Ok(4));
}

#[test]
fn everything_but_a_select_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maillog.db");
    let writer = Store::open_writer(&path).unwrap();
    refuse_all(&writer, dir.path());
    drop(writer);
    refuse_all(&Store::open_reader(&path).unwrap(), dir.path());
}

#[test]
fn errors_of_sql_show_the_place() {
    let store = Store::open_in_memory().unwrap();
    let texts = [
        "SELECT nothing FROM meta",
        "SELEC 1",
        "DROP TABLE meta",
        "SELECT 'a'::INTEGER",
    ]
    .map(|sql| store.select(sql, &[]).unwrap_err().to_string());
    insta::assert_snapshot!(texts.join("\n---\n"), @r#"
    Referenced column "nothing" not found in FROM clause!
    Candidate bindings: "key"

    LINE 1: SELECT nothing FROM meta
                   ^^^^^^^
    ---
    syntax error at or near "SELEC"

    LINE 1: SELEC 1
            ^
    ---
    only a single SELECT is allowed here
    ---
    Could not convert string 'a' to INT32

    LINE 1: SELECT 'a'::INTEGER
                      ^^^^^^^^^
    "#);
}

#[test]
fn reader_cannot_commit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maillog.db");
    drop(Store::open_writer(&path).unwrap());
    let mut reader = Store::open_reader(&path).unwrap();
    let error = reader.commit(batch(Changes {
        from_inserts: vec![message(1)],
        ..Changes::default()
    }));
    assert!(error.is_err());
    assert_eq!(count(&reader, "delivery_from"), 0);
}

#[test]
fn rows_stream_until_the_reader_has_enough() {
    let store = Store::open_in_memory().unwrap();
    let (mut seen, mut names) = (0_u64, Vec::new());
    store
        .queries()
        .select_each(
            "SELECT i, i + 1 AS j FROM range(100000000000) r(i)",
            &[],
            |columns, row| {
                assert_eq!(row.len(), 2);
                names = columns.to_vec();
                seen += 1;
                if seen == 100_000 {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )
        .unwrap();
    assert_eq!(
        (seen, names),
        (100_000, vec!["i".to_owned(), "j".to_owned()])
    );
    assert_eq!(number(&store, "SELECT 1"), 1);
}

#[test]
fn query_is_interrupted_and_the_session_lives_on() {
    let store = Store::open_in_memory().unwrap();
    let session = store.session().unwrap();
    let interrupt = session.interrupt();
    let query = thread::spawn(move || {
        let error = session.select("SELECT count(*) FROM range(10000000000) a(i), range(1000000) b(j) WHERE hash(i + j) = 0", &[]);
        (
            error.unwrap_err(),
            session.select("SELECT 1", &[]).unwrap().rows,
        )
    });
    while !query.is_finished() {
        thread::sleep(Duration::from_millis(20));
        interrupt.interrupt();
        if query.is_finished() {
            break;
        }
    }
    let (error, rows) = query.join().unwrap();
    assert!(matches!(error, Error::Interrupted), "{error}");
    assert_eq!(rows, [[Cell::Int(1)]]);
}

#[test]
fn sessions_read_while_the_writer_commits() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open_writer(&dir.path().join("maillog.db")).unwrap();
    let session = store.session().unwrap();
    let reading = thread::spawn(move || {
        let mut last = 0;
        while last < 2000 {
            let rows = session
                .select("SELECT count(*) FROM delivery_from", &[])
                .unwrap()
                .rows;
            let Cell::Int(found) = rows[0][0] else {
                panic!()
            };
            assert!(found >= last && found % 100 == 0, "{last} {found}");
            last = found;
        }
    });
    for step in 0..20 {
        let rows = (step * 100..(step + 1) * 100).map(message).collect();
        store
            .commit(batch(Changes {
                from_inserts: rows,
                ..Changes::default()
            }))
            .unwrap();
    }
    reading.join().unwrap();
}

#[test]
fn query_beyond_the_memory_says_so() {
    let store = Store::open_in_memory().unwrap();
    let error = store.select("SELECT string_agg(repeat('x', 1000) || i, '' ORDER BY hash(i)) FROM range(3000000) r(i)", &[]).unwrap_err();
    assert!(matches!(error, Error::OutOfMemory), "{error}");
}

#[test]
fn a_big_result_is_in_the_order_that_its_statement_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maillog.duckdb");
    drop(Store::open_writer(&path).unwrap());
    let sql = "SELECT (hash(i) // 2)::BIGINT AS place FROM range(500000) r(i) ORDER BY place";
    for store in [
        Store::open_reader(&path).unwrap(),
        Store::open_scratch().unwrap(),
        Store::open_in_memory().unwrap(),
    ] {
        let places: Vec<i64> = store
            .select(sql, &[])
            .unwrap()
            .rows
            .iter()
            .map(|row| match row.first() {
                Some(Cell::Int(place)) => *place,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(places.len(), 500_000);
        assert!(places.is_sorted());
    }
}

#[test]
fn types_that_cannot_be_shown_say_so() {
    let store = Store::open_in_memory().unwrap();
    let session = store.session().unwrap();
    session
        .furnish("CREATE TEMP VIEW settings AS SELECT name, typed_value FROM duckdb_settings()")
        .unwrap();
    let error = session.select("FROM settings", &[]).unwrap_err();
    assert!(matches!(error, Error::NotShown), "{error}");
    let shown = "SELECT COLUMNS(*)::VARCHAR FROM settings";
    assert!(session.select(shown, &[]).unwrap().rows.len() > 10);
}

#[test]
fn an_expression_too_deep_has_a_cure_that_works() {
    let store = Store::open_in_memory().unwrap();
    let sql = format!("SELECT 1{}", " + 1".repeat(2000));
    let error = store.select(&sql, &[]).unwrap_err();
    assert!(matches!(error, Error::TooDeep), "{error}");
}
