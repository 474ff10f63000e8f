"""Gradients, Grams and DataInf of a real model in PyTorch, float64 and float32, by direct formulas. See README.md.

    python test/reference/demo/reference.py --model FOLDER_OR_GGUF --samples samples.json --out DIR [--layers 0,5,29]
                                            [--dump 0.self_attn.q_proj,29.mlp.down_proj]

Memory: two copies of the model (4 and 8 bytes a weight) plus the gradients of `--layers-per-pass` layers for all samples; every pass
repeats forward and backward, so that no more than these gradients are held. float32 means float32 gradients; the algebra after them is float64
for both, so the float32 numbers show what gradients alone cost.
"""

import argparse
import json
import re
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

sys.path.insert(0, str(Path(__file__).parent.parent))
from causal_lm import Float64Mode, double_model, gradients, scored_names  # noqa: E402

PRECISIONS = ("float64", "float32")


def load(path: Path) -> dict:
    """The same weights as a float32 and as a float64 model."""
    where = dict(gguf_file=path.name) if path.suffix == ".gguf" else {}
    folder = path.parent if where else path
    single = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager", **where).eval()
    tied = single.config.tie_word_embeddings
    tensors = {name: t for name, t in single.state_dict().items() if not (tied and name == "lm_head.weight")}
    return {"float64": double_model(single.config, tensors), "float32": single}


def read_samples(path: Path) -> dict[str, list[dict]]:
    """{"train": [...], "validation": [...]}; a sample is {"tokens", "countedFrom"} or a bare list of token ids."""
    parsed = json.loads(path.read_text())
    whole = lambda s: s if isinstance(s, dict) else {"tokens": s, "countedFrom": 1}
    return {split: [whole(sample) for sample in parsed[split]] for split in ("train", "validation")}


def datainf(G: torch.Tensor, V: torch.Tensor, lam: float) -> torch.Tensor:
    """B [n, m]: h_j = 1/(n lam) sum_i (v_j - (v_j.g_i)/(lam + |g_i|^2) g_i), B[k, j] = h_j . g_k. Nothing of it is a Gram."""
    n, columns = len(G), []
    for v in V:
        h = torch.zeros_like(v)
        for g in G:
            h += (v - (v @ g) / (lam + g @ g) * g) / (n * lam)
        columns.append(G @ h)
    return torch.stack(columns, dim=1)


def aggregate(B: torch.Tensor) -> dict:
    positive = B[B > 0].sort(descending=True).values
    return {
        "positive": float(positive.sum()),
        "top25": float(positive[: -(-len(positive) // 4)].sum()),
        "sum": float(B.sum()),
    }


def module_of(name: str) -> tuple[int, str]:
    """model.layers.7.mlp.up_proj.weight -> 7, mlp.up_proj"""
    layer, module = re.search(r"\.layers\.(\d+)\.(.+)\.weight$", name).groups()
    return int(layer), module


def parse() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--model", type=Path, required=True, help="Hugging Face folder or .gguf file")
    options.add_argument("--samples", type=Path, required=True)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--layers", default="all", help="such as 0,5,29")
    options.add_argument("--layers-per-pass", type=int, default=5)
    options.add_argument("--damping-factor", type=float, default=0.1)
    options.add_argument("--dump", default="", help="matrices whose float64 gradients are written, such as 0.mlp.up_proj")
    return options.parse_args()


def pass_gradients(model, precision: str, samples: dict, names: list[str]):
    """Per split: losses, and a list of {parameter name: gradient}, one per sample."""
    losses, found = {}, {}
    with Float64Mode() if precision == "float64" else nullcontext():
        for split in samples:
            runs = [gradients(model, sample, names) for sample in samples[split]]
            losses[split] = [float(loss) for _, loss, _ in runs]
            found[split] = [exact for _, _, exact in runs]
    return losses, found


def matrix_numbers(G: torch.Tensor, V: torch.Tensor, factor: float) -> tuple[dict, float]:
    """Grams, DataInf's B and its damping of one weight matrix in float64, from `G` [n, d] and `V` [m, d]."""
    lam = factor * float((G * G).mean())
    return {"K": G @ G.T, "C": G @ V.T, "diagV": (V * V).sum(1), "datainf": datainf(G, V, lam)}, lam


def main() -> None:
    args = parse()
    samples, models = read_samples(args.samples), load(args.model)
    layer_names: dict[int, list[str]] = {}
    for name in scored_names(models["float32"]):
        layer_names.setdefault(module_of(name)[0], []).append(name)
    layers = sorted(layer_names) if args.layers == "all" else [int(layer) for layer in args.layers.split(",")]
    dump = set(filter(None, args.dump.split(",")))

    numbers = {p: {} for p in PRECISIONS}  # "<layer>.<module>.<K|C|diagV|datainf>" -> tensor
    damping = {p: {} for p in PRECISIONS}
    losses, seconds = {}, {p: 0.0 for p in PRECISIONS}
    error, norm, dumped = {}, {}, {}
    for start in range(0, len(layers), args.layers_per_pass):
        chosen = layers[start : start + args.layers_per_pass]
        names = [name for layer in chosen for name in layer_names[layer]]
        found = {}
        for p, model in models.items():
            began = time.perf_counter()
            losses[p], found[p] = pass_gradients(model, p, samples, names)
            seconds[p] += time.perf_counter() - began
        for name in names:
            key = ".".join(map(str, module_of(name)))
            stack = lambda p, split: torch.stack([sample[name].flatten() for sample in found[p][split]]).double()
            exact, rounded = (torch.cat([stack(p, split) for split in samples]) for p in PRECISIONS)
            norm[key] = exact.norm(dim=1).tolist()
            error[key] = ((rounded - exact).norm(dim=1) / exact.norm(dim=1)).tolist()
            for p in PRECISIONS:
                matrix, damping[p][key] = matrix_numbers(stack(p, "train"), stack(p, "validation"), args.damping_factor)
                numbers[p] |= {f"{key}.{kind}": tensor.contiguous() for kind, tensor in matrix.items()}
            if key in dump:
                dumped |= {f"{key}.{split}": torch.stack([s[name] for s in found["float64"][split]]) for split in samples}
        print(f"layers {chosen[0]} .. {chosen[-1]} done", file=sys.stderr, flush=True)

    args.out.mkdir(parents=True, exist_ok=True)
    for p in PRECISIONS:
        save_file(numbers[p], args.out / f"grams-{p}.safetensors")
    if dumped:
        save_file(dumped, args.out / "gradients-float64.safetensors")
    summary = {"layers": layers, "seconds": seconds, "gradientNorm": norm, "gradientErrorFloat32": error}
    for p in PRECISIONS:
        of_layer = lambda layer, kind: [t for k, t in numbers[p].items() if k.startswith(f"{layer}.") and k.endswith(f".{kind}")]
        influence = [sum(of_layer(layer, "datainf")).sum(1) for layer in layers]
        summary[p] = {
            "loss": losses[p],
            "damping": damping[p],
            "influence": [B.tolist() for B in influence],
            "layers": [{"index": layer, **aggregate(B)} for layer, B in zip(layers, influence)],
        }
    (args.out / "reference.json").write_text(json.dumps(summary, indent=1) + "\n")


if __name__ == "__main__":
    main()
