"""Writes what every contestant of the benchmark reads: one random model, and token ids per workload, as numbers and as text.

    python test/bench/workload.py FOLDER S:16:4:64 M:64:16:128        (name : training samples : validation samples : tokens)

FOLDER/model is a Hugging Face folder of SmolLM-135M's shape in float32; FOLDER/<name> holds tokens.json, {train,validation}.jsonl
(a text of N words is N tokens), bench.layerif.yaml and bench64.layerif.yaml, which projects the gradients.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

sys.path.insert(0, str(Path(__file__).parent.parent / "reference"))
from causal_lm import write_tokenizer  # noqa: E402

SHAPE = dict(
    vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
    max_position_embeddings=2048, rope_parameters={"rope_theta": 10000.0, "rope_type": "default"}, tie_word_embeddings=True,
)  # fmt: skip

EXPERIMENT = """version: 1
model: {{ path: ../model, max_length: {tokens} }}
datasets:
  words: {{ data_files: {{ train: train.jsonl, validation: validation.jsonl }} }}
tasks:
  - task: bench
    dataset: words
    training_split: train
    validation_split: validation
    doc_to_text: text
    output_type: loglikelihood_rolling
{score}"""


def write_model(folder: Path) -> None:
    torch.manual_seed(0)
    LlamaForCausalLM(LlamaConfig(**SHAPE, dtype="float32")).save_pretrained(folder)
    write_tokenizer(folder, SHAPE["vocab_size"])


def write_workload(folder: Path, train: int, validation: int, tokens: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(1)
    draw = lambda samples: torch.randint(SHAPE["vocab_size"], (samples, tokens), generator=generator).tolist()
    splits = {"train": draw(train), "validation": draw(validation)}
    (folder / "tokens.json").write_text(json.dumps(splits))
    for split, rows in splits.items():
        lines = (json.dumps({"text": " ".join(f"w{token}" for token in row)}) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text("".join(lines))
    for name, projection in (("bench", "none"), ("bench64", 64)):
        score = f"score: {{ projection: {projection} }}\n"
        (folder / f"{name}.layerif.yaml").write_text(EXPERIMENT.format(tokens=tokens, score=score))


if __name__ == "__main__":
    root = Path(sys.argv[1])
    if not (root / "model" / "tokenizer_config.json").exists():
        write_model(root / "model")
    for argument in sys.argv[2:]:
        name, *numbers = argument.split(":")
        write_workload(root / name, *map(int, numbers))
