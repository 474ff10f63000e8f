"""Logistic regression by scikit-learn on small seeded data, for two and three classes.

    python probe.py        (numpy, scikit-learn; writes probe.json beside itself)
"""
import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

out = {"sklearn": sklearn.__version__}
for name, classes, C in [("two", 2, 1.0), ("three", 3, 0.3)]:
    rng = np.random.default_rng(classes)
    x = rng.normal(size=(60, 6)).round(4)
    y = np.clip(np.floor(x[:, 0] + 0.5 * x[:, 1] + 0.7 * rng.normal(size=60) + classes / 2), 0, classes - 1).astype(int)
    model = LogisticRegression(C=C, solver="lbfgs", tol=1e-12, max_iter=10_000).fit(x[:40], y[:40])
    found = model.predict(x[40:])
    out[name] = {
        "C": C,
        "x": x.ravel().tolist(),
        "y": y.tolist(),
        "coefficients": model.coef_.tolist(),
        "intercepts": model.intercept_.tolist(),
        "predicted": found.tolist(),
        "accuracy": float((found == y[40:]).mean()),
        "macroF1": float(f1_score(y[40:], found, average="macro")),
    }
(Path(__file__).parent / "probe.json").write_text(json.dumps(out) + "\n")
