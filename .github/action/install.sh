#!/usr/bin/env bash
# Finds a perfgate binary for this runner and writes its path to the step's outputs. Tries, in this order: the input `binary`
# (for runners without internet access), the binary of the action's release, and a build from source (a later step).
# A downloaded binary must have the SHA-256 sum of its release and, if `gh` is available, GitHub's attestation of the release
# workflow and of the commit. Otherwise the action fails; it does not build from source instead.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
work="$(mktemp -d "${RUNNER_TEMP:-/tmp}/perfgate-install-XXXXXX")"
suffix=""; [ "${RUNNER_OS:-}" != Windows ] || suffix=.exe

set_output() { printf '%s=%s\n' "$1" "$2" >> "$GITHUB_OUTPUT"; }
refuse() { echo "::error title=perfgate::$1"; exit 2; }
use() { echo "perfgate: $1 ($2)"; set_output binary "$1"; exit 0; }

if [ -n "${PERFGATE_BINARY:-}" ]; then
  "$PERFGATE_BINARY" --version > /dev/null || refuse "the input binary does not run on this runner"
  use "$PERFGATE_BINARY" "the input binary"
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
fetch() { curl --fail --silent --show-error --location --proto '=https' --retry 3 --max-time 120 --output "$work/$1" "$base/$1"; }

# Downloads from the release of the version in the action's Cargo.toml. Unless the action is used by a version tag, the
# release must have been built from exactly that commit.
download() {
  local server="${GITHUB_SERVER_URL:-https://github.com}" file tag expected commit
  case "${ACTION_REPOSITORY:-}" in */*) ;; *) echo "the action is used from a local path, which has no release"; return 1 ;; esac
  file="perfgate-$(target)$suffix" || { echo "releases have no binary for this runner"; return 1; }
  tag="v$(sed -n 's/^version = "\(.*\)"/\1/p' "$here/Cargo.toml" | head -n 1)"
  base="$server/$ACTION_REPOSITORY/releases/download/$tag"
  fetch SHA256SUMS && fetch COMMIT && fetch "$file" || { echo "the release $tag has no binary for this runner"; return 1; }
  for one in COMMIT "$file"; do
    expected="$(awk -v name="$one" '$2 == name || $2 == "*" name { print $1 }' "$work/SHA256SUMS")"
    [ -n "$expected" ] && [ "$expected" = "$(sum "$work/$one")" ] || { echo "$one does not have the SHA-256 sum of the release $tag"; return 2; }
  done
  commit="$(tr -d '[:space:]' < "$work/COMMIT")"
  case "${ACTION_REF:-}" in
    v[0-9]*) ;;
    *) [ "$commit" = "${ACTION_REF:-}" ] || { echo "the release $tag was not built from ${ACTION_REF:-this commit}"; return 1; } ;;
  esac
  if [ "$server" = https://github.com ] && command -v gh > /dev/null && [ -n "${GH_TOKEN:-}" ]; then
    gh attestation verify "$work/$file" --repo "$ACTION_REPOSITORY" --source-digest "$commit" \
      --signer-workflow "$ACTION_REPOSITORY/.github/workflows/release.yml" > "$work/attestation" 2>&1 || {
      echo "the attestation of the binary of $tag failed: $(tail -n 3 "$work/attestation" | tr '\n' ' ')"; return 2; }
  fi
  mv "$work/$file" "$work/perfgate$suffix"
  chmod +x "$work/perfgate$suffix"
  "$work/perfgate$suffix" --version || { echo "the binary of $tag does not run on this runner"; return 1; }
}

status=0
download > "$work/why" || status=$?
case "$status" in
  0) cat "$work/why"; use "$work/perfgate$suffix" "release" ;;
  2) refuse "$(tr '\n' ' ' < "$work/why")" ;;
esac
echo "building perfgate from source: $(tr '\n' ' ' < "$work/why")"
build="${RUNNER_TEMP:-/tmp}/perfgate-build"
source="$(cd "$here" && cat Cargo.toml Cargo.lock $(find src templates -type f | LC_ALL=C sort) > "$work/source" && sum "$work/source")"
set_output binary "$build/release/perfgate$suffix"
set_output build "$build"
set_output source "$source"
