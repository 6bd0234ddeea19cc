//! divan's table: a tree of names, then fastest, slowest, median, mean, samples and iterations. Allocations are in further
//! rows below a benchmark. Rates follow from the times and the counters, so they are read as the work of an iteration.

use super::builder::ReadingBuilder;
use super::{Format, Preview, Reading, Source, text};
use crate::model::{Diagnostic, Direction, Evidence, Metric, Summary, Unit, UnitScale, Work, WorkUnit};

/// divan.
pub struct Divan;

/// Column names in the header row, after the program's name.
const COLUMNS: [&str; 6] = ["fastest", "slowest", "median", "mean", "samples", "iters"];
/// Maximum depth of the tree.
const MAX_DEPTH: usize = 64;

/// A measured row.
struct Row {
    program: String,
    name: String,
    metric: Metric,
    summary: Summary,
    work: Option<Work>,
}

/// The kind of allocation rows that follow a title row.
#[derive(Clone, Copy, PartialEq)]
enum Block {
    /// Maximum number of blocks and bytes allocated at a time.
    Peak,
    /// Total blocks and bytes allocated.
    Allocated,
    /// Deallocations, growth and shrinkage, which are not read.
    Other,
}

impl Format for Divan {
    fn name(&self) -> &'static str {
        "divan"
    }

    fn produced_by(&self) -> &'static str {
        "cargo bench -- --color never > out.txt (with divan)"
    }

    fn metrics(&self) -> &'static str {
        "time: median, mean, fastest, slowest, number of samples; with the allocation profiler also allocations, \
         memory, memory:peak"
    }

    fn sniff(&self, preview: &Preview<'_>) -> bool {
        preview.lines().any(|line| header(&text::without_colors(line)).is_some())
    }

    fn parse(&self, source: Source<'_>) -> Result<Reading, Diagnostic> {
        let mut builder = ReadingBuilder::new(self.name(), source);
        let (mut program, mut path, mut rows) = (None, Vec::<String>::new(), Vec::<Row>::new());
        let mut benchmark: Option<String> = None; // the benchmark that further rows belong to
        let mut block = Block::Other;
        let text = text::decode(source)?;
        for (at, line) in text::numbered_lines(&text) {
            builder.line = Some(at);
            if let Some(name) = header(line) {
                program = Some(name.to_owned());
                path.clear();
                benchmark = None;
                continue;
            }
            let Some(program) = &program else { continue };
            let (depth, node) = match node(line) {
                Some((depth, _)) if depth >= MAX_DEPTH || depth > path.len() => {
                    builder.warn("unreadable-line", "the line is indented by more than one level; skipped");
                    continue;
                }
                found => found.unwrap_or((0, "")),
            };
            if node.is_empty() {
                if let Some(name) = &benchmark
                    && !read_counter(line, rows.last_mut())
                {
                    read_allocations(line, &mut block, name, program, &mut rows);
                }
                continue;
            }
            path.truncate(depth);
            let cells = cells(node);
            benchmark = None;
            if cells.get(1).is_none_or(|slowest| slowest.is_empty()) {
                // A group, or a benchmark that was ignored.
                path.push(cells.first().map_or("", |cell| cell.trim()).to_owned());
                continue;
            }
            let row = first_cell(cells[0]).and_then(|(name, fastest)| {
                path.push(name.to_owned());
                let scale = Unit::parse(fastest.1)?;
                (scale.unit == Unit::Nanosecond).then_some(())?;
                let samples = cells.get(4).and_then(|cell| cell.parse().ok());
                Some((path.join("/"), summary(fastest, &cells, Unit::Nanosecond, samples)?))
            });
            match row {
                Some((name, summary)) => {
                    let (program, metric) = (program.clone(), Metric::time());
                    builder.note_result();
                    rows.push(Row { program, name: name.clone(), metric, summary, work: None });
                    benchmark = Some(name);
                    block = Block::Other;
                }
                None => builder.warn("unreadable-line", "expected four times after the name; line skipped"),
            }
        }
        builder.line = None;
        add(&mut builder, rows);
        builder.finish()
    }
}

