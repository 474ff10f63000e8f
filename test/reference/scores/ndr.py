"""Noise detection rate and AUC by numpy and scikit-learn on seeded influence.

    python ndr.py        (numpy, scikit-learn; writes ndr.json beside itself)
"""
import json
import math
from pathlib import Path

import numpy as np
import sklearn
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(3)
n, share = 40, 0.3
noisy = rng.permutation(n) < 9
# Layer 0 knows nothing, layer 1 some, layer 2 much at another scale; values are rounded so that some are equal.
influence = np.stack([rng.normal(size=n), rng.normal(size=n) - noisy, 50 * (rng.normal(size=n) - 3 * noisy)]).round(1)


def rate(values):
    lowest = np.argsort(values, kind="stable")[: math.ceil(share * n)]
    return float(noisy[lowest].mean()), float(noisy[lowest].sum() / noisy.sum()), float(roc_auc_score(noisy, -values))


ranks = sum(rankdata(row) for row in influence)
out = {
    "sklearn": sklearn.__version__,
    "share": share,
    "noisy": noisy.tolist(),
    "influence": influence.tolist(),
    "layers": [rate(row) for row in influence],
    "sum": rate(influence.sum(0)),
    "rank": rate(ranks),
}
(Path(__file__).parent / "ndr.json").write_text(json.dumps(out) + "\n")
