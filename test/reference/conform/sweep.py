"""Writes tiny checkpoints with random settings of every family, and their losses by transformers in float64, for sweep.ts beside this.

    python test/reference/conform/sweep.py FOLDER [models per family] [family ...]      (needs torch, transformers, safetensors, gguf)
    node test/reference/conform/sweep.ts FOLDER                                          (compares and writes summary.json)

A checkpoint: sizes and options of the family's configuration class drawn with a seed, keys dropped so that the class's defaults
count, the rotary setting as transformers 4 writes it (rope_theta, rope_scaling), as transformers 5 does (rope_parameters), both at
once or neither. transformers reads the finished config.json; what it refuses is left out. `gguf`: the same weights in a GGUF file.
"""

import importlib.util
import json
import random
import shutil
import sys
import warnings
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES as CLASSIFIERS
from transformers.utils import logging

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import Float64Mode, plain, sample_loss, write_tokenizer  # noqa: E402

logging.set_verbosity_error()
warnings.simplefilter("ignore")
VOCABULARY = 40
ACTIVATIONS = [
    "silu", "swish", "gelu", "gelu_new", "gelu_fast", "gelu_python", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_accurate", "gelu_10", "quick_gelu",
    "relu", "relu2", "relu6", "leaky_relu", "sigmoid", "tanh", "linear", "hardswish", "mish", "laplace", "sqrtsoftplus",
]  # fmt: skip
ROPE = [
    {"rope_type": "default"}, {"rope_type": "linear", "factor": 4.0}, {"rope_type": "dynamic", "factor": 3.0},
    {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}, {"rope_type": "yarn", "factor": 8.0, "beta_fast": 16.0, "beta_slow": 2.0, "truncate": False},
    {"rope_type": "yarn", "factor": 8.0, "mscale": 0.7, "mscale_all_dim": 0.5}, {"rope_type": "yarn", "factor": 2.0, "attention_factor": 0.8},
    {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16},
    {"type": "linear", "factor": 2.0},
]  # fmt: skip
BOOL, NORM = [True, False], {"rms_norm_eps": [1e-6, 1e-5, 1e-2]}
LAYER = {"layer_norm_eps": [1e-6, 1e-5, 1e-2]}
WINDOW = {"use_sliding_window": BOOL, "sliding_window": [3, 7, None], "max_window_layers": [0, 1, 2, 28]}
TYPES = {"layer_types": [["sliding_attention", "full_attention"], ["full_attention", "sliding_attention"], ["full_attention"] * 2]}
BASE = {"vocab_size": [VOCABULARY], "hidden_size": [16, 32], "intermediate_size": [24, 20], "num_hidden_layers": [2], "num_attention_heads": [4, 2], "max_position_embeddings": [64, 8]}
GROUPED = {"num_key_value_heads": [1, 2, 4, None], "head_dim": [4, 6, 8, None]}
ACT, TIE = {"hidden_act": ACTIVATIONS}, {"tie_word_embeddings": BOOL}
# Keys that a class does not have, or that say nothing of the numbers: transformers passes them by.
STRANGE = {"attention_dropout": [0.0], "use_cache": BOOL, "initializer_range": [0.3], "pretraining_tp": [1], "pad_token_id": [0, None], "attention_bias": BOOL, "mlp_bias": BOOL, "sliding_window": [3], "use_qk_norm": [False], "logits_scaling": [1.0], "partial_rotary_factor": [1.0]}
EXPERTS = {"num_experts_per_tok": [1, 2], "router_aux_loss_coef": [0.01], "output_router_logits": BOOL}

