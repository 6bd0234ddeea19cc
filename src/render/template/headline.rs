//! The rows of the tables of metrics and of code quality, each summing up several benchmarks in one number.

use super::context::Headline;
use crate::formats;
use crate::model::{Direction, SampleStatistics};
use crate::render::printed_change::printed_change;
use crate::render::quantity::{change, counted, pair, size};
use crate::render::summary;
use crate::verdict::{BudgetLine, Finding, MeanChange, Outcome, Report, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The name of a load test's totals.
pub const TOTAL: &str = "Aggregated";
/// The row of the processor. Without a measured usage, it has a time.
const CPU_USAGE: &str = "CPU Usage";
/// Rows for metrics without a section.
const MAX_OTHER_ROWS: usize = 16;

/// A smaller change is called unchanged.
const LEAST_CHANGE: f64 = 0.0005;

/// How several values are combined.
#[derive(Clone, Copy, PartialEq)]
enum Aggregate {
    Geometric,
    Highest,
    Sum,
    Mean,
}

impl Aggregate {
    fn word(self) -> &'static str {
        match self {
            Aggregate::Geometric => "geometric mean",
            Aggregate::Highest => "highest",
            Aggregate::Sum => "sum",
            Aggregate::Mean => "mean",
        }
    }
}

/// The five rows that every document has, measured or not.
pub fn headline(report: &Report) -> Vec<Headline> {
    let rates = throughputs(&report.benchmarks);
    five(&report.benchmarks, &rates).into_iter().map(|(label, group, how)| row(report, label, group, how)).collect()
}

type Group<'a> = (&'static str, Option<Vec<&'a Finding>>, Aggregate);

/// The label and the findings of each of the five rows.
fn five<'a>(all: &'a [Finding], rates: &'a [Finding]) -> [Group<'a>; 5] {
    let time = group(all, |f| f.metric == "time" && f.tool == "pytest-benchmark")
        .or_else(|| group(all, |f| f.metric == "time:p50" && f.name == TOTAL))
        .or_else(|| group(all, |f| f.metric == "time:p50" && is_load(f)))
        .or_else(|| group(all, |f| f.metric == "time:mean" && is_load(f)))
        .or_else(|| group(all, |f| f.metric == "time" && !matches!(&*f.tool, "junit-xml" | "cprofile")));
    let queries = || all.iter().filter(|f| f.metric == "queries");
    let most = queries().max_by(|a, b| largest(a).total_cmp(&largest(b))).map(|f| vec![f]);
    let memory = group(all, |f| f.metric == "memory:peak").or_else(|| group(all, |f| f.metric.starts_with("memory")));
    let cpu = group(all, |f| f.metric == "cpu" || f.metric.starts_with("cpu:"));
    let cpu_time = group(all, |f| f.metric == "time:self").or_else(|| group(all, |f| f.metric == "time:user"));
    let rate = group(all, |f| f.metric == "throughput" && f.name == TOTAL)
        .or_else(|| group(all, |f| f.metric == "throughput" && is_load(f)))
        .or_else(|| group(all, |f| f.unit == "/s" || f.unit == "B/s"))
        .or_else(|| group(rates, |_| true));
    let (cpu, cpu_aggregate) = match cpu {
        None if cpu_time.is_some() => (cpu_time, Aggregate::Sum),
        cpu => (cpu, Aggregate::Highest),
    };
    [
        ("Response Time", time, Aggregate::Geometric),
        ("Database Queries", most, Aggregate::Highest),
        ("Memory Usage", memory, Aggregate::Highest),
        (CPU_USAGE, cpu, cpu_aggregate),
        ("Throughput", rate, Aggregate::Geometric),
    ]
}

/// The throughput of benchmarks whose tool states the work of one operation (criterion, divan), as findings of their own.
fn throughputs(all: &[Finding]) -> Vec<Finding> {
    all.iter().filter_map(throughput).collect()
}

fn throughput(finding: &Finding) -> Option<Finding> {
    let (head, unit) = summary::rate(finding)?;
    let mut rate = finding.clone();
    // Head's work in one operation of base.
    let base = finding.base.filter(|base| base.value > 0.0);
    let of_base = head * finding.head?.value / finding.work_ratio.unwrap_or(1.0);
    rate.change = None; // that of the time
    (rate.metric, rate.unit, rate.direction) = ("throughput".into(), unit.into(), Direction::Higher);
    rate.base = base.map(|base| Value { value: of_base / base.value, ..base });
    rate.head = finding.head.map(|value| Value { value: head, ..value });
    Some(rate)
}

