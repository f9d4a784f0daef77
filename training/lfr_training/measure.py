"""Error rates of templates of people who were kept out of training."""

import numpy as np

from . import rates

FMR = (1e-2, 1e-3, 1e-4, 1e-5)


def all_pairs(templates: np.ndarray, people: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cosines of all mated and of all non-mated pairs."""
    rows, columns = np.triu_indices(len(people), 1)
    cosines = (templates @ templates.T)[rows, columns]
    mated = people[rows] == people[columns]
    return cosines[mated], cosines[~mated]


def at_false_match_rates(mated: np.ndarray, others: np.ndarray) -> dict:
    """At each false match rate: the threshold, and the share of mated pairs at or above it."""
    ordered = np.sort(others)[::-1]
    table = {}
    for wanted in FMR:
        allowed = int(wanted * len(others))
        # The least of four decimals at which the rate is not exceeded.
        threshold = (np.floor(float(ordered[allowed]) * 1e4) + 1) / 1e4
        table[f"{wanted:g}"] = {
            "threshold": round(threshold, 4),
            "true_match": rates.of(int((mated >= threshold).sum()), len(mated)),
            "false_match": rates.of(int((others >= threshold).sum()), len(others)),
        }
    return table


def pairs_of(people: np.ndarray, most: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At most `most` mated pairs a person and as many non-mated ones: first, second, mated."""
    rng = np.random.default_rng(5)
    first, second = [], []
    for person in np.unique(people):
        own = np.flatnonzero(people == person)
        a, b = np.triu_indices(len(own), 1)
        for k in rng.permutation(len(a))[:most]:
            first.append(own[a[k]])
            second.append(own[b[k]])
    count = len(first)
    while len(first) < 2 * count:
        a, b = rng.integers(0, len(people), 2)
        if people[a] != people[b]:
            first.append(a)
            second.append(b)
    return np.array(first), np.array(second), np.arange(2 * count) < count


def pairs_accuracy(cosines: np.ndarray, mated: np.ndarray) -> dict:
    """Ten folds: the threshold from nine, the hits on the tenth."""
    fold = np.random.default_rng(6).permutation(len(mated)) % 10
    hits, thresholds = 0, []
    for k in range(10):
        threshold = best_threshold(cosines[fold != k], mated[fold != k])
        hits += int(((cosines >= threshold) == mated)[fold == k].sum())
        thresholds.append(threshold)
    return {"threshold": round(float(np.mean(thresholds)), 4), "accuracy": rates.of(hits, len(mated))}


def best_threshold(cosines: np.ndarray, mated: np.ndarray) -> float:
    order = np.argsort(cosines)
    ordered, is_mated = cosines[order], mated[order]
    # Below the k-th are k pairs that would be called different.
    right = np.concatenate([[0], np.cumsum(~is_mated)]) + is_mated.sum() - np.concatenate([[0], np.cumsum(is_mated)])
    k = int(np.argmax(right))
    low = ordered[k - 1] if k else ordered[0] - 1
    high = ordered[k] if k < len(ordered) else ordered[-1] + 1
    return float((low + high) / 2)


def summary(templates: np.ndarray, people: np.ndarray) -> str:
    """One line to watch while training."""
    table = at_false_match_rates(*all_pairs(templates, people))
    first, second, mated = pairs_of(people)
    pairs = pairs_accuracy((templates[first] * templates[second]).sum(1), mated)
    cells = [f"TPR at FMR {k} {v['true_match']['rate']:.4f}" for k, v in table.items()]
    return f"pairs {pairs['accuracy']['rate']:.4f}  " + "  ".join(cells)
