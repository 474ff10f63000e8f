"""EK-FAC influence by kronfluence, in float64, on the tiny checkpoint llama/tied. See README.md.

    python test/reference/ekfac/make.py      (needs torch, transformers, safetensors, kronfluence 1.0.1)
"""

import json
import sys
import tempfile
from pathlib import Path

import torch
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments, ScoreArguments
from kronfluence.task import Task
from kronfluence.utils.dataset import DataLoaderKwargs
from safetensors.torch import save_file
from torch.nn.functional import cross_entropy

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from causal_lm import Float64Mode, double_model_of  # noqa: E402

CHECKPOINT = HERE.parent / "llama" / "tied"
VOCABULARY = 40
PAD = -100
DOUBLE = torch.float64


def samples_of(lengths: list[int], counted: list[int], seed: int) -> list[dict]:
    generator = torch.Generator().manual_seed(seed)
    return [
        {"tokens": torch.randint(VOCABULARY, (length,), generator=generator).tolist(), "countedFrom": first}
        for length, first in zip(lengths, counted)
    ]


class Texts(torch.utils.data.Dataset):
    """Padded rows; `labels` and `sampled` hold -100 where a position is not counted."""

    def __init__(self, samples: list[dict]):
        longest = max(len(s["tokens"]) for s in samples)
        self.rows = []
        for s in samples:
            tokens, first, n = s["tokens"], s["countedFrom"], len(s["tokens"])
            pad = [0] * (longest - n)
            counted = lambda values: [PAD] * (first - 1) + values + [PAD] * (longest - n + 1)
            self.rows.append({
                "input_ids": torch.tensor(tokens + pad),
                "attention_mask": torch.tensor([1] * n + pad),
                "labels": torch.tensor(counted(tokens[first:])),
                "sampled": torch.tensor(counted(s.get("sampled", tokens[first:]))),
            })

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i]


class LanguageModeling(Task):
    """`mean`: each sample's loss is the mean over its counted tokens, summed over samples; else the sum over tokens."""

    def __init__(self, modules: list[str], mean: bool):
        self.modules, self.mean = modules, mean

    def loss(self, batch, model, labels):
        with Float64Mode():
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False).logits
        nll = cross_entropy(logits.transpose(1, 2), labels, ignore_index=PAD, reduction="none")
        counts = (labels != PAD).sum(1) if self.mean else torch.ones(len(labels))
        return (nll.sum(1) / counts).sum()

    def compute_train_loss(self, batch, model, sample=False):
        return self.loss(batch, model, batch["sampled" if sample else "labels"])

    def compute_measurement(self, batch, model):
        return self.loss(batch, model, batch["labels"])

    def get_influence_tracked_modules(self):
        return self.modules

    def get_attention_mask(self, batch):
        return batch["attention_mask"]


def scores(train, validation, mean: bool, empirical: bool, dampings: list[float | None], folder: str) -> dict:
    model = double_model_of(CHECKPOINT)
    names = [n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and ".layers." in n]
    task = LanguageModeling(names, mean)
    model = prepare_model(model, task)
    analyzer = Analyzer("reference", model, task, cpu=True, output_dir=folder, disable_tqdm=True)
    analyzer.set_dataloader_kwargs(DataLoaderKwargs(num_workers=0))
    factors = FactorArguments(
        strategy="ekfac", use_empirical_fisher=empirical,
        activation_covariance_dtype=DOUBLE, gradient_covariance_dtype=DOUBLE, eigendecomposition_dtype=DOUBLE,
        per_sample_gradient_dtype=DOUBLE, lambda_dtype=DOUBLE,
    )  # fmt: skip
    analyzer.fit_all_factors("f", train, per_device_batch_size=4, factor_args=factors, overwrite_output_dir=True)
    found = {}
    for damping in dampings:
        arguments = ScoreArguments(
            damping_factor=damping, compute_per_module_scores=True,
            score_dtype=DOUBLE, per_sample_gradient_dtype=DOUBLE, precondition_dtype=DOUBLE,
        )  # fmt: skip
        analyzer.compute_pairwise_scores(
            "s", "f", validation, train, per_device_query_batch_size=2, per_device_train_batch_size=4,
            score_args=arguments, overwrite_output_dir=True,
        )  # fmt: skip
        for name, matrix in analyzer.load_pairwise_scores("s").items():  # [validation, train]
            assert matrix.dtype == DOUBLE
            found[f"{'heuristic' if damping is None else 'absolute'}.{name}"] = matrix.T.contiguous()
    return found


def main() -> None:
    ragged = ([12, 7, 9, 12, 5, 10], [1, 1, 4, 6, 1, 1])
    # name: (training samples, validation samples, mean loss, empirical Fisher, absolute damping)
    cases = {
        "summed": (samples_of([10] * 8, [1] * 8, 1), samples_of([10] * 3, [1] * 3, 2), False, True, 0.5),
        "mean": (samples_of(*ragged, 3), samples_of([11, 6, 8], [1, 2, 1], 4), True, True, 0.004),
        "sampled": (samples_of(*ragged, 5), samples_of([8, 12], [1, 3], 6), True, False, 0.004),
    }
    generator = torch.Generator().manual_seed(7)
    for sample in cases["sampled"][0]:
        sample["sampled"] = torch.randint(VOCABULARY, (len(sample["tokens"]) - sample["countedFrom"],), generator=generator).tolist()
    tensors, texts = {}, {}
    for name, (train, validation, mean, empirical, damping) in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            found = scores(Texts(train), Texts(validation), mean, empirical, [None, damping], folder)
        tensors |= {f"{name}.{key}": value for key, value in found.items()}
        texts[name] = {"train": train, "validation": validation, "damping": damping}
    save_file(tensors, HERE / "influence.safetensors")
    (HERE / "samples.json").write_text(json.dumps(texts) + "\n")


main()
