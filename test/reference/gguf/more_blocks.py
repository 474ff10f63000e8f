"""Codebook, ternary and 4-bit float types: random blocks, and gguf-py's dequantisation. Nothing here is needed by `npm test`.

    python test/reference/gguf/more_blocks.py       (gguf 0.19.0, numpy, safetensors 0.8.0)

more-blocks.gguf, more-blocks.safetensors     one tensor per number type
"""
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file

here = Path(__file__).parent
random = np.random.default_rng(11)

# Where the float16 scale of a block stands; the other bytes may be anything.
halves = {
    Type.IQ2_XXS: 0, Type.IQ2_XS: 0, Type.IQ2_S: 0, Type.IQ3_XXS: 0, Type.IQ3_S: 0, Type.IQ1_S: 0, Type.IQ4_NL: 0, Type.IQ4_XS: 0,
    Type.TQ1_0: 52, Type.TQ2_0: 64,
}  # fmt: skip

w = gguf.GGUFWriter(here / "more-blocks.gguf", "llama")
reference = {}
for kind in [*halves, Type.IQ1_M, Type.MXFP4, Type.NVFP4]:
    numbers, size = gguf.GGML_QUANT_SIZES[kind]
    rows, columns = 3, 512
    raw = random.integers(0, 256, (rows, columns // numbers * size), dtype=np.uint8)
    blocks = raw.reshape(-1, size)
    scale = (random.standard_normal(len(blocks)) * 0.1).astype(np.float16)
    scale[:3] = [6e-8, -0.0, 30000]  # subnormal, negative zero, large
    if kind in halves:
        blocks[:, halves[kind] : halves[kind] + 2] = scale.view(np.uint8).reshape(-1, 2)
    if kind == Type.IQ1_M:  # four bits of it in the upper ends of four words
        words = blocks[:, 48:].view(np.uint16)
        bits = scale.view(np.uint16)
        for i in range(4):
            words[:, i] = (words[:, i] & 0x0FFF) | (((bits >> (4 * i)) & 15) << 12)
        blocks[:, 48:] = words.view(np.uint8).reshape(-1, 8)
    if kind == Type.MXFP4:  # a power of two with the bias 127
        blocks[:, 0] = random.integers(110, 135, len(blocks))
        blocks[:5, 0] = [0, 1, 2, 3, 250]
    w.add_tensor(kind.name, raw, raw_dtype=kind)
    reference[kind.name] = gguf.quants.dequantize(raw, kind).reshape(rows, columns)
    assert np.isfinite(reference[kind.name]).all(), kind
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()
save_file(reference, here / "more-blocks.safetensors")
