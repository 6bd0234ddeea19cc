use super::*;
use crate::model::Summary;

fn new_builder(bytes: &[u8]) -> ReadingBuilder<'_> {
    ReadingBuilder::new("tool", Source { name: "file", bytes })
}

#[test]
fn a_duplicate_entry_is_reported_and_a_further_run_is_added() {
    let mut builder = new_builder(b"x");
    builder.add("a", Metric::time(), [Evidence::Value(1.0)]);
    builder.add("a", Metric::time(), [Evidence::Value(2.0)]);
    builder.add_run("b", Metric::time(), Evidence::Value(1.0));
    builder.add_run("b", Metric::time(), Evidence::Value(2.0));
    assert!(builder.has("a", "time") && !builder.has("a", "memory") && !builder.has("c", "time"));
    let reading = builder.finish().unwrap();
    assert_eq!(reading.measurements[0].evidence, [Evidence::Value(1.0)]);
    assert_eq!(reading.measurements[1].evidence.len(), 2);
    assert_eq!(reading.diagnostics[0].code, "duplicate-name");
}

#[test]
fn invalid_values_are_skipped_and_reported() {
    let mut builder = new_builder(b"x");
    builder.add("a", Metric::time(), [Evidence::Samples(vec![1.0, f64::NAN, -1.0, -0.0, f64::INFINITY])]);
    builder.add("b", Metric::time(), [Evidence::Value(-1.0)]);
    let summary = Summary {
        centre: 1.0,
        sd: Some(-1.0),
        quantiles: vec![(1.0, 2.0), (0.5, f64::NAN), (0.0, 0.5)],
        ..Summary::default()
    };
    builder.add("c", Metric::time(), [Evidence::summary(summary)]);
    let reading = builder.finish().unwrap();
    assert_eq!(reading.measurements[0].evidence, [Evidence::Samples(vec![1.0, 0.0])]);
    let whole = Summary { centre: 1.0, quantiles: vec![(0.0, 0.5), (1.0, 2.0)], ..Summary::default() };
    assert_eq!(reading.measurements[1].evidence, [Evidence::summary(whole)]);
    assert!(reading.diagnostics[0].message.contains("3 of 5"));
    assert!(
        reading.diagnostics[1].message.contains("`b`: time is -1; negative values cannot be compared"),
        "{}",
        reading.diagnostics[1]
    );
}

#[test]
fn diagnostics_of_one_code_are_only_counted_after_the_first_twenty() {
    let mut builder = new_builder(b"x");
    builder.add("a", Metric::time(), [Evidence::Value(1.0)]);
    for line in 1..=1000 {
        builder.line = Some(line);
        builder.warn("odd", "is odd");
    }
    let reading = builder.finish().unwrap();
    assert_eq!(reading.diagnostics.len(), LISTED_PER_CODE + 1);
    assert_eq!(reading.diagnostics[19].place, "file:20");
    assert!(reading.diagnostics[LISTED_PER_CODE].message.ends_with("not listed: 980"));
}

#[test]
fn a_file_without_a_measurement_is_an_error_with_the_first_problem() {
    let mut builder = new_builder(b"x");
    builder.warn("odd", "the first problem");
    assert!(builder.finish().unwrap_err().message.contains("the first problem"));
    assert!(new_builder(b" \n").finish().unwrap_err().message.contains("is empty"));
}

#[test]
fn unknown_units_have_one_short_note() {
    let mut builder = new_builder(b"x");
    builder.add("a", Metric::time(), [Evidence::Value(1.0)]);
    builder.unit(&"é".repeat(100_000));
    builder.warn("odd", "odd");
    for number in 0..100_000 {
        builder.unit(&format!("furlong{number}"));
    }
    let diagnostics = builder.finish().unwrap().diagnostics;
    assert_eq!(diagnostics.len(), 2);
    assert_eq!((&*diagnostics[0].place, diagnostics[0].units.len()), ("file", MAX_UNKNOWN_UNITS));
    assert!(diagnostics[0].message.len() < 1000);
}

#[test]
fn an_exception_whose_position_among_the_results_is_unknown_was_caught() {
    let text = b"Traceback (most recent call last):\nKeyError\n";
    let mut builder = new_builder(text);
    builder.add("a", Metric::time(), [Evidence::Value(1.0)]);
    assert!(builder.finish().unwrap().failures.is_empty());
    assert_eq!(new_builder(text).finish().unwrap().failures.early_ends.len(), 1);
}

#[test]
fn a_message_that_quotes_a_long_line_is_cut() {
    let mut builder = new_builder(b"x");
    builder.warn("odd", "é".repeat(100_000));
    assert!(builder.finish().unwrap_err().message.len() < 1000);
}
