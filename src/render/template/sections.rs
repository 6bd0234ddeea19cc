//! Sections of a document with findings of one kind: bottlenecks, concerns, statements, samples, endpoints, alerts.

use super::context::*;
use super::headline::{self, is_cache, is_load};
use super::row::{budget, largest, ratio, row};
use crate::model::{SampleStatistics, Statement};
use crate::profile::Explanation;
use crate::render::explanation::explanation_text;
use crate::render::quantity::{pair, percent};
use crate::render::summary;
use crate::verdict::{BudgetStatus, Finding, Outcome, Report};
use std::collections::BTreeMap;

/// Maximum number of functions named for an explained regression.
const MAX_FUNCTIONS: usize = 3;

/// Repeated statements, the functions that explain regressions, the largest functions of a profile, then regressions by size.
pub fn bottlenecks(report: &Report, most: usize) -> Vec<Bottleneck> {
    let mut found = Vec::new();
    let all_statements = report.benchmarks.iter().filter(|f| f.metric == "queries").filter_map(|f| Some(f.head?.value));
    let all_statements = all_statements.fold(0.0, f64::max);
    for statement in report.facts.iter().flat_map(|facts| &facts.head.repeated) {
        let impact = format!("{} of {all_statements} statements", statement.times);
        found.push(Bottleneck { location: statement.text.clone(), impact, by: "sqlalchemy-echo".to_owned() });
    }
    report.explanations.iter().for_each(|explanation| explained_bottlenecks(explanation, &mut found));
    let mut profile: Vec<(&Finding, f64)> =
        report.benchmarks.iter().filter(|f| f.metric == "time:self").filter_map(|f| Some((f, f.head?.value))).collect();
    profile.sort_by(|a, b| b.1.total_cmp(&a.1));
    let total: f64 = profile.iter().map(|(_, value)| value).sum();
    for (finding, value) in profile.into_iter().filter(|(_, value)| *value >= 0.05 * total).take(5) {
        let impact = format!("{} of the profiled time", percent(value / total));
        found.push(Bottleneck { location: finding.name.clone(), impact, by: finding.tool.to_string() });
    }
    let mut regressed: Vec<&Finding> = report.benchmarks.iter().filter(|f| f.outcome == Outcome::Regressed).collect();
    regressed.sort_by(|a, b| ratio(b).total_cmp(&ratio(a)));
    for finding in regressed {
        let by = summary::change_of(finding).unwrap_or_else(|| finding.outcome.word().to_owned());
        let impact = format!("{} {by}", finding.metric);
        found.push(Bottleneck { location: finding.name.clone(), impact, by: finding.tool.to_string() });
    }
    found.truncate(most);
    found
}

/// The functions that grew most, where the benchmark did grow.
fn explained_bottlenecks(explanation: &Explanation, found: &mut Vec<Bottleneck>) {
    let growth = &explanation.growth;
    if growth.is_negligible() || growth.totals[1] <= growth.totals[0] {
        return;
    }
    let (benchmark, metric) = (explanation.benchmark.as_deref().unwrap_or("head"), growth.measure.metric());
    let most = growth.most.map_or(0, |(count, _)| count.min(MAX_FUNCTIONS));
    for function in explanation_text(explanation, most).functions {
        let Some(share) = function.share else { continue };
        let location = match function.place {
            Some(place) => format!("{} ({place})", function.name),
            None => function.name,
        };
        let impact = format!("{share} of the growth in {metric} of {benchmark}");
        found.push(Bottleneck { location, impact, by: "perfgate explain".to_owned() });
    }
}

