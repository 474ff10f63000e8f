"""Mask values of an adapter's changes by autograd and torch.optim.Adam in float64: gamma multiplies each module's LoRA scaling.

    python masks.py        (torch, transformers, peft; writes masks.json beside itself)
"""
import json
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
CASE = HERE.parent / "lora" / "all_linear"
STEPS, RATE, START = 6, 0.05, 1.0


def run(penalty):
    samples = json.loads((CASE / "samples.json").read_text())["samples"]
    base = AutoModelForCausalLM.from_pretrained(
        HERE.parent / (CASE / "base.txt").read_text().strip(), dtype=torch.float64, attn_implementation="eager"
    )
    model = PeftModel.from_pretrained(base, CASE / "adapter").double().eval()
    units = {}
    for name, module in model.named_modules():
        if hasattr(module, "lora_A") and hasattr(module, "scaling"):
            layer, rest = name.split(".layers.")[1].split(".", 1)
            units[f"{layer}.{rest}"] = (module, module.scaling["default"])

    def loss(gammas):
        for (module, scale), gamma in zip(units.values(), gammas):
            module.scaling["default"] = scale * gamma
        total = 0
        for sample in samples:
            tokens = torch.tensor(sample["tokens"])
            start = sample["countedFrom"]
            logits = model(tokens[None]).logits[0]
            total = total + torch.nn.functional.cross_entropy(logits[start - 1 : -1], tokens[start:])
        return total / len(samples)

    one = torch.ones(len(units), dtype=torch.float64)
    with torch.no_grad():
        ends = [loss(0 * one).item(), loss(one).item()]
    s = torch.full((len(units),), START, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([s], lr=RATE)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        gamma = torch.sigmoid(s)
        value = loss(gamma)
        losses.append(value.item())
        (value + penalty * gamma.sum()).backward()
        optimizer.step()
    return {"s": dict(zip(units, s.tolist())), "loss": losses, "ends": ends}


found = {
    "torch": torch.__version__,
    "settings": {"steps": STEPS, "learning_rate": RATE, "start": START},
    "0": run(0.0),
    "0.01": run(0.01),
}
(HERE / "masks.json").write_text(json.dumps(found) + "\n")
