//! The perfgate binary: parse, dispatch, exit code.

use std::process::ExitCode;

/// Two threads at once in musl's own allocator take turns.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    perfgate::cli::main()
}
