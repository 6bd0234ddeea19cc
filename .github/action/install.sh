#!/usr/bin/env bash
# Finds a perfgate for this runner and says where it is. In this order: the one that PERFGATE_BINARY names (for runners
# without the internet), the binary of the release that this very action comes from, or none, and then it is built.
# A binary is taken only if it has the SHA-256 sum of its release and, where `gh` can ask, GitHub's attestation.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
room="$(mktemp -d "${RUNNER_TEMP:-/tmp}/perfgate-install-XXXXXX")"
suffix=""; [ "${RUNNER_OS:-}" != Windows ] || suffix=.exe

say() { printf '%s=%s\n' "$1" "$2" >> "$GITHUB_OUTPUT"; }
use() { echo "perfgate: $1 ($2)"; say binary "$1"; exit 0; }

if [ -n "${PERFGATE_BINARY:-}" ]; then
  "$PERFGATE_BINARY" --version > /dev/null || { echo "::error title=perfgate::PERFGATE_BINARY names no perfgate that runs here"; exit 2; }
  use "$PERFGATE_BINARY" "PERFGATE_BINARY"
fi

target() {
  case "${RUNNER_OS:-}-${RUNNER_ARCH:-}" in
    Linux-X64) echo x86_64-unknown-linux-musl ;;
    Linux-ARM64) echo aarch64-unknown-linux-musl ;;
    macOS-X64) echo x86_64-apple-darwin ;;
    macOS-ARM64) echo aarch64-apple-darwin ;;
    Windows-X64) echo x86_64-pc-windows-msvc ;;
    *) return 1 ;;
  esac
}
sum() { if command -v sha256sum > /dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1; }
fetch() { curl --fail --silent --show-error --location --proto '=https' --retry 3 --max-time 120 --output "$room/$1" "$base/$1"; }

# The release of a tag is the tag's; that of a commit is its version's, if it was built from that commit.
download() {
  local server="${GITHUB_SERVER_URL:-https://github.com}" file tag expected
  case "${ACTION_REPOSITORY:-}" in */*) ;; *) echo "the action is not used from a repository of its own"; return 1 ;; esac
  file="perfgate-$(target)$suffix" || { echo "there is no binary for this runner"; return 1; }
  case "${ACTION_REF:-}" in
    v[0-9]*) tag="$ACTION_REF" ;;
    *) tag="v$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/Cargo.toml" | head -n 1)" ;;
  esac
  base="$server/$ACTION_REPOSITORY/releases/download/$tag"
  fetch SHA256SUMS && fetch COMMIT && fetch "$file" || { echo "the release $tag has no binary for this runner"; return 1; }
  for one in COMMIT "$file"; do
    expected="$(awk -v name="$one" '$2 == name || $2 == "*" name { print $1 }' "$room/SHA256SUMS")"
    [ -n "$expected" ] && [ "$expected" = "$(sum "$room/$one")" ] || { echo "$one does not have the SHA-256 sum of the release $tag"; return 1; }
  done
  case "${ACTION_REF:-}" in
    v[0-9]*) ;;
    *) [ "$(tr -d '[:space:]' < "$room/COMMIT")" = "${ACTION_REF:-}" ] || { echo "the release $tag was not built from ${ACTION_REF:-this commit}"; return 1; } ;;
  esac
  if [ "$server" = https://github.com ] && command -v gh > /dev/null && [ -n "${GH_TOKEN:-}" ]; then
    gh attestation verify "$room/$file" --repo "$ACTION_REPOSITORY" > "$room/attestation" 2>&1 || {
      echo "GitHub does not attest the binary of $tag:"; tail -n 3 "$room/attestation"; return 1; }
  fi
  mv "$room/$file" "$room/perfgate$suffix"
  chmod +x "$room/perfgate$suffix"
  "$room/perfgate$suffix" --version || { echo "the binary of $tag does not run here"; return 1; }
}

if download > "$room/why"; then
  cat "$room/why"
  use "$room/perfgate$suffix" "release"
fi
echo "perfgate is built from the action's source: $(tr '\n' ' ' < "$room/why")"
build="${RUNNER_TEMP:-/tmp}/perfgate-build"
source="$(cd "$here" && cat Cargo.toml Cargo.lock $(find src templates -type f | LC_ALL=C sort) > "$room/source" && sum "$room/source")"
say binary "$build/release/perfgate$suffix"
say build "$build"
say source "$source"
