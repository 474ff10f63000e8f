"""Loads experts that the engine trained and saved, from their files alone, and compares the losses of the samples.

    python test/reference/experts/check_files.py MODEL EXPERTS LOSSES.json      (needs torch, transformers, safetensors)

LOSSES.json holds `samples` (tokens, countedFrom) and the engine's `losses`. With transformers 5.23 and torch 2.13 the
largest difference was 2.0e-7 for ../llama/minimal and 3.3e-6 for SmolLM2-135M-Instruct, experts on all linear modules.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

model_folder, experts_folder, expected = map(Path, sys.argv[1:])
given = json.loads(expected.read_text())
config = json.loads((experts_folder / "experts_config.json").read_text())
tensors = load_file(experts_folder / "experts_model.safetensors")
model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()


def experts_on(base, name, count, top_k):
    router = tensors.pop(f"{name}.router.weight")
    A = [tensors.pop(f"{name}.lora_A.{e}.weight") for e in range(count)]
    B = [tensors.pop(f"{name}.lora_B.{e}.weight") for e in range(count)]
    assert router.shape[0] == count and all(a.shape[0] == config["r"] for a in A)
    plain = base.forward

    def forward(x):
        weights, chosen = torch.topk(torch.softmax(x @ router.T, -1), top_k, -1)
        weights = weights / weights.sum(-1, keepdim=True)
        y = plain(x)
        for e in range(count):
            weight = (weights * (chosen == e)).sum(-1, keepdim=True)
            y = y + weight * (config["lora_alpha"] / config["r"]) * ((x @ A[e].T) @ B[e].T)
        return y

    base.forward = forward


for layer, (count, top_k) in enumerate(zip(config["number_experts"], config["top_k"], strict=True)):
    for module in config["target_modules"] if count else []:
        name = f"model.layers.{layer}.{module}"
        experts_on(model.get_submodule(name), name, count, top_k)
assert not tensors, list(tensors)

worst = 0.0
for sample, loss in zip(given["samples"], given["losses"], strict=True):
    tokens = torch.tensor([sample["tokens"]])
    with torch.no_grad():
        logits = model(tokens).logits[0, :-1]
    nll = torch.nn.functional.cross_entropy(logits, tokens[0, 1:], reduction="none")
    worst = max(worst, abs(nll[sample["countedFrom"] - 1 :].mean().item() - loss))
print(f"{config['number_experts']} experts: largest difference of {len(given['losses'])} losses {worst:.1e}")
sys.exit(worst > 1e-4)
