"""Writes the tiny Phi checkpoints of this folder with their float64 references. See README.md.

    python test/reference/phi/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

BASE = {
    "architectures": ["PhiForCausalLM"],
    "model_type": "phi",
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
    "layer_norm_eps": 1e-5,
    "resid_pdrop": 0.1,
    "embd_pdrop": 0.0,
}

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # Phi-2 as its files have it: 6 of 8 components are rotated, as many key-value heads as heads.
    "parallel": (
        BASE | {"hidden_act": "gelu_new", "partial_rotary_factor": 0.75, "qk_layernorm": False, "num_key_value_heads": None,
                "tie_word_embeddings": False, "rope_theta": 100.0, "rope_scaling": None, "torch_dtype": "float16", "transformers_version": "4.37.0"},
        {"dtype": "F16"}, 14,
    ),
    # transformers 5 keys: norms of queries and keys, one key-value head, half of the components rotated (by default), tied head with a bias.
    "qk_layernorm": (
        BASE | {"hidden_act": "gelu", "qk_layernorm": True, "num_key_value_heads": 1, "tie_word_embeddings": True,
                "rope_parameters": {"rope_theta": 50.0, "rope_type": "default"}, "dtype": "float32", "transformers_version": "5.23.0"},
        {}, 12,
    ),
}  # fmt: skip


if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
