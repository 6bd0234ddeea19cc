//! Commands with an end of each kind.

#[cfg(unix)]
mod unix {
    use super::super::*;

    fn command(words: &[&str]) -> Command {
        Command {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            directory: "/".into(),
            variables: vec![],
            limit: Limit::default(),
            processors: vec![],
            scratch: None,
        }
    }

    #[test]
    fn resource_usage_is_measured() {
        let spin = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo done";
        let finished = command(&["sh", "-c", spin]).run().unwrap();
        let usage = finished.usage.unwrap();
        assert!(usage.user + usage.system > Duration::from_millis(1));
        assert!(usage.user + usage.system < finished.wall + Duration::from_millis(50));
        assert!(usage.peak > 100_000, "{usage:?}");
        assert_eq!(finished.stdout.whole.as_deref(), Some(&b"done\n"[..]));
    }

    #[test]
    fn a_failure_has_its_last_lines() {
        let error = command(&["sh", "-c", "echo out; echo why >&2; exit 7"]).run().unwrap_err().to_string();
        assert!(error.contains("exited with code 7") && error.contains("why"), "{error}");
        let error = command(&["/nowhere/at/all"]).run().unwrap_err();
        assert!(matches!(error, CommandError::NotFound { .. }), "{error}");
    }

    #[test]
    fn a_child_that_ignores_the_first_signal_is_killed_with_its_children() {
        let mut stubborn = command(&["sh", "-c", "trap '' TERM; sleep 60 & sleep 60"]);
        stubborn.limit = Limit::Total(Duration::from_millis(200));
        let started = Instant::now();
        let error = stubborn.run().unwrap_err();
        assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
        assert!(started.elapsed() < Duration::from_secs(8));
    }

    #[test]
    fn a_command_that_prints_nothing_is_stopped_and_one_that_prints_goes_on() {
        let children = "sleep 60 & echo begun; sleep 60";
        let mut silent = command(&["sh", "-c", children]);
        silent.limit = Limit::Silence(Duration::from_millis(800));
        let started = Instant::now();
        let error = silent.run().unwrap_err();
        assert!(matches!(error, CommandError::Silent { .. }), "{error}");
        assert!(error.to_string().contains("begun") && error.to_string().contains("--timeout"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(8));
        let mut printing = command(&["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do echo $i >&2; sleep 0.2; done"]);
        printing.limit = silent.limit;
        assert!(printing.run().unwrap().wall > Duration::from_millis(800));
    }

    #[test]
    fn a_leftover_process_does_not_keep_the_run_open() {
        let started = Instant::now();
        command(&["sh", "-c", "sleep 60 & echo gone"]).run().unwrap();
        assert!(started.elapsed() < Duration::from_secs(4));
    }
}

#[cfg(windows)]
mod windows {
    use super::super::*;

    fn command(directory: &Path, line: &str, timeout: u64) -> Command {
        Command {
            words: ["cmd", "/C", line].map(str::to_owned).to_vec(),
            directory: directory.to_owned(),
            variables: vec![],
            limit: Limit::Total(Duration::from_secs(timeout)),
            processors: vec![],
            scratch: None,
        }
    }

    /// A directory with `main.cmd`, which starts a process that appends to `alive` each second, and waits.
    fn directory(seconds: u64) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        write("loop.cmd", ":again\r\necho x>>alive\r\nping -n 2 127.0.0.1 >NUL\r\ngoto again\r\n");
        write("main.cmd", &format!("start /B cmd /C loop.cmd\r\nping -n {seconds} 127.0.0.1 >NUL\r\n"));
        directory
    }

    #[track_caller]
    fn assert_ended(directory: &Path) {
        let length = || std::fs::metadata(directory.join("alive")).unwrap().len();
        let before = length();
        thread::sleep(Duration::from_secs(3));
        assert_eq!(length(), before, "a process that the command started is alive");
    }

    #[test]
    fn a_command_that_takes_too_long_is_killed_with_the_processes_that_it_started() {
        let directory = directory(60);
        let started = Instant::now();
        let error = command(directory.path(), "main.cmd", 5).run().unwrap_err();
        assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
        assert!(started.elapsed() < Duration::from_secs(30));
        assert_ended(directory.path());
    }

    #[test]
    fn a_process_that_a_command_left_behind_is_killed_when_the_command_ends() {
        let directory = directory(4);
        command(directory.path(), "main.cmd", 60).run().unwrap();
        assert_ended(directory.path());
    }

    #[test]
    fn a_failure_has_its_exit_code_and_last_lines() {
        let here = std::env::temp_dir();
        let error = command(&here, "echo why>&2& exit 7", 60).run().unwrap_err().to_string();
        assert!(error.contains("code 7") && error.contains("why"), "{error}");
        let missing = Command { words: vec!["no-such-program".to_owned()], ..command(&here, "", 60) };
        assert!(matches!(missing.run(), Err(CommandError::NotFound { .. })));
    }
}
