//! The first sentence of an explanation.

use super::{Explanation, GrownFunction, Measure};
use crate::model::number_text::{change, counted, share};

/// A total that grew by this factor is written as a factor.
const FACTOR: f64 = 3.0;

/// At most this many functions of the diff are named.
const MAX_CHANGED: usize = 3;

impl Explanation {
    /// What changed, as in `parse/large executes 41% more instructions; 96% of the growth is in 2 functions`. The name in it
    /// is untrusted text.
    pub fn sentence(&self) -> String {
        let benchmark = self.benchmark.as_deref().unwrap_or("head");
        let growth = &self.growth;
        let Some(whole) = growth.change() else { return format!("{benchmark}: the profile of base is empty") };
        let (verb, noun, many) = match growth.measure {
            Measure::Instructions => ("executes", "instructions", true),
            // A profiler slows functions down unequally.
            Measure::Time => ("takes", "time under the profiler", false),
            Measure::Samples => ("has", "samples", true),
            Measure::Bytes => ("allocates", "bytes", true),
            Measure::Count => ("has", "counted events", true),
        };
        let amount = if growth.is_negligible() {
            format!("{} {noun} as base ({})", if many { "as many" } else { "as much" }, change(whole))
        } else if whole >= FACTOR - 1.0 {
            format!("{:.1} times as {} {noun}", 1.0 + whole, if many { "many" } else { "much" })
        } else if whole > 0.0 {
            format!("{} more {noun}", share(whole))
        } else {
            format!("{} {} {noun}", share(-whole), if many { "fewer" } else { "less" })
        };
        let did_not_grow = whole < 0.0 || growth.is_negligible();
        if let Some(time) = self.time_change.filter(|time| *time > 0.0 && did_not_grow) {
            let reasons = match growth.measure {
                Measure::Instructions => ": the cause is code layout, caches, waiting, or the machine",
                _ => "",
            };
            let verb = if self.of_command { format!("the command {verb}") } else { verb.to_owned() };
            return format!("{benchmark} takes {} more time, but {verb} {amount}{reasons}", share(time));
        }
        let amount = match self.time_change {
            Some(time) if growth.measure == Measure::Time => format!("{amount} ({} without it)", change(time)),
            _ => amount,
        };
        let subject = if self.of_command { format!("{benchmark}: the command") } else { benchmark.to_owned() };
        if growth.is_negligible() {
            let reasons = match growth.measure {
                Measure::Instructions => {
                    "; if its time changed, the cause is code layout, caches, waiting, or the machine"
                }
                _ => "",
            };
            return format!("{subject} {verb} {amount}{reasons}");
        }
        let direction = if whole > 0.0 { "growth" } else { "reduction" };
        let most = match growth.most {
            Some((count, part)) => {
                let functions = counted(count, "function");
                format!("; {} of the {direction} is in {functions}{}", share(part), self.cause_elsewhere(count))
            }
            None => String::new(),
        };
        format!("{subject} {verb} {amount}{most}")
    }

    /// The functions that the diff changes, if the first functions are not among them. With a weaker hash, for example, the
    /// functions that compare keys grow, and the hash function does not.
    fn cause_elsewhere(&self, first: usize) -> String {
        let is_there = self.growth.functions.iter().take(first).any(|function| function.in_diff != Some(false));
        if is_there || self.changed.is_empty() {
            return String::new();
        }
        let changed = self.changed_and_grown_first();
        let (named, others) = changed.split_at(changed.len().min(MAX_CHANGED));
        let mut names = named.join(", ");
        if !others.is_empty() {
            names = format!("{names} and {}", counted(others.len(), "other function"));
        }
        let which = if first == 1 { "which is" } else { "which are" };
        format!(", {which} not in the diff; the diff changes {names}")
    }

    /// The functions changed by the diff. Those whose cost changed in the direction of the total come first, largest change first,
    /// with their change.
    fn changed_and_grown_first(&self) -> Vec<String> {
        let functions = self.growth.functions.iter();
        let grown: Vec<_> = functions.filter(|one| one.in_diff == Some(true) && one.share.is_some()).collect();
        // Functions that are inlined everywhere are listed without their module.
        let is_named =
            |name: &str| grown.iter().any(|one| one.name == name || one.name.ends_with(&format!("::{name}")));
        let others = self.changed.iter().filter(|name| !is_named(name)).cloned();
        let with_change = |one: &&GrownFunction| match one.costs {
            [base, head] if base > 0.0 => format!("{} ({})", one.name, change(head / base - 1.0)),
            _ => format!("{} (new)", one.name),
        };
        grown.iter().map(with_change).chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Growth, Presence};

    fn sentence(totals: [f64; 2], shares: &[f64], time_change: Option<f64>) -> String {
        sentence_of(Measure::Instructions, totals, shares, time_change)
    }

    fn sentence_of(measure: Measure, totals: [f64; 2], shares: &[f64], time_change: Option<f64>) -> String {
        let most = (!shares.is_empty()).then(|| (shares.len(), shares.iter().sum()));
        let growth = Growth { measure, totals, functions: Vec::new(), most, flame: None };
        let [base, head] = ["main", "HEAD"].map(str::to_owned);
        let benchmark = Some("parse/large".to_owned());
        let (changed, notes) = (vec![], vec![]);
        Explanation { benchmark, base, head, growth, changed, time_change, of_command: false, notes }.sentence()
    }

