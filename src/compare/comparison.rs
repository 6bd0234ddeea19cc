//! The difference of one metric of one benchmark between both sides.

use super::SideValue;
use crate::model::{BenchId, ClassBenchmark, Metric, SampleGroups, SampleStatistics, Work};
use crate::stats::counts::CountChange;
use crate::stats::estimate::Estimate;
use std::borrow::Cow;
use std::sync::Arc;

/// One metric of one benchmark on both sides.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The benchmark, by its name in head; with the machine class where several measured it.
    pub benchmark: BenchId,
    /// The machine class and the benchmark's own name, where several classes measured it.
    pub per_class: Option<Box<ClassBenchmark>>,
    /// The metric.
    pub metric: Arc<Metric>,
    /// The tool that measured it.
    pub tool: Cow<'static, str>,
    /// The work of one operation, where known.
    pub work: Option<Work>,
    /// Work per operation of head divided by that of base, where they differ: the change is per unit of work.
    pub work_ratio: Option<f64>,
    /// Why base and head were sampled too differently to be compared. The change is still tested, because its benchmark
    /// contributes to the noise estimate of the suite.
    pub other_settings: Option<String>,
    /// The value of the base.
    pub base: Option<SideValue>,
    /// The index of the newest run of base that has a value.
    pub newest_base_run: Option<usize>,
    /// The label of base's unit, where it differs from that of the metric.
    pub base_unit: Option<Box<str>>,
    /// The value of the head.
    pub head: Option<SideValue>,
    /// The difference.
    pub effect: Effect,
    /// The tested change of the typical mean of the samples, where it differs from the change of the fast edge in
    /// `effect`.
    pub mean: Option<Box<Estimate>>,
    /// How much worse the mean of all samples is in every head run than in every base run, on the log scale, where that is much.
    /// It also shows a few very slow samples, which the typical mean leaves out.
    pub least_change_of_means: Option<f64>,
    /// The groups that the samples of base and head fall into.
    pub sample_groups: Option<Box<[Option<SampleGroups>; 2]>>,
    /// Statistics of the samples of base and head, where they were read.
    pub statistics: Option<Box<[Option<SampleStatistics>; 2]>>,
    /// The clock of the processor of head, where its results state it.
    pub clock_mhz: Option<f32>,
    /// The iterations of a sample, or of the whole run: the smaller number of base and head, where both state it.
    pub iterations: Option<f32>,
    /// True for a suspect that was re-measured.
    pub re_measured: bool,
}

/// The difference of two sides.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Only in the base.
    BaseOnly,
    /// Only in the base, because it was not run for head.
    NotRun,
    /// Only in the head.
    HeadOnly,
    /// The benchmark failed in head.
    Failed(FailedInHead),
    /// The values cannot be compared, or the result of a side could not be read; why.
    Invalid(String),
    /// A suspect of which too few re-measured runs have results.
    NotConfirmed {
        /// Whether the first measurement shows a change for the worse.
        worse: bool,
        /// Which results are missing.
        why: String,
    },
    /// One side has values, and the other one is zero, wholly or mostly: no ratio can be computed.
    Zero {
        /// Whether this is a change for the worse.
        worse: bool,
        /// Which values are zero.
        why: &'static str,
    },
    /// Exact counts, compared without a test: `ln` of the ratio, larger is worse; infinite from zero.
    Exact(f64),
    /// Few events, compared as counts. Whether more events are worse depends on the metric's direction.
    Counts(CountChange),
    /// A tested change with its uncertainty.
    Estimated(Estimate),
}

/// Why a benchmark failed in head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedInHead {
    /// The tool's message, which may be empty.
    pub why: String,
    /// Whether it failed in base too.
    pub in_base: bool,
}

impl Comparison {
    /// Statistics of the samples of base and head.
    pub fn statistics(&self) -> [Option<&SampleStatistics>; 2] {
        self.statistics.as_deref().map_or([None, None], |[base, head]| [base.as_ref(), head.as_ref()])
    }

    /// For base runs of one commit: none of them is newer than the others.
    pub(super) fn clear_newest_base_share(&mut self) {
        if let Effect::Counts(counts) = &mut self.effect {
            counts.newest_base_share = 0.0;
        }
    }

    /// The benchmark's own name, which the config is matched with.
    pub fn own_name(&self) -> &str {
        self.per_class.as_ref().map_or(self.benchmark.as_str(), |one| &one.benchmark)
    }

    /// True for a benchmark that failed in head.
    pub fn is_failed(&self) -> bool {
        matches!(self.effect, Effect::Failed(_))
    }

    /// The estimate, where there is one.
    pub fn estimate(&self) -> Option<&Estimate> {
        match &self.effect {
            Effect::Estimated(estimate) => Some(estimate),
            _ => None,
        }
    }
}
