"""Prints the values of the row effective_rank of test/scores/cases.ts: singular values by numpy's SVD, float64."""
import math

import numpy as np

DEPTHS, PLACES, USED, HIDDEN = 4, 12, 10, 4


def effective_rank(z, epsilon):
    s = np.linalg.svd(z, compute_uv=False)
    p = s / s.sum() + epsilon
    p = p[p > 0]
    return math.exp(-(p * np.log(p)).sum())


# Small numbers in the columns behind the first, the smaller the deeper.
z = np.float32([
    [[math.sin((i + 1) * (h + 1) ** 2 + d) / 4 ** (d * h) for h in range(HIDDEN)] for i in range(PLACES)]
    for d in range(DEPTHS)
])[:, :USED].astype(np.float64)
for epsilon in (1e-7, 0.0):
    print(epsilon, [float(f"{effective_rank(one, epsilon):.12g}") for one in z])
