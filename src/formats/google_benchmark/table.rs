//! What Google Benchmark prints to the console, and its CSV. Both are read as entries of its JSON.

use super::entry::Entry;
use super::{Context, Format, Preview, Reading, Source, add_entries};
use crate::formats::builder::ReadingBuilder;
use crate::formats::stated_time;
use crate::formats::table_text::{TableText, has_header};
use crate::formats::text::{self, number};
use crate::model::Diagnostic;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Google Benchmark's console output and CSV.
#[derive(Debug)]
pub struct GoogleBenchmarkTable;

/// The suffixes of aggregates, which have rows of their own.
const AGGREGATES: [&str; 4] = ["mean", "median", "stddev", "cv"];
/// Columns that are in every CSV.
const CSV_COLUMNS: [&str; 5] = ["name", "iterations", "real_time", "cpu_time", "time_unit"];

impl Format for GoogleBenchmarkTable {
    fn name(&self) -> &'static str {
        "google-benchmark-table"
    }

    fn produced_by(&self) -> &'static str {
        "./benchmarks > FILE, or --benchmark_out=FILE --benchmark_out_format=csv"
    }

    fn metrics(&self) -> &'static str {
        "as google-benchmark; rounded in the console output"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| has_header(line, &CSV_COLUMNS) || console_header(line).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        if let Some(context) = printed_context(&text) {
            context.describe(builder.environment());
            builder.set_measured(context.date.as_deref().and_then(stated_time::with_zone));
        }
        let is_csv = text.lines().any(|line| has_header(line, &CSV_COLUMNS));
        let mut entries =
            if is_csv { csv_entries(&mut builder, source)? } else { console_entries(&mut builder, &text) };
        let names: BTreeSet<String> = entries.iter().map(|entry| entry.name.to_string()).collect();
        for entry in &mut entries {
            // A name with such a suffix is an aggregate only if the mean and the standard deviation are both there.
            let stem = AGGREGATES.iter().find_map(|end| entry.name.strip_suffix(end)?.strip_suffix('_'));
            let is_aggregate =
                stem.is_some_and(|stem| ["mean", "stddev"].iter().all(|end| names.contains(&format!("{stem}_{end}"))));
            if is_aggregate {
                entry.repetitions = entry.iterations;
            } else {
                entry.run_name = Some(entry.name.clone());
            }
        }
        add_entries(&mut builder, &entries);
        builder.finish()
    }
}

/// What the library prints to standard error before the results. It prints a warning if CPU scaling is on, and one if it was
/// built without `NDEBUG`.
fn printed_context(text: &str) -> Option<Context> {
    let lines = || text.lines().map(str::trim).take_while(|line| console_header(line).is_none());
    let (num_cpus, mhz_per_cpu) = lines().find_map(processors)?;
    let warns_of = |what: &str| lines().any(|line| line.starts_with("***WARNING***") && line.contains(what));
    let build_type = if warns_of("built as DEBUG") { "debug" } else { "release" };
    Some(Context {
        num_cpus: Some(num_cpus),
        mhz_per_cpu: Some(mhz_per_cpu),
        cpu_scaling_enabled: Some(warns_of("CPU scaling is enabled")),
        host_name: None,
        library_build_type: Some(build_type.to_owned()),
        date: lines().find(|line| stated_time::with_zone(line).is_some()).map(str::to_owned),
    })
}

/// Number and clock of the processors in `Run on (8 X 2900.01 MHz CPU s)`.
fn processors(line: &str) -> Option<(u32, f64)> {
    let rest = line.strip_prefix("Run on (")?;
    match rest.split_whitespace().collect::<Vec<_>>().as_slice() {
        [count, "X", mhz, "MHz", ..] => Some((count.parse().ok()?, number(mhz)?)),
        _ => None,
    }
}

