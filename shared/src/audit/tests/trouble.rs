//! What is written when writing fails, files move, writers share or memory is short.

use super::*;

#[test]
fn a_failed_write_is_an_error_and_leaves_no_gap() {
    for fault in [Fault::Refused, Fault::Short(200), Fault::Short(1)] {
        let memory = Memory::default();
        let audit = to_memory(&memory, &Arc::default());
        audit.write(&served("user-1")).unwrap();
        memory.fails(fault);
        audit.write(&served("user-2")).unwrap_err();
        audit.write(&served("user-3")).unwrap();
        audit.close();
        let report = verified(&memory.lines());
        assert_eq!(counts(&report), (4, 0, 0));
    }
}

#[test]
fn a_start_that_was_not_written_is_no_writer() {
    for fault in [Fault::Refused, Fault::Short(100), Fault::Short(1)] {
        let memory = Memory::default();
        let audit = to_memory(&memory, &Arc::default());
        memory.fails(fault);
        audit.write(&served("user-1")).unwrap_err();
        audit.write(&served("user-1")).unwrap();
        audit.close();
        let report = verified(&memory.lines());
        assert_eq!((counts(&report), report.writers.len()), ((3, 0, 0), 1));
    }
}

#[test]
fn half_a_line_of_one_writer_costs_another_nothing() {
    for fault in [Fault::Short(200), Fault::Short(1)] {
        let (memory, ids) = (Memory::default(), Arc::default());
        let (one, two) = (to_memory(&memory, &ids), to_memory(&memory, &ids));
        one.write(&served("user-1")).unwrap();
        two.write(&served("user-1")).unwrap();
        memory.fails(fault);
        one.write(&served("user-2")).unwrap_err();
        two.write(&served("user-1")).unwrap();
        one.write(&served("user-1")).unwrap();
        one.close();
        two.close();
        assert_eq!(counts(&verified(&memory.lines())), (8, 0, 0));
    }
}

#[test]
fn who_has_nothing_to_tell_writes_nothing() {
    let memory = Memory::default();
    let audit = to_memory(&memory, &Arc::default());
    audit.close();
    assert!(memory.lines().is_empty());
    audit.write(&served("user-1")).unwrap();
    audit.close();
    audit.close();
    assert_eq!(memory.lines().len(), 3);
    let off = Audit::open(&AuditTo::Off, key(1), "x", Arc::new(TestClock::new()), Arc::<TestIds>::default());
    off.unwrap().write(&served("user-1")).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_the_stream_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let clock = Arc::new(TestClock::new());
    let audit = to_file(&path, &clock);
    for _ in 0..2 {
        let error = audit.write(&served("user-1")).unwrap_err();
        assert_eq!(error.to_string(), "the audit line could not be written");
    }
    fs::remove_file(&path).unwrap();
    clock.advance(Duration::from_secs(1));
    audit.write(&served("user-1")).unwrap();
    audit.close();
    let log = BufReader::new(fs::File::open(&path).unwrap());
    assert_eq!(counts(&verify(log, &key(1)).unwrap()), (3, 0, 0));
}

#[cfg(unix)]
#[test]
fn a_file_that_was_renamed_ends_and_its_successor_stands_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/audit.log");
    let clock = Arc::new(TestClock::new());
    let audit = to_file(&path, &clock);
    audit.write(&served("user-1")).unwrap();
    let old = folder.path().join("logs/audit.log.1");
    fs::rename(&path, &old).unwrap();
    audit.write(&served("user-2")).unwrap();
    assert!(!path.exists(), "it is looked for once a second");
    clock.advance(Duration::from_secs(1));
    audit.write(&served("user-3")).unwrap();
    audit.close();

    for (path, proven) in [(&old, 4), (&path, 3)] {
        let log = BufReader::new(fs::File::open(path).unwrap());
        assert_eq!(counts(&verify(log, &key(1)).unwrap()), (proven, 0, 0));
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn threads_and_processes_that_write_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let ids = Arc::new(TestIds::new());
    let open = || {
        let to = AuditTo::File(path.clone());
        Audit::open(&to, key(1), "token-get", Arc::new(TestClock::new()), Arc::clone(&ids) as _).unwrap()
    };
    let streams = [open(), open()];
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let audit = &streams[thread % 2];
            scope.spawn(move || (0..1000).for_each(|_| audit.write(&served("user-1")).unwrap()));
        }
    });
    streams.iter().for_each(Audit::close);
    let log = BufReader::new(fs::File::open(&path).unwrap());
    let report = verify(log, &key(1)).unwrap();
    assert_eq!((counts(&report), report.others), ((8004, 0, 0), 0));
}

#[test]
fn a_long_log_is_verified_as_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let audit = to_file(&path, &Arc::new(TestClock::new()));
    for _ in 0..100_000 {
        audit.write(&Record { user_id: Some(build::user("user-1")), ..Record::default() }).unwrap();
    }
    let log = || io::BufRead::lines(BufReader::new(fs::File::open(&path).unwrap()));
    let report = verify(BufReader::new(fs::File::open(&path).unwrap()), &key(1)).unwrap();
    assert_eq!(counts(&report), (100_001, 0, 1));

    // One missing near the front: a window of lines waits for it, not all that follow.
    let rest: Vec<_> =
        log().take(5000).enumerate().filter(|(at, _)| *at != 7).map(|(_, line)| line.unwrap()).collect();
    assert_eq!(counts(&verified(&rest)), (4998, 2, 1));
}

#[test]
fn a_line_without_end_stays_out_of_memory() {
    let mut lines = log(2);
    lines.insert(1, "x".repeat(3 << 20));
    let report = verified(&lines);
    assert_eq!((counts(&report), report.others, report.lines), ((4, 0, 0), 1, 5));
}
