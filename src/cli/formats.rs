//! `perfgate formats`: the table of input formats.

use super::output;
use crate::formats::{FORMATS, criterion};
use crate::render::fit::{hanging, paragraph, wrapped};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// Widths of the columns, which fit 80 columns of a terminal; longer texts are wrapped.
const WIDTHS: [usize; 3] = [23, 28, 25];
/// The columns with the gaps between them.
const FULL_WIDTH: usize = 80;

/// List the input formats
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  perfgate formats")]
pub struct FormatsArgs {}

/// Prints each format with the command that writes it and what perfgate reads from it.
pub fn run(_: FormatsArgs) -> anyhow::Result<u8> {
    let files = FORMATS.iter().map(|format| [format.name(), format.produced_by(), format.metrics()]);
    let mut rows: Vec<[&str; 3]> = files.chain([criterion::ABOUT]).collect();
    rows.sort_unstable();
    let mut out = String::new();
    match output::width().filter(|width| *width < FULL_WIDTH) {
        None => {
            row(&mut out, ["format", "command", "what is read"]);
            rows.into_iter().for_each(|cells| row(&mut out, cells));
        }
        Some(width) => rows.into_iter().for_each(|cells| stacked(&mut out, cells, width)),
    }
    output::print(out.as_bytes())?;
    Ok(0)
}

/// A format on several lines, for a terminal that is too narrow for three columns.
fn stacked(out: &mut String, [name, command, content]: [&str; 3], width: usize) {
    out.push_str(&paragraph(name, 2, Some(width)));
    for (label, text) in [("  command  ", command), ("  read     ", content)] {
        out.push_str(&hanging(text, label, "           ", Some(width)));
    }
}

fn row(out: &mut String, cells: [&str; 3]) {
    let [names, commands, contents] = [0, 1, 2].map(|column| wrapped(cells[column], WIDTHS[column]));
    let mut contents = contents.into_iter().peekable();
    let mut line = 0;
    while line < names.len().max(commands.len()) || contents.peek().is_some() {
        let [name, command] = [&names, &commands].map(|lines| lines.get(line).map_or("", String::as_str));
        // A word that is too long for its column takes the place of the next one.
        let has_room = command.width() <= WIDTHS[1];
        let content = contents.next_if(|_| has_room).unwrap_or_default();
        line += 1;
        let text = format!("{name:<23}  {command:<28}  {content}");
        let _ = writeln!(out, "{}", text.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_fits_80_columns() {
        let mut out = String::new();
        let files = FORMATS.iter().map(|format| [format.name(), format.produced_by(), format.metrics()]);
        files.chain([criterion::ABOUT]).for_each(|cells| row(&mut out, cells));
        assert!(out.lines().all(|line| line.width() <= 80));
        assert!(out.contains("--new-machine-readable-summary),\n"), "{out}");
    }

    #[test]
    fn an_option_that_is_too_long_for_its_column_stays_whole() {
        let mut out = String::new();
        row(
            &mut out,
            ["tool", "run with --an-option-of-more-than-28-columns FILE", "time of each step of each request"],
        );
        let gap = " ".repeat(23);
        let expected = format!(
            "tool{}  run with{}  time of each step of each\n\
             {gap}  --an-option-of-more-than-28-columns\n\
             {gap}  FILE{}  request\n",
            " ".repeat(19),
            " ".repeat(20),
            " ".repeat(24)
        );
        assert_eq!(out, expected);
    }

    #[test]
    fn a_narrow_terminal_gets_a_format_on_several_lines() {
        let mut out = String::new();
        stacked(&mut out, ["criterion", "cargo bench", "time of each benchmark, with its samples"], 40);
        assert_eq!(
            out,
            "criterion\n  command  cargo bench\n  read     time of each benchmark, with\n           its samples\n"
        );
    }
}