/// The throughput of a benchmark in base and head.
pub fn rates(finding: &Finding) -> [Option<String>; 2] {
    let Some(rate) = throughput(finding) else { return [None, None] };
    let values = [rate.base, rate.head].map(|side| side.map(|value| value.value));
    let [base, head] = pair(values, &rate.unit);
    [values[0].map(|_| base), values[1].map(|_| head)]
}

/// A row per tool and metric, except for the findings of the five rows and metrics with a section of their own.
pub fn others(report: &Report) -> Vec<Headline> {
    let five = five(&report.benchmarks, &[]);
    let is_used = |finding: &Finding| {
        five.iter().filter_map(|(_, group, _)| group.as_ref()).flatten().any(|used| std::ptr::eq(*used, finding))
    };
    let mut groups: BTreeMap<(&str, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in &report.benchmarks {
        let own = finding.metric.starts_with("queries") || finding.metric.starts_with("memory");
        let section =
            own || is_quality(finding) || is_cache(finding) || is_load(finding) || finding.tool == "junit-xml";
        // A profile's times have a table of their own.
        let profile = finding.metric == "time:self" || finding.tool == "cprofile" && finding.metric == "time";
        if !section && !profile {
            groups.entry((&finding.tool, &finding.metric)).or_default().push(finding);
        }
    }
    groups.retain(|_, findings| !findings.iter().any(|finding| is_used(finding)));
    let rows = groups.into_iter().map(|((tool, metric), findings)| {
        let aggregate = if findings.iter().all(|f| f.unit == "count") { Aggregate::Sum } else { Aggregate::Geometric };
        row(report, &format!("{tool} {metric}"), Some(findings), aggregate)
    });
    rows.take(MAX_OTHER_ROWS).collect()
}

/// A change in words: `5.9% slower`, `80% fewer`.
fn improvement(finding: &Finding, by: f64) -> String {
    if by.abs() < LEAST_CHANGE {
        return "unchanged".to_owned();
    }
    let is_time = finding.metric == "time" || finding.metric.starts_with("time:");
    let (rise, fall) = match (finding.direction, &*finding.unit) {
        (Direction::Lower, _) if is_time => ("slower", "faster"),
        (Direction::Lower, "count") => ("more", "fewer"),
        (Direction::Lower, _) => ("more", "less"),
        (Direction::Higher | Direction::Unknown, _) => ("higher", "lower"),
    };
    format!("{} {}", size(by), if by > 0.0 { rise } else { fall })
}

/// The mean change of all times with its interval, if a row has all of them. Other sentences of the document have it too, so the
/// row must not have another estimate of the same change.
fn overall(report: &Report, findings: &[&Finding]) -> Option<MeanChange> {
    let is_compared_time = |one: &Finding| one.metric == "time" && one.base.is_some() && one.head.is_some();
    let of_times = findings.iter().filter(|one| is_compared_time(one)).count();
    let has_all = findings.iter().all(|one| one.metric == "time")
        && of_times == report.benchmarks.iter().filter(|one| is_compared_time(one)).count();
    summary::overall_change(report).filter(|_| has_all && of_times > 1)
}

/// True if the change of a row is the mean change of all times, without a test of the whole suite.
fn is_mean_over_benchmarks(report: &Report, findings: &[&Finding]) -> bool {
    report.suite.is_none() && overall(report, findings).is_some()
}

/// True for several times that are too few for a mean with an interval.
fn is_untested(report: &Report, findings: &[&Finding]) -> bool {
    findings.len() > 1
        && findings.iter().all(|one| one.metric == "time")
        && summary::overall_change(report).is_none()
        && tested(findings).is_none()
}

/// True if the results show the change of a row: of all times their mean change, otherwise that of one of its findings.
fn is_shown(report: &Report, findings: &[&Finding], by: f64) -> bool {
    let excludes_zero = |[low, high]: [f64; 2]| if by > 0.0 { low > 0.0 } else { high < 0.0 };
    if let Some(overall) = overall(report, findings) {
        return by.abs() < LEAST_CHANGE || excludes_zero(overall.interval);
    }
    by.abs() < LEAST_CHANGE
        || findings.iter().any(|one| match one.interval {
            Some(ends) => excludes_zero(ends),
            None => one.outcome != Outcome::Inconclusive || !one.direction.is_known(),
        })
}

/// Complexity, maintainability and size of the code.
pub fn quality(report: &Report) -> Vec<Headline> {
    let all = &report.benchmarks;
    let of = |metric: &'static str| group(all, move |f| f.metric == metric);
    let mut rows = vec![
        row(report, "Cyclomatic Complexity", of("complexity"), Aggregate::Mean),
        row(report, "Maintainability Index", of("maintainability"), Aggregate::Mean),
        row(report, "Code Duplication", of("duplication"), Aggregate::Mean),
    ];
    if let Some(lines) = of("lines") {
        rows.push(row(report, "Lines of Code", Some(lines), Aggregate::Sum));
    }
    rows
}

/// The sum of a metric on each side, including benchmarks that only one side has.
pub fn sums(report: &Report, metric: &str) -> Option<(f64, f64)> {
    let findings = group(&report.benchmarks, |f| f.metric == metric)?;
    Some((combined(&findings, false, Aggregate::Sum)?, combined(&findings, true, Aggregate::Sum)?))
}

/// True for results of a service: load tests, database statements or caches.
pub fn of_service(report: &Report) -> bool {
    let is_query = |finding: &Finding| finding.metric.starts_with("queries") || finding.metric == "time:query";
    report.benchmarks.iter().any(|finding| is_load(finding) || is_cache(finding) || is_query(finding))
}

pub fn is_load(finding: &Finding) -> bool {
    formats::is_load_test(&finding.tool)
}

pub fn is_cache(finding: &Finding) -> bool {
    finding.metric.starts_with("cache") || finding.metric.contains("hit-rate") || finding.metric.contains("hit_rate")
}

pub fn is_quality(finding: &Finding) -> bool {
    matches!(&*finding.metric, "complexity" | "maintainability" | "duplication" | "lines" | "lines:logical")
}

fn group(all: &[Finding], belongs: impl Fn(&Finding) -> bool) -> Option<Vec<&Finding>> {
    let found: Vec<&Finding> = all.iter().filter(|finding| belongs(finding)).collect();
    (!found.is_empty()).then_some(found)
}

fn largest(finding: &Finding) -> f64 {
    [finding.base, finding.head].into_iter().flatten().map(|value| value.value).fold(0.0, f64::max)
}

/// The values of one side. A geometric mean includes only benchmarks of both sides, to be comparable.
fn side_values(findings: &[&Finding], head: bool, aggregate: Aggregate) -> Vec<f64> {
    let shared = findings.iter().filter(|f| f.base.is_some() && f.head.is_some()).count();
    let side = |finding: &&Finding| -> Option<f64> {
        let both = finding.base.is_some() && finding.head.is_some();
        let value = if head { finding.head } else { finding.base };
        if aggregate == Aggregate::Geometric && shared > 0 && !both { None } else { value.map(|value| value.value) }
    };
    findings.iter().filter_map(side).collect()
}

/// The combined value of one side.
fn combined(findings: &[&Finding], head: bool, aggregate: Aggregate) -> Option<f64> {
    let values = side_values(findings, head, aggregate);
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    Some(match aggregate {
        Aggregate::Highest => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Aggregate::Sum => values.iter().sum(),
        Aggregate::Mean => values.iter().sum::<f64>() / n,
        Aggregate::Geometric if values.iter().any(|value| *value <= 0.0) => return None,
        Aggregate::Geometric => (values.iter().map(|value| value.ln()).sum::<f64>() / n).exp(),
    })
}

/// The tested change of a single finding, which its own row has too.
fn tested(findings: &[&Finding]) -> Option<f64> {
    tested_finding(findings).and_then(|one| one.change)
}

/// The change of the printed values in words, which a reader can check, and the tested change if its words differ: it may be that of
/// the fastest samples, or without the suite-wide shift.
fn with_tested_change(findings: &[&Finding], by: f64) -> (String, Option<String>) {
    let Some(first) = findings.first() else { return (String::new(), None) };
    let tested = improvement(first, by);
    let of_values = tested_finding(findings).and_then(printed_change).map(|by| improvement(first, by));
    match of_values.filter(|of_values| *of_values != tested) {
        Some(of_values) => (of_values, Some(format!("tested change: {tested}"))),
        None => (tested, None),
    }
}

/// The finding of a row whose change is that of a single finding.
fn tested_finding<'a>(findings: &[&'a Finding]) -> Option<&'a Finding> {
    match findings {
        [one] => one.change.map(|_| *one).filter(|one| one.base.is_some() && one.head.is_some()),
        _ => None,
    }
}

