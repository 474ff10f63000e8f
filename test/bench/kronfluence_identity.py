"""kronfluence, strategy `identity` (gradient dot products, no Hessian), per-module scores: its cheapest way to layer influence.

Its scores are of summed losses; they are written as `<layer>.<module>` [train, validation] of mean losses, for the check that all
contestants computed the same thing.
"""

import re
import tempfile
import time

import torch
import torch.nn.functional as F
from contestant import FOLDER, load_model, load_tokens, report
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments, ScoreArguments
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
        return [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and ".layers." in name]


model, tokens = load_model(), load_tokens()
task = LanguageModelling()
tracked = task.get_influence_tracked_modules()
assert len(tracked) == 210
train, query = Rows(tokens["train"]), Rows(tokens["validation"])

with tempfile.TemporaryDirectory() as folder:
    began = time.perf_counter()
    analyzer = Analyzer("bench", prepare_model(model, task), task, cpu=True, output_dir=folder, disable_tqdm=True)
    analyzer.fit_all_factors("none", train, factor_args=FactorArguments(strategy="identity"), per_device_batch_size=TRAIN_BATCH)
    analyzer.compute_pairwise_scores(
        "scores", "none", query, train, min(QUERY_BATCH, len(query)), TRAIN_BATCH,
        score_args=ScoreArguments(compute_per_module_scores=True),
    )  # fmt: skip
    scores = analyzer.load_pairwise_scores("scores")
    seconds = time.perf_counter() - began

counted = tokens["train"].shape[1] - 1
named = {re.search(r"layers\.(.+)$", name)[1]: (score.T / counted**2).double().contiguous() for name, score in scores.items()}
save_file(named, FOLDER / "kronfluence.safetensors")
report(seconds, queryBatch=min(QUERY_BATCH, len(query)), trainBatch=TRAIN_BATCH)
