#!/usr/bin/env python3
"""A second implementation of docs/statistics.md, for comparison with src/stats (tests/statistics.rs).

usage: reference.py           compute the values of vectors.json again and print the largest deviations; exit code 1 if
                              one is larger than tests/statistics.rs allows
       reference.py --write   also write the computed values, after a change of the method or of a constant below

Needs numpy and scipy: python3 -m venv target/reference && target/reference/bin/pip install numpy scipy

It takes no shortcuts: all grid points keep their weights, and all tails and quantiles are those of scipy.

Differences from src/stats, which tests/statistics.rs takes into account:
- Values without samples have no upper limit of their noise.
- If a suite-wide shift is too large to be subtracted, the changes are tested with it, as in `perfgate measure`.
Not covered: exact counts (--write keeps them), counts that vary, typical means, re-measured suspects, the rules for
outliers and the newest base run, and suites of more than MAX_FITTED benchmarks, where src/stats fits a part of them.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy import optimize, special, stats

VECTORS = Path(__file__).with_name("vectors.json")

# tests/statistics.rs: the tolerances, and the rules of its test.
ABSOLUTE_TOLERANCE = 1e-7
RELATIVE_TOLERANCE = 2e-6
MAX_SUBTRACTED_SHIFT = 0.139_761_942_375

# src/stats/prior.rs
PREDICTION = (-0.60, 0.79)
TYPICAL = -8.5
LN_VARIANCE = -8.2
LN_VARIANCE_SMALL = -7.0
LN_VARIANCE_WITHOUT_SAMPLES = -6.0
LN_VARIANCE_SD = 1.2
LN_VARIANCE_SD_WITH_SAMPLES = 1.5
SLOPE = 1.0
SLOPE_SD = 0.2
LN_VARIANCE_STEPS = 13
MAX_LN_VARIANCE_STEPS = 19
BORDER_WEIGHT = 0.01
SLOPE_STEPS = 5
PRIOR_DF = (2.0, 3.0, 5.0)
PRIOR_DF_WITHOUT_SAMPLES = (1.0,)
ONE_RUN_PER_SIDE_DF = 1.4
CHANGED = ((0.03, 0.40), (0.10, 0.35), (0.25, 0.20), (0.50, 0.05))
CHANGED_WITH_SAMPLES = ((0.03, 0.40), (0.10, 0.35), (0.25, 0.06), (0.50, 0.015))
CHANGE_SCALE = 0.4
MIN_SD = 0.003

# src/stats/estimate.rs
TAIL = 0.025
NOISE_LIMIT_STANDARD_ERRORS = 3.0
LIMIT_DF = 20.0

# src/stats/suite.rs and suite_test.rs
LEAST_MAX_SD = 0.30
DF_OF_ONE_NUMBER = (ONE_RUN_PER_SIDE_DF, 4.0)
MAX_DF_OF_SMALL_SUITE = 3.0

# src/stats/shift.rs
MIN_SUITE = 8
WINDOW_SHARE = 0.4
WINDOW_SLACK = 1.5
VARIANCE_OF_SHIFT = 2.0

# src/stats/head_noise.rs
MIN_BASE_RUNS = 3
TOLERANCE = 6.0
EXCESS_FACTOR = 2.0

# src/stats/samples.rs
EDGE_SHARE = 0.06
EDGE_MIN_SAMPLES = 3
BATCH_SIZE = 7.0
MIN_BATCHES = 3
MAX_BATCHES = 7
DRIFT_MIN_SAMPLES = 6
SORTED_MIN_SAMPLES = 10


# Samples of one run


def ln_fast_edge(samples, least):
    count = max(min(least, int(np.ceil(len(samples) / 3))), int(EDGE_SHARE * len(samples) + 0.5), 1)
    return np.log(np.sort(samples)[:count]).mean()


def digest_of(samples):
    """The number of samples, their fast edge ("low"), median and within-run drift ("wander")."""
    samples, drift = np.array(samples), None
    steps = np.diff(samples)
    is_sorted = len(samples) >= SORTED_MIN_SAMPLES and steps.any() and (all(steps >= 0) or all(steps <= 0))
    if len(samples) >= DRIFT_MIN_SAMPLES and not is_sorted:
        batches = np.array_split(samples, np.clip(int(len(samples) / BATCH_SIZE + 0.5), MIN_BATCHES, MAX_BATCHES))
        drift = np.sort([ln_fast_edge(batch, 1) for batch in batches])[:-1].std(ddof=1)
    low = np.exp(ln_fast_edge(samples, EDGE_MIN_SAMPLES))
    return {"n": len(samples), "low": low, "median": np.median(samples), "wander": drift}


# Centres and shifts. A side is an array with a row for each benchmark and a column for each run.


def centre(side):
    runs = side.shape[-1]
    if runs <= 4:
        return np.median(side, axis=-1)
    one, other = np.triu_indices(runs)
    return np.median((side[..., one] + side[..., other]) / 2, axis=-1)


def variance_factor(runs):
    return (1.0 if runs <= 2 else 1.35 if runs <= 4 else 1.1) / runs


def windows(values):
    """All windows with 40% of the sorted values, and their widths."""
    size = max(int(np.ceil(WINDOW_SHARE * len(values))), 2)
    found = np.lib.stride_tricks.sliding_window_view(np.sort(values), size)
    return found, np.ptp(found, axis=1)


def suite_wide_shift(changes):
    """The centre of the densest 40% of the changes; of nearly equally dense ones, those nearest to zero."""
    if len(changes) < MIN_SUITE:
        return 0.0
    found, widths = windows(changes)
    reach = WINDOW_SLACK * widths.min() + 1e-12
    middles = np.median(found[widths <= reach], axis=1)
    nearest = middles[np.abs(middles).argmin()]
    return np.median(changes[np.abs(changes - nearest) <= reach])


def shifts_of_runs(side):
    """The shift of each run from the centre of its side; zeros for a single run and for a small suite."""
    if len(side) < MIN_SUITE:
        return np.zeros(side.shape[1])
    return np.median(side - np.median(side, axis=1, keepdims=True), axis=0)


def variance_of_kept_shift(sides):
    """The variance of a suite-wide shift that stays in the changes, from the shifts of the runs."""
    df = sum(side.shape[1] - 1 for side in sides)
    if df == 0:
        return 0.0
    shifts = [shifts_of_runs(side) for side in sides]
    variance = sum(((one - one.mean()) ** 2).sum() for one in shifts) / df
    factor = sum(variance_factor(len(one)) for one in shifts)
    return variance * factor * (stats.t.isf(TAIL, df) / stats.norm.isf(TAIL)) ** 2


def variance_of_subtracted_shift(changes):
    """The variance of the centre of the densest 40% of the changes, and of the shifts of the runs."""
    if len(changes) < MIN_SUITE:
        return 0.0
    return VARIANCE_OF_SHIFT * windows(changes)[1].min() ** 2 / len(changes)


def excess_variance_of_head(base, head):
    """The variance of a single head run beyond that of the base runs, without what chance explains."""
    (count, base_runs), head_runs = base.shape, head.shape[1]
    if count < MIN_SUITE or base_runs < MIN_BASE_RUNS or head_runs > 1:
        return 0.0
    normal_width = 2 * stats.norm.ppf(0.5 + WINDOW_SHARE / 2)
    variance = lambda differences: (windows(differences)[1].min() / normal_width) ** 2
    pairs = sorted(variance(step) / 2 for step in np.diff(base).T)
    of_base = max(pairs[len(pairs) // 2], MIN_SD**2)
    of_head = variance(head[:, 0] - np.median(base, axis=1)) / (1 + variance_factor(base_runs))
    excess = max(of_head - (1 + TOLERANCE / np.sqrt(count)) * of_base, 0.0)
    return min((base_runs + 1 - MIN_BASE_RUNS) / 4, EXCESS_FACTOR) * excess


# Noise


class Prior:
    """The noise of a suite: a grid of levels A, slopes b and degrees of freedom d0, with their posterior weights.

    Each benchmark has the log variance `u` that its drift predicts (NaN without a drift), a `change`, and the sum of the
    `squares` of its runs, with `df` degrees of freedom. `factor` is the variance of a change for runs of variance one.
    """

    def __init__(self, u, change, squares, df, factor):
        has_samples, small = not np.isnan(u).all(), len(u) < MIN_SUITE
        mean, sd, changed, dfs = LN_VARIANCE, LN_VARIANCE_SD_WITH_SAMPLES, CHANGED_WITH_SAMPLES, PRIOR_DF
        if not has_samples:
            mean, sd, changed = LN_VARIANCE_WITHOUT_SAMPLES, LN_VARIANCE_SD, CHANGED
            dfs = (ONE_RUN_PER_SIDE_DF,) if df == 0 else PRIOR_DF_WITHOUT_SAMPLES
        elif small:
            mean, changed = LN_VARIANCE_SMALL, CHANGED
        self.u = np.where(np.isnan(u), np.nanmedian(u) if has_samples else TYPICAL, u)
        self.squares, self.df = squares, df
        slopes = SLOPE + SLOPE_SD * (np.arange(SLOPE_STEPS) - SLOPE_STEPS // 2)
        for steps in (LN_VARIANCE_STEPS, MAX_LN_VARIANCE_STEPS):
            levels = mean + sd * (np.arange(steps) / 2 - 2.5)
            self.level, self.slope, self.d0 = (axis.ravel() for axis in np.meshgrid(levels, slopes, dfs))
            log_prior = stats.norm.logpdf(self.level, mean, sd) + stats.norm.logpdf(self.slope, SLOPE, SLOPE_SD)
            self.weight = special.softmax(log_prior + self.log_likelihood(change, factor, changed))
            if self.weight[self.level == levels[-1]].sum() <= BORDER_WEIGHT:
                break

    def log_likelihood(self, change, factor, changed):
        """Of all changes and squares at each grid point. The variances of the benchmarks are integrated out."""
        d0, df, prior = self.d0[:, None], self.df, self.d0[:, None] * self.prior_variances()
        # The squares have a scaled F distribution. A factor that is the same at all grid points is left out.
        of_squares = special.gammaln((d0 + df) / 2) - special.gammaln(d0 / 2)
        of_squares = of_squares - df / 2 * np.log(prior) - (d0 + df) / 2 * np.log1p(self.squares / prior)
        # Given the squares, changes by chance have a t distribution. Real changes have a Laplace distribution.
        scale = np.sqrt(factor * (prior + self.squares) / (d0 + df))
        noise = of_squares + stats.t.logpdf(change, d0 + df, scale=scale)
        real = of_squares + stats.laplace.logpdf(change, scale=CHANGE_SCALE)
        mixtures = [np.logaddexp(np.log1p(-share) + noise, np.log(share) + real).sum(axis=1) for share, _ in changed]
        return special.logsumexp(mixtures, axis=0, b=[[weight] for _, weight in changed])

    def prior_variances(self):
        """The prior variance of one run: a row for each grid point, a column for each benchmark."""
        return np.exp(self.level[:, None] + self.slope[:, None] * (self.u - TYPICAL)).clip(MIN_SD**2)

    def variances(self):
        """The same, with the squares of the benchmark's own runs."""
        d0 = self.d0[:, None]
        return ((d0 * self.prior_variances() + self.squares) / (d0 + self.df)).clip(MIN_SD**2)


