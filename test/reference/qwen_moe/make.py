"""Writes the tiny Qwen2-MoE and Qwen3-MoE checkpoints of this folder with their float64 references, as in ../llama/README.md.

    python test/reference/qwen_moe/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

BASE = {
    "vocab_size": 40,
    "hidden_size": 12,
    "intermediate_size": 14,
    "moe_intermediate_size": 6,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "max_position_embeddings": 64,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "rope_theta": 1000000.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
QWEN2 = BASE | {"architectures": ["Qwen2MoeForCausalLM"], "model_type": "qwen2_moe", "shared_expert_intermediate_size": 8}
QWEN3 = BASE | {"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "head_dim": 8}


def published(tensors):
    """Transformers 5 holds a layer's experts in two tensors; files have three matrices for each expert."""
    result = {}
    for name, value in tensors.items():
        base = name.rsplit(".", 1)[0]
        if name.endswith("experts.gate_up_proj"):
            for expert, (gate, up) in enumerate(part.chunk(2) for part in value):
                result[f"{base}.{expert}.gate_proj.weight"] = gate.contiguous()
                result[f"{base}.{expert}.up_proj.weight"] = up.contiguous()
        elif name.endswith("experts.down_proj"):
            result |= {f"{base}.{expert}.down_proj.weight": part.contiguous() for expert, part in enumerate(value)}
        else:
            result[name] = value
    return result


# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As Qwen1.5-MoE: probabilities as they are, a shared expert behind its gate, biases on q, k and v.
    "shared_expert": (QWEN2, {"stored": published}, 12),
    # Dense and sparse layers, one with a window; probabilities normalised, no biases.
    "mixed_layers": (
        QWEN2 | {"num_hidden_layers": 3, "decoder_sparse_step": 2, "norm_topk_prob": True, "qkv_bias": False,
                 "use_sliding_window": True, "sliding_window": 4, "max_window_layers": 1, "num_experts": 3},
        {"stored": published}, 12,
    ),
    # As Qwen3-30B-A3B, with one dense layer, norms over heads, attention biases and a window.
    "qwen3": (
        QWEN3 | {"norm_topk_prob": True, "mlp_only_layers": [0], "attention_bias": True, "use_sliding_window": True, "sliding_window": 5},
        {"stored": published, "dtype": "BF16"}, 12,
    ),
}  # fmt: skip

if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
