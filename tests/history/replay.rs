//! Replays of a history, with other thresholds and injected slowdowns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

/// Samples that hardly vary.
fn exact_time(name: &str, level: f64, seed: usize) -> Measurement {
    let level = level * (1.0 + 0.001 * noise(seed));
    let samples = (0..30).map(|i| level * (1.0 + 0.001 * noise(1000 * seed + i).abs())).collect();
    Measurement::new("criterion", name, Metric::time(), Evidence::Samples(samples))
}

#[test]
fn the_counts_of_a_replay_match_a_count_by_hand() {
    // Four benchmarks over 14 commits: one is 50% slower from commit 9 on, one was 60% slower in commit 6 only.
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 14);
    let runs: Vec<Run> = (0..14)
        .map(|i| {
            let measurements = vec![
                time("quiet", 1000.0, i),
                time("noisy name[*]", 1000.0 * (1.0 + 0.12 * noise(7000 + i)), 100 + i),
                time("lasting", if i >= 9 { 1500.0 } else { 1000.0 }, 200 + i),
                time("passing", if i == 6 { 1600.0 } else { 1000.0 }, 300 + i),
            ];
            run(&commits[i], START + 3600 * i as i64, measurements)
        })
        .collect();
    put(&sandbox, &runs);
    let answer = sandbox.perfgate_at("r", &["replay", "--suggest", "--format", "json"]).exits(0).json();
    assert_eq!((&answer["judged"], &answer["without_earlier_run"]), (&13.into(), &1.into()));
    // The names of older versions stay.
    assert_eq!(answer["first"], answer["without_earlier_run"]);
    for row in answer["rows"].as_array().unwrap() {
        assert_eq!((&row["slowdowns"], &row["transient"]), (&row["caught"], &row["passing"]));
        for one in row["slowdowns"].as_array().unwrap() {
            assert_eq!((&one["injected"], &one["detected"]), (&one["put_in"], &one["called"]));
        }
    }
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 5);
    for row in &rows[2..] {
        // At 15%, 20% and 30% there are two alarms, one of which lasted.
        assert_eq!(
            (&row["alarms"], &row["persisted"], &row["transient"]["passing"]),
            (&2.into(), &1.into(), &1.into())
        );
    }
    for row in rows {
        for (column, slowdown) in [0.1, 0.2, 0.3, 0.5].into_iter().enumerate() {
            let caught = &row["slowdowns"][column];
            // One of the four benchmarks, in each of the 13 runs that have an earlier run, unless it regressed anyway.
            assert_eq!(caught["slowdown"], slowdown);
            let (injected, alarms) = (caught["injected"].as_u64().unwrap(), row["alarms"].as_u64().unwrap());
            assert!(injected <= 13 && injected + alarms >= 13, "{row}");
            // A slowdown well below the threshold is rarely detected.
            if slowdown < 0.7 * row["threshold"].as_f64().unwrap() && column == 0 {
                assert!(caught["detected"].as_u64().unwrap() <= 3, "{row}");
            }
        }
        assert!(row["slowdowns"][3]["detected"].as_u64().unwrap() >= 8, "{row}");
    }
    let suggested = answer["suggestion"]["benchmarks"].as_array().unwrap();
    assert!(suggested.iter().any(|one| one["name"] == "noisy name[*]" && one["threshold"].as_f64() > Some(0.15)));
}

