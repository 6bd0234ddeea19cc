//! The errors that pgbench prints next to its reports.

use crate::formats::text::numbered_lines;
use std::collections::BTreeMap;

/// The errors of a text with reports.
#[derive(Default)]
pub(super) struct Errors<'t> {
    /// The errors of runs whose clients aborted, by the index of their report: pgbench calls their results incomplete.
    pub aborted: BTreeMap<usize, &'t str>,
    /// An error that no report follows, with its line.
    pub last: Option<(u64, &'t str)>,
}

impl<'t> Errors<'t> {
    /// Finds the errors.
    pub fn of(text: &'t str) -> Errors<'t> {
        let mut errors = Errors::default();
        // The error of a client precedes the report.
        let mut client: Option<&str> = None;
        let mut reports = 0;
        for (at, line) in numbered_lines(text) {
            let line = line.trim();
            if line.starts_with("transaction type: ") {
                if let Some(why) = client.take() {
                    errors.aborted.insert(reports, why);
                }
                errors.last = None;
                reports += 1;
            } else if line.ends_with("Run was aborted; the above results are incomplete.") {
                if let Some(report) = reports.checked_sub(1) {
                    let why = client.take().unwrap_or_else(|| message(line).unwrap_or(line));
                    errors.aborted.entry(report).or_insert(why);
                }
                errors.last = None;
            } else if let Some(why) = message(line) {
                errors.last.get_or_insert((at, why));
                if is_abort_of_client(why) {
                    client.get_or_insert(why);
                }
            }
        }
        errors
    }
}

/// The message in `pgbench: error: MESSAGE`. Some errors do not end the run, such as a table that cannot be vacuumed. Versions
/// before 13 print only the message, which is recognized if it is about a client.
fn message(line: &str) -> Option<&str> {
    let after = |level: &str| line.strip_prefix("pgbench: ")?.strip_prefix(level).map(str::trim);
    let of_client = || Some(line).filter(|line| is_abort_of_client(line));
    after("error: ").or_else(|| after("fatal: ")).or_else(of_client)
}

/// Whether a message is like `client 2 script 0 aborted in command 1 query 0: ERROR:  division by zero`.
fn is_abort_of_client(message: &str) -> bool {
    let rest = message.strip_prefix("client ").or_else(|| message.strip_prefix("Client "));
    let words: Vec<&str> = rest.unwrap_or_default().split_whitespace().take(4).collect();
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    match words.as_slice() {
        [client, "aborted", ..] => is_number(client),
        [client, "script", script, "aborted"] => is_number(client) && is_number(script),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::formats::pgbench::Pgbench;
    use crate::formats::{Format, Reading, Source};

    fn read(text: &str) -> Reading {
        Pgbench.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap()
    }

    #[test]
    fn the_run_of_a_client_that_aborted_failed() {
        let report = |name: &str| {
            format!(
                "transaction type: {name}\nscaling factor: 1\nnumber of transactions actually processed: 90\n\
                 latency average = 2.500 ms\ntps = 12.0 (without initial connection time)\n"
            )
        };
        let ignored = "pgbench: error: ERROR:  relation \"pgbench_branches\" does not exist\n\
                       pgbench: detail: (ignoring this error and continuing anyway)\n";
        let client = "pgbench: error: client 2 script 0 aborted in command 1 query 0: ERROR:  division by zero\n";
        let end = "pgbench: error: Run was aborted; the above results are incomplete.\n";
        let failed = |text: &str| {
            let reading = read(text);
            assert!(reading.failures.early_ends.is_empty(), "{:?}", reading.failures);
            assert_eq!(reading.measurements.iter().filter(|one| one.benchmark.as_str() == "b.sql").count(), 0);
            let failed = reading.failures.benchmarks.into_iter();
            failed.map(|one| (one.benchmark.to_string(), one.why)).collect::<Vec<_>>()
        };
        let why = "client 2 script 0 aborted in command 1 query 0: ERROR:  division by zero";
        let expected = [("b.sql".to_owned(), why.to_owned())];
        // The errors are before the report, or after it if they were saved in another file.
        assert_eq!(failed(&(report("a.sql") + ignored + client + client + &report("b.sql") + end)), expected);
        assert_eq!(failed(&(report("b.sql") + client + end)), expected);
        assert_eq!(failed(&(report("b.sql") + end + &report("a.sql")))[0].1, end["pgbench: error: ".len()..].trim());
        // Version 10.
        let old = "client 1 aborted in command 0 of script 0; ERROR:  division by zero\n";
        assert_eq!(failed(&format!("{old}{}", report("b.sql"))).len(), 1);
        assert!(failed(&(ignored.to_owned() + &report("a.sql"))).is_empty());
        let scripts =
            "SQL script 1: x.sql\n - 500 transactions (50.0% of total, tps = 5.25)\n - latency average = 1.5 ms\n";
        let all = failed(&(client.to_owned() + &report("multiple scripts") + scripts + end));
        assert_eq!(all.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["total", "x.sql"]);
    }

    #[test]
    fn an_error_after_the_last_report_ended_the_run() {
        let report = "transaction type: a.sql\nscaling factor: 1\nlatency average = 2.500 ms\ntps = 12.0 (x)\n";
        let error =
            "pgbench: error: connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: No such file or directory";
        let reading = read(&format!("{report}{error}\n"));
        assert_eq!(reading.measurements.len(), 2);
        assert_eq!(reading.failures.early_ends[0].why, &error["pgbench: error: ".len()..]);
        assert!(read(&format!("{error}\n{report}")).failures.is_empty());
    }
}
