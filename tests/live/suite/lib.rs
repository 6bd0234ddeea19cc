//! The benchmarks in benches/suite.rs use the standard library alone.
