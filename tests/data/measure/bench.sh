#!/bin/sh
# A synthetic benchmark tool: writes a criterion-shaped tree for the benchmarks in the file `speeds` (a name and its
# nanoseconds per line), only for those that match the first argument. Samples vary by 1%, runs by 0.5%. The variation is
# computed from the run's number in the path of CRITERION_HOME, so it is the same at every repetition.
set -eu
run=$(basename "$(dirname "$CRITERION_HOME")" | tr -cd 0-9)
while read -r name ns; do
  if [ -n "${1:-}" ] && ! printf '%s\n' "$name" | grep -Eq "$1"; then continue; fi
  at="$CRITERION_HOME/$name/new"
  mkdir -p "$at"
  printf '{"group_id":"%s","full_id":"%s","throughput":null}' "$name" "$name" > "$at/benchmark.json"
  awk -v name="$name" -v ns="$ns" -v run="$run" '
    function wobble(i) { s = (s * 7919 + i * 104729 + 12345) % 1000003; return s / 1000003 - 0.5 }
    BEGIN {
      s = run * 7457 + length(name) * 31; for (i = 1; i <= length(name); i++) s += index("abcdefghijklmnop", substr(name, i, 1)) * 613
      level = ns * (1 + 0.005 * wobble(run))
      for (i = 1; i <= 50; i++) { iters = iters (i > 1 ? "," : "") "1000.0"; times = times (i > 1 ? "," : "") sprintf("%.1f", level * 1000 * (1 + 0.01 * wobble(i))) }
      printf "{\"sampling_mode\":\"Flat\",\"iters\":[%s],\"times\":[%s]}", iters, times
    }' > "$at/sample.json"
done < speeds
