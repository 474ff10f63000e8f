"""The DataInf formula as its authors wrote it (arXiv 2310.00902, equation 5), in PyTorch: every sample's gradients of all 210 matrices
kept in memory, 425 MB a sample.

Per matrix, with g_i of training samples and v the mean validation gradient:
lambda = mean_i mean(g_i^2) / 10, hvp = 1/(n lambda) sum_i (v - <v, g_i> / (lambda + |g_i|^2) g_i), influence_k = <hvp, g_k>, here in
the sign "positive helps".
"""

import time

import torch
from contestant import FOLDER, load_model, load_tokens, report
from safetensors.torch import save_file

model, tokens = load_model(), load_tokens()
named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
assert len(named) == 210


def gradients(rows: torch.Tensor) -> list[list[torch.Tensor]]:
    """Per sample, per matrix."""
    return [torch.autograd.grad(model(input_ids=row[None], labels=row[None], use_cache=False).loss, [p for _, p in named]) for row in rows]


began = time.perf_counter()
train, validation = gradients(tokens["train"]), gradients(tokens["validation"])
influence: dict[str, torch.Tensor] = {}
for position, (name, _) in enumerate(named):
    g = [sample[position] for sample in train]
    v = sum(sample[position] for sample in validation) / len(validation)
    damping = sum((x**2).mean() for x in g) / len(g) / 10
    hvp = torch.zeros_like(v)
    for x in g:
        hvp += (v - (v * x).sum() / (damping + (x**2).sum()) * x) / (len(g) * damping)
    layer = name.split("layers.")[1].split(".")[0]
    influence[layer] = influence.get(layer, torch.zeros(len(g))) + torch.stack([(hvp * x).sum() for x in g])
seconds = time.perf_counter() - began

save_file({layer: values.double() for layer, values in influence.items()}, FOLDER / "datainf.safetensors")
report(seconds)
