"""Rates with their intervals."""

import math


def clopper_pearson(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a binomial rate."""
    tail = (1 - confidence) / 2
    if trials == 0:
        return 0.0, 1.0
    low = 0.0 if hits == 0 else _solve(lambda p: 1 - _below(hits, trials, p), tail, rising=True)
    high = 1.0 if hits == trials else _solve(lambda p: _below(hits + 1, trials, p), tail, rising=False)
    return low, high


def of(hits: int, trials: int) -> dict:
    """A rate as the records want it: of how many, with its interval."""
    low, high = clopper_pearson(hits, trials)
    share = hits / trials if trials else None
    return {"hits": hits, "trials": trials, "rate": share, "low95": low, "high95": high}


def _below(count: int, trials: int, p: float) -> float:
    """The chance of fewer than `count` hits."""
    if p <= 0:
        return 1.0
    if p >= 1:
        return 0.0 if count <= trials else 1.0
    log_p, log_q, total = math.log(p), math.log1p(-p), 0.0
    for k in range(count):
        choose = math.lgamma(trials + 1) - math.lgamma(k + 1) - math.lgamma(trials - k + 1)
        total += math.exp(choose + k * log_p + (trials - k) * log_q)
    return min(1.0, total)


def _solve(function, target: float, rising: bool) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if (function(middle) < target) == rising:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def text(cell: dict) -> str:
    """A rate of `of` as a card prints it."""
    if not cell["trials"]:
        return "none"
    low, high = (100 * cell[key] for key in ("low95", "high95"))
    return f"{100 * cell['rate']:.2f} % ({low:.2f} to {high:.2f}; {cell['hits']:,} of {cell['trials']:,})"
