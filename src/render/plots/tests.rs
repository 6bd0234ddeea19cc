//! The charts of a small report and a small history, with values computed by hand.

use super::chart::{ColorRole, Marks};
use super::{Charts, MAX_CHARTS, of_history, of_report, samples, titled};
use crate::history::{Point, Series, segment};
use crate::model::{BenchId, Commit, Direction, Metric, PlotSamples};
use crate::render::HistoryView;
use crate::verdict::Report;
use serde_json::{Value, json};

fn finding(name: &str, outcome: &str, change: f64, interval: Value) -> Value {
    json!({"name": name, "metric": "time", "unit": "ns", "direction": "lower", "outcome": outcome, "suspect": false,
        "confirmed": false, "base": null, "head": null, "change": change, "interval": interval, "p": null, "q": null,
        "detectable": null, "runs_needed": null, "threshold": 0.2,
        "budget": {"target": null, "acceptable": null, "status": "none"}, "notes": []})
}

fn report(findings: &[Value]) -> Report {
    let of = |outcome: &str| findings.iter().filter(|finding| finding["outcome"] == outcome).count();
    let words = ["regressed", "improved", "unchanged", "inconclusive", "added", "removed", "accepted"];
    let counts: serde_json::Map<String, Value> = words.into_iter().map(|word| (word.into(), of(word).into())).collect();
    let side = json!({"label": "x", "runs": 1, "commit": null});
    serde_json::from_value(json!({"format": "perfgate-comparison", "version": 1, "verdict": "fail", "base": side,
        "head": side, "environment": {"match": true, "differences": []}, "tests": 3, "threshold": 0.2, "alpha": 0.05,
        "common_shift": 0.0, "counts": counts, "benchmarks": findings, "diagnostics": []}))
    .unwrap()
}

/// Marks with the given legend.
fn marks<'a>(charts: &'a Charts, chart: usize, legend: &str) -> &'a Marks {
    let layers = &charts.charts[chart].layers;
    &layers.iter().find(|layer| layer.legend.as_deref() == Some(legend)).unwrap().marks
}

#[test]
fn the_forest_plot_shows_changes_worst_first_with_intervals_and_thresholds() {
    let mut rate = finding("rate", "improved", 1.0, Value::Null);
    rate["metric"] = "throughput".into();
    rate["direction"] = "higher".into();
    let report = report(&[
        finding("slow", "regressed", 0.5, json!([0.25, 0.75])),
        rate,
        finding("gone", "removed", 0.0, Value::Null),
    ]);
    let charts = of_report(&report);
    assert_eq!((charts.charts.len(), charts.left_out), (1, 0));
    let forest = &charts.charts[0];
    assert_eq!((forest.file_stem.as_str(), forest.title.as_str()), ("forest", "Changes by outcome, worst first"));
    let rows: Vec<(f64, &str)> = forest.y.ticks.iter().map(|(at, text)| (*at, text.as_str())).collect();
    assert_eq!(rows, [(0.0, "slow  +50.0%"), (-1.0, "rate (throughput)  +100.0%"), (-2.0, "gone  0.0%")]);
    // Log scale: a change of +50% lies at ln 1.5.
    let slow = (1.25_f64.ln(), 1.5_f64.ln(), 1.75_f64.ln(), 0.0);
    assert_eq!(marks(&charts, 0, "1 regressed"), &Marks::Spans(vec![slow]));
    // A change without an interval is a dot.
    assert_eq!(marks(&charts, 0, "1 improved"), &Marks::Spans(vec![(2_f64.ln(), 2_f64.ln(), 2_f64.ln(), -1.0)]));
    // The threshold of a time is at +20%, that of a rate as far below zero.
    let limits: Vec<_> = forest
        .layers
        .iter()
        .filter(|layer| layer.role == ColorRole::Bad && matches!(layer.marks, Marks::ThinLine(_)))
        .collect();
    let at = |row: usize| match &limits[row].marks {
        Marks::ThinLine(points) => points[0].0,
        _ => unreachable!(),
    };
    assert_eq!(limits.len(), 3);
    assert!((at(0) - 1.2_f64.ln()).abs() < 1e-12 && (at(1) + 1.2_f64.ln()).abs() < 1e-12);
    let ticks: Vec<&str> = forest.x.ticks.iter().map(|(_, text)| text.as_str()).collect();
    // The reach is 1.05 ln 2, and ticks stand at least a sixth of it apart: +20% is the first, +50% and +100% follow.
    assert_eq!(ticks, ["−50%", "−40%", "−30%", "−20%", "0", "+20%", "+50%", "+100%"]);
}

