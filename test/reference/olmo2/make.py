"""Writes the tiny OLMo 2 checkpoints of this folder with their float64 references. See README.md.

    python test/reference/olmo2/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

# What every config shares. Keys as in config.json.
BASE = {
    "architectures": ["Olmo2ForCausalLM"],
    "model_type": "olmo2",
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "hidden_act": "silu",
    "attention_dropout": 0.0,
    "use_cache": True,
    "tie_word_embeddings": False,
    "pad_token_id": 0,
    "eos_token_id": 1,
}
V4 = {"transformers_version": "4.47.0", "torch_dtype": "float32", "rope_theta": 500000.0, "rope_scaling": None}
V5 = {"transformers_version": "5.23.0", "dtype": "float32", "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}}

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As OLMo 2 7B has it: as many key-value heads as heads (null says so), epsilon missing (1e-5).
    "full_heads": (BASE | V4 | {"num_key_value_heads": None, "attention_bias": False}, {}, 12),
    # Grouped key-value heads (32B), biases on q, k, v and o, head tied, F16; transformers 5 keys. A large epsilon shows where it stands.
    "grouped_biases_v5": (
        BASE | V5 | {"dtype": "float16", "num_key_value_heads": 2, "attention_bias": True, "tie_word_embeddings": True, "rms_norm_eps": 0.1},
        {"dtype": "F16"}, 14,
    ),
}  # fmt: skip

if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
