"""Values and derivatives of transformers' activation functions in float64, for test/models/activations.test.ts.

    python test/reference/conform/activations.py      (needs torch, transformers)
"""

import json
from pathlib import Path

import torch
from transformers.activations import ACT2FN

X = [-6.0, -2.75, -1.25, -0.4, 0.3, 0.9, 2.5, 6.5, 11.0]

if __name__ == "__main__":
    rows = {}
    for name in ACT2FN:
        x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
        function = ACT2FN[name].double() if hasattr(ACT2FN[name], "double") else ACT2FN[name]
        if list(function.parameters()) or list(function.buffers()):
            rows[name] = None  # weights of its own
            continue
        y = function(x)
        rows[name] = {"y": y.tolist(), "dy": torch.autograd.grad(y.sum(), x)[0].tolist()}
    lines = [f' {json.dumps(name)}: {json.dumps(row)}' for name, row in rows.items()]
    (Path(__file__).parent / "activations.json").write_text('{\n "x": ' + json.dumps(X) + ",\n" + ",\n".join(lines) + "\n}\n")
