"""captum TracInCP with one checkpoint (learning rate 1): the gradient dot products of all 210 matrices, summed over matrices."""

import time

import torch
import torch.nn.functional as F
from captum.influence import TracInCP
from contestant import load_model, load_tokens, report, save_total
from torch.utils.data import TensorDataset

BATCH = 2


class Logits(torch.nn.Module):
    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids, use_cache=False).logits[:, :-1]


class SummedLoss:
    """Of a sum over samples, which captum takes apart; each sample's loss is its mean over tokens."""

    reduction = "sum"

    def __call__(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum") / labels.shape[1]


model, tokens = load_model(), load_tokens()
for parameter in model.parameters():
    parameter.requires_grad_()  # captum hangs hooks on the inputs of the layers, which must ask for gradients
wrapped = Logits(model)
layers = [name for name, module in wrapped.named_modules() if isinstance(module, torch.nn.Linear) and ".layers." in name]
assert len(layers) == 210
pairs = {split: (rows, rows[:, 1:].contiguous()) for split, rows in tokens.items()}

began = time.perf_counter()
tracin = TracInCP(
    wrapped, TensorDataset(*pairs["train"]), checkpoints=["as loaded"], checkpoints_load_func=lambda model, checkpoint: 1.0,
    layers=layers, loss_fn=SummedLoss(), batch_size=BATCH, sample_wise_grads_per_batch=True,
)  # fmt: skip
scores = tracin.influence(pairs["validation"])
seconds = time.perf_counter() - began
save_total("captum", scores.T)
report(seconds, batch=BATCH)
