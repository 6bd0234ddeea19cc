//! Least-squares fits of a slope between two levels to any part of a series, each in a few operations.

use std::ops::Range;

/// A slope over fewer points counts as a step.
const MIN_POINTS: usize = 6;
/// Number of positions tried first for each end of a slope.
const GRID: usize = 12;

/// Prefix sums over the points without outliers: 1, x, x², y, xy, y².
pub(super) struct PrefixSums {
    rows: Vec<[f64; 6]>,
}

/// A level up to `begin`, a straight line from there to `end`, a level from there on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slope {
    pub begin: usize,
    pub end: usize,
    /// Sum of squared residuals.
    pub cost: f64,
    /// The second level minus the first.
    pub size: f64,
    /// Variance of the size for points of variance one.
    pub variance: f64,
}

impl PrefixSums {
    /// Sums over segments, each with its level; points farther than `reach` from it are left out.
    pub fn new(values: &[f64], segments: impl Iterator<Item = (Range<usize>, f64)>, reach: f64) -> Self {
        let mut rows = vec![[0.0; 6]];
        let mut sum = [0.0; 6];
        let middle = values.first().copied().unwrap_or_default();
        for (segment, level) in segments {
            for (i, y) in values.iter().enumerate().take(segment.end).skip(segment.start) {
                if (y - level).abs() <= reach {
                    let (x, y) = (i as f64, y - middle);
                    for (sum, term) in sum.iter_mut().zip([1.0, x, x * x, y, x * y, y * y]) {
                        *sum += term;
                    }
                }
                rows.push(sum);
            }
        }
        PrefixSums { rows }
    }

    fn between(&self, from: usize, to: usize) -> [f64; 6] {
        std::array::from_fn(|k| self.rows[to][k] - self.rows[from][k])
    }

    /// Sum of squared distances from the mean.
    pub fn flat_cost(&self, from: usize, to: usize) -> f64 {
        let [n, _, _, y, _, yy] = self.between(from, to);
        if n > 0.0 { (yy - y * y / n).max(0.0) } else { 0.0 }
    }

    /// The best slope that begins in the first of two segments and ends in the second: first on a coarse grid, then by
    /// steps that get smaller.
    pub fn best_slope(&self, left: Range<usize>, right: Range<usize>) -> Option<Slope> {
        let (before, after) = (left.end - left.start, right.end - right.start);
        let fit = |begin: usize, end: usize| {
            let inside = (left.start..=left.end).contains(&begin) && (right.start..=right.end).contains(&end);
            (inside && end >= begin + MIN_POINTS).then(|| self.fit(left.start, right.end, begin, end)).flatten()
        };
        let better = |a: &Slope, b: &Slope| a.cost.total_cmp(&b.cost);
        let grid = (0..=GRID).flat_map(|i| (0..=GRID).map(move |j| (i, j)));
        let place = |(i, j)| fit(left.start + before * i / GRID, right.start + after * j / GRID);
        let mut best = grid.filter_map(place).min_by(better)?;
        let mut stride = before.max(after) / GRID;
        while stride > 0 {
            let (b, e) = (best.begin, best.end);
            let near = [(b.saturating_sub(stride), e), (b + stride, e), (b, e.saturating_sub(stride)), (b, e + stride)];
            let nearby = near.into_iter().filter_map(|(b, e)| fit(b, e)).min_by(better);
            match nearby.filter(|near| near.cost < best.cost) {
                Some(near) => best = near,
                None => stride /= 2,
            }
        }
        Some(best)
    }

    /// Least squares for the levels `a` and `b`: a point has weight `1 - w` in `a` and `w` in `b`, where `w` is 0 before the
    /// slope and 1 after it.
    fn fit(&self, from: usize, to: usize, begin: usize, end: usize) -> Option<Slope> {
        let length = (end - begin) as f64;
        let before = self.between(from, begin);
        let after = self.between(end, to);
        let [n, x, xx, y, xy, yy] = self.between(begin, end);
        // w = (i + 1 - begin) / (length + 1): strictly between the levels.
        let (shift, scale) = (begin as f64 - 1.0, length + 1.0);
        let w = (x - shift * n) / scale;
        let ww = (xx - 2.0 * shift * x + shift * shift * n) / (scale * scale);
        let wy = (xy - shift * y) / scale;
        let aa = before[0] + n - 2.0 * w + ww;
        let (ab, bb) = (w - ww, after[0] + ww);
        let (ay, by) = (before[3] + y - wy, after[3] + wy);
        let determinant = aa * bb - ab * ab;
        if determinant <= 1e-9 * aa * bb {
            return None;
        }
        let a = (bb * ay - ab * by) / determinant;
        let b = (aa * by - ab * ay) / determinant;
        let cost = (before[5] + yy + after[5] - a * ay - b * by).max(0.0);
        let variance = (aa + bb + 2.0 * ab) / determinant;
        Some(Slope { begin, end, cost, size: b - a, variance })
    }
}
