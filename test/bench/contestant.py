"""What the PyTorch contestants share: arguments, model, tokens, and the line of JSON that bench.mjs reads.

    python test/bench/<contestant>.py WORKLOAD_FOLDER THREADS
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

FOLDER, THREADS = Path(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(THREADS)


def load_model():
    """float32, eval mode; only the 210 matrices of the blocks ask for gradients."""
    model = AutoModelForCausalLM.from_pretrained(FOLDER.parent / "model", dtype=torch.float32, attn_implementation="eager").eval()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(".layers." in name and parameter.dim() == 2)
    return model


def load_tokens() -> dict[str, torch.Tensor]:
    """{"train": [n, tokens], "validation": [m, tokens]}"""
    return {split: torch.tensor(rows) for split, rows in json.loads((FOLDER / "tokens.json").read_text()).items()}


def save_total(name: str, scores: torch.Tensor) -> None:
    """For agreement.py: [train, validation], inner products of gradients of mean losses, summed over the 210 matrices."""
    save_file({"all": scores.double().contiguous()}, FOLDER / f"{name}.safetensors")


def report(seconds: float, **details) -> None:
    """`seconds`: the work alone, without imports and loading; bench.mjs also takes the time of the whole process."""
    print(json.dumps({"seconds": seconds, **details}))
