#!/usr/bin/env python3
"""Writes synthetic series of further kinds, in the file format of `examples/change_points.rs`: 60 of each kind in OUT/KIND.

    python tests/peers/kinds.py target/kinds && python tests/peers/change_points.py target/kinds/* --slow
    cargo run --release --example change_points -- target/kinds/*
"""
import csv, json, math, os, random, sys

rng = random.Random(77)
SERIES = 60


def outlier():
    return math.log(1.15 + 0.5 * rng.random()) if rng.random() < 0.02 else 0


def write(kind, make):
    directory = os.path.join(sys.argv[1], kind)
    os.makedirs(directory, exist_ok=True)
    columns, truth = {}, {}
    for i in range(SERIES):
        values, steps = make()
        columns["s%03d" % i] = [1000 * math.exp(x) for x in values]
        truth["s%03d" % i] = {"steps": steps}
    # change_points.py also needs a long series: repeat the first one.
    truth["s"] = truth["s000"]
    for name, some in (("many.csv", columns), ("long.csv", {"s": columns["s000"]})):
        with open(os.path.join(directory, name), "w", newline="") as handle:
            rows = csv.writer(handle)
            rows.writerow(["time", "commit", *some])
            for i in range(len(columns["s000"])):
                rows.writerow([1700000000 + i, "%040x" % i, *("%.8g" % column[i] for column in some.values())])
    with open(os.path.join(directory, "truth.json"), "w") as handle:
        json.dump(truth, handle)


def step(n, at, factor, noise):
    rise = math.log(factor)
    return lambda: ([(rise if i >= at else 0) + rng.gauss(0, noise) + outlier() for i in range(n)], [[at, factor]])


def episode(length):
    inside = lambda i: 80 <= i < 80 + length
    values = lambda: [(math.log(1.2) if inside(i) else 0) + rng.gauss(0, 0.02) + outlier() for i in range(160)]
    return lambda: (values(), [[80, 1.2], [80 + length, 1 / 1.2]])


def drift(noise):
    level = lambda i: math.log(1.09) * min(max((i - 60) / 40, 0), 1)
    return lambda: ([level(i) + rng.gauss(0, noise) + outlier() for i in range(160)], [])


def correlated(n, noise, correlation):
    def make():
        x, values = 0, []
        for _ in range(n):
            x = correlation * x + math.sqrt(1 - correlation * correlation) * rng.gauss(0, 1)
            values.append(noise * x)
        return values, []
    return make


def heavy():
    return [0.02 * rng.gauss(0, 1) / math.sqrt(rng.gammavariate(1.5, 1 / 1.5)) for _ in range(200)], []


for factor in (1.02, 1.03, 1.05):
    for noise in (0.005, 0.01, 0.02, 0.05):
        write("step%d_n200_noise%g" % (round(100 * factor - 100), 100 * noise), step(200, 120, factor, noise))
for n in (20, 40):
    write("short%d_step10_noise2" % n, step(n, n // 2, 1.1, 0.02))
write("short12_step10_noise1", step(12, 7, 1.1, 0.01))
write("recent5_step10_noise2", step(200, 195, 1.1, 0.02))
write("recent3_step20_noise2", step(200, 197, 1.2, 0.02))
write("recent2_step30_noise2", step(200, 198, 1.3, 0.02))
for length in (4, 6, 10):
    write("episode%d_20_noise2" % length, episode(length))
for noise in (0.005, 0.01, 0.02, 0.05):
    write("drift9over40_noise%g" % (100 * noise), drift(noise))
for correlation in (0.4, 0.7):
    write("ar%g_nostep_noise3" % correlation, correlated(100, 0.03, correlation))
write("clean_nostep_noise2", lambda: ([rng.gauss(0, 0.02) for _ in range(200)], []))
write("heavy_nostep", heavy)
