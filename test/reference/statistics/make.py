"""Writes reference.json: rank correlations, quantiles, permutation tests, AUC and hypergeometric tails by scipy and numpy.

    python test/reference/statistics/make.py      # needs numpy and scipy
"""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
from scipy import stats

rng = np.random.default_rng(11)


def pair(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    entry = {"a": a.tolist(), "b": b.tolist(), "pearson": stats.pearsonr(a, b).statistic,
             "spearman": stats.spearmanr(a, b).statistic, "kendall": stats.kendalltau(a, b).statistic,
             "ranks": stats.rankdata(a).tolist()}  # fmt: skip
    if len(a) <= 7:
        # All orders, two-sided: the share with an absolute value at least as large.
        for key, statistic in [("spearmanP", stats.spearmanr), ("kendallP", stats.kendalltau)]:
            seen = abs(statistic(a, b).statistic)
            values = [abs(statistic(a, b[list(order)]).statistic) for order in permutations(range(len(b)))]
            entry[key] = float(np.mean(np.array(values) >= seen - 1e-12))
    return entry


def auc(values, positive):
    values, positive = np.asarray(values, float), np.asarray(positive, bool)
    u = stats.mannwhitneyu(values[positive], values[~positive]).statistic
    return {"values": values.tolist(), "positive": positive.tolist(), "auc": float(u / (positive.sum() * (~positive).sum()))}


def quantiles(values):
    shares = [0, 0.05, 0.25, 0.5, 0.9, 0.95, 1]
    return {"values": list(values), "shares": shares, "quantiles": np.quantile(values, shares).tolist()}


noise = rng.standard_normal(30)
base = rng.standard_normal(30)
reference = {
    "pairs": [
        pair([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5]),
        pair([1, 2, 2, 3, 3, 3], [1, 1, 2, 2, 5, 4]),
        pair([3, 1, 2], [1, 3, 2]),
        pair([5.01, 8.36, 7.99, 8.46, 8.16, 6, 3], [1, 4, 9, 2, 2, 7, 0]),
        pair(base, base + noise),
        pair(np.round(base), np.round(2 * noise)),
        pair(rng.integers(0, 4, 50), rng.integers(0, 4, 50)),
    ],
    "auc": [
        auc([1, 2, 3, 4], [False, False, True, True]),
        auc([1, 2, 2, 3, 3, 0], [False, True, False, True, False, True]),
        auc(rng.integers(0, 5, 40), rng.random(40) < 0.3),
    ],
    "quantiles": [quantiles([3.0]), quantiles([1.0, 2.0, 10.0]), quantiles(rng.standard_normal(41).tolist())],
    # P(at least x shared) when k are drawn from n, of which k are marked.
    "overlap": [
        {"n": n, "k": k, "shared": x, "p": float(stats.hypergeom.sf(x - 1, n, k, k))}
        for n, k in [(6, 2), (30, 8), (32, 25), (10, 10)]
        for x in range(max(0, 2 * k - n), k + 1)
    ],
}
Path(__file__).with_name("reference.json").write_text(json.dumps(reference) + "\n")
