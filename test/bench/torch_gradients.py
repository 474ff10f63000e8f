"""PyTorch eager, one sample at a time: forward, backward to all 210 block matrices, gradients dropped.

The floor under every method that needs per-sample gradients; it computes no inner product and no score.
"""

import time

import torch
from contestant import load_model, load_tokens, report

model, tokens = load_model(), load_tokens()
matrices = [parameter for parameter in model.parameters() if parameter.requires_grad]
assert len(matrices) == 210

began = time.perf_counter()
for row in torch.cat([tokens["train"], tokens["validation"]]):
    loss = model(input_ids=row[None], labels=row[None], use_cache=False).loss
    gradients = torch.autograd.grad(loss, matrices)
report(time.perf_counter() - began, checksum=float(gradients[0].norm()))
