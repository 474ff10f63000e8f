"""Writes the tiny GPT-NeoX checkpoints of this folder with their float64 references, as in ../llama/README.md.

    python test/reference/gpt_neox/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

VOCABULARY = 40

BASE = {
    "architectures": ["GPTNeoXForCausalLM"],
    "model_type": "gpt_neox",
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 32,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
    "bos_token_id": 0,
    "eos_token_id": 0,
}


def published(tensors):
    """The head's name in files."""
    return {name.replace("lm_head.", "embed_out."): value for name, value in tensors.items()}


# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As Pythia: attention and MLP side by side, 2 of 8 components of a head rotated (the default share), F16.
    "parallel": (BASE | {"rotary_emb_base": 100, "transformers_version": "4.24.0"}, {"stored": published, "dtype": "F16"}, 15),
    # One after the other, 4 of 8 components, no attention biases, linear scaling, tied head, transformers 5 keys.
    "sequential": (
        BASE | {"use_parallel_residual": False, "attention_bias": False, "tie_word_embeddings": True, "num_hidden_layers": 3,
                "rope_parameters": {"rope_theta": 50.0, "rope_type": "linear", "factor": 2.0, "partial_rotary_factor": 0.5}},
        {}, 15,
    ),
    # The whole head is rotated.
    "whole_head": (BASE | {"rotary_pct": 1.0, "layer_norm_eps": 1e-3}, {"stored": published}, 12),
}  # fmt: skip

if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
