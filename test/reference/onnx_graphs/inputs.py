"""Squared inputs of the linear modules of the tiny models of make.py, summed over all tokens of all samples, and OWL's outliers.

    python test/reference/onnx_graphs/inputs.py

Needs what make.py needs. `inputs.safetensors` holds `<model>.<layer>.<module>` [columns], float64 models, kept as float32, caught by
hooks on Hugging Face's own modules, and `<model>.owl` [layers]: percent of |W_ij| * sqrt(sum) above twice its mean over the layer.
"""
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file
from transformers.pytorch_utils import Conv1D

from hidden import LAYERS
from make import MODELS, Float64Mode, randomise, samples_of

MULTIPLE = 2
out = {}
for name, layers_of in LAYERS.items():
    torch.manual_seed(0)
    model = randomise(MODELS[name][0]()).double()
    modules = [
        (layer, path, module)
        for layer, block in enumerate(layers_of(model))
        for path, module in block.named_modules()
        if isinstance(module, (torch.nn.Linear, Conv1D))
    ]
    sums = {}

    def keep(key):
        def hook(_, args):
            sums[key] = sums.get(key, 0) + args[0].flatten(0, -2).square().sum(0)

        return hook

    for layer, path, module in modules:
        module.register_forward_pre_hook(keep(f"{layer}.{path}"))
    for sample in samples_of(name):
        with Float64Mode(), torch.no_grad():
            model(**{k: v.double() if v.is_floating_point() else v for k, v in sample.items()})
    percents = []
    for layer in range(len(layers_of(model))):
        entries = []
        for at, path, module in modules:
            if at != layer:
                continue
            weight = module.weight.detach().T if isinstance(module, Conv1D) else module.weight.detach()
            entries.append((weight.abs() * sums[f"{layer}.{path}"].sqrt()).flatten().numpy())
        entries = numpy.concatenate(entries)
        percents.append(100 * (entries > MULTIPLE * entries.mean()).mean())
    out.update({f"{name}.{key}": value.float() for key, value in sums.items()})
    out[f"{name}.owl"] = torch.tensor(percents)
save_file(out, str(Path(__file__).parent / "inputs.safetensors"))
print({key: value.tolist() for key, value in out.items() if key.endswith("owl")})
