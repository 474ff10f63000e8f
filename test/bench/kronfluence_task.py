"""What the two kronfluence contestants share: the task, the rows, and how scores are named."""

import re

import torch
import torch.nn.functional as F
from contestant import FOLDER, load_model, load_tokens
from kronfluence.task import Task
from safetensors.torch import save_file
from torch.utils.data import Dataset

# The largest query batch whose gradients (425 MB a sample) fit beside the rest in 8 GiB; training samples are gone through once per batch.
QUERY_BATCH, TRAIN_BATCH = 8, 4


class Rows(Dataset):
    def __init__(self, rows: torch.Tensor):
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict:
        return {"input_ids": self.rows[index]}


class LanguageModelling(Task):
    def compute_train_loss(self, batch, model, sample=False):
        logits = model(input_ids=batch["input_ids"], use_cache=False).logits[:, :-1].flatten(0, 1)
        return F.cross_entropy(logits, batch["input_ids"][:, 1:].flatten(), reduction="sum")

    def compute_measurement(self, batch, model):
        return self.compute_train_loss(batch, model)

    def get_influence_tracked_modules(self):
        return self.names


def load() -> tuple[LanguageModelling, torch.nn.Module, Rows, Rows, int]:
    """task, model, training rows, queries, counted tokens of a row"""
    model, tokens = load_model(), load_tokens()
    task = LanguageModelling()
    task.names = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and ".layers." in name]
    assert len(task.names) == 210
    return task, model, Rows(tokens["train"]), Rows(tokens["validation"]), tokens["train"].shape[1] - 1


def save_per_module(scores: dict[str, torch.Tensor], counted: int, file: str) -> None:
    """kronfluence's scores are of summed losses; written are `<layer>.<module>` [train, validation] of mean losses."""
    named = {re.search(r"layers\.(.+)$", name)[1]: (score.T / counted**2).double().contiguous() for name, score in scores.items()}
    save_file(named, FOLDER / file)
