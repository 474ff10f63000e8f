"""Observations and scores of tiny models by PyTorch in float64, written from the papers' descriptions.

    python make.py        (torch, transformers; writes scores.json beside itself)

Per model and text: hidden states of the residual stream (the output of the last block before the final norm, by a hook, since
`hidden_states[-1]` lies behind it), from them Block Influence (arXiv 2403.03853) and the parts of AVSS (arXiv 2411.02117) in the plain
way; squared inputs of every linear module; log-probabilities of the counted tokens; eigenvalues of W W^T; sums of |W| and W^2; relative
magnitudes, angular distances (arXiv 2403.17887), unbiased CKA with explicit centring of Gram matrices (arXiv 2010.15327); the logit lens;
losses of the model with blocks, attentions or MLPs taken out by hooks, and the greedy order of removal.
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


def relative_magnitude(states):
    layers = len(states[0]) - 1
    ratios = [[(t[l + 1] - t[l]).norm(dim=-1) / t[l + 1].norm(dim=-1) for t in states] for l in range(layers)]
    return [[r.sum().item() for r in row] for row in ratios]


def angular_distance(states):
    """[n - 1][l], None where l + n is beyond the last layer"""
    layers = len(states[0]) - 1

    def distance(l, n):
        cosine = torch.stack([torch.cosine_similarity(t[l][-1], t[l + n][-1], dim=0) for t in states]).clamp(-1, 1)
        return (torch.arccos(cosine) / torch.pi).mean().item()

    return [[distance(l, n) if l + n <= layers else None for l in range(layers)] for n in range(1, layers + 1)]


def unbiased_cka(x, y):
    """u-centred Gram matrices (Szekely and Rizzo 2014), whose inner product is the unbiased HSIC"""

    def centred(x):
        k = x @ x.T
        n = len(k)
        k.fill_diagonal_(0)
        rows = k.sum(1, keepdim=True) / (n - 2)
        k = k - rows - rows.T + k.sum() / ((n - 1) * (n - 2))
        k.fill_diagonal_(0)
        return k

    a, b = centred(x), centred(y)
    return ((a * b).sum() / ((a * a).sum() * (b * b).sum()).sqrt()).item()


def losses(model, samples):
    """sum of the negative log-probabilities of the counted tokens, by text"""
    out = []
    for sample in samples:
        tokens = torch.tensor(sample["tokens"])
        start = sample["countedFrom"]
        logp = torch.log_softmax(model(tokens[None]).logits[0][start - 1 : -1], -1)
        out.append(-logp.gather(1, tokens[start:, None]).sum().item())
    return out


class Without:
    """blocks give back their input; attentions and MLPs give zeros"""

    def __init__(self, layers, blocks=(), attention=(), mlp=()):
        self.hooks = []
        for l in blocks:
            self.hooks.append(layers[l].register_forward_hook(self.skip, with_kwargs=True))
        for l in attention:
            part = next(m for n, m in layers[l].named_children() if n in ("self_attn", "attn"))
            self.hooks.append(part.register_forward_hook(lambda _, a, out: (torch.zeros_like(out[0]), *out[1:])))
        for l in mlp:
            self.hooks.append(layers[l].mlp.register_forward_hook(lambda _, a, out: torch.zeros_like(out)))

    @staticmethod
    def skip(block, args, kwargs, output):
        x = args[0] if args else kwargs["hidden_states"]
        return (x, *output[1:]) if isinstance(output, tuple) else x

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for hook in self.hooks:
            hook.remove()


def ablation(model, layers, samples):
    def of(**kind):
        with Without(layers, **kind):
            return losses(model, samples)

    every = range(len(layers))
    removed, greedy = [], []
    while len(removed) < len(layers) - 1:
        left = [l for l in every if l not in removed]
        found = {l: of(blocks=[*removed, l]) for l in left}
        best = min(left, key=lambda l: sum(found[l]))
        removed.append(best)
        greedy.append({"layer": best, "losses": found[best]})
    return {
        "base": losses(model, samples),
        "block": [of(blocks=[l]) for l in every],
        "attention": [of(attention=[l]) for l in every],
        "mlp": [of(mlp=[l]) for l in every],
        "greedy": greedy,
    }


def logit_lens(model, states, samples, norm):
    """per depth: cross-entropy, KL to the last distribution and agreement of the most probable token, at all positions that predict one"""
    rows = []
    for text, sample in zip(states, samples):
        tokens = torch.tensor(sample["tokens"])
        start = sample["countedFrom"]
        last = torch.log_softmax(model.lm_head(norm(text[-1][start - 1 : -1])), -1)
        own = []
        for state in text:
            logp = torch.log_softmax(model.lm_head(norm(state[start - 1 : -1])), -1)
            own.append(
                torch.stack(
                    [
                        -logp.gather(1, tokens[start:, None])[:, 0],
                        (last.exp() * (last - logp)).sum(-1),
                        (logp.argmax(-1) == last.argmax(-1)).double(),
                    ]
                )
            )
        rows.append(torch.stack(own))  # depth x 3 x positions
    every = torch.cat(rows, -1)
    return {name: every[:, i].tolist() for i, name in enumerate(["crossEntropy", "divergence", "agreement"])}


@torch.no_grad()
def whole_model(case, blocks, norm):
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
    spectra, sizes = {}, {}
    for index, block in enumerate(layers):
        for name, module in block.named_modules():
            if isinstance(module, (torch.nn.Linear, Conv1D)):
                sizes[f"{index}.{name}"] = [module.weight.abs().sum().item(), module.weight.pow(2).sum().item()]
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
        "weight_sizes": sizes,
        "relative_magnitude": relative_magnitude(states),
        "relative_magnitude_skip": relative_magnitude([[s[1:] for s in text] for text in states]),
        "angular_distance": angular_distance(states),
        "input_last": [text[0][-1].tolist() for text in states],
        "input_mean": [text[0].mean(0).tolist() for text in states],
        "tokens": [torch.cat([text[l] for text in states]).tolist() for l in range(len(layers) + 1)],
        "cka": [
            [
                unbiased_cka(torch.cat([t[a] for t in states]), torch.cat([t[b] for t in states]))
                for b in range(len(layers) + 1)
            ]
            for a in range(len(layers) + 1)
        ],
        "logit_lens": logit_lens(model, states, samples, norm(model)),
        "ablation": ablation(model, layers, samples),
    }


found = {
    "torch": torch.__version__,
    "llama/biases": whole_model("llama/biases", lambda model: model.model.layers, lambda model: model.model.norm),
    "gpt2/by_layer": whole_model("gpt2/by_layer", lambda model: model.transformer.h, lambda model: model.transformer.ln_f),
}
(HERE / "scores.json").write_text(json.dumps(found) + "\n")
