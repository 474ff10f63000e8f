"""Tiny random models as ONNX graphs, by both exporters of PyTorch, with float64 per-sample gradients of their matrices.

    python test/reference/onnx_graphs/make.py [model ...]

Needs torch, transformers, onnx, onnxscript, safetensors. Per model: `<model>-torchscript.onnx`, `<model>-dynamo.onnx` and
`<model>.safetensors` with, per sample i, `input.<name>.<i>`, `loss` [samples] and `gradient.<i>.<parameter>`; `label` for
classifiers. Gradients are of the mean token cross-entropy or of the class cross-entropy, by Hugging Face's own code in float64.
"""

import contextlib
import io
import logging
import sys
import warnings
from pathlib import Path

import onnx
import torch
from safetensors.torch import save_file
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    ResNetConfig,
    ResNetForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)

sys.path.insert(0, str(Path(__file__).parent.parent))
from causal_lm import Float64Mode  # noqa: E402

HERE = Path(__file__).parent
MODE = torch.onnx.TrainingMode
plain = dict(attn_implementation="eager")


def gpt2():
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=61, n_positions=24, n_embd=16, n_layer=2, n_head=2, use_cache=False, **plain)
    )


def llama():
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=61, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=32, use_cache=False, **plain,
        )
    )  # fmt: skip


def bert():
    return BertForSequenceClassification(
        BertConfig(
            vocab_size=61, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=24, num_labels=3, **plain,
        )
    )  # fmt: skip


def vit():
    return ViTForImageClassification(
        ViTConfig(
            hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, image_size=8, patch_size=4,
            num_labels=3, **plain,
        )
    )  # fmt: skip


def resnet():
    return ResNetForImageClassification(
        ResNetConfig(embedding_size=4, hidden_sizes=[8, 12], depths=[2, 1], layer_type="basic", num_labels=3)
    )


TEXT = {"input_ids": {0: "batch", 1: "sequence"}, "attention_mask": {0: "batch", 1: "sequence"}}
IMAGE = {"pixel_values": {0: "batch"}}
# Exporters fold a BatchNormalization into the convolution before it unless they are told not to. `resnet` is folded: the kernel of
# the graph is s W with s = gamma / sqrt(variance + eps) by row, and so its gradient is that of W over s.
KEPT = {"resnet_batchnorm"}
MODELS = {"gpt2": (gpt2, TEXT), "llama": (llama, TEXT), "bert": (bert, TEXT), "vit": (vit, IMAGE), "resnet": (resnet, IMAGE)}
MODELS["resnet_batchnorm"] = MODELS["resnet"]
LENGTHS = [7, 12, 5]


def randomise(model):
    """Weights of a size that lets every part of the model count; statistics that batch normalisation does not see as 0 and 1."""
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
            if tensor.dtype.is_floating_point and "inv_freq" not in name:
                noise = torch.randn(tensor.shape, generator=generator)
                if "running_var" in name:
                    tensor.copy_(1 + 0.5 * noise.abs())
                elif tensor.dim() > 1:
                    tensor.copy_(noise * (0.3 if tensor.dim() == 2 else 0.2))
                else:
                    tensor.add_(0.1 * noise)
    return model.eval()


def samples_of(name):
    generator = torch.Generator().manual_seed(5)
    if name.startswith(("vit", "resnet")):
        size = 8 if name == "vit" else 16
        return [{"pixel_values": torch.randn(1, 3, size, size, generator=generator)} for _ in LENGTHS]
    tokens = [torch.randint(1, 61, (1, length), generator=generator) for length in LENGTHS]
    return [{"input_ids": ids, "attention_mask": torch.ones_like(ids)} for ids in tokens]


def loss_of(model, sample, label):
    with Float64Mode():
        given = {k: v.double() if v.is_floating_point() else v for k, v in sample.items()}
        logits = model(**given).logits
        if logits.dim() == 3:
            log_p = torch.log_softmax(logits[0, :-1], dim=-1)
            targets = sample["input_ids"][0, 1:]
            return -log_p[torch.arange(len(targets)), targets].mean()
        return -torch.log_softmax(logits[0], dim=-1)[label]


def export(model, sample, axes, name, dynamo, keep=False):
    """The exporter's file, without the stack traces that it writes beside every node."""
    target = HERE / f"{name}.onnx"
    batched = {k: torch.cat([v, v]) for k, v in sample.items()}
    named = dict(input_names=list(batched), output_names=["logits"])
    whole = model.forward  # what it returns beside logits is no part of the graph, the names of its modules are
    if "pixel_values" in sample:
        model.forward = lambda pixel_values: whole(pixel_values=pixel_values).logits
    else:
        model.forward = lambda input_ids, attention_mask: whole(
            input_ids=input_ids, attention_mask=attention_mask
        ).logits
    if dynamo:
        shapes = {k: {i: torch.export.Dim.DYNAMIC for i in dims} for k, dims in axes.items()}
        program = torch.onnx.export(
            model, (), kwargs=batched, dynamo=True, dynamic_shapes=shapes, external_data=False, optimize=not keep, **named
        )
        program.save(str(target))
    else:
        torch.onnx.export(
            model, tuple(batched.values()), str(target), dynamo=False, opset_version=17, dynamic_axes=axes | {"logits": {0: "batch"}},
            training=MODE.PRESERVE if keep else MODE.EVAL, **named
        )
    model.forward = whole
    graph = onnx.load(target)
    for node in graph.graph.node:
        node.doc_string = ""
        kept = [p for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    for value in [*graph.graph.value_info, *graph.graph.input, *graph.graph.output, *graph.graph.initializer]:
        del value.metadata_props[:]
    del graph.metadata_props[:]
    del graph.graph.metadata_props[:]
    onnx.save(graph, target)
    onnx.checker.check_model(graph)


def folded_scale(model, parameter):
    norms = dict(model.named_modules())
    norm = norms.get(parameter.replace("convolution.weight", "normalization"))
    if norm is None or "convolution" not in parameter:
        return 1
    return (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach().reshape(-1, 1, 1, 1)


def make(name):
    build, axes = MODELS[name]
    model = randomise(build())
    samples = samples_of(name)
    for exporter in ("torchscript", "dynamo"):
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export(model, samples[1], axes, f"{name}-{exporter}", exporter == "dynamo", name in KEPT)
    state = model.state_dict()
    with Float64Mode():
        double = build().double().eval()
    double.load_state_dict({k: v.double() if v.is_floating_point() else v for k, v in state.items()})
    out, losses = {}, []
    for i, sample in enumerate(samples):
        double.zero_grad()
        loss = loss_of(double, sample, i % 3)
        loss.backward()
        losses.append(loss.detach())
        for key, value in sample.items():
            if key != "attention_mask":
                out[f"input.{key}.{i}"] = value if value.is_floating_point() else value.to(torch.int32)
        for parameter, tensor in double.named_parameters():
            if tensor.dim() >= 2 and tensor.grad is not None and "embed" not in parameter:
                scale = folded_scale(double, parameter) if name == "resnet" else 1
                out[f"gradient.{i}.{parameter}"] = (tensor.grad / scale).float().contiguous()
    out["loss"] = torch.stack(losses)
    out["label"] = torch.tensor([i % 3 for i in range(len(samples))], dtype=torch.int32)
    save_file(out, HERE / f"{name}.safetensors")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    for chosen in sys.argv[1:] or MODELS:
        make(chosen)
        print(chosen, {p.name: p.stat().st_size for p in sorted(HERE.glob(f"{chosen}[-.]*"))})