# family: (options, keys that must stand in the file, whether it has rotary positions)
FAMILIES = {
    "llama": (BASE | GROUPED | ACT | TIE | NORM | {"attention_bias": BOOL, "mlp_bias": BOOL}, True),
    "mistral": (BASE | GROUPED | ACT | TIE | NORM | {"sliding_window": [3, None, 100]}, True),
    # What a file of model_type mistral with layer_types is taken for; some of these files say mistral.
    "ministral": (BASE | GROUPED | ACT | TIE | NORM | TYPES | {"sliding_window": [3, None, 100]}, True),
    "qwen2": (BASE | GROUPED | ACT | TIE | NORM | WINDOW | TYPES, True),
    "qwen3": (BASE | GROUPED | ACT | TIE | NORM | WINDOW | TYPES | {"attention_bias": BOOL}, True),
    "smollm3": (BASE | GROUPED | ACT | TIE | NORM | WINDOW | {"no_rope_layers": [[1, 0], [0, 1], None], "no_rope_layer_interval": [1, 2, 4], "attention_bias": BOOL, "mlp_bias": BOOL}, True),
    "olmo2": (BASE | {"num_key_value_heads": [1, 2, None]} | ACT | TIE | NORM | {"attention_bias": BOOL}, True),
    "stablelm": (BASE | {"num_key_value_heads": [1, 2, 4], "partial_rotary_factor": [0.25, 0.5, 1.0], "use_qkv_bias": BOOL, "qk_layernorm": BOOL, "use_parallel_residual": BOOL} | ACT | TIE | LAYER, True),
    "gemma": (BASE | GROUPED | {"hidden_act": ["gelu_pytorch_tanh", "gelu", "silu"], "hidden_activation": [None, "gelu_pytorch_tanh"], "attention_bias": BOOL} | TIE | NORM, True),
    "gemma2": (BASE | GROUPED | {"hidden_activation": ACTIVATIONS, "attn_logit_softcapping": [None, 3.0], "final_logit_softcapping": [None, 2.0], "query_pre_attn_scalar": [4, 256], "sliding_window": [3, 100], "attention_bias": BOOL} | TIE | NORM | TYPES, True),
    "gemma3_text": (BASE | GROUPED | {"hidden_activation": ACTIVATIONS, "final_logit_softcapping": [None, 2.0], "query_pre_attn_scalar": [4, 256], "sliding_window": [3, 100], "sliding_window_pattern": [2, 6], "attention_bias": BOOL, "rope_local_base_freq": [100.0, 1e4]} | TIE | NORM | TYPES, True),
    "phi": (BASE | {"num_key_value_heads": [1, 2, 4, None], "partial_rotary_factor": [0.5, 1.0], "qk_layernorm": BOOL} | ACT | TIE | LAYER, True),
    "phi3": (BASE | {"num_key_value_heads": [1, 2, 4, None], "partial_rotary_factor": [0.5, 1.0], "sliding_window": [None, 3], "original_max_position_embeddings": [8, 64]} | ACT | TIE | NORM, True),
    "gpt2": ({"vocab_size": [VOCABULARY], "n_embd": [16, 32], "n_layer": [2], "n_head": [2, 4], "n_positions": [64], "n_inner": [None, 20], "activation_function": ACTIVATIONS, "layer_norm_epsilon": [1e-5, 1e-2], "scale_attn_weights": BOOL, "scale_attn_by_inverse_layer_idx": BOOL} | TIE, False),
    "gpt_neox": (BASE | {"rotary_pct": [0.5, 1.0], "rotary_emb_base": [100, 10000], "use_parallel_residual": BOOL, "attention_bias": BOOL} | ACT | TIE | LAYER, True),
    "opt": ({"vocab_size": [VOCABULARY], "hidden_size": [16, 32], "ffn_dim": [24, 20], "num_hidden_layers": [2], "num_attention_heads": [2, 4], "max_position_embeddings": [64], "word_embed_proj_dim": [8, None], "activation_function": ACTIVATIONS, "do_layer_norm_before": BOOL, "_remove_final_layer_norm": BOOL, "enable_bias": BOOL} | TIE, False),
    "falcon": ({"vocab_size": [VOCABULARY], "hidden_size": [16, 32], "ffn_hidden_size": [20, None], "num_hidden_layers": [2], "num_attention_heads": [4], "num_kv_heads": [1, 2, 4, None], "max_position_embeddings": [64, 8], "new_decoder_architecture": BOOL, "parallel_attn": BOOL, "multi_query": BOOL, "bias": BOOL, "alibi": BOOL, "num_ln_in_parallel_attn": [None, 1, 2], "activation": ACTIVATIONS, "layer_norm_epsilon": [1e-5, 1e-2]} | TIE, True),
    "mixtral": (BASE | GROUPED | ACT | TIE | NORM | EXPERTS | {"sliding_window": [3, None], "num_local_experts": [2, 3], "num_experts": [2]}, True),
    "qwen2_moe": (BASE | GROUPED | ACT | TIE | NORM | EXPERTS | WINDOW | {"num_experts": [2, 3], "moe_intermediate_size": [12], "shared_expert_intermediate_size": [10], "norm_topk_prob": BOOL, "decoder_sparse_step": [1, 2], "mlp_only_layers": [[], [1]], "qkv_bias": BOOL}, True),
    "qwen3_moe": (BASE | GROUPED | ACT | TIE | NORM | EXPERTS | WINDOW | {"num_experts": [2, 3], "num_local_experts": [2], "moe_intermediate_size": [12], "norm_topk_prob": BOOL, "decoder_sparse_step": [1, 2], "mlp_only_layers": [[], [1]], "attention_bias": BOOL}, True),
}  # fmt: skip
# Sizes that no tiny model takes from the class.
NEEDED = {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "n_embd", "n_layer", "n_head", "ffn_dim", "moe_intermediate_size", "shared_expert_intermediate_size", "word_embed_proj_dim", "ffn_hidden_size", "n_inner"}


