//! BenchmarkDotNet's tables (CSV in any culture, and GitHub's Markdown): mean, standard deviation and allocations. Version 0.9
//! has the median in place of the mean.

use super::benchmarkdotnet::DEFAULT_JOB;
use super::builder::ReadingBuilder;
use super::table_text::{TableText, has_header};
use super::{Format, Preview, Reading, Source, benchmarkdotnet_header, localized, text};
use crate::model::{Diagnostic, Direction, Evidence, JOB, Metric, Summary, Unit};
use std::collections::BTreeMap;

/// Columns of a job's settings: all of them are in a CSV, and those that differ in Markdown. The second list is that of
/// versions before 0.11.
const JOB_COLUMNS: [&str; 55] = [
    "Job",
    "Affinity",
    "AllowVeryLargeObjects",
    "AnalyzeLaunchVariance",
    "Arguments",
    "BuildConfiguration",
    "Clock",
    "Concurrent",
    "CpuGroups",
    "EngineFactory",
    "EnvironmentVariables",
    "EvaluateOverhead",
    "Force",
    "HeapAffinitizeMask",
    "HeapCount",
    "InvocationCount",
    "IsMutator",
    "IterationCount",
    "IterationTime",
    "Jit",
    "LargeAddressAware",
    "LaunchCount",
    "MaxAbsoluteError",
    "MaxIterationCount",
    "MaxRelativeError",
    "MaxWarmupIterationCount",
    "MemoryRandomization",
    "MinInvokeCount",
    "MinIterationCount",
    "MinIterationTime",
    "MinWarmupIterationCount",
    "NoAffinitize",
    "NuGetReferences",
    "OutlierMode",
    "Platform",
    "PowerPlanMode",
    "RetainVm",
    "RunStrategy",
    "Runtime",
    "Server",
    "Toolchain",
    "UnrollFactor",
    "WarmupCount",
    "Framework",
    "GarbageCollection",
    "JitVersion",
    "MaxStdErrRelative",
    "MaxWarmupCount",
    "Mode",
    "ProcessCount",
    "Processor",
    "RemoveOutliers",
    "TargetCount",
    "TargetIterationCount",
    "WarmupIterationCount",
];

/// BenchmarkDotNet's tables (CSV in any culture, and GitHub's Markdown).
#[derive(Debug)]
pub struct BenchmarkDotNetTable;

impl Format for BenchmarkDotNetTable {
    fn name(&self) -> &'static str {
        "benchmarkdotnet-table"
    }

    fn produced_by(&self) -> &'static str {
        "dotnet run -c Release -- --exporters csv github (*-report.csv, *-report-github.md)"
    }

    fn metrics(&self) -> &'static str {
        "time: mean and sd; memory (Allocated); machine (Markdown)"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        let is_header = |line: &str| {
            (has_header(line, &["Method", "Mean"]) || has_header(line, &["Method", "Median", "StdDev"]))
                && !line.contains("Ratio to")
        };
        let mut lines = preview.lines().peekable();
        let mut has_block = false;
        while let Some(line) = lines.next() {
            has_block |= benchmarkdotnet_header::begins(line);
            // Documents contain other Markdown tables with these columns.
            let mut is_own = || has_block || !line.contains('|') || lines.peek().is_some_and(|next| is_own_rule(next));
            if is_header(line) && is_own() {
                return true;
            }
        }
        false
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let text = text::decode(source)?;
        let only_job = benchmarkdotnet_header::read(builder.environment(), &text);
        let tables = TableText::read_each(source, |cells| {
            let has = |name: &str| cells.iter().any(|cell| cell == name);
            has("Method") && (has("Mean") || has("Median"))
        })?;
        for table in tables {
            table.report_cut(&mut builder);
            add_table(&mut builder, &table, only_job);
        }
        builder.finish()
    }
}

/// Whether a line is the rule under the header of a Markdown table as BenchmarkDotNet writes it: `|------- |-----:|`.
fn is_own_rule(line: &str) -> bool {
    let line = line.trim_start();
    let first = line.strip_prefix('|').unwrap_or(line).split('|').next().unwrap_or_default();
    first.starts_with("--") && first.strip_suffix(' ').is_some_and(|rule| rule.bytes().all(|byte| byte == b'-'))
}

