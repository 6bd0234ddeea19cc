#!/usr/bin/env python3
"""Measures what `perfgate measure` costs on a published crate with criterion benchmarks, next to one run of its suite per side: in a fresh
clone, with a cache from the measurement before, and in a clone whose benchmarks were built. Both sides are the same code.

    tests/live/cost.py target/release/perfgate [--crate half --version 2.7.1 --bench convert]

Needs git and cargo. Takes minutes; the figures depend on the machine and on its other load.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from published import source_of  # noqa: E402

SHORT = ["--warm-up-time", "0.2", "--measurement-time", "0.5", "--nresamples", "2000"]


def run(directory, *words, codes=(0,)):
    """Runs a command; returns its wall time in seconds."""
    start = time.monotonic()
    done = subprocess.run([str(word) for word in words], cwd=directory, text=True, capture_output=True)
    if done.returncode not in codes:
        sys.exit(f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return time.monotonic() - start


def git(directory, *words):
    run(directory, "git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words)


def repository(room, crate, version):
    """The source of the crate with two commits."""
    source = source_of(room, crate, version)
    git(source, "init", "-q", "-b", "main")
    if not (source / "Cargo.lock").exists():
        run(source, "cargo", "generate-lockfile")
    git(source, "add", "--all", "--force")
    git(source, "commit", "-q", "-m", "first")
    (source / "note").write_text("the same code")
    git(source, "add", "--all")
    git(source, "commit", "-q", "-m", "second")
    return source


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--crate", default="half")
    parser.add_argument("--version", default="2.7.1")
    parser.add_argument("--bench", default="convert")
    options = parser.parse_args()
    program = pathlib.Path(options.program).resolve()
    sys.stdout.reconfigure(line_buffering=True)
    bench = ["cargo", "bench", "--bench", options.bench]
    command = [*bench, "--", *SHORT, "{filter}"]
    with tempfile.TemporaryDirectory() as room:
        room = pathlib.Path(room)
        source = repository(room, options.crate, options.version)
        clones = {name: room / name for name in ("built", "fresh")}
        for clone in clones.values():
            git(room, "clone", "-q", source, clone)
        cold = run(clones["built"], *bench, "--no-run")
        print(f"{cold:7.1f} s  a cold build")
        suite = run(clones["built"], *bench, "--", "--noplot", *SHORT)
        print(f"{suite:7.1f} s  the suite once")

        def measure(what, clone, *more):
            wall = run(clone, program, "measure", "--base", "HEAD~1", *more, "--", *command, codes=(0, 1))
            print(f"{wall:7.1f} s  measure, {what}: {wall / (2 * suite):.1f} times the suite once a side")

        cache = ["--cache", room / "cache"]
        measure("in a fresh clone", clones["fresh"], *cache)
        measure("there again, with the cache", clones["fresh"], *cache)
        measure("where the benchmarks were built", clones["built"])


if __name__ == "__main__":
    main()