class Noise:
    """The distribution of the measured change of a benchmark that did not change: a mixture of t distributions."""

    def __init__(self, weight, se, df, excess_variance=0.0, max_se=np.inf):
        self.weight, self.se, self.df, self.max_se = weight, se, df, max_se
        self.typical_se = np.exp(weight @ np.log(se))
        self.inflation = np.sqrt(1 + excess_variance / self.typical_se**2)

    def tail(self, change):
        """The probability of a change of at least this size."""
        change = change / self.inflation
        of_prior = self.weight @ stats.t.sf(change / self.se, self.df)
        if change > NOISE_LIMIT_STANDARD_ERRORS * self.max_se:
            return min(of_prior, stats.t.sf(change / self.max_se, LIMIT_DF))
        return of_prior

    def quantile(self, p):
        """The smallest change with a tail of at most `p`."""
        most = 1.001 * self.inflation * (self.se * stats.t.isf(p, self.df)).max()
        return optimize.brentq(lambda change: self.tail(change) - p, 0.0, most, xtol=1e-13, rtol=1e-13)


# Cases


def values_of(runs, names, sign):
    """The values of a side on the log scale, NaN where there are none."""
    get = lambda key: np.array([[run[name].get(key) for run in runs] for name in names], dtype=float)
    middle = np.where(np.isnan(get("median")), np.where(np.isnan(get("mean")), get("value"), get("mean")), get("median"))
    # As in tests/statistics.rs: two standard errors of the mean count as the error of the centre.
    error = np.where(np.isnan(get("wander")), np.nan_to_num(4 * (get("sd") / middle) ** 2 / get("n")), 0.0)
    return {"edge": sign * np.log(get("low")), "centre": sign * np.log(middle), "drift": get("wander"), "error": error}