#[test]
fn what_replay_suggests_is_a_config_that_perfgate_reads() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 10);
    let runs: Vec<Run> = (0..10)
        .map(|i| {
            let wild = time("a\"b\\[*]\u{1b}", 1000.0 * (1.0 + 0.2 * noise(i)), i);
            run(&commits[i], START + 3600 * i as i64, vec![wild, time("quiet", 1000.0, 50 + i)])
        })
        .collect();
    put(&sandbox, &runs);
    let answer = sandbox.perfgate_at("r", &["replay", "--suggest"]);
    answer
        .exits(0)
        .prints("as configured (20%)")
        .prints("9 of 10 stored runs compared with the runs before them; the other one has no earlier run of its machine class")
        .prints("persisted: alarms whose change lasted (probably real regressions); the others are probably false alarms")
        .prints("[[benchmark]]")
        .prints("between runs (SD); 4 SD are ")
        .prints("share detected of 9 slowdowns of each size that were injected into stored runs (benchmarks that ");
    let lines = answer.stdout.split_once("# with these settings: ").unwrap().1;
    sandbox.write("r/perfgate.toml", format!("# {lines}"));
    sandbox.perfgate_at("r", &["history"]).exits(0);
    // The replay with these lines has the results that were printed for them.
    let counts = |stdout: &str, row: &str| {
        let line = stdout.lines().find(|line| line.starts_with(row)).unwrap_or_else(|| panic!("{row}: {stdout}"));
        line.split_once(')').unwrap().1.trim().to_owned()
    };
    let answer_without = sandbox.perfgate_at("r", &["replay"]);
    let choice = "to choose: the smallest threshold with at most 1 alarm per 100 runs that did not persist (`--suggest` finds it)";
    answer.does_not_print(choice);
    let configured = answer_without.exits(0).prints(choice).stdout.clone();
    assert_eq!(counts(&configured, "as configured ("), counts(&answer.stdout, "as suggested ("));
    let policy = perfgate::policy::Policy::parse(&sandbox.read("r/perfgate.toml"), "perfgate.toml").unwrap();
    let own = |name: &str| policy.benchmark_settings(name, &Metric::time()).threshold;
    assert!(own("a\"b\\[*]\u{1b}").unwrap() > policy.gate_threshold());
    assert_eq!(own("a\"b\\[x]\u{1b}"), None);

    // They are also valid after a [gate] and a rule for the same benchmark.
    let rule = answer.stdout.split("[[benchmark]]\n").find(|text| text.starts_with("match = ")).unwrap();
    let existing = "[gate]\nthreshold = \"44%\"\n\n[[benchmark]]\n".to_owned()
        + rule.lines().next().unwrap()
        + "\nthreshold = \"90%\"\n";
    sandbox.write("r/perfgate.toml", &existing);
    let json = sandbox.perfgate_at("r", &["replay", "--suggest", "--format", "json"]).exits(0).json();
    let lines = json["suggestion"]["toml"].as_str().unwrap();
    assert!(lines.starts_with("# lines to add to perfgate.toml:\n"), "{lines}");
    assert!(lines.contains("# [gate] is already there; change its threshold:\n# [gate]\n# threshold = \""), "{lines}");
    assert!(lines.contains("# this entry is already there; change its threshold:\n# [[benchmark]]\n"), "{lines}");
    perfgate::policy::Policy::parse(&format!("{existing}\n{lines}"), "perfgate.toml").unwrap();
    let table = sandbox.perfgate_at("r", &["replay", "--suggest"]);
    assert!(table.exits(0).stdout.ends_with(lines), "{}", table.stdout);
    sandbox.write("r/perfgate.toml", "");

    sandbox.perfgate_at("r", &["replay", "--suggest", "--last", "5"]).exits(0).reports("too few runs");
    sandbox.perfgate_at("r", &["replay", "--last", "1"]).exits(2);
}

/// A slowdown that is injected where the benchmark regresses anyway proves nothing.
#[test]
fn a_benchmark_that_regresses_anyway_is_not_a_detected_slowdown() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 14);
    let factor = |i: usize| if i >= 9 { 3.0 } else { 1.0 };
    let runs: Vec<Run> = (0..14)
        .map(|i| run(&commits[i], START + 3600 * i as i64, vec![exact_time("only", 1000.0 * factor(i), i)]))
        .collect();
    put(&sandbox, &runs);
    let answer = sandbox.perfgate_at("r", &["replay", "--format", "json"]).exits(0).json();
    for row in answer["rows"].as_array().unwrap() {
        assert!(row["alarms"].as_u64().unwrap() >= 1, "{row}");
        for caught in row["caught"].as_array().unwrap() {
            assert!(caught["put_in"].as_u64().unwrap() < 13, "{row}");
            if row["threshold"].as_f64().unwrap() > 1.1 * caught["slowdown"].as_f64().unwrap() {
                assert_eq!(caught["called"], 0, "{row}");
            }
        }
    }
}

/// Quiet for most of the time, so a threshold of 5% would fit its noise, but with an excursion of 8%.
#[test]
fn a_lower_threshold_that_raises_alarms_is_not_suggested() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 24);
    let runs: Vec<Run> = (0..24)
        .map(|i| {
            let excursion = if i == 15 { 1.08 } else { 1.0 };
            let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
            let all = names.iter().enumerate().map(|(k, name)| match *name {
                "a" => exact_time(name, 1000.0 * excursion, i),
                "j" | "i" | "h" | "g" | "f" => time(name, 1000.0 * (1.0 + 0.05 * noise(900 * k + i)), 100 * k + i),
                _ => exact_time(name, 1000.0, 100 * k + i),
            });
            run(&commits[i], START + 3600 * i as i64, all.collect())
        })
        .collect();
    put(&sandbox, &runs);
    let answer = sandbox.perfgate_at("r", &["replay", "--suggest", "--format", "json"]).exits(0).json();
    let suggestion = &answer["suggestion"];
    let names: Vec<&str> =
        suggestion["benchmarks"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"b") && !names.contains(&"a"), "{suggestion}");
    assert_eq!(suggestion["row"]["transient"]["a"], Value::Null, "{suggestion}");
}

#[test]
fn replay_needs_a_run_before_another() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 1);
    put(&sandbox, &[run(&commits[0], START, vec![time("a", 1000.0, 1)])]);
    sandbox.perfgate_at("r", &["replay"]).exits(2).reports("record more runs of main");
}
