//! Compares two profiles: which functions grew, and how much of the growth is theirs.

use super::{CallTree, Flame, Function, Measure, Profile, short_path};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A smaller change of the total counts as no change: start-up code, hash seeds and addresses make instruction counts
/// of equal programs differ by less.
pub const MAX_NEGLIGIBLE_CHANGE: f64 = 0.005;
/// The first sentence names the functions that together have at least this share of the growth.
const NAMED_SHARE: f64 = 0.9;
/// At most this many functions are named in the first sentence.
const MAX_NAMED: usize = 5;
/// If a function is no longer inlined, each call adds up to this many instructions to its caller: to call, to pass arguments and
/// the result, and to save registers. Measured in published crates: 4 to 16.
const MAX_CALL_COST: f64 = 20.0;
/// Calls through this many functions of a library are followed to the function that uses it.
const LIBRARY_CALLS: usize = 4;
/// A function counts as inlined if at least this share of its cost is in the code of other functions, and as called if
/// at most the remaining share is.
const MIN_INLINED_SHARE: f64 = 0.9;
/// A function that changed by at most this share of the larger total is not listed.
const MIN_LISTED_CHANGE: f64 = 0.0002;

/// The change from one profile to another.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Growth {
    /// What is counted.
    pub measure: Measure,
    /// The total of base and head.
    pub totals: [f64; 2],
    /// The functions that changed, the largest change in the direction of the total first.
    pub functions: Vec<GrownFunction>,
    /// Number of functions that have most of the growth, and their share of it.
    pub most: Option<(usize, f64)>,
    /// Which function called which, for the flame graph; `None` if nothing is known.
    pub flame: Option<Flame>,
}

/// A function whose cost changed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GrownFunction {
    /// Its name: untrusted text.
    pub name: String,
    /// Its source file, as in the profile.
    pub file: Option<String>,
    /// The line that changed most.
    pub line: Option<u32>,
    /// What base and head spent in it and in library code that it called.
    pub costs: [f64; 2],
    /// What base and head spent in its own code.
    pub own: [f64; 2],
    /// Its share of all changes in the direction of the total; `None` for one in the other direction.
    pub share: Option<f64>,
    /// Which sides have it.
    pub presence: Presence,
    /// How its inlining changed.
    pub inlining: Option<Inlining>,
    /// Whether the diff between the commits changes it; `None` if there are no commits.
    pub in_diff: Option<bool>,
}

/// Which sides have a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// Both.
    #[serde(rename = "changed")]
    Both,
    /// Head alone.
    New,
    /// Base alone.
    Gone,
}

/// A change of inlining.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inlining {
    /// Base inlines it, head calls it.
    Lost,
    /// Base calls it, head inlines it.
    Gained,
}

impl Inlining {
    fn of(base: &Function, head: &Function) -> Option<Inlining> {
        let inlined =
            |function: &Function| function.charged > 0.0 && function.inlined >= MIN_INLINED_SHARE * function.charged;
        let called = |function: &Function| {
            let is_called = function.callers.values().any(|count| *count > 0.0);
            is_called && function.inlined <= (1.0 - MIN_INLINED_SHARE) * function.charged
        };
        match (inlined(base) && called(head), called(base) && inlined(head)) {
            (true, _) => Some(Inlining::Lost),
            (_, true) => Some(Inlining::Gained),
            _ => None,
        }
    }
}

impl Growth {
    /// The change of the total; `None` from zero.
    pub fn change(&self) -> Option<f64> {
        (self.totals[0] > 0.0).then(|| self.totals[1] / self.totals[0] - 1.0)
    }

    /// True if the change of the total is too small to count.
    pub fn is_negligible(&self) -> bool {
        self.change().is_some_and(|change| change.abs() <= MAX_NEGLIGIBLE_CHANGE)
    }
}

