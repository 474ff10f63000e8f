"""Weights in 8 and 4 bits with scales, and what transformers and torch make of them. Nothing here is needed by `npm test`.

    python test/reference/scaled/make.py       (torch 2.13.0, transformers 5.24.0, safetensors 0.8.0)

bytes.safetensors       every number of the 8-bit floats, and of two packed 4-bit ones, as torch converts it to float32 (NaN as 12345)
model/                  the Llama of ../llama/tied in FP8 with blocks of 8 x 8, and its losses with transformers' own dequantisation
<case>/                 config.json and model.safetensors of one Llama layer's worth of names; expected.safetensors, the float32 matrices
"""
import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers.integrations.finegrained_fp8 import Fp8Dequantize
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

here = Path(__file__).parent
generator = torch.Generator().manual_seed(5)
transformers_op = Fp8Dequantize(None)

EIGHT = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
         "F8_E5M2FNUZ": torch.float8_e5m2fnuz, "F8_E8M0": torch.float8_e8m0fnu}  # fmt: skip


def every_byte():
    tensors = {}
    for name, dtype in EIGHT.items():
        values = torch.arange(256, dtype=torch.uint8).view(dtype).float()
        tensors[name] = torch.where(values.isnan(), torch.tensor(12345.0), values).contiguous()
    both = transformers_op._unpack_fp4(torch.arange(256, dtype=torch.uint8).reshape(1, 256))
    tensors["F4"] = both.reshape(-1).contiguous()
    save_file(tensors, here / "bytes.safetensors")


def quantised(rows, columns, dtype=torch.float8_e4m3fn, lead=()):
    return (torch.randn(*lead, rows, columns, generator=generator) * 60).to(dtype)


def scales(*shape, dtype=torch.float32):
    return (torch.rand(*shape, generator=generator) * 0.01 + 0.001).to(dtype)


def by_blocks(q, s, high, wide):
    """float32(q) * float32(s), one s for a block; blocks may be cut at the edges."""
    rows, columns = q.shape
    assert s.shape == (math.ceil(rows / high), math.ceil(columns / wide))
    spread = s.float().repeat_interleave(high, 0)[:rows].repeat_interleave(wide, 1)[:, :columns]
    return q.float() * spread


def write(case, config, tensors, expected):
    folder = here / case
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"} | config) + "\n")
    save_file({name: value.contiguous() for name, value in tensors.items()}, folder / "model.safetensors", {"format": "pt"})
    save_file({name: value.contiguous() for name, value in expected.items()}, folder / "expected.safetensors")


