"""Rows of IFD's pre-experience stage by numpy and scikit-learn; writes pre_experience.json beside itself.

    python pre_experience.py

Points in blobs with the clusters of KMeans; and, for clusters that are given, which rows take part: those whose perplexity lies between two
percentiles of their cluster, evenly spaced in the order of the dataset, all of a cluster that has fewer rows than are asked for.
"""
import json
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans

rng = np.random.default_rng(5)


def taking_part(labels, perplexities, per_cluster, low, high):
    chosen = []
    for cluster in np.unique(labels):
        members = np.flatnonzero(labels == cluster)
        if len(members) < per_cluster:
            chosen.extend(members)
            continue
        least, most = np.percentile(perplexities[members], [low, high])
        middle = members[(perplexities[members] >= least) & (perplexities[members] <= most)]
        chosen.extend(middle if len(middle) < per_cluster else middle[:: len(middle) // per_cluster][:per_cluster])
    return sorted(int(row) for row in chosen)


cases = []
for rows, clusters, per_cluster, low, high in [(40, 3, 4, 25, 75), (60, 5, 2, 10, 90), (12, 6, 3, 25, 75), (30, 1, 7, 0, 100), (25, 4, 1, 50, 50)]:
    labels = rng.integers(0, clusters, rows)
    perplexities = np.exp(rng.normal(2, 1, rows)).round(6)
    if rows == 60:
        perplexities = perplexities.round(0)  # ties
    cases.append({
        "labels": labels.tolist(), "perplexities": perplexities.tolist(), "perCluster": per_cluster, "low": low, "high": high,
        "rows": taking_part(labels, perplexities, per_cluster, low, high),
    })

points = np.concatenate([rng.normal(centre, 0.3, (9, 3)) for centre in ([0, 0, 4], [5, 0, 0], [0, 6, 1])]).round(6)
points = points[rng.permutation(len(points))]
labels = KMeans(3, n_init=10, random_state=0).fit(points).labels_
perplexities = np.exp(rng.normal(2, 1, len(points))).round(6)
blobs = {
    "points": points.tolist(), "perplexities": perplexities.tolist(), "labels": labels.tolist(),
    "rows": taking_part(labels, perplexities, 3, 25, 75),
}
(Path(__file__).parent / "pre_experience.json").write_text(json.dumps({"cases": cases, "blobs": blobs}) + "\n")
