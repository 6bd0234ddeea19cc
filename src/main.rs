//! The perfgate binary: parse, dispatch, exit code.

use std::process::ExitCode;

/// musl's allocator serializes threads: with it, `compare` on two threads takes 2.5 times as long.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    perfgate::cli::main()
}
