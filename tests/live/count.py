#!/usr/bin/env python3
"""Measures `perfgate measure --count instructions` on published crates with criterion benchmarks: how far the counts of two builds of
the same code differ, with and without other programs on all cores, which benchmarks a planted change is found in, and how long it takes.

    tests/live/count.py target/release/perfgate [--only httparse] [--suite]

`--suite` also runs each suite once with its own settings, which takes about 8 s per benchmark. Needs git, cargo and valgrind. Takes
minutes; the times depend on the machine and on its other load.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from cost import git, repository, run  # noqa: E402

# crate, version, bench target, file, the text after which a change is planted, the planted code
PLANTS = [
    ("httparse", "1.10.1", "parse", "src/lib.rs", r"fn parse_version\(.*\{\n", "core::hint::black_box([1u8; 24].iter().fold(0u8, |a, b| a ^ core::hint::black_box(*b)));"),
    ("half", "2.7.1", "convert", "src/slice.rs", r"fn convert_from_f32_slice\(&mut self, src: &\[f32\]\) \{\n", "core::hint::black_box([1u8; 64].iter().fold(0u8, |a, b| a ^ core::hint::black_box(*b)));"),
]


def count(program, source, bench, code):
    """Compares HEAD with the commit before it; returns the report and the seconds that counting both sides once took."""
    words = [program, "measure", "--count", "instructions", "--base", "HEAD~1", "--all", "--format", "json", "--", "cargo", "bench", "--bench", bench]
    done = subprocess.run([str(word) for word in words], cwd=source, text=True, capture_output=True)
    if done.returncode != code:
        sys.exit(f"exit {done.returncode} instead of {code}\n{done.stdout[-2000:]}{done.stderr}")
    seconds = sum(float(s) for s in re.findall(r"^counting (?:base|head): ([0-9.]+) s", done.stderr, re.M))
    return json.loads(done.stdout), seconds


def show(what, report, seconds):
    changed = {b["name"]: b["change"] for b in report["benchmarks"] if b["change"]}
    largest = max((abs(change) for change in changed.values()), default=0)
    print(
        f"  {what}: {len(changed)} of {len(report['benchmarks'])} counts differ, by at most {100 * largest:.3f}%; "
        f"regressed {report['counts']['regressed']}, improved {report['counts']['improved']}; both sides counted once in {seconds:.0f} s"
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--only", default="")
    parser.add_argument("--suite", action="store_true")
    options = parser.parse_args()
    program = pathlib.Path(options.program).resolve()
    sys.stdout.reconfigure(line_buffering=True)
    for crate, version, bench, file, place, code in PLANTS:
        if options.only not in ("", crate):
            continue
        with tempfile.TemporaryDirectory() as room:
            source = repository(pathlib.Path(room), crate, version)
            run(source, "cargo", "bench", "--bench", bench, "--no-run")
            print(f"{crate} {version}")
            if options.suite:
                start = time.monotonic()
                run(source, "cargo", "bench", "--bench", bench, "--", "--noplot")
                print(f"  the suite once, with its own settings: {time.monotonic() - start:.0f} s")
            show("two builds of the same code", *count(program, source, bench, 0))
            busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(os.cpu_count() or 1)]
            try:
                show("the same next to a busy loop on each core", *count(program, source, bench, 0))
            finally:
                for loop in busy:
                    loop.kill(), loop.wait()
            path = source / file
            text = path.read_text()
            found = re.search(place, text)
            if not found:
                sys.exit(f"{place} is not in {file}")
            path.write_text(text[: found.end()] + "    " + code + "\n" + text[found.end():])
            git(source, "commit", "-q", "-a", "-m", "slower")
            report, seconds = count(program, source, bench, 1)
            show("a planted change", report, seconds)
            slower = sorted((b["change"], b["name"]) for b in report["benchmarks"] if b["outcome"] == "regressed")
            for change, name in [slower[0], slower[-1]]:
                print(f"    {100 * change:+.1f}% {name[:60]}")


if __name__ == "__main__":
    main()