def mean_of_known(values):
    """The mean of each row without NaN; NaN if there is nothing else."""
    count = (~np.isnan(values)).sum(axis=1)
    return np.nansum(values, axis=1) / np.where(count, count, np.nan)


def estimate(case):
    """The suite and the expected values of a case."""
    names = list(case["expected"])
    sign = -1.0 if case["options"].get("higher_is_better") else 1.0
    sides = [values_of(case[side], names, sign) for side in ("base", "head")]
    runs = [len(case[side]) for side in ("base", "head")]
    df, factors, small = sum(runs) - 2, [variance_factor(count) for count in runs], len(names) < MIN_SUITE
    factor = sum(factors)
    tested = "centre" if any(np.isnan(side["edge"]).any() for side in sides) else "edge"

    # Changes: each run without its shift, then without the shift between base and head.
    evened = {by: [side[by] - shifts_of_runs(side[by]) for side in sides] for by in (tested, "centre")}
    raw, raw_median = (centre(evened[by][1]) - centre(evened[by][0]) for by in (tested, "centre"))
    squares = sum(((side - side.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for side in evened[tested])
    shift, median_shift = suite_wide_shift(raw), suite_wide_shift(raw_median)
    if abs(shift) > MAX_SUBTRACTED_SHIFT and np.mean(np.abs(raw - shift) < abs(shift)) <= 0.5:
        shift = median_shift = 0.0
    is_subtracted = bool(abs(shift) <= MAX_SUBTRACTED_SHIFT)
    delta = raw - shift * is_subtracted
    delta_median = raw_median - median_shift * (is_subtracted and abs(median_shift) <= MAX_SUBTRACTED_SHIFT)

    # Noise: from the suite, and at least that of the drift within the runs.
    u = PREDICTION[0] + PREDICTION[1] * mean_of_known(np.log(np.hstack([side["drift"] for side in sides]) ** 2 + 1e-8))
    prior = Prior(u, raw - shift, squares, df, factor)
    of_run = [np.nan_to_num(mean_of_known(side["drift"] ** 2)) + side["error"].mean(axis=1) for side in sides]
    floor = factors[0] * of_run[0] + factors[1] * of_run[1]
    se = np.sqrt(np.maximum(factor * prior.variances(), floor))

    # Limits of the noise: of samples, and of a single head run without samples. And the error of the shift.
    max_se, max_df, excess = np.full(len(names), np.inf), np.inf, 0.0
    if tested == "edge":
        of_samples = np.hstack([np.abs(side["centre"] - side["edge"]) / 2 for side in sides]).mean(axis=1)
        max_sd = np.maximum(np.maximum(of_samples, np.sqrt(squares / max(df, 1))), LEAST_MAX_SD)
        max_se = np.sqrt(np.maximum(factor * max_sd**2, floor))
    elif runs[1] == 1:
        (least, most), of_base = DF_OF_ONE_NUMBER, runs[0] - 1
        max_df = np.clip(of_base / 2, least, MAX_DF_OF_SMALL_SUITE) if small else np.clip(of_base, least, most)
        excess = excess_variance_of_head(sides[0]["centre"], sides[1]["centre"])
    if not is_subtracted:
        excess += variance_of_kept_shift([side[tested] for side in sides])
    elif tested == "edge" or runs[1] > 1:
        excess += variance_of_subtracted_shift(raw)

    columns = range(len(names))
    noises = [Noise(prior.weight, se[:, i], np.minimum(prior.d0 + df, max_df), excess, max_se[i]) for i in columns]
    p = np.array([noise.tail(abs(change)) for noise, change in zip(noises, delta)])
    half = np.array([noise.quantile(TAIL) for noise in noises])
    p_worse, p_better = np.where(delta > 0, p, 1 - p), np.where(delta > 0, 1 - p, p)
    typical_se = np.array([noise.typical_se for noise in noises])
    values = {
        "raw": raw, "delta": delta, "delta_median": delta_median, "lo95": delta - half, "hi95": delta + half,
        "p_reg": p_worse, "q_reg": stats.false_discovery_control(p_worse),
        "p_imp": p_better, "q_imp": stats.false_discovery_control(p_better),
        "se": typical_se, "v": typical_se**2 / factor, "u": prior.u,
        "low_evidence": np.full(len(names), small and df == 0), "exact": np.full(len(names), False),
    }  # fmt: skip
    expected = {name: {key: of_all[i].item() for key, of_all in values.items()} for i, name in enumerate(names)}
    suite = {"shift": shift, "shift_subtracted": is_subtracted, "c": factor, "nu": float(df)}
    suite |= {"level": prior.weight @ prior.level, "slope": prior.weight @ prior.slope, "d0": prior.weight @ prior.d0}
    return suite | {"top_weight": prior.weight.max()}, expected


# All values


def computed(vectors):
    """For each value: the object or list that has it, its key, the computed value, its kind and where it is."""
    for case in vectors["cases"]:
        if case["options"].get("kind") == "count":
            continue
        suite, expected = estimate(case)
        yield from ((case["suite"], key, value, f"suite {key}", case["name"]) for key, value in suite.items())
        for name, values in expected.items():
            known = case["expected"][name]
            yield from ((known, key, value, key, f"{case['name']}, {name}") for key, value in values.items())
    for item in vectors["digests"]:
        values = digest_of(item["samples"])
        yield from ((item["digest"], key, value, f"digest {key}", f"{values['n']} samples") for key, value in values.items())
    scalars = vectors["scalars"]
    for item in scalars["t_sf"]:
        yield item, 2, stats.t.sf(*item[:2]), "t_sf", item[:2]
    for item in scalars["t_ppf"]:
        yield item, 2, stats.t.ppf(*item[:2]), "t_ppf", item[:2]
    for item in scalars["bh"]:
        q = stats.false_discovery_control(item["p"])
        yield from ((item["q"], i, value, "bh", item["p"]) for i, value in enumerate(q))
    for item in scalars["centre"]:
        yield item, "centre", centre(np.array(item["y"])), "centre", item["y"]
        yield item, "f", variance_factor(len(item["y"])), "centre f", item["y"]
    for item in scalars["common_shift"]:
        yield item, "shift", suite_wide_shift(np.array(item["raw"])), "common_shift", item["raw"]


def deviation(value, known):
    """The deviation in units of the tolerance; infinite for words, and where one side is missing."""
    if value is None or known is None or isinstance(known, (bool, str)):
        return 0.0 if value == known else np.inf
    return abs(value - known) / (ABSOLUTE_TOLERANCE + RELATIVE_TOLERANCE * abs(known))


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        sys.exit(__doc__)
    vectors = json.loads(VECTORS.read_text())
    deviations = defaultdict(list)
    for holder, key, value, kind, where in list(computed(vectors)):
        deviations[kind].append((deviation(value, holder[key]), f"{where}: {holder[key]}, computed {value}"))
        holder[key] = float(f"{value:.10g}") if isinstance(value, float) else value
    print("kind                    values  largest deviation, divided by the tolerance")
    for kind, found in deviations.items():
        largest, where = max(found)
        print(f"{kind:22} {len(found):7} {largest:10.2g}  {where if largest > 1 else ''}")
    if sys.argv[1:] == ["--write"]:
        VECTORS.write_text(json.dumps(vectors, separators=(",", ":"), ensure_ascii=False))
    elif max(max(found)[0] for found in deviations.values()) > 1:
        sys.exit(1)


if __name__ == "__main__":
    main()
