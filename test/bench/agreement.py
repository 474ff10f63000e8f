"""Did the contestants compute the same thing? Our C = G V^T of every matrix against kronfluence's per-module scores.

    python test/bench/agreement.py kronfluence.safetensors grams.safetensors

Prints the largest difference in units of |g_i| |v_j| (`entries`), and of a layer's influence, C summed over matrices and validation
samples, in units of the layer's largest (`layers`).
"""

import json
import re
import sys

import numpy as np
from safetensors.numpy import load_file

theirs, tensors = load_file(sys.argv[1]), load_file(sys.argv[2])
ours = {}
for name, array in tensors.items():
    ours[re.search(r"\d+\.[\w.]+$", name)[0]] = array
entries, sums = 0.0, {}
assert len(theirs) == 210
for key, scores in theirs.items():
    C, K, diag_v = ours[f"{key}.C"], ours[f"{key}.K"], ours[f"{key}.diagV"]
    C = C.reshape(scores.shape)
    scale = np.sqrt(np.outer(np.diag(K.reshape(len(C), len(C))), diag_v))
    entries = max(entries, float(np.max(np.abs(C - scores) / scale)))
    pair = sums.setdefault(key.split(".")[0], [0, 0])
    pair[0], pair[1] = pair[0] + C.sum(1), pair[1] + scores.sum(1)
layers = max(float(np.max(np.abs(a - b)) / np.max(np.abs(b))) for a, b in sums.values())
print(json.dumps({"entries": entries, "layers": layers}))
