"""Claims of the end-to-end test about what runs on which event, and with which token."""

import hashlib
import json
import platform
import shutil


def check(holds, what, detail=""):
    if not holds:
        raise AssertionError(f"{what}\n{detail}")


def claim_a_push_that_regresses_opens_an_issue_and_one_that_recovers_closes_it(stage):
    for message in ("first", "second", "third"):
        stage.main(message)
        stage.push_run(workflow="issues.yml")
    stage.main("slow", parse=3000)
    stage.push_run(workflow="issues.yml")
    check(stage.issues() == [], "a single run opens nothing", stage.issues())
    stage.main("still slow", parse=3010)
    log = stage.push_run(workflow="issues.yml")
    issues = stage.issues()
    check(len(issues) == 1 and issues[0]["state"] == "open", "the second one opens an issue", f"{issues} {log}")
    check(issues[0]["title"].startswith("parse: time +") and "# Performance Optimization" in issues[0]["body"], "about the benchmark", issues)
    newest = stage.main("and still", parse=3020)
    stage.push_run(workflow="issues.yml")
    again = stage.issues()
    check(len(again) == 1 and newest in again[0]["body"], "the next run updates it", again)
    stage.main("fixed")
    stage.push_run(workflow="issues.yml")
    closed = stage.issues()
    check(len(closed) == 1 and closed[0]["state"] == "closed", "a run at the old level closes it", closed)
    comments = stage.comments(closed[0]["number"])
    check(len(comments) == 1 and "back to its level" in comments[0]["body"], "with the reason", comments)


def claim_without_its_permission_an_issue_is_a_warning(stage):
    path = stage.dev / ".github/workflows/issues.yml"
    text = "".join(line for line in path.read_text().splitlines(True) if "issues: write" not in line)
    path.write_text(text.replace("permissions: {contents: read} #", "permissions: {contents: read, issues: write} #"))  # of another job
    stage.main("a workflow without the permission")
    stage.push_run(workflow="issues.yml", warns=False)
    for message in ("second", "third"):
        stage.main(message)
        stage.push_run(workflow="issues.yml", warns=True)
    slow = stage.main("slow", parse=3000)
    log = stage.push_run(workflow="issues.yml", warns=True)
    check(stage.proxy.refused and all("/issues" in request for request in stage.proxy.refused), "only the issue is refused", stage.proxy.refused)
    check("FAIL: 1 regressed" in log and any(slow in name for name in stage.stored()), "the run is judged and stored", log)


def claim_a_token_that_only_reads_costs_the_comment_and_not_the_verdict(stage):
    stage.baseline()
    head = stage.branch_commit("dependabot/cargo/x", "slow dependency", parse=1700)
    number = stage.pull_request("a dependency", "dependabot/cargo/x")["number"]
    stage.trial("dependabot/cargo/x", number)
    stored = stage.stored()
    event = stage.pull_event(number, head, stage.git(stage.dev, "rev-parse", "main"))
    log = stage.act("pull_request", event, stage.checkout(f"refs/pull/{number}/merge"), code=1, read_only=True, warns=True)
    check("FAIL: 1 regressed" in log, "the job fails by the verdict", log)
    refused = " ".join(stage.proxy.refused)
    check("pull-requests: write" in refused and "checks: write" in refused, "comment and check run are refused", refused)
    check(stage.comments(number) == [] and stage.stored() == stored, "nothing is written", stage.comments(number))


def claim_jobs_of_a_matrix_have_their_own_baselines_and_comments(stage):
    for message in ("first", "second", "third"):
        stage.main(message)
        stage.push_run(workflow="matrix.yml")
    check(len(stage.stored()) == 6, "two keys of three commits", stage.stored())
    head = stage.branch_commit("work", "nothing changed")
    number = stage.pull_request("work", "work")["number"]
    stage.trial("work", number)
    stage.pull_run(number, head, code=0, workflow="matrix.yml")
    check(stage.comments(number) == [], "simd is not compared with scalar", stage.comments(number))
    head = stage.branch_commit("work", "slow", parse=1700)
    stage.trial("work", number)
    stage.pull_run(number, head, code=1, workflow="matrix.yml")
    bodies = sorted(comment["body"] for comment in stage.comments(number))
    check(len(bodies) == 2 and "key=scalar" in bodies[0] and "key=simd" in bodies[1], "a comment for each key", bodies)
    check(sorted(stage.conclusions(head)) == ["failure", "failure"], "and a check run", stage.conclusions(head))


