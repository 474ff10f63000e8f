"""Writes the tiny Phi-3 checkpoints of this folder with their float64 references. See README.md.

    python test/reference/phi3/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

BASE = {
    "architectures": ["Phi3ForCausalLM"],
    "model_type": "phi3",
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "hidden_act": "silu",
    "max_position_embeddings": 64,
    "original_max_position_embeddings": 64,
    "rms_norm_eps": 1e-5,
    "attention_bias": False,
    "pad_token_id": 0,
}
SHORT, LONG = [1.1, 1.3, 1.8, 2.0], [2.0, 6.0, 12.0, 20.0]

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # Phi-3-mini-4k: no scaling, a window; heads that need no key of their own.
    "window": (
        {k: v for k, v in BASE.items() if k != "num_key_value_heads"}
        | {"sliding_window": 5, "rope_theta": 10000.0, "rope_scaling": None, "torch_dtype": "float32", "transformers_version": "4.39.3"},
        {}, 14,
    ),
    # Phi-3-mini-128k under the old key "type": texts of 18, 12 and 5 tokens with an original length of 8, so two are long and one is short.
    "longrope": (
        BASE | {"original_max_position_embeddings": 8, "sliding_window": 262144, "rope_theta": 100.0,
                "rope_scaling": {"type": "longrope", "short_factor": SHORT, "long_factor": LONG}, "torch_dtype": "bfloat16", "transformers_version": "4.40.2"},
        {"dtype": "BF16"}, 18,
    ),
    # Phi-4-mini, transformers 5 keys: three quarters of a head of 8 are rotated, the attention factor is given, the head is tied.
    "partial_v5": (
        BASE | {"original_max_position_embeddings": 8, "tie_word_embeddings": True, "sliding_window": None,
                "rope_parameters": {"rope_type": "longrope", "rope_theta": 100.0, "partial_rotary_factor": 0.75, "attention_factor": 0.8,
                                    "short_factor": SHORT[:3], "long_factor": LONG[:3], "original_max_position_embeddings": 8},
                "dtype": "float32", "transformers_version": "5.23.0"},
        {}, 12,
    ),
}  # fmt: skip


if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
