//! Draws a chart as SVG with plotters, for machines without gnuplot. It needs no system fonts: the width of text is
//! estimated. The same chart gives the same bytes.

use super::chart::{Chart, ColorRole, Layer, Marks, Shape};
use plotters::backend::DrawingBackend;
use plotters::prelude::{Color, RGBColor, SVGBackend, ShapeStyle, TextStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontTransform, IntoFont};
use unicode_width::UnicodeWidthStr;

/// Why a chart cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw the chart {file_stem:?}: {why}")]
pub struct PictureError {
    file_stem: String,
    why: String,
}

/// Font size for plotters (in the SVG it is a fifth less), and the width of a character in pixels.
const TEXT: f64 = 15.0;
const COLUMN: f64 = 6.6;
/// Margins above, at the right and below, in pixels.
const ABOVE: f64 = 58.0;
const RIGHT: f64 = 24.0;
const BELOW: f64 = 48.0;
/// Length of a tick, in pixels.
const TICK: f64 = 5.0;

type Drawn = Result<(), String>;

/// The chart as an SVG document.
pub fn svg(chart: &Chart) -> Result<String, PictureError> {
    let mut out = String::new();
    let drawn = Canvas::new(chart, &mut out).draw();
    drawn.map(|()| out).map_err(|why| PictureError { file_stem: chart.file_stem.clone(), why })
}