#[test]
fn a_name_of_gnuplot_cannot_end_a_section_of_xml() {
    let charts = of_report(&report(&[finding("get<a[b[0]]>/64", "regressed", 0.5, Value::Null)]));
    let drawn = "<svg width=\"9\" >\n<title>Gnuplot</title>\n<text>get&lt;a[b[0]]>/64</text>\
                 <g><title>threshold</title></g><g><title>gnuplot_plot_3</title></g></svg>";
    let expected = "<svg width=\"9\" role=\"img\">\n<title>Changes by outcome, worst first</title>\n<text>get&lt;a[b[0]]&gt;/64</text>\
                    <g><title>threshold</title></g><g></g></svg>";
    assert_eq!(titled(drawn, &charts.charts[0]), expected);
}

#[test]
fn only_the_worst_of_many_changes_are_drawn() {
    let many: Vec<Value> =
        (0..100).map(|i| finding(&format!("b{i}"), "unchanged", 0.001, json!([0.0, 0.01]))).collect();
    let charts = of_report(&report(&many));
    assert_eq!(charts.charts[0].title, "The 40 worst of 100 changes (60 not shown)");
    assert_eq!(charts.charts[0].y.ticks.len(), 40);
    let mut drawn = many;
    for finding in &mut drawn {
        finding["strips"] = json!([[{"samples": 1, "values": [1.0]}], [{"samples": 1, "values": [1.0]}]]);
    }
    let charts = of_report(&report(&drawn));
    assert_eq!((charts.charts.len(), charts.left_out), (1 + MAX_CHARTS, 100 - MAX_CHARTS));
    assert_eq!(of_report(&report(&[])), Charts::default());
}

#[test]
fn each_run_has_a_row_with_its_samples_and_median() {
    let mut one = finding("parse/large", "regressed", 0.5, json!([0.4, 0.6]));
    let run = |values: &[f64]| json!({"samples": 100, "values": values});
    one["strips"] = json!([[run(&[1000.0, 2000.0, 4000.0]), run(&[2000.0, 3000.0])], [run(&[6000.0])]]);
    let charts = of_report(&report(&[one]));
    let chart = &charts.charts[1];
    assert_eq!(chart.title, "parse/large: +50.0%, regressed");
    assert!(chart.file_stem.starts_with("samples-parse-large-"));
    assert_eq!(chart.x.label, "faster ←   time, µs   → slower");
    let rows: Vec<(f64, &str)> = chart.y.ticks.iter().map(|(at, text)| (*at, text.as_str())).collect();
    assert_eq!(rows, [(0.0, "base 1 (100)"), (-1.0, "base 2 (100)"), (-2.0, "head (100)")]);
    assert_eq!(marks(&charts, 1, "base"), &Marks::Dots(vec![(1.0, 0.0), (2.0, 0.0), (4.0, 0.0)]));
    assert_eq!(marks(&charts, 1, "head"), &Marks::Dots(vec![(6.0, -2.0)]));
    let lines: Vec<f64> = chart
        .layers
        .iter()
        .filter_map(|layer| match &layer.marks {
            Marks::Line(points) | Marks::ThinLine(points) => Some(points[0].0),
            _ => None,
        })
        .collect();
    // The runs' centres, with that of the base's two runs behind them.
    assert_eq!(lines, [2.0, 2.5, 2.25, 6.0]);
}

#[test]
fn an_axis_names_its_sides_where_they_are_known_and_fit() {
    let label = |metric: &str, direction| samples::axis(metric, "MB", direction, 44);
    assert_eq!(label("memory", Direction::Lower), "better ←   memory, MB   → worse");
    assert_eq!(label("throughput", Direction::Higher), "worse ←   throughput, MB   → better");
    assert_eq!(label("time:p99", Direction::Lower), "faster ←   time:p99, MB   → slower");
    assert_eq!(label("size", Direction::Unknown), "size, MB");
    assert_eq!(label(&"m".repeat(30), Direction::Lower), format!("{}, MB", "m".repeat(30)));
}

