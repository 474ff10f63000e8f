"""Tables nobody would draw by hand: two groups to eight, of one row and of many, ties, 0 and 1 alone; writes groups.json.

    python groups.py

scipy's f_oneway, levene and tukey_hsd; where a group has one row, which tukey_hsd refuses, the formula of Tukey and Kramer with scipy's
distribution of the studentised range. Levene is null where scipy divides by a variance that is 0 or the rounding of 0.
"""
import json
from pathlib import Path

import numpy as np
from scipy import stats

rng = np.random.default_rng(20261130)


def pairs(groups):
    k, n = len(groups), sum(map(len, groups))
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / (n - k)
    critical = stats.studentized_range.ppf(0.95, k, n - k)
    found = stats.tukey_hsd(*groups) if min(map(len, groups)) > 1 else None
    for a in range(k):
        for b in range(a + 1, k):
            difference = groups[b].mean() - groups[a].mean()
            error = np.sqrt(within / 2 * (1 / len(groups[a]) + 1 / len(groups[b])))
            if found is None:
                p, half = stats.studentized_range.sf(abs(difference) / error, k, n - k), critical * error
            else:
                interval = found.confidence_interval(0.95)
                p, half = found.pvalue[a, b], (interval.high[a, b] - interval.low[a, b]) / 2
            yield [float(difference), float(difference - half), float(difference + half), float(p)]


def drawn(kind, k):
    few = kind in ("few", "single")
    sizes = [1] * (k - 1) + [int(rng.integers(3, 6))] if kind == "single" else [int(rng.integers(1, 4 if few else 25)) for _ in range(k)]
    for size in sizes:
        if kind == "ties":
            yield rng.integers(0, 4, size).astype(float)
        elif kind == "binary":
            yield rng.integers(0, 2, size).astype(float)
        elif kind == "skewed":
            yield np.exp(rng.normal(rng.normal(), 1.5, size)).round(6)
        else:
            yield rng.normal(rng.normal(), 1, size).round(6)


cases = []
for kind in ("plain", "ties", "binary", "skewed", "few", "single"):
    for k in (2, 3, 7):
        groups = list(drawn(kind, k))
        values = np.concatenate(groups)
        if len(values) - k < 1 or all(np.ptp(g) == 0 for g in groups):
            continue
        f, p = stats.f_oneway(*groups)
        distances = np.concatenate([abs(g - np.median(g)) for g in groups])
        middles = sum(((d - d.mean()) ** 2).sum() for d in (abs(g - np.median(g)) for g in groups))
        levene = stats.levene(*groups, center="median") if middles > 1e-20 * (distances**2).sum() else None
        between = sum(len(g) * (g.mean() - values.mean()) ** 2 for g in groups)
        cases.append({
            "kind": kind, "groups": [g.tolist() for g in groups], "f": float(f), "p": float(p),
            "eta": float(between / ((values - values.mean()) ** 2).sum()),
            "levene": None if levene is None else [float(levene.statistic), float(levene.pvalue)], "pairs": list(pairs(groups)),
        })
(Path(__file__).parent / "groups.json").write_text(json.dumps(cases) + "\n")
