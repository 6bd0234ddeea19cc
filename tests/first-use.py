#!/usr/bin/env python3
"""Tries perfgate as a new user does, on a published crate with criterion benchmarks: a fresh clone, results of main recorded, a
slower branch compared and measured, its history listed, a pull request filled in. Each step must have the right exit code and
print what the user needs to continue.

    tests/first-use.py target/debug/perfgate

Needs git and cargo; cargo fetches the crate and its dependencies from the registry. Takes some minutes, and fails over ten.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent / "live"))
from published import source_of  # noqa: E402

CRATE, VERSION = "itoa", "1.0.18"
BENCH = ["cargo", "bench", "--bench", "bench", "--"]
SHORT = ["--warm-up-time", "0.1", "--measurement-time", "0.4", "--nresamples", "2000"]
LIMIT = 600

perfgate = str(pathlib.Path(sys.argv[1]).resolve())
began = time.monotonic()


def run(directory, *words, code=0, needs=()):
    """Runs a command; its exit code and the texts in its output must be these."""
    start = time.monotonic()
    done = subprocess.run([str(word) for word in words], cwd=directory, text=True, capture_output=True, timeout=LIMIT)
    line = " ".join(str(word) for word in words).replace(perfgate, "perfgate")
    print(f"{time.monotonic() - start:6.1f} s  exit {done.returncode}  {line}", flush=True)
    codes = code if isinstance(code, tuple) else (code,)
    missing = [text for text in needs if text not in done.stdout + done.stderr]
    if done.returncode not in codes or missing:
        print(f"expected exit {codes} and {missing}\n-- stdout\n{done.stdout}\n-- stderr\n{done.stderr}")
        sys.exit(1)
    return done.stdout


def git(directory, *words):
    user = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return run(directory, "git", *user, *words)


def published_crate(room):
    """The source of the crate as a repository, with an origin to clone."""
    source = source_of(room, CRATE, VERSION)
    git(source, "init", "-q", "-b", "main")
    git(source, "add", "--all", "--force")
    git(source, "commit", "-q", "-m", f"{CRATE} {VERSION}")
    git(source, "clone", "-q", "--bare", ".", room / "origin")
    git(room, "clone", "-q", room / "origin", "clone")
    return room / "clone"


def slow_down(clone):
    """Plants work in every call of `Buffer::format`."""
    path = clone / "src" / "lib.rs"
    text = path.read_text()
    call = re.search(r"pub fn format<I: Integer>\(&mut self, i: I\) -> &str \{\n", text)
    planted = "        for _ in 0..100 {\n            core::hint::black_box(&i);\n        }\n"
    path.write_text(text[: call.end()] + planted + text[call.end() :])
    git(clone, "commit", "-q", "-a", "-m", "slower")


with tempfile.TemporaryDirectory() as room:
    clone = published_crate(pathlib.Path(room))
    # What a user tries first must say what to do next.
    run(clone, perfgate, "compare", code=2, needs=["cargo bench"])
    run(clone, *BENCH, *SHORT)
    run(clone, perfgate, "compare", code=2, needs=["no baseline", "perfgate record"])
    run(clone, perfgate, "record", needs=["recorded"])
    run(clone, perfgate, "runs", "push")
    run(clone, perfgate, "runs", "list", needs=["results"])

    git(clone, "switch", "-q", "-c", "slower")
    slow_down(clone)
    run(clone, *BENCH, *SHORT)
    # One run a side need not decide, but it must be a comparison.
    run(clone, perfgate, "compare", code=(0, 1), needs=["stored runs of the merge base", "u64"])
    measure = [perfgate, "measure", "--base", "main", "--save", "comparison.json", "--", *BENCH, *SHORT, "{filter}"]
    run(clone, *measure, code=1, needs=["FAIL", "regressed"])
    if subprocess.run([perfgate, "explain", "--help"], capture_output=True).returncode == 0:
        # Without a profiler it says what to install.
        run(clone, perfgate, "explain", "u64[max]/itoa", "--base", "main", "--", *BENCH, code=(0, 2))
    run(clone, perfgate, "record", needs=["recorded"])
    run(clone, perfgate, "history", "u64", needs=["u64"])
    document = run(clone, perfgate, "render", "comparison.json", "--template", "pr", needs=["regressed"])
    if "{{" in document or "u64" not in document:
        sys.exit(f"the document is not filled in:\n{document}")

took = time.monotonic() - began
print(f"{took:.0f} s in all")
if took > LIMIT:
    sys.exit(f"more than {LIMIT} s")
