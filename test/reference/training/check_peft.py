"""Loads an adapter that the engine trained with PEFT and compares the losses of the samples.

    python test/reference/training/check_peft.py MODEL ADAPTER LOSSES.json      (needs torch, transformers, peft)

LOSSES.json holds `samples` (tokens, countedFrom) and the engine's `losses`. With peft 0.21.2, transformers 5.23 and torch 2.13 the
largest difference was 2.3e-7 for ../llama/minimal and 2.0e-7 for ../gpt2/published, factors on all linear modules.
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

model, adapter, expected = sys.argv[1:]
given = json.loads(Path(expected).read_text())
adapted = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32), adapter).eval()
worst = 0.0
for sample, loss in zip(given["samples"], given["losses"], strict=True):
    tokens = torch.tensor([sample["tokens"]])
    with torch.no_grad():
        logits = adapted(tokens).logits[0, :-1]
    nll = torch.nn.functional.cross_entropy(logits, tokens[0, 1:], reduction="none")
    worst = max(worst, abs(nll[sample["countedFrom"] - 1 :].mean().item() - loss))
print(f"largest difference {worst:.1e}")
sys.exit(worst > 1e-4)