fn csv_entries(builder: &mut ReadingBuilder<'_>, source: Source<'_>) -> Result<Vec<Entry<'static>>, Diagnostic> {
    let is_header = |cells: &[String]| CSV_COLUMNS.iter().all(|column| cells.iter().any(|cell| cell == column));
    let tables = TableText::read_each(source, is_header)?;
    let mut entries = Vec::new();
    for table in &tables {
        table.report_cut(builder);
        for (_, row) in &table.rows {
            let mut entry = Entry::default();
            for (column, value) in table.header.iter().zip(row).filter(|(_, value)| !value.is_empty()) {
                match column.as_str() {
                    "name" => entry.name = Cow::Owned(value.clone()),
                    "iterations" => entry.iterations = number(value),
                    "real_time" => entry.real = Some(number(value).unwrap_or(f64::NAN)),
                    "cpu_time" => entry.cpu = Some(number(value).unwrap_or(f64::NAN)),
                    "time_unit" => entry.unit = Cow::Owned(value.clone()),
                    "label" => {}
                    "error_occurred" if value == "true" => entry.error = Some(Cow::Borrowed("")),
                    "error_occurred" => entry.skipped = true,
                    // A skipped benchmark has its message here too.
                    "error_message" if entry.skipped => {}
                    "error_message" => entry.error = Some(Cow::Owned(value.clone())),
                    counter => entry.counters.push((Cow::Owned(counter.to_owned()), number(value))),
                }
            }
            // Rows of `BigO` and `RMS` have no iterations; a line of the printed context may look like a row.
            let is_run = entry.iterations.is_some() && !entry.unit.is_empty();
            if is_run || entry.error.is_some() || entry.skipped {
                entries.push(entry);
            }
        }
    }
    Ok(entries)
}

/// The counters of a console header `Benchmark   Time   CPU   Iterations   bytes_per_second`, which has them with
/// `--benchmark_counters_tabular`, else the word `UserCounters...` or nothing.
fn console_header(line: &str) -> Option<Vec<&str>> {
    match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["Benchmark", "Time", "CPU", "Iterations", counters @ ..] => Some(counters.to_vec()),
        _ => None,
    }
}

fn console_entries<'a>(builder: &mut ReadingBuilder<'_>, text: &'a str) -> Vec<Entry<'a>> {
    let mut entries = Vec::new();
    let mut columns: Option<Vec<&str>> = None;
    for (at, line) in text::numbered_lines(text) {
        if let Some(counters) = console_header(line) {
            columns = Some(counters);
        } else if let Some(columns) = &columns {
            let Some(entry) = console_entry(line, columns) else { continue };
            entries.push(entry);
            builder.line = Some(at);
            builder.note_result();
        }
    }
    builder.line = None;
    entries
}

