"""Diversity by the vectors of an encoder: the tiny BERT of ../onnx_graphs, mean over the tokens behind its last layer, in float64.

    python test/reference/data_scores/encoder.py

Needs torch, transformers, tokenizers. Writes `encoder.json`: tokenizer, rows, and the greedy order of facility location over all rows.
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "onnx_graphs"))
from make import MODELS, Float64Mode, randomise  # noqa: E402

WORDS = ["[UNK]", "[CLS]", "[SEP]", *[f"w{i}" for i in range(58)]]
tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)])

generator = torch.Generator().manual_seed(3)
draw = lambda most: " ".join(f"w{int(i)}" for i in torch.randint(58, (int(torch.randint(2, most, (1,), generator=generator)),), generator=generator))
rows = [{"instruction": draw(8), "output": draw(6)} for _ in range(12)]

torch.manual_seed(0)
model = randomise(MODELS["bert"][0]()).double()
vectors = []
for row in rows:
    ids = torch.tensor([tokenizer.encode(f"{row['instruction']} {row['output']}").ids])
    with Float64Mode(), torch.no_grad():
        states = model.bert(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    vectors.append(states[0].mean(0))
x = torch.stack(vectors)
x = x / x.norm(dim=1, keepdim=True)
similarity = torch.exp(-torch.cdist(x, x) / x.shape[1])

order, gains, covered = [], [], torch.zeros(len(rows), dtype=torch.float64)
for _ in rows:
    gain = (torch.clamp(similarity - covered[:, None], min=0)).sum(0)
    gain[order] = -1
    best = int(gain.argmax())
    order.append(best)
    gains.append(float(gain[best]))
    covered = torch.maximum(covered, similarity[:, best])
(HERE / "encoder.json").write_text(json.dumps({"tokenizer": json.loads(tokenizer.to_str()), "rows": rows, "order": order, "gains": gains}) + "\n")
print(order, gains)
