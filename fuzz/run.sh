#!/bin/sh
# Usage: fuzz/run.sh [SECONDS [NAME...]], in the project's root directory.
# Fuzzes each reader, or those named (a format or a target), for SECONDS (default 20) with the files of tests/data and fuzz/seeds as
# seeds, with overflow checks. Exits with 1 if an input fails. Such inputs are written to fuzz/artifacts; add a test for each.
set -eu
seconds=${1:-20}
[ $# -eq 0 ] || shift
names=" $* "
ran=0
failed=0
options="-max_total_time=$seconds -max_len=16384 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0"
cargo +nightly fuzz build -s none
run() { # target, corpus, seeds
    case $names in "  " | *" $2 "*) ;; *) return 0 ;; esac
    ran=$((ran + 1))
    mkdir -p "fuzz/corpus/$2" "fuzz/artifacts/$2"
    # shellcheck disable=SC2086
    fuzz/target/*/release/"$1" $options "-artifact_prefix=fuzz/artifacts/$2/" "fuzz/corpus/$2" $3 \
        2>"fuzz/artifacts/$2/log" || { echo "$2: failure found, see fuzz/artifacts/$2"; failed=1; }
}
for file in tests/data/*/about.json; do
    format=$(basename "$(dirname "$file")")
    case $format in accuracy* | criterion-0*) continue ;; esac
    FORMAT=$format run one_format "$format" "tests/data/$format"
done
run formats formats "$(ls -d tests/data/*/ | tr '\n' ' ')"
run criterion criterion "tests/data/criterion-08 tests/data/cargo-criterion-store tests/data/github-action-benchmark"
run comparison comparison tests/comparisons
run profiles profiles tests/data/profiles
run event event fuzz/seeds/event
run packed_results packed_results fuzz/seeds/packed_results
run record record tests/data/accuracy
run policy policy tests/data/policy
if [ $ran -eq 0 ]; then
    echo "nothing to fuzz: no format or target is named${names% }" >&2
    exit 2
fi
exit $failed
