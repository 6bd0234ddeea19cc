#!/usr/bin/env python3
"""Live trial of `perfgate measure` on a real criterion suite: alarms between equal commits, and slowdowns found.

Needs a criterion benchmark binary that reads the variable SLOW (`name=factor,…`) and makes those benchmarks do that much
more work. The binary is not rebuilt, so all the time goes into measuring: commits differ only in the file `slow`. See README.md.
"""
import argparse, json, os, pathlib, subprocess, sys, tempfile, time

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("binary", help="the benchmark binary (cargo bench --no-run prints its path)")
parser.add_argument("--perfgate", default="perfgate")
parser.add_argument("--pairs", type=int, default=10, help="sessions of each kind")
parser.add_argument("--minutes", type=float, default=1e9, help="start no session after this many minutes")
parser.add_argument("--options", default="", help="further options of `perfgate measure`")
parser.add_argument("--criterion", default="--warm-up-time 0.1 --measurement-time 0.3 --nresamples 1000")
parser.add_argument("--first", type=int, default=0, help="number of the first session, to continue a trial")
parser.add_argument("--out", default="live.jsonl")
parser.add_argument("--reports", help="directory for the full reports")
arguments = parser.parse_args()

binary = pathlib.Path(arguments.binary).resolve()
listed = subprocess.run([binary, "--bench", "--list"], capture_output=True, text=True, check=True).stdout
names = [line.removesuffix(": benchmark") for line in listed.splitlines() if line.endswith(": benchmark")]
print(f"{len(names)} benchmarks")
FACTORS = [1.10, 1.25, 1.30, 1.5, 2.0, 0.7]


def git(repository, *words):
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", repository, *identity, *words], check=True, capture_output=True)


def session(number, injected, busy):
    """Measures one pair of commits; returns the injected factors and the outcomes."""
    # Over the sessions, every benchmark gets every factor.
    slowed = {names[(7 * number + 5 * i) % len(names)]: f for i, f in enumerate(FACTORS)} if injected else {}
    with tempfile.TemporaryDirectory() as repository:
        write = lambda name, text: pathlib.Path(repository, name).write_text(text)
        git(repository, "init", "-q", "-b", "main")
        write("bench.sh", f'SLOW=$(cat slow) exec "{binary}" --bench {arguments.criterion} "$@"\n')
        write("slow", "")
        git(repository, "add", "."), git(repository, "commit", "-qm", "base")
        write("slow", ",".join(f"{name}={factor}" for name, factor in slowed.items()))
        write("note", str(number))
        git(repository, "add", "."), git(repository, "commit", "-qm", "head")
        burner = subprocess.Popen(["sh", "-c", "while :; do :; done"]) if busy else None
        started = time.time()
        command = [arguments.perfgate, "measure", "--base", "HEAD~1", "--format", "json", *arguments.options.split()]
        answer = subprocess.run([*command, "--", "sh", "bench.sh", "{filter}"], cwd=repository, capture_output=True, text=True)
        seconds = time.time() - started
        if burner:
            burner.kill(), burner.wait()
    if answer.returncode not in (0, 1):
        sys.exit(answer.stderr)
    report = json.loads(answer.stdout)
    if arguments.reports:
        kind = ("changed" if injected else "equal") + ("-busy" if busy else "")
        pathlib.Path(arguments.reports).mkdir(exist_ok=True)
        pathlib.Path(arguments.reports, f"{number:02}-{kind}.json").write_text(answer.stdout)
    outcomes = {f["name"]: (f["outcome"], f["confirmed"], f["adjusted"], f["notes"]) for f in report["benchmarks"]}
    flagged = [name for name, (outcome, *_) in outcomes.items() if outcome == "regressed"]
    first = [line for line in answer.stderr.splitlines() if line.startswith(("first run", "round 1"))]
    once = sum(float(line.rsplit(": ", 1)[1].split()[0]) for line in first)
    return {
        "number": number, "injected": injected, "busy": busy, "load": os.getloadavg()[0], "seconds": round(seconds, 1),
        "once": round(once, 1), "false": [name for name in flagged if slowed.get(name, 1.0) <= 1.0],
        "again": sum(confirmed for _, confirmed, *_ in outcomes.values()),
        "planted": {f"{factor}": [name, *outcomes[name]] for name, factor in slowed.items()},
    }


begun, done = time.time(), []
for number in range(arguments.first, arguments.first + arguments.pairs):
    for injected in (False, True):
        if time.time() - begun > 60 * arguments.minutes:
            break
        result = session(number, injected, busy=number % 2 == 1)
        done.append(result)
        with open(arguments.out, "a") as out:
            print(json.dumps(result), file=out)
        print(json.dumps(result), flush=True)

print()
for busy in (False, True):
    equal = [r for r in done if not r["injected"] and r["busy"] == busy]
    changed = [r for r in done if r["injected"] and r["busy"] == busy]
    print(f"busy core: {busy}; equal pairs with an alarm: {sum(bool(r['false']) for r in equal)} of {len(equal)};"
          f" changed pairs with a false alarm: {sum(bool(r['false']) for r in changed)} of {len(changed)}")
    for factor in FACTORS:
        outcomes = [r["planted"][str(factor)][1] for r in changed]
        print(f"  x{factor}: " + ", ".join(f"{o} {outcomes.count(o)}" for o in sorted(set(outcomes))))
    if equal + changed:
        print(f"  time, relative to one run of the suite per side: {sum(r['seconds'] for r in equal + changed) / sum(r['once'] for r in equal + changed):.2f}")
