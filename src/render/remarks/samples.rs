//! What changed in the samples of a benchmark, in words.

use crate::model::{OfSides, SampleGroup, SlowPart, WorkUnit, number_text, sample_noun};
use crate::render::legend;
use crate::render::quantity::{pair, thousands};
use crate::verdict::{ChangeOf, Finding, Report, Value};

/// What changed in the samples, if known: their slow part, two modes, and the work of one iteration.
pub fn samples(finding: &Finding) -> Vec<String> {
    let noun = sample_noun(&finding.tool, &finding.name, &finding.metric);
    let slow_part = finding.slow_part.as_deref().map(|part| slow_part(part, &finding.metric, noun));
    let modes = finding.modes.as_deref().map(|modes| two_modes(modes, &finding.unit));
    slow_part.into_iter().chain(modes).chain(work(finding)).collect()
}

/// A remark gives the change of the values in a listed row if it differs from the tested change by at least this factor.
const NOTABLE_FACTOR: f64 = 1.05;
/// Base and head are printed with four digits, so a change that is computed from them may be off by this factor.
const ROUNDING: f64 = 1.0015;

/// The change of the values in the row, if it differs from the tested change by more than rounding.
pub(in crate::render) fn change_of_values(finding: &Finding) -> Option<f64> {
    let (tested, base, head) = (finding.adjusted?, finding.base?, finding.head?);
    let of_values = head.value / (base.value * finding.work_ratio.unwrap_or(1.0)) - 1.0;
    let factor = ((1.0 + of_values) / (1.0 + tested)).ln().abs();
    (of_values.is_finite() && factor > ROUNDING.ln()).then_some(of_values)
}

/// True if the difference needs a remark: it is large, or one of the changes is printed as a rise and the other one as a fall.
fn is_notable(finding: &Finding, of_values: f64) -> bool {
    let tested = finding.adjusted.unwrap_or_default();
    let factor = ((1.0 + of_values) / (1.0 + tested)).ln().abs();
    let sign = |by: f64| number_text::change(by).chars().next().filter(|c| !c.is_ascii_digit());
    let is_opposite = sign(tested).is_some() && sign(of_values).is_some() && tested * of_values < 0.0;
    is_opposite || factor >= NOTABLE_FACTOR.ln() && finding.is_listed()
}

/// The change of the values in the row, if it needs a remark next to the tested change.
pub(super) fn notable_change_of_values(finding: &Finding) -> Option<f64> {
    change_of_values(finding).filter(|of_values| is_notable(finding, *of_values))
}

/// The change of the values in the row, and what the tested change is that of.
pub(super) fn remark_on_values(report: &Report, finding: &Finding, of_values: f64) -> String {
    let is_sampled = |side: Value| side.samples > side.runs as u64;
    let has_samples = [finding.base, finding.head].into_iter().flatten().any(is_sampled);
    let what = if has_samples { "medians" } else { "values" };
    let without_shift = legend::is_without_shift(report, finding);
    let tested = match (finding.change_of, without_shift) {
        (Some(ChangeOf::FastestSamples), false) => "; the change is that of the fastest samples",
        (Some(ChangeOf::FastestSamples), true) => {
            "; the change is that of the fastest samples, without the suite-wide shift"
        }
        (None, true) => "; the change is without the suite-wide shift",
        // A note of the verdict names the mean.
        (Some(_), _) => "",
        (None, false) => "; the change is estimated from all runs",
    };
    format!("the {what} changed by {}{tested}", number_text::change(of_values))
}

/// `work per iteration changed from 1,000 to 2,000 elements; the change is that of the time per element: 1.000 ns → 1.010 ns`.
fn work(finding: &Finding) -> Option<String> {
    let (work, ratio) = (finding.work.as_ref()?, finding.work_ratio?);
    let (before, after) = (work.amount / ratio, work.amount);
    let (unit, units) = match work.unit {
        WorkUnit::Bytes | WorkUnit::BytesDecimal => ("byte", "bytes"),
        WorkUnit::Bits => ("bit", "bits"),
        WorkUnit::Elements => ("element", "elements"),
    };
    let each = [finding.base.map(|side| side.value / before), finding.head.map(|side| side.value / after)];
    let [base, head] = pair(each, &finding.unit);
    let (before, after) = (amount_of_work(before), amount_of_work(after));
    Some(format!(
        "work per iteration changed from {before} to {after} {units}; the change is that of the time per {unit}: {base} → {head}"
    ))
}

