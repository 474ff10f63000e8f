"""Writes wilson.json: Wilson's intervals and normal quantiles by scipy.

    python test/reference/statistics/wilson.py      # needs scipy
"""

import json
from pathlib import Path

from scipy import stats

cases = [
    (0, 20, 0.95), (20, 20, 0.95), (1, 20, 0.95), (5, 20, 0.95), (10, 20, 0.9), (1, 1, 0.95), (0, 1, 0.99), (53, 210, 0.95), (3, 4, 0.5),
    (999, 1000, 0.999), (1, 100000, 0.95), (7, 13, 0.68),
]  # fmt: skip
intervals = [
    [hits, trials, level, *map(float, stats.binomtest(hits, trials).proportion_ci(level, method="wilson"))] for hits, trials, level in cases
]
quantiles = [[p, float(stats.norm.ppf(p))] for p in [0.5, 0.75, 0.975, 0.9995, 0.99]]
(Path(__file__).parent / "wilson.json").write_text(json.dumps({"intervals": intervals, "quantiles": quantiles}) + "\n")
