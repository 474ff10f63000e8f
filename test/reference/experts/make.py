"""Writes the float64 reference of LoRA experts: gradients of one step with the balance loss, and ten AdamW steps. See README.md.

    python test/reference/experts/make.py      (needs torch, transformers, safetensors)
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.nn.functional import one_hot, softmax

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import Float64Mode, double_model_of  # noqa: E402

MODEL = HERE.parent / "llama" / "minimal"
EXPERTS, TOP_K = [3, 2], [2, 1]
RANK, ALPHA = 2, 6
MODULES = ["self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj"]
BALANCE = 0.05
torch.set_default_dtype(torch.float64)


class Experts(torch.nn.Module):
    """W x + sum over the chosen experts of weight * alpha / rank * B A x, one expert after the other."""

    def __init__(self, base, router, A, B, top_k):
        super().__init__()
        self.base, self.top_k = base, top_k
        self.router = torch.nn.Parameter(router)
        self.A, self.B = (torch.nn.ParameterList([torch.nn.Parameter(t) for t in ts]) for ts in (A, B))
        self.seen = []

    def forward(self, x):
        probabilities = softmax(x @ self.router.T, dim=-1)
        weights, chosen = torch.topk(probabilities, self.top_k, dim=-1)
        weights = weights / weights.sum(-1, keepdim=True)
        self.seen.append((probabilities.reshape(-1, len(self.A)), chosen.reshape(-1, self.top_k)))
        y = self.base(x)
        for e, (A, B) in enumerate(zip(self.A, self.B)):
            weight = (weights * (chosen == e)).sum(-1, keepdim=True)
            y = y + weight * (ALPHA / RANK) * ((x @ A.T) @ B.T)
        return y

    def balance(self):
        """E sum_e (share of the assignments) (mean probability), over all tokens since the last call; and how close a choice was."""
        probabilities = torch.cat([p for p, _ in self.seen])
        chosen = torch.cat([c for _, c in self.seen])
        self.seen = []
        count = len(self.A)
        share = one_hot(chosen, count).sum((0, 1)).double() / chosen.numel()
        ranked = probabilities.detach().sort(-1, descending=True).values
        margin = (ranked[:, self.top_k - 1] - ranked[:, self.top_k]).min().item() if count > self.top_k else 1.0
        return count * (share * probabilities.mean(0)).sum(), margin


def main():
    model = double_model_of(MODEL).requires_grad_(False)
    samples = json.loads((MODEL / "samples.json").read_text())["samples"]
    generator = torch.Generator().manual_seed(4)
    # Stored in float32, so both programs start from the same numbers.
    draw = lambda scale, *shape: (torch.randn(*shape, generator=generator) * scale).float().double()  # noqa: E731
    wrapped = {}
    for layer, (count, top_k) in enumerate(zip(EXPERTS, TOP_K)):
        for name in MODULES:
            path = f"model.layers.{layer}.{name}"
            base = model.get_submodule(path)
            A = [draw(0.3, RANK, base.in_features) for _ in range(count)]
            B = [draw(0.3, base.out_features, RANK) for _ in range(count)]
            wrapped[path] = Experts(base, draw(1.0, count, base.in_features), A, B, top_k)
            parent, _, child = path.rpartition(".")
            setattr(model.get_submodule(parent), child, wrapped[path])

    def loss_of(sample):
        tokens = torch.tensor([sample["tokens"]])
        with Float64Mode():
            logits = model(tokens).logits[0, :-1]
        nll = torch.nn.functional.cross_entropy(logits, tokens[0, 1:], reduction="none")
        return nll[sample["countedFrom"] - 1 :].mean()

    def named(value):
        """The engine's layout: the experts' A below each other, their B side by side."""
        tensors = {}
        for path, m in wrapped.items():
            tensors[f"{path}.experts.router.weight"] = value(m.router)
            tensors[f"{path}.experts.lora_A.weight"] = torch.cat([value(t) for t in m.A], 0)
            tensors[f"{path}.experts.lora_B.weight"] = torch.cat([value(t) for t in m.B], 1)
        return {name: t.detach().clone().contiguous() for name, t in tensors.items()}

    start = named(lambda p: p)
    optimiser = torch.optim.AdamW([p for m in wrapped.values() for p in m.parameters() if p.requires_grad], lr=0.02, weight_decay=0.1)
    curve, balances, first, margins = [], [], None, []
    for _ in range(10):
        optimiser.zero_grad()
        loss = torch.stack([loss_of(s) for s in samples]).mean()
        parts, closest = zip(*(m.balance() for m in wrapped.values()))
        margins.append(min(closest))
        (loss + BALANCE * sum(parts)).backward()
        first = first or named(lambda p: p.grad)
        curve.append(loss.item())
        balances.append((sum(parts) / len(parts)).item())
        optimiser.step()
    # A choice between experts that are nearly equal could fall otherwise in float32.
    assert min(margins) > 1e-5, margins
    with torch.no_grad():
        after = [loss_of(s).item() for s in samples]
    tensors = {f"start.{k}": v for k, v in start.items()}
    tensors |= {f"gradient.{k}": v for k, v in first.items()}
    tensors |= {f"trained.{k}": v for k, v in named(lambda p: p).items()}
    save_file(tensors, HERE / "experts.safetensors")
    settings = {"experts": EXPERTS, "topK": TOP_K, "rank": RANK, "alpha": ALPHA, "modules": MODULES}
    text = {"torch": torch.__version__, "settings": settings, "coefficient": BALANCE, "margin": min(margins)}
    text |= {"curve": curve, "balance": balances, "after": after}
    (HERE / "experts.json").write_text(json.dumps(text, indent=1) + "\n")


if __name__ == "__main__":
    main()