def claim_a_matrix_of_which_one_job_fails_is_judged_without_it(stage):
    path = stage.dev / ".github/workflows/perfgate.yml"
    text = path.read_text().replace("    name: Benchmarks\n", "    name: Benchmarks\n    strategy: {fail-fast: false, matrix: {key: [scalar, simd]}}\n")
    text = text.replace("- run: cargo bench", "- run: test ! -e broken-$KEY && cargo bench\n        env: {KEY: \"${{ matrix.key }}\"}")
    text = text.replace("${{ strategy.job-index }}", "${{ matrix.key }}")  # act has no job-index
    path.write_text(text.replace("publish: false", "publish: false\n          key: ${{ matrix.key }}"))
    stage.main("a matrix")
    stage.baseline()
    check(len(stage.stored()) == 6, "two keys of three commits", stage.stored())
    (stage.dev / "broken-simd").touch()
    head = stage.branch_commit("work", "slow", parse=1700)
    number = stage.pull_request("work", "work")["number"]
    stage.trial("work", number)
    log = stage.pull_run(number, head, code=1)
    check("Job 'Benchmarks-2' failed" in log or "Benchmarks-2" in log, "one job fails", log)
    bodies = [comment["body"] for comment in stage.comments(number)]
    check(len(bodies) == 1 and "key=scalar" in bodies[0], "the other one is judged", bodies)
    check(stage.conclusions(head) == ["failure"], "with a check run", stage.conclusions(head))


def claim_a_stacked_pull_request_is_not_blamed_for_the_one_below(stage):
    stage.baseline()
    below = stage.branch_commit("below", "slow", parse=1700)
    stage.push("below")
    stage.git(stage.dev, "checkout", "-q", "-b", "above", "below")
    head = stage.commit("fast in itself", parse=1700)
    number = stage.pull_request("above", "above")["number"]
    stage.git(stage.dev, "checkout", "-q", "--detach", "below")
    stage.git(stage.dev, "merge", "-q", "--no-ff", "-m", "trial", "above")
    stage.push(f"HEAD:refs/pull/{number}/merge")
    event = stage.pull_event(number, head, below)
    event["pull_request"]["base"]["ref"] = "below"
    log = stage.act("pull_request", event, stage.checkout(f"refs/pull/{number}/merge"))
    check(stage.conclusions(head) == ["neutral"], "neutral", log)


def claim_a_shallow_checkout_is_deepened(stage):
    stage.baseline()

    def checkout(reference, refs):
        """A checkout with one commit. act does not copy shallow clones, so a step of the workflow makes it one."""
        tree = stage.checkout(reference)
        path = tree / ".github/workflows/perfgate.yml"
        cut = f"git rev-parse HEAD > .git/shallow && git for-each-ref --format='delete %(refname)' {refs} | git update-ref --stdin"
        path.write_text(path.read_text().replace("- run: cargo bench", f"- run: {cut}\n      - run: test $(git rev-list --all HEAD | wc -l) = 1 && cargo bench"))
        return tree

    head = stage.branch_commit("work", "slow", parse=1700)
    number = stage.pull_request("work", "work")["number"]
    stage.trial("work", number)
    event = stage.pull_event(number, head, stage.git(stage.dev, "rev-parse", "main"))
    log = stage.act("pull_request", event, checkout(f"refs/pull/{number}/merge", "refs/remotes refs/heads"), code=1)
    check("FAIL: 1 regressed" in log, "compared with the merge base", log)
    commit = stage.main("one more")
    stage.act("push", {"ref": "refs/heads/main", "after": commit}, checkout("refs/heads/main", "refs/none"))
    check(any(commit in name for name in stage.stored()), "a push is recorded", stage.stored())
    check(stage.conclusions(commit) == ["success"], "and compared", stage.conclusions(commit))


