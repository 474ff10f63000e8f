"""Writes the tiny GPT-2 checkpoints of this folder with their float64 references, as in ../llama/README.md.

    python test/reference/gpt2/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

VOCABULARY = 40

BASE = {
    "architectures": ["GPT2LMHeadModel"],
    "model_type": "gpt2",
    "vocab_size": VOCABULARY,
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 20,
    "activation_function": "gelu_new",
    "layer_norm_epsilon": 1e-5,
    "resid_pdrop": 0.1,
    "embd_pdrop": 0.1,
    "attn_pdrop": 0.1,
    "transformers_version": "4.44.2",
}


def without_prefix(tensors):
    return {name.removeprefix("transformer."): value for name, value in tensors.items()}


MASKS = {f"h.{layer}.attn.bias": torch.tril(torch.ones(1, 1, 20, 20)) for layer in range(2)}

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As the published files: names without `transformer.`, causal masks among the weights, keys left to their defaults.
    "published": (BASE | {"n_embd": 12, "n_ctx": 20}, {"stored": without_prefix, "extra": MASKS}, 15),
    # Scores also divided by the layer's number, own inner width, exact GELU, head of its own; texts as long as the positions.
    "by_layer": (
        BASE | {"n_inner": 24, "scale_attn_by_inverse_layer_idx": True,
                "activation_function": "gelu", "tie_word_embeddings": False, "layer_norm_epsilon": 1e-3},
        {}, 20,
    ),
    # Scores not scaled at all.
    "unscaled": (BASE | {"n_embd": 12, "n_inner": None, "scale_attn_weights": False, "activation_function": "relu"}, {"dtype": "BF16"}, 12),
}  # fmt: skip

if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
