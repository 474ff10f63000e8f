"""Writes the tiny Mixtral checkpoints of this folder with their float64 references, as in ../llama/README.md.

    python test/reference/mixtral/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

VOCABULARY = 40

BASE = {
    "architectures": ["MixtralForCausalLM"],
    "model_type": "mixtral",
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "intermediate_size": 10,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "max_position_embeddings": 64,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
}


def published(tensors):
    """Transformers 5 holds a layer's experts in two tensors; files have three matrices for each expert."""
    result = {}
    for name, value in tensors.items():
        base = name.replace(".mlp.", ".block_sparse_moe.").rsplit(".", 1)[0]
        if name.endswith("experts.gate_up_proj"):
            for expert, (gate, up) in enumerate(part.chunk(2) for part in value):
                result |= {f"{base}.{expert}.w1.weight": gate.contiguous(), f"{base}.{expert}.w3.weight": up.contiguous()}
        elif name.endswith("experts.down_proj"):
            result |= {f"{base}.{expert}.w2.weight": part.contiguous() for expert, part in enumerate(value)}
        else:
            result[name.replace(".mlp.", ".block_sparse_moe.")] = value
    return result


# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As published: two of four experts, BF16, rotary base a million.
    "two_of_four": (BASE | {"hidden_size": 12, "num_attention_heads": 2, "num_key_value_heads": 1, "rope_theta": 1e6, "sliding_window": None, "torch_dtype": "bfloat16"}, {"stored": published, "dtype": "BF16"}, 12),
    # Two of six, so that some experts see no token of a sample; a window, tied head, heads of their own size, default rotary base.
    "unused_experts": (
        BASE | {"num_local_experts": 6, "intermediate_size": 8, "sliding_window": 5, "head_dim": 6, "tie_word_embeddings": True},
        {"stored": published}, 12,
    ),
}  # fmt: skip

if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
