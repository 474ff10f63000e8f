"""Writes the tiny Falcon checkpoints of this folder with their float64 references, as in ../llama/README.md.

    python test/reference/falcon/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

VOCABULARY = 40

BASE = {
    "architectures": ["FalconForCausalLM"],
    "model_type": "falcon",
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "layer_norm_epsilon": 1e-5,
    "max_position_embeddings": 32,
    "bos_token_id": 11,
    "eos_token_id": 11,
}

# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As Falcon-40B: two key-value heads, two norms before attention and MLP side by side.
    "grouped": (BASE | {"new_decoder_architecture": True, "num_kv_heads": 2, "ffn_hidden_size": 24}, {}, 12),
    # As Falcon2-11B: one norm, head of its own.
    "grouped_one_norm": (
        BASE | {"new_decoder_architecture": True, "num_kv_heads": 2, "num_ln_in_parallel_attn": 1, "ffn_hidden_size": 24,
                "tie_word_embeddings": False, "rope_theta": 100.0},
        {"dtype": "BF16"}, 12,
    ),
    # As Falcon-7B: one key-value head, one norm, side by side; the keys as published.
    "multi_query": (
        BASE | {"hidden_size": 12, "num_attention_heads": 3, "new_decoder_architecture": False, "multi_query": True, "parallel_attn": True, "bias": False, "alibi": False},
        {}, 12,
    ),
    # As Falcon-RW-1B: one key-value head each, one after the other, ALiBi, biases. 6 heads: slopes beyond a power of two.
    # transformers' eager attention adds ALiBi twice (to the mask and to the scores), its default (sdpa) once, as the model was trained.
    "alibi": (
        BASE | {"hidden_size": 12, "num_attention_heads": 6, "multi_query": False, "parallel_attn": False, "bias": True, "alibi": True,
                "ffn_hidden_size": 20},
        {"attention": "sdpa"}, 24,
    ),
}  # fmt: skip

if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
