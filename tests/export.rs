//! Claims about exported runs, as DuckDB and PyArrow read them. Tests that need both are ignored by default;
//! PERFGATE_LAKE_PYTHON names a Python that has them, if `python3` does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests may panic

mod common;
use common::Sandbox;
use perfgate::io::store::{self, Key, Store};
use perfgate::model::{
    Commit, Direction, Environment, Evidence, Measurement, Metric, Run, Summary, Unit, Work, WorkUnit, record,
};
use perfgate::render::COLUMNS;
use std::path::{Path, PathBuf};
use std::process::Command;

/// 2026-01-15T00:00:00Z.
const JANUARY: i64 = 1_768_435_200;
const MONTH: i64 = 30 * 86_400;
const HOSTILE: &str = "a\n\"b\"/'c' | ü 🦀 \u{202e}$(x)%41\\";

/// Runs a Python script and parses the JSON that it prints; `root` is the directory of the export.
fn run_python(root: &Path, script: &str) -> serde_json::Value {
    let python = std::env::var("PERFGATE_LAKE_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let begin = "import sys, json, duckdb, pyarrow.dataset as ds, pyarrow.parquet as pq\nroot = sys.argv[1]\n";
    let output = Command::new(python).args(["-c", &format!("{begin}{script}")]).arg(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The 21 samples `level` to `21 * level`, with a p95 of `20 * level`.
fn samples(level: f64) -> Evidence {
    Evidence::Samples((1..=21).map(|i| f64::from(i) * level).collect())
}

fn run(time: i64, number: u32, measurements: Vec<Measurement>) -> Run {
    let mut environment = Environment::default();
    environment.set(Environment::CPU, "Imaginary 9000");
    environment.set(Environment::CORES, "4");
    environment.set("compiler", HOSTILE);
    let commit = Commit::parse(&format!("{number:040x}"));
    Run { commit, time, branch: Some("main".into()), environment, measurements, ..Run::default() }
}

fn stored(run: &Run) -> (Key, Vec<u8>) {
    let bytes = record::encode(run).unwrap();
    (Key::new(run, &bytes), bytes)
}

fn sandbox(runs: &[Run]) -> (Sandbox, Box<dyn Store>) {
    let sandbox = Sandbox::new();
    sandbox.repository("r");
    let store = store::open("dir:runs", &sandbox.path("r")).unwrap();
    store.write(&runs.iter().map(stored).collect::<Vec<_>>()).unwrap();
    (sandbox, store)
}

const EXPORT: [&str; 6] = ["runs", "export", "--store", "dir:runs", "--parquet", "../lake"];

/// The files of the lake, as `./repository=r/...`.
fn files(sandbox: &Sandbox) -> Vec<String> {
    let lake = sandbox.path("lake");
    let paths = if lake.exists() { common::files_below(&lake) } else { Vec::new() };
    let name = |path: &PathBuf| path.strip_prefix(&lake).unwrap().display().to_string().replace('\\', "/");
    paths.iter().map(name).collect()
}

#[test]
#[ignore = "needs Python with duckdb and pyarrow"]
fn the_documented_query_works_in_duckdb_and_pyarrow() {
    let mut runs = Vec::new();
    for month in 0..3 {
        for day in 0..4 {
            // `parse` drifts from 10 to 12 in three months; `print` does not change.
            let parse = 10.0 + f64::from(month);
            let measured = |name, level| Measurement::new("criterion", name, Metric::time(), samples(level));
            let number = (month * 10 + day) as u32;
            let time = JANUARY + MONTH * i64::from(month) + 86_400 * i64::from(day);
            runs.push(run(time, number, vec![measured("parse", parse), measured("print", 7.0)]));
        }
    }
    let (sandbox, _) = sandbox(&runs);
    sandbox
        .perfgate_at("r", &[&EXPORT[..], &["--repository", "acme/parser"]].concat())
        .exits(0)
        .prints("exported 12 of 12");

    // The query from the documentation.
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/export.md")).unwrap();
    let query = docs.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(query.contains("/mnt/lake"));
    sandbox.write("query.sql", query);
    let rows = run_python(
        &sandbox.path("lake"),
        "q = open(root + '/../query.sql').read().replace('/mnt/lake', root)\nprint(json.dumps(duckdb.sql(q).fetchall()))",
    );
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    let row = rows[0].as_array().unwrap();
    assert_eq!((row[0].as_str(), row[1].as_str()), (Some("acme/parser"), Some("parse")));
    assert_eq!((row[2].as_str(), row[3].as_i64()), (Some("Imaginary 9000"), Some(4)));
    let near = |value: &serde_json::Value, expected: f64| {
        let value = value.as_f64().unwrap();
        assert!((value / expected - 1.0).abs() < 2e-3, "{value} for {expected}");
    };
    near(&row[4], 200.0);
    near(&row[5], 240.0);
    near(&row[6], 0.2);
    assert_eq!(row[7].as_i64(), Some(12));

    // PyArrow, reading one partition.
    let script = "
import statistics
d = ds.dataset(root, partitioning='hive')
def p95(month):
    t = d.to_table(filter=(ds.field('month') == month) & (ds.field('repository') == 'acme/parser') & (ds.field('benchmark') == 'parse'))
    return [t.num_rows, statistics.median(t['p95'].to_pylist())]
print(json.dumps([p95('2026-01'), p95('2026-03')]))";
    let rows = run_python(&sandbox.path("lake"), script);
    assert_eq!((rows[0][0].as_i64(), rows[1][0].as_i64()), (Some(4), Some(4)));
    near(&rows[0][1], 200.0);
    near(&rows[1][1], 240.0);
}

#[test]
#[ignore = "needs Python with duckdb and pyarrow"]
fn lists_nulls_and_hostile_names_round_trip() {
    let rate = Metric::measured("throughput", Unit::Other("fürlong/s".into()), Direction::Higher);
    let count = Metric::counted("queries", Unit::Count, Direction::Lower);
    let summary = Summary { centre: 5.0, mean: Some(6.0), quantiles: vec![(0.95, 9.0)], ..Summary::default() };
    let mut sampled = Measurement::new("criterion", HOSTILE, Metric::time(), Evidence::Samples(vec![3.0, 1.0, 2.0]));
    sampled.work = Some(Work { amount: 64.0, unit: WorkUnit::Bytes });
    let replicates = vec![Evidence::Value(1.0), Evidence::Value(2.0)];
    let measurements = vec![
        sampled,
        Measurement::new("k6", "summary", rate, Evidence::summary(summary)),
        Measurement::of_runs("hyperfine", "twice", Metric::time(), replicates).unwrap(),
        Measurement::new("echo", "zero", count, Evidence::Samples(vec![0.0, 0.0])),
    ];
    let first = Run { branch: Some(HOSTILE.into()), ..run(JANUARY, 1, measurements) };
    let thin = run(JANUARY + 1, 2, vec![Measurement::new("criterion", "thin", Metric::time(), samples(10.0))]);
    let thin = Run { commit: None, branch: None, ..thin };
    let (sandbox, store) = sandbox(&[first]);
    let (key, bytes) = stored(&thin);
    let thinned = perfgate::history::thin(&bytes).unwrap().unwrap();
    store.write(&[(key.thinned(&thinned), thinned)]).unwrap();
    let name = format!("../../{HOSTILE}");
    sandbox.perfgate_at("r", &[&EXPORT[..], &["--repository", &name]].concat()).exits(0).prints("exported 2 of 2");
    assert!(!sandbox.path("etc").exists());

    for engine in [
        "q = \"SELECT * FROM read_parquet('%s/**/*.parquet', hive_partitioning=true)\" % root\n\
         t = duckdb.sql(q).to_arrow_table()",
        "t = ds.dataset(root, partitioning='hive').to_table()",
    ] {
        let script = format!(
            "{engine}\nrows = sorted(t.to_pylist(), key=lambda r: (r['time'], r['tool'], r['replicate']))\n\
             for r in rows: r['time'] = r['time'].timestamp()\nprint(json.dumps(rows))"
        );
        let rows = run_python(&sandbox.path("lake"), &script);
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), 6);
        let [sampled, zero, first, second, summary, thin] = [0, 1, 2, 3, 4, 5].map(|i| &rows[i]);
        assert_eq!(sampled["benchmark"], HOSTILE);
        assert_eq!(sampled["branch"], HOSTILE);
        assert_eq!(sampled["repository"], *name, "{engine}");
        assert_eq!(sampled["month"], "2026-01");
        assert_eq!(sampled["time"], JANUARY as f64);
        let list: Vec<f64> = sampled["samples"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        assert!([3.0, 1.0, 2.0].iter().zip(&list).all(|(a, b): (&f64, &f64)| (a / b - 1.0).abs() < 1e-4), "{list:?}");
        assert_eq!((&sampled["work"], &sampled["work_unit"]), (&64.0.into(), &"bytes".into()));
        assert_eq!((&sampled["p95"], &sampled["shard"]), (&serde_json::Value::Null, &serde_json::Value::Null));
        let facts: serde_json::Value = serde_json::from_str(sampled["environment"].as_str().unwrap()).unwrap();
        assert_eq!((&facts["compiler"], &facts["cores"]), (&HOSTILE.into(), &"4".into()));
        assert_eq!(zero["samples"], serde_json::json!([0.0, 0.0]));
        assert_eq!((&zero["exact"], &zero["value"], &zero["unit"]), (&true.into(), &0.0.into(), &"count".into()));
        assert_eq!((&first["value"], &second["value"]), (&1.0.into(), &2.0.into()));
        assert_eq!((&second["replicate"], &second["replicates"]), (&1.into(), &2.into()));
        assert_eq!(second["samples"], serde_json::Value::Null);
        assert_eq!((&summary["p95"], &summary["mean"], &summary["max"]), (&9.0.into(), &6.0.into(), &().into()));
        assert_eq!((&summary["unit"], &summary["direction"]), (&"fürlong/s".into(), &"higher".into()));
        assert_eq!((&thin["commit"], &thin["branch"], &thin["samples"]), (&().into(), &().into(), &().into()));
        assert_eq!((&thin["thinned"], &thin["sample_count"]), (&true.into(), &21.into()));
        assert!((thin["p95"].as_f64().unwrap() / 200.0 - 1.0).abs() < 2e-4);
    }
    let script = "
import glob
m = pq.read_metadata(sorted(glob.glob(root + '/**/*.parquet', recursive=True))[0]).metadata
print(json.dumps({k.decode(): v.decode() for k, v in m.items() if k.startswith(b'perfgate')}))";
    assert_eq!(run_python(&sandbox.path("lake"), script)["perfgate.schema"], "1");
}

#[test]
fn only_new_runs_are_exported() {
    let one = |time, number| run(time, number, vec![Measurement::new("criterion", "a", Metric::time(), samples(1.0))]);
    let runs = [one(JANUARY, 1), one(JANUARY + MONTH, 2)];
    let (sandbox, store) = sandbox(&runs[..1]);
    sandbox.perfgate_at("r", &EXPORT).exits(0).prints("exported 1 of 1 run of r").prints("0 already there");
    let first = files(&sandbox);
    assert_eq!(first, [format!("repository=r/month=2026-01/{}.parquet", stored(&runs[0]).0.id())]);
    let bytes = std::fs::read(sandbox.path("lake").join(&first[0])).unwrap();

    store.write(&[stored(&runs[1])]).unwrap();
    sandbox.perfgate_at("r", &EXPORT).exits(0).prints("exported 1 of 2").prints("1 already there");
    assert_eq!(files(&sandbox).len(), 2);
    // A thinned run is still the same run, and its whole form stays exported.
    let (key, whole) = stored(&runs[0]);
    let thin = perfgate::history::thin(&whole).unwrap().unwrap();
    store.write(&[(key.thinned(&thin), thin)]).unwrap();
    store.remove(&[key]).unwrap();
    sandbox.perfgate_at("r", &EXPORT).exits(0).prints("exported 0 of 2");
    assert_eq!(std::fs::read(sandbox.path("lake").join(&first[0])).unwrap(), bytes);
}

#[test]
fn a_damaged_run_is_reported_and_the_others_are_exported() {
    let one = |time, number| run(time, number, vec![Measurement::new("criterion", "a", Metric::time(), samples(1.0))]);
    let runs = [one(JANUARY, 1), one(JANUARY, 2)];
    let (sandbox, _) = sandbox(&runs);
    let damaged = sandbox.path("r/runs").join(stored(&runs[0]).0.to_string());
    std::fs::write(damaged, b"pgrun\n").unwrap();
    sandbox.perfgate_at("r", &EXPORT).exits(2).reports("damaged").reports("left out").prints("exported 1 of 2");
    assert_eq!(files(&sandbox).len(), 1);
}

/// Limits the size of files to 2 kB, like a full disk.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_no_partial_file() {
    let measurements = (0..300).map(|i| Measurement::new("criterion", format!("b{i}"), Metric::time(), samples(1.0)));
    let (sandbox, _) = sandbox(&[run(JANUARY, 1, measurements.collect())]);
    let command = format!("trap '' XFSZ; ulimit -f 4; exec '{}' {}", env!("CARGO_BIN_EXE_perfgate"), EXPORT.join(" "));
    let output = Command::new("sh").args(["-c", &command]).current_dir(sandbox.path("r")).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write ../lake/"));
    assert_eq!(files(&sandbox), [""; 0]);
}

#[test]
fn invalid_exports_are_refused() {
    let (sandbox, _) =
        sandbox(&[run(JANUARY, 1, vec![Measurement::new("x", "a", Metric::time(), Evidence::Value(1.0))])]);
    let store = format!("dir:{}", sandbox.path("r/runs").display());
    sandbox
        .perfgate_at("", &["runs", "export", "--store", &store, "--parquet", "lake"])
        .exits(2)
        .reports("--repository");
    let to_bucket = ["runs", "export", "--store", "dir:runs", "--parquet", "s3://x/y"];
    sandbox.perfgate_at("r", &to_bucket).exits(2).reports("a bucket's name");
    sandbox.perfgate_at("r", &["runs", "export", "--store", "dir:none", "--parquet", "l"]).exits(2).reports("no run");
    sandbox.perfgate_at("r", &["runs", "export"]).exits(2).reports("--parquet");
}

#[test]
fn the_documentation_lists_all_columns_in_order() {
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/export.md")).unwrap();
    let documented: Vec<String> = docs
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').take(3).skip(1).map(str::trim).collect::<Vec<_>>().join(" "))
        .collect();
    let real: Vec<String> = COLUMNS
        .iter()
        .map(|column| {
            let null = if column.required { "" } else { ", may be null" };
            format!("`{}` {}{null}", column.name, column.kind.label())
        })
        .collect();
    assert_eq!(documented, real);
}