/// Adds the rows. Names begin with the program, since another one may have a benchmark of the same name.
fn add(builder: &mut ReadingBuilder<'_>, rows: Vec<Row>) {
    for Row { program, name, metric, summary, work } in rows {
        let name = if program.is_empty() { name } else { format!("{program}/{name}") };
        builder.add(&name, metric, [Evidence::summary(summary)]);
        if let Some(work) = work {
            builder.set_work(&name, "time", work);
        }
    }
}

/// The program's name, if the line is a header row.
fn header(line: &str) -> Option<&str> {
    let (first, rest) = line.split_once('│')?;
    let name = first.trim_end().strip_suffix(COLUMNS[0])?;
    rest.split('│').map(str::trim).eq(COLUMNS[1..].iter().copied()).then_some(name.trim())
}

/// Depth of a node in the tree, and the text after its branch.
fn node(line: &str) -> Option<(usize, &str)> {
    let (mut rest, mut depth) = (line, 0);
    loop {
        if let Some(node) = rest.strip_prefix("├─ ").or_else(|| rest.strip_prefix("╰─ ")) {
            return Some((depth, node));
        }
        rest = rest.strip_prefix("│  ").or_else(|| rest.strip_prefix("   "))?;
        depth += 1;
    }
}

/// The cells of a row; the first one includes the name. A name may contain `│`, so cells are split from the right.
fn cells(node: &str) -> Vec<&str> {
    let mut cells: Vec<&str> = node.rsplitn(COLUMNS.len(), '│').collect();
    cells.reverse();
    cells.iter_mut().skip(1).for_each(|cell| *cell = cell.trim());
    cells
}

/// Name and fastest value in `name   1.5 ms   `.
fn first_cell(cell: &str) -> Option<(&str, (f64, &str))> {
    let (rest, unit) = cell.trim_end().rsplit_once(' ')?;
    let (name, number) = rest.rsplit_once(' ')?;
    Some((name.trim(), (number.parse().ok()?, unit)))
}

/// Number and unit in `1.5 ms`. The unit may be empty.
fn quantity(cell: &str) -> Option<(f64, &str)> {
    let (number, unit) = cell.split_once(' ').unwrap_or((cell, ""));
    Some((number.parse().ok()?, unit.trim()))
}

/// The row's summary in perfgate's unit; `None` if a column has another unit.
fn summary(fastest: (f64, &str), cells: &[&str], unit: Unit, samples: Option<u64>) -> Option<Summary> {
    let column = |at: usize| convert(quantity(cells.get(at)?)?, &unit);
    let (fastest, slowest, median, mean) = (convert(fastest, &unit)?, column(1)?, column(2)?, column(3)?);
    Some(Summary {
        centre: median,
        mean: Some(mean),
        sd: None,
        samples,
        quantiles: vec![(0.0, fastest), (1.0, slowest)],
    })
}

/// The value in perfgate's unit; `None` if it is invalid or has another unit. A number without a unit is a count.
fn convert((number, label): (f64, &str), unit: &Unit) -> Option<f64> {
    let count = UnitScale { unit: Unit::Count, factor: 1.0 };
    let scale = if label.is_empty() { count } else { Unit::parse(label)? };
    let value = number * scale.factor;
    (scale.unit == *unit && value.is_finite() && value >= 0.0).then_some(value)
}

/// Reads a row of rates below the times of a benchmark. Returns false for other rows.
fn read_counter(line: &str, row: Option<&mut Row>) -> bool {
    let cells = cells(line.trim_start_matches(['│', ' ']));
    let Some((median, label)) = cells.get(2).and_then(|cell| quantity(cell)) else { return false };
    let Some(Work { amount: factor, unit }) = rate(label) else { return false };
    if let Some(row) = row.filter(|row| row.work.is_none()) {
        row.work = Some(Work { amount: median * factor * row.summary.centre / 1e9, unit });
    }
    true
}

/// The work per second of a unit such as `Mitem/s`, `char/s` or `MB/s`.
fn rate(label: &str) -> Option<Work> {
    let Some(prefix) = label.strip_suffix("item/s").or_else(|| label.strip_suffix("char/s")) else {
        let scale = Unit::parse(label).filter(|scale| scale.unit == Unit::BytePerSecond)?;
        return Some(Work { amount: scale.factor, unit: WorkUnit::Bytes });
    };
    let power = ["", "K", "M", "G", "T"].iter().position(|one| *one == prefix)?;
    Some(Work { amount: 1000_f64.powi(i32::try_from(power).ok()?), unit: WorkUnit::Elements })
}

