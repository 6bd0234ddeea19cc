//! The perfgate binary: parse, dispatch, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    perfgate::cli::main()
}
