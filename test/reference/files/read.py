"""Reads what LayerIF writes: the lines of docs/result-files.md, run on the files of test/golden/files.

    python test/reference/files/read.py > test/reference/files/read.txt

Needs numpy and safetensors. The page holds the parts between the marks below, word for word.
"""

# -- result
import json
from pathlib import Path

import numpy as np
from safetensors import safe_open

folder = Path("test/golden/files")  # yours: runs/NAME/<run id>
result = json.loads((folder / "tiny.layerif-result.json").read_text())
task = result["tasks"][0]
influence = np.array(task["influence"])  # layers x training rows; positive = helps validation
for layer in task["layers"]:
    print(layer["index"], layer["name"], layer["score"], layer.get("interval"))
for i in influence.sum(axis=0).argsort()[:3]:  # the most harmful rows
    row = task["train"]["rows"][i]
    print(f"{row['file']}:{row['line']}", influence[:, i])

# -- grams
with safe_open(folder / "grams.safetensors", "numpy") as grams:
    dot, datainf = np.zeros_like(influence), np.zeros_like(influence)
    for at, layer in enumerate(task["layers"]):
        for module, damping in zip(result["model"]["modules"], task["damping"][at]):
            name = f"{task['task']}/{layer['index']}.{module}."
            K = grams.get_tensor(name + "K")  # inner products of training gradients, n x n
            C = grams.get_tensor(name + "C")  # of training with validation gradients, n x m
            D = damping + np.diag(K)
            dot[at] += C.sum(axis=1)
            datainf[at] += ((C - K @ (C / D[:, None]) / len(K)) / damping).sum(axis=1)
assert np.allclose(datainf, influence)  # the run's own estimator, from its Grams

# -- others
allocation = json.loads((folder / "tiny.layerif-allocation.json").read_text())
for kind, made in allocation["allocations"].items():
    print(kind, [layer["value"] for layer in made["layers"]])
scores = json.loads((folder / "tiny.layerif-scores.json").read_text())
for table in scores["tables"]:
    shape = [len(axis["labels"]) for axis in table["axes"]]
    print(table["score"], np.array(table["values"], float).reshape(shape))  # null becomes nan
evaluation = json.loads((folder / "tiny.layerif-evaluation.json").read_text())
print({name: metrics["acc,none"] for name, metrics in evaluation["results"].items()})
# -- end
print("dot:", dot.round(4).tolist())
