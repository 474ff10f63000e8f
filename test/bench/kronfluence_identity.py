"""kronfluence, strategy `identity` (gradient dot products, no Hessian), per-module scores: its cheapest way to layer influence."""

import tempfile
import time

from contestant import report
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments, ScoreArguments
from kronfluence_task import QUERY_BATCH, TRAIN_BATCH, load, save_per_module

task, model, train, query, counted = load()
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

save_per_module(scores, counted, "kronfluence.safetensors")
report(seconds, queryBatch=min(QUERY_BATCH, len(query)), trainBatch=TRAIN_BATCH)
