#!/usr/bin/env python3
"""Counts what survives: perfgate killed at random moments, stored runs and git packs with damaged bytes, many writers at once. Prints
the figures of docs/reliability.md, and fails where a run is lost, a command does not end, or a verdict differs.

    tests/reliability.py target/debug/perfgate [--kills 100] [--runs 400] [--packs 60] [--writers 32] [--bucket s3://…] [--seed 1]

Needs git. The same seed gives the same damage; when a kill hits is up to the machine.
"""
import argparse
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

LIMIT = 60  # seconds for one command
ENVIRONMENT = {
    **os.environ,
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "A"), ("EMAIL", "a@example.org"))},
}


def results(path, random, factor=1.0):
    """Go results of ten benchmarks, with ten samples of each."""
    lines = [
        f"Benchmark{name} 1000 {1000 * (index + 1) * factor * random.uniform(0.99, 1.01):.3f} ns/op"
        for index, name in enumerate("ABCDEFGHIJ")
        for _ in range(10)
    ]
    path.write_text("\n".join(lines) + "\n")


class Place:
    """A repository with some commits, and the program."""

    def __init__(self, program, room, random):
        self.program, self.room, self.random = program, pathlib.Path(room), random
        self.clone = self.room / "clone"
        self.git(self.room, "init", "-q", "-b", "main", self.clone)
        self.git(self.clone, "commit", "-q", "--allow-empty", "-m", "first")
        self.git(self.room, "clone", "-q", "--bare", self.clone, self.room / "remote")
        self.git(self.clone, "remote", "add", "origin", self.room / "remote")

    def git(self, directory, *words):
        done = subprocess.run(["git", *map(str, words)], cwd=directory, env=ENVIRONMENT, text=True, capture_output=True)
        if done.returncode:
            sys.exit(f"git {words}: {done.stderr}")
        return done.stdout

    def start(self, *words, directory=None):
        return subprocess.Popen(
            [self.program, *map(str, words)], cwd=directory or self.clone, env=ENVIRONMENT, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )

    def run(self, *words, codes=(0,), directory=None):
        process = self.start(*words, directory=directory)
        try:
            out, err = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            sys.exit(f"{words}: no end after {LIMIT} s")
        if process.returncode not in codes or "panicked" in err:
            sys.exit(f"{words}: exit {process.returncode}\n{out}{err}")
        self.said = out + err
        return process.returncode, out

    def ids(self, store):
        code, out = self.run("runs", "list", "--last", 100000, "--store", store, codes=(0, 2))
        return {line.split()[0] for line in out.splitlines()[1:] if line[:1].isalnum()}


