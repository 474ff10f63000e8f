"""Float64 references for decoder-only language models: logits, per-sample mean losses and per-sample gradients.

The model is Hugging Face transformers' own code. It forces float32 in places even for a double model (RMS norm, rotary
angles, the attention softmax, the loss); `Float64Mode` turns those requests into float64, so what comes out is the exact
mathematics to about 1e-15 and not "double with float32 holes" (about 1e-7).

Used by the `make.py` scripts below this folder: they list cases, `write_case` writes the files of one.
"""

import json
import re
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.overrides import TorchFunctionMode
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging

logging.disable_progress_bar()
STORED_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


class Float64Mode(TorchFunctionMode):
    """Every request for float32 becomes one for float64."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.Tensor.float:
            func = torch.Tensor.double
        widen = lambda value: torch.float64 if value is torch.float32 else value
        return func(*map(widen, args), **{key: widen(value) for key, value in (kwargs or {}).items()})


def plain(config, attention: str) -> dict:
    """Arguments for the plainest code of transformers: this attention, experts one after the other."""
    experts = {"experts_implementation": "eager"} if getattr(config, "num_experts", None) else {}
    return {"attn_implementation": attention} | experts


def double_model(config, tensors: dict[str, torch.Tensor], attention: str = "eager"):
    """A fresh float64 model in eval mode, experts one by one."""
    with Float64Mode():
        model = AutoModelForCausalLM.from_config(config, dtype=torch.float64, **plain(config, attention)).eval()
    missing, unexpected = model.load_state_dict({k: t.double() for k, t in tensors.items()}, strict=False)
    allowed = {"lm_head.weight"} if config.tie_word_embeddings else set()
    assert set(missing) <= allowed and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model


def single_model_of(folder: Path, attention: str = "eager"):
    """The float32 model of a folder, loaded by transformers, which knows the names of old files. All tensors must be known and there."""
    config = plain(AutoConfig.from_pretrained(folder), attention)
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True, **config)
    assert not any(info.values()), info
    return model.eval()


def double_model_of(folder: Path, attention: str = "eager"):
    """The same in float64: stored weights fit into float32 without loss."""
    return double_model(AutoConfig.from_pretrained(folder), single_model_of(folder).state_dict(), attention)


def sample_loss(logits: torch.Tensor, tokens: list[int], counted_from: int) -> torch.Tensor:
    """Mean over t = counted_from .. N-1 of -ln p(token t | earlier tokens), in nats. `logits`: [N, vocabulary]."""
    log_p = torch.log_softmax(logits[:-1], dim=-1)
    targets = torch.tensor(tokens[1:])
    nll = -log_p[torch.arange(len(targets)), targets]
    return nll[counted_from - 1 :].mean()


def gradients(model, sample: dict, names: list[str]):
    """Logits [N, vocabulary], loss and the gradient of each named parameter for one sample, alone."""
    logits = model(input_ids=torch.tensor([sample["tokens"]]), use_cache=False).logits[0]
    loss = sample_loss(logits, sample["tokens"], sample["countedFrom"])
    parameters = dict(model.named_parameters())
    values = torch.autograd.grad(loss, [parameters[name] for name in names])
    return logits.detach(), loss.detach(), dict(zip(names, values))


def scored_names(model) -> list[str]:
    """The weights of linear modules inside the blocks: norms, biases, embeddings and head are not scored."""
    return [name for name, value in model.named_parameters() if re.search(r"\.(layers|h)\.\d+\.", name) and value.dim() >= 2]


def random_weights(folder: Path, stored: dict, seed: int, norm: float = 1.0) -> dict[str, torch.Tensor]:
    """Weights with visible effects everywhere: attention far from uniform, norm gains away from one, biases away from zero.

    `norm`: mean of the stored norm weights; 0 where the model adds one to them.
    """
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), dtype=torch.float32)
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, value in model.state_dict().items():
        if name == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        noise = torch.randn(value.shape, generator=generator)
        if value.dim() == 1 and name.endswith(".weight"):
            noise = norm + 0.3 * noise
        elif value.dim() == 1:
            noise = 0.3 * noise
        elif "lm_head" in name:
            noise = 0.5 * noise
        else:
            noise = noise / value.shape[-1] ** 0.5
        weights[name] = noise.to(STORED_DTYPES[stored["dtype"]]).contiguous()
    return weights


def write_weights(folder: Path, weights: dict[str, torch.Tensor], shards: int) -> None:
    metadata = {"format": "pt"}
    if shards == 1:
        save_file(weights, folder / "model.safetensors", metadata)
        return
    names = list(weights)
    index = {"metadata": {"total_size": sum(w.nbytes for w in weights.values())}, "weight_map": {}}
    for shard in range(shards):
        part = names[shard * len(names) // shards : (shard + 1) * len(names) // shards]
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        save_file({name: weights[name] for name in part}, folder / file, metadata)
        index["weight_map"] |= {name: file for name in part}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")


def word_tokenizer(vocabulary: int) -> dict:
    """A `tokenizer.json` whose tokens are the words w0, w1, ..., split at white space, without special tokens.

    WordPiece takes the longest known prefix, here always the whole word; WordLevel would say it more plainly, but JavaScript readers lack it.
    """
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordPiece", "vocab": {f"w{i}": i for i in range(vocabulary)}, "unk_token": "w0",
                  "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
    }  # fmt: skip


def write_tokenizer(folder: Path, vocabulary: int) -> None:
    (folder / "tokenizer.json").write_text(json.dumps(word_tokenizer(vocabulary), separators=(",", ":")) + "\n")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "w0", "clean_up_tokenization_spaces": False}
    (folder / "tokenizer_config.json").write_text(json.dumps(config) + "\n")


def write_case(
    folder: Path, config: dict, samples: list[dict], seed: int, dtype: str = "F32", shards: int = 1,
    stored=lambda tensors: tensors, extra: dict[str, torch.Tensor] | None = None, attention: str = "eager", norm: float = 1.0,
) -> dict:
    """Writes checkpoint, `samples.json` and `reference.safetensors`; returns what the README table shows.

    `stored` turns tensors under transformers' names (weights and gradients alike) into those of the file: other names, parts of fused
    tensors. `extra` tensors lie in the file too. `attention`: transformers' implementation.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    write_weights(folder, stored(random_weights(folder, {"dtype": dtype}, seed, norm)) | (extra or {}), shards)
    write_tokenizer(folder, config["vocab_size"])
    (folder / "samples.json").write_text(json.dumps({"samples": samples}) + "\n")

    reference, worst, shift = {"loss": torch.zeros(len(samples), dtype=torch.float64)}, 0.0, 0.0
    for index, sample in enumerate(samples):
        # Fresh models: dynamic rotary scaling keeps the longest length it has seen, a sample's own gradient must not.
        double = double_model_of(folder, attention)
        names = scored_names(double)
        with Float64Mode():
            logits, loss, exact = gradients(double, sample, names)
        assert logits.dtype == torch.float64 and all(g.dtype == torch.float64 for g in exact.values())
        _, _, rounded = gradients(single_model_of(folder, attention), sample, names)
        exact, rounded = stored(exact), stored(rounded)
        # An expert that no token of the sample is routed to has no gradient.
        worst = max(worst, *(float((rounded[n].double() - g).norm() / g.norm()) for n, g in exact.items() if g.any()))
        reference["loss"][index] = loss
        if index == 0:
            reference["logits"] = logits
        reference |= {f"gradient.{index}.{name}": value.contiguous() for name, value in exact.items()}
    save_file(reference, folder / "reference.safetensors")
    bytes_ = sum(file.stat().st_size for file in folder.iterdir())
    return {"parameters": sum(p.numel() for p in double.parameters()), "matrices": len(exact), "float32": worst, "bytes": bytes_}


def three_samples(vocabulary: int, longest: int, seed: int) -> list[dict]:
    """Three random texts: the longest, one two thirds as long of which only the end is counted, and a short one."""
    generator = torch.Generator().manual_seed(seed)
    lengths = [longest, longest * 2 // 3, 5]
    tokens = [torch.randint(vocabulary, (length,), generator=generator).tolist() for length in lengths]
    return [{"tokens": t, "countedFrom": c} for t, c in zip(tokens, [1, lengths[1] // 2, 1])]


def write_cases(here: Path, cases: dict, chosen: list[str]) -> None:
    """Writes the cases `name: (config, keyword arguments of write_case, longest sample)`, all or the chosen, and a row of the README for each."""
    for number, (name, (config, options, longest)) in enumerate(cases.items()):
        if chosen and name not in chosen:
            continue
        samples = three_samples(config["vocab_size"], longest, 100 + number)
        shown = write_case(here / name, config, samples, seed=number, **options)
        print(f"| {here.name}/{name} | {shown['parameters']} | {shown['matrices']} | {shown['float32']:.1e} | {shown['bytes'] // 1024} KiB |", flush=True)