struct Canvas<'a> {
    chart: &'a Chart,
    backend: SVGBackend<'a>,
    /// The edges of the plot area.
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl<'a> Canvas<'a> {
    fn new(chart: &'a Chart, out: &'a mut String) -> Self {
        let (width, height) = (f64::from(chart.size.0), f64::from(chart.size.1));
        let widest = chart.y.ticks.iter().map(|(_, text)| text.width()).max().unwrap_or_default();
        let label = if chart.y.label.is_empty() { 0.0 } else { 22.0 };
        let left = (widest as f64 * COLUMN + 18.0 + label).min(0.6 * width);
        let backend = SVGBackend::with_string(out, chart.size);
        Canvas { chart, backend, left, right: width - RIGHT, top: ABOVE, bottom: height - BELOW }
    }

    fn draw(mut self) -> Drawn {
        let (width, height) = (f64::from(self.chart.size.0), f64::from(self.chart.size.1));
        self.area(&[(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)], RGBColor(255, 255, 255), 1.0)?;
        let middle = (self.left + self.right) / 2.0;
        self.text(&self.chart.title, (width / 2.0, 18.0), HPos::Center, FontTransform::None)?;
        self.legend()?;
        self.axes()?;
        for layer in &self.chart.layers {
            self.layer(layer)?;
        }
        self.text(&self.chart.x.label, (middle, height - 12.0), HPos::Center, FontTransform::None)?;
        let across = (self.top + self.bottom) / 2.0;
        self.text(&self.chart.y.label, (14.0, across), HPos::Center, FontTransform::Rotate270)?;
        self.backend.present().map_err(|error| error.to_string())
    }

    fn x(&self, value: f64) -> f64 {
        let (low, high) = self.chart.x.range;
        self.left + (value - low) / (high - low) * (self.right - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        let (low, high) = self.chart.y.range;
        self.bottom - (value - low) / (high - low) * (self.bottom - self.top)
    }

    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x(x), self.y(y))
    }

    fn axes(&mut self) -> Drawn {
        let (grey, light) = (RGBColor(0x70, 0x78, 0x84), RGBColor(0xe2, 0xe6, 0xeb));
        for (at, text) in &self.chart.x.ticks {
            let x = self.x(*at);
            if self.chart.x.grid {
                self.line(&[(x, self.top), (x, self.bottom)], light, 1)?;
            }
            self.line(&[(x, self.bottom), (x, self.bottom + TICK)], grey, 1)?;
            self.text(text, (x, self.bottom + 15.0), HPos::Center, FontTransform::None)?;
        }
        for (at, text) in &self.chart.y.ticks {
            let y = self.y(*at);
            if self.chart.y.grid {
                self.line(&[(self.left, y), (self.right, y)], light, 1)?;
            }
            self.line(&[(self.left - TICK, y), (self.left, y)], grey, 1)?;
            self.text(text, (self.left - 9.0, y), HPos::Right, FontTransform::None)?;
        }
        self.line(&[(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)], grey, 1)
    }

    /// The legend, in a line below the title.
    fn legend(&mut self) -> Drawn {
        const SWATCH: f64 = 14.0;
        const GAP: f64 = 22.0;
        let entries: Vec<(&Layer, &str)> =
            self.chart.layers.iter().filter_map(|layer| Some((layer, layer.legend.as_deref()?))).collect();
        let entry_width = |text: &str| SWATCH + 6.0 + text.width() as f64 * COLUMN + GAP;
        let whole: f64 = entries.iter().map(|(_, text)| entry_width(text)).sum::<f64>() - GAP;
        let mut x = ((f64::from(self.chart.size.0) - whole) / 2.0).max(4.0);
        for (layer, text) in entries {
            let (y, color) = (40.0, color(layer.role));
            match layer.marks {
                Marks::Area(_) => {
                    let corners = [(x, y - 5.0), (x + SWATCH, y - 5.0), (x + SWATCH, y + 5.0), (x, y + 5.0)];
                    self.area(&corners, color, SHADE)?;
                }
                Marks::Dots(_) => self.dot((x + SWATCH / 2.0, y), 3, color, 1.0)?,
                Marks::Line(_) => self.line(&[(x, y), (x + SWATCH, y)], color, 2)?,
                Marks::Spans(_) => {
                    self.line(&[(x, y), (x + SWATCH, y)], color, 2)?;
                    self.mark((x + SWATCH / 2.0, y), layer.role)?;
                }
                Marks::ThinLine(_) => self.line(&[(x, y), (x + SWATCH, y)], color, 1)?,
            }
            self.text(text, (x + SWATCH + 6.0, y), HPos::Left, FontTransform::None)?;
            x += entry_width(text);
        }
        Ok(())
    }

    fn layer(&mut self, layer: &Layer) -> Drawn {
        let color = color(layer.role);
        match &layer.marks {
            Marks::Area(points) => {
                let low = points.iter().map(|(x, low, _)| (*x, *low));
                let high = points.iter().rev().map(|(x, _, high)| (*x, *high));
                let outline: Vec<(f64, f64)> = low.chain(high).map(|point| self.at(point)).collect();
                if outline.is_empty() { Ok(()) } else { self.area(&outline, color, SHADE) }
            }
            Marks::Line(points) | Marks::ThinLine(points) => {
                let width = if matches!(layer.marks, Marks::Line(_)) { 2 } else { 1 };
                let points: Vec<(f64, f64)> = points.iter().map(|point| self.at(*point)).collect();
                if points.is_empty() { Ok(()) } else { self.line(&points, color, width) }
            }
            Marks::Dots(points) => points.iter().try_for_each(|point| self.dot(self.at(*point), 2, color, 0.75)),
            Marks::Spans(spans) => spans.iter().try_for_each(|(from, x, to, y)| {
                self.line(&[self.at((*from, *y)), self.at((*to, *y))], color, 2)?;
                self.mark(self.at((*x, *y)), layer.role)
            }),
        }
    }

    fn line(&mut self, points: &[(f64, f64)], color: RGBColor, width: u32) -> Drawn {
        let style = ShapeStyle { color: color.to_rgba(), filled: false, stroke_width: width };
        self.backend.draw_path(points.iter().copied().map(pixel), &style).map_err(|error| error.to_string())
    }

    fn area(&mut self, outline: &[(f64, f64)], color: RGBColor, opacity: f64) -> Drawn {
        let style = ShapeStyle { color: color.mix(opacity), filled: true, stroke_width: 0 };
        self.backend.fill_polygon(outline.iter().copied().map(pixel), &style).map_err(|error| error.to_string())
    }

    fn dot(&mut self, at: (f64, f64), radius: u32, color: RGBColor, opacity: f64) -> Drawn {
        let style = ShapeStyle { color: color.mix(opacity), filled: true, stroke_width: 1 };
        self.backend.draw_circle(pixel(at), radius, &style, true).map_err(|error| error.to_string())
    }

    /// A dot in the colour and shape of a role.
    fn mark(&mut self, (x, y): (f64, f64), role: ColorRole) -> Drawn {
        let color = color(role);
        match role.shape() {
            Shape::Circle => self.dot((x, y), 4, color, 1.0),
            Shape::Triangle => self.area(&[(x, y - 6.0), (x + 5.0, y + 4.0), (x - 5.0, y + 4.0)], color, 1.0),
            Shape::Square => {
                self.area(&[(x - 4.0, y - 4.0), (x + 4.0, y - 4.0), (x + 4.0, y + 4.0), (x - 4.0, y + 4.0)], color, 1.0)
            }
            Shape::Ring => {
                self.dot((x, y), 5, color, 1.0)?;
                self.dot((x, y), 3, RGBColor(255, 255, 255), 1.0)
            }
            Shape::Cross => {
                self.line(&[(x - 4.0, y - 4.0), (x + 4.0, y + 4.0)], color, 2)?;
                self.line(&[(x - 4.0, y + 4.0), (x + 4.0, y - 4.0)], color, 2)
            }
        }
    }

    fn text(&mut self, text: &str, at: (f64, f64), anchor: HPos, turn: FontTransform) -> Drawn {
        if text.is_empty() {
            return Ok(());
        }
        let style = TextStyle::from(("sans-serif", TEXT).into_font())
            .pos(Pos::new(anchor, VPos::Center))
            .color(&RGBColor(0x1d, 0x24, 0x30))
            .transform(turn);
        self.backend.draw_text(text, &style, pixel(at)).map_err(|error| error.to_string())
    }
}

/// Opacity of areas.
const SHADE: f64 = 0.2;

fn color(role: ColorRole) -> RGBColor {
    let (red, green, blue) = role.rgb();
    RGBColor(red, green, blue)
}

fn pixel((x, y): (f64, f64)) -> (i32, i32) {
    (x.round() as i32, y.round() as i32)
}
