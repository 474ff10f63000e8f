"""Writes umap.json: UMAP by umap-learn, as far as it does not depend on chance.

    python test/reference/analysis/projections.py      # needs umap-learn, scikit-learn

Coordinates depend on the random numbers, so that two things are kept: the fuzzy graph over given neighbours, which is what UMAP
preserves, and how far the plane keeps neighbourhoods (trustworthiness over ten neighbours, for eight seeds).
"""

import json
from pathlib import Path

import numpy as np
from sklearn.datasets import make_swiss_roll
from sklearn.manifold import trustworthiness
from sklearn.metrics import pairwise_distances
from umap import UMAP
from umap.umap_ import fuzzy_simplicial_set

rng = np.random.default_rng(7)
centres = rng.normal(size=(3, 5)) * 4
blobs = np.concatenate([centre + rng.normal(size=(30, 5)) for centre in centres]).round(6)
roll = make_swiss_roll(120, noise=0.05, random_state=3)[0].round(6)
ring = rng.normal(size=(24, 3)).round(6)


def graph(rows, neighbours):
    distances = pairwise_distances(rows)
    indices = np.argsort(distances, axis=1, kind="stable")[:, :neighbours]
    nearest = np.take_along_axis(distances, indices, axis=1)
    found, _, _ = fuzzy_simplicial_set(
        rows, neighbours, np.random.RandomState(0), "euclidean", knn_indices=indices, knn_dists=nearest.astype(np.float32)
    )
    found = found.tocoo()
    return {
        "rows": rows.tolist(),
        "neighbours": neighbours,
        "indices": indices.tolist(),
        "graph": [[int(i), int(j), float(v)] for i, j, v in zip(found.row, found.col, found.data) if i < j],
    }


def embedded(name, rows, neighbours):
    kept = [
        float(trustworthiness(rows, UMAP(n_neighbors=neighbours, random_state=seed, n_jobs=1).fit_transform(rows), n_neighbors=10))
        for seed in range(8)
    ]
    return {"name": name, "rows": rows.tolist(), "neighbours": neighbours, "trustworthiness": kept}


out = {"graphs": [graph(ring, 5), graph(blobs[::5], 8)], "embeddings": [embedded("blobs", blobs, 15), embedded("roll", roll, 10)]}
(Path(__file__).parent / "umap.json").write_text(json.dumps(out) + "\n")
print([(e["name"], min(e["trustworthiness"]), max(e["trustworthiness"])) for e in out["embeddings"]], [len(g["graph"]) for g in out["graphs"]])