def claim_tags_and_merge_groups(stage):
    stage.baseline()
    base = stage.git(stage.dev, "rev-parse", "main")
    stored = stage.stored()
    stage.git(stage.dev, "tag", "v1")
    stage.push("refs/tags/v1")
    text = (stage.dev / ".github/workflows/perfgate.yml").read_text()

    def checkout(reference):
        """A checkout whose workflow runs on every push, as many do."""
        tree = stage.checkout(reference)
        (tree / ".github/workflows/perfgate.yml").write_text(text.replace("push: {branches: [main]}", "push:"))
        return tree

    log = stage.act("push", {"ref": "refs/tags/v1", "after": base}, checkout("refs/tags/v1"))
    check("nothing to do" in log and stage.stored() == stored, "a tag of main has nothing to compare", log)

    stage.git(stage.dev, "checkout", "-q", "-b", "gh-readonly-queue/main/pr-1", "main")
    head = stage.commit("queued", parse=1700)
    stage.push("HEAD")
    group = {"action": "checks_requested", "merge_group": {"head_sha": head, "head_ref": "refs/heads/gh-readonly-queue/main/pr-1",
             "base_sha": base, "base_ref": "refs/heads/main"}}
    log = stage.act("merge_group", group, stage.checkout("refs/heads/gh-readonly-queue/main/pr-1"), code=1)
    check("FAIL: 1 regressed" in log and stage.conclusions(head) == ["failure"], "a merge group is judged", log)
    check(stage.stored() == stored, "and not recorded", stage.stored())


def claim_the_pages_workflow_publishes_the_history(stage):
    stage.baseline()
    head = stage.git(stage.dev, "rev-parse", "main")
    ended = {"action": "completed", "workflow_run": {"id": 1, "event": "push", "conclusion": "success", "head_sha": head, "head_branch": "main",
             "head_repository": {"full_name": f"octo/{stage.name}"}, "pull_requests": []}}
    before = stage.requests()
    stage.act("workflow_run", ended, stage.checkout("refs/heads/main"), workflow="perfgate-pages.yml")
    page = stage.pages
    check("parse" in (page / "index.html").read_text(), "the page has the benchmarks")
    points = json.loads((page / "history.json").read_text())
    check(head in json.dumps(points), "and the newest commit", points)
    check(stage.requests() == before, "nothing is asked of the API or pushed", stage.requests())


def claim_the_action_runs_the_binary_of_its_release(stage):
    action, release, curl = stage.room / "released", stage.room / "release", stage.room / "bin/curl"
    shutil.copytree(stage.action, action)
    path = action / "action.yml"
    path.write_text(path.read_text().replace(f"    default: {stage.perfgate}\n", ""))
    (action / "Cargo.toml").write_text('[package]\nname = "perfgate"\nversion = "1.2.3"\n')
    release.mkdir()
    binary = release / f"perfgate-{platform.machine()}-unknown-linux-musl"
    shutil.copy(stage.perfgate, binary)
    (release / "COMMIT").write_text("c" * 40 + "\n")
    sums = "".join(f"{hashlib.sha256((release / name).read_bytes()).hexdigest()}  {name}\n" for name in ("COMMIT", binary.name))
    (release / "SHA256SUMS").write_text(sums)
    # A fake `curl`, whose last arguments are `--output FILE URL`.
    curl.write_text(f'#!/bin/sh\nfor word; do file="$last"; last="$word"; done\ncase "$last" in */octo/perfgate/releases/download/v1.2.3/*) '
                    f'cp "{release}/${{last##*/}}" "$file" ;; *) exit 22 ;; esac\n')
    curl.chmod(0o755)
    actions = stage.actions
    stage.actions = {use: action if use.split("@")[0].endswith("/perfgate") else place for use, place in actions.items()}
    try:
        log = stage.push_run()
        check("(release)" in log and len(stage.stored()) == 1, "the release's binary records the push", log)
        with binary.open("ab") as file:
            file.write(b"more")
        stage.main("with another binary")
        log = stage.push_run(code=2)
        check("SHA-256" in log and len(stage.stored()) == 1, "another one is not run", log)
    finally:
        curl.unlink()
