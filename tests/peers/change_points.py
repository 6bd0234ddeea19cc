#!/usr/bin/env python3
"""Counts the change points of other tools on the series that `examples/change_points.rs` writes, by the same rules.

    cargo run --release --example change_points -- target/series/1 target/series/2
    pip install apache-otava asv==0.6.6 'signal-processing-algorithms==2.1.6'
    python tests/peers/change_points.py target/series/* [--slow]

Each directory holds many.csv (time,commit,s000,...), long.csv (time,commit,s) and truth.json ({"s000": {"sigma": 0.02,
"steps": [[index, factor], ...]}}). A step counts as found if the nearest reported change point is within five points; the other
reported ones are false. `--slow` also runs signal-processing-algorithms. Times are CPU seconds of this process."""
import csv, json, os, sys, time, warnings

warnings.filterwarnings("ignore")
WITHIN = 5


def otava(values):
    from otava.analysis import compute_change_points
    return [point.index for point in compute_change_points(values)[0]]


def asv(values):
    from asv.step_detect import detect_steps
    return [step[0] for step in detect_steps(values)][1:]


def e_divisive(values):
    from signal_processing_algorithms.energy_statistics.energy_statistics import e_divisive
    return e_divisive(values)


def columns(path):
    with open(path, newline="") as handle:
        rows = list(csv.reader(handle))
    return {name: [float(row[i]) for row in rows[1:]] for i, name in enumerate(rows[0]) if i > 1}


def count(reported, steps):
    """The factors of the steps that were found, and the number of false ones."""
    left, found = sorted(reported), []
    for place, factor in steps:
        near = min(left, key=lambda at: abs(at - place), default=None)
        if near is not None and abs(near - place) <= WITHIN:
            left.remove(near)
            found.append(factor)
    return found, len(left)


def main():
    directories = [word for word in sys.argv[1:] if not word.startswith("--")]
    tools = {"apache-otava": otava, "asv": asv}
    if "--slow" in sys.argv:
        tools["e_divisive"] = e_divisive
    for directory in directories:
        truth = json.load(open(os.path.join(directory, "truth.json")))
        many, long = (columns(os.path.join(directory, name)) for name in ("many.csv", "long.csv"))
        known = sum(len(truth[name]["steps"]) for name in many)
        for tool, find in tools.items():
            find(list(many["s000"]))  # so that imports are not timed
            began, found, false, given, small = time.process_time(), 0, 0, 0, [0, 0]
            for name, values in many.items():
                steps = truth[name]["steps"]
                hits, wrong = count(find(values), steps)
                found, false = found + len(hits), false + wrong
                given += not steps and wrong > 0
                small[0] += sum(abs(factor - 1) < 0.06 for factor in hits)
                small[1] += sum(abs(factor - 1) < 0.06 for _, factor in steps)
            took = time.process_time() - began
            line = f"{directory} {tool}: {found} of {known} found, {false} false, steps of 5%: {small[0]} of {small[1]}, "
            line += f"{given} series without a step given one, 200 x 500 in {took:.2f} s"
            if tool != "e_divisive":
                began = time.process_time()
                hits, wrong = count(find(long["s"]), truth["s"]["steps"])
                line += f", 1 x 10,000 in {time.process_time() - began:.2f} s ({len(hits)} of 20, {wrong} false)"
            print(line, flush=True)


main()