L = "model.layers.0."
Q, K, V, O, G = (f"{L}{name}.weight" for name in ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj"])


def fine_grained():
    """transformers' and DeepSeek's: blocks; cut at the edges (DeepSeek's kernels), in powers of two, one for the matrix."""
    method = {"quant_method": "fp8", "weight_block_size": [16, 8], "activation_scheme": "static"}
    q, k, v, o, g = quantised(32, 24), quantised(20, 12), quantised(16, 16, torch.float8_e5m2), quantised(16, 8), quantised(16, 8)
    sq, sk, sv, so = scales(2, 3), scales(2, 2, dtype=torch.bfloat16), scales(1, 2, dtype=torch.float8_e8m0fnu), scales(1)[0]
    sg = torch.tensor([[121]], dtype=torch.uint8)
    expected = {Q: by_blocks(q, sq, 16, 8), K: by_blocks(k, sk, 16, 8), V: by_blocks(v, sv, 16, 8), O: o.float() * so, G: g.float() * 2.0**-6}
    # transformers itself, where its rule (the grid divides the matrix) and the kernels' agree
    for name, weight, scale in [(Q, q, sq), (V, v, sv), (G, g, sg)]:
        assert torch.equal(expected[name], transformers_op._dequantize_one(weight, scale, torch.float32)), name
    write("fine_grained", {"quantization_config": method}, {
        Q: q, f"{Q}_scale_inv": sq, K: k, f"{K}_scale_inv": sk, V: v, f"{V}_scale_inv": sv, O: o, f"{O}_scale_inv": so,
        G: g, f"{G}_scale_inv": sg, f"{L}self_attn.o_proj.activation_scale": scales(1)[0],
    }, expected)  # fmt: skip


def weight_scale():
    """compressed-tensors (one, by row, by block of its config), ModelOpt and FBGEMM; plain numbers without any scale."""
    weights = {"num_bits": 8, "type": "float", "strategy": "block", "block_structure": [8, 8], "symmetric": True}
    method = {"quant_method": "compressed-tensors", "format": "float-quantized", "config_groups": {"group_0": {"weights": weights}}}
    q, k, v, o, g = (quantised(16, 24) for _ in range(5))
    sq, sk, sv, so = scales(1), scales(16, 1, dtype=torch.bfloat16), scales(16), scales(2, 3)
    write("weight_scale", {"quantization_config": method}, {
        Q: q, f"{Q}_scale": sq, f"{L}self_attn.q_proj.input_scale": scales(1), K: k, f"{K}_scale": sk, V: v, f"{V}_scale": sv,
        O: o, f"{O}_scale": so, G: g,
    }, {Q: q.float() * sq, K: k.float() * sk.float(), V: v.float() * sv[:, None], O: by_blocks(o, so, 8, 8), G: g.float()})  # fmt: skip


def mxfp4():
    """Experts of gpt-oss, and a matrix of 4-bit numbers with a scale for each row and 32 columns."""
    blocks = torch.randint(256, (2, 6, 3, 16), dtype=torch.uint8, generator=generator)
    exponents = torch.randint(118, 130, (2, 6, 3), dtype=torch.uint8, generator=generator)
    packed = torch.randint(256, (4, 32), dtype=torch.uint8, generator=generator)
    s = torch.randint(120, 130, (4, 2), dtype=torch.uint8, generator=generator)
    name = f"{L}mlp.experts.gate_up_proj"
    expected = {
        name: convert_moe_packed_tensors(blocks, exponents, dtype=torch.float32),
        Q: transformers_op._dequantize_one(packed.view(torch.int8), s, torch.float32),
    }
    write("mxfp4", {"quantization_config": {"quant_method": "mxfp4"}}, {
        f"{name}_blocks": blocks, f"{name}_scales": exponents, Q: packed.view(torch.float4_e2m1fn_x2),
        f"{Q}_scale_inv": s.view(torch.float8_e8m0fnu),
    }, expected)  # fmt: skip


def model():
    """The tied Llama as transformers' fine-grained FP8 stores it; losses of its dequantised weights in float32."""
    import shutil
    import sys

    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, FineGrainedFP8Config

    sys.path.insert(0, str(here.parent))
    from causal_lm import sample_loss

    source, folder = here.parent / "llama" / "tied", here / "model"
    folder.mkdir(exist_ok=True)
    tensors = {}
    for name, weight in load_file(source / "model.safetensors").items():
        if weight.dim() < 2 or "layers" not in name:
            tensors[name] = weight
            continue
        rows, columns = weight.shape
        tiles = weight.float().reshape(rows // 8, 8, columns // 8, 8)
        scale = tiles.abs().amax((1, 3)) / 448
        tensors[name] = (tiles / scale[:, None, :, None]).reshape(rows, columns).to(torch.float8_e4m3fn)
        tensors[f"{name}_scale_inv"] = scale
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    for name in ["tokenizer.json", "tokenizer_config.json", "samples.json"]:
        shutil.copyfile(source / name, folder / name)
    config = json.loads((source / "config.json").read_text())
    method = {"quant_method": "fp8", "weight_block_size": [8, 8], "activation_scheme": "dynamic"}
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": method}) + "\n")
    opened = AutoModelForCausalLM.from_pretrained(
        folder, quantization_config=FineGrainedFP8Config(weight_block_size=(8, 8), dequantize=True), dtype=torch.float32, attn_implementation="eager"
    ).eval()
    assert all(p.dtype == torch.float32 for p in opened.parameters())
    losses = []
    for sample in json.loads((folder / "samples.json").read_text())["samples"]:
        logits = opened(input_ids=torch.tensor([sample["tokens"]]), use_cache=False).logits[0]
        losses.append(float(sample_loss(logits.detach().double(), sample["tokens"], sample["countedFrom"])))
    (folder / "losses.json").write_text(json.dumps(losses) + "\n")
    print(losses)


every_byte()
model()
fine_grained()
weight_scale()
mxfp4()