/// Compares base and head. Paths of files are shown from the `roots` of the sides' source.
pub fn compare_profiles(base: &Profile, head: &Profile, roots: &[String]) -> Growth {
    let names = FullNames::of([base, head], roots);
    let flame = Flame::of([&base.calls, &head.calls], base.estimated || head.estimated);
    let sides = [base, head].map(|side| names.apply(side, roots));
    let [base, head] = [&sides[0], &sides[1]];
    let totals = [base.total, head.total];
    let grows = totals[1] >= totals[0];
    let none = Function::default();
    let keys: BTreeSet<&String> = base.functions.keys().chain(head.functions.keys()).collect();
    let costs = costs(&keys, base, head);
    let mut functions = Vec::new();
    for key in keys {
        let sides = [base.functions.get(key), head.functions.get(key)];
        let [base_function, head_function] = sides.map(|side| side.unwrap_or(&none));
        let costs = costs[key];
        if (costs[1] - costs[0]).abs() <= MIN_LISTED_CHANGE * totals[0].max(totals[1]) {
            continue;
        }
        // A function that is only charged in one of them may be inlined or a library's caller there.
        let presence = match sides {
            [None, Some(_)] => Presence::New,
            [Some(_), None] => Presence::Gone,
            _ => Presence::Both,
        };
        let named = if sides[1].is_some() { head_function } else { base_function };
        functions.push(GrownFunction {
            name: named.name.clone(),
            file: named.file.as_ref().or(base_function.file.as_ref()).map(|file| short_path(file, roots)),
            line: line(base_function, head_function, costs[1] >= costs[0]),
            costs,
            own: [base_function.own, head_function.own],
            share: None,
            presence,
            inlining: Inlining::of(base_function, head_function),
            in_diff: None,
        });
    }
    let towards = |function: &GrownFunction| {
        let change = function.costs[1] - function.costs[0];
        if grows { change } else { -change }
    };
    functions.sort_by(|a, b| towards(b).total_cmp(&towards(a)).then_with(|| a.name.cmp(&b.name)));
    let whole: f64 = functions.iter().map(towards).filter(|change| *change > 0.0).sum();
    for function in functions.iter_mut().filter(|function| towards(function) > 0.0) {
        function.share = Some(towards(function) / whole);
    }
    let most = most(functions.iter().filter_map(|function| function.share));
    Growth { measure: head.measure, totals, functions, most, flame }
}

/// What the functions cost in base and head. If only one side calls a function, because the other side inlines it or does not
/// have it, the code around its calls counts for that function and not for its callers.
fn costs<'k>(keys: &BTreeSet<&'k String>, base: &Profile, head: &Profile) -> BTreeMap<&'k String, [f64; 2]> {
    let none = Function::default();
    let of = |key: &String| [base, head].map(|side| side.functions.get(key).unwrap_or(&none));
    let charged = |key: &&'k String| (*key, of(key).map(|side| side.charged));
    let mut costs: BTreeMap<&String, [f64; 2]> = keys.iter().map(charged).collect();
    for key in keys {
        let sides = of(key);
        let calling = match Inlining::of(sides[0], sides[1]) {
            Some(Inlining::Lost) => 1,
            Some(Inlining::Gained) => 0,
            None => match sides.map(|side| side.charged > 0.0) {
                [false, true] => 1,
                [true, false] => 0,
                _ => continue, // neither has a cost where it is library code
            },
        };
        for (caller, count) in callers([base, head][calling], sides[calling], 1.0, 0) {
            let Some(theirs) = costs.get_mut(&caller).filter(|_| caller != **key) else { continue };
            let moved = (theirs[calling] - theirs[1 - calling]).clamp(0.0, MAX_CALL_COST * count);
            theirs[calling] -= moved;
            if let Some(ours) = costs.get_mut(key) {
                ours[calling] += moved;
            }
        }
    }
    costs
}

/// The callers of a function and their numbers of calls. Library code is charged to its callers, so they count for it.
fn callers(side: &Profile, function: &Function, part: f64, depth: usize) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    for (caller, count) in &function.callers {
        match side.functions.get(caller).filter(|caller| caller.charged == 0.0 && depth < LIBRARY_CALLS) {
            Some(library) => {
                let whole: f64 = library.callers.values().sum();
                let part = if whole > 0.0 { part * count / whole } else { 0.0 };
                found.extend(callers(side, library, part, depth + 1));
            }
            None => found.push((caller.clone(), part * count)),
        }
    }
    found
}

/// Full names of functions that a profile has without their module. A function can be inlined on one side, where its name is
/// short, and not on the other.
struct FullNames(BTreeMap<(String, String), BTreeSet<String>>);

impl FullNames {
    fn of(sides: [&Profile; 2], roots: &[String]) -> FullNames {
        let mut names: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for (key, function) in sides.iter().flat_map(|side| &side.functions).filter(|(_, f)| !f.short_name) {
            if let Some(file) = &function.file {
                let name = last_segment(&function.name).to_owned();
                names.entry((name, short_path(file, roots))).or_default().insert(key.clone());
            }
        }
        FullNames(names)
    }

