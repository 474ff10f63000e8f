"""Writes tiny GGUF files of every architecture from checkpoints of ../<family>/<case>, as llama.cpp's converter would, and cases.json.

    python test/reference/gguf_families/make.py          (needs gguf 0.19.0, torch, safetensors)

A case: file name, source checkpoint, architecture, keys of the source's config.json that the GGUF format cannot say otherwise
(`overrides`: the file is then the same model as the source with these keys). Names come from gguf-py's tensor map; what the
converter does to the numbers is written out below, family by family, from the layout of Hugging Face to that of llama.cpp.
Matrices keep the type of the source (F32 or BF16), vectors are F32. Nothing here is needed by `npm test`.
"""

import json
import math
import re
from pathlib import Path

import gguf
import torch
from safetensors import safe_open

HERE = Path(__file__).parent
ARCH = gguf.MODEL_ARCH

# file: (source, architecture, overrides)
CASES = {
    "llama": ("llama/biases", ARCH.LLAMA, {}),
    "smollm3": ("smollm3/no_rope_layers", ARCH.SMOLLM3, {"no_rope_layers": None}),
    "qwen2": ("qwen2/tied", ARCH.QWEN2, {}),
    "qwen3": ("qwen3/tied", ARCH.QWEN3, {}),
    "gemma": ("gemma/legacy", ARCH.GEMMA, {}),
    "gemma2": ("gemma2/soft_caps", ARCH.GEMMA2, {"query_pre_attn_scalar": 4}),
    "gemma3": ("gemma3/local_global", ARCH.GEMMA3, {"query_pre_attn_scalar": 8}),
    "phi2": ("phi/parallel", ARCH.PHI2, {}),
    "phi2_fused": ("phi/parallel", ARCH.PHI2, {}),
    "phi3": ("phi3/longrope", ARCH.PHI3, {}),
    "phi3_window": ("phi3/window", ARCH.PHI3, {}),
    "gpt2": ("gpt2/published", ARCH.GPT2, {}),
    "gptneox": ("gpt_neox/parallel", ARCH.GPTNEOX, {}),
    "gptneox_sequential": ("gpt_neox/sequential", ARCH.GPTNEOX, {}),
    "olmo2": ("olmo2/full_heads", ARCH.OLMO2, {}),
    "stablelm": ("stablelm/qkv_bias", ARCH.STABLELM, {}),
    "stablelm_head_norms": ("stablelm/parallel_v5", ARCH.STABLELM, {}),
    "falcon": ("falcon/grouped", ARCH.FALCON, {}),
    "falcon_one_norm": ("falcon/grouped_one_norm", ARCH.FALCON, {}),
    "falcon_multi_query": ("falcon/multi_query", ARCH.FALCON, {}),
    "mixtral": ("mixtral/two_of_four", ARCH.LLAMA, {}),
    "mixtral_separate": ("mixtral/two_of_four", ARCH.LLAMA, {}),
    "qwen2moe": ("qwen_moe/shared_expert", ARCH.QWEN2MOE, {}),
    "qwen3moe": ("qwen_moe/qwen3", ARCH.QWEN3MOE, {"use_sliding_window": False}),
}


def read(folder):
    tensors = {}
    for file in sorted(folder.glob("model*.safetensors")):
        with safe_open(file, "pt") as opened:
            tensors |= {name: opened.get_tensor(name) for name in opened.keys()}
    return tensors


