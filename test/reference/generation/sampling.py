"""Probabilities after the logits processors of transformers, in float64, for test/generation/sampling.test.ts.

    python sampling.py        # writes sampling.json
"""

import json
from pathlib import Path

import torch
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

torch.manual_seed(5)
logits = [round(x, 3) for x in (3 * torch.randn(24)).tolist()]
logits[7] = logits[3]  # a tie
seen = [3, 5, 11]
settings = [
    {},
    {"temperature": 0.6},
    {"top_k": 5},
    {"top_k": 1},
    {"top_p": 0.7},
    {"top_p": 0.05},
    {"min_p": 0.2},
    {"temperature": 1.7, "top_k": 12, "top_p": 0.9},
    {"temperature": 0.8, "top_k": 50, "top_p": 0.95, "min_p": 0.05},
    {"repetition_penalty": 1.3},
    {"temperature": 1.2, "top_p": 0.8, "repetition_penalty": 0.7},
]
cases = []
for setting in settings:
    processors = LogitsProcessorList()
    if "repetition_penalty" in setting:
        processors.append(RepetitionPenaltyLogitsProcessor(setting["repetition_penalty"]))
    if "temperature" in setting:
        processors.append(TemperatureLogitsWarper(setting["temperature"]))
    if "top_k" in setting:
        processors.append(TopKLogitsWarper(setting["top_k"]))
    if "top_p" in setting:
        processors.append(TopPLogitsWarper(setting["top_p"]))
    if "min_p" in setting:
        processors.append(MinPLogitsWarper(setting["min_p"]))
    scores = processors(torch.tensor([seen]), torch.tensor([logits], dtype=torch.float32)).double()
    cases.append({"setting": setting, "probabilities": torch.softmax(scores[0], -1).tolist()})
out = {"logits": logits, "seen": seen, "cases": cases}
Path(__file__).with_name("sampling.json").write_text(json.dumps(out, indent=1) + "\n")
