//! The samples of a run that are saved for plots.

use serde::{Deserialize, Serialize};

/// Selected samples of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlotSamples {
    /// Number of samples of the run.
    pub samples: u64,
    /// Evenly spaced quantiles from the smallest to the largest sample, ascending, in the unit of the metric; all samples of
    /// a few. One value where only the centre is known.
    pub values: Vec<f64>,
}

impl PlotSamples {
    /// The median of the values.
    pub fn centre(&self) -> Option<f64> {
        let middle = self.values.len().checked_sub(1)?;
        Some((self.values.get(middle / 2)? + self.values.get(middle.div_ceil(2))?) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_centre_is_the_median_of_the_values() {
        let centre = |values: &[f64]| PlotSamples { samples: 9, values: values.to_vec() }.centre();
        assert_eq!((centre(&[]), centre(&[3.0]), centre(&[1.0, 2.0])), (None, Some(3.0), Some(1.5)));
        assert_eq!(centre(&[1.0, 4.0, 9.0]), Some(4.0));
    }
}
