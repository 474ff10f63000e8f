"""EAVSS by PyTorch hooks, numpy and scipy on a tiny model and seeded answers.

    python eavss.py        (torch, transformers, numpy, scipy; writes eavss.json beside itself)

Answers to twelve questions, a truthful and a hallucinated one each, as token ids behind a prompt, with a mask of the looked-at tokens; per
layer and answer the unbiased variance over the features of the mean over these tokens, and how many entries are below 0.1 of the root mean
square over all of them. From these HSAV, HSS, EAVSS, their p-values over all swaps within the questions (exact), and adjusted p-values.
"""
import itertools
import json
from pathlib import Path

import numpy as np
import scipy
import torch
from scipy.stats import false_discovery_control
from transformers import AutoModelForCausalLM

HERE = Path(__file__).parent
EPSILON = 0.1
QUESTIONS = 12

rng = np.random.default_rng(7)
folder = HERE.parent / "llama" / "biases"
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
vocabulary = model.config.vocab_size
samples = []
for question in range(QUESTIONS):
    prompt = rng.integers(0, vocabulary, int(rng.integers(2, 6))).tolist()
    count = int(rng.integers(2, 5))
    for hallucinated in (0, 1):
        # Hallucinated answers take their tokens from half of the vocabulary.
        answer = rng.integers(0, vocabulary // (2 if hallucinated else 1), count + int(rng.integers(0, 3))).tolist()
        looked = sorted(rng.choice(len(answer), count, replace=False).tolist())
        counted = [0] * len(prompt) + [int(i in looked) for i in range(len(answer))]
        samples.append(
            {"tokens": prompt + answer, "countedFrom": len(prompt), "counted": counted, "label": hallucinated, "question": question}
        )

layers = model.model.layers
seen = []
for block in layers:
    block.register_forward_hook(lambda _, args, out: seen.append((out[0] if isinstance(out, tuple) else out)[0]))
states = []
with torch.no_grad():
    for sample in samples:
        seen.clear()
        model(torch.tensor(sample["tokens"])[None])
        states.append([y[torch.tensor(sample["counted"]).bool()].numpy() for y in seen])

L = len(layers)
variance = np.array([[text[l].mean(0).var(ddof=1) for text in states] for l in range(L)])
below = np.zeros((L, len(samples)))
entries = np.array([[text[l].size for text in states] for l in range(L)])
for l in range(L):
    limit = EPSILON * np.sqrt(np.concatenate([text[l].ravel() for text in states]).__pow__(2).mean())
    below[l] = [(np.abs(text[l]) < limit).sum() for text in states]


def of(labels):
    h, n = labels == 1, labels == 0
    av = variance[:, h].mean(1) - variance[:, n].mean(1)
    s = below[:, h].sum(1) / entries[:, h].sum(1) - below[:, n].sum(1) / entries[:, n].sum(1)
    return av, s, np.abs(av) / np.abs(av).sum() + np.abs(s) / np.abs(s).sum()


labels = np.array([sample["label"] for sample in samples])
av, sparsity, value = of(labels)
swapped = []
for swaps in itertools.product([0, 1], repeat=QUESTIONS):
    own = labels.copy()
    for q, swap in enumerate(swaps):
        if swap:
            own[2 * q], own[2 * q + 1] = own[2 * q + 1], own[2 * q]
    swapped.append([np.abs(x) for x in of(own)])
swapped = np.array(swapped)  # swaps x 3 x layers
p = (swapped >= np.abs([av, sparsity, value]) * (1 - 1e-12)).mean(0)
found = {
    "versions": {"torch": torch.__version__, "scipy": scipy.__version__},
    "epsilon": EPSILON,
    "samples": samples,
    "variance": variance.tolist(),
    "below": below.tolist(),
    "HSAV": av.tolist(),
    "HSS": sparsity.tolist(),
    "EAVSS": value.tolist(),
    "p": p.tolist(),
    "mean": swapped[:, 2].mean(0).tolist(),
    "adjusted": {
        "of": (ps := [0.001, 0.2, 0.04, 0.04, 0.9, 0.012]),
        "to": false_discovery_control(ps).tolist(),
    },
}
(HERE / "eavss.json").write_text(json.dumps(found) + "\n")
