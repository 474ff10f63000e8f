"""Did the contestants compute the same thing? Everything is compared with the Grams and the result that LayerIF left in the folder.

    python test/bench/agreement.py WORKLOAD_FOLDER

Prints one line of JSON with what could be compared (null where one of the two did not run):
entries    kronfluence's scores of every matrix against C = G V^T, largest difference in units of |g_i| |v_j|
layers     the same summed over matrices and queries, in units of the layer's largest
captum, bergson   inner products summed over all matrices, largest difference in units of |g_i| |v_j| of the whole gradients
datainf    the reference formula's influence of every layer against ours, in units of the layer's largest
projected  layer scores with `projection: 64` against exact ones: Spearman's rank correlation
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

folder = Path(sys.argv[1])


def newest(run: str, name: str) -> Path | None:
    return max((folder / run).rglob(name), default=None, key=lambda file: file.stat().st_mtime)


def result(run: str) -> dict | None:
    file = newest(run, "*.layerif-result.json")
    return json.loads(file.read_text()) if file else None


def peers(name: str) -> dict | None:
    file = folder / f"{name}.safetensors"
    return load_file(file) if file.exists() else None


found: dict[str, float | None] = dict.fromkeys(["entries", "layers", "captum", "bergson", "datainf", "projected"])
grams = newest("bench", "grams.safetensors")
if grams:
    ours: dict[str, dict[str, np.ndarray]] = {}
    for name, array in load_file(grams).items():
        matrix, kind = re.search(r"(\d+\.[\w.]+)\.(\w+)$", name).groups()
        ours.setdefault(matrix, {})[kind] = array
    assert len(ours) == 210
    m = len(next(iter(ours.values()))["diagV"])
    for parts in ours.values():
        C = parts["C"].reshape(-1, m)
        parts.update(C=C, K=parts["K"].reshape(len(C), len(C)))

    if theirs := peers("kronfluence"):
        assert len(theirs) == 210
        entries, sums = [], {}
        for key, scores in theirs.items():
            C = ours[key]["C"]
            entries.append(np.max(np.abs(C - scores) / np.sqrt(np.outer(np.diag(ours[key]["K"]), ours[key]["diagV"]))))
            pair = sums.setdefault(key.split(".")[0], [0, 0])
            pair[0], pair[1] = pair[0] + C.sum(1), pair[1] + scores.sum(1)
        found["entries"] = float(max(entries))
        found["layers"] = float(max(np.max(np.abs(a - b)) / np.max(np.abs(b)) for a, b in sums.values()))

    total = {kind: sum(parts[kind] for parts in ours.values()) for kind in ("C", "K", "diagV")}
    scale = np.sqrt(np.outer(np.diag(total["K"]), total["diagV"]))
    for name in ("captum", "bergson"):
        if theirs := peers(name):
            found[name] = float(np.max(np.abs(total["C"] - theirs["all"].reshape(total["C"].shape)) / scale))

exact = result("bench")
if exact and (theirs := peers("datainf")):
    influence = np.array(exact["tasks"][0]["influence"]) / m  # ours is the sum over validation samples
    reference = np.array([theirs[str(layer["index"])] for layer in exact["tasks"][0]["layers"]])
    found["datainf"] = float(np.max(np.abs(influence - reference) / np.max(np.abs(reference), axis=1, keepdims=True)))

if exact and (projected := result("bench64")):
    ranks = [np.argsort(np.argsort([layer["score"] for layer in run["tasks"][0]["layers"]])) for run in (exact, projected)]
    found["projected"] = float(np.corrcoef(*ranks)[0, 1])

print(json.dumps(found))
