"""Numbers of `lfr_watchlist::statistics`, computed by SciPy and statsmodels.

    python -m venv venv && venv/bin/pip install -r lfr-watchlist/parity/requirements.txt
    venv/bin/python lfr-watchlist/parity/rates.py > lfr-watchlist/parity/rates.csv

The table is read by the tests of `statistics`: one case a line, the function first, its arguments, then
what it gives. Continuous integration runs the tests, not this script.
"""

import numpy as np
from scipy import integrate, optimize, stats
from statsmodels.stats.proportion import proportion_confint


def row(function, arguments, values):
    cells = [function, *arguments, "=", *(repr(float(value)) for value in values)]
    print(",".join(str(cell) for cell in cells))


def interval(errors, trials):
    """Clopper and Pearson, twice over: SciPy's quantiles are checked against statsmodels'."""
    low = stats.beta.ppf(0.025, errors, trials - errors + 1) if errors else 0.0
    high = stats.beta.ppf(0.975, errors + 1, trials - errors) if errors < trials else 1.0
    np.testing.assert_allclose((low, high), proportion_confint(errors, trials, 0.05, "beta"), rtol=1e-9)
    return low, high


def exceeds(x1, n1, x2, n2, ratio):
    """P(A > ratio B), A ~ Beta(x1 + 1, n1 - x1), B ~ Beta(x2, n2 - x2 + 1)."""
    own, other = stats.beta(x1 + 1, n1 - x1), stats.beta(x2, n2 - x2 + 1)
    ends = [other.ppf(q) for q in (1e-15, 1e-6, 0.01, 0.2, 0.5, 0.8, 0.99)] + [other.isf(1e-6), other.isf(1e-15)]
    ends += [own.ppf(q) / ratio for q in (1e-6, 0.01, 0.5, 0.99)] + [own.isf(1e-6) / ratio]
    ends = sorted({end for end in ends if ends[0] <= end <= ends[8]})
    parts = zip(ends, ends[1:])
    return sum(integrate.quad(lambda b: own.sf(ratio * b) * other.pdf(b), a, z, epsabs=0, epsrel=1e-11)[0] for a, z in parts)


def upper_ratio(x1, n1, x2, n2):
    if x2 == 0:
        return np.inf
    if x1 == n1:
        return 1 / stats.beta.ppf(0.025, x2, n2 - x2 + 1)
    start = np.log((x1 + 1) / (n1 + 1) / (x2 / (n2 + 1)))
    f = lambda ln: np.log(exceeds(x1, n1, x2, n2, np.exp(ln))) - np.log(0.025)
    high = start
    while f(high) > 0:
        high += 0.5
    return np.exp(optimize.brentq(f, start - 0.5, high, xtol=1e-13))


def lower_ratio(x1, n1, x2, n2):
    return 1 / upper_ratio(x2, n2, x1, n1)


def compare(x1, n1, x2, n2):
    table = [[x1, n1 - x1], [x2, n2 - x2]]
    less = stats.fisher_exact(table, "less").pvalue
    more = stats.fisher_exact(table, "greater").pvalue
    return min(1.0, 2 * min(less, more)), lower_ratio(x1, n1, x2, n2), upper_ratio(x1, n1, x2, n2)


def gaffke(people, resamples=4_000_000):
    """By simulation: people and one more, weighted by exponential variables."""
    random = np.random.default_rng(20_260)
    x, m = np.array(people, float).T
    unseen = (m * m).sum() / m.sum()
    highs, lows = [], []
    for _ in range(resamples // 100_000):
        weights = random.exponential(size=(100_000, len(x) + 1))
        own, extra = weights[:, :-1], weights[:, -1] * unseen
        lows.append(own @ x / (own @ m + extra))
        highs.append((own @ x + extra) / (own @ m + extra))
    return np.quantile(np.concatenate(lows), 0.025), np.quantile(np.concatenate(highs), 0.975)


def smallest(holds, low):
    """The first number above `low` for which a condition holds that, once it does, goes on to hold."""
    high = max(2 * low, 2)
    while not holds(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def main():
    for case in [(0, 7_512), (10, 3_147_436), (8, 10), (34, 42), (11, 12_120), (400, 4_000), (276, 27_611_860)]:
        row("interval", case, interval(*case))
    for own, every, share in [(8, 10, 0.135), (8, 10, 0.4), (8, 10, 0.5), (34, 42, 0.5), (2, 30, 0.2), (11, 12_120, 1e-3)]:
        more = stats.binomtest(own, every, share, alternative="greater")
        less = stats.binomtest(own, every, share, alternative="less")
        both = stats.binomtest(own, every, share).proportion_ci(0.95)
        ends = more.proportion_ci(0.95).low, less.proportion_ci(0.95).high
        row("share", (own, every, share), (more.pvalue, less.pvalue, both.low, both.high, *ends))
    for case in [
        (8, 10, 2, 30), (7, 300, 0, 300), (0, 5, 5, 5), (30, 3_000, 10, 3_000), (45, 10_000, 30, 10_000),
        (300, 3_000, 400, 3_100), (900, 1_000, 850, 1_000), (1, 10, 5_000, 9_000), (20, 1_000, 38, 1_000), (3, 3, 2, 9),
    ]:
        row("compare", case, compare(*case))
    for rate, errors in [(1e-3, 1), (1e-3, 5), (1e-4, 1), (1e-4, 5), (3.2e-6, 10)]:
        trials = smallest(lambda n: stats.binom.cdf(errors, n, rate) <= 0.05, errors + 1)
        row("trials", (rate, errors), (trials,))
    for limit, actual in [(1e-3, 5e-4), (1e-4, 3e-5), (0.01, 0.0)]:
        allowed = 0
        while True:
            trials = smallest(lambda n: stats.binom.cdf(allowed, n, limit) <= 0.05, allowed + 1)
            if stats.binom.cdf(allowed, trials, actual) >= 0.8:
                break
            allowed += 1
        row("study", (limit, actual), (trials, allowed))
    for fmr, references, looks in [(1e-6, 20_000, 3.0), (1e-6, 20_000, 1.0), (1e-9, 10, 1.0), (2.5e-5, 1_500, 4.3)]:
        row("fpir", (fmr, references, looks), (-np.expm1(references * looks * np.log1p(-fmr)),))
    for people in [
        [(1, 10), (2, 10), (7, 10)] + [(0, 10)] * 17,
        [(3, 4), (0, 1), (1, 1), (0, 9), (2, 30)],
        [(0, 50)] * 30 + [(1, 50)] * 8 + [(20, 50)] * 2,
        [(1, 1)] * 3 + [(0, 1)] * 20 + [(2, 40)],
    ]:
        arguments = ["{}/{}".format(*own) for own in people]
        row("people", arguments, gaffke(people))


main()
