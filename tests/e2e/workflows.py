#!/usr/bin/env python3
"""Checks what no linter checks in the workflows: the release moves its tag last, and no recording run of a push is cancelled.

    tests/e2e/workflows.py .github/workflows/release.yml DIRECTORY_OF_INIT/.github/workflows
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from ruamel.yaml import YAML


def check(holds, what, detail=""):
    if not holds:
        raise AssertionError(f"{what}\n{detail}")


def parsed(path):
    return YAML(typ="safe").load(Path(path))


def filled(text, github):
    """A text with its expressions evaluated, which use `github` alone."""

    def value(match):
        words = match[1].replace("&&", " and ").replace("||", " or ")
        return str(eval(words, {"__builtins__": {}, "github": github}))  # the input is this repository's own workflow

    return re.sub(r"\$\{\{(.*?)\}\}", value, str(text))


def calls_of_release(script, failing=""):
    """Runs a step's script as the runner does, with a stand-in for gh; the calls, and whether the script succeeds."""
    with tempfile.TemporaryDirectory() as room:
        room = Path(room)
        (room / "dist").mkdir()
        for name in ("perfgate-x86_64-unknown-linux-musl", "SHA256SUMS"):
            (room / "dist" / name).touch()
        gh = room / "gh"
        gh.write_text(f'#!/bin/sh\necho "$*" >> "{room}/calls"\ncase "$*" in {failing or "none"}) exit 1 ;; esac\n')
        gh.chmod(0o755)
        (room / "calls").touch()
        env = {"PATH": f"{room}:{os.environ['PATH']}", "GITHUB_REF_NAME": "v1.2.3", "GITHUB_SHA": "c0ffee", "GITHUB_REPOSITORY": "o/perfgate"}
        done = subprocess.run(["bash", "-e", "-c", script], cwd=room, env=env, capture_output=True, text=True)
        return (room / "calls").read_text().splitlines(), done.returncode == 0


def check_release(path):
    jobs = parsed(path)["jobs"]
    steps = [(name, step) for name, job in jobs.items() for step in job["steps"]]
    moving = [(name, step) for name, step in steps if "git/refs" in step.get("run", "")]
    check(len(moving) == 1, "one step moves the tag", moving)
    job, step = moving[0]
    check(step is jobs[job]["steps"][-1], "it is the last one of its job", step)
    check(not [name for name, one in jobs.items() if job in str(one.get("needs", ""))], "and no job comes after it", jobs.keys())

    calls, passed = calls_of_release(step["run"])
    check(passed and len(calls) == 2, "a release and a tag", calls)
    check(calls[0].startswith("release create v1.2.3") and "dist/SHA256SUMS" in calls[0], "the files come first", calls)
    check("PATCH" in calls[1] and "git/refs/tags/v1 " in calls[1] and "sha=c0ffee" in calls[1], "then the tag moves to the commit", calls)
    calls, passed = calls_of_release(step["run"], failing="release*")
    check(not passed and len(calls) == 1, "without the files the tag stays", calls)
    calls, passed = calls_of_release(step["run"], failing="*PATCH*")
    check(passed and "POST" in calls[2] and "ref=refs/tags/v1 " in calls[2], "the first release of a version makes the tag", calls)


def check_concurrency(directory):
    def group(workflow, **event):
        concurrency = parsed(directory / workflow)["concurrency"]
        github = SimpleNamespace(**event)
        return filled(concurrency["group"], github), filled(concurrency["cancel-in-progress"], github)

    push = {"event_name": "push", "ref": "refs/heads/main"}
    first, second = (group("perfgate.yml", sha=sha, **push) for sha in ("a" * 40, "b" * 40))
    check("a" * 40 in first[0] and first[0] != second[0], "each pushed commit has its own group", first)
    check(first[1] == "False", "its run is not cancelled", first)
    pulls = [group("perfgate.yml", event_name="pull_request", ref=ref, sha=sha)
             for ref, sha in (("refs/pull/1/merge", "a"), ("refs/pull/1/merge", "b"), ("refs/pull/2/merge", "a"))]
    check(pulls[0][0] == pulls[1][0] != pulls[2][0], "a pull request has one group", pulls)
    check(pulls[0][1] == "True", "a newer push cancels its run", pulls)
    queued = [group("perfgate.yml", event_name="merge_group", ref=f"refs/heads/gh-readonly-queue/main/pr-1-{sha}", sha=sha) for sha in "ab"]
    check(queued[0] != queued[1] and queued[0][1] == "False", "each group of a merge queue has its own", queued)
    for workflow in ("perfgate-forks.yml", "perfgate-pages.yml"):
        check(parsed(directory / workflow)["concurrency"]["cancel-in-progress"] is False, f"{workflow} is not cancelled")


if __name__ == "__main__":
    check_release(sys.argv[1])
    check_concurrency(Path(sys.argv[2]))