fn add_table(builder: &mut ReadingBuilder<'_>, table: &TableText, only_job: Option<&str>) {
    let centre = if table.column("Mean").is_some() { "Mean" } else { "Median" };
    let mean = table.column(centre).unwrap_or_default();
    let mark = decimal_mark(table.rows.iter().filter_map(|(_, row)| row.get(mean).cloned()));
    // Columns before the mean are jobs and parameters; those after it are statistics.
    let names = names(table, mean);
    let job = |row: &[String]| table.cell(row, "Job").or(only_job).unwrap_or_default().to_owned();
    let has_jobs = table.rows.iter().any(|(_, row)| !matches!(&*job(row), "" | DEFAULT_JOB));
    for ((line, row), name) in table.rows.iter().zip(names) {
        builder.line = *line;
        let cell = |name: &str| table.cell(row, name);
        let Some(name) = name else { continue };
        if has_jobs {
            builder.settings.add(&name, JOB, job(row));
        }
        let Some((value, unit)) = cell(centre).and_then(|cell| quantity(cell, mark)) else {
            builder.fail(&name, "no result");
            continue;
        };
        let scale = builder.unit(unit);
        let sd = cell("StdDev").and_then(|cell| quantity(cell, mark));
        let sd = sd.and_then(|(value, unit)| Some(value * Unit::parse(unit)?.factor));
        let value = value * scale.factor;
        let mean = (centre == "Mean").then_some(value);
        let summary = Summary { centre: value, mean, sd, ..Summary::default() };
        builder.add(&name, Metric::time(), [Evidence::summary(summary)]);
        if let Some(bytes) = cell("Allocated").and_then(|cell| allocated(cell, mark)) {
            let metric = Metric::counted("memory", Unit::Byte, Direction::Lower);
            builder.add(&name, metric, [Evidence::Value(bytes)]);
        }
    }
}

/// What a column before the mean contains.
#[derive(Clone, Copy, PartialEq)]
enum Column {
    Name,
    Parameter,
    Job,
}

fn column(header: &str) -> Column {
    match header {
        "Method" | "Type" | "Namespace" | "Categories" | "Baseline" => Column::Name,
        _ if JOB_COLUMNS.contains(&header) => Column::Job,
        _ => Column::Parameter,
    }
}

/// The name of each row's benchmark: its method with all parameters, also those that are the same in every row, so that
/// another benchmark does not rename it. As in the JSON, a job is added only if the benchmark runs under several, and the
/// default one never. The oldest tables have the settings of a job, but not its name.
fn names(table: &TableText, mean: usize) -> Vec<Option<String>> {
    let first = |at: usize| table.rows.first().and_then(|(_, row)| row.get(at));
    let varies: Vec<bool> = (0..mean).map(|at| table.rows.iter().any(|(_, row)| row.get(at) != first(at))).collect();
    let settings = |row: &[String], kind: Column| {
        let columns = table.header.iter().zip(row).enumerate().take(mean);
        let columns =
            columns.filter(|(at, (header, _))| column(header) == kind && (kind != Column::Job || varies[*at]));
        columns.map(|(_, (header, value))| format!("/{header}={value}")).collect::<String>()
    };
    let base = |(_, row): &(_, Vec<String>)| {
        let method = table.cell(row, "Method").filter(|method| !method.is_empty())?;
        let class = table.cell(row, "Type").map_or_else(String::new, |class| format!("{class}."));
        Some(format!("{class}{method}{}", settings(row, Column::Parameter)))
    };
    let bases: Vec<Option<String>> = table.rows.iter().map(base).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    bases.iter().flatten().for_each(|name| *counts.entry(name).or_default() += 1);
    let name = |(base, (_, row)): (&Option<String>, &(_, Vec<String>))| {
        let base = base.as_ref()?;
        let runs_under_several = counts.get(base.as_str()).is_some_and(|count| *count > 1);
        Some(match table.cell(row, "Job") {
            _ if !runs_under_several => base.clone(),
            Some(DEFAULT_JOB) => base.clone(),
            Some(job) => format!("{base}/job={job}"),
            None => format!("{base}{}", settings(row, Column::Job)),
        })
    };
    bases.iter().zip(&table.rows).map(name).collect()
}

/// The decimal mark of the table: the last separator of a mean, which always has decimals.
fn decimal_mark(means: impl Iterator<Item = String>) -> char {
    means.filter_map(|mean| mean.chars().rev().find(|c| matches!(c, '.' | ','))).next().unwrap_or('.')
}

/// A number with its unit, in any culture: `1,234.5 ns`, `1.234,5 ns`, `1 234,5 ns`.
fn quantity(cell: &str, decimal_mark: char) -> Option<(f64, &str)> {
    let at = cell.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (number, unit) = cell.split_at(at);
    Some((localized::number(number, decimal_mark)?, unit.trim()))
}

