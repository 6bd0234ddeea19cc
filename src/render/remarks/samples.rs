//! What changed in the samples of a benchmark, in words.

use crate::model::{PerSide, SampleGroup, SlowPart, WorkUnit, sample_noun};
use crate::render::quantity::{pair, thousands};
use crate::verdict::Finding;

/// What changed in the samples, if known: their slow part, two modes, and the work of one iteration.
pub fn samples(finding: &Finding) -> Vec<String> {
    let noun = sample_noun(&finding.tool, &finding.name, &finding.metric);
    let runs = [finding.base, finding.head].map(|side| side.map_or(1, |side| side.runs));
    let slow_part = finding.slow_part.as_deref().map(|part| slow_part(part, runs, &finding.metric, noun));
    let modes = finding.modes.as_deref().map(|modes| two_modes(modes, &finding.unit));
    slow_part.into_iter().chain(modes).chain(work(finding)).collect()
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

/// `in head, 45% of the samples take 3.0 times as long as the others; in base, 10% take 2.9 times as long`. Of several runs, it
/// describes a typical one: some of them may have no slow part although most do, or the reverse.
fn slow_part(part: &PerSide<SlowPart>, [base_runs, head_runs]: [usize; 2], metric: &str, noun: &str) -> String {
    let none = |runs: usize, side: &str| match runs {
        1 => format!("in {side} none"),
        _ => format!("in a typical run of {side} none"),
    };
    let (verb, as_long) = if metric.starts_with("time") { ("take", " as long") } else { ("reach", "") };
    let factor = |side: SlowPart| format!("{verb} {:.1} times{as_long}", side.factor);
    let others = if as_long.is_empty() { " the others" } else { " as the others" };
    let in_full = |side: SlowPart| format!("{} of the {noun} {}{others}", share(side.share), factor(side));
    match (part.head, part.base) {
        (Some(head), Some(base)) => {
            let others = if as_long.is_empty() { others } else { "" };
            format!("in head, {}; in base, {} {}{others}", in_full(head), share(base.share), factor(base))
        }
        (Some(head), None) => format!("in head, {}; {}", in_full(head), none(base_runs, "base")),
        (None, Some(base)) => format!("in base, {}; {}", in_full(base), none(head_runs, "head")),
        (None, None) => String::new(),
    }
}

/// The slow samples of head where they changed the mean of a time: `45% of head's samples take 3.0 times as long`.
pub(in crate::render) fn slow_samples_of_head(finding: &Finding) -> Option<String> {
    let head = finding.slow_part.as_deref()?.head.filter(|_| finding.metric.starts_with("time"))?;
    let noun = sample_noun(&finding.tool, &finding.name, &finding.metric);
    Some(format!("{} of head's {noun} take {:.1} times as long", share(head.share), head.factor))
}

/// `two modes in base: 100.4 ms (60%) and 301.2 ms (40%), in head: 100.2 ms (58%) and 300.8 ms (42%)`.
fn two_modes(modes: &PerSide<[SampleGroup; 2]>, unit: &str) -> String {
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

/// A share as a percentage: `45%`.
fn share(share: f64) -> String {
    if share < 0.01 { "under 1%".to_owned() } else { format!("{:.0}%", 100.0 * share) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_of_work_has_no_more_digits_than_its_rate() {
        let texts = [4095.87, 1000.0, 16.0, 15.999, 15.875].map(amount_of_work);
        assert_eq!(texts, ["4,096", "1,000", "16", "16.00", "15.88"]);
    }

    #[test]
    fn a_slow_part_has_its_share_and_factor() {
        let part = |share, factor| Some(SlowPart { share, factor });
        let text = |base, head| slow_part(&PerSide { base, head }, [1, 1], "time", "samples");
        assert_eq!(
            text(None, part(0.45, 3.0)),
            "in head, 45% of the samples take 3.0 times as long as the others; in base none"
        );
        assert_eq!(
            text(part(0.1, 2.9), part(0.45, 3.0)),
            "in head, 45% of the samples take 3.0 times as long as the others; in base, 10% take 2.9 times as long"
        );
        assert_eq!(
            text(part(0.45, 3.0), None),
            "in base, 45% of the samples take 3.0 times as long as the others; in head none"
        );
        let rates =
            slow_part(&PerSide { base: part(0.1, 0.4), head: part(0.45, 0.3) }, [1, 1], "throughput", "samples");
        let several = slow_part(&PerSide { base: None, head: part(0.45, 3.0) }, [3, 1], "time", "samples");
        assert!(several.ends_with("; in a typical run of base none"), "{several}");
        assert_eq!(
            rates,
            "in head, 45% of the samples reach 0.3 times the others; in base, 10% reach 0.4 times the others"
        );
    }
}
