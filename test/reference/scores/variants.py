"""Ablation, logit lens and states of one vector a text, for a model with an adapter and for a mixture of experts, by PyTorch in float64.

    python variants.py        (torch, transformers, peft; writes variants.json beside itself)

Per case: summed losses of the counted tokens by text, of the whole model and without each block (a hook gives back the block's input);
cross-entropy of the counted tokens by depth, through the final norm and the head; states of the last token and means over the tokens.
"""
import json
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
CASES = {"lora/all_linear": (HERE.parent / "lora/all_linear/base.txt").read_text().strip(), "mixtral/two_of_four": None}


def states_of(layers, model, tokens):
    seen = []

    def hook(_, args, kwargs, out):
        x = args[0] if args else kwargs["hidden_states"]
        y = out[0] if isinstance(out, tuple) else out
        seen.append((x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])))

    hooks = [block.register_forward_hook(hook, with_kwargs=True) for block in layers]
    model(torch.tensor(tokens)[None])
    for one in hooks:
        one.remove()
    return [seen[0][0], *[y for _, y in seen]]


def loss(model, sample):
    tokens, start = torch.tensor(sample["tokens"]), sample["countedFrom"]
    logp = torch.log_softmax(model(tokens[None]).logits[0][start - 1 : -1], -1)
    return -logp.gather(1, tokens[start:, None]).sum().item()


@torch.no_grad()
def case(name, base):
    folder = HERE.parent / name
    samples = json.loads((folder / "samples.json").read_text())["samples"]
    model = AutoModelForCausalLM.from_pretrained(HERE.parent / base if base else folder, dtype=torch.float64, experts_implementation="eager").eval()
    if base:
        model = PeftModel.from_pretrained(model, folder / "adapter").to(torch.float64).merge_and_unload()
    layers, norm = model.model.layers, model.model.norm
    states = [states_of(layers, model, s["tokens"]) for s in samples]

    def without(l):
        def skip(_, args, kwargs, out):
            x = args[0] if args else kwargs["hidden_states"]
            return (x, *out[1:]) if isinstance(out, tuple) else x

        hook = layers[l].register_forward_hook(skip, with_kwargs=True)
        found = [loss(model, s) for s in samples]
        hook.remove()
        return found

    lens = []
    for depth in range(len(layers) + 1):
        own = []
        for s, text in zip(samples, states):
            start, tokens = s["countedFrom"], torch.tensor(s["tokens"])
            logp = torch.log_softmax(model.lm_head(norm(text[depth][start - 1 : -1])), -1)
            own += (-logp.gather(1, tokens[start:, None])[:, 0]).tolist()
        lens.append(own)
    depths = range(len(layers) + 1)
    return {
        "base": [loss(model, s) for s in samples],
        "block": [without(l) for l in range(len(layers))],
        "crossEntropy": lens,
        "last": [[text[d][-1].tolist() for text in states] for d in depths],
        "mean": [[text[d].mean(0).tolist() for text in states] for d in depths],
    }


out = {"torch": torch.__version__, **{name: case(name, base) for name, base in CASES.items()}}
(HERE / "variants.json").write_text(json.dumps(out) + "\n")
