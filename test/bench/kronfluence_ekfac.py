"""kronfluence, strategy `ekfac` with the empirical Fisher and its usual damping (0.1 of the mean eigenvalue), per-module scores.

Most of its time are the 420 eigendecompositions, whatever the number of samples.
"""

import tempfile
import time

from contestant import report
from kronfluence.analyzer import Analyzer, prepare_model
from kronfluence.arguments import FactorArguments, ScoreArguments
from kronfluence_task import QUERY_BATCH, TRAIN_BATCH, load

task, model, train, query, _ = load()
with tempfile.TemporaryDirectory() as folder:
    began = time.perf_counter()
    analyzer = Analyzer("bench", prepare_model(model, task), task, cpu=True, output_dir=folder, disable_tqdm=True)
    arguments = FactorArguments(strategy="ekfac", use_empirical_fisher=True)
    analyzer.fit_all_factors("ekfac", train, factor_args=arguments, per_device_batch_size=TRAIN_BATCH)
    factors = time.perf_counter() - began
    analyzer.compute_pairwise_scores(
        "scores", "ekfac", query, train, min(QUERY_BATCH, len(query)), TRAIN_BATCH,
        score_args=ScoreArguments(damping_factor=None, compute_per_module_scores=True),
    )  # fmt: skip
    analyzer.load_pairwise_scores("scores")
    seconds = time.perf_counter() - began

report(seconds, factors=factors, trainBatch=TRAIN_BATCH)