    /// The profile with full names where exactly one fits.
    fn apply(&self, side: &Profile, roots: &[String]) -> Profile {
        let Profile { format, measure, total, .. } = *side;
        let (functions, calls) = (BTreeMap::new(), CallTree::default());
        let mut profile = Profile { format, measure, total, functions, calls, estimated: false };
        for (key, function) in &side.functions {
            let mut function = function.clone();
            let mut key = key.clone();
            if let Some(file) = function.file.as_ref().filter(|_| function.short_name) {
                let short = short_path(file, roots);
                let known = self.0.get(&(function.name.clone(), short.clone()));
                key = match known.filter(|keys| keys.len() == 1).and_then(BTreeSet::first) {
                    Some(full) => {
                        function.name.clone_from(full);
                        full.clone()
                    }
                    None => format!("{} ({short})", function.name), // the checkouts of both sides differ
                };
            }
            match profile.functions.get_mut(&key) {
                Some(same) => same.add(function),
                None => drop(profile.functions.insert(key, function)),
            }
        }
        profile
    }
}

/// `push` of `alloc::vec::Vec::push`, `parse` of `app::parse(char const*)`.
fn last_segment(name: &str) -> &str {
    let name = name.split('(').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}

/// What the source may call a function: `parse` for `app::parse(char const*)`, for `example.org/app.(*T).parse` of Go, and for
/// `split.<locals>.parse` of Python.
pub fn names_in_source(name: &str) -> [&str; 2] {
    [last_segment(name), name.rsplit('.').next().unwrap_or(name)]
}

/// The fewest functions that have most of the growth.
pub(super) fn most(shares: impl Iterator<Item = f64>) -> Option<(usize, f64)> {
    let mut sum = 0.0;
    let mut found = None;
    for (count, share) in (1..=MAX_NAMED).zip(shares) {
        sum += share;
        found = Some((count, sum));
        if sum >= NAMED_SHARE {
            break;
        }
    }
    found
}

