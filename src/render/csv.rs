//! The Report as CSV: a line per finding, numbers with full precision.

use super::escape;
use crate::verdict::{ChangeDirection, Report, Value};
use std::io::{self, Write};

/// Writes the Report as CSV.
pub fn csv(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "outcome,suspect,confirmed,name,metric,tool,unit,direction,base,base_runs,head,head_runs,change,low,high,p,q,threshold,within"
    )?;
    let number = |value: Option<f64>| value.map(|value| (value + 0.0).to_string()).unwrap_or_default();
    let side = |side: Option<Value>| match side {
        Some(side) => format!("{},{}", side.value, side.runs),
        None => ",".to_owned(),
    };
    for finding in &report.benchmarks {
        let names = [&*finding.name, &finding.metric, &finding.tool, &finding.unit].map(escape::csv);
        let [low, high] = finding.interval.map_or([None, None], |interval| interval.map(Some));
        let numbers = [finding.change, low, high, finding.p, finding.q, Some(finding.threshold)].map(number);
        writeln!(
            out,
            "{},{},{},{},{},{},{},{},{}",
            finding.outcome.word(),
            finding.suspect,
            finding.re_measured,
            names.join(","),
            finding.direction,
            side(finding.base.filter(|_| finding.base_unit.is_none())),
            side(finding.head),
            numbers.join(","),
            finding.within.map(ChangeDirection::word).unwrap_or_default()
        )?;
    }
    Ok(())
}
