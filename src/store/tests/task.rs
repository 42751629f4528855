use super::*;

fn run(name: &str, due: i64) -> TaskRun {
    TaskRun {
        name: name.to_owned(),
        schedule: "every 1 h".to_owned(),
        state: TaskState::Done,
        due: Some(T0.plus(due)),
        started: Some(T0.plus(due)),
        ended: Some(T0.plus(due + SECOND)),
        next_run: Some(T0.plus(due + HOUR)),
        failures: 3,
        result: "nothing".to_owned(),
    }
}

fn write(store: &mut Store, runs: Vec<TaskRun>) {
    let small = runs.into_iter().map(SmallRow::TaskRun).collect();
    let batch = Batch {
        small,
        ..Batch::default()
    };
    store.commit(batch).unwrap();
}

#[test]
fn of_each_task_the_last_run_is_kept() {
    let mut store = Store::open_in_memory().unwrap();
    write(&mut store, vec![run("a", 1), run("b", 1), run("a", 2)]);
    write(&mut store, vec![run("b", 3)]);
    let mut stored = store.task_runs(&["a", "b", "c"]).unwrap();
    for run in &mut stored {
        // What is only shown is not read back.
        assert_eq!((run.schedule.as_str(), run.next_run), ("", None));
        run.schedule = "every 1 h".to_owned();
        run.state = TaskState::Done;
        run.next_run = run.due.map(|due| due.plus(HOUR));
    }
    assert_eq!(stored, [run("a", 2), run("b", 3)]);
    assert_eq!(
        text(
            &store,
            "SELECT string_agg(state || ' ' || schedule, ',') FROM task_run"
        ),
        "done every 1 h,done every 1 h"
    );
}

#[test]
fn a_transaction_that_cannot_be_ended_makes_the_database_unusable() {
    let store = Store::open_in_memory().unwrap();
    store.look_after().unwrap();
    assert!(matches!(store.undo(Error::NotSelect), Error::NotSelect));
    // No transaction was open: that is no trouble.
    store.look_after().unwrap();
    store.is_unsettled.set(true);
    let error = store.look_after().unwrap_err().to_string();
    assert!(
        error.contains("a transaction could not be ended"),
        "{error}"
    );
}

#[test]
fn a_task_of_a_service_that_does_not_run_is_stopped() {
    let mut store = Store::open_in_memory().unwrap();
    let always = TaskRun {
        state: TaskState::Running,
        ..run("a", 1)
    };
    write(&mut store, vec![always, run("b", 1)]);
    let shown = |tasks: &Table| -> Vec<Vec<Cell>> {
        let column = |name: &str| tasks.columns.iter().position(|c| c == name).unwrap();
        let (state, next) = (column("state"), column("next_run"));
        let rows = tasks.rows.iter();
        rows.map(|row| vec![row[state].clone(), row[next].clone()])
            .collect()
    };
    let text = |text: &str| Cell::Text(text.to_owned());
    let status = store.status(1).unwrap();
    assert_eq!(
        shown(&status.tasks),
        [[text("stopped"), Cell::Null], [text("done"), Cell::Null]]
    );
    let next = Cell::Time(T0.plus(1 + HOUR));
    let live = crate::store::status::of(|sql, params| store.select(sql, params), None, 1);
    assert_eq!(
        shown(&live.unwrap().tasks),
        [[text("running"), next.clone()], [text("done"), next]]
    );
}

#[test]
fn rows_of_tasks_that_are_no_more_go() {
    let mut store = Store::open_in_memory().unwrap();
    write(&mut store, vec![run("a", 1), run("b", 1)]);
    let known = store.task_runs(&["b"]).unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(
        text(&store, "SELECT string_agg(name, ',') FROM task_run"),
        "b"
    );
}