fn row(report: &Report, label: &str, findings: Option<Vec<&Finding>>, aggregate: Aggregate) -> Headline {
    let mut row = Headline { label: label.to_owned(), ..Headline::default() };
    // Values in different units cannot be combined.
    let Some(mut findings) = findings else { return row };
    let Some(unit) = findings.first().map(|finding| finding.unit.clone()) else { return row };
    findings.retain(|finding| finding.unit == unit && finding.base_unit.is_none());
    let (base, head) = (combined(&findings, false, aggregate), combined(&findings, true, aggregate));
    let is_cpu_time = label == CPU_USAGE && findings.iter().all(|one| one.metric.starts_with("time:"));
    let what = if is_cpu_time { " CPU time" } else { "" };
    let [before, after] = pair([base, head], &unit).map(|value| value + what);
    row.before = base.is_some().then_some(before);
    row.after = head.is_some().then_some(after);
    let is_compared = report.environment.matches || findings.iter().all(|one| one.outcome != Outcome::Inconclusive);
    if is_compared {
        let of_values = || Some(head? / base.filter(|base| *base != 0.0)? - 1.0);
        let by = tested(&findings).or(overall(report, &findings).map(|mean| mean.change)).or_else(of_values);
        row.change = by.map(change);
        row.improvement = findings.first().zip(by).map(|(finding, by)| match is_shown(report, &findings, by) {
            _ if is_untested(report, &findings) => "not tested (needs the times of at least 8 benchmarks)".to_owned(),
            true => match with_tested_change(&findings, by) {
                (words, None) => words,
                (words, Some(tested)) => format!("{words} ({tested})"),
            },
            // The interval of such a mean shows how much the benchmarks differ, so zero in it does not matter.
            false if is_mean_over_benchmarks(report, &findings) => format!("{} on average", improvement(finding, by)),
            false => match with_tested_change(&findings, by) {
                (words, None) => format!("no significant change ({words})"),
                (words, Some(tested)) => format!("no significant change ({words}; {tested})"),
            },
        });
    } else {
        row.improvement = Some("not compared (different machines)".to_owned());
    }
    row.method = Some(method(&findings, aggregate));
    row.combined = combination(&findings, aggregate);
    budget(&mut row, report, &findings, aggregate);
    row
}

