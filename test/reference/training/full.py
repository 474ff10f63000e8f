"""Float64 references of training whole matrices with masked tokens on the tiny Llama: gradients, then ten AdamW and ten SGD steps.

    python full.py        (torch, transformers, safetensors; writes full.json and full.safetensors)

The loss is the mean over the samples of the mean over each sample's counted tokens. Schedules are transformers' own.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import Float64Mode, double_model_of  # noqa: E402

MODEL = HERE.parent / "llama" / "minimal"
torch.set_default_dtype(torch.float64)
STEPS = 10
NAMES = [f"model.layers.{layer}.{module}.weight" for layer in (0, 1) for module in ("self_attn.q_proj", "mlp.down_proj")]
samples = json.loads((MODEL / "samples.json").read_text())["samples"]
masks = [[(3 * i + t) % 4 != 1 for t in range(len(s["tokens"]))] for i, s in enumerate(samples)]


def loss_of(model):
    total = 0
    for sample, mask in zip(samples, masks):
        logits = model(input_ids=torch.tensor([sample["tokens"]]), use_cache=False).logits[0]
        nll = -torch.log_softmax(logits[:-1], -1)[torch.arange(len(mask) - 1), torch.tensor(sample["tokens"][1:])]
        total = total + nll[torch.tensor(mask[1:])].mean()
    return total / len(samples)


def run(make, schedule):
    model = double_model_of(MODEL)
    parameters = dict(model.named_parameters())
    for name, parameter in parameters.items():
        parameter.requires_grad_(name in NAMES)
    optimizer = make([parameters[name] for name in NAMES])
    scheduler = schedule(optimizer)
    curve, gradient = [], None
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(model)
        loss.backward()
        if gradient is None:
            gradient = {name: parameters[name].grad.clone() for name in NAMES}
        curve.append(loss.item())
        optimizer.step()
        scheduler.step()
    with torch.no_grad():
        after = loss_of(model).item()
    return curve, after, gradient, {name: parameters[name].detach().clone() for name in NAMES}


cases = {
    "adamw": (
        lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, betas=(0.8, 0.95), eps=1e-6),
        lambda o: get_cosine_schedule_with_warmup(o, 2, STEPS),
    ),
    "sgd": (
        lambda p: torch.optim.SGD(p, lr=0.3, momentum=0.9, weight_decay=0.01),
        lambda o: get_linear_schedule_with_warmup(o, 0, STEPS),
    ),
}
out, tensors = {"masks": [[int(x) for x in m] for m in masks]}, {}
with Float64Mode():
    for name, (make, schedule) in cases.items():
        curve, after, gradient, trained = run(make, schedule)
        out[name] = {"curve": curve, "after": after}
        tensors |= {f"{name}.{key}": value for key, value in trained.items()}
        tensors |= {f"gradient.{key}": value for key, value in gradient.items()}
        print(name, curve[0], after)
(HERE / "full.json").write_text(json.dumps(out) + "\n")
save_file(tensors, HERE / "full.safetensors")
