"""Writes the tiny Gemma checkpoints of this folder with their float64 references. See README.md.

    python test/reference/gemma/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

# Width 20 is no square, so that the embedding's factor is no round number; 4 heads of 6 on one key-value head.
BASE = {
    "architectures": ["GemmaForCausalLM"],
    "model_type": "gemma",
    "vocab_size": 40,
    "hidden_size": 20,
    "intermediate_size": 28,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 1,
    "head_dim": 6,
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-6,
}

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As the first files have it: "gelu" that means its tanh form, the head tied without saying so.
    "legacy": (
        BASE | {"hidden_act": "gelu", "hidden_activation": None, "rope_theta": 10000.0, "rope_scaling": None,
                "torch_dtype": "bfloat16", "transformers_version": "4.38.0"},
        {"norm": 0.0, "dtype": "BF16"}, 12,
    ),
    # transformers 5 keys, biases, a head of its own, no tanh-gelu, two key-value heads.
    "own_head": (
        BASE | {"hidden_act": "silu", "attention_bias": True, "tie_word_embeddings": False, "num_key_value_heads": 2,
                "rope_parameters": {"rope_theta": 500.0, "rope_type": "default"}, "dtype": "float32", "transformers_version": "5.23.0"},
        {"norm": 0.0}, 12,
    ),
}  # fmt: skip


if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