/// How a value combines those of several benchmarks.
fn combination(findings: &[&Finding], aggregate: Aggregate) -> Option<String> {
    let counts = [false, true].map(|head| side_values(findings, head, aggregate).len());
    let most = counts.into_iter().max().filter(|most| *most > 1)?;
    Some(format!("{} of {}", aggregate.word(), counted(most, "benchmark")))
}

fn method(findings: &[&Finding], aggregate: Aggregate) -> String {
    let tools: BTreeSet<&str> = findings.iter().map(|finding| &*finding.tool).collect();
    let tools = tools.into_iter().collect::<Vec<_>>().join(", ");
    if let [one] = findings {
        return format!("{tools}: {}", one.name);
    }
    let how = aggregate.word();
    let [base, head] = [false, true].map(|head| side_values(findings, head, aggregate).len());
    match (base, head) {
        (0, count) | (count, 0) => format!("{tools}: {how} of {count}"),
        (base, head) if base == head => format!("{tools}: {how} of {head}"),
        (base, head) => format!("{tools}: {how} of {base} in base, {head} in head"),
    }
}

/// Sets the target and the worst status of the budgets on the benchmarks of a row.
fn budget(row: &mut Headline, report: &Report, findings: &[&Finding], aggregate: Aggregate) {
    let on = |line: &BudgetLine| {
        let own = SampleStatistics::split_metric(&line.metric).map(|(own, _)| own);
        findings.iter().any(|f| f.name == line.benchmark && (f.metric == line.metric || own == Some(&*f.metric)))
    };
    let lines: Vec<&BudgetLine> = report.budgets.iter().filter(|line| on(line)).collect();
    let Some(worst) = lines.first() else { return }; // sorted worst first
    let targets: BTreeSet<String> = lines
        .iter()
        .map(|line| match SampleStatistics::split_metric(&line.metric) {
            Some((_, statistic)) => format!("{statistic} {}", line.target),
            None => line.target.clone(),
        })
        .collect();
    // A mean of several benchmarks cannot be compared with the limit of one of them.
    let is_mean = findings.len() > 1 && matches!(aggregate, Aggregate::Geometric | Aggregate::Mean);
    row.target = Some(if targets.len() > 3 || is_mean {
        counted(lines.len(), "budget")
    } else {
        targets.into_iter().collect::<Vec<_>>().join(", ")
    });
    let same = lines.iter().filter(|line| line.word() == worst.word()).count();
    let mut status = worst.word().to_owned();
    if lines.len() > 1 {
        status.push_str(&format!(" ({same} of {})", lines.len()));
    }
    if worst.near && !worst.undecided {
        status.push_str(", within noise of the limit");
    }
    row.status = Some(status);
}