def draw(family, rng):
    options, rotary = FAMILIES[family]
    config = {"model_type": family}
    for key, values in options.items():
        if key in NEEDED or rng.random() < 0.6:
            config[key] = rng.choice(values)
    if rng.random() < 0.3:
        for key in rng.sample(sorted(STRANGE), 3):
            if key not in options:
                config[key] = rng.choice(STRANGE[key])
    if "num_experts" in options and not {"num_experts", "num_local_experts"} & set(config):
        config["num_experts"] = 3
    if {"num_experts", "num_local_experts"} <= set(config):
        del config[rng.choice(["num_experts", "num_local_experts"])]
    if family == "qwen2_moe":
        config["num_experts"] = config.pop("num_local_experts", config.get("num_experts", 3))
    heads = config.get("num_attention_heads", config.get("n_head"))
    for key in ("num_key_value_heads", "num_kv_heads"):
        if config.get(key) and config[key] > heads:
            config[key] = heads
        if key in options and family not in ("llama", "olmo2", "phi", "phi3", "falcon") and config.get(key) is None:
            config[key] = rng.choice([1, heads])  # the class's default is another number than these heads allow
    if family == "ministral" and "layer_types" in config and rng.random() < 0.5:
        config["model_type"] = "mistral"
    if family in ("phi3", "smollm3"):
        config["pad_token_id"] = 0
    if family.startswith(("gemma", "mixtral", "mistral", "ministral", "qwen3")) and config.get("head_dim") is None:
        config["head_dim"] = 8
    return config | (positions(family, rng) if rotary else {})


def positions(family, rng):
    """The rotary setting in one of the ways that files have it."""
    theta = rng.choice([100.0, 1000.0, 50000.0])
    setting = dict(rng.choice(ROPE))
    if family == "phi3":
        setting = rng.choice([{"rope_type": "default"}, {"type": rng.choice(["su", "longrope", "yarn"]), "short_factor": [1.0, 1.5], "long_factor": [2.0, 4.0]}])
    if family == "falcon":
        setting = {"rope_type": "default"} if rng.random() < 0.5 else setting
    if family == "gemma3_text" and rng.random() < 0.5:
        return {"rope_parameters": {"full_attention": setting | {"rope_theta": theta}, "sliding_attention": {"rope_type": "default", "rope_theta": 50.0}}}
    style = rng.choice(["v4", "v5", "v5 without theta", "both", "empty beside", "none"])
    if family == "gemma3_text":
        style = rng.choice(["v4", "none"])
    if style == "v4":
        return {"rope_theta": theta, "rope_scaling": setting if rng.random() < 0.8 else None}
    if style == "v5":
        return {"rope_parameters": setting | {"rope_theta": theta}}
    if style == "v5 without theta":
        return {"rope_theta": theta, "rope_parameters": setting}
    if style == "both":
        other = dict(rng.choice(ROPE)) if family != "phi3" else {"rope_type": "default"}
        return {"rope_parameters": {"rope_type": "default", "rope_theta": 300.0} | other, "rope_scaling": setting} | ({"rope_theta": theta} if rng.random() < 0.5 else {})
    if style == "empty beside":
        return rng.choice([{"rope_parameters": {}, "rope_scaling": setting}, {"rope_parameters": setting | {"rope_theta": theta}, "rope_scaling": {}}])
    return {}