def kills(place, count):
    """Kills `record`, `record --push` and `runs prune` after a random time. Afterwards all recorded runs must be there."""
    stores = {"git:refs/perfgate/baselines": ["--push"], f"dir:{place.room / 'killed'}": []}
    finished = lost = locks = 0
    for store, more in stores.items():
        known = set()
        typical = 0.2
        for number in range(count // 2):
            path = place.room / "killed.txt"
            results(path, place.random)
            words = ["record", path, "--store", store, *more]
            if number % 10 == 9 and known:
                words = ["runs", "prune", "--keep", 5, "--thin", 100000, "--store", store]
            began = time.monotonic()
            process = place.start(*words)
            try:
                process.communicate(timeout=place.random.uniform(0, 1.2 * typical))
                finished += 1
                typical = 0.8 * typical + 0.2 * (time.monotonic() - began)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                typical *= 1.02
            # Git's own commands leave such a file too. The next command names it, and it is removed by hand.
            for lock in place.clone.glob(".git/refs/perfgate/*.lock"):
                lock.unlink()
                locks += 1
            now = place.ids(store)
            lost += len(known - now)
            known = now
        results(path, place.random)
        place.run("record", path, "--store", store, *more)
        if len(place.ids(store)) != len(known) + 1:
            sys.exit(f"{store}: a run could not be recorded after the kills")
    place.git(place.clone, "fsck", "--strict")
    place.git(place.room / "remote", "fsck", "--strict")
    print(f"kills: {2 * (count // 2)} in `record`, `record --push` and `runs prune` ({finished} had ended before), "
          f"{lost} runs lost, {locks} locks of the ref left behind")
    return lost


def damage(bytes_, random):
    """Bytes with one fault: a changed bit, a changed part, a missing end, a doubled part."""
    at = random.randrange(len(bytes_))
    length = random.randint(1, 64)
    kind = random.randrange(4)
    if kind == 0:
        return bytes_[:at] + bytes([bytes_[at] ^ (1 << random.randrange(8))]) + bytes_[at + 1 :]
    if kind == 1:
        return bytes_[:at] + bytes(random.randrange(256) for _ in bytes_[at : at + length]) + bytes_[at + length :]
    if kind == 2:
        return bytes_[:at]
    return bytes_[:at] + bytes_[at : at + length] + bytes_[at:]


def is_same(found, right):
    """True for the right answer, or one with upper limits of times (`recorded by`), which is what a damaged history of the ref leaves."""
    if found[0] != right[0]:
        return False
    time = r"recorded (by )?(\S+ \S+Z)"
    lines, right_lines = ([re.sub(" +", " ", line) for line in text.splitlines()] for text in (found[1], right[1]))
    for line, right_line in zip(lines, right_lines):
        limit, exact = re.search(time, line), re.search(time, right_line)
        if limit and exact and limit[1] and limit[2] >= exact[2]:
            line, right_line = re.sub(time, "", line), re.sub(time, "", right_line)
        if line != right_line:
            return False
    return len(lines) == len(right_lines)


def damaged(place, files, count, commands, what):
    """Damages one file at a time. Each command must end: with an error, with a warning that names the run it left out, or with
    the same output as for the undamaged files, except for upper limits of times."""
    right = [place.run(*command, codes=(0, 1)) for command in commands]
    refused = named = same = 0
    for _ in range(count):
        file = place.random.choice(files)
        whole = file.read_bytes()
        wrong = damage(whole, place.random)
        if wrong == whole:
            continue
        mode = file.stat().st_mode
        file.chmod(0o644)
        file.write_bytes(wrong)
        for command, answer in zip(commands, right):
            found = place.run(*command, codes=(0, 1, 2))
            if found[0] == 2:
                refused += 1
            elif is_same(found, answer):
                same += 1
            elif "warning" in place.said:
                named += 1
            else:
                sys.exit(f"{what}: another answer of {command}:\n{found[1]}\ninstead of\n{answer[1]}")
        file.write_bytes(whole)
        file.chmod(mode)
    print(f"damaged {what}: {count}, {len(commands)} commands each: {refused} refused, {named} with a warning that names "
          f"the damage, {same} with the same answer, 0 others")


def writers(place, count, store, push, name):
    """Starts writers at once, half of them in a second clone where there is one. All runs must be there."""
    directories = [place.clone]
    if push:
        second = place.room / f"second-{name}"
        place.git(place.room, "clone", "-q", place.room / "remote", second)
        directories.append(second)
    before = place.ids(store)
    running = []
    for number in range(count):
        path = place.room / f"writer-{number}.txt"
        results(path, place.random)
        words = ["record", path, "--store", store, *(["--push"] if push else [])]
        running.append(place.start(*words, directory=directories[number % len(directories)]))
    began = time.monotonic()
    for process in running:
        _, err = process.communicate(timeout=600)
        if process.returncode:
            sys.exit(f"{name}: a writer failed: {err}")
    if push:
        place.run("runs", "pull", "--store", store)
    there = len(place.ids(store) - before)
    print(f"writers: {count} at once to {name}: {there} runs there, {time.monotonic() - began:.0f} s")
    return count - there


def main():
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    for name, default in (("kills", 100), ("runs", 400), ("packs", 60), ("writers", 32), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--bucket")
    options = parser.parse_args()
    program = str(pathlib.Path(options.program).resolve())
    with tempfile.TemporaryDirectory() as room:
        place = Place(program, room, random.Random(options.seed))
        lost = kills(place, options.kills)

        head = place.room / "head.txt"
        results(head, place.random, 1.6)
        runs = place.room / "runs"
        for _ in range(3):
            results(place.room / "base.txt", place.random)
            place.run("record", place.room / "base.txt", "--store", f"dir:{runs}")
            place.run("record", place.room / "base.txt")
        compare = ["compare", "--head", head, "--format", "csv", "--store"]
        store = f"dir:{runs}"
        commands = [["compare", "HEAD", *compare[1:], store], ["history", "--format", "json", "--store", store]]
        damaged(place, sorted(runs.rglob("*.pgrun")), options.runs, commands, "stored runs")

        place.git(place.clone, "gc", "-q", "--prune=now")
        packs = sorted((place.clone / ".git/objects/pack").glob("*.pack"))
        store = "git:refs/perfgate/baselines"
        commands = [["compare", "HEAD", *compare[1:], store], ["runs", "list"]]
        damaged(place, packs, options.packs, commands, "git packs")

        stores = [(store, False, "a git ref"), (f"dir:{place.room / 'many'}", False, "a directory")]
        stores.append(("git:refs/perfgate/pushed", True, "a remote from two clones"))
        if options.bucket:
            stores.append((options.bucket, False, "a bucket"))
        for store, push, name in stores:
            lost += writers(place, options.writers, store, push, name)
    if lost:
        sys.exit(f"{lost} runs lost")


if __name__ == "__main__":
    main()
