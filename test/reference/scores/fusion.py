"""Two models' vectors fused by scikit-learn, on small seeded data with 40 texts to fit on and 20 held out.

    python fusion.py        (numpy, scikit-learn; writes fusion.json beside itself)

Columns are standardised by the fitted texts; for the mean the wider vectors are brought to principal components of unit variance (1 / n),
whose sign is that of the largest score of a fitted text. `weighted` has the accuracy for each weight of the first model, 0 to 1 in steps
of 0.05.
"""
import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.preprocessing import StandardScaler

N, FITTED = 60, 40


def components(a, width):
    scaled = StandardScaler().fit(a[:FITTED])
    pca = PCA(width, whiten=True).fit(scaled.transform(a[:FITTED]))
    scores = pca.transform(scaled.transform(a)) * np.sqrt(FITTED / (FITTED - 1))
    largest = np.abs(scores[:FITTED]).argmax(0)
    return scores * np.sign(scores[largest, np.arange(width)])


def scaled(a):
    return StandardScaler().fit(a[:FITTED]).transform(a)


out = {"sklearn": sklearn.__version__}
for name, classes in [("two", 2), ("three", 3)]:
    rng = np.random.default_rng(10 + classes)
    a, b = rng.normal(size=(N, 6)).round(4), rng.normal(size=(N, 4)).round(4)
    signal = a[:, 0] + 0.6 * a[:, 1] + b[:, 0] - 0.5 * b[:, 2]
    y = np.clip(np.floor(0.9 * signal + 0.4 * rng.normal(size=N) + classes / 2), 0, classes - 1).astype(int)
    fit = lambda x: LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit(x[:FITTED], y[:FITTED])
    features = {
        "first model": scaled(a), "second model": scaled(b), "concat": np.hstack([scaled(a), scaled(b)]),
        "mean": (components(a, 4) + scaled(b)) / 2,
    }
    held = y[FITTED:]
    told = {key: fit(x).predict(x[FITTED:]) for key, x in features.items()}
    pa, pb = [fit(features[key]).predict_proba(features[key][FITTED:]) for key in ("first model", "second model")]
    first, second = told["first model"], told["second model"]
    out[name] = {
        "a": a.ravel().tolist(), "b": b.ravel().tolist(), "y": y.tolist(),
        "accuracy": {key: float((found == held).mean()) for key, found in told.items()},
        "macroF1": {key: float(f1_score(held, found, average="macro")) for key, found in told.items()},
        "weighted": [float(((w / 20 * pa + (1 - w / 20) * pb).argmax(1) == held).mean()) for w in range(21)],
        "disagreement": float((first != second).mean()),
        "oracle": float(((first == held) | (second == held)).mean()),
    }
(Path(__file__).parent / "fusion.json").write_text(json.dumps(out) + "\n")
for name in ("two", "three"):
    print({k: v for k, v in out[name].items() if k not in "aby"})