#[test]
fn a_series_shows_its_points_levels_and_changes() {
    let commit = |i: usize| Commit::parse(&format!("{i:040x}")).unwrap();
    let level = |i: usize| if i < 12 { 1000.0 } else { 1500.0 };
    let points: Vec<Point> = (0..20)
        .map(|i| {
            let value = level(i) + (i % 2) as f64;
            Point { commit: Some(commit(i)), time: 0, runs: 1, value, run: i, fast_edge: None, position: None }
        })
        .collect();
    let series = Series {
        benchmark: BenchId::new("a_b"),
        metric: Metric::time().into(),
        tool: "criterion".into(),
        machine: "x86".to_owned(),
        points,
        floor: None,
        epoch: None,
        is_measured: true,
    };
    let flat = Series { benchmark: BenchId::new("flat"), points: series.points[..12].to_vec(), ..series.clone() };
    let all_series = [segment(flat), segment(series)];
    let charts =
        of_history(&HistoryView { series: &all_series, runs: 20, store: "dir:x", waivers: &[], machine: None });
    let titles: Vec<&str> = charts.charts.iter().map(|chart| chart.title.as_str()).collect();
    // The changed series comes first.
    assert_eq!(titles, ["a_b (x86): +50.0% at 0000000000", "flat (x86): no change"]);
    let chart = &charts.charts[0];
    assert_eq!(chart.y.label, "faster ←   time, µs   → slower");
    let Marks::Dots(points) = marks(&charts, 0, "commits") else { panic!() };
    assert_eq!((points.len(), points[13]), (20, (13.0, 1.501)));
    // Commit 12 is the only possible commit of the step.
    let Marks::Area(band) = marks(&charts, 0, "worse: possible commits") else { panic!() };
    assert_eq!((band[0].0, band[1].0), (11.5, 12.5));
    let lines: Vec<&Vec<(f64, f64)>> = chart
        .layers
        .iter()
        .filter_map(|layer| match &layer.marks {
            Marks::Line(points) => Some(points),
            _ => None,
        })
        .collect();
    let expected = [[(-0.3, 1.0005), (11.3, 1.0005)], [(11.7, 1.5005), (19.3, 1.5005)]];
    assert_eq!(lines.len(), expected.len());
    for (found, expected) in lines.iter().copied().flatten().zip(expected.as_flattened()) {
        assert_eq!(found.0, expected.0);
        assert!((found.1 - expected.1).abs() < 1e-6, "{lines:?}"); // a geometric mean
    }
}

#[test]
fn a_page_of_1000_benchmarks_with_many_runs_stays_small() {
    let strip =
        |count: usize| json!({"samples": 100, "values": (0..count).map(|i| 12345.0 + i as f64).collect::<Vec<_>>()});
    let all: Vec<Value> = (0..1000)
        .map(|i| {
            let name = format!("group{}/a_benchmark_with_a_usual_name/{i}", i % 20);
            let mut finding = finding(&name, "unchanged", 0.0123456789, json!([-0.0123456789, 0.0345678901]));
            for side in ["base", "head"] {
                finding[side] = json!({"value": 12345.678901, "runs": 10, "samples": 1000});
            }
            // As many as are ever kept: ten runs of five values, and one of seventeen.
            finding["strips"] = json!([vec![strip(5); 10], [strip(17)]]);
            finding
        })
        .collect();
    let page = crate::render::report_page(&report(&all));
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

#[test]
fn a_page_of_10000_benchmarks_with_many_runs_stays_below_4_mb() {
    let all: Vec<Value> = (0..10_000)
        .map(|i| {
            let name = format!("module_{}/function_under_test/{i}", i % 25);
            let mut finding = finding(&name, "unchanged", 0.0123456, json!([-0.0123456, 0.0345678]));
            for side in ["base", "head"] {
                finding[side] = json!({"value": 12345.678901, "runs": 10, "samples": 200});
            }
            finding
        })
        .collect();
    let mut report = report(&all);
    // Distinct steps between the values, as in measured ones.
    let run = |count: usize, seed: usize| {
        let mut values: Vec<f64> = (0..count).map(|i| 12_345.0 + ((seed + i) * 7919 % 1000) as f64).collect();
        values.sort_by(f64::total_cmp);
        PlotSamples { samples: 20, values }
    };
    let values_of = |page: &str, row: usize| {
        let start = page.find("id=\"data\">").unwrap() + "id=\"data\">".len();
        let end = start + page[start..].find("</script>").unwrap();
        let data: Value = serde_json::from_str(&page[start..end]).unwrap();
        data["rows"][row][14]["b"][0].as_array().unwrap().len() - 1
    };
    for (runs, count, is_thinned) in
        [([1, 1], 17, false), ([3, 3], 13, true), ([10, 1], 5, true), ([10, 5], 5, true), ([10, 10], 5, true)]
    {
        for (seed, finding) in report.benchmarks.iter_mut().enumerate() {
            let side = |runs: usize, from: usize| (from..from + runs).map(|i| run(count, 31 * seed + i)).collect();
            finding.plot_samples = Some([side(runs[0], 0), side(runs[1], 100)]);
        }
        let page = crate::render::report_page(&report);
        assert!(page.len() < 4_000_000, "{runs:?}: {} bytes", page.len());
        // The worst benchmarks have all values.
        assert_eq!(values_of(&page, 0), count, "{runs:?}");
        assert_eq!(values_of(&page, 9_999) < count, is_thinned, "{runs:?}");
    }
}
