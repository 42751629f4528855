use super::*;

#[test]
#[expect(clippy::too_many_lines, reason = "rustfmt writes a cell a line")]
fn status_tells_sources_spans_loss_and_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("maillog.db");
    let mut store = Store::open_writer(&path).unwrap();
    let template = UnparsedRow {
        service: "smtpd".into(),
        template: "odd *".into(),
        sample: "odd 1".into(),
        count: 4,
        ..UnparsedRow::default()
    };
    store
        .commit(Batch {
            cursors: vec![cursor(None, "a", 77)],
            coverage: vec![coverage("a", 0, 10), coverage("a", 3, 20)],
            unparsed: vec![template],
            anchors: Vec::new(),
            ..batch(Changes {
                from_inserts: vec![message(1)],
                ..Changes::default()
            })
        })
        .unwrap();
    let status = store.status(10).unwrap();
    let time = Cell::Time;
    let text = |text: &str| Cell::Text(text.to_owned());
    assert_eq!(
        status.sources.rows,
        [[
            Cell::Int(1),
            text("/var/log/mail.log"),
            text("file"),
            Cell::Int(77),
            time(T0),
            time(T0),
            time(T0)
        ]]
    );
    let span = [
        text("mx1"),
        time(T0.plus(MINUTE)),
        time(T0.plus(3 * HOUR + 2 * MINUTE)),
        Cell::Int(30),
        Cell::Int(26),
        Cell::Int(0),
        Cell::Int(2),
        Cell::Int(2),
        Cell::Int(6),
        Cell::Int(2),
        Cell::Int(8),
    ];
    assert_eq!(status.spans.rows, [span]);
    assert_eq!(status.spans.columns[9], "silent_hours");
    assert_eq!(
        status.unparsed.rows,
        [[
            text("smtpd"),
            text("odd *"),
            Cell::Int(4),
            Cell::Null,
            Cell::Null,
            text("odd 1")
        ]]
    );
    assert_eq!(
        status.lost.rows,
        [
            [time(T0.plus(3 * HOUR)), text("mx1"), Cell::Int(3)],
            [time(T0), text("mx1"), Cell::Int(3)]
        ]
    );
    assert_eq!(status.rows.rows[0], [text("coverage"), Cell::Int(2)]);
    let counted = crate::model::tables::tables().iter();
    let counted = counted.filter(|table| table.is_counted).count();
    assert_eq!(status.rows.rows.len(), counted);
    let database = &status.database.rows[0];
    assert_eq!(
        database[..2],
        [
            text(&path.display().to_string()),
            text(&crate::store::migrate::KNOWN.to_string())
        ]
    );
    assert!(
        matches!(database[2..], [Cell::Int(size), Cell::Int(wal)] if size > 0 && wal > 0),
        "{database:?}"
    );
}
