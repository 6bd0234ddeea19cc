//! perfgate is a performance-regression gate: it reads the results of benchmark tools, compares them with a baseline, and
//! decides pass or fail.
//!
//! The command line program is built on the library in [`gate`], which is all that other programs need:
//!
//! - [`Gate`](gate::Gate) compares two sets of results, or results with stored runs, and stores results.
//! - [`Report`](gate::Report) is the outcome: a verdict, and a [`Finding`](gate::Finding) for each metric of each
//!   benchmark. It can be written and read with serde; that is the format of `perfgate compare --save`.
//! - [`Error`](gate::Error) states why there is no verdict.
//!
//! ```
//! use perfgate::gate::{Gate, Outcome};
//!
//! let results = "tests/data/criterion-08/criterion";
//! let report = Gate::builder().build()?.compare(&[format!("{results}@before")], &[format!("{results}@after")])?;
//! for finding in report.benchmarks.iter().filter(|finding| finding.outcome == Outcome::Regressed) {
//!     println!("{} got slower by {:.0}%", finding.name, 100.0 * finding.change.unwrap_or_default());
//! }
//! # assert_eq!(report.counts.regressed, 1);
//! # Ok::<(), perfgate::gate::Error>(())
//! ```
//!
//! # How the code is organized
//!
//! Each module is a layer that imports only layers below it. All of them but `gate` are private; the feature `internals`
//! opens them for this repository's own tests, benches, examples and fuzz targets, without any promise.
//!
//! | layer | what it does |
//! |---|---|
//! | `cli` | arguments, output and exit codes, one file per command; decides nothing |
//! | `gate` | chooses the base, re-measures suspects, reaches the verdict: the library |
//! | `render` | a report as a table, Markdown, JSON, HTML, JUnit, charts |
//! | `replay` | repeats the comparisons of the stored history with other settings |
//! | `verdict` | makes findings and a report from a comparison and a policy |
//! | `compare` | compares base runs with head runs |
//! | `profile` | reads profiles and finds the functions that grew |
//! | `history` | makes series with change points from runs |
//! | `policy` | reads and checks `perfgate.toml` |
//! | `formats` | reads the output of benchmark tools; one file per format |
//! | `io` | everything that uses the disk, the network, processes, the clock or git |
//! | `stats` | numbers only: tests, intervals, change points |
//! | `model` | benchmarks, metrics, measurements, runs, and how they are stored |

// The layers re-export types that only the tests of this repository name.
#![cfg_attr(not(feature = "internals"), allow(unused_imports))]

#[doc(hidden)]
pub mod cli;
pub mod gate;

#[cfg(not(feature = "internals"))]
mod compare;
#[cfg(feature = "internals")]
pub mod compare;

#[cfg(not(feature = "internals"))]
mod formats;
#[cfg(feature = "internals")]
pub mod formats;

#[cfg(not(feature = "internals"))]
mod history;
#[cfg(feature = "internals")]
pub mod history;

#[cfg(not(feature = "internals"))]
mod io;
#[cfg(feature = "internals")]
pub mod io;

#[cfg(not(feature = "internals"))]
mod model;
#[cfg(feature = "internals")]
pub mod model;

#[cfg(not(feature = "internals"))]
mod policy;
#[cfg(feature = "internals")]
pub mod policy;

#[cfg(not(feature = "internals"))]
mod profile;
#[cfg(feature = "internals")]
pub mod profile;

#[cfg(not(feature = "internals"))]
mod render;
#[cfg(feature = "internals")]
pub mod render;

#[cfg(not(feature = "internals"))]
mod replay;
#[cfg(feature = "internals")]
pub mod replay;

#[cfg(not(feature = "internals"))]
mod stats;
#[cfg(feature = "internals")]
pub mod stats;

#[cfg(not(feature = "internals"))]
mod verdict;
#[cfg(feature = "internals")]
pub mod verdict;