/// A number of bytes, bits or elements. Computed from a rounded rate it has no more than four digits.
fn amount_of_work(amount: f64) -> String {
    let whole = amount.round();
    let is_whole = (amount - whole).abs() < 1e-6 * whole;
    if (is_whole || amount >= 1000.0) && whole < 1e15 {
        return thousands(whole as usize);
    }
    let [amount] = pair([Some(amount)], "");
    amount
}

/// `2 in 5 samples take 3.0×, in base 1 in 10 take 2.9×`.
fn slow_part(part: &OfSides<SlowPart>, metric: &str, noun: &str) -> String {
    let samples = format!(" {noun}");
    let verb = if metric.starts_with("time") { "take" } else { "reach" };
    let of = |side: SlowPart, noun: &str| format!("{}{noun} {verb} {:.1}×", share(side.share), side.factor);
    match (part.head, part.base) {
        (Some(head), Some(base)) => format!("{}, in base {}", of(head, &samples), of(base, "")),
        (Some(head), None) => of(head, &samples),
        (None, Some(base)) => format!("in base {}, in head none", of(base, &samples)),
        (None, None) => String::new(),
    }
}

/// `two modes in base: 100.4 ms (60%) and 301.2 ms (40%), in head: 100.2 ms (58%) and 300.8 ms (42%)`.
fn two_modes(modes: &OfSides<[SampleGroup; 2]>, unit: &str) -> String {
    let of = |side: Option<[SampleGroup; 2]>, name: &str| {
        side.map(|[lower, upper]| {
            let [low, high] = pair([Some(lower.value), Some(upper.value)], unit);
            let share = |group: SampleGroup| format!("{:.0}%", 100.0 * group.share);
            format!("in {name}: {low} ({}) and {high} ({})", share(lower), share(upper))
        })
    };
    let sides: Vec<String> = [of(modes.base, "base"), of(modes.head, "head")].into_iter().flatten().collect();
    format!("two modes {}", sides.join(", "))
}

/// A share in words: `2 in 5`. Within 5 points, because few samples give no better.
fn share(share: f64) -> String {
    if share < 0.08 {
        return format!("1 in {:.0}", 1.0 / share.max(1e-3));
    }
    let distance = |&(part, all): &(u32, u32)| (f64::from(part) / f64::from(all) - share).abs();
    // The simplest fraction that is near enough, otherwise the nearest.
    let fractions = || [2, 3, 4, 5, 10].into_iter().flat_map(|all| (1..all).map(move |part| (part, all)));
    let near = fractions().find(|fraction| distance(fraction) <= 0.02);
    let (part, all) = near.or_else(|| fractions().min_by(|a, b| distance(a).total_cmp(&distance(b)))).unwrap_or((1, 2));
    format!("{part} in {all}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_simple_fraction() {
        let words = [0.4, 0.449, 0.51, 0.33, 0.2, 0.9, 0.1, 0.05, 0.02, 0.97].map(share);
        let expected =
            ["2 in 5", "2 in 5", "1 in 2", "1 in 3", "1 in 5", "9 in 10", "1 in 10", "1 in 20", "1 in 50", "9 in 10"];
        assert_eq!(words, expected);
    }

    #[test]
    fn an_amount_of_work_has_no_more_digits_than_its_rate() {
        let texts = [4095.87, 1000.0, 16.0, 15.999, 15.875].map(amount_of_work);
        assert_eq!(texts, ["4,096", "1,000", "16", "16.00", "15.88"]);
    }

    #[test]
    fn a_slow_part_has_its_share_and_factor() {
        let part = |share, factor| Some(SlowPart { share, factor });
        let text = |base, head| slow_part(&OfSides { base, head }, "time", "samples");
        assert_eq!(text(None, part(0.4, 3.0)), "2 in 5 samples take 3.0×");
        assert_eq!(text(part(0.1, 2.9), part(0.4, 3.0)), "2 in 5 samples take 3.0×, in base 1 in 10 take 2.9×");
        assert_eq!(text(part(0.4, 3.0), None), "in base 2 in 5 samples take 3.0×, in head none");
    }
}
