//! The change of the printed values of a row, where it differs from the tested change.

use super::legend::is_without_shift;
use crate::model::{number_text, sample_noun};
use crate::verdict::{ChangeOf, Finding, Report, Value};

/// A remark gives the change of the values in a listed row if it differs from the tested change by at least this factor.
const NOTABLE_FACTOR: f64 = 1.05;
/// Changes are printed with one decimal, so a smaller difference is not visible.
const ROUNDING: f64 = 1.0005;

/// The change of the values in the row, if it differs from the tested change by more than rounding.
pub(super) fn printed_change(finding: &Finding) -> Option<f64> {
    let (tested, base, head) = (finding.adjusted?, finding.base?, finding.head?);
    let of_values = head.value / (base.value * finding.work_ratio.unwrap_or(1.0)) - 1.0;
    let factor = ((1.0 + of_values) / (1.0 + tested)).ln().abs();
    (of_values.is_finite() && factor > ROUNDING.ln()).then_some(of_values)
}

/// True if the difference needs a remark: it is large, or one of the changes is printed as a rise and the other one as a fall.
pub(super) fn is_notable(finding: &Finding, of_values: f64) -> bool {
    let tested = finding.adjusted.unwrap_or_default();
    let factor = ((1.0 + of_values) / (1.0 + tested)).ln().abs();
    let sign = |by: f64| number_text::change(by).chars().next().filter(|c| !c.is_ascii_digit());
    let is_opposite = sign(tested).is_some() && sign(of_values).is_some() && tested * of_values < 0.0;
    is_opposite || factor >= NOTABLE_FACTOR.ln() && finding.is_listed()
}

/// True if a note of the verdict has the change of the values: that of the mean, which decides.
pub(super) fn is_in_note(finding: &Finding) -> bool {
    finding.change_of == Some(ChangeOf::Mean)
}

/// The change of the values in the row: `the medians changed by +3.0%`. For a suspect of which only one of the two changes is
/// worse, it names that one: `suspected because of the fastest samples; the medians changed by −3.0%`.
pub(super) fn printed_change_remark(finding: &Finding, of_values: f64) -> String {
    let is_sampled = |side: Value| side.samples > side.runs as u64;
    let has_samples = [finding.base, finding.head].into_iter().flatten().any(is_sampled);
    let what = if has_samples { "medians" } else { "values" };
    let changed = format!("the {what} changed by {}", number_text::change(of_values));
    let is_worse = |change: f64| finding.direction.worse(change) > 0.0;
    match (finding.adjusted.is_some_and(is_worse), is_worse(of_values)) {
        _ if !finding.is_suspected_regression() || finding.sample_mean_change.is_some() => changed,
        (true, false) => format!("suspected because of {}; {changed}", tested_values(finding)),
        (false, true) => format!("suspected because {changed}"),
        _ => changed,
    }
}

/// What the tested change is that of.
fn tested_values(finding: &Finding) -> String {
    let noun = sample_noun(&finding.tool, &finding.name, &finding.metric);
    match finding.change_of {
        Some(ChangeOf::FastestSamples) => format!("the fastest {noun}"),
        Some(ChangeOf::Mean | ChangeOf::Unknown) | None => "the tested change".to_owned(),
    }
}

/// Names the values that the tested change is computed from, after the change of the printed values, for a view without a legend.
pub(super) fn tested_change_remark(report: &Report, finding: &Finding) -> &'static str {
    let without_shift = is_without_shift(report, finding);
    match (finding.change_of, without_shift) {
        (Some(ChangeOf::FastestSamples), false) => "; the change is that of the fastest samples",
        (Some(ChangeOf::FastestSamples), true) => {
            "; the change is that of the fastest samples, without the suite-wide shift"
        }
        (None, true) => "; the change is without the suite-wide shift",
        // A note of the verdict names the mean.
        (Some(_), _) => "",
        (None, false) if finding.re_measured => {
            "; the change is that of a typical head run against a typical base run, in the re-measured runs alone"
        }
        (None, false) => "; the change is that of a typical head run against a typical base run",
    }
}
