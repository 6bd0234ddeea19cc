//! Suggests lines of `[rename]` for benchmarks of base that head has under a similar name, with about the same values.

use crate::compare::{Comparison, Effect};
use crate::model::Diagnostic;
use crate::policy::suggest::difference;
use std::collections::BTreeMap;

/// Suggested lines at most.
const MAX_SUGGESTIONS: usize = 5;
/// With more removed or added benchmarks, a suite was reorganized; each pair costs a comparison of names.
const MAX_NAMES: usize = 100;
/// Values of measured metrics that differ by more belong to another benchmark.
const MAX_CHANGE: f64 = 0.1;

/// A removed benchmark and the added one that it probably became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LikelyRename {
    /// The name in base.
    pub old: String,
    /// The name in head.
    pub new: String,
}

/// The metrics of a benchmark on the only side that has it.
type Metrics<'a> = BTreeMap<&'a str, (&'a Comparison, f64)>;

/// The likely renames, at most a few.
pub fn likely_renames(comparisons: &[Comparison]) -> Vec<LikelyRename> {
    let (mut removed, mut added) = (BTreeMap::new(), BTreeMap::new());
    for one in comparisons {
        let (side, value) = match one.effect {
            Effect::BaseOnly => (&mut removed, one.base),
            Effect::HeadOnly => (&mut added, one.head),
            _ => continue,
        };
        // Such a name would have to be escaped in the config.
        if one.own_name().contains(|c: char| c.is_control() || matches!(c, '*' | '\\')) {
            continue;
        }
        let class = one.per_class.as_ref().map(|one| &*one.machine_class);
        let metrics: &mut Metrics<'_> = side.entry((&*one.tool, class, one.own_name())).or_default();
        metrics.insert(&one.metric.name, (one, value.map_or(f64::NAN, |side| side.value)));
    }
    if removed.len() > MAX_NAMES || added.len() > MAX_NAMES {
        return Vec::new();
    }
    // By distance: each name takes part in one pair.
    let mut pairs: Vec<(usize, &str, &str)> = Vec::new();
    for ((tool, class, old), metrics) in &removed {
        for ((other_tool, other_class, new), others) in &added {
            let is_same = (tool, class) == (other_tool, other_class) && have_same_values(metrics, others);
            let similar = is_same.then(|| difference(old, new)).flatten();
            pairs.extend(similar.filter(|(off, longer)| 2 * off <= *longer).map(|(off, _)| (off, *old, *new)));
        }
    }
    pairs.sort_unstable();
    let mut renames: Vec<LikelyRename> = Vec::new();
    for (_, old, new) in pairs {
        if renames.len() < MAX_SUGGESTIONS && renames.iter().all(|one| one.old != old && one.new != new) {
            renames.push(LikelyRename { old: old.to_owned(), new: new.to_owned() });
        }
    }
    renames
}

/// Whether two benchmarks have the same metrics with about the same values.
fn have_same_values(removed: &Metrics<'_>, added: &Metrics<'_>) -> bool {
    removed.len() == added.len()
        && removed.iter().all(|(name, (one, value))| {
            added.get(name).is_some_and(|(other, new)| {
                let exact = one.metric.exact && other.metric.exact;
                one.metric.unit == other.metric.unit
                    && (value == new || !exact && (new / value).ln().abs() <= f64::ln_1p(MAX_CHANGE))
            })
        })
}

/// The note on one of them, which ends with the line to paste.
pub(super) fn suggestion(rename: &LikelyRename) -> Diagnostic {
    let LikelyRename { old, new } = rename;
    let message = format!(
        "`{old}` was removed, `{new}` added with about the same value; if it was renamed, add to `[rename]` in perfgate.toml: \
         `{old:?} = {new:?}`"
    );
    Diagnostic::note("likely-rename", "", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::compare;
    use crate::model::{Evidence, Measurement, Metric, Run};
    use crate::stats::suite_test::TestRules;

    fn renames(base: &[(&str, f64)], head: &[(&str, f64)]) -> Vec<(String, String)> {
        let run = |side: &[(&str, f64)]| Run {
            measurements: side
                .iter()
                .map(|(name, ns)| Measurement::new("t", *name, Metric::time(), Evidence::Value(*ns)))
                .collect(),
            ..Run::default()
        };
        let rules = TestRules::at_different_times(0.05, 0.2);
        let compared = compare(&[run(base)], &[run(head)], rules, |_: &str| None);
        likely_renames(&compared.comparisons).into_iter().map(|one| (one.old, one.new)).collect()
    }

    #[test]
    fn a_similar_name_with_a_similar_value_is_suggested() {
        let pair = |old: &str, new: &str| (old.to_owned(), new.to_owned());
        assert_eq!(renames(&[("enc 256", 100.0)], &[("enc 255", 101.0)]), [pair("enc 256", "enc 255")]);
        assert_eq!(renames(&[("enc 256", 100.0)], &[("enc 255", 200.0)]), [], "another value");
        assert_eq!(renames(&[("enc 256", 100.0)], &[("decode", 100.0)]), [], "another name");
        assert_eq!(renames(&[("enc 256", 100.0)], &[("enc 255", 101.0), ("enc 2560", 100.0)]).len(), 1);
        let side = |end: &str| -> Vec<(String, f64)> {
            (0..9).map(|i| (format!("bench/{i}{end}"), 100.0 * f64::from(1 << i))).collect()
        };
        let (old, new) = (side("a"), side("b"));
        let [old, new] =
            [&old, &new].map(|side| side.iter().map(|(name, ns)| (name.as_str(), *ns)).collect::<Vec<_>>());
        assert_eq!(renames(&old, &new).len(), MAX_SUGGESTIONS);
    }
}
