"""Canonical correlations, PWCCA, mini-batch k-means and mutual information of small seeded data, by numpy and scikit-learn.

    python views.py        (numpy, scikit-learn; writes views.json beside itself)

The canonical correlations follow arXiv 2211.03929's description: covariances divided by their largest entry, columns of
small variance left out, (S + e I)^(-1/2) by eigenvectors, singular vectors by numpy.linalg.svd, weights by numpy's QR.
"""
import json
from pathlib import Path

import numpy as np
import sklearn
from sklearn.cluster import MiniBatchKMeans
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import entropy, expected_mutual_information, contingency_matrix

EPSILONS = [1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5]
PAIRS = [(8, 9), (9, 0), (0, 1)]


def inverse_root(s, e):
    values, vectors = np.linalg.eigh(s)
    return vectors @ np.diag(1 / np.sqrt(np.maximum(values, 0) + e)) @ vectors.T


def fit(x, y, e):
    cx, cy = x - x.mean(0), y - y.mean(0)
    n = len(x)
    sxx, syy, sxy = cx.T @ cx / (n - 1), cy.T @ cy / (n - 1), cx.T @ cy / (n - 1)
    mx, my = np.abs(sxx).max(), np.abs(syy).max()
    sxx, syy, sxy = sxx / mx, syy / my, sxy / np.sqrt(mx * my)
    keep_x, keep_y = np.diag(sxx) >= e, np.diag(syy) >= e
    wx, wy = inverse_root(sxx[np.ix_(keep_x, keep_x)], e), inverse_root(syy[np.ix_(keep_y, keep_y)], e)
    u, s, vt = np.linalg.svd(wx @ sxy[np.ix_(keep_x, keep_y)] @ wy, full_matrices=False)
    px, py = np.zeros((len(s), x.shape[1])), np.zeros((len(s), y.shape[1]))
    px[:, keep_x], py[:, keep_y] = u.T @ wx, vt @ wy
    return px, py, s


def evaluate(directions, x, y):
    px, py, _ = directions
    cx, cy = x - x.mean(0), y - y.mean(0)
    h, k = cx @ px.T, cy @ py.T
    rho = (h * k).sum(0) / np.sqrt((h * h).sum(0) * (k * k).sum(0))
    side, view = (h, cx) if x.shape[1] <= y.shape[1] else (k, cy)
    q, _ = np.linalg.qr(side)
    weights = np.abs(q.T @ view).sum(1)
    weights /= weights.sum()
    return {"pwcca": float(weights @ rho), "mean": float(rho.mean()), "rho": rho, "weights": weights}


def cross_validated(x, y, folds):
    out = {}
    for measure in ["pwcca", "mean"]:
        values = []
        for dev, test in PAIRS:
            train = (folds != dev) & (folds != test)
            fits = [fit(x[train], y[train], e) for e in EPSILONS]
            scores = [evaluate(f, x[folds == dev], y[folds == dev])[measure] for f in fits]
            values.append(evaluate(fits[int(np.argmax(scores))], x[folds == test], y[folds == test])[measure])
        out[measure] = values
    return out


rng = np.random.default_rng(11)
r6 = lambda a: np.round(a, 6)
out = {"numpy": np.__version__, "sklearn": sklearn.__version__}

# Two views that share two of five and four directions.
n = 240
shared = rng.normal(size=(n, 2))
x = r6(np.hstack([shared, rng.normal(size=(n, 3))]) @ rng.normal(size=(5, 5)) + 0.3 * rng.normal(size=(n, 5)))
y = r6(np.hstack([shared, rng.normal(size=(n, 2))]) @ rng.normal(size=(4, 4)) + 0.3 * rng.normal(size=(n, 4)))
folds = np.arange(n) % 10
train, test = folds < 8, folds >= 8
f = fit(x[train], y[train], 1e-8)
e = evaluate(f, x[test], y[test])
cca = CCA(n_components=4, scale=False, max_iter=100_000, tol=1e-12).fit(x[train], y[train])
a, b = cca.transform(x[train], y[train])
out["cca"] = {
    "x": x.ravel().tolist(), "y": y.ravel().tolist(), "n": n, "folds": folds.tolist(),
    "train": f[2].tolist(),
    "sklearn": [float(np.corrcoef(a[:, i], b[:, i])[0, 1]) for i in range(4)],
    "test": {"pwcca": e["pwcca"], "mean": e["mean"], "rho": e["rho"].tolist(), "weights": e["weights"].tolist()},
    "cross_validated": cross_validated(x, y, folds),
}

# Principal components.
pca = PCA(n_components=3, svd_solver="full").fit(x)
out["pca"] = {"share": float(pca.explained_variance_ratio_.sum()), "components": np.abs(pca.transform(x[:5])).ravel().tolist()}

# The steps of mini-batch k-means on batches that are given.
points = r6(np.vstack([rng.normal(size=(40, 3)) + centre for centre in [(0, 0, 0), (4, 0, 0), (0, 4, 1)]]))
start = points[[0, 41, 83, 85]]
batches = [rng.integers(0, 120, size=24).tolist() for _ in range(12)]
km = MiniBatchKMeans(n_clusters=4, init=start, n_init=1, reassignment_ratio=0, batch_size=24)
for batch in batches:
    km.partial_fit(points[batch])
labels = np.repeat([0, 1, 2], 40)
labels[::7] = 2
clusters = km.predict(points)
contingency = contingency_matrix(labels, clusters)
out["clusters"] = {
    "points": points.ravel().tolist(), "start": start.ravel().tolist(), "batches": batches,
    "centres": km.cluster_centers_.ravel().tolist(), "clusters": clusters.tolist(), "labels": labels.tolist(),
    "information": float(mutual_info_score(labels, clusters)),
    "entropy": float(entropy(labels)),
    "expected": float(expected_mutual_information(contingency, len(labels))),
}
(Path(__file__).parent / "views.json").write_text(json.dumps(out) + "\n")
