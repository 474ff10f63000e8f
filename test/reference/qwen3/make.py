"""Writes the tiny Qwen3 checkpoints of this folder with their float64 references. See README.md.

    python test/reference/qwen3/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

# What every config shares. Keys as in config.json.
BASE = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 6,
    "max_position_embeddings": 64,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "attention_dropout": 0.0,
    "use_cache": True,
    "use_sliding_window": False,
    "sliding_window": None,
    "max_window_layers": 2,
    "tie_word_embeddings": False,
}
V4 = {"transformers_version": "4.51.0", "torch_dtype": "float32", "rope_theta": 1000000.0, "rope_scaling": None}
V5 = {"transformers_version": "5.23.0", "dtype": "float32", "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}}

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As Qwen3 0.6B has it: no biases, no window, head tied, BF16.
    "tied": (BASE | V4 | {"torch_dtype": "bfloat16", "tie_word_embeddings": True, "attention_bias": False}, {"dtype": "BF16"}, 12),
    # Biases on q, k, v and o; layer 1 sees 4 positions; transformers 5 keys.
    "biases_window_v5": (
        BASE | V5 | {"attention_bias": True, "use_sliding_window": True, "sliding_window": 4,
                     "layer_types": ["full_attention", "sliding_attention"]},
        {}, 15,
    ),
}  # fmt: skip

if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
