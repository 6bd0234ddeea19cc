//! A chart as data, which both back ends draw. Text is escaped and ticks are chosen here, so that both show the same.

use crate::render::escape;

/// A chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The file name without extension: ASCII letters, digits and `-`.
    pub file_stem: String,
    /// The title, one line.
    pub title: String,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Left to right.
    pub x: Axis,
    /// Bottom to top.
    pub y: Axis,
    /// The layers, bottom first.
    pub layers: Vec<Layer>,
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its label; may be empty.
    pub label: String,
    /// Its ends; finite, the first less than the second.
    pub range: (f64, f64),
    /// Positions with their labels.
    pub ticks: Vec<(f64, String)>,
    /// Whether each tick has a grid line.
    pub grid: bool,
}

/// Marks of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The marks.
    pub marks: Marks,
    /// Their colour, by what it means.
    pub role: ColorRole,
    /// Their text in the legend.
    pub legend: Option<String>,
}

/// Marks.
#[derive(Debug, Clone, PartialEq)]
pub enum Marks {
    /// The area between two heights: (x, low, high).
    Area(Vec<(f64, f64, f64)>),
    /// A line through points.
    Line(Vec<(f64, f64)>),
    /// A thin line through points.
    ThinLine(Vec<(f64, f64)>),
    /// Small dots.
    Dots(Vec<(f64, f64)>),
    /// Dots with a horizontal line: (from, x, to, y).
    Spans(Vec<(f64, f64, f64, f64)>),
}

impl Marks {
    /// True if there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        match self {
            Marks::Area(points) => points.is_empty(),
            Marks::Line(points) | Marks::ThinLine(points) | Marks::Dots(points) => points.is_empty(),
            Marks::Spans(spans) => spans.is_empty(),
        }
    }
}

/// What a colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ColorRole {
    /// Base.
    Base,
    /// Head, and the points of a series.
    Head,
    /// Worse, and the threshold.
    Bad,
    /// Better.
    Good,
    /// Inconclusive.
    Open,
    /// Accepted.
    Accepted,
    /// Background information.
    Dim,
}

impl ColorRole {
    /// Red, green and blue. The colours also differ in brightness, for people with colour blindness.
    pub fn rgb(self) -> (u8, u8, u8) {
        match self {
            ColorRole::Base => (0x8a, 0x93, 0xa1),
            ColorRole::Head => (0x0b, 0x5f, 0xce),
            ColorRole::Bad => (0xb3, 0x26, 0x1e),
            ColorRole::Good => (0x1a, 0x7f, 0x37),
            ColorRole::Open => (0xc0, 0x80, 0x10),
            ColorRole::Accepted => (0x7a, 0x3f, 0xb0),
            ColorRole::Dim => (0x6b, 0x74, 0x82),
        }
    }
}

/// The form of a dot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A filled circle.
    Circle,
    /// A filled triangle.
    Triangle,
    /// A filled square.
    Square,
    /// An empty circle.
    Ring,
    /// Two crossed lines.
    Cross,
}

impl ColorRole {
    /// The shape of dots of this colour, for people who cannot distinguish the colours.
    pub fn shape(self) -> Shape {
        match self {
            ColorRole::Bad => Shape::Triangle,
            ColorRole::Good => Shape::Square,
            ColorRole::Open => Shape::Ring,
            ColorRole::Accepted => Shape::Cross,
            ColorRole::Base | ColorRole::Head | ColorRole::Dim => Shape::Circle,
        }
    }
}

/// A name for a chart. One in a script from right to left is isolated, so that numbers after it stay at its right.
pub fn name(name: &str, longest: usize) -> String {
    let name = text(name, longest);
    let is_right_to_left = |c: char| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}');
    if name.chars().any(is_right_to_left) { format!("\u{2068}{name}\u{2069}") } else { name }
}

/// Text for a chart: one line of at most `longest` characters, without control characters and characters invalid in XML.
pub fn text(text: &str, longest: usize) -> String {
    let text = escape::message(text).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}");
    let count = text.chars().count();
    if count <= longest {
        return text;
    }
    let kept = longest.saturating_sub(1) / 2;
    let head: String = text.chars().take(kept).collect();
    let tail: String = text.chars().skip(count - kept).collect();
    format!("{head}…{tail}")
}

/// Ticks at round numbers, about `about` of them.
pub fn ticks((low, high): (f64, f64), about: usize) -> Vec<(f64, String)> {
    let rough = (high - low) / about.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return Vec::new();
    }
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|round| round * power).find(|step| *step >= rough).unwrap_or(rough);
    let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last)
        .map(|i| i as f64 * step)
        .map(|at| (at, format!("{at:.decimals$}").replace("-0", "0").replace('-', "−")))
        .collect()
}

/// A range around values with a margin at both ends; never empty.
pub fn around(values: impl Iterator<Item = f64>, margin: f64) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    if low > high {
        return (0.0, 1.0);
    }
    // Equal values need a range too, relative to their size.
    let spare = (margin * (high - low)).max(1e-3 * low.abs().max(high.abs())).max(1e-9);
    (low - spare, high + spare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_inside_the_range() {
        let labels = |range, about| ticks(range, about).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(labels((0.0, 10.0), 5), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(labels((0.93, 1.21), 4), ["1.0", "1.1", "1.2"]);
        assert_eq!(labels((-2.0, 2.0), 4), ["−2", "−1", "0", "1", "2"]);
        assert!(labels((1.0, 1.0), 4).is_empty() && labels((0.0, f64::NAN), 4).is_empty());
    }

    #[test]
    fn a_range_holds_all_values_and_is_never_empty() {
        assert_eq!(around([1.0, 3.0, f64::NAN].into_iter(), 0.5), (0.0, 4.0));
        assert_eq!(around([1000.0].into_iter(), 0.1), (999.0, 1001.0));
        assert_eq!(around([].into_iter(), 0.1), (0.0, 1.0));
    }

    #[test]
    fn a_name_from_right_to_left_is_isolated() {
        assert_eq!(name("מהיר", 10), "\u{2068}מהיר\u{2069}");
        assert_eq!(name("parse/größe", 20), "parse/größe");
    }

    #[test]
    fn a_text_is_one_visible_line_of_bounded_length() {
        assert_eq!(text("a\nb\u{1b}\u{202e}\u{ffff}", 80), "a\\nb\\u{1b}\\u{202e}\u{fffd}");
        assert_eq!(text("abcdefghij", 7), "abc…hij");
    }
}
