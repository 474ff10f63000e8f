"""Numbers for test/allocation from numpy and scipy. Python 3.11, numpy 2.4.6, scipy 1.17.1.

    python test/reference/allocation/make.py > test/reference/allocation/reference.json

smoothing: scipy.signal.savgol_filter, mode "interp". spectra: numpy.linalg.svd of small matrices written as the formula
W[i, j] = sin(1 + 0.7 i) * cos(2 + 1.3 j) + ((i * 31 + j * 17) % 23) / 23 - 0.5, rounded to float32. exponents: Hill's estimator over the
squared singular values as AlphaPruning and WeightWatcher compute it, both ways to choose the tail.
"""
import json

import numpy as np
from scipy.signal import savgol_filter


def matrix(rows, columns):
    i, j = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    return (np.sin(1 + 0.7 * i) * np.cos(2 + 1.3 * j) + ((i * 31 + j * 17) % 23) / 23 - 0.5).astype(np.float32)


def hill(e, i):
    k = len(e) - i
    return 1 + k / (np.sum(np.log(e[i:])) - k * np.log(e[i]))


def exponents(e):
    counts, edges = np.histogram(np.log10(e), bins=100)
    x = 10 ** edges[np.argmax(counts)]
    low, high = np.log10(0.95 * x), 1.5 * x
    best = (np.inf, np.nan)
    for i in range(len(e) - 1):
        if e[i] < low:
            continue
        if e[i] > high:
            break
        alpha = hill(e, i)
        k = len(e) - i
        if alpha > 1:
            distance = np.max(np.abs(1 - (e[i:] / e[i]) ** (1 - alpha) - np.arange(k) / k))
            if distance < best[0]:
                best = (distance, alpha)
    return {"mid": hill(e, len(e) // 2), "peak": best[1]}


out = {"smoothing": [], "spectra": [], "exponents": []}
rng = np.random.default_rng(0)
for n in (5, 6, 7, 8, 12, 30):
    u = rng.random(n).round(6)
    window = min(7, n if n % 2 else n - 1)
    out["smoothing"].append({"values": u.tolist(), "smooth": savgol_filter(u, window, 3, mode="interp").tolist()})
for rows, columns in ((6, 9), (9, 6), (13, 13), (7, 30)):
    s = np.linalg.svd(matrix(rows, columns).astype(np.float64), compute_uv=False)
    out["spectra"].append({"rows": rows, "columns": columns, "squared": np.sort(s**2).tolist()})
for shape in (1, 2, 3):
    e = np.sort((rng.pareto(shape, 300) + 1))
    out["exponents"].append({"eigenvalues": e.tolist(), **exponents(e)})
print(json.dumps(out))
