"""Writes written.json: losses of the samples under what `layerif train` wrote, as peft and transformers load it.

    python test/reference/training/written.py NODE      (needs torch, transformers, peft; NODE: a Node.js that runs TypeScript)

Trains the cases of ../../run/trainedCases.ts in a temporary folder with our own code. An adapter is loaded with PEFT over the
model, a model folder by transformers alone, each with the tokenizer that lies in the model's folder; losses in float32.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).parent
TRAIN, VALIDATION = 8, 4


def texts(folder):
    """Prompt and answer of the task `sentiment` of the tiny workspace."""
    rows = [json.loads(line) for line in (folder / "data/reviews.jsonl").read_text().splitlines()]
    answers = ["negative", "positive"]
    word = lambda row: row["sentiment"] if isinstance(row["sentiment"], str) else answers[row["sentiment"]]
    return [f"Review: {row['review']}\nSentiment: {word(row)}" for row in rows]


def losses(model, tokenizer, samples):
    found = []
    for text in samples:
        tokens = tokenizer(text, return_tensors="pt").input_ids
        with torch.no_grad():
            found.append(model(tokens, labels=tokens).loss.item())
    return found


results = {}
with tempfile.TemporaryDirectory() as below:
    made = subprocess.run([sys.argv[1], HERE / "written.ts", below], check=True, capture_output=True, text=True)
    for name, place in json.loads(made.stdout).items():
        output = Path(place["output"])
        if (output / "adapter_config.json").exists():
            base = AutoModelForCausalLM.from_pretrained(place["model"], dtype=torch.float32)
            model, tokens = PeftModel.from_pretrained(base, output), place["model"]
        else:
            model, tokens = AutoModelForCausalLM.from_pretrained(output, dtype=torch.float32), output
        samples = texts(Path(below) / name)
        found = losses(model.eval(), AutoTokenizer.from_pretrained(tokens), samples)
        results[name] = {"train": found[:TRAIN], "validation": found[TRAIN : TRAIN + VALIDATION]}
(HERE / "written.json").write_text(json.dumps(results, indent=1) + "\n")