/// Regressions, missed budgets and suspects, most severe first; within a severity, those that are furthest off.
pub fn concerns(report: &Report, most: usize) -> Vec<Concern> {
    let mut found: Vec<(u8, f64, Concern)> = Vec::new();
    let mut add = |rank: u8, size: f64, name: &str, metric: &str, what: String| {
        let severity = ["HIGH", "MEDIUM", "LOW"].get(usize::from(rank)).copied().unwrap_or_default().to_owned();
        found.push((rank, size, Concern { severity, name: name.to_owned(), metric: metric.to_owned(), what }));
    };
    for line in &report.budgets {
        let rank = match line.status {
            BudgetStatus::Fail => 0,
            BudgetStatus::Acceptable => 1,
            _ => continue,
        };
        let text = budget(line);
        let (name, written) = line.deciding_limit();
        // A limit relative to base, and one in another unit, with its value.
        let bound = text.bound.filter(|_| written == line.target).map(|bound| format!(" ({bound})"));
        let limit = format!("{written}{}", bound.unwrap_or_default());
        let far = text.distance.map_or_else(|| format!("{name} {limit} not met"), |far| format!("{far} {limit}"));
        let value = text.value.unwrap_or_default();
        let what = if line.undecided {
            format!("undecided: {value}, {far}, within noise of the limit")
        } else {
            format!("{value}, {far}")
        };
        // Comparable with the ratio of head and base that a regression has.
        let size = line.factor_off().map_or(0.0, |factor| factor - 1.0);
        add(rank, size, &line.benchmark, &line.metric, what);
    }
    for finding in &report.benchmarks {
        let worse = ratio(finding) - 1.0;
        let rank = match finding.outcome {
            Outcome::Regressed if worse > 2.0 * finding.threshold => 0,
            Outcome::Regressed => 1,
            Outcome::Inconclusive if finding.suspect => 2,
            _ => continue,
        };
        let text = row(report, finding);
        let interval = text.interval.map(|interval| format!(" (95% CI {interval})")).unwrap_or_default();
        let what = format!("{} vs base{interval}", text.change.unwrap_or_else(|| finding.outcome.word().to_owned()));
        add(rank, worse, &finding.name, &finding.metric, what);
    }
    found.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.total_cmp(&a.1)));
    found.into_iter().take(most).map(|(_, _, concern)| concern).collect()
}

/// Database statements; `details` limits each list.
pub fn queries(report: &Report, details: usize) -> Queries {
    let mut found: Vec<&Finding> = report.benchmarks.iter().filter(|f| f.metric == "queries").collect();
    found.sort_by(|a, b| largest(b).total_cmp(&largest(a)));
    let statements = |head: bool| {
        let facts = report.facts.as_ref().map(|facts| if head { &facts.head } else { &facts.base });
        let text = |s: &Statement| StatementText { text: s.text.clone(), times: s.times };
        facts.into_iter().flat_map(|facts| &facts.repeated).take(details).map(text).collect()
    };
    Queries {
        total: found.first().map(|finding| row(report, finding)),
        parts: found.iter().skip(1).take(details).map(|finding| row(report, finding)).collect(),
        repeated_before: statements(false),
        repeated_after: statements(true),
    }
}

/// Statistics of the samples of a finding, a row per side.
pub fn spread(finding: &Finding) -> Vec<SpreadRow> {
    let Some(spreads) = &finding.sample_statistics else { return Vec::new() };
    let of = |side: &Option<SampleStatistics>, name: &str| side.as_ref().and_then(|spread| spread.get(name));
    let values = |side| ["min", "max", "mean", "p50", "p95", "p99"].map(|name| of(side, name));
    let widths = |side: &Option<SampleStatistics>| {
        [side.as_ref().and_then(|spread| spread.sd), side.as_ref().and_then(|spread| spread.iqr)]
    };
    // Base and head in one unit, and the standard deviation in that of the interquartile range.
    let values = texts::<12>(spreads.iter().flat_map(values), &finding.unit);
    let widths = texts::<4>(spreads.iter().flat_map(widths), &finding.unit);
    let texts = values.chunks(6).zip(widths.chunks(2)).map(|(values, widths)| [values, widths].concat());
    let sides = ["before", "after"].into_iter().zip(spreads.iter()).zip(headline::rates(finding)).zip(texts);
    let rows = sides.filter_map(|(((side, spread), rate), texts)| Some((side, spread.as_ref()?, rate, texts)));
    rows.map(|(side, spread, rate, texts)| spread_row(finding, side, spread, rate, texts)).collect()
}

/// Values in one unit; `None` stays.
fn texts<const N: usize>(values: impl Iterator<Item = Option<f64>>, unit: &str) -> Vec<Option<String>> {
    let mut values = values;
    let all: [Option<f64>; N] = std::array::from_fn(|_| values.next().flatten());
    pair(all, unit).into_iter().zip(all).map(|(text, value)| value.map(|_| text)).collect()
}

/// A row of [`spread`]. `texts` are its values from the minimum to the 99% quantile, the standard deviation and the
/// interquartile range.
fn spread_row(
    finding: &Finding,
    side: &str,
    spread: &SampleStatistics,
    rate: Option<String>,
    texts: Vec<Option<String>>,
) -> SpreadRow {
    let mut texts = texts.into_iter();
    let [min, max, mean, median, p95, p99, sd, iqr] = std::array::from_fn(|_| texts.next().flatten());
    SpreadRow {
        name: finding.name.clone(),
        tool: finding.tool.to_string(),
        side: side.to_owned(),
        min,
        max,
        mean,
        sd,
        median,
        iqr,
        p95,
        p99,
        outliers: spread.outliers,
        rounds: spread.samples,
        rate,
    }
}

