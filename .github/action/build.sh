#!/usr/bin/env bash
# Builds perfgate from the action's source, unless a cached build works.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
for binary in "$PERFGATE_BUILD/release/perfgate" "$PERFGATE_BUILD/release/perfgate.exe"; do
  if [ -x "$binary" ] && "$binary" --version; then exit 0; fi
done
command -v cargo > /dev/null || {
  echo "::error title=perfgate::no release has a binary for this runner, and cargo is not installed; install Rust, or use a tagged version of the action"
  exit 2
}
cargo build --release --locked --manifest-path "$here/Cargo.toml" --target-dir "$PERFGATE_BUILD"
# Keep only the binary in the cache.
find "$PERFGATE_BUILD" -mindepth 1 -maxdepth 1 ! -name release -exec rm -rf {} +
find "$PERFGATE_BUILD/release" -mindepth 1 -maxdepth 1 ! -name perfgate ! -name perfgate.exe -exec rm -rf {} +
