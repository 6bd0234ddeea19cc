"""Claims of the end-to-end test about people who accept the regressions of a pull request, without editing a file."""

import re

LABEL = "perfgate: accepted"


def check(holds, what, detail=""):
    if not holds:
        raise AssertionError(f"{what}\n{detail}")


def body(stage, number):
    """perfgate's comment."""
    ours = [comment["body"] for comment in stage.comments(number) if "perfgate:report" in comment["body"]]
    check(len(ours) == 1, "one comment of perfgate", ours)
    return ours[0]


def command(stage, number):
    """The line to copy from perfgate's comment."""
    text = body(stage, number)
    lines = re.findall(r"^```text\n(/perfgate accept .*)\n```$", text, re.M)
    check(len(lines) == 1, "the comment has the line to copy", text)
    return lines[0]


def slow_pull_request(stage):
    """A pull request with a regression, and people of several roles."""
    stage.baseline()
    stage.role("maintainer", "push")
    stage.role("triager", "triage")
    head = stage.branch_commit("work", "slow", parse=1700)
    number = stage.pull_request("work", "work")["number"]
    stage.trial("work", number)
    stage.pull_run(number, head, code=1)
    return number, head


def next_push(stage, number, message, **more):
    head = stage.branch_commit("work", message, parse=1710)
    stage.trial("work", number, **more)
    return head


def claim_a_comment_of_someone_with_write_access_accepts_one_head(stage):
    number, head = slow_pull_request(stage)
    stored, line = stage.stored(), command(stage, number)
    for login in ("stranger", "triager"):
        stage.comment(number, login, line)
    stage.comment(number, "maintainer", f"> {line}\n\nWhy not?")
    stage.pull_run(number, head, code=1)
    check("accepted" not in body(stage, number).split("<details>")[0], "nobody with write access accepted it", body(stage, number))
    stage.comment(number, "maintainer", f"{line} checks the bounds")
    log = stage.pull_run(number, head, code=0)
    text = body(stage, number)
    check(f"maintainer accepted 1 regression for {head[:10]}: checks the bounds." in text, "the comment names who and why", text)
    check("PASS" in log and "1 accepted" in log, "the job passes", log)
    check(stage.conclusions(head) == ["failure", "failure", "success"], "and so does the check run", stage.conclusions(head))
    check(stage.stored() == stored, "nothing is stored", stage.stored())

    second = next_push(stage, number, "still slow")
    stage.pull_run(number, second, code=1)
    check(f"is for {head}, so it does not accept this commit" in body(stage, number), "the next push needs it again", body(stage, number))
    stage.comment(number, "maintainer", command(stage, number))
    stage.role("maintainer", "triage")
    stage.pull_run(number, second, code=1)
    stage.role("maintainer", "maintain")
    stage.pull_run(number, second, code=0)


def claim_a_label_of_someone_with_write_access_accepts_one_head(stage):
    stage.proxy.additions.label(stage.name, 1, LABEL, "octo")  # before the first report on the first pull request
    number, head = slow_pull_request(stage)
    check(number == 1, "the first pull request", number)
    additions = stage.proxy.additions

    def again(login):
        additions.unlabel(stage.name, number, LABEL, login)
        additions.label(stage.name, number, LABEL, login)

    check("before there was a report on this commit" in body(stage, number), "a label that was there before accepts nothing", body(stage, number))
    again("triager")
    stage.pull_run(number, head, code=1)
    again("maintainer")
    stage.pull_run(number, head, code=0)
    check(f"maintainer accepted 1 regression for {head[:10]}" in body(stage, number), "the comment names who", body(stage, number))
    check(stage.conclusions(head)[-1] == "success", "the check run passes", stage.conclusions(head))

    second = next_push(stage, number, "still slow")
    stage.pull_run(number, second, code=1)
    again("maintainer")
    stage.pull_run(number, second, code=0)
    # Back to the first commit, which was accepted before.
    stage.git(stage.dev, "branch", "-f", "work", head)
    stage.trial("work", number, force=True)
    stage.pull_run(number, head, code=1)


def claim_a_fork_is_accepted_on_the_pull_request_and_not_by_its_own_file(stage):
    stage.baseline()
    stage.role("maintainer", "push")
    pull = stage.pull_request("gift", "stranger:gift")
    number = pull["number"]
    stage.git(stage.dev, "checkout", "-q", "-b", "gift", "main")
    config = stage.dev / "perfgate.toml"
    config.write_text(config.read_text() + '\n[[accept]]\nbenchmark = "parse"\nup-to = "900%"\nreason = "mine"\nuntil = "2999-01-01"\n')

    def push(message):
        head = stage.branch_commit("gift", message, parse=1700)
        stage.trial("gift", number)
        event = stage.pull_event(number, head, stage.git(stage.dev, "rev-parse", "main"), owner="stranger")
        stage.act("pull_request", event, stage.checkout(f"refs/pull/{number}/merge"), read_only=True)
        return head

    def publish(head, conclusion):
        stage.act("workflow_run", stage.ended(head, "gift"), stage.checkout("refs/heads/main"), workflow="perfgate-forks.yml")
        check(stage.conclusions(head)[-1:] == [conclusion], "the check run", f"{stage.conclusions(head)} {body(stage, number)}")

    head = push("slow gift")
    publish(head, "failure")
    text = body(stage, number)
    check("comes from a fork, so the file of the base branch was used. It would change: accepts parse" in text, "the comment names the change", text)
    check("[[accept]]" not in text and "accept&#93;" not in text, "and offers no change of that file", text)
    stage.comment(number, "stranger", command(stage, number))
    publish(head, "failure")
    stage.comment(number, "maintainer", command(stage, number))
    publish(head, "success")
    check(f"maintainer accepted 1 regression for {head[:10]}" in body(stage, number), "the comment names who", body(stage, number))
    second = push("slow gift, again")
    publish(second, "failure")


def claim_what_was_accepted_on_a_pull_request_counts_in_the_merge_queue(stage):
    number, head = slow_pull_request(stage)
    base = stage.git(stage.dev, "rev-parse", "main")
    stage.git(stage.dev, "checkout", "-q", "--detach", "main")
    stage.git(stage.dev, "merge", "-q", "--no-ff", "-m", f"Merge pull request #{number}", "work")
    group = stage.git(stage.dev, "rev-parse", "HEAD")
    queue = f"refs/heads/gh-readonly-queue/main/pr-{number}-{base}"
    stage.push(f"HEAD:{queue}")

    def run(code):
        event = {"action": "checks_requested", "merge_group": {"head_sha": group, "head_ref": queue, "base_sha": base, "base_ref": "refs/heads/main"}}
        return stage.act("merge_group", event, stage.checkout(queue), code=code)

    run(1)
    stage.comment(number, "triager", command(stage, number))
    run(1)
    stage.comment(number, "maintainer", f"{command(stage, number)} checks the bounds")
    log = run(0)
    check("PASS" in log and "1 accepted" in log, "the group passes", log)
    runs = stage.proxy.additions.checks[(stage.name, group)]
    check([run["conclusion"] for run in runs] == ["failure", "failure", "success"], "and so does the check run on its commit", runs)
    line = f"maintainer accepted 1 regression for {head[:10]} (pull request {number}): checks the bounds."
    check(line in runs[-1]["output"]["summary"], "which names who, why and the pull request", runs[-1])