def by_pairs(matrix, heads):
    """Rows of a head from (half, pair) to (pair, half): the order that llama.cpp's rotation of neighbours wants."""
    return matrix.reshape(heads, 2, matrix.shape[0] // heads // 2, -1).transpose(1, 2).reshape(matrix.shape)


def one_after_the_other(fused, heads, kv_heads):
    """Rows from (key-value head, its queries + key + value) to all queries, all keys, all values."""
    group = heads // kv_heads
    parts = fused.reshape(kv_heads, group + 2, fused.shape[0] // (heads + 2 * kv_heads), -1)
    return torch.cat([parts[:, :group].flatten(0, 2), parts[:, group].flatten(0, 1), parts[:, group + 1].flatten(0, 1)]).reshape(fused.shape)


def gathered(tensors, pattern, name):
    """Tensors that differ in one number become one, stacked; `name` may use the first group."""
    found = {}
    for key in [k for k in tensors if re.fullmatch(pattern, k)]:
        match = re.fullmatch(pattern, key)
        found.setdefault(match.expand(name), {})[int(match[2])] = tensors.pop(key)
    return tensors | {key: torch.stack([values[i] for i in range(len(values))]) for key, values in found.items()}


def converted(file, arch, tensors, config):
    """The numbers as the converter of the family changes them; names are still Hugging Face's, or llama.cpp's after `=`."""
    heads = config.get("num_attention_heads") or config["n_head"]
    kv_heads = config.get("num_key_value_heads") or config.get("num_kv_heads") or heads
    if arch == ARCH.FALCON and not config["new_decoder_architecture"]:
        kv_heads = 1
    if arch in (ARCH.LLAMA, ARCH.SMOLLM3):
        for name in tensors:
            if match := re.search(r"\.(q|k)_proj\.", name):
                tensors[name] = by_pairs(tensors[name], heads if match[1] == "q" else kv_heads)
    if arch in (ARCH.GPTNEOX, ARCH.FALCON):
        for name in tensors:
            if "query_key_value" in name:
                tensors[name] = one_after_the_other(tensors[name], heads, kv_heads)
    if arch in (ARCH.GEMMA, ARCH.GEMMA2, ARCH.GEMMA3):
        for name in tensors:
            if name.endswith("norm.weight"):
                tensors[name] = tensors[name].float() + 1
    if arch == ARCH.GPT2:
        tensors = {name: value for name, value in tensors.items() if not name.endswith((".attn.bias", ".attn.masked_bias"))}
        for name in tensors:
            if re.search(r"\.(c_attn|c_proj|c_fc)\.weight$", name):
                tensors[name] = tensors[name].T.contiguous()
    if file == "phi2_fused":
        for ending in ("weight", "bias"):
            for layer in range(config["num_hidden_layers"]):
                parts = [tensors.pop(f"model.layers.{layer}.self_attn.{x}_proj.{ending}") for x in "qkv"]
                tensors[f"=blk.{layer}.attn_qkv.{ending}"] = torch.cat(parts)
    if arch == ARCH.STABLELM:
        tensors = gathered(tensors, r"(.*\.[qk]_layernorm)\.norms\.(\d+)\.weight", r"\1.weight")
    if arch in (ARCH.QWEN2MOE, ARCH.QWEN3MOE):
        tensors = gathered(tensors, r"(.*\.mlp\.experts)\.(\d+)\.gate_proj\.weight", r"\1.gate_proj.weight")
        tensors = gathered(tensors, r"(.*\.mlp\.experts)\.(\d+)\.up_proj\.weight", r"\1.up_proj.weight")
        tensors = gathered(tensors, r"(.*\.mlp\.experts)\.(\d+)\.down_proj\.weight", r"\1.down_proj.weight")
        for name in list(tensors):  # the converter squeezes; dense layers are not in the tensor map of these architectures
            if name.endswith("shared_expert_gate.weight"):
                tensors[name] = tensors[name].reshape(-1)
            if match := re.fullmatch(r"model\.layers\.(\d+)\.mlp\.(gate|up|down)_proj\.weight", name):
                tensors[f"=blk.{match[1]}.ffn_{match[2]}.weight"] = tensors.pop(name)
    if file == "mixtral":
        for w in ("w1", "w2", "w3"):
            tensors = gathered(tensors, rf"model\.(.*\.block_sparse_moe)\.experts\.(\d+)\.{w}\.weight", rf"model.\1.experts.{w}.weight")
        kinds = {"w1": "gate", "w3": "up", "w2": "down"}
        for name in list(tensors):
            if match := re.fullmatch(r"model\.layers\.(\d+)\.block_sparse_moe\.experts\.(w\d)\.weight", name):
                tensors[f"=blk.{match[1]}.ffn_{kinds[match[2]]}_exps.weight"] = tensors.pop(name)
    if file == "mixtral_separate":
        kinds = {"w1": "gate", "w3": "up", "w2": "down"}
        for name in list(tensors):
            if match := re.fullmatch(r"model\.layers\.(\d+)\.block_sparse_moe\.experts\.(\d+)\.(w\d)\.weight", name):
                tensors[f"=blk.{match[1]}.ffn_{kinds[match[3]]}.{match[2]}.weight"] = tensors.pop(name)
    return tensors


def metadata(w, arch, config, tensors):
    get = lambda *names: next((config[n] for n in names if config.get(n) is not None), None)
    hidden, heads = get("hidden_size", "n_embd"), get("num_attention_heads", "n_head")
    layers = get("num_hidden_layers", "n_layer")
    kv_heads = get("num_key_value_heads", "num_kv_heads") or (1 if arch == ARCH.FALCON else heads)
    rope = get("rope_parameters", "rope_scaling") or {}
    w.add_block_count(layers), w.add_embedding_length(hidden), w.add_head_count(heads)
    # Falcon's converter does not know its context length; the others write four times the width, whatever the matrix has.
    w.add_context_length(2048 if arch == ARCH.FALCON else get("max_position_embeddings", "n_positions"))
    fixed = arch in (ARCH.FALCON, ARCH.PHI2, ARCH.GPT2)
    w.add_feed_forward_length(4 * hidden if fixed else get("intermediate_size"))
    if arch not in (ARCH.GPT2, ARCH.GPTNEOX):
        w.add_head_count_kv(kv_heads)
    if (epsilon := get("layer_norm_eps", "layer_norm_epsilon")) is not None:
        w.add_layer_norm_eps(epsilon)
    else:
        w.add_layer_norm_rms_eps(get("rms_norm_eps") or 1e-5)  # OLMo 2 leaves it to the default
    if (size := get("head_dim")) is not None:
        w.add_key_length(size), w.add_value_length(size)
    theta = get("rope_theta", "rotary_emb_base") or rope.get("rope_theta")
    if theta is not None:
        w.add_rope_freq_base(theta)
    part = get("partial_rotary_factor", "rotary_pct") or rope.get("partial_rotary_factor")
    if part is None and arch == ARCH.GPTNEOX:
        part = 0.25
    if arch != ARCH.GPT2:
        w.add_rope_dimension_count(int((part or 1) * (get("head_dim") or hidden // heads)))
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind == "linear":
        w.add_rope_scaling_type(gguf.RopeScalingType.LINEAR), w.add_rope_scaling_factor(rope["factor"])
    if arch == ARCH.PHI3:
        trained = get("original_max_position_embeddings")
        w.add_rope_scaling_orig_ctx_len(trained), w.add_sliding_window(get("sliding_window") or 0)
        if kind == "longrope":
            scale = get("max_position_embeddings") / trained
            w.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(scale) / math.log(trained)))
            tensors["=rope_factors_long.weight"] = torch.tensor(rope["long_factor"])
            tensors["=rope_factors_short.weight"] = torch.tensor(rope["short_factor"])
    if arch in (ARCH.GPTNEOX, ARCH.STABLELM):
        default = arch == ARCH.GPTNEOX
        w.add_parallel_residual(config.get("use_parallel_residual", default))
    if arch == ARCH.GEMMA2:
        w.add_attn_logit_softcapping(config["attn_logit_softcapping"]), w.add_final_logit_softcapping(config["final_logit_softcapping"])
    if arch in (ARCH.GEMMA2, ARCH.GEMMA3):
        w.add_sliding_window(config["sliding_window"])
    if arch == ARCH.GEMMA3:
        w.add_sliding_window_pattern(config["sliding_window_pattern"])
        w.add_float32("gemma3.rope.freq_base_swa", config["rope_local_base_freq"])
    if (experts := get("num_local_experts", "num_experts")) is not None:
        w.add_expert_count(experts), w.add_expert_used_count(config["num_experts_per_tok"])
    if arch in (ARCH.QWEN2MOE, ARCH.QWEN3MOE):
        w.add_expert_feed_forward_length(config["moe_intermediate_size"])
    if arch == ARCH.QWEN2MOE:
        w.add_expert_shared_feed_forward_length(config["shared_expert_intermediate_size"])
    if arch == ARCH.FALCON:
        w.add_tensor_data_layout("jploski")


def write(file, source, arch, overrides):
    folder = HERE.parent / source
    config = json.loads((folder / "config.json").read_text()) | overrides
    tensors = converted(file, arch, read(folder), config)
    w = gguf.GGUFWriter(HERE / f"{file}.gguf", gguf.MODEL_ARCH_NAMES[arch])
    metadata(w, arch, config, tensors)
    names = gguf.get_tensor_name_map(arch, 8)
    for name, value in tensors.items():
        stored = name[1:] if name.startswith("=") else names.get_name(name, try_suffixes=(".weight", ".bias"))
        if stored is None and source == "gpt2/published":
            stored = names.get_name(f"transformer.{name}", try_suffixes=(".weight", ".bias"))
        assert stored, name
        if value.dtype == torch.bfloat16 and value.dim() > 1:
            w.add_tensor(stored, value.contiguous().view(torch.int16).numpy().view("uint8"), raw_dtype=gguf.GGMLQuantizationType.BF16)
        else:
            w.add_tensor(stored, value.float().contiguous().numpy())
    w.write_header_to_file(), w.write_kv_data_to_file(), w.write_tensors_to_file(), w.close()


if __name__ == "__main__":
    for file, (source, arch, overrides) in CASES.items():
        write(file, source, arch, overrides)
    cases = [{"file": f"{file}.gguf", "source": source, "overrides": overrides} for file, (source, _, overrides) in CASES.items()]
    (HERE / "cases.json").write_text("[\n" + ",\n".join(" " + json.dumps(case) for case in cases) + "\n]\n")
