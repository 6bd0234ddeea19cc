"""Enforces the `permissions:` of a workflow, which act ignores: a proxy in front of the stand-in for GitHub's API that answers 403
where GitHub would. The rules are those of GitHub's documentation for a job's token in a private repository. Each job has its own
token, `job-NAME`, with the permissions of that job. The git server asks the same proxy. The answers are completed by github.py."""

import base64
import http.client
import json
import re
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import github

LEVELS = ["none", "read", "write"]
REPO = r"/repos/[^/]+/[^/]+"
# Method and path, and the permissions of which one suffices. No permission: every token may.
RULES = [
    (rf"GET (/user|{REPO}/collaborators/[^/]+/permission)", []),
    (rf"GET {REPO}/issues/(\d+/(comments|timeline)|comments/\d+)", ["issues: read", "pull-requests: read"]),
    (rf"(PATCH|DELETE) {REPO}/issues/comments/\d+", ["issues: write", "pull-requests: write"]),
    (rf"GET {REPO}/issues(/\d+)?", ["issues: read"]),
    (rf"(POST {REPO}/issues|PATCH {REPO}/issues/\d+)", ["issues: write"]),
    (rf"(POST {REPO}/check-runs|PATCH {REPO}/check-runs/\d+)", ["checks: write"]),
    (rf"GET {REPO}/(check-runs/\d+|commits/[^/]+/check-runs)", ["checks: read"]),
    (rf"GET {REPO}/(pulls(/\d+)?|commits/[^/]+/pulls)", ["pull-requests: read"]),
    (rf"PATCH {REPO}/pulls/\d+", ["pull-requests: write"]),
    (rf"GET {REPO}/commits/[^/]+/comments", ["contents: read"]),
    (rf"(POST {REPO}/commits/[^/]+/comments|PATCH {REPO}/comments/\d+)", ["contents: write"]),
]


def of_workflow(text):
    """The permissions of each job of a workflow: its own, or else those of the workflow."""
    of_all, found, job = {}, {}, None
    lines = text.splitlines()
    in_jobs = False
    for at, line in enumerate(lines):
        in_jobs = line.startswith("jobs:") or in_jobs and (line.startswith((" ", "#")) or not line)
        begins = re.match(r"  ([\w-]+):", line) if in_jobs else None
        if begins:
            job = begins[1]
            found[job] = dict(of_all)
        named = re.match(r"( *)permissions: *(?:\{(.*)\})? *(?:#.*)?$", line)
        if not named:
            continue
        entries = (named[2] or "").split(",")
        for below in lines[at + 1:] if named[2] is None else []:
            if below.strip() and len(below) - len(below.lstrip()) <= len(named[1]):
                break
            entries.append(below)
        pairs = [re.match(r" *([a-z-]+): *(read|write|none)\b", entry) for entry in entries]
        given = {pair[1]: pair[2] for pair in pairs if pair}
        if job:
            found[job] = given
        else:
            of_all = given
    return found


def token(job):
    """The token of a job."""
    return f"job-{job}"


class Proxy:
    """Passes requests on to the port `to`. `github_port` is the port of the stand-in itself."""

    def __init__(self, port, to, github_port, token):
        self.granted, self.refused, self.github, self.token = {}, [], github_port, token
        self.additions = github.Additions()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length) if length else None
                if self.path == "/git":
                    status = proxy.git_answer(self.headers.get("authorization"), self.headers["x-original-uri"])
                    return self.answer(status, {"www-authenticate": 'Basic realm="git"'}, b"")
                given = proxy.granted.get((self.headers.get("authorization") or "").removeprefix("Bearer "))
                if given is None:
                    return self.answer(401, {"content-type": "application/json"}, b'{"message": "Bad credentials"}')
                why = proxy.refusal(given, self.command, self.path.split("?")[0])
                if why:
                    proxy.refused.append(f"{self.command} {self.path}: {why}")
                    answer = json.dumps({"message": "Resource not accessible by integration"}).encode()
                    return self.answer(403, {"content-type": "application/json"}, answer)
                connection = http.client.HTTPConnection("127.0.0.1", to, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection", "authorization")}
                headers["authorization"] = f"Bearer {proxy.token}"
                connection.request(self.command, self.path, body, headers)
                response = connection.getresponse()
                status, body = proxy.additions.complete(self.command, self.path, response.status, response.read())
                self.answer(status, dict(response.getheaders()), body)

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

            do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = handle_any

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def grant(self, jobs):
        """Sets the permissions of the jobs of a workflow."""
        self.granted, self.refused = {token(job): given for job, given in jobs.items()}, []

    def git_answer(self, authorization, uri):
        """The status for a request to the git server: the owner's token may do everything, a job's what `contents` gives."""
        try:
            password = base64.b64decode((authorization or "").removeprefix("Basic ")).decode().partition(":")[2]
        except ValueError:
            return 401
        level = "write" if password == self.token else self.granted.get(password, {}).get("contents", "none")
        if password != self.token and password not in self.granted:
            return 401
        return 200 if LEVELS.index(level) >= LEVELS.index("write" if "git-receive-pack" in uri else "read") else 403

    def refusal(self, given, method, path):
        """The permission that a request lacks."""
        request = f"{method} {path}"
        on_thread = re.fullmatch(rf"POST ({REPO})/issues/(\d+)/comments", request)
        if on_thread:
            kind = "pull-requests" if self.is_pull(on_thread[1], on_thread[2]) else "issues"
            needed = sorted({f"{kind}: write", "issues: write"})
        else:
            rules = [needed for pattern, needed in RULES if re.fullmatch(pattern, request)]
            if not rules:
                return "no rule in tests/e2e/permissions.py"
            needed = rules[0]
        has = lambda need: LEVELS.index(given.get(need.split(": ")[0], "none")) >= LEVELS.index(need.split(": ")[1])
        return None if not needed or any(has(need) for need in needed) else " or ".join(needed)

    def is_pull(self, repository, number):
        path = f"http://127.0.0.1:{self.github}{repository}/pulls/{number}"
        try:
            urllib.request.urlopen(urllib.request.Request(path, headers={"Authorization": f"Bearer {self.token}"}), timeout=20).close()
        except urllib.error.HTTPError:
            return False
        return True

    def stop(self):
        self.server.shutdown()
