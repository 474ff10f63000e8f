"""The Llama graph of make.py with its matrices stored in other types, as exporters of small files write them.

    python test/reference/onnx_graphs/stored.py

Needs what make.py needs. Of `llama-torchscript.onnx`, which make.py wrote, per form: `llama-<form>.onnx` and
`llama_<form>.safetensors` as make.py writes them. Values are of Hugging Face's own code in float64 whose matrices are the stored
numbers exactly; the graph itself is run by onnx's reference evaluator and has to give the same losses.

    int8        DequantizeLinear of int8, one scale and one zero point a matrix, the head too; the embedding as well
    uint8       DequantizeLinear of uint8, a scale and a zero point for each column, the head too
    bfloat16    BFLOAT16 initialisers, each with Cast to float, the embedding too
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper, version_converter
from onnx.reference import ReferenceEvaluator
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parent))
from make import HERE, MODELS, Float64Mode, loss_of, randomise, samples_of  # noqa: E402


def int8(name, matrix):
    """Zero points other than 0, because the smallest and the largest number are not alike."""
    return quantised(name, matrix, np.int8, None)


def uint8(name, matrix):
    return quantised(name, matrix, np.uint8, None if "embed" in name else 1)


def quantised(name, matrix, dtype, axis):
    over = None if axis is None else 0
    low, high = matrix.min(over), matrix.max(over)
    limits = np.iinfo(dtype)
    scale = ((high - low) / (limits.max - limits.min)).astype(np.float32)
    zero = np.clip(np.round(limits.min - low / scale), limits.min, limits.max).astype(dtype)
    stored = np.clip(np.round(matrix / scale) + zero, limits.min, limits.max).astype(dtype)
    assert np.all(zero != 0)
    parts = [(f"{name}_q", stored), (f"{name}_s", np.asarray(scale)), (f"{name}_z", np.asarray(zero))]
    node = helper.make_node("DequantizeLinear", [key for key, _ in parts], [name], **({} if axis is None else {"axis": axis}))
    value = (stored.astype(np.float64) - zero) * scale.astype(np.float64)
    return [numpy_helper.from_array(array, key) for key, array in parts], node, value


def bfloat16(name, matrix):
    stored = torch.from_numpy(matrix.copy()).to(torch.bfloat16)
    tensor = helper.make_tensor(f"{name}_h", TensorProto.BFLOAT16, matrix.shape, stored.view(torch.int16).numpy().tobytes(), raw=True)
    return [tensor], helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT), stored.double().numpy()


def stored(form):
    model = randomise(MODELS["llama"][0]())
    graph = onnx.load(HERE / "llama-torchscript.onnx")
    weights = {key: value.detach().numpy() for key, value in model.named_parameters() if value.dim() == 2}
    state = {key: value.double() for key, value in model.state_dict().items()}
    nodes, seen = [], set()
    for constant in list(graph.graph.initializer):
        matrix = numpy_helper.to_array(constant)
        turned = lambda weight: [t for t in (weight, weight.T) if t.shape == matrix.shape and np.array_equal(t, matrix)]
        owners = [key for key, weight in weights.items() if turned(weight)]
        if not owners:
            continue
        [owner] = owners
        parts, node, value = form(constant.name, matrix)
        graph.graph.initializer.remove(constant)
        graph.graph.initializer.extend(parts)
        nodes.append(node)
        seen.add(owner)
        state[owner] = torch.from_numpy(value if np.array_equal(weights[owner], matrix) else value.T.copy())
    assert seen == set(weights), set(weights) - seen
    for node in reversed(nodes):
        graph.graph.node.insert(0, node)
    onnx.checker.check_model(graph)
    onnx.save(graph, HERE / f"llama-{form.__name__}.onnx")

    with Float64Mode():
        double = MODELS["llama"][0]().double().eval()
    double.load_state_dict(state)
    # The evaluator knows DequantizeLinear from opset 19 on.
    run = ReferenceEvaluator(version_converter.convert_version(graph, 21))
    out, losses = {}, []
    for i, sample in enumerate(samples_of("llama")):
        double.zero_grad()
        loss = loss_of(double, sample, 0)
        loss.backward()
        logits = torch.from_numpy(run.run(["logits"], {key: value.numpy() for key, value in sample.items()})[0][0]).double()
        evaluated = torch.nn.functional.cross_entropy(logits[:-1], sample["input_ids"][0, 1:])
        assert abs(evaluated - loss) < 1e-5 * loss, (form.__name__, i, evaluated, loss)
        losses.append(loss.detach())
        out[f"input.input_ids.{i}"] = sample["input_ids"].to(torch.int32)
        for parameter, tensor in double.named_parameters():
            if tensor.dim() == 2 and "layers" in parameter:
                out[f"gradient.{i}.{parameter}"] = tensor.grad.float().contiguous()
    out["loss"] = torch.stack(losses)
    out["label"] = torch.zeros(len(losses), dtype=torch.int32)
    save_file(out, HERE / f"llama_{form.__name__}.safetensors")
    return [float(loss) for loss in losses]


for form in (int8, uint8, bfloat16):
    print(form.__name__, stored(form))