    #[test]
    fn the_first_sentence_has_the_change_and_where_it_is() {
        assert_eq!(
            sentence([100.0, 141.0], &[0.9, 0.06], Some(0.5)),
            "parse/large executes 41% more instructions; 96% of the growth is in 2 functions"
        );
        assert_eq!(
            sentence([100.0, 97.4], &[0.95], None),
            "parse/large executes 2.6% fewer instructions; 95% of the reduction is in 1 function"
        );
        let equal = sentence([100.0, 100.1], &[], None);
        assert!(equal.starts_with("parse/large executes as many instructions as base (+0.1%); if its time"), "{equal}");
        let more = sentence([100.0, 350.0], &[1.0], None);
        assert!(more.starts_with("parse/large executes 3.5 times as many instructions; 100%"), "{more}");
    }

    #[test]
    fn functions_of_the_diff_are_named_where_others_grew() {
        let explained = |functions: &[(&str, f64, Option<bool>)], changed: &[&str]| {
            let function = |(name, base, in_diff): &(&str, f64, Option<bool>)| GrownFunction {
                name: (*name).to_owned(),
                file: None,
                line: None,
                costs: [*base, 2.0],
                own: [1.0, 2.0],
                share: Some(0.5),
                presence: Presence::Both,
                inlining: None,
                in_diff: *in_diff,
            };
            let functions = functions.iter().map(function).collect();
            let (totals, most) = ([100.0, 200.0], Some((2, 1.0)));
            let growth = Growth { measure: Measure::Instructions, totals, functions, most, flame: None };
            let changed = changed.iter().map(|name| (*name).to_owned()).collect();
            let (base, head) = (String::new(), String::new());
            let (time_change, notes) = (None, vec![]);
            Explanation { benchmark: None, base, head, growth, changed, time_change, of_command: false, notes }
                .sentence()
        };
        let sentence = |in_diff: [Option<bool>; 2], changed: &[&str]| {
            explained(&in_diff.map(|in_diff| ("insert", 1.0, in_diff)), changed)
        };
        let start = "head executes 100% more instructions; 100% of the growth is in 2 functions";
        let outside = [Some(false); 2];
        assert_eq!(sentence(outside, &[]), start);
        assert_eq!(sentence(outside, &["hash"]), format!("{start}, which are not in the diff; the diff changes hash"));
        assert_eq!(
            sentence(outside, &["a", "b", "c", "d"]),
            format!("{start}, which are not in the diff; the diff changes a, b, c and 1 other function")
        );
        // Functions of the diff that grew come first.
        let insert = ("insert", 1.0, Some(false));
        let functions = [insert, insert, ("map::hash", 1.6, Some(true)), ("seed", 0.0, Some(true))];
        assert_eq!(
            explained(&functions, &["a", "hash", "seed"]),
            format!("{start}, which are not in the diff; the diff changes map::hash (+25.0%), seed (new), a")
        );
        assert_eq!(sentence([Some(false), Some(true)], &["hash"]), start);
        assert_eq!(sentence([None; 2], &["hash"]), start);
    }

    #[test]
    fn the_sentence_names_time_that_grew_without_instructions() {
        let cause = "the cause is code layout, caches, waiting, or the machine";
        assert_eq!(
            sentence([100.0, 100.1], &[1.0], Some(0.24)),
            format!("parse/large takes 24% more time, but executes as many instructions as base (+0.1%): {cause}")
        );
        assert_eq!(
            sentence([100.0, 95.0], &[1.0], Some(0.24)),
            format!("parse/large takes 24% more time, but executes 5% fewer instructions: {cause}")
        );
    }

    #[test]
    fn the_sentence_is_about_the_command_where_the_profiles_are_of_all_of_it() {
        let sentence = |totals: [f64; 2], time_change: Option<f64>| {
            let most = Some((1, 0.9));
            let growth = Growth { measure: Measure::Instructions, totals, functions: Vec::new(), most, flame: None };
            let [base, head] = ["main", "HEAD"].map(str::to_owned);
            let benchmark = Some("parse/large".to_owned());
            let (changed, notes) = (vec![], vec![]);
            Explanation { benchmark, base, head, growth, changed, time_change, of_command: true, notes }.sentence()
        };
        assert_eq!(
            sentence([100.0, 141.0], None),
            "parse/large: the command executes 41% more instructions; 90% of the growth is in 1 function"
        );
        let equal = sentence([100.0, 100.1], Some(0.24));
        let start = "parse/large takes 24% more time, but the command executes as many instructions as base (+0.1%): ";
        assert!(equal.starts_with(start), "{equal}");
    }

    /// cProfile, for example, makes a function of many short calls several times slower.
    #[test]
    fn a_time_under_a_profiler_is_not_that_of_the_benchmark() {
        assert_eq!(
            sentence_of(Measure::Time, [100.0, 225.0], &[0.98], Some(0.358)),
            "parse/large takes 125% more time under the profiler (+35.8% without it); 98% of the growth is in 1 function"
        );
        assert_eq!(
            sentence_of(Measure::Time, [100.0, 225.0], &[0.98], None),
            "parse/large takes 125% more time under the profiler; 98% of the growth is in 1 function"
        );
        assert_eq!(
            sentence_of(Measure::Time, [100.0, 100.1], &[], Some(0.24)),
            "parse/large takes 24% more time, but takes as much time under the profiler as base (+0.1%)"
        );
    }
}
