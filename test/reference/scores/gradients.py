"""Scores of gradients of tiny models by PyTorch autograd in float64, written from the papers' descriptions.

    python gradients.py        (torch, transformers; writes gradients.json beside itself)

Loss of a text: mean of -ln p over its counted tokens; loss of several texts: mean of their losses. Text i is in batch i mod BATCHES.
Weights: the matrices of linear modules (Conv1D of GPT-2 as [inputs, outputs]; elementwise sums do not care).
"""
import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

HERE = Path(__file__).parent
BATCHES = 2


def matrices(blocks):
    return {
        f"{index}.{name}": module.weight
        for index, block in enumerate(blocks)
        for name, module in block.named_modules()
        if isinstance(module, (torch.nn.Linear, Conv1D))
    }


def loss_of(model, sample):
    tokens = torch.tensor(sample["tokens"])
    logits = model(tokens[None]).logits[0]
    start = sample["countedFrom"]
    return torch.nn.functional.cross_entropy(logits[start - 1 : -1], tokens[start:])


def rank(values):
    """SPIDER: sigmoid of the standardised size over the whole tensor."""
    size = values.abs()
    if not size.any():
        return torch.zeros_like(size)
    deviation = size.std(unbiased=True)
    if deviation == 0:
        return torch.full_like(size, 0.5)
    return torch.sigmoid((size - size.mean()) / deviation)


def spider(weight, gradient):
    importance, task = rank(weight), rank(gradient)
    claimed = importance < task
    share = torch.where(claimed, task / (importance + task), 0.0)
    mask = (share / share[claimed].mean()).clamp(max=1) if claimed.any() else share
    # Every entry of the gradient beside every entry of the weight: the mean over all orders.
    pairs = (importance.flatten()[:, None] < task.flatten()[None, :]).double().mean() * weight.numel()
    return {
        "claimed": int(claimed.sum()),
        "mask": mask.sum().item(),
        "shuffled": pairs.item(),
        "weight": weight.abs().sum().item(),
        "gradient": gradient.abs().sum().item(),
        "which": claimed.flatten().int().tolist(),
    }


def grasp(model, samples, weights):
    """-<W, H g> of each matrix by a second backward pass, for all texts and for all but each batch (with the same g)."""
    names, tensors = list(weights), list(weights.values())
    count = len(samples)

    def products(chosen, direction):
        loss = sum(loss_of(model, samples[i]) for i in chosen) / len(chosen)
        gradients = torch.autograd.grad(loss, tensors, create_graph=True)
        inner = sum((g * d).sum() for g, d in zip(gradients, direction))
        return [-(w * h).sum().item() for w, h in zip(tensors, torch.autograd.grad(inner, tensors))]

    direction = [
        g.detach() for g in torch.autograd.grad(sum(loss_of(model, s) for s in samples) / count, tensors)
    ]
    every = products(range(count), direction)
    rest = [products([i for i in range(count) if i % BATCHES != b], direction) for b in range(BATCHES)]
    return {
        "values": dict(zip(names, every)),
        "without": {name: [batch[k] for batch in rest] for k, name in enumerate(names)},
        "norm": sum(d.pow(2).sum() for d in direction).sqrt().item(),
    }


def whole_model(case, blocks):
    folder = HERE.parent / case
    samples = json.loads((folder / "samples.json").read_text())["samples"]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    weights = matrices(blocks(model))
    names, tensors = list(weights), list(weights.values())
    each = [torch.autograd.grad(loss_of(model, sample), tensors) for sample in samples]

    def mean(chosen):
        return {name: sum(each[i][k] for i in chosen) / len(chosen) for k, name in enumerate(names)}

    def absolute(gradients):
        return {name: (weights[name] * gradients[name]).abs().sum().item() for name in names}

    every = range(len(samples))
    batches = [[i for i in every if i % BATCHES == b] for b in range(BATCHES)]
    taylor = absolute(mean(every))
    in_batches = [absolute(mean(batch)) for batch in batches]
    sensitivity = {name: sum(batch[name] for batch in in_batches) / BATCHES for name in names}
    return {
        "whole": taylor,
        "without": {name: [absolute(mean([i for i in every if i not in batch]))[name] for batch in batches] for name in names},
        "batch": {name: [batch[name] for batch in in_batches] for name in names},
        "square": {name: value.pow(2).sum().item() for name, value in mean(every).items()},
        "norms": {name: [each[i][k].pow(2).sum().item() for i in every] for k, name in enumerate(names)},
        "spider": {name: spider(weights[name].detach(), mean(every)[name]) for name in names},
        "spider_without": {
            name: [
                spider(weights[name].detach(), mean([i for i in every if i not in batch])[name])["claimed"]
                for batch in batches
            ]
            for name in names
        },
        "product": {name: [(weights[name] * mean(batch)[name]).sum().item() for batch in batches] for name in names},
        "grasp": grasp(model, samples, weights),
        "snip": {name: value / sum(sensitivity.values()) for name, value in sensitivity.items()},
    }


if __name__ == "__main__":
    found = {
        "torch": torch.__version__,
        "batches": BATCHES,
        "llama/biases": whole_model("llama/biases", lambda model: model.model.layers),
        "gpt2/by_layer": whole_model("gpt2/by_layer", lambda model: model.transformer.h),
    }
    (HERE / "gradients.json").write_text(json.dumps(found) + "\n")
