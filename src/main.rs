//! The perfgate binary: parse, dispatch, exit code.

fn main() {}
