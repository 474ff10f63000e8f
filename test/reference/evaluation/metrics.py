"""Metrics of all documents together, as lm-evaluation-harness aggregates them (lm_eval, scikit-learn; run in this folder).

    python metrics.py

Writes metrics.json: right classes and log-likelihoods of the choices, drawn with a seed, the numbers of the harness' own functions, and of
scikit-learn for averages that the harness leaves to task files.
"""
import json
from pathlib import Path

import numpy as np
from lm_eval import utils
from lm_eval.api import metrics
from sklearn.metrics import f1_score

random = np.random.default_rng(7)
cases = []
for classes, documents in [(2, 12), (2, 5), (3, 20), (4, 9)]:
    gold = random.integers(0, classes, documents).tolist()
    lls = (random.normal(size=(documents, classes)) - 5).round(3).tolist()
    predicted = [int(np.argmax(row)) for row in lls]
    pairs = list(zip(gold, predicted))
    values = {"mcc": float(metrics.matthews_corrcoef(pairs))}
    values["brier_score"] = float(metrics.brier_score([(g, utils.softmax(row)) for g, row in zip(gold, lls)]))
    if classes == 2:
        values["f1 binary"] = float(metrics.f1_score(pairs))
    for average in ["micro", "macro", "weighted"]:
        values[f"f1 {average}"] = float(f1_score(gold, predicted, average=average))
    cases.append({"gold": gold, "logLikelihoods": lls, "values": values})
Path(__file__).with_name("metrics.json").write_text(json.dumps(cases) + "\n")
