"""The Llama of ../gguf/llama.gguf in three parts, and in big-endian byte order, as gguf-py writes them.

    python test/reference/gguf_split/make.py       (gguf 0.19.0, numpy)

llama-0000N-of-00003.gguf   by the writer's split_max_tensors: metadata in the first part alone
big-endian.gguf             one tensor
"""
from pathlib import Path

import gguf
import numpy as np

here = Path(__file__).parent
source = gguf.GGUFReader(here.parent / "gguf" / "llama.gguf")


def finish(w):
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


w = gguf.GGUFWriter(here / "llama.gguf", "llama", split_max_tensors=8)
for field in source.fields.values():
    if field.name.startswith("GGUF.") or field.name == "general.architecture":
        continue
    kind, *element = field.types
    w.add_key_value(field.name, field.contents(), kind, element[-1] if element else None)
for tensor in source.tensors:
    w.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
finish(w)

w = gguf.GGUFWriter(here / "big-endian.gguf", "llama", endianess=gguf.GGUFEndian.BIG)
w.add_block_count(1)
w.add_tensor("token_embd.weight", np.arange(32, dtype=np.float32).reshape(4, 8))
finish(w)
