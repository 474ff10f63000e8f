"""Writes the float64 references of training: optimisers on given gradients, and LoRA on a tiny Llama. See README.md.

    python test/reference/training/make.py      (needs torch, transformers, safetensors)
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import Float64Mode, double_model_of  # noqa: E402

MODEL = HERE.parent / "llama" / "minimal"
torch.set_default_dtype(torch.float64)


def optimisers():
    """20 steps on the gradients of f(x) = sum(a_i (x_i - b_i)^2 + sin(3 x_i)), written out so that the test can make them too."""
    a = torch.tensor([0.5, 2.0, 0.01, 7.0])
    b = torch.tensor([1.0, -2.0, 0.3, 0.0])
    cases = {
        "adamw_defaults": lambda p: torch.optim.AdamW(p, lr=0.05),
        "adamw_all": lambda p: torch.optim.AdamW(p, lr=0.03, weight_decay=0.2, betas=(0.8, 0.95), eps=1e-4),
        "sgd": lambda p: torch.optim.SGD(p, lr=0.02),
        "sgd_all": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9, weight_decay=0.1),
    }
    results = {}
    for name, make in cases.items():
        x = torch.nn.Parameter(torch.tensor([0.0, 1.0, -1.0, 2.0]))
        optimiser = make([x])
        path = []
        for _ in range(20):
            optimiser.zero_grad()
            (a * (x - b) ** 2 + torch.sin(3 * x)).sum().backward()
            optimiser.step()
            path.append(x.detach().tolist())
        results[name] = path
    clipped = [torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(1))]
    clipped[0].grad, clipped[1].grad = torch.tensor([3.0, 4.0]), torch.tensor([12.0])
    norm = torch.nn.utils.clip_grad_norm_(clipped, 2.0)
    results["clip"] = {"norm": norm.item(), "gradients": [p.grad.tolist() for p in clipped]}
    return results


class Lora(torch.nn.Module):
    """y = base(x) + scale * (x A^T) B^T"""

    def __init__(self, base, A, B, scale):
        super().__init__()
        self.base, self.scale = base, scale
        self.A, self.B = torch.nn.Parameter(A), torch.nn.Parameter(B)

    def forward(self, x):
        return self.base(x) + self.scale * (x @ self.A.T) @ self.B.T


def lora():
    model = double_model_of(MODEL).requires_grad_(False)
    samples = json.loads((MODEL / "samples.json").read_text())["samples"]
    rank, alpha, modules, layers = 2, 6, ["self_attn.q_proj", "mlp.down_proj"], [0, 1]
    generator = torch.Generator().manual_seed(3)
    wrapped, start = {}, {}
    for layer in layers:
        for name in modules:
            path = f"model.layers.{layer}.{name}"
            base = model.get_submodule(path)
            draw = lambda *shape: torch.randn(*shape, generator=generator) * 0.3  # noqa: E731
            # Stored in float32, as an adapter is, so both programs start from the same numbers.
            A = draw(rank, base.in_features).float().double()
            B = draw(base.out_features, rank).float().double()
            start[f"{path}.lora_A.weight"], start[f"{path}.lora_B.weight"] = A.clone(), B.clone()
            wrapped[path] = Lora(base, A.clone(), B.clone(), alpha / rank)
            parent, _, child = path.rpartition(".")
            setattr(model.get_submodule(parent), child, wrapped[path])

    def loss_of(sample):
        tokens = torch.tensor([sample["tokens"]])
        with Float64Mode():
            logits = model(tokens).logits[0, :-1]
        nll = torch.nn.functional.cross_entropy(logits, tokens[0, 1:], reduction="none")
        return nll[sample["countedFrom"] - 1 :].mean()

    factors = {f"{path}.lora_{side}.weight": getattr(m, side) for path, m in wrapped.items() for side in "AB"}
    optimiser = torch.optim.AdamW(factors.values(), lr=0.02, weight_decay=0.1)
    curve, first = [], None
    for _ in range(10):
        optimiser.zero_grad()
        loss = torch.stack([loss_of(s) for s in samples]).mean()
        loss.backward()
        first = first or {name: p.grad.clone() for name, p in factors.items()}
        curve.append(loss.item())
        optimiser.step()
    with torch.no_grad():
        after = [loss_of(s).item() for s in samples]
    tensors = {f"start.{k}": v for k, v in start.items()}
    tensors |= {f"gradient.{k}": v for k, v in first.items()}
    tensors |= {f"trained.{k}": v.detach() for k, v in factors.items()}
    save_file({k: v.contiguous() for k, v in tensors.items()}, HERE / "lora.safetensors")
    return {"rank": rank, "alpha": alpha, "modules": modules, "layers": layers, "curve": curve, "after": after}


if __name__ == "__main__":
    text = json.dumps({"torch": torch.__version__, "optimisers": optimisers(), "lora": lora()}, indent=1)
    (HERE / "training.json").write_text(text + "\n")
