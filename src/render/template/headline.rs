//! One number for what several benchmarks say of one thing: the rows of the tables of metrics and of code quality.

use super::context::Headline;
use crate::model::SampleStatistics;
use crate::render::quantity::{change, pair};
use crate::verdict::{BudgetLine, BudgetStatus, Finding, Report};
use std::collections::{BTreeMap, BTreeSet};

/// Load generators: their times are those of endpoints under load.
pub const LOAD_TOOLS: [&str; 9] = ["locust", "k6", "wrk", "ab", "autocannon", "h2load", "jmeter", "siege", "pgbench"];
/// A load test's row for all endpoints together.
pub const TOTAL: &str = "Aggregated";
/// Rows for what else was measured.
const OTHERS: usize = 16;

/// How several values become one.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Geometric,
    Highest,
    Sum,
    Mean,
}

/// The five rows that every document of a change has, measured or not.
pub fn five(report: &Report) -> Vec<Headline> {
    let all = &report.benchmarks;
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
        .or_else(|| group(all, |f| f.unit == "/s" || f.unit == "B/s"));
    let (cpu_label, cpu, cpu_way) = match cpu {
        None if cpu_time.is_some() => ("CPU Time", cpu_time, Way::Sum),
        cpu => ("CPU Usage", cpu, Way::Highest),
    };
    vec![
        row(report, "Response Time", time, Way::Geometric),
        row(report, "Database Queries", most, Way::Highest),
        row(report, "Memory Usage", memory, Way::Highest),
        row(report, cpu_label, cpu, cpu_way),
        row(report, "Throughput", rate, Way::Geometric),
    ]
}

/// What else was measured, a row for each metric of each tool; what has a section of its own is left out.
pub fn others(report: &Report) -> Vec<Headline> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Finding>> = BTreeMap::new();
    for finding in &report.benchmarks {
        let own = finding.metric.starts_with("queries") || finding.metric.starts_with("memory");
        let section =
            own || is_quality(finding) || is_cache(finding) || is_load(finding) || finding.tool == "junit-xml";
        let five = finding.metric == "time:self" || finding.metric == "time" && finding.tool == "pytest-benchmark";
        if !section && !five {
            groups.entry((&finding.tool, &finding.metric)).or_default().push(finding);
        }
    }
    let rows = groups.into_iter().map(|((tool, metric), findings)| {
        let way = if findings.iter().all(|f| f.unit == "count") { Way::Sum } else { Way::Geometric };
        row(report, &format!("{tool} {metric}"), Some(findings), way)
    });
    rows.take(OTHERS).collect()
}

/// Complexity, maintainability and size of the code.
pub fn quality(report: &Report) -> Vec<Headline> {
    let all = &report.benchmarks;
    let of = |metric: &'static str| group(all, move |f| f.metric == metric);
    let mut rows = vec![
        row(report, "Cyclomatic Complexity", of("complexity"), Way::Mean),
        row(report, "Maintainability Index", of("maintainability"), Way::Mean),
        row(report, "Code Duplication", of("duplication"), Way::Mean),
    ];
    if let Some(lines) = of("lines") {
        rows.push(row(report, "Lines of Code", Some(lines), Way::Sum));
    }
    rows
}

/// Sums of a metric over all of each side, that of what came and went too.
pub fn sums(report: &Report, metric: &str) -> Option<(f64, f64)> {
    let findings = group(&report.benchmarks, |f| f.metric == metric)?;
    Some((one(&findings, false, Way::Sum)?, one(&findings, true, Way::Sum)?))
}

pub fn is_load(finding: &Finding) -> bool {
    LOAD_TOOLS.contains(&&*finding.tool)
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

/// One side's number; a geometric mean is over what both sides have, so that the two can be compared.
fn one(findings: &[&Finding], head: bool, way: Way) -> Option<f64> {
    let shared = findings.iter().filter(|f| f.base.is_some() && f.head.is_some()).count();
    let side = |finding: &&Finding| -> Option<f64> {
        let both = finding.base.is_some() && finding.head.is_some();
        let value = if head { finding.head } else { finding.base };
        if way == Way::Geometric && shared > 0 && !both { None } else { value.map(|value| value.value) }
    };
    let values: Vec<f64> = findings.iter().filter_map(side).collect();
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    Some(match way {
        Way::Highest => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        Way::Sum => values.iter().sum(),
        Way::Mean => values.iter().sum::<f64>() / n,
        Way::Geometric if values.iter().any(|value| *value <= 0.0) => return None,
        Way::Geometric => (values.iter().map(|value| value.ln()).sum::<f64>() / n).exp(),
    })
}

fn row(report: &Report, label: &str, findings: Option<Vec<&Finding>>, way: Way) -> Headline {
    let mut row = Headline { label: label.to_owned(), ..Headline::default() };
    // One unit, or the numbers do not go together.
    let Some(mut findings) = findings else { return row };
    let Some(unit) = findings.first().map(|finding| finding.unit.clone()) else { return row };
    findings.retain(|finding| finding.unit == unit);
    let (base, head) = (one(&findings, false, way), one(&findings, true, way));
    let [before, after] = pair([base, head], &unit);
    row.before = base.is_some().then_some(before);
    row.after = head.is_some().then_some(after);
    row.change = base.zip(head).filter(|(base, _)| *base != 0.0).map(|(base, head)| change(head / base - 1.0));
    row.method = Some(method(&findings, way));
    budget(&mut row, report, &findings);
    row
}

fn method(findings: &[&Finding], way: Way) -> String {
    let tools: BTreeSet<&str> = findings.iter().map(|finding| &*finding.tool).collect();
    let tools = tools.into_iter().collect::<Vec<_>>().join(", ");
    let shared = findings.iter().filter(|f| f.base.is_some() && f.head.is_some()).count();
    let count = if way == Way::Geometric && shared > 0 { shared } else { findings.len() };
    match (way, findings) {
        (_, [one]) => format!("{tools}: {}", one.name),
        (Way::Geometric, _) => format!("{tools}: geometric mean of {count}"),
        (Way::Highest, _) => format!("{tools}: highest of {count}"),
        (Way::Sum, _) => format!("{tools}: sum of {count}"),
        (Way::Mean, _) => format!("{tools}: mean of {count}"),
    }
}

/// The budgets on what a row is made of: their target where they agree, and the worst of what became of them.
fn budget(row: &mut Headline, report: &Report, findings: &[&Finding]) {
    let on = |line: &BudgetLine| {
        let own = SampleStatistics::split_metric(&line.metric).map(|(own, _)| own);
        findings.iter().any(|f| f.name == line.benchmark && (f.metric == line.metric || own == Some(&*f.metric)))
    };
    let lines: Vec<&BudgetLine> = report.budgets.iter().filter(|line| on(line)).collect();
    let Some(worst) = lines.first() else { return }; // they are in order, worst first
    let targets: BTreeSet<String> = lines
        .iter()
        .map(|line| match SampleStatistics::split_metric(&line.metric) {
            Some((_, statistic)) => format!("{statistic} {}", line.target),
            None => line.target.clone(),
        })
        .collect();
    row.target = Some(if targets.len() > 3 {
        format!("{} budgets", lines.len())
    } else {
        targets.into_iter().collect::<Vec<_>>().join(", ")
    });
    let same = lines.iter().filter(|line| line.status == worst.status).count();
    let mut status = worst.status.word().to_owned();
    if lines.len() > 1 {
        status.push_str(&format!(" ({same} of {})", lines.len()));
    }
    if worst.near && worst.status != BudgetStatus::Fail {
        status.push_str(", near the limit");
    }
    row.status = Some(status);
}
