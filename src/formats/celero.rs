//! Celero's CSV result table: the time of one iteration of each experiment.

use super::builder::ReadingBuilder;
use super::table_text::{TableText, has_header};
use super::text::number;
use super::{Format, Preview, Reading, Source};
use crate::model::{Diagnostic, Evidence, Metric};

/// Celero's CSV result table.
#[derive(Debug)]
pub struct Celero;

impl Format for Celero {
    fn name(&self) -> &'static str {
        "celero"
    }

    fn produced_by(&self) -> &'static str {
        "Celero with --outputTable FILE.csv"
    }

    fn metrics(&self) -> &'static str {
        "time: one value per iteration"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| has_header(line, &["Group", "Experiment", "us/Iteration"]))
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let tables = TableText::read_each(source, |cells| cells.iter().any(|cell| cell == "us/Iteration"))?;
        for table in &tables {
            table.report_cut(&mut builder);
            for (line, row) in &table.rows {
                builder.line = *line;
                let cell = |name: &str| table.cell(row, name);
                let (Some(group), Some(experiment)) = (cell("Group"), cell("Experiment")) else { continue };
                let mut name = format!("{group}/{experiment}");
                if let Some(space) = cell("Problem Space").filter(|space| !matches!(*space, "" | "0" | "Null")) {
                    name.push_str(&format!("/{space}"));
                }
                let failed = cell("Failure").is_some_and(|failure| !matches!(failure, "" | "0"));
                match cell("us/Iteration").and_then(number).filter(|_| !failed) {
                    Some(microseconds) => builder.add(&name, Metric::time(), [Evidence::Value(microseconds * 1e3)]),
                    None => builder.fail(&name, ""),
                }
            }
        }
        builder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_of_a_further_table_is_not_a_benchmark() {
        let header = "Group,Experiment,Problem Space,Samples,Failure,us/Iteration\n";
        let text = format!(
            "{header}Demo,Simple,0,10,0,0.1\nDemo,Broken,0,10,1,0\n{header}Other,Simple,64,10,0,0.25\n\
             Group,Experiment,us/Iteration,Failure\nThird,Simple,0.5,0\n"
        );
        let reading = Celero.parse(Source { name: "x", bytes: text.as_bytes() }).unwrap();
        let found = reading.measurements.iter().map(|one| (one.benchmark.as_str(), one.evidence[0].centre()));
        let expected = [("Demo/Simple", 100.0), ("Other/Simple/64", 250.0), ("Third/Simple", 500.0)];
        assert_eq!(found.collect::<Vec<_>>(), expected);
        let failed: Vec<&str> = reading.failures.benchmarks.iter().map(|failed| failed.benchmark.as_str()).collect();
        assert_eq!(failed, ["Demo/Broken"]);
    }
}