/// The bytes in a cell of the column Allocated. `-` stands for zero. BenchmarkDotNet's units are powers of 1024.
fn allocated(cell: &str, decimal_mark: char) -> Option<f64> {
    if cell == "-" {
        return Some(0.0);
    }
    let (value, unit) = quantity(cell, decimal_mark)?;
    let power = ["B", "KB", "MB", "GB", "TB"].iter().position(|one| *one == unit)?;
    Some(value * 1024_f64.powi(i32::try_from(power).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(text: &str) -> Vec<String> {
        let reading = BenchmarkDotNetTable.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        reading.measurements.iter().map(|m| m.benchmark.as_str().to_owned()).collect()
    }

    #[test]
    fn a_name_does_not_depend_on_the_other_rows() {
        let header = "Method;Job;Server;InvocationCount;N;Mean;Error\n";
        let row = |job: &str, n: u32| format!("Parse;{job};False;Default;{n};1.5 ns;0.1 ns\n");
        let alone = format!("{header}{}", row("DefaultJob", 100));
        assert_eq!(names_of(&alone), ["Parse/N=100"]);
        assert_eq!(names_of(&format!("{alone}{}", row("DefaultJob", 200))), ["Parse/N=100", "Parse/N=200"]);
        let jobs = format!("{alone}{}", row("ShortRun", 100));
        assert_eq!(names_of(&jobs), ["Parse/N=100", "Parse/N=100/job=ShortRun"]);
    }

    #[test]
    fn a_table_in_a_document_is_not_one_of_the_tool() {
        let sniffs = |text: &str| BenchmarkDotNetTable.sniff(&Preview::of(text.as_bytes()));
        let own = "| Method | Mean     | StdDev  |\n|------- |---------:|--------:|\n| A      | 45.23 ns | 8.67 ns |\n";
        let document = "# Results\n\n| Method | Mean     | StdDev  |\n|--------|----------|---------|\n| A      | 45.23 ns | 8.67 ns |\n";
        assert!(sniffs(own) && !sniffs(document) && !sniffs(&own.replace("|------- |", "| ------ |")));
        assert!(sniffs(&format!("BenchmarkDotNet v0.14.0, Ubuntu 22.04\n\n{document}")));
        assert!(sniffs("Method,N,Mean,Error\nA,10,1.5 ns,0.1 ns\n"));
    }

    #[test]
    fn each_table_of_a_file_ends_at_its_last_row() {
        let text = "| Method | N | Mean |\n|------- |--- |---:|\n| A | 1 | 5.5 ns |\n|  |  |  |\n| A | 2 | 6.5 ns |\n\n\
                    | Operation | Target | Status |\n|---|---|---|\n| Encode | <100 ns | TBD |\n\n\
                    | Method | K | Mean |\n|------- |--- |---:|\n| B | x | 7.5 ns |\n";
        assert_eq!(names_of(text), ["A/N=1", "A/N=2", "B/K=x"]);
    }

    #[test]
    fn the_job_is_a_setting_unless_all_are_the_default() {
        let job = |text: &str| {
            let reading = BenchmarkDotNetTable.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
            reading.environment.condition("benchmarkdotnet-table", JOB, "A").map(str::to_owned)
        };
        assert_eq!(job("Method,Job,Mean\nA,.NET 8.0,1.5 ns\n").as_deref(), Some(".NET 8.0"));
        assert_eq!(job("Method,Job,Mean\nA,DefaultJob,1.5 ns\n"), None);
        let block = "BenchmarkDotNet v0.14.0, Ubuntu\n  [Host]   : .NET 8.0.8, X64 RyuJIT\n  ShortRun : .NET 8.0.8, X64 RyuJIT\n\n";
        assert_eq!(
            job(&format!("{block}| Method | Mean |\n|------- |---:|\n| A | 1.5 ns |\n")).as_deref(),
            Some("ShortRun")
        );
    }

    #[test]
    fn tables_of_old_versions_are_read() {
        for text in [
            "      Method |     Median |    StdDev |\n------------ |----------- |---------- |\n ContainsKey | 22.5000 ns | 0.3243 ns |\n",
            "Type;Method;Mode;Median;StdDev\nMaps;ContainsKey;Throughput;22.5000 ns;0.3243 ns\n",
        ] {
            assert!(BenchmarkDotNetTable.sniff(&Preview::of(text.as_bytes())), "{text}");
            let reading = BenchmarkDotNetTable.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
            assert_eq!(reading.measurements.len(), 1);
            assert!(reading.measurements[0].benchmark.as_str().ends_with("ContainsKey"));
            assert_eq!(reading.measurements[0].evidence[0].centre(), 22.5);
        }
    }

    #[test]
    fn numbers_of_all_cultures_are_read() {
        for text in ["1,234.5 ns", "1.234,5 ns", "1 234,5 ns", "1\u{a0}234,5 ns", "1'234.5 ns"] {
            let mark = decimal_mark([text.to_owned()].into_iter());
            assert_eq!(quantity(text, mark).map(|(value, _)| value), Some(1234.5), "{text}");
        }
        assert_eq!(quantity("NA", ','), None);
    }

    #[test]
    fn allocated_bytes_are_exact_in_powers_of_1024_and_a_dash_is_zero() {
        let text = "| Method | Mean | Allocated |\n|---|---|---|\n| A | 1,5 ns | 1.024 B |\n| B | 2,5 ns | 1,04 KB |\n\
                    | C | 2,5 ns | - |\n| D | 2,5 ns | 2 MB |\n| E | 2,5 ns | NA |\n";
        let reading = BenchmarkDotNetTable.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let memory = reading.measurements.iter().filter(|one| one.metric.name == "memory");
        let memory: Vec<_> = memory.map(|one| (one.metric.exact, one.evidence[0].centre())).collect();
        assert_eq!(memory, [(true, 1024.0), (true, 1.04 * 1024.0), (true, 0.0), (true, 2.0 * 1024.0 * 1024.0)]);
    }
}
