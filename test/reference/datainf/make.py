"""Writes reference.json: influence by the textbook (primal) formulas in float64, from explicit gradients. Needs numpy only.

Nothing here knows the kernel form: DataInf averages n rank-one inverses applied to a vector, the exact Fisher solves a dense
d x d system, so agreement with the product's n x n algebra is a real check. B > 0 means the training sample helps.

    python test/reference/datainf/make.py
"""

import json
from pathlib import Path

import numpy as np


def damping(G, factor=0.1):
    """factor x mean over samples of the mean over entries of g^2. One value per weight matrix."""
    return factor * np.mean([np.mean(g * g) for g in G])


def datainf(G, V, lam):
    """(1/n) sum_i (g_i g_i^T + lam I)^-1 applied to v, each inverse a dense solve; then the product with every g_k."""
    n, d = G.shape
    inverses = [np.linalg.inv(np.outer(g, g) + lam * np.eye(d)) for g in G]
    return np.array([[np.mean([inverse @ v for inverse in inverses], axis=0) @ g for v in V] for g in G])


def fisher(G, V, lam):
    """(F + lam I)^-1 with F = G^T G / n, dense."""
    n, d = G.shape
    return G @ np.linalg.solve(G.T @ G / n + lam * np.eye(d), V.T)


def dot(G, V, lam):
    return G @ V.T


def cosine(G, V, lam):
    sizes = np.outer(np.linalg.norm(G, axis=1), np.linalg.norm(V, axis=1))
    return np.divide(G @ V.T, sizes, out=np.zeros_like(sizes), where=sizes > 0)


def relatif(G, V, lam, theta=False):
    """Exact influence over the change of the sample's own loss, or of the weights; dense d x d inverse."""
    n, d = G.shape
    inverse = np.linalg.inv(G.T @ G / n + lam * np.eye(d))
    change = np.linalg.norm(G @ inverse, axis=1) if theta else np.sqrt(np.einsum("kd,de,ke->k", G, inverse, G))
    return np.divide(G @ inverse @ V.T, change[:, None], out=np.zeros((n, len(V))), where=change[:, None] > 0)


def relatif_theta(G, V, lam):
    return relatif(G, V, lam, theta=True)


def aggregate(B):
    """B: influence of each training sample, summed over validation samples (and matrices)."""
    positive = np.sort(B[B > 0])[::-1]
    quarter = -(-len(positive) // 4)
    return {"positive": float(positive.sum()), "top25": float(positive[:quarter].sum()), "sum": float(B.sum())}


# LiSSA converges to the exact form.
ESTIMATORS = {"datainf": datainf, "fisher": fisher, "dot": dot, "cosine": cosine, "relatif": relatif, "relatif_theta": relatif_theta,
              "lissa": fisher}  # fmt: skip


def case(name, matrices, lam=None):
    """`matrices`: list of (G [n, d], V [m, d]), the scored matrices of one layer."""
    shown = {"name": name, "matrices": [], "layer": {}}
    for G, V in matrices:
        G, V = np.asarray(G, float), np.asarray(V, float)
        value = damping(G) if lam is None else lam
        entry = {"d": G.shape[1], "G": G.tolist(), "V": V.tolist(), "K": (G @ G.T).tolist(), "C": (G @ V.T).tolist(),
                 "diagV": (V * V).sum(1).tolist(), "damping": value, "B": {}}  # fmt: skip
        for key, estimate in ESTIMATORS.items():
            # All training gradients zero: there is no curvature to divide by, the influence is 0 by definition.
            entry["B"][key] = (estimate(G, V, value) if value > 0 else np.zeros((len(G), len(V)))).tolist()
        shown["matrices"].append(entry)
    for key in ESTIMATORS:
        B = sum(np.array(entry["B"][key]).sum(1) for entry in shown["matrices"])
        shown["layer"][key] = {"influence": B.tolist(), **aggregate(B)}
    return shown


def random_pair(rng, n, m, d, common=0.0, scale=1.0):
    """Gradients that share a direction: their mean cosine grows with `common`."""
    shared = rng.standard_normal(d)
    draw = lambda count: scale * (rng.standard_normal((count, d)) + common * shared)
    return draw(n), draw(m)


def main():
    rng = np.random.default_rng(20240917)
    zero_row = random_pair(rng, 4, 2, 10)
    zero_row[0][2] = 0
    cases = [
        case("worked example", [([[1, 0, 2], [0, 1, 1]], [[1, 1, 0]])], lam=0.5),
        case("worked example, default damping", [([[1, 0, 2], [0, 1, 1]], [[1, 1, 0]])]),
        case("independent gradients", [random_pair(rng, 6, 3, 20)]),
        case("nearly parallel gradients", [random_pair(rng, 6, 3, 20, common=5.0)]),
        case("more samples than entries", [random_pair(rng, 9, 2, 4)]),
        case("one training sample", [random_pair(rng, 1, 2, 8)]),
        case("tiny gradients", [random_pair(rng, 5, 2, 12, scale=1e-6)]),
        case("one training gradient is zero", [zero_row]),
        case("all training gradients are zero", [(np.zeros((3, 6)), rng.standard_normal((2, 6)))]),
        case("three matrices of one layer", [random_pair(rng, 7, 3, d, common=c) for d, c in [(12, 0.5), (6, 1.0), (18, 0.2)]]),
    ]
    # Published-style hand computation of the first case, to ten digits.
    worked = cases[0]["matrices"][0]
    assert np.allclose(np.ravel(worked["B"]["datainf"]), [0.2909090909, 0.8363636364], atol=1e-10)
    assert np.allclose(np.ravel(worked["B"]["fisher"]), [0.1428571429, 0.5714285714], atol=1e-10)
    assert np.ravel(worked["B"]["dot"]).tolist() == [1, 1]
    assert np.isclose(cases[1]["matrices"][0]["damping"], 0.1 * 7 / (2 * 3))
    text = json.dumps({"cases": cases}).replace('{"name"', '\n{"name"')
    Path(__file__).with_name("reference.json").write_text(text + "\n")


main()
