"""What the stand-in for GitHub's API (emulate) lacks: check runs and pull requests of commits that were pushed with git, labels and
their timeline, and the permissions of people by GitHub's names. Each answer of emulate passes through `complete`."""

import json
import re
import time

REPO = r"/repos/[^/]+/([^/]+)"


class Additions:
    """All of it, by repository. Times have whole seconds, as GitHub's have, and each change takes one."""

    def __init__(self):
        self.checks, self.heads, self.labels, self.events = {}, {}, {}, {}
        self.clock = 1_800_000_000

    def tick(self):
        self.clock += 1
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock))

    def push(self, repository, number, commit, force):
        """A push to the branch of a pull request."""
        self.heads[repository, number] = commit
        if force:
            self.event(repository, number, "head_ref_force_pushed", "octo")

    def label(self, repository, number, name, login):
        self.labels.setdefault((repository, number), []).append(name)
        self.event(repository, number, "labeled", login, label={"name": name})

    def unlabel(self, repository, number, name, login):
        self.labels[repository, number].remove(name)
        self.event(repository, number, "unlabeled", login, label={"name": name})

    def event(self, repository, number, event, login, **more):
        self.events.setdefault((repository, number), []).append({"event": event, "created_at": self.tick(), "actor": {"login": login}, **more})

    def complete(self, method, path, status, body):
        """The answer to a request that emulate answered with a status and a body."""
        request = f"{method} {path.split('?')[0]}"
        page = re.search(r"[?&]page=(\d+)", path)
        is_first_page = page is None or page[1] == "1"
        known = lambda pattern: re.fullmatch(pattern, request)
        if found := known(rf"POST {REPO}/check-runs"):
            if status == 201:
                run = {**json.loads(body), "started_at": self.tick()}
                self.checks.setdefault((found[1], run["head_sha"]), []).append(run)
                return status, encoded(run)
        elif found := known(rf"GET {REPO}/commits/([^/]+)/check-runs"):
            runs = self.checks.get((found[1], found[2]), []) if is_first_page else []
            return 200, encoded({"total_count": len(runs), "check_runs": runs})
        elif found := known(rf"GET {REPO}/issues/(\d+)/timeline"):
            return 200, encoded(self.events.get((found[1], int(found[2])), []) if is_first_page else [])
        elif found := known(rf"GET {REPO}/pulls/(\d+)"):
            if status == 200:
                return status, encoded(self.pull(found[1], json.loads(body)))
        elif found := known(rf"GET {REPO}/(pulls|commits/[^/]+/pulls)"):
            if status == 200:
                return status, encoded([self.pull(found[1], pull) for pull in json.loads(body)])
        elif known(rf"GET {REPO}/collaborators/[^/]+/permission"):
            # GitHub has four words here, emulate has others, and none for people without a role.
            permission = json.loads(body)["permission"] if status == 200 else "pull"
            return 200, encoded({"permission": {"push": "write", "maintain": "write", "pull": "read", "triage": "read"}.get(permission, permission)})
        return status, body

    def pull(self, repository, pull):
        number = pull["number"]
        head = {**pull["head"], "sha": self.heads.get((repository, number), pull["head"]["sha"])}
        return {**pull, "head": head, "labels": [{"name": name} for name in self.labels.get((repository, number), [])]}


def encoded(answer):
    return json.dumps(answer).encode()