/// Reads a row below a benchmark: the title of an allocation block, or one of its two rows.
fn read_allocations(line: &str, block: &mut Block, name: &str, program: &str, rows: &mut Vec<Row>) {
    let cells = cells(line.trim_start_matches(['│', ' ']));
    let first = cells.first().map_or("", |cell| cell.trim());
    if let Some(title) = first.strip_suffix(':') {
        *block = match title {
            "max alloc" => Block::Peak,
            "alloc" => Block::Allocated,
            _ => Block::Other,
        };
        return;
    }
    let Some(fastest) = quantity(first) else { return };
    let (metric, unit) = match (*block, fastest.1.is_empty()) {
        (Block::Peak, false) => ("memory:peak", Unit::Byte),
        (Block::Allocated, true) => ("allocations", Unit::Count),
        (Block::Allocated, false) => ("memory", Unit::Byte),
        _ => return,
    };
    if let Some(summary) = summary(fastest, &cells, unit.clone(), None) {
        // Where every iteration allocated the same, the numbers are counts.
        let is_constant = summary.quantiles.iter().all(|(_, value)| *value == summary.centre);
        let metric = Metric { exact: is_constant, ..Metric::measured(metric, unit, Direction::Lower) };
        rows.push(Row { program: program.to_owned(), name: name.to_owned(), metric, summary, work: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "suite   fastest       │ slowest       │ median        │ mean          │ samples │ iters\n";

    fn read(text: &str) -> Reading {
        Divan.parse(Source { name: "x.txt", bytes: text.as_bytes() }).unwrap()
    }

    #[test]
    fn the_work_of_an_iteration_follows_from_its_rate() {
        let rates = |unit: &str| format!("│    1 {unit} │ 0.8 {unit} │ 0.5 {unit} │ 0.9 {unit} │ │\n");
        let time = "├─ a  1 ms │ 4 ms │ 2 ms │ 3 ms │ 30 │ 60\n";
        for (unit, amount, kind) in [
            ("Mitem/s", 1000.0, WorkUnit::Elements),
            ("KB/s", 1.0, WorkUnit::Bytes),
            ("char/s", 1e-3, WorkUnit::Elements),
        ] {
            let reading = read(&format!("{HEAD}{time}{}", rates(unit)));
            let work = reading.measurements[0].work.unwrap();
            assert!((work.amount - amount).abs() < 1e-9 && work.unit == kind, "{unit}: {work:?}");
        }
    }

    #[test]
    fn a_row_is_read_with_its_path_and_all_values() {
        let text = format!(
            "{HEAD}╰─ g              │      │      │      │     │\n   ╰─ a b  1 µs │ 4 ms │ 2 µs │ 3 µs │ 30 │ 60\n"
        );
        let reading = read(&text);
        let a = &reading.measurements[0];
        assert_eq!(a.benchmark.as_str(), "suite/g/a b");
        let quantiles = vec![(0.0, 1e3), (1.0, 4e6)];
        let summary = Summary { centre: 2e3, mean: Some(3e3), sd: None, samples: Some(30), quantiles };
        assert_eq!(a.evidence, [Evidence::summary(summary)]);
    }

    #[test]
    fn names_begin_with_the_program() {
        let row = "╰─ a  1 ns │ 4 ns │ 2 ns │ 3 ns │ 30 │ 60\n";
        let reading = read(&format!("{HEAD}{row}\nother {}{row}", HEAD.trim_start_matches("suite ")));
        let names: Vec<_> = reading.measurements.iter().map(|m| m.benchmark.as_str()).collect();
        assert_eq!(names, ["suite/a", "other/a"]);
    }

    #[test]
    fn a_valid_line_among_invalid_ones_is_read() {
        let bad = "├─ a  1 ns │ 4 ns │ x ns │ 3 ns │ 30 │ 60\n│        ├─ b  1 ns │ 4 ns │ 2 ns │ 3 ns │ 3 │ 6\n";
        let reading = read(&format!("{HEAD}{bad}╰─ c  1 ns │ 4 ns │ 2 ns │ 3 ns │ 30 │ 60\n"));
        assert_eq!(reading.measurements.len(), 1);
        assert_eq!(reading.measurements[0].benchmark.as_str(), "suite/c");
        assert_eq!(reading.diagnostics.len(), 2);
    }
}
