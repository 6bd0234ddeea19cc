//! A chart as a gnuplot script, written by criterion-plot. The script prints the chart to standard output, so that gnuplot
//! writes no file; `io::gnuplot` runs it.
//!
//! criterion-plot puts text between single quotes without escaping it. There gnuplot runs no command, and the only escape
//! is a doubled quote. Text is drawn in "enhanced" mode, where `& _ ^ @ { } ~` have a meaning unless escaped by `\`.

use super::chart::{Axis, Chart, ColorRole, Marks, Shape};
use criterion_plot::curve::Curve;
use criterion_plot::errorbar::ErrorBar;
use criterion_plot::prelude::{
    Axis as Side, Color, Configure, Figure, FilledCurve, Font, FontSize, Grid, Horizontal, Justification, Key, Label,
    LineWidth, Opacity, Order, Plot, PointSize, PointType, Position, Range, Set, Size, Stacked, TicLabels, Title,
    Vertical,
};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// How a script of criterion-plot selects SVG.
const TERMINAL: &str = "set terminal svg dynamic";
/// Opacity of areas.
const SHADE: f64 = 0.2;

/// The script. Concatenated scripts print one chart after the other.
pub fn script(chart: &Chart) -> Vec<u8> {
    let (width, height) = (chart.size.0 as usize, chart.size.1 as usize);
    let mut figure = Figure::new();
    figure.set(Title(quoted(&chart.title))).set(Size(width, height)).set(Font("sans-serif")).set(FontSize(12.0));
    for (side, axis) in [(Side::BottomX, &chart.x), (Side::LeftY, &chart.y)] {
        configure(&mut figure, side, axis);
    }
    figure.configure(Key, |key| {
        key.set(Position::Outside(Vertical::Top, Horizontal::Center))
            .set(Stacked::Horizontally)
            .set(Justification::Left)
            .set(Order::SampleText)
    });
    for layer in chart.layers.iter().filter(|layer| !layer.marks.is_empty()) {
        draw(&mut figure, &layer.marks, layer.role, layer.legend.as_deref().map(quoted));
    }
    let mut script = Vec::new();
    let _ = figure.dump(&mut script); // writing to a vector cannot fail
    // The first line sets an output file. Replace it with a reset of what an earlier script set.
    let end = script.iter().position(|byte| *byte == b'\n').map_or(script.len(), |newline| newline + 1);
    let head = format!("reset\nset encoding utf8\n{}", names(&chart.y));
    script.splice(..end, head.into_bytes());
    // Without a background, the black text is invisible on a dark page.
    let terminal = script.windows(TERMINAL.len()).position(|bytes| bytes == TERMINAL.as_bytes());
    if let Some(end) = terminal.map(|start| start + TERMINAL.len()) {
        script.splice(end..end, *b" background 'white'");
    }
    script
}

/// The ticks of an axis without a label are names.
fn has_names(axis: &Axis) -> bool {
    axis.label.is_empty()
}

/// Names on the left, as labels, as gnuplot truncates the text of a tick after 49 bytes.
fn names(axis: &Axis) -> String {
    if !has_names(axis) {
        return String::new();
    }
    let widest = axis.ticks.iter().map(|(_, text)| text.width()).max().unwrap_or_default();
    // The margin is in widths of a character of gnuplot, which are larger than those of most text.
    let mut out = format!("set lmargin {}\n", widest * 9 / 10 + 3);
    for (at, text) in &axis.ticks {
        let _ = writeln!(out, "set label '{}' at graph -0.012, first {at} right", quoted(text));
    }
    out
}

fn configure(figure: &mut Figure, side: Side, axis: &Axis) {
    figure.configure(side, |properties| {
        let (low, high) = axis.range;
        // gnuplot uses the text of a tick as a number format.
        let label = |text: &str| if has_names(axis) { String::new() } else { quoted(text).replace('%', "%%") };
        let labels = axis.ticks.iter().map(|(_, text)| label(text));
        let positions = axis.ticks.iter().map(|(at, _)| *at);
        properties.set(Range::Limits(low, high)).set(TicLabels { labels, positions });
        if !axis.label.is_empty() {
            properties.set(Label(quoted(&axis.label)));
        }
        if axis.grid {
            properties.configure(Grid::Major, |grid| grid.show());
        }
        properties
    });
}

fn draw(figure: &mut Figure, marks: &Marks, role: ColorRole, legend: Option<String>) {
    let color = color(role);
    match marks {
        Marks::Area(points) => {
            let x = points.iter().map(|(x, ..)| *x);
            let (y1, y2) = (points.iter().map(|(_, low, _)| *low), points.iter().map(|(.., high)| *high));
            figure.plot(FilledCurve { x, y1, y2 }, |curve| {
                curve.set(color).set(Opacity(SHADE));
                legend.map(|legend| curve.set(Label(legend)));
                curve
            });
        }
        Marks::Line(points) | Marks::ThinLine(points) => {
            let width = if matches!(marks, Marks::Line(_)) { 2.0 } else { 1.0 };
            let (x, y) = (points.iter().map(|(x, _)| *x), points.iter().map(|(_, y)| *y));
            figure.plot(Curve::Lines { x, y }, |curve| {
                curve.set(color).set(LineWidth(width));
                legend.map(|legend| curve.set(Label(legend)));
                curve
            });
        }
        Marks::Dots(points) => {
            let (x, y) = (points.iter().map(|(x, _)| *x), points.iter().map(|(_, y)| *y));
            figure.plot(Curve::Points { x, y }, |curve| {
                curve.set(color).set(PointType::FilledCircle).set(PointSize(0.35));
                legend.map(|legend| curve.set(Label(legend)));
                curve
            });
        }
        Marks::Spans(spans) => {
            let (x, y) = (spans.iter().map(|(_, x, ..)| *x), spans.iter().map(|(.., y)| *y));
            let (x_low, x_high) = (spans.iter().map(|(low, ..)| *low), spans.iter().map(|(_, _, high, _)| *high));
            figure.plot(ErrorBar::XErrorBars { x, y, x_low, x_high }, |bars| {
                bars.set(color).set(LineWidth(2.0)).set(point(role)).set(PointSize(0.7));
                legend.map(|legend| bars.set(Label(legend)));
                bars
            });
        }
    }
}

fn point(role: ColorRole) -> PointType {
    match role.shape() {
        Shape::Circle => PointType::FilledCircle,
        Shape::Triangle => PointType::FilledTriangle,
        Shape::Square => PointType::FilledSquare,
        Shape::Ring => PointType::Circle,
        Shape::Cross => PointType::X,
    }
}

fn color(role: ColorRole) -> Color {
    let (red, green, blue) = role.rgb();
    Color::Rgb(red, green, blue)
}

/// Escapes text for single quotes in enhanced mode.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\'' => out.push_str("''"),
            '&' | '_' | '^' | '@' | '{' | '}' | '~' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_quotes_or_be_markup() {
        assert_eq!(quoted("it's a_b^c@d{e}~f&g\\h"), "it''s a\\_b\\^c\\@d\\{e\\}\\~f\\&g\\\\h");
        assert_eq!(quoted("a\"; system \"touch x\"; #`id`"), "a\"; system \"touch x\"; #`id`");
    }
}
