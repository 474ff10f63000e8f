"""Writes the tiny Qwen2 checkpoints of this folder with their float64 references. See README.md.

    python test/reference/qwen2/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

# What every config shares. Keys as in config.json.
BASE = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 20,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "attention_dropout": 0.0,
    "use_cache": True,
}
V4 = {"transformers_version": "4.44.2", "torch_dtype": "float32", "rope_theta": 10000.0}
V5 = {"transformers_version": "5.23.0", "dtype": "float32", "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}}

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As Qwen2.5 0.5B has it: the window's keys stand there, but it is off; head tied, BF16.
    "tied": (
        BASE | V4 | {"torch_dtype": "bfloat16", "tie_word_embeddings": True, "use_sliding_window": False, "sliding_window": 4, "max_window_layers": 1},
        {"dtype": "BF16"}, 12,
    ),
    # Layer 1 sees 4 positions; transformers 4 keys.
    "max_window_layers": (
        BASE | V4 | {"tie_word_embeddings": False, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1},
        {}, 15,
    ),
    # The window in layer 0 only, said by layer_types, against max_window_layers; heads of 6 on a width of 16; linear scaling.
    "layer_types_v5": (
        BASE | V5 | {"head_dim": 6, "tie_word_embeddings": False, "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 28,
                     "layer_types": ["sliding_attention", "full_attention"],
                     "rope_parameters": {"rope_theta": 10000.0, "rope_type": "linear", "factor": 2.0}},
        {}, 15,
    ),
}  # fmt: skip

if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
