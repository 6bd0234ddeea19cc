//! The jobs of BenchmarkDotNet. A name contains the job only if its benchmark runs under several in the same file. All results
//! of a job are compared with each other.

use super::LongNames;
use crate::model::{BenchId, Environment, JOB, Run};
use std::collections::BTreeMap;

const TOOLS: [&str; 2] = ["benchmarkdotnet", "benchmarkdotnet-table"];

/// Gives the benchmarks of older runs the names that `current` runs have for the same job: `A` becomes `A/job=.NET 8.0`, or the
/// reverse. `is_renamed` is true for names that the config maps.
pub fn match_jobs(older: &mut [Run], current: &[Run], is_renamed: impl Fn(&str) -> bool) -> Option<LongNames> {
    let all = current.iter().flat_map(|run| run.measurements.iter().map(move |one| (&run.environment, one)));
    let of_tools = all.filter(|(_, one)| TOOLS.contains(&&*one.tool));
    let now: BTreeMap<(&str, &str), &Environment> =
        of_tools.map(|(environment, one)| ((&*one.tool, one.benchmark.as_str()), environment)).collect();
    let mut found: BTreeMap<BenchId, BenchId> = BTreeMap::new();
    for run in older.iter_mut().filter(|_| !now.is_empty()) {
        run.rename_measurements(|environment, measurement| {
            let (tool, name) = (&*measurement.tool, measurement.benchmark.as_str());
            if !TOOLS.contains(&tool) || is_renamed(name) {
                return None;
            }
            let same = match name.split_once("/job=") {
                Some((short, job)) => {
                    let stated = now.get(&(tool, short)).and_then(|now| now.condition(tool, JOB, short));
                    (stated == Some(job)).then(|| short.to_owned())
                }
                None => {
                    let long = environment.condition(tool, JOB, name).map(|job| format!("{name}/job={job}"));
                    long.filter(|long| now.contains_key(&(tool, long.as_str())))
                }
            };
            let same = BenchId::new(same?);
            found.insert(measurement.benchmark.clone(), same.clone());
            Some(same)
        });
    }
    let example = found.first_key_value().map(|(old, new)| (old.clone(), new.clone()))?;
    Some(LongNames { count: found.len(), example })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, Measurement, Metric, Settings};

    /// A run with the name and the job of each benchmark.
    fn run(benchmarks: &[(&str, &str)]) -> Run {
        let mut settings = Settings::default();
        benchmarks.iter().for_each(|(name, job)| settings.add(name, JOB, job));
        let measurement =
            |(name, _): &(&str, &str)| Measurement::new(TOOLS[1], *name, Metric::time(), Evidence::Value(1.0));
        let mut run = Run { measurements: benchmarks.iter().map(measurement).collect(), ..Run::default() };
        run.environment.set_conditions(TOOLS[1], settings);
        run
    }

    fn matched(older: &[(&str, &str)], current: &[(&str, &str)]) -> (Vec<String>, usize) {
        let mut older = [run(older)];
        let count = match_jobs(&mut older, &[run(current)], |_| false).map_or(0, |names| names.count);
        (older[0].measurements.iter().map(|one| one.benchmark.to_string()).collect(), count)
    }

    #[test]
    fn results_of_one_job_have_one_name() {
        let one = [("A", "8"), ("B", "8")];
        let two = [("A/job=8", "8"), ("A/job=9", "9"), ("B", "8")];
        assert_eq!(matched(&one, &two), (vec!["A/job=8".into(), "B".into()], 1));
        assert_eq!(matched(&two, &one), (vec!["A".into(), "A/job=9".into(), "B".into()], 1));
        assert_eq!(matched(&[("A", "7")], &two), (vec!["A".into()], 0), "another job");
        let with_default = [("A", "DefaultJob"), ("A/job=8", "8")];
        assert_eq!(matched(&one[..1], &with_default), (vec!["A/job=8".into()], 1));
        let (renamed, mut older) = (|name: &str| name == "A", [run(&one)]);
        assert_eq!(match_jobs(&mut older, &[run(&two)], renamed), None);
    }
}
