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
