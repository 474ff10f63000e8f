"""Greedy token ids of transformers in float64, for every checkpoint below test/reference that has one, and for adapters on some of them.

    python make.py            # writes cases.json

`model.generate(do_sample=False)` with its own cache; a fresh model per prompt, for rotary frequencies that grow with the text stay grown.
`margin` is the smallest distance between the two largest logits of all steps: what float32 may not confuse.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoConfig

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import Float64Mode, double_model, single_model_of  # noqa: E402

NEW = 12


def greedy(make, prompt, new):
    model = make()
    model.generation_config.eos_token_id = None
    with Float64Mode(), torch.no_grad():
        out = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            do_sample=False,
            max_new_tokens=new,
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
    logits = torch.cat(out.logits).double()
    best = logits.topk(2).values
    return out.sequences[0, len(prompt) :].tolist(), float((best[:, 0] - best[:, 1]).min())


def case(folder: Path, adapter: Path | None):
    config = AutoConfig.from_pretrained(folder)
    state = single_model_of(folder).state_dict()

    def make():
        if adapter is None:
            return double_model(AutoConfig.from_pretrained(folder), state)
        from peft import PeftModel

        return PeftModel.from_pretrained(double_model(config, state), adapter).double().eval()

    samples = json.loads((folder / "samples.json").read_text())["samples"]
    learned = config.model_type in ("gpt2", "opt")
    limit = config.max_position_embeddings if learned else 10**9
    texts = []
    for sample in samples:
        prompt = sample["tokens"][: max(2, min(len(sample["tokens"]), limit - NEW))]
        tokens, margin = greedy(make, prompt, min(NEW, limit - len(prompt)))
        texts.append({"prompt": prompt, "tokens": tokens, "margin": margin})
    return texts


def main():
    root = HERE.parent
    cases = {}
    for file in sorted(root.rglob("reference.safetensors")):
        folder = file.parent
        name = folder.relative_to(root).as_posix()
        if name.startswith("classification"):
            continue
        if (folder / "config.json").exists():
            cases[name] = case(folder, None)
        elif (folder / "base.txt").exists():
            base = root / (folder / "base.txt").read_text().strip()
            cases[name] = case(base, folder / "adapter")
        if name in cases:
            print(name, min(t["margin"] for t in cases[name]), [t["tokens"] for t in cases[name]][0])
    lines = [f"{json.dumps(name)}: {json.dumps(texts)}" for name, texts in cases.items()]
    (HERE / "cases.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


main()
