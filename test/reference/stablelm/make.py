"""Writes the tiny StableLM checkpoints of this folder with their float64 references. See README.md.

    python test/reference/stablelm/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

# What every config shares. Keys as in config.json.
BASE = {
    "architectures": ["StableLmForCausalLM"],
    "model_type": "stablelm",
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 20,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
    "hidden_act": "silu",
    "layer_norm_eps": 1e-5,
    "attention_dropout": 0.0,
    "hidden_dropout": 0.0,
    "use_cache": True,
    "tie_word_embeddings": False,
}
V4 = {"transformers_version": "4.40.0", "torch_dtype": "float32", "rope_theta": 10000.0, "rope_scaling": None}
V5 = {"transformers_version": "5.23.0", "dtype": "float32"}

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As StableLM 3B has it: 2 of 8 components are rotated (the key is missing), no biases, one layer after the other.
    "quarter": (BASE | V4 | {"num_key_value_heads": 2, "use_qkv_bias": False}, {}, 12),
    # As StableLM 2 1.6B has it: biases on q, k and v; half of each head rotated, said the transformers 4 way; BF16.
    "qkv_bias": (
        BASE | V4 | {"torch_dtype": "bfloat16", "num_key_value_heads": 2, "use_qkv_bias": True, "partial_rotary_factor": 0.5},
        {"dtype": "BF16"}, 12,
    ),
    # As StableLM 2 12B has it: grouped key-value heads, a layer norm for each head, attention and MLP side by side; transformers 5 keys.
    "parallel_v5": (
        BASE | V5 | {"num_key_value_heads": 1, "use_qkv_bias": False, "qk_layernorm": True, "use_parallel_residual": True,
                     "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default", "partial_rotary_factor": 0.75}},
        {}, 12,
    ),
}  # fmt: skip

if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
