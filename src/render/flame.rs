//! The differential flame graph of two profiles, an SVG image for a page. `inferno` places and colours the frames; its own
//! script, style and fonts are left out, because the page's content security policy allows none of them.

use super::escape;
use crate::profile::{FLAME_FRAMES, Flame, Measure};
use inferno::flamegraph::{self, Direction, Options};
use std::collections::BTreeSet;

/// Width of the image in its own units. The page scales it.
const WIDTH: usize = 1200;
/// Height of a frame.
const HEIGHT: usize = 18;
/// Nothing is drawn beyond these limits, which no real profile reaches: they bound the size of the image and keep costs
/// exact as whole numbers.
const MAX_DEPTH: usize = 256;
const MAX_COST: f64 = 1e15;

/// A name that can be part of a collapsed stack.
fn label(name: &str) -> String {
    let name = escape::terminal(name).replace(';', ",");
    let name = name.trim().trim_start_matches('#');
    if name.is_empty() { "?".to_owned() } else { name.to_owned() }
}

/// Collapsed stacks with the costs of both sides, callers before callees.
fn stacks(flame: &Flame) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    let mut lines = Vec::new();
    for frame in &flame.frames {
        path.truncate(frame.depth);
        path.push(label(&frame.name));
        let [base, head] = frame.own.map(|own| own.round() as u64);
        if base > 0 || head > 0 {
            lines.push(format!("{} {base} {head}", path.join(";")));
        }
    }
    lines
}

/// The flame graph of head, in the colours of its differences from base; `None` if there is nothing to draw.
pub(super) fn flame_graph(flame: &Flame, measure: Measure) -> Option<String> {
    let cost = |side: usize| flame.frames.iter().map(|frame| frame.own[side].max(0.0)).sum::<f64>();
    let is_real = |side: usize| cost(side) < MAX_COST;
    let depth = flame.frames.iter().map(|frame| frame.depth).max()?;
    if !is_real(0) || !is_real(1) || depth > MAX_DEPTH || flame.frames.len() > FLAME_FRAMES {
        return None;
    }
    let mut lines = stacks(flame);
    lines.reverse(); // drawn from the last one in the mode without sorting
    let mut options = Options::default();
    (options.direction, options.flame_chart) = (Direction::Inverted, true);
    (options.image_width, options.frame_height, options.min_width) = (Some(WIDTH), HEIGHT, 0.0);
    options.count_name = match measure {
        Measure::Instructions => "instructions",
        Measure::Time => "ns",
        Measure::Samples => "samples",
        Measure::Bytes => "bytes",
        Measure::Count => "events",
    }
    .to_owned();
    let mut svg = Vec::new();
    flamegraph::from_lines(&mut options, lines.iter().map(String::as_str), &mut svg).ok()?;
    let svg = String::from_utf8(svg).ok()?;
    let (_, frames) = svg.split_once("<svg id=\"frames\"")?.1.split_once('>')?;
    let frames = frames.strip_suffix("</svg></svg>")?;
    let tops = frames.split("<rect ").skip(1).filter_map(|rect| {
        let (_, top) = rect.split_once(" y=\"")?;
        top.split_once('"')?.0.parse::<usize>().ok()
    });
    let tops: BTreeSet<usize> = tops.collect();
    let (first, last) = (tops.first()?, tops.last()?);
    let height = last - first + HEIGHT;
    Some(format!(
        "<svg viewBox=\"0 {first} {WIDTH} {height}\" role=\"img\" aria-label=\"Differential flame graph. The table has its \
         largest changes.\">{frames}</svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::FlameFrame;

    fn flame(frames: &[(usize, &str, f64, f64)]) -> Flame {
        let frame = |(depth, name, base, head): &(usize, &str, f64, f64)| FlameFrame {
            depth: *depth,
            name: (*name).to_owned(),
            own: [*base, *head],
        };
        Flame { estimated: false, frames: frames.iter().map(frame).collect() }
    }

    /// The title of each frame, and its colour.
    fn drawn(svg: &str) -> Vec<(&str, &str)> {
        svg.split("<title>")
            .skip(1)
            .map(|part| {
                let title = part.split("</title>").next().unwrap();
                (title, part.split("fill=\"").nth(1).unwrap().split('"').next().unwrap())
            })
            .collect()
    }

    #[test]
    fn frames_have_heads_cost_and_the_colour_of_the_change() {
        let flame = flame(&[(0, "main", 150.0, 100.0), (1, "parse", 300.0, 800.0), (1, "same", 100.0, 100.0)]);
        let svg = flame_graph(&flame, Measure::Instructions).unwrap();
        let frames = drawn(&svg);
        let of = |name: &str| *frames.iter().find(|(title, _)| title.starts_with(name)).unwrap();
        assert_eq!(frames.len(), 4, "{svg}");
        assert_eq!(of("parse"), ("parse (800 instructions, 80.00%; +50.00%)", "rgb(255,100,100)"));
        assert_eq!(of("same"), ("same (100 instructions, 10.00%; 0.00%)", "rgb(250,250,250)"));
        assert_eq!(of("main").0, "main (1,000 instructions, 100.00%; -5.00%)");
        assert!(of("main").1.ends_with(",255)"));
        assert!(
            svg.contains("viewBox=\"0 ")
                && !svg.contains("<script")
                && !svg.contains("<style")
                && !svg.contains(" id=")
        );
    }

    #[test]
    fn hostile_names_are_text() {
        let names = ["</svg><script>alert(1)</script>", "# comment", "", "a;b 7 9", "\u{1b}[2J\n", "é\"'&"];
        let frames: Vec<_> = names.iter().map(|name| (0, *name, 0.0, 10.0)).collect();
        let svg = flame_graph(&flame(&frames), Measure::Samples).unwrap();
        assert_eq!(drawn(&svg).len(), names.len() + 1, "{svg}");
        assert!(!svg.contains("<script") && !svg.contains('\u{1b}') && svg.contains("a,b 7 9 (10 samples"), "{svg}");
    }

    #[test]
    fn the_size_is_bounded_and_strange_frames_are_not_drawn() {
        let name = "app::module::function_with_a_long_name".repeat(2);
        let many: Vec<_> = (0..FLAME_FRAMES).map(|n| (n % 60, name.as_str(), 1.0, 100.0)).collect();
        let svg = flame_graph(&flame(&many), Measure::Time).unwrap();
        assert!(svg.len() < 300_000, "{}", svg.len());
        assert_eq!(flame_graph(&flame(&[many, vec![(0, "a", 1.0, 1.0)]].concat()), Measure::Time), None);
        for cost in [0.0, -1.0, 1e300, f64::INFINITY, f64::NAN] {
            let _ = flame_graph(&flame(&[(0, "a", 0.0, cost)]), Measure::Time);
            let _ = flame_graph(&flame(&[(0, "a", cost, 1.0)]), Measure::Time);
        }
        assert!(flame_graph(&flame(&[(9, "a", 0.0, 1.0), (500, "b", 0.0, 1.0)]), Measure::Time).is_none());
        assert!(flame_graph(&flame(&[(9, "a", 0.0, 1.0), (3, "b", 0.0, 1.0)]), Measure::Time).is_some());
    }
}
