"""Writes tiny sequence classifiers (`...ForSequenceClassification`) with float64 losses and per-sample gradients. See README.md.

    python test/reference/classification/make.py [case ...]      (needs torch, transformers, safetensors)
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForSequenceClassification

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import Float64Mode, plain, scored_names, write_tokenizer  # noqa: E402

VOCABULARY, LABELS = 40, ["negative", "neutral", "positive"]
SIZES = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": 64}
COMMON = {
    "vocab_size": VOCABULARY, "id2label": {str(i): name for i, name in enumerate(LABELS)}, "label2id": {name: i for i, name in enumerate(LABELS)},
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip


def case(kind, model_type, sizes=SIZES, **keys):
    return {"architectures": [f"{kind}ForSequenceClassification"], "model_type": model_type} | COMMON | sizes | keys


CASES = {
    # tie_word_embeddings says nothing here: there is no head over the vocabulary.
    "llama": case("Llama", "llama", num_key_value_heads=2, tie_word_embeddings=True),
    # No padding token: the last token counts.
    "qwen3_no_padding": case("Qwen3", "qwen3", num_key_value_heads=2, head_dim=6, pad_token_id=None),
    # The cap of logits belongs to the language model's head.
    "gemma2_soft_cap": case("Gemma2", "gemma2", num_key_value_heads=2, head_dim=4, query_pre_attn_scalar=4, sliding_window=4,
                            final_logit_softcapping=2.0, attn_logit_softcapping=3.0, hidden_activation="gelu_pytorch_tanh"),
    # A bias stands on the language model's head alone.
    "phi": case("Phi", "phi", partial_rotary_factor=0.5),
    "gpt2": case("GPT2", "gpt2", {"n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 64}),
    "gpt_neox": case("GPTNeoX", "gpt_neox", rotary_pct=0.5),
    # Narrow embeddings: the head reads the projected states.
    "opt_narrow": case("OPT", "opt", {k: v for k, v in SIZES.items() if k != "intermediate_size"}, ffn_dim=24, word_embed_proj_dim=8),
    "mixtral": case("Mixtral", "mixtral", num_key_value_heads=2, num_local_experts=3, num_experts_per_tok=2, sliding_window=None),
    "falcon": case("Falcon", "falcon", {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4}, new_decoder_architecture=True, num_kv_heads=2, alibi=False),
}  # fmt: skip


def model_of(config, tensors, dtype):
    with Float64Mode() if dtype is torch.float64 else torch.no_grad():
        model = AutoModelForSequenceClassification.from_config(config, dtype=dtype, **plain(config, "eager")).eval()
    model.load_state_dict({name: value.to(dtype) for name, value in tensors.items()})
    return model


def random_tensors(config, seed):
    generator = torch.Generator().manual_seed(seed)
    model = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
    tensors = {}
    for name, value in model.state_dict().items():
        noise = torch.randn(value.shape, generator=generator)
        if value.dim() == 1:
            mean = 1.0 if name.endswith(".weight") and config.model_type != "gemma2" else 0.0
            tensors[name] = mean + 0.3 * noise
        else:
            tensors[name] = noise / value.shape[-1] ** 0.5
    return tensors


def samples_of(seed):
    """Three texts; the second ends in the padding token, which is not read."""
    generator = torch.Generator().manual_seed(seed)
    tokens = [torch.randint(3, VOCABULARY, (length,), generator=generator).tolist() for length in (12, 8, 5)]
    tokens[1][-1] = COMMON["pad_token_id"]
    return [{"tokens": t, "countedFrom": 0, "label": label} for t, label in zip(tokens, (2, 0, 1))]


def write(name, config, seed):
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    parsed = AutoConfig.from_pretrained(folder)
    tensors = random_tensors(parsed, seed)
    model = model_of(parsed, tensors, torch.float32)
    model.save_pretrained(folder, save_original_format=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    write_tokenizer(folder, VOCABULARY)
    samples = samples_of(50 + seed)
    (folder / "samples.json").write_text(json.dumps({"samples": samples}) + "\n")
    reference = {"loss": torch.zeros(3, dtype=torch.float64)}
    for index, sample in enumerate(samples):
        with Float64Mode():
            double = model_of(parsed, tensors, torch.float64)
            logits = double(input_ids=torch.tensor([sample["tokens"]])).logits[0]
        assert logits.shape == (len(LABELS),) and logits.dtype == torch.float64
        loss = -torch.log_softmax(logits, -1)[sample["label"]]
        names = scored_names(double)
        parameters = dict(double.named_parameters())
        gradients = torch.autograd.grad(loss, [parameters[n] for n in names])
        reference["loss"][index] = loss
        for parameter, gradient in zip(names, gradients):
            for stored, part in original(parameter, gradient):
                reference[f"gradient.{index}.{stored}"] = part.contiguous()
    save_file(reference, folder / "reference.safetensors")
    print(name, reference["loss"].tolist())


def original(name, value):
    """Experts as the file has them, one matrix each."""
    if ".experts." not in name:
        return [(name.replace("mlp.gate.", "block_sparse_moe.gate."), value)]
    layer = name.split(".mlp.")[0]
    parts = []
    for expert, matrix in enumerate(value):
        stem = f"{layer}.block_sparse_moe.experts.{expert}"
        if "gate_up" in name:
            gate, up = matrix.chunk(2, 0)
            parts += [(f"{stem}.w1.weight", gate), (f"{stem}.w3.weight", up)]
        else:
            parts.append((f"{stem}.w2.weight", matrix))
    return parts


if __name__ == "__main__":
    for number, (name, config) in enumerate(CASES.items()):
        if not sys.argv[1:] or name in sys.argv[1:]:
            write(name, config, number)
