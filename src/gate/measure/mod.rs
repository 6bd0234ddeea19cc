//! Measuring base and head on this machine: both are checked out and built, run in turn, screened, and the suspects
//! re-measured. `compare::schedule` chooses their order.

mod bench;
mod counting;
mod error;
mod plan;
mod rounds;
mod session;
mod targets;

pub(super) use bench::{Bench, Executable, PROCESS, SideCheckout, build_of, failed};
pub use error::MeasureError;
pub(crate) use plan::{BenchCommand, MeasurePlan, Progress};

use super::builder::Gate;
use super::confirm::MeasuredRuns;
use super::error::Error;
use crate::verdict::Report;
use session::Session;

/// Measures base and head and judges them.
pub(crate) fn measure(
    gate: &Gate,
    command: &BenchCommand,
    plan: &MeasurePlan,
    progress: &dyn Progress,
) -> Result<(Report, MeasuredRuns), Error> {
    let mut bench = Bench::open(gate, command)?;
    let mut session = Session::new(gate, plan, progress, bench.repository.head()?);
    let report = session.measure(&mut bench);
    close(bench, progress); // before anything is reported
    session.finish(report)
}

/// Measures head in place and stores each run.
pub(crate) fn measure_and_store(
    gate: &Gate,
    command: &BenchCommand,
    plan: &MeasurePlan,
    progress: &dyn Progress,
) -> Result<(), Error> {
    let mut bench = Bench::open(gate, command)?;
    let mut session = Session::new(gate, plan, progress, bench.repository.head()?);
    let stored = session.measure_and_store(&mut bench);
    close(bench, progress);
    session.finish(stored).map(|((), _)| ())
}

/// Measures head in place.
pub(crate) fn measure_head(
    gate: &Gate,
    command: &BenchCommand,
    plan: &MeasurePlan,
    progress: &dyn Progress,
) -> Result<MeasuredRuns, Error> {
    let mut bench = Bench::open(gate, command)?;
    let mut session = Session::new(gate, plan, progress, bench.repository.head()?);
    let measured = session.measure_head(&mut bench);
    close(bench, progress);
    session.finish(measured).map(|((), runs)| runs)
}

/// Removes the checkouts, and reports what cannot be removed.
pub(super) fn close(bench: Bench<'_>, progress: &dyn Progress) {
    if let Some(left) = bench.close() {
        progress.message(&left.to_string());
    }
}
