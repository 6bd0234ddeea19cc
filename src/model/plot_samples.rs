//! One run's samples, thinned out: enough for a picture of them, and no more than a picture needs.

use serde::{Deserialize, Serialize};

/// What is kept of a run's samples for a picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlotSamples {
    /// How many samples there were.
    pub samples: u64,
    /// Ascending, at equal shares from the least to the largest, in the metric's unit; of few samples each one. One value
    /// where the centre is all that is known.
    pub values: Vec<f64>,
}

impl PlotSamples {
    /// The value in the middle.
    pub fn centre(&self) -> Option<f64> {
        let middle = self.values.len().checked_sub(1)?;
        Some((self.values.get(middle / 2)? + self.values.get(middle.div_ceil(2))?) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_is_the_middle_of_the_values() {
        let centre = |values: &[f64]| PlotSamples { samples: 9, values: values.to_vec() }.centre();
        assert_eq!((centre(&[]), centre(&[3.0]), centre(&[1.0, 2.0])), (None, Some(3.0), Some(1.5)));
        assert_eq!(centre(&[1.0, 4.0, 9.0]), Some(4.0));
    }
}
