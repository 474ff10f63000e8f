"""Writes the tiny Llama and Mistral checkpoints of this folder with their float64 references. See README.md.

    python test/reference/llama/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

import torch

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_case  # noqa: E402

VOCABULARY = 40

# What every config shares. Keys as in config.json; a value of None removes the key.
BASE = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "attention_bias": False,
    "mlp_bias": False,
    "attention_dropout": 0.0,
    "tie_word_embeddings": False,
    "use_cache": True,
}
# The same thing as transformers 4 and transformers 5 write it.
V4 = {"transformers_version": "4.44.2", "torch_dtype": "float32", "rope_theta": 10000.0, "rope_scaling": None}
V5 = {"transformers_version": "5.23.0", "dtype": "float32", "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}}


def v4(scaling=None, **keys):
    return BASE | V4 | {"rope_scaling": scaling} | keys


def v5(rope=None, **keys):
    return BASE | V5 | {"rope_parameters": V5["rope_parameters"] | (rope or {})} | keys


def mistral(config, **keys):
    return {k: v for k, v in config.items() if not k.endswith("_bias")} | {
        "architectures": ["MistralForCausalLM"],
        "model_type": "mistral",
    } | keys


def without(config, *keys):
    return {k: v for k, v in config.items() if k not in keys}


# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # Grouped-query attention, head tied to the embedding (no lm_head.weight in the file).
    "tied": (v4(num_hidden_layers=3, tie_word_embeddings=True), {}, 12),
    # Llama 2 as old files have it: no key-value heads, rotary base, head size or bias keys at all.
    "minimal": (
        without(v4(), "num_key_value_heads", "rope_theta", "rope_scaling", "attention_bias", "mlp_bias", "attention_dropout"),
        {}, 11,
    ),
    # Biases on all seven matrices, own head, transformers 5 keys.
    "biases": (v5(attention_bias=True, mlp_bias=True, head_dim=4), {}, 12),
    # original length 64 and frequencies 1, .1, .01, .001: one is kept, one is blended, two are divided.
    "rope_llama3": (
        v4({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64},
           num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=512, head_dim=8),
        {}, 24,
    ),
    "rope_llama3_v5": (
        v5({"rope_theta": 500000.0, "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 40}, dtype="bfloat16", num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=1280, head_dim=8),
        {"dtype": "BF16"}, 24,
    ),
    # The old key "type".
    "rope_linear": (v4({"type": "linear", "factor": 2.5}), {}, 20),
    # Samples longer than max_position_embeddings change the base; shorter ones do not.
    "rope_dynamic": (v4({"rope_type": "dynamic", "factor": 2.0}, num_attention_heads=2, max_position_embeddings=12), {}, 25),
    "rope_yarn": (
        v4({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 4, "beta_slow": 1},
           num_attention_heads=2, max_position_embeddings=64),
        {}, 24,
    ),
    "rope_yarn_v5": (
        v5({"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 32, "attention_factor": 1.25, "truncate": False},
           dtype="float16", num_attention_heads=2, max_position_embeddings=256),
        {"dtype": "F16"}, 24,
    ),
    # Mistral: window of 5 on texts of up to 17 tokens.
    "sliding_window": (mistral(v4(), sliding_window=5), {}, 17),
    # Ministral under Mistral's name: transformers goes by the key layer_types. Window of 4 in the second layer alone.
    "layer_types": (mistral(v4(), head_dim=4, sliding_window=4, layer_types=["full_attention", "sliding_attention"]), {}, 17),
    # Mistral-Nemo: 4 heads of 6 on a width of 16; no window; two files in BF16.
    "head_dim_sharded": (
        mistral(v4(torch_dtype="bfloat16", rope_theta=1000000.0), head_dim=6, sliding_window=None),
        {"dtype": "BF16", "shards": 2}, 12,
    ),
    "float16": (v4(torch_dtype="float16", tie_word_embeddings=True), {"dtype": "F16"}, 12),
}  # fmt: skip


def make_samples(longest: int, seed: int) -> list[dict]:
    """Three random texts: the longest, one two thirds as long of which only the end is counted, and a short one."""
    generator = torch.Generator().manual_seed(seed)
    lengths = [longest, longest * 2 // 3, 5]
    tokens = [torch.randint(VOCABULARY, (length,), generator=generator).tolist() for length in lengths]
    return [{"tokens": t, "countedFrom": c} for t, c in zip(tokens, [1, lengths[1] // 2, 1])]


if __name__ == "__main__":
    for number, (name, (config, options, longest)) in enumerate(CASES.items()):
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        shown = write_case(HERE / name, config, make_samples(longest, 100 + number), seed=number, **options)
        print(f"| {name} | {shown['parameters']} | {shown['matrices']} | {shown['float32']:.1e} | {shown['bytes'] // 1024} KiB |")