/// A row `BM_Encode/512   3121 ns   1675 ns   41809 bytes_per_second=291.458M/s cache_hits=5.12k`.
fn console_entry<'a>(line: &'a str, columns: &[&'a str]) -> Option<Entry<'a>> {
    if let Some((name, error)) = line.split_once("ERROR OCCURRED: ") {
        let (name, error) = (Cow::Borrowed(name.trim()), Cow::Borrowed(error.trim().trim_matches('\'')));
        return Some(Entry { name, error: Some(error), ..Entry::default() });
    }
    if let Some((name, _)) = line.split_once("SKIPPED: ") {
        return Some(Entry { name: Cow::Borrowed(name.trim()), skipped: true, ..Entry::default() });
    }
    // A name may contain spaces, so the times are looked for.
    let words: Vec<&str> = line.split_whitespace().collect();
    let start = (1..words.len()).find(|at| {
        let [real, real_unit, cpu, cpu_unit, ..] = words[*at..] else { return false };
        clock(real).is_some() && clock(cpu).is_some() && real_unit == cpu_unit && text::nanoseconds(cpu_unit).is_some()
    })?;
    let [real, unit, cpu, _, iterations, counters @ ..] = &words[start..] else { return None };
    let first = line.len() - line.trim_start().len();
    let end = words[..start].iter().try_fold(first, |at, word| Some(at + line[at..].find(word)? + word.len()))?;
    let is_tabular = columns.first().is_some_and(|first| !first.starts_with("UserCounters"));
    let pairs: Vec<(&str, &str)> = match is_tabular {
        true => columns.iter().copied().zip(counters.iter().copied()).collect(),
        false => counters.iter().filter_map(|word| word.split_once('=')).collect(),
    };
    // These two are the work of an iteration, for which the rounded rate is not exact enough.
    let is_rate = |name: &str| matches!(name, "bytes_per_second" | "items_per_second");
    let counters = pairs.into_iter().filter(|(name, _)| !is_rate(name));
    let counters = counters.map(|(name, value)| (Cow::Borrowed(name), scaled(value))).collect();
    Some(Entry {
        name: Cow::Borrowed(line[..end].trim()),
        unit: Cow::Borrowed(unit),
        real: clock(real),
        cpu: clock(cpu),
        iterations: number(iterations),
        counters,
        ..Entry::default()
    })
}

/// A time, which is NaN if it is printed as `nan` or `inf`.
fn clock(word: &str) -> Option<f64> {
    let is_nan = matches!(word.trim_start_matches('-'), "nan" | "inf");
    if is_nan { Some(f64::NAN) } else { number(word) }
}

/// A counter such as `5.12k`, `1.5Mi/s` or `12.5m`.
fn scaled(text: &str) -> Option<f64> {
    let text = text.strip_suffix("/s").unwrap_or(text);
    let end = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (value, prefix) = text.split_at(end);
    let factor = match prefix {
        "" => 1.0,
        "m" => 1e-3,
        "u" | "µ" => 1e-6,
        "n" => 1e-9,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(number(value)? * factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Evidence;

    fn read(text: &str) -> Reading {
        GoogleBenchmarkTable.parse(Source { name: "x.txt", bytes: text.as_bytes() }).unwrap()
    }

    #[test]
    fn console_rows_are_repetitions_with_their_counters() {
        let reading = read(
            "Benchmark            Time             CPU   Iterations UserCounters...\n\
             ---------------------------------------------------------\n\
             a b/8            3121 ns         1675 ns        41809 bytes_per_second=291.458M/s cache_hits=5.12k\n\
             a b/8            3663 ns         1702 ns        41809 bytes_per_second=286.937M/s cache_hits=5.12k\n\
             a b/8_mean       3392 ns         1688 ns            2 cache_hits=5.12k\n\
             a b/8_median     3392 ns         1688 ns            2 cache_hits=5.12k\n\
             a b/8_stddev      271 ns         14.5 ns            2 cache_hits=0\n\
             a b/8_cv         7.98 %          0.86 %             2 cache_hits=0.00%\n\
             c_mean             20 us           10 us         1000\n\
             d          ERROR OCCURRED: 'no input file'\n\
             e          SKIPPED: 'no GPU'\n",
        );
        let found: Vec<_> = reading.measurements.iter().map(|m| (m.benchmark.as_str(), &*m.metric.name)).collect();
        assert_eq!(found, [("a b/8", "time"), ("a b/8", "counter:cache_hits"), ("c_mean", "time")]);
        assert_eq!(reading.measurements[0].evidence, [Evidence::Value(1675.0), Evidence::Value(1702.0)]);
        assert_eq!(reading.measurements[1].evidence[0], Evidence::Value(5120.0));
        assert_eq!(reading.measurements[2].evidence, [Evidence::Value(10e3)]);
        assert_eq!(reading.diagnostics[0].message, "`d` failed: no input file");
        assert_eq!(reading.failures.benchmarks.len(), 1);
        assert_eq!(reading.failures.skipped[0].benchmark.as_str(), "e");
    }

    #[test]
    fn the_printed_context_gives_the_facts_of_the_json() {
        let table = "Benchmark   Time   CPU   Iterations\nBM_A/64   100 ns   100 ns   7000000\n";
        let facts = |context: &str| {
            let reading = read(&format!("{context}{table}"));
            let facts = ["cores", "mhz", "cpu-scaling", "build-type"];
            (facts.map(|key| reading.environment.get(key).map(str::to_owned)), reading.measured)
        };
        let some = |facts: [&str; 4]| facts.map(|fact| Some(fact.to_owned()));
        let warnings = "***WARNING*** CPU scaling is enabled, the benchmark real time measurements may be noisy\n\
                        ***WARNING*** Library was built as DEBUG. Timings may be affected.\n";
        let context = "2026-11-20T10:00:00+00:00\nRunning ./bench\nRun on (8 X 2893.2 MHz CPU s)\nCPU Caches:\n";
        assert_eq!(facts(context), (some(["8", "2900", "off", "release"]), Some(1_795_168_800)));
        assert_eq!(facts(&format!("{context}{warnings}")).0, some(["8", "2900", "on", "debug"]));
        assert_eq!(facts(""), ([const { None }; 4], None));
        assert_eq!(facts(warnings), ([const { None }; 4], None));
    }

    #[test]
    fn aggregates_alone_are_a_summary_and_counters_may_be_columns() {
        let reading = read(
            "Benchmark     Time      CPU   Iterations  depth hit_rate\n\
             a_mean       12 us     11 us            5  2 1.5m\n\
             a_median     10 us      9 us            5  2 1.5m\n\
             a_stddev      1 us      1 us            5  0 0\n",
        );
        let [Evidence::Summary(summary)] = &reading.measurements[0].evidence[..] else { panic!("a summary") };
        assert_eq!((summary.centre, summary.mean, summary.samples), (9e3, Some(11e3), Some(5)));
        assert_eq!(reading.measurements[2].metric.name, "counter:hit_rate");
        assert_eq!(reading.measurements[2].evidence[0].centre(), 1.5e-3);
    }

    #[test]
    fn aggregates_of_two_outputs_in_one_file_have_a_warning() {
        let table = |us: u32| {
            let row = |statistic: &str| format!("a_{statistic}    {us} us    {us} us    5\n");
            format!("Benchmark  Time  CPU  Iterations\n{}", ["mean", "median", "stddev"].map(row).concat())
        };
        let reading = read(&(table(10) + &table(12)));
        assert_eq!((reading.measurements.len(), reading.measurements[0].evidence[0].centre()), (1, 10e3));
        let codes: Vec<_> = reading.diagnostics.iter().map(|one| one.code.as_str()).collect();
        assert_eq!(codes, ["duplicate-name"]);
        assert_eq!(read(&table(10)).diagnostics, []);
    }

    #[test]
    fn a_time_that_is_not_a_number_is_skipped_with_a_warning() {
        let console = "Benchmark   Time   CPU   Iterations\na   200 ns   inf ns   10\na   200 ns   100 ns   10\na   9 ns   nan ns   10\n";
        let csv = "name,iterations,real_time,cpu_time,time_unit\na,10,200,inf,ns\na,10,200,100,ns\na,10,9,nan,ns\n";
        for text in [console, csv] {
            let reading = read(text);
            assert_eq!(reading.measurements[0].evidence, [Evidence::Value(100.0)], "{text}");
            assert_eq!(reading.diagnostics.len(), 2, "{text}");
        }
    }

    #[test]
    fn headers_and_context_of_a_further_csv_are_not_benchmarks() {
        let reading = read(
            "name,iterations,real_time,cpu_time,time_unit,hits\na,10,200,100,ns,5\n\
             Load Average: 4.15, 2.47, 1.80\nname,iterations,real_time,cpu_time,time_unit,depth\nb,10,300,150,ns,7\n\
             b_BigO,,3,2,N,\nb_RMS,,0.1,0.1,,\n",
        );
        let found: Vec<_> = reading.measurements.iter().map(|m| (m.benchmark.as_str(), &*m.metric.name)).collect();
        assert_eq!(found, [("a", "time"), ("a", "counter:hits"), ("b", "time"), ("b", "counter:depth")]);
        assert!(reading.failures.skipped.is_empty());
    }

    #[test]
    fn csv_rows_are_entries() {
        let reading = read(
            "name,iterations,real_time,cpu_time,time_unit,bytes_per_second,items_per_second,label,error_occurred,error_message,\"n\"\n\
             \"a, b\",1000,200,100,ns,5e9,,\"x\",,,7\n\
             \"c\",,,,,,,,true,\"no file\"\n\
             \"d\",,,,,,,,false,\"no GPU\"\n",
        );
        assert_eq!(reading.measurements[0].benchmark.as_str(), "a, b");
        assert_eq!(reading.measurements[0].work.map(|work| work.amount), Some(500.0));
        assert_eq!(reading.measurements[1].metric.name, "counter:n");
        let failures = &reading.failures;
        assert_eq!((failures.benchmarks.len(), failures.benchmarks[0].benchmark.as_str()), (1, "c"));
        assert_eq!(failures.skipped[0].benchmark.as_str(), "d");
    }
}
