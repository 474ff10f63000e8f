"""Masks and weights of magnitude, Wanda and SparseGPT by PyTorch, written from the papers' descriptions.

    python make.py        (torch, transformers, safetensors; writes *.safetensors beside itself)

pruning.safetensors: W [rows, columns] in float32, X [sequences, tokens, columns] with one input that is always zero; per method
and structure the pruned weight. <family>.safetensors: every matrix of a tiny model, pruned block after block on the outputs of
the pruned blocks below, with another sparsity for every layer; and OWL's outlier percentages of the dense model.
Everything is done the slow and plain way: a full inverse, one entry of a group after the other.
"""
import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

torch.manual_seed(11)
ROWS, COLUMNS, SEQUENCES, TOKENS = 20, 160, 5, 64
SPARSITIES = [0.3, 0.5, 0.7]
STRUCTURES = [(2, 4), (4, 8)]  # kept, of

W = torch.randn(ROWS, COLUMNS)
X = torch.randn(SEQUENCES, TOKENS, COLUMNS) * torch.linspace(0.2, 3, COLUMNS)
X = X + 0.5 * X.roll(1, -1)  # correlated inputs, so that SparseGPT's updates matter
X[..., 37] = 0
out = {"W": W, "squared_norms": (X.double() ** 2).sum((0, 1)), "products": torch.einsum("stc,std->cd", X.double(), X.double()).float()}


def smallest_of_groups(metric, keep, of):
    mask = torch.zeros_like(metric, dtype=torch.bool)
    for start in range(0, metric.shape[1], of):
        order = torch.argsort(metric[:, start : start + of], dim=1, stable=True)[:, : of - keep]
        mask.scatter_(1, order + start, True)
    return mask


def magnitude(w, inputs, sparsity=None, structure=None):
    metric = w.abs()
    if structure:
        return w.masked_fill(smallest_of_groups(metric, *structure), 0)
    threshold = metric.flatten().sort().values[int(w.numel() * sparsity)]
    return w.masked_fill(metric <= threshold, 0)


def wanda(w, inputs, sparsity=None, structure=None):
    scaler = torch.zeros(w.shape[1], dtype=w.dtype)
    for number, x in enumerate(inputs):  # running mean over sequences of the sum over tokens
        scaler *= number / (number + 1)
        scaler += x.norm(dim=0) ** 2 / (number + 1)
    metric = w.abs() * scaler.sqrt()
    if structure:
        return w.masked_fill(smallest_of_groups(metric, *structure), 0)
    order = torch.argsort(metric, dim=1, stable=True)[:, : int(w.shape[1] * sparsity)]
    return w.scatter(1, order, 0)


def sparsegpt(w, inputs, sparsity=None, structure=None):
    """In float64, so that the reference is the more exact side."""
    w = w.double().clone()
    columns = w.shape[1]
    tokens = torch.cat([x.double() for x in inputs])
    H = 2 / len(inputs) * tokens.T @ tokens
    dead = H.diag() == 0
    H[dead, dead] = 1
    w[:, dead] = 0
    H += 0.01 * H.diag().mean() * torch.eye(columns)
    U = torch.linalg.cholesky(torch.linalg.inv(H), upper=True)
    for start in range(0, columns, 128):
        end = min(start + 128, columns)
        slab = w[:, start:end].clone()
        errors = torch.zeros_like(slab)
        u = U[start:end, start:end]
        if not structure:
            metric = slab**2 / u.diag() ** 2
            mask = metric <= metric.flatten().sort().values[int(metric.numel() * sparsity)]
        else:
            mask = torch.zeros_like(slab, dtype=torch.bool)
        for j in range(end - start):
            if structure and j % structure[1] == 0:
                group = slab[:, j : j + structure[1]] ** 2 / u.diag()[j : j + structure[1]] ** 2
                mask[:, j : j + structure[1]] = smallest_of_groups(group, *structure)
            q = slab[:, j].masked_fill(mask[:, j], 0)
            errors[:, j] = (slab[:, j] - q) / u[j, j]
            slab[:, j:] -= errors[:, j : j + 1] * u[j, j:]
            slab[:, j] = q
        w[:, start:end] = slab
        w[:, end:] -= errors @ U[start:end, end:]
    return w.float()


METHODS = {"magnitude": magnitude, "wanda": wanda, "sparsegpt": sparsegpt}
for name, prune in METHODS.items():
    for sparsity in SPARSITIES:
        out[f"{name}/{sparsity}"] = prune(W, list(X), sparsity=sparsity)
    for structure in STRUCTURES:
        out[f"{name}/{structure[0]}:{structure[1]}"] = prune(W, list(X), structure=structure)


def save(tensors, name):
    tensors = {k: v.contiguous() for k, v in tensors.items()}
    save_file(tensors, Path(__file__).parent / f"{name}.safetensors", metadata={"torch": torch.__version__})


save(out, "pruning")


def inputs_of(model, block, samples):
    """Module name below the block -> its inputs, one [tokens, columns] per sample."""
    seen = {}
    hooks = [
        module.register_forward_hook(lambda _, args, __, name=name: seen.setdefault(name, []).append(args[0].reshape(-1, args[0].shape[-1])))
        for name, module in block.named_modules()
        if isinstance(module, (torch.nn.Linear, Conv1D))
    ]
    for sample in samples:
        model(torch.tensor([sample["tokens"]]))
    for hook in hooks:
        hook.remove()
    return seen


@torch.no_grad()
def whole_model(case, blocks):
    folder = Path(__file__).parent.parent / case
    samples = json.loads((folder / "samples.json").read_text())["samples"]
    tensors = {}
    for name, prune in METHODS.items():
        for word, amount in {"map": None, "2:4": {"structure": (2, 4)}}.items():
            model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
            layers, prefix = blocks(model)
            if name == "magnitude" and word == "map":
                outliers = []
                for block in layers:  # dense
                    metric = []
                    for module, inputs in inputs_of(model, block, samples).items():
                        layer = block.get_submodule(module)
                        weight = layer.weight.T if isinstance(layer, Conv1D) else layer.weight
                        norm = (sum(x.norm(dim=0) ** 2 for x in inputs) / len(inputs)).sqrt()
                        metric.append((weight.abs() * norm).flatten())
                    metric = torch.cat(metric)
                    outliers.append(100 * (metric > 3 * metric.mean()).double().mean())
                tensors["outliers"] = torch.stack(outliers)
            for index, block in enumerate(layers):
                for module, inputs in inputs_of(model, block, samples).items():
                    layer = block.get_submodule(module)
                    turn = (lambda t: t.T) if isinstance(layer, Conv1D) else (lambda t: t)
                    pruned = prune(turn(layer.weight.data), inputs, **(amount or {"sparsity": 0.3 + 0.2 * index}))
                    layer.weight.data = turn(pruned).double()
                    tensors[f"{name}/{word}/{prefix}.{index}.{module}"] = layer.weight.data.float()
    save(tensors, case.split("/")[0])


whole_model("llama/biases", lambda model: (model.model.layers, "model.layers"))
whole_model("gpt2/by_layer", lambda model: (model.transformer.h, "h"))
