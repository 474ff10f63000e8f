"""Writes the tiny OPT checkpoints of this folder with their float64 references, as in ../llama/README.md.

    python test/reference/opt/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import write_cases  # noqa: E402

VOCABULARY = 40

BASE = {
    "architectures": ["OPTForCausalLM"],
    "model_type": "opt",
    "vocab_size": VOCABULARY,
    "hidden_size": 16,
    "ffn_dim": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 20,
    "activation_function": "relu",
    "bos_token_id": 2,
    "eos_token_id": 2,
    "pad_token_id": 1,
    "prefix": "</s>",
}


def without_prefix(tensors):
    return {name.removeprefix("model."): value for name, value in tensors.items()}


# name: (config, keyword arguments of write_case, longest sample)
CASES = {
    # As OPT-125M; texts as long as the positions.
    "before": (BASE | {"do_layer_norm_before": True, "word_embed_proj_dim": 16, "transformers_version": "4.21.0"}, {"dtype": "F16"}, 20),
    # As OPT-350M: norms after, no final norm, embeddings narrower than the model; names without `model.`.
    "after_narrow": (BASE | {"do_layer_norm_before": False, "word_embed_proj_dim": 8}, {"stored": without_prefix}, 12),
    # No biases (as Galactica), no final norm (old fine-tunes), head of its own.
    "bare": (
        BASE | {"enable_bias": False, "_remove_final_layer_norm": True, "tie_word_embeddings": False, "activation_function": "gelu"},
        {}, 12,
    ),
}  # fmt: skip

if __name__ == "__main__":
    write_cases(HERE, CASES, sys.argv[1:])