/// The line that changed most in the direction of the function. Lines move with every edit. If the sides have no line
/// in common, the most expensive line of the side with the larger cost is named.
fn line(base: &Function, head: &Function, grows: bool) -> Option<u32> {
    let (first, second) = if grows { (head, base) } else { (base, head) };
    let change = |line: &u32, cost: &f64| cost - second.lines.get(line).copied().unwrap_or(0.0);
    let most = first.lines.iter().max_by(|a, b| change(a.0, a.1).total_cmp(&change(b.0, b.1)).then(b.0.cmp(a.0)));
    most.map(|(line, _)| *line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn profile(costs: &[(&str, f64)]) -> Profile {
        let function = |(name, cost): &(&str, f64)| {
            let lines = BTreeMap::from([(1, cost * 0.4), (2, cost * 0.6)]);
            let name = (*name).to_owned();
            (name.clone(), Function { name, charged: *cost, own: *cost, lines, ..Function::default() })
        };
        let functions: BTreeMap<_, _> = costs.iter().map(function).collect();
        let total = costs.iter().map(|(_, cost)| cost).sum();
        let (format, measure, calls) = ("callgrind", Measure::Instructions, CallTree::default());
        Profile { format, measure, total, functions, calls, estimated: false }
    }

    #[test]
    fn shares_are_those_of_the_growth_and_add_up() {
        let base = profile(&[("a", 100.0), ("b", 100.0), ("gone", 50.0), ("same", 750.0)]);
        let head = profile(&[("a", 400.0), ("b", 120.0), ("new", 180.0), ("same", 750.0)]);
        let growth = compare_profiles(&base, &head, &[]);
        let names: Vec<_> = growth.functions.iter().map(|f| (f.name.as_str(), f.presence, f.share)).collect();
        assert_eq!(
            names,
            [
                ("a", Presence::Both, Some(0.6)),
                ("new", Presence::New, Some(0.36)),
                ("b", Presence::Both, Some(0.04)),
                ("gone", Presence::Gone, None)
            ]
        );
        assert_eq!(growth.most, Some((2, 0.96)));
        assert_eq!(growth.functions[0].line, Some(2));
        assert!(!growth.is_negligible() && (growth.change().unwrap() - 0.45).abs() < 1e-9);
    }

    #[test]
    fn swapped_sides_have_the_same_functions_in_the_other_direction() {
        let (base, head) = (profile(&[("a", 100.0), ("b", 10.0)]), profile(&[("a", 300.0), ("b", 9.0)]));
        let [grown, shrunk] = [compare_profiles(&base, &head, &[]), compare_profiles(&head, &base, &[])];
        assert_eq!(grown.functions[0].name, shrunk.functions[0].name);
        assert_eq!(grown.functions[0].share, shrunk.functions[0].share);
        assert_eq!(grown.most, shrunk.most);
    }

    #[test]
    fn a_function_that_is_inlined_on_one_side_alone_is_neither_new_nor_gone() {
        let in_file = |mut profile: Profile, key: &str, short: bool| {
            let function = profile.functions.get_mut(key).unwrap();
            (function.file, function.short_name) = (Some("/w/src/lib.rs".to_owned()), short);
            profile
        };
        let base = in_file(profile(&[("sum", 100.0), ("app::main", 50.0)]), "sum", true);
        let head = in_file(profile(&[("app::sum", 190.0), ("app::main", 50.0)]), "app::sum", false);
        let growth = compare_profiles(&base, &head, &["/w".to_owned()]);
        assert_eq!(growth.functions.len(), 1);
        let GrownFunction { name, costs, presence, file, .. } = &growth.functions[0];
        assert_eq!((name.as_str(), *costs, *presence), ("app::sum", [100.0, 190.0], Presence::Both));
        assert_eq!(file.as_deref(), Some("src/lib.rs"));
    }

    #[test]
    fn calls_of_a_function_that_is_no_longer_inlined_count_for_it() {
        let sides = |inlined: f64, count: f64, costs: &[(&str, f64)]| {
            let mut profile = profile(costs);
            let function = profile.functions.get_mut("app::small").unwrap();
            function.inlined = inlined;
            function.callers = [("app::hot".to_owned(), count)].into_iter().filter(|(_, count)| *count > 0.0).collect();
            profile
        };
        let base = sides(1000.0, 0.0, &[("app::small", 1000.0), ("app::hot", 3000.0)]);
        let head = sides(0.0, 200.0, &[("app::small", 1100.0), ("app::hot", 5000.0)]);
        let rows = |base, head| {
            let row = |f: GrownFunction| (f.name, f.costs, f.inlining);
            compare_profiles(base, head, &[]).functions.into_iter().map(row).collect::<Vec<_>>()
        };
        assert_eq!(rows(&base, &head), [("app::small".to_owned(), [1000.0, 3100.0], Some(Inlining::Lost))]);
        assert_eq!(rows(&head, &base), [("app::small".to_owned(), [3100.0, 1000.0], Some(Inlining::Gained))]);
        // A caller that grew by more than its calls can cost has another reason.
        let head = sides(0.0, 200.0, &[("app::small", 1100.0), ("app::hot", 13_000.0)]);
        let [first, second] = rows(&base, &head).try_into().unwrap();
        assert_eq!((first.0.as_str(), first.1), ("app::hot", [3000.0, 9000.0]));
        assert_eq!((second.0.as_str(), second.1), ("app::small", [1000.0, 5100.0]));
        // Called through library code, which has no cost of its own.
        let mut through = sides(0.0, 0.0, &[("app::small", 1100.0), ("app::hot", 5000.0), ("core::map", 0.0)]);
        for (callee, caller, count) in [("app::small", "core::map", 200.0), ("core::map", "app::hot", 1.0)] {
            through.functions.get_mut(callee).unwrap().callers.insert(caller.to_owned(), count);
        }
        assert_eq!(rows(&base, &through), [("app::small".to_owned(), [1000.0, 3100.0], Some(Inlining::Lost))]);
        // Not inlined in base either.
        let base = sides(0.0, 200.0, &[("app::small", 1000.0), ("app::hot", 3000.0)]);
        assert_eq!(rows(&base, &head)[0].1, [3000.0, 13_000.0]);
    }

    #[test]
    fn equal_profiles_have_no_growth() {
        let base = profile(&[("a", 1000.0), ("b", 10.0)]);
        let growth = compare_profiles(&base, &base, &[]);
        assert!(growth.is_negligible() && growth.functions.is_empty() && growth.most.is_none());
    }
}
