"""Writes the tiny Gemma 3 text checkpoints of this folder with their float64 references. See README.md.

    python test/reference/gemma3/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

BASE = {
    "architectures": ["Gemma3ForCausalLM"],
    "model_type": "gemma3_text",
    "vocab_size": 40,
    "hidden_size": 20,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 8,
    "hidden_activation": "gelu_pytorch_tanh",
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-6,
    "attention_bias": False,
    "attn_logit_softcapping": None,
}

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # transformers 4 keys: every third layer is full; its rotary base is 30 and scaled, that of the window layers 300.
    "local_global": (
        BASE | {"num_hidden_layers": 3, "sliding_window": 4, "sliding_window_pattern": 3, "query_pre_attn_scalar": 16, "final_logit_softcapping": None,
                "rope_theta": 30.0, "rope_local_base_freq": 300.0, "rope_scaling": {"rope_type": "linear", "factor": 3.0},
                "torch_dtype": "float32", "transformers_version": "4.50.0"},
        {"norm": 0.0}, 15,
    ),
    # transformers 5 keys, the order of layer types given, a cap on the logits, biases.
    "layer_types": (
        BASE | {"layer_types": ["full_attention", "sliding_attention"], "sliding_window": 3, "query_pre_attn_scalar": 4,
                "final_logit_softcapping": 3.0, "attention_bias": True, "tie_word_embeddings": False,
                "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 2000.0},
                                    "sliding_attention": {"rope_type": "default", "rope_theta": 30.0}},
                "dtype": "bfloat16", "transformers_version": "5.23.0"},
        {"norm": 0.0, "dtype": "BF16"}, 12,
    ),
}  # fmt: skip


if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
