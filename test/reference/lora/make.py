"""Writes the tiny adapters of this folder with float64 references of the adapted models: losses and per-sample gradients of the
base matrices and of the adapters' factors.

    python test/reference/lora/make.py [case ...]      (needs peft 0.21.2, torch, transformers, safetensors)

A case is a folder: `base.txt` names the checkpoint (a case of another family, below test/reference), `adapter/` is what peft's
`save_pretrained` writes, `samples.json` and `reference.safetensors` are as in ../llama/README.md. The factors are random, B too,
so that their effect is large.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import Float64Mode, double_model_of, sample_loss, single_model_of  # noqa: E402

PREFIX = "base_model.model."

# name: (base, peft's configuration). Every way of naming targets and ranks is in one of them.
CASES = {
    # Ranks and alphas of their own by pattern; the first key that fits counts (peft saves them sorted), and it may be an expression.
    "patterns": ("llama/biases", dict(
        r=4, lora_alpha=6, target_modules=["q_proj", "v_proj", "mlp.down_proj", "gate_proj"],
        rank_pattern={"layers.1.mlp.down_proj": 5, r"layers\.1\..*proj": 1, "model.layers.0.self_attn.v_proj": 3, "q_proj": 2},
        alpha_pattern={r".*\.mlp\..*": 9, "down_proj": 100, "v_proj": 2.5})),
    # Rank-stabilised scaling, only some layers, on grouped heads.
    "stabilised": ("llama/tied", dict(
        r=4, lora_alpha=8, use_rslora=True, target_modules=["q_proj", "k_proj", "o_proj", "up_proj"], layers_to_transform=[1],
        layers_pattern="layers")),
    # Conv1D stores inputs x outputs; the published files lack the first word of PyTorch's names; targets as one expression.
    "conv1d": ("gpt2/published", dict(
        r=3, lora_alpha=12, fan_in_fan_out=True, target_modules=r".*\.h\.\d+\.(attn\.c_attn|mlp\.c_(fc|proj))")),
    # Fused projections, every linear module of the layers.
    "all_linear": ("phi3/partial_v5", dict(r=2, lora_alpha=5, target_modules="all-linear", exclude_modules=["o_proj"])),
    # B has a bias, scaled as its product is.
    "factor_bias": ("llama/biases", dict(r=3, lora_alpha=4, lora_bias=True, use_rslora=True, target_modules=["q_proj", "down_proj"])),
    # Weights by name in place of modules, and the unchanged embedding and head (one matrix) in the adapter's file.
    "parameters": ("llama/tied", dict(
        r=2, lora_alpha=6, lora_dropout=0.0, target_modules=["v_proj"], target_parameters=["self_attn.q_proj.weight", "up_proj.weight"]),
        dict(save_embedding_layers=True)),
}  # fmt: skip


def below(name):
    """Name of a base weight or a factor as the checkpoint has it: `<layer>.<module>.weight`, `<layer>.<module>.lora_A.weight`."""
    return name.removeprefix(PREFIX).replace(".base_layer.", ".").replace(".default.", ".")


def write(case, number):
    base, settings, *saving = CASES[case]
    folder = HERE / case
    (folder / "adapter").mkdir(parents=True, exist_ok=True)
    source = HERE.parent / base
    config = LoraConfig(task_type="CAUSAL_LM", **({"lora_dropout": 0.1} | settings))
    model = get_peft_model(single_model_of(source), config)
    generator = torch.Generator().manual_seed(number)
    for name, value in model.named_parameters():
        if "lora_" in name:
            value.data = 0.5 * torch.randn(value.shape, generator=generator) / value.shape[-1] ** 0.5
    model.peft_config["default"].base_model_name_or_path = base
    model.save_pretrained(folder / "adapter", **(saving[0] if saving else {}))
    (folder / "adapter" / "README.md").unlink(missing_ok=True)
    (folder / "base.txt").write_text(base + "\n")
    stored = (source / "samples.json").read_text()
    (folder / "samples.json").write_text(stored)
    samples = json.loads(stored)["samples"]

    # The base checkpoint may lack the first word of PyTorch's names.
    inner = base == "gpt2/published"
    named = lambda name: below(name).removeprefix("transformer." if inner else "")
    reference, worst = {"loss": torch.zeros(len(samples), dtype=torch.float64)}, 0.0
    for index, sample in enumerate(samples):
        values = {}
        for kind, opened in (("exact", double_model_of(source)), ("rounded", single_model_of(source))):
            adapted = PeftModel.from_pretrained(opened, folder / "adapter").to(opened.dtype).eval()
            parameters = {n: p.requires_grad_() for n, p in adapted.named_parameters() if p.dim() >= 2 and any(w in n for w in (".layers.", ".h."))}
            with Float64Mode() if kind == "exact" else torch.enable_grad():
                logits = adapted(input_ids=torch.tensor([sample["tokens"]]), use_cache=False).logits[0]
                loss = sample_loss(logits, sample["tokens"], sample["countedFrom"])
                grads = torch.autograd.grad(loss, list(parameters.values()))
            values[kind] = (loss.detach(), {named(n): g for n, g in zip(parameters, grads)})
        loss, exact = values["exact"]
        assert all(g.dtype == torch.float64 for g in exact.values())
        rounded = values["rounded"][1]
        worst = max(worst, *(float((rounded[n].double() - g).norm() / g.norm()) for n, g in exact.items()))
        reference["loss"][index] = loss
        reference |= {f"gradient.{index}.{n}": g.contiguous() for n, g in exact.items()}
    save_file(reference, folder / "reference.safetensors")
    factors = [n for n in exact if ".lora_" in n]
    size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    print(f"| {case} | {base} | {len(exact) - len(factors)} | {len(factors)} | {worst:.1e} | {size // 1024} KiB |", flush=True)


if __name__ == "__main__":
    for number, case in enumerate(CASES):
        if len(sys.argv) == 1 or case in sys.argv[1:]:
            write(case, number)
