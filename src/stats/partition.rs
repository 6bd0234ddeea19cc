//! Optimal partitioning of a series into segments of constant level, exact and in one pass.
//!
//! The cost of a segment is the sum of `min((y - level)^2, cap)` over its points, and every further segment costs
//! `penalty`. The cap makes it robust: an outlier costs `cap` and does not move the level. Functional pruning: for every
//! possible level of the last segment the lowest cost so far is kept, as pieces of parabolas (Maidstone et al. 2017; for
//! the capped loss, Fearnhead and Rigaill 2019).

/// On an interval of levels: the cost `count (level - at)^2 + floor`, with the last segment starting at `since`.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Upper end of the interval; the lower end is that of the previous piece.
    until: f64,
    count: f64,
    at: f64,
    floor: f64,
    since: usize,
}

impl Piece {
    /// Lowest cost between `from` and the end of the interval.
    fn lowest(&self, from: f64) -> f64 {
        let off = self.at.max(from).min(self.until) - self.at;
        self.count * off * off + self.floor
    }

    /// Adds a point that is within reach of every level of the piece.
    fn with_point(self, y: f64) -> Piece {
        let count = self.count + 1.0;
        let off = self.at - y;
        let at = (self.count * self.at + y) / count;
        Piece { count, at, floor: self.floor + self.count / count * off * off, ..self }
    }
}

/// Where the segments after the first start, in order.
pub(super) fn segment_starts(values: &[f64], penalty: f64, cap: f64) -> Vec<usize> {
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), y| (a.min(*y), b.max(*y)));
    let reach = cap.sqrt();
    let mut starts: Vec<usize> = Vec::with_capacity(values.len());
    let mut pieces = vec![Piece { until: high, count: 0.0, at: low, floor: 0.0, since: 0 }];
    let mut next: Vec<Piece> = Vec::new();
    let mut best = 0.0;
    for (now, y) in values.iter().enumerate() {
        if now > 0 {
            start_segment(&pieces, &mut next, low, best + penalty, now);
            std::mem::swap(&mut pieces, &mut next);
        }
        let since;
        (best, since) = add_point(&pieces, &mut next, low, *y, reach);
        starts.push(since);
        std::mem::swap(&mut pieces, &mut next);
    }
    let mut cuts = Vec::new();
    let mut end = values.len();
    while let Some(start) = end.checked_sub(1).map(|last| starts[last]).filter(|start| *start > 0) {
        cuts.push(start);
        end = start;
    }
    cuts.reverse();
    cuts
}

/// Starts a new segment at `now` for the levels where that is cheaper than continuing.
fn start_segment(pieces: &[Piece], out: &mut Vec<Piece>, low: f64, cost: f64, now: usize) {
    out.clear();
    let fresh = |until| Piece { until, count: 0.0, at: low, floor: cost, since: now };
    let mut push = |piece: Piece| match out.last_mut() {
        Some(last) if last.since == now && piece.since == now => last.until = piece.until,
        _ => out.push(piece),
    };
    let mut from = low;
    for piece in pieces {
        if piece.floor >= cost {
            push(fresh(piece.until));
        } else if piece.count == 0.0 {
            push(*piece);
        } else {
            let half = ((cost - piece.floor) / piece.count).sqrt();
            let (left, right) = (piece.at - half, piece.at + half);
            if left >= piece.until || right <= from {
                push(fresh(piece.until));
            } else {
                if left > from {
                    push(fresh(left));
                }
                push(Piece { until: right.min(piece.until), ..*piece });
                if right < piece.until {
                    push(fresh(piece.until));
                }
            }
        }
        from = piece.until;
    }
}

/// Adds the capped loss of a point to every piece; returns the lowest cost, and where its last segment starts.
fn add_point(pieces: &[Piece], out: &mut Vec<Piece>, low: f64, y: f64, reach: f64) -> (f64, usize) {
    out.clear();
    let (mut best, mut since) = (f64::INFINITY, 0);
    let (near, far) = (y - reach, y + reach);
    let mut from = low;
    for piece in pieces {
        for (until, within) in [(near, false), (far, true), (f64::INFINITY, false)] {
            let until = until.min(piece.until);
            if until < from || until == from && piece.until > from {
                continue;
            }
            let part = Piece { until, ..*piece };
            let part = if within { part.with_point(y) } else { Piece { floor: part.floor + reach * reach, ..part } };
            let lowest = part.lowest(from);
            if lowest < best {
                (best, since) = (lowest, part.since);
            }
            out.push(part);
            from = until;
            if until >= piece.until {
                break;
            }
        }
    }
    (best, since)
}
