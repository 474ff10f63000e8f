"""Writes the tiny Gemma 2 checkpoints of this folder with their float64 references. See README.md.

    python test/reference/gemma2/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

BASE = {
    "architectures": ["Gemma2ForCausalLM"],
    "model_type": "gemma2",
    "vocab_size": 40,
    "hidden_size": 20,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 4,
    "hidden_activation": "gelu_pytorch_tanh",
    "max_position_embeddings": 64,
    "rms_norm_eps": 1e-6,
    "attention_bias": False,
}

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # Layers with and without the window in turns, starting with one; caps low enough to bend these small scores and logits.
    "soft_caps": (
        BASE | {"num_hidden_layers": 3, "sliding_window": 4, "query_pre_attn_scalar": 2, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0,
                "rope_theta": 10000.0, "hidden_act": "gelu_pytorch_tanh", "torch_dtype": "float32", "transformers_version": "4.44.2"},
        {"norm": 0.0}, 15,
    ),
    # transformers 5 keys: the order of layer types given, no caps, biases, scaled rotary positions.
    "layer_types": (
        BASE | {"layer_types": ["full_attention", "sliding_attention"], "sliding_window": 3, "attn_logit_softcapping": None,
                "final_logit_softcapping": None, "attention_bias": True, "query_pre_attn_scalar": 8, "tie_word_embeddings": False,
                "rope_parameters": {"rope_theta": 100.0, "rope_type": "linear", "factor": 2.0}, "dtype": "float32", "transformers_version": "5.23.0"},
        {"norm": 0.0}, 12,
    ),
}  # fmt: skip


if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
