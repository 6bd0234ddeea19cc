//! Replays of a history, with other thresholds and injected slowdowns.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

use super::*;

#[test]
fn the_counts_of_a_replay_match_a_count_by_hand() {
    // Four benchmarks over 14 commits: one is 50 % slower from commit 9 on, one was 60 % slower in commit 6 alone.
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
    assert_eq!((&answer["judged"], &answer["first"]), (&13.into(), &1.into()));
    let rows = answer["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 5);
    for row in &rows[2..] {
        // At 15, 20 and 30 %: the two, of which one lasted.
        assert_eq!((&row["alarms"], &row["persisted"], &row["passing"]["passing"]), (&2.into(), &1.into(), &1.into()));
    }
    for row in rows {
        for (column, slowdown) in [0.1, 0.2, 0.3, 0.5].into_iter().enumerate() {
            let caught = &row["caught"][column];
            // One of the four benchmarks, in each of the 13 runs that have an earlier run.
            assert_eq!((&caught["slowdown"], &caught["put_in"]), (&slowdown.into(), &13.into()));
            // A slowdown well below the threshold is rarely detected.
            if slowdown < 0.7 * row["threshold"].as_f64().unwrap() && column == 0 {
                assert!(caught["called"].as_u64().unwrap() <= 3, "{row}");
            }
        }
        assert!(row["caught"][3]["called"].as_u64().unwrap() >= 8, "{row}");
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
        .prints("9 stored runs compared with the runs before them")
        .prints("[[benchmark]]");
    let lines = answer.stdout.split_once("# with these lines").unwrap().1;
    sandbox.write("r/perfgate.toml", format!("# with these lines{lines}"));
    // The figures are those that a replay with these lines has.
    let stated = lines.split_once(": ").unwrap().1.split_once(" alarms").unwrap().0.parse::<f64>().unwrap();
    let replayed = sandbox.perfgate_at("r", &["replay", "--format", "json"]).exits(0).json();
    let row = &replayed["rows"][0];
    let transient = row["alarms"].as_f64().unwrap() - row["persisted"].as_f64().unwrap();
    let rate = 100.0 * transient / replayed["judged"].as_f64().unwrap();
    assert!((rate - stated).abs() < 0.051, "{rate} {stated}");
    sandbox.perfgate_at("r", &["history"]).exits(0);
    let policy = perfgate::policy::Policy::parse(&sandbox.read("r/perfgate.toml"), "perfgate.toml").unwrap();
    let own = |name: &str| policy.bounds(name, &Metric::time()).threshold;
    assert!(own("a\"b\\[*]\u{1b}").unwrap() > policy.gate_threshold());
    assert_eq!(own("a\"b\\[x]\u{1b}"), None);

    sandbox.perfgate_at("r", &["replay", "--suggest", "--last", "5"]).exits(0).reports("too few runs");
    sandbox.perfgate_at("r", &["replay", "--last", "1"]).exits(2);
}

#[test]
fn replay_needs_a_run_before_another() {
    let sandbox = Sandbox::new();
    let commits = commits(&sandbox, 1);
    put(&sandbox, &[run(&commits[0], START, vec![time("a", 1000.0, 1)])]);
    sandbox.perfgate_at("r", &["replay"]).exits(2).reports("record more runs of main");
}
