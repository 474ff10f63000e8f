"""Observations and scores of tiny models by PyTorch in float64, written from the papers' descriptions.

    python make.py        (torch, transformers; writes scores.json beside itself)

Per model and text: hidden states of the residual stream (the output of the last block before the final norm, by a hook, since
`hidden_states[-1]` lies behind it), from them Block Influence (arXiv 2403.03853) and the parts of AVSS (arXiv 2411.02117) in the plain
way; squared inputs of every linear module; log-probabilities of the counted tokens; eigenvalues of W W^T.
"""
import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

HERE = Path(__file__).parent


def block_influence(states):
    """states: texts x (layers + 1) x [tokens, hidden] -> one number a layer"""
    layers = len(states[0]) - 1
    cosines = [
        torch.cat([torch.nn.functional.cosine_similarity(text[l], text[l + 1], dim=-1) for text in states])
        for l in range(layers)
    ]
    return [1 - c.mean().item() for c in cosines]


def avss(states, epsilon, relative, skip=0):
    layers = len(states[0]) - 1
    out = {"AV": [], "AS": [], "AVSS": []}
    for l in range(layers):
        texts = [text[l + 1][skip:] for text in states]
        every = torch.cat([t.flatten() for t in texts])
        limit = epsilon * every.pow(2).mean().sqrt() if relative else epsilon
        variance = torch.stack([t.mean(0).var(unbiased=True) for t in texts]).mean().item()
        sparsity = (every.abs() < limit).double().mean().item()
        out["AV"].append(variance)
        out["AS"].append(sparsity)
        out["AVSS"].append(variance / sparsity if sparsity > 0 else None)
    return out


@torch.no_grad()
def whole_model(case, blocks):
    folder = HERE.parent / case
    samples = json.loads((folder / "samples.json").read_text())["samples"]
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    layers = blocks(model)
    seen, norms = [], {}

    def state(block, args, kwargs, output):
        x = args[0] if args else kwargs["hidden_states"]
        y = output[0] if isinstance(output, tuple) else output
        seen.append((x[0], y[0] if y.dim() == 3 else y))

    for index, block in enumerate(layers):
        block.register_forward_hook(state, with_kwargs=True)
        for name, module in block.named_modules():
            if isinstance(module, (torch.nn.Linear, Conv1D)):
                key = f"{index}.{name}"
                module.register_forward_hook(
                    lambda _, args, __, key=key: norms.__setitem__(
                        key, norms.get(key, 0) + args[0].reshape(-1, args[0].shape[-1]).pow(2).sum(0)
                    )
                )
    states, likelihood, misses = [], [], []
    for sample in samples:
        seen.clear()
        tokens = torch.tensor(sample["tokens"])
        logits = model(tokens[None]).logits[0]
        states.append([seen[0][0]] + [y for _, y in seen])
        start = sample["countedFrom"]
        logp = torch.log_softmax(logits[start - 1 : -1], -1)
        likelihood.append(logp.gather(1, tokens[start:, None]).sum().item())
        misses.append(int((logp.argmax(-1) != tokens[start:]).sum()))
    spectra = {}
    for index, block in enumerate(layers):
        for name, module in block.named_modules():
            if isinstance(module, (torch.nn.Linear, Conv1D)):
                spectra[f"{index}.{name}"] = torch.linalg.svdvals(module.weight.double()).pow(2).flip(0).tolist()
    return {
        "block_influence": block_influence(states),
        "block_influence_skip": block_influence([[s[1:] for s in text] for text in states]),
        "avss_relative": avss(states, 0.1, True),
        "avss_skip": avss(states, 0.1, True, skip=1),
        "avss_absolute": avss(states, 0.05, False),
        "pooled_last": [[text[l + 1][-1].tolist() for text in states] for l in range(len(layers))],
        "pooled_mean": [[text[l + 1].mean(0).tolist() for text in states] for l in range(len(layers))],
        "input_norms": {key: value.tolist() for key, value in norms.items()},
        "log_likelihood": likelihood,
        "misses": misses,
        "weight_spectra": spectra,
    }


found = {
    "torch": torch.__version__,
    "llama/biases": whole_model("llama/biases", lambda model: model.model.layers),
    "gpt2/by_layer": whole_model("gpt2/by_layer", lambda model: model.transformer.h),
}
(HERE / "scores.json").write_text(json.dumps(found) + "\n")
