"""dattri LoGra: gradients of all 210 matrices projected to 64 x 64 by random normal matrices, identity Hessian, summed over matrices.

The same size as LayerIF's `projection: 64`; its eFIM Hessian would take 210 x 4096 x 4096 numbers, 14 GB. Projected, so approximate.
"""

import time

import torch
from contestant import load_model, load_tokens, report
from dattri.algorithm.logra import LoGraAttributor
from dattri.task import AttributionTask
from torch.utils.data import DataLoader, Dataset

BATCH = 4


class Rows(Dataset):
    def __init__(self, rows: torch.Tensor):
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict:
        return {"input_ids": self.rows[index], "labels": self.rows[index]}


def loss(model, batch, device):
    return model(**batch, use_cache=False).loss


model, tokens = load_model(), load_tokens()
names = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and ".layers." in name]
assert len(names) == 210
train, query = (DataLoader(Rows(tokens[split]), batch_size=BATCH) for split in ("train", "validation"))

began = time.perf_counter()
task = AttributionTask(loss_func=loss, model=model, checkpoints=model.state_dict())
attributor = LoGraAttributor(task, layer_names=names, hessian="Identity", device="cpu", proj_dim=64 * 64, offload="none")
attributor.cache(train)
scores = attributor.attribute(train, query)
seconds = time.perf_counter() - began
report(seconds, batch=BATCH, shape=list(scores.shape))
