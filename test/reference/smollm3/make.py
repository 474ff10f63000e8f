"""Writes the tiny SmolLM3 checkpoints of this folder with their float64 references. See README.md.

    python test/reference/smollm3/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

# What every config shares. Keys as in config.json.
BASE = {
    "architectures": ["SmolLM3ForCausalLM"],
    "model_type": "smollm3",
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "max_position_embeddings": 64,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "attention_bias": False,
    "mlp_bias": False,
    "attention_dropout": 0.0,
    "use_cache": True,
    "use_sliding_window": False,
    "sliding_window": None,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
V4 = {"transformers_version": "4.53.0", "torch_dtype": "float32", "rope_scaling": None}
V5 = {"transformers_version": "5.23.0", "dtype": "float32"}

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As SmolLM3 3B has it, BF16; no key says that the head is tied: so it is. The middle layer has no positions, base 5,000,000.
    "no_rope_layers": (
        BASE | V4 | {"torch_dtype": "bfloat16", "rope_theta": 5000000.0, "no_rope_layers": [1, 0, 1], "no_rope_layer_interval": 4,
                     "layer_types": ["full_attention"] * 3},
        {"dtype": "BF16"}, 12,
    ),
    # Every second layer without positions, and with a window of 4; the base is missing (2,000,000); all biases; own head.
    "interval_window_v5": (
        BASE | V5 | {"no_rope_layer_interval": 2, "use_sliding_window": True, "sliding_window": 4,
                     "attention_bias": True, "mlp_bias": True, "tie_word_embeddings": False},
        {}, 15,
    ),
}  # fmt: skip

if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
