"""bergson, its two commands one after the other: `build` stores the queries' gradients, `score` multiplies the training samples' with
them; no projection, summed over matrices. Time is that of both commands, imports included, for they are separate programs.
"""

import os
import shutil
import subprocess
import sys
import time

import torch
from contestant import FOLDER, report, save_total

work = FOLDER / "bergson"
shutil.rmtree(work, ignore_errors=True)
work.mkdir()


def bergson(*arguments: str) -> None:
    common = ["--model", str(FOLDER.parent / "model"), "--prompt_column", "text", "--truncation", "--projection_dim", "0"]
    tail = ["--filter_modules", "lm_head", "--token_batch_size", "512", "--loss_reduction", "mean", "--nproc_per_node", "1"]
    subprocess.run([sys.executable, "-m", "bergson", *arguments, *common, *tail], check=True, stdout=sys.stderr, env=os.environ | {"HF_HUB_OFFLINE": "1"})


began = time.perf_counter()
bergson("build", str(work / "queries"), "--dataset", str(FOLDER / "validation.jsonl"))
bergson("score", str(work / "scores"), "--query_path", str(work / "queries"), "--dataset", str(FOLDER / "train.jsonl"), "--score", "individual")
seconds = time.perf_counter() - began

from bergson.data import load_scores  # noqa: E402

scores = load_scores(work / "scores")
save_total("bergson", torch.from_numpy(scores[:].copy()))
shutil.rmtree(work)
report(seconds)