def kind_of(config):
    return AutoModelForSequenceClassification if "Classification" in (config.architectures or [""])[0] else AutoModelForCausalLM


def weights_of(config, generator):
    model = kind_of(config).from_config(config, dtype=torch.float32)
    tied = getattr(model, "all_tied_weights_keys", {})
    tensors = {}
    for name, value in model.state_dict().items():
        if name in tied:
            continue
        noise = torch.randn(value.shape, generator=generator)
        gain = name.endswith(".weight") and not config.model_type.startswith("gemma")
        tensors[name] = (float(gain) + 0.3 * noise) if value.dim() == 1 else noise / value.shape[-1] ** 0.5
    return model, tensors


def write(folder, config, seed):
    """None, or why transformers does not take the configuration."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    try:
        parsed = AutoConfig.from_pretrained(folder)
        generator = torch.Generator().manual_seed(seed)
        model, tensors = weights_of(parsed, generator)
        model.load_state_dict(tensors, strict=False)
        model.tie_weights()
        model.save_pretrained(folder, save_original_format=True)
        (folder / "generation_config.json").unlink(missing_ok=True)
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        write_tokenizer(folder, VOCABULARY)
        samples = [torch.randint(VOCABULARY, (n,), generator=generator).tolist() for n in (14, 9, 6)]
        losses = []
        for tokens in samples:
            # Eager Falcon adds ALiBi twice. Fresh models: dynamic scaling keeps the longest length that it has seen.
            with Float64Mode():
                double = kind_of(parsed).from_config(AutoConfig.from_pretrained(folder), dtype=torch.float64, **plain(parsed, "sdpa" if parsed.model_type == "falcon" else "eager")).eval()
                missing, unexpected = double.load_state_dict({k: t.double() for k, t in tensors.items()}, strict=False)
                double.tie_weights()
                logits = double(input_ids=torch.tensor([tokens]), use_cache=False).logits[0]
            classes = logits.dim() == 1
            losses.append((-torch.log_softmax(logits, -1)[len(tokens) % len(logits)] if classes else sample_loss(logits, tokens, 1)).item())
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0][:160]}"
    if not all(map(lambda x: x == x and abs(x) < 1e3, losses)):
        return "losses that are no numbers"
    (folder / "expected.json").write_text(json.dumps({"tokens": samples, "loss": losses} | ({"labels": [len(t) % len(logits) for t in samples]} if classes else {})) + "\n")
    return None


def gguf_module(out):
    spec = importlib.util.spec_from_file_location("gguf_make", HERE.parent / "gguf_families/make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.HERE = out / "gguf"
    module.HERE.mkdir(parents=True, exist_ok=True)
    return module


# family: how llama.cpp's converter of the family fixes what its format cannot say
GGUF = {
    "llama": ("LLAMA", {"hidden_act": "silu", "mlp_bias": False}), "qwen2": ("QWEN2", {"hidden_act": "silu", "use_sliding_window": False}),
    "qwen3": ("QWEN3", {"hidden_act": "silu", "use_sliding_window": False, "attention_bias": False}),
    "gemma": ("GEMMA", {"hidden_act": "gelu_pytorch_tanh", "attention_bias": False, "tie_word_embeddings": True}),
    "phi": ("PHI2", {"hidden_act": "gelu_new", "qk_layernorm": False, "tie_word_embeddings": False}),
    "gpt_neox": ("GPTNEOX", {"hidden_act": "gelu", "attention_bias": True, "tie_word_embeddings": False}),
    "gpt2": ("GPT2", {"activation_function": "gelu_new", "scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False, "n_inner": None}),
    "stablelm": ("STABLELM", {"hidden_act": "silu", "tie_word_embeddings": False}),
    "olmo2": ("OLMO2", {"hidden_act": "silu", "attention_bias": False, "tie_word_embeddings": False}),
    "qwen3_moe": ("QWEN3MOE", {"hidden_act": "silu", "use_sliding_window": False, "attention_bias": False, "norm_topk_prob": True, "mlp_only_layers": [], "decoder_sparse_step": 1}),
}  # fmt: skip


def write_gguf(module, out, family, number, rng):
    arch, fixed = GGUF[family]
    config = {k: v for k, v in draw(family, rng).items() if k not in STRANGE and not k.startswith("rope_") or k in FAMILIES[family][0]} | fixed
    config["max_position_embeddings" if family != "gpt2" else "n_positions"] = 64
    if family != "gpt2":
        config |= {"rope_theta": rng.choice([100.0, 50000.0]), "rope_scaling": rng.choice([None, {"rope_type": "linear", "factor": 4.0}])}
    if family == "gpt_neox":
        config["rotary_emb_base"] = config.pop("rope_theta")
    if family == "phi":
        config["intermediate_size"] = 4 * config["hidden_size"]
    for key in ("layer_types", "sliding_window", "max_window_layers"):
        config.pop(key, None)
    config.setdefault("rms_norm_eps", 1e-5) if "rms_norm_eps" in FAMILIES[family][0] else None
    config.setdefault("layer_norm_eps", 1e-5) if "layer_norm_eps" in FAMILIES[family][0] else None
    if family == "gpt2":
        config.setdefault("layer_norm_epsilon", 1e-5)
    if family == "stablelm":
        config.setdefault("num_key_value_heads", 2), config.setdefault("partial_rotary_factor", 0.25)
    if family in ("qwen2", "qwen3", "gemma", "qwen3_moe"):
        config["num_key_value_heads"] = config.get("num_key_value_heads") or 2
    if family in ("qwen3", "qwen3_moe"):
        config["head_dim"] = config.get("head_dim") or 8
    if family == "qwen3_moe":
        config["num_experts"] = config.pop("num_local_experts", config.get("num_experts", 3))
        config.setdefault("num_experts_per_tok", 2)
    if family == "phi":
        config.setdefault("partial_rotary_factor", 0.5)
    source = f"gguf_{family}_{number:03d}"
    why = write(out / source, config, 5000 + number)
    if why is None:
        module.write(source, source, getattr(module.ARCH, arch), {})
        target = out / "gguf" / source
        target.mkdir(exist_ok=True)
        (out / "gguf" / f"{source}.gguf").rename(target / "model.gguf")
        shutil.copy(out / source / "expected.json", target / "expected.json")
    shutil.rmtree(out / source)
    return why


def main(out, count, chosen):
    out.mkdir(parents=True, exist_ok=True)
    refused = {}
    for family in FAMILIES:
        if chosen and family not in chosen:
            continue
        rng = random.Random(f"sweep {family}")
        for number in range(count):
            folder = out / family / f"{number:03d}"
            why = write(folder, draw(family, rng), number)
            if why:
                refused.setdefault(family, []).append(why)
                shutil.rmtree(folder)
        print(family, count, "refused by transformers:", len(refused.get(family, [])), *sorted(set(refused.get(family, [])))[:4], sep="\n   ", flush=True)
    for family in CLASSIFIERS.keys() & FAMILIES.keys():
        if chosen and family not in chosen and "classification" not in chosen:
            continue
        rng = random.Random(f"sweep classification {family}")
        for number in range(max(1, count // 4)):
            labels = {"num_labels": rng.choice([2, 5]), "pad_token_id": rng.choice([0, 7, None]), "architectures": [CLASSIFIERS[family]]}
            folder = out / "classification" / f"{family}_{number:03d}"
            why = write(folder, draw(family, rng) | labels, 9000 + number)
            if why:
                print("classification", family, why, flush=True)
                shutil.rmtree(folder)
    module = gguf_module(out)
    for family in GGUF:
        if chosen and family not in chosen and "gguf" not in chosen:
            continue
        rng = random.Random(f"sweep gguf {family}")
        for number in range(max(1, count // 4)):
            try:
                why = write_gguf(module, out, family, number, rng)
            except Exception as error:  # what gguf-py cannot write
                why = f"{type(error).__name__}: {error}"
            if why:
                print("gguf", family, why, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40, sys.argv[3:])
