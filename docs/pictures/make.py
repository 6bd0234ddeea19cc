#!/usr/bin/env python3
"""Draws the pictures of this directory: screenshots from synthetic results, light and dark, and examples of `--plots`:

    python3 -m venv target/pictures && target/pictures/bin/pip install cmarkgfm==2025.10.22 pillow==13.0.0
    cargo build && target/pictures/bin/python docs/pictures/make.py [NAME...]

A name selects what to draw: terminal, comment, summary, template, report, history, plots. Needs git, Chromium, chromedriver
and a font with emoji (`fonts-noto-color-emoji`); the program is
target/debug/perfgate, or $PERFGATE. The same program draws the same pictures. It also checks that the comment fits the 760
pixels of a pull request.
"""

import base64
import html
import io
import json
import math
import os
import pty
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.error
import urllib.request
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options
from PIL import Image

HERE = Path(__file__).resolve().parent
PERFGATE = os.environ.get("PERFGATE") or str(HERE.parents[1] / "target/debug/perfgate")
SCHEMES = ("light", "dark")
WIDTH_OF_A_COMMENT = 760
LARGEST = 150_000  # bytes of a picture

# Microseconds of the base, and the factor of the head.
SUITE = {
    "parse/large": (2100, 1.42), "parse/small": (84, 1.27), "parse/numbers": (310, 1.02), "parse/strings/escaped": (455, 0.64),
    "write/compact": (1270, 1.01), "write/pretty/with_a_longer_name_than_others": (1890, 1.31),
    "index/build": (9100, 0.99), "index/lookup": (12, 1.0), "query/filter": (640, 1.0), "query/join": (2750, 1.08), "query/sort": (980, 0.98),
}
CONFIG = """
[[budget]]
match = "parse/large"
metric = "time"
target = "<2500us"
[[budget]]
match = "index/lookup"
metric = "time"
target = "<20us"
[[accept]]
benchmark = "parse/small"
up-to = "40%"
reason = "checks the encoding"
until = "2999-12-31"
"""
# GitHub's styles of a comment, as far as they matter here.
PAGE = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>x</title><style>
:root { color-scheme: light dark; --back: #fff; --front: #1f2328; --line: #d1d9e0; --head: #f6f8fa; --dim: #59636e; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --front: #f0f6fc; --line: #3d444d; --head: #151b23; --dim: #9198a1; } }
body { margin: 0; background: var(--back); color: var(--front); }
.comment { width: WIDTHpx; padding: 16px; font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; overflow-wrap: break-word; }
.comment h1, .comment h2, .comment h3 { margin: 20px 0 12px; line-height: 1.25; font-weight: 600; } .comment > :first-child { margin-top: 0; }
h1 { font-size: 2em; } h2 { font-size: 1.5em; border-bottom: 1px solid var(--line); padding-bottom: .3em; } h3 { font-size: 1.25em; } p, ul, table, pre, details { margin: 0 0 14px; }
table { display: block; width: max-content; max-width: 100%; overflow: auto; border-spacing: 0; border-collapse: collapse; }
th, td { padding: 6px 13px; border: 1px solid var(--line); } tr:nth-child(2n) { background: var(--head); }
code { font: 85% ui-monospace, "Liberation Mono", monospace; background: color-mix(in srgb, var(--dim) 18%, transparent); padding: .2em .4em; border-radius: 6px; }
pre { background: var(--head); padding: 14px; border-radius: 6px; overflow: auto; } pre code { background: none; padding: 0; }
a { color: #4493f8; } sub { color: var(--dim); } ul { padding-left: 2em; }
.terminal { display: inline-block; padding: 12px 14px; white-space: pre; font: 14px/1.35 "DejaVu Sans Mono", monospace; background: var(--head); }
.c31 { color: #cf222e; } .c32 { color: #1a7f37; } .c33 { color: #9a6700; } .c36 { color: #1b7c83; } .c1 { font-weight: 700; } .c2 { color: var(--dim); }
@media (prefers-color-scheme: dark) { .c31 { color: #ff7b72; } .c32 { color: #3fb950; } .c33 { color: #d29922; } .c36 { color: #39c5cf; } }
</style><body>BODY</body></html>"""


class Browser:
    """A headless Chromium."""

    def __init__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.driver = subprocess.Popen(["chromedriver", f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}}
        self.session = ""
        for _ in range(100):
            try:
                self.session = "/" + self.post("/session", wanted)["sessionId"]
                return
            except OSError:
                time.sleep(0.2)
        sys.exit("chromedriver does not answer")

    def post(self, path, body):
        url = f"http://127.0.0.1:{self.port}" + (path if path == "/session" else f"/session{self.session}/{path}")
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def run(self, script):
        return self.post("execute/sync", {"script": script, "args": []})

    def cdp(self, command, **parameters):
        return self.post("goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, path, scheme, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.post("url", {"url": "about:blank"})
        self.post("url", {"url": "file://" + str(path)})

    def until(self, expression):
        for _ in range(200):
            if self.run(f"return Boolean({expression})"):
                return
            time.sleep(0.05)
        sys.exit(f"never true: {expression}")

    def save(self, name, width, height):
        """Saves the upper left of the page with a palette, which is a third of the size."""
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = base64.b64decode(self.cdp("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)["data"])
        image = Image.open(io.BytesIO(shot)).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        path = HERE / f"{name}.png"
        image.save(path, optimize=True)
        size = path.stat().st_size
        print(f"{path.name}: {image.width} x {image.height}, {size / 1000:.0f} kB")
        if size > LARGEST:
            sys.exit(f"{path.name} is larger than {LARGEST / 1000:.0f} kB")

    def close(self):
        urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{self.port}/session{self.session}", method="DELETE"), timeout=30)
        self.driver.terminate()


def git(directory, *arguments, text=None):
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *arguments], cwd=directory, input=text, text=True, capture_output=True, check=True, env=environment)
    return done.stdout.strip()


def perfgate(directory, *arguments, codes=(0,), **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "PERFGATE_"))} | variables
    done = subprocess.run([PERFGATE, *arguments], cwd=directory, capture_output=True, text=True, env=environment)
    if done.returncode not in codes:
        sys.exit(f"perfgate {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def repository(directory, count):
    """A repository with synthetic commits; their ids and times."""
    rng = random.Random(4)
    verbs = "Read Write Parse Cache Split Merge Escape Simplify Bound Index".split()
    things = "tokens numbers strings tables keys comments arrays dates headers".split()
    directory.mkdir()
    git(directory, "init", "-q", "-b", "main")
    git(directory, "remote", "add", "origin", "https://github.com/octo/parser.git")
    stream, times, now = [], [], 1767225600
    for number in range(count):
        now += int(rng.expovariate(1 / 40000)) + 600
        times.append(now)
        subject = f"{rng.choice(verbs)} {rng.choice(things)} {rng.choice(['in one pass', 'without a copy', 'lazily'])} (#{number + 1})"
        person = f"{rng.choice(['Ada', 'Grace', 'Edsger'])} <a@example.org> {now} +0000"
        stream.append(f"commit refs/heads/main\nauthor {person}\ncommitter {person}\ndata {len(subject)}\n{subject}\nM 644 inline f\ndata 3\n{number % 100:02}\n\n")
    git(directory, "fast-import", "--quiet", text="".join(stream))
    git(directory, "reset", "-q", "--hard")
    return git(directory, "rev-list", "--reverse", "main").split(), times


def compared(directory):
    """A saved comparison of three runs on each side, in hyperfine's format."""
    repository(directory, 3)
    rng = random.Random(7)
    (directory / "perfgate.toml").write_text(CONFIG)
    sides = []
    for side in ("base", "head"):
        for run in range(3):
            results = []
            for name, (level, factor) in SUITE.items():
                level *= 1e-6 * (factor if side == "head" else 1) * math.exp(rng.gauss(0, 0.06 if name == "query/join" else 0.006))
                times = [level * math.exp(abs(rng.gauss(0, 0.01))) for _ in range(30)]
                results.append({"command": name, "mean": sum(times) / 30, "median": sorted(times)[15], "times": times})
            (directory / f"{side}-{run + 1}.json").write_text(json.dumps({"results": results}))
            sides += [f"--{side}", f"{side}-{run + 1}.json"]
    perfgate(directory, "compare", *sides, "--save", "comparison.json", "--html", "report.html", codes=(1,))
    return sides


def recorded(directory):
    """A site of 220 commits with known changes, one of them accepted."""
    ids, times = repository(directory, 220)
    rng = random.Random(5)
    steps = {"parse/large": {150: 1.31}, "parse/small": {212: 1.15}, "parse/numbers": {}, "parse/strings/escaped": {40: 1.2, 96: 0.7},
             "write/compact": {180: 0.8}, "write/pretty": {203: 1.09}, "index/build": {}, "index/lookup": {120: 0.9}, "query/filter": {}, "query/join": {}, "query/sort": {70: 1.4, 74: 0.71}}
    columns = {}
    for name, changes in steps.items():
        level, noise = SUITE.get(name, (1890, 1))[0] * 1000, rng.choice((0.004, 0.008, 0.015))
        columns[name] = []
        for number in range(len(ids)):
            level *= changes.get(number, 1)
            columns[name].append(level * math.exp(rng.gauss(0, noise)) * (1.15 if rng.random() < 0.01 else 1))
    runs = [{"commit": {"id": commit, "message": "", "timestamp": "2026-01-01T00:00:00Z", "url": "", "author": {"name": ""}}, "date": times[number] * 1000, "tool": "cargo",
             "benches": [{"name": name, "value": round(column[number], 2), "range": "± 5", "unit": "ns/iter"} for name, column in columns.items()]}
            for number, commit in enumerate(ids)]
    (directory / "data.js").write_text("window.BENCHMARK_DATA = " + json.dumps({"lastUpdate": 1, "repoUrl": "", "entries": {"parser": runs}}))
    (directory / "perfgate.toml").write_text('[[accept]]\nbenchmark = "parser/parse/small"\nup-to = "20%"\nreason = "checks the encoding"\nuntil = "2999-12-31"\n'
                                             f'[[epoch]]\nmatch = "parser/index/*"\nfrom = "{ids[60]}"\nreason = "a larger corpus"\n')
    perfgate(directory, "runs", "import", "data.js")
    perfgate(directory, "history", "--last", "220", "--site", "site")


def terminal(directory, columns, arguments):
    """What the program prints in a terminal of a width, as HTML."""
    pid, master = pty.fork()
    if pid == 0:
        import fcntl, termios
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        os.chdir(directory)
        os.environ["TERM"] = "xterm-256color"
        os.environ.pop("NO_COLOR", None)
        os.execv(PERFGATE, [PERFGATE, *arguments])
    printed = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the end, on Linux
            break
        if not part:
            break
        printed += part
    os.waitpid(pid, 0)
    lines = printed.decode().replace("\r", "").rstrip("\n")
    widest = max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in lines.split("\n"))
    if widest > columns:
        sys.exit(f"a line of {widest} columns in a terminal of {columns}")
    out, style = [], ""
    command = " ".join(["$ perfgate", *(one for one in arguments if one not in ("--color", "always"))])
    command = "\n".join(textwrap.wrap(command, columns, subsequent_indent="    ", break_on_hyphens=False))
    for part in re.split(r"(\x1b\[[0-9;]*m)", command + "\n" + lines):
        if part.startswith("\x1b["):
            codes = [code for code in part[2:-1].split(";") if code not in ("", "0")]
            style = " ".join("c" + code for code in codes)
        elif part:
            out.append(f'<span class="{style}">{html.escape(part)}</span>')
    return f'<div class="terminal" style="width: {columns}ch">{"".join(out)}</div>'


def page(path, body, width=WIDTH_OF_A_COMMENT):
    path.write_text(PAGE.replace("WIDTH", str(width)).replace("BODY", body))
    return path


def draw_terminal(browser, work, sides):
    for columns in (80, 100, 140):
        body = terminal(work / "compared", columns, ["compare", *sides, "--color", "always"])
        for scheme in SCHEMES:
            browser.open(page(work / "t.html", body), scheme, 1400, 700)
            box = browser.run("const b = document.querySelector('.terminal').getBoundingClientRect(); return [b.width, b.height]")
            browser.save(f"terminal-{columns}-{scheme}", math.ceil(box[0]), math.ceil(box[1]))


def draw_text(browser, work, name, template, width, most):
    text = perfgate(work / "compared", "render", "comparison.json", "--template", template)
    body = cmarkgfm.github_flavored_markdown_to_html(text, options=Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_HARDBREAKS)
    for scheme in SCHEMES:
        browser.open(page(work / "text.html", f'<div class="comment">{body}</div>', width), scheme, width + 32, 900)
        if name == "comment":
            wide = browser.run("return [...document.querySelectorAll('table')].filter(t => t.scrollWidth > t.clientWidth).map(t => t.scrollWidth + ': ' + t.textContent.slice(0, 80))")
            if wide:
                sys.exit(f"tables of the comment are wider than {width} pixels: {wide}")
        height = browser.run("return document.querySelector('.comment').offsetHeight")
        browser.save(f"{name}-{scheme}", width + 32, min(math.ceil(height), most))


def draw_report(browser, work):
    for scheme in SCHEMES:
        browser.open(work / "compared/report.html", scheme, 1100, 900)
        browser.run("document.querySelector('tbody button.chart').click()")
        height = browser.run("return document.documentElement.scrollHeight")
        browser.save(f"report-{scheme}", 1100, min(height, 1100))


def draw_history(browser, work):
    for scheme in SCHEMES:
        browser.open(work / "recorded/site/index.html", scheme, 1100, 720)
        browser.until("document.querySelectorAll('.grid tbody tr').length > 5")
        browser.save(f"history-{scheme}", 1100, 720)
        browser.run("location.hash = '#/series/parser/parse/strings/escaped'")
        browser.until("document.querySelector('.uplot')")
        browser.run("current.pin(96)")
        browser.save(f"history-series-{scheme}", 1100, 1040)


def draw_plots(work):
    """Pictures of the README's first command and of one stored series. Without gnuplot, they are the same on every machine."""
    path = work / "path"
    path.mkdir()
    (path / "git").symlink_to(shutil.which("git"))
    sides = [f"tests/data/criterion-08/criterion@{side}" for side in ("before", "after")]
    perfgate(HERE.parents[1], "compare", *sides, "--plots", str(work / "compared-plots"), codes=(1,), PATH=str(path))
    perfgate(work / "recorded", "history", "--last", "220", "--plots", str(work / "history-plots"), PATH=str(path))
    for name, pattern in (
        ("forest", "compared-plots/forest.svg"),
        ("samples", "compared-plots/samples-parse-line-*.svg"),
        ("series", "history-plots/series-parser-parse-strings-escaped-*.svg"),
    ):
        (source,) = work.glob(pattern)
        shutil.copy(source, HERE / f"{name}.svg")
        print(f"{name}.svg: {source.stat().st_size / 1000:.0f} kB")


def main():
    wanted = sys.argv[1:] or ["terminal", "comment", "summary", "template", "report", "history", "plots"]
    browser = Browser()
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        try:
            if set(wanted) - {"history", "plots"}:
                sides = compared(work / "compared")
            if "terminal" in wanted:
                draw_terminal(browser, work, sides)
            for name, template, width, most in (("comment", "comment", WIDTH_OF_A_COMMENT, 1400), ("summary", "summary", 960, 1400), ("template", "library", 960, 1400)):
                if name in wanted:
                    draw_text(browser, work, name, template, width, most)
            if "report" in wanted:
                draw_report(browser, work)
            if set(wanted) & {"history", "plots"}:
                recorded(work / "recorded")
            if "history" in wanted:
                draw_history(browser, work)
            if "plots" in wanted:
                draw_plots(work)
        finally:
            browser.close()


main()
