#!/usr/bin/env bash
# Runs actionlint, zizmor, check-jsonschema and workflows.py on action.yml, this repository's workflows and those of `perfgate init --github --pages`.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools="$(cd "$1" && pwd)/venv/bin"
perfgate="$(cd "$(dirname "$2")" && pwd)/$(basename "$2")"
room="$(mktemp -d)"
trap 'rm -rf "$room"' EXIT

git -C "$room" init -q -b main
(cd "$room" && "$perfgate" init --github --pages --action OWNER/perfgate@v1 2> /dev/null)
# The workflows of the documentation are short: they pin nothing, so zizmor does not check them.
mkdir "$room/docs"
for page in README docs/github; do
  awk '/^```yaml/ { text = ""; inside = 1; next } /^```/ { if (inside && text ~ /perfgate@/ && text ~ /jobs:/) printf "%s", text; inside = 0 } inside { text = text $0 "\n" }' \
    "$page.md" > "$room/docs/${page##*/}.yml"
done
mkdir "$room/ours"
cp -r action.yml .github "$room/ours"

(cd "$room/ours" && git init -q && "$tools/actionlint" -no-color && "$tools/zizmor" --offline --no-progress --persona auditor --format plain .)
"$tools/check-jsonschema" --builtin-schema vendor.github-actions action.yml
"$tools/python" tests/e2e/workflows.py .github/workflows/release.yml "$room/.github/workflows"
"$tools/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml "$room"/.github/workflows/*.yml "$room"/docs/*.yml
(cd "$room" && rm -rf ours && "$tools/actionlint" -no-color && "$tools/actionlint" -no-color docs/*.yml && rm -r docs && "$tools/zizmor" --offline --no-progress --persona auditor --format plain .)