/// Endpoints of load tests, at most `details`.
pub fn load(report: &Report, details: usize) -> Vec<LoadRow> {
    let mut endpoints: BTreeMap<(&str, &str), BTreeMap<&str, &Finding>> = BTreeMap::new();
    for finding in report.benchmarks.iter().filter(|finding| is_load(finding)) {
        endpoints.entry((&finding.tool, &finding.name)).or_default().insert(&finding.metric, finding);
    }
    let both = |finding: Option<&&Finding>| -> Option<String> {
        let finding = finding?;
        let [base, head] = summary::sides(finding);
        Some(format!("{base} → {head}"))
    };
    let requests = |finding: Option<&&Finding>| -> Option<String> {
        let [base, head] =
            [finding?.base, finding?.head].map(|side| side.map(|value| value.samples).filter(|n| *n > 1));
        let text = |n: Option<u64>| n.map_or("–".to_owned(), |n| n.to_string());
        base.or(head).map(|_| format!("{} → {}", text(base), text(head)))
    };
    let row = |((tool, name), metrics): ((&str, &str), BTreeMap<&str, &Finding>)| LoadRow {
        name: name.to_owned(),
        tool: tool.to_owned(),
        requests: requests(metrics.get("time:p50").or(metrics.get("time:mean"))),
        failures: both(metrics.get("errors").or(metrics.get("error-rate"))),
        median: both(metrics.get("time:p50")),
        mean: both(metrics.get("time:mean")),
        p95: both(metrics.get("time:p95")),
        p99: both(metrics.get("time:p99")),
        max: both(metrics.get("time:max")),
        rate: both(metrics.get("throughput")),
    };
    endpoints.into_iter().map(row).take(details).collect()
}

/// Suggested alert thresholds: the values of head plus the threshold of the gate. What became worse, or may have, suggests none.
pub fn alerts(report: &Report) -> Vec<Alert> {
    let margin = report.threshold;
    let is_sound = |f: &&Finding| !f.suspect && !matches!(f.outcome, Outcome::Regressed | Outcome::Failed);
    let sound = || report.benchmarks.iter().filter(is_sound);
    let highest = |belongs: &dyn Fn(&Finding) -> Option<f64>| -> Option<(f64, String, String)> {
        let found = sound().filter_map(|f| Some((belongs(f)?, f.unit.to_string(), f.name.clone())));
        found.max_by(|a, b| a.0.total_cmp(&b.0))
    };
    let above = |what: &str, level: &str, found: Option<(f64, String, String)>| {
        let bound =
            found.as_ref().map(|(value, unit, _)| format!("above {}", pair([Some(value * (1.0 + margin))], unit)[0]));
        let from = found.map(|(value, unit, name)| {
            format!("{} measured in `{name}`, plus {}", pair([Some(value)], &unit)[0], percent(margin))
        });
        Alert { what: what.to_owned(), bound, level: level.to_owned(), from }
    };
    let p95 = |f: &Finding| match (&*f.metric, f.sample_statistics.as_deref()) {
        ("time:p95", _) => f.head.map(|value| value.value),
        ("time", Some([_, Some(spread)])) if f.tool != "junit-xml" => spread.get("p95"),
        _ => None,
    };
    let of = |wanted: &'static str| move |f: &Finding| f.head.filter(|_| f.metric == wanted).map(|value| value.value);
    let is_rate = |f: &Finding| is_cache(f) && f.unit == "%";
    let lowest = sound().filter(|f| is_rate(f)).filter_map(|f| Some((f.head?.value, f.name.clone())));
    let cache = lowest.min_by(|a, b| a.0.total_cmp(&b.0));
    let total = sound().find(|f| f.metric == "error-rate" && f.name == headline::TOTAL);
    let errors = match total.and_then(|f| Some((f.head?.value, f.unit.to_string(), f.name.clone()))) {
        Some(total) => Some(total),
        None => highest(&of("error-rate")).filter(|(share, _, _)| share * (1.0 + margin) < 100.0),
    };
    vec![
        above("Response time p95", "Alert", highest(&p95)),
        above("Database query time", "Warning", highest(&of("time:query"))),
        Alert {
            what: "Cache hit rate".to_owned(),
            bound: cache.as_ref().map(|(rate, _)| format!("below {:.1}%", rate * (1.0 - margin))),
            level: "Warning".to_owned(),
            from: cache.map(|(rate, name)| format!("{rate:.1}% measured in `{name}`, minus {}", percent(margin))),
        },
        above("Memory usage", "Alert", highest(&of("memory:peak"))),
        above("Error rate", "Critical Alert", errors),
    ]
}
