"""What lm-evaluation-harness 0.4.13 measures with --apply_chat_template on the tiny model of make.py, document by document.

    python chat.py        (lm_eval, transformers, torch; after make.py; writes chat.json)

Tasks of tasks/ and chat_tasks/ x chat templates of ../chat/templates x --fewshot_as_multiturn, --system_instruction. The model is given
512 positions, which its rotary embedding has without training, and an end of text, which the harness needs.
"""
import json
import os
import shutil
import tempfile
from pathlib import Path

import lm_eval
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

here = Path(__file__).parent.resolve()
MAX_LENGTH = 512
TASKS = ["arc_fewshot", "boolq_form", "choice_prefix", "cloze", "generate", "generate_prefix", "rolling", "winogrande_form"]
#: The last two: a template without a system's message, and no template at all.
RUNS = [
    {"template": "chatml", "multiturn": True, "system": None},
    {"template": "chatml", "multiturn": False, "system": "Be brief."},
    {"template": "llama3", "multiturn": True, "system": "Be brief. "},
    {"template": "gemma", "multiturn": False, "system": "Be brief."},
    {"template": None, "multiturn": False, "system": "Be brief."},
]


def evaluate(folder, template, multiturn, system):
    model = HFLM(pretrained=folder, dtype="float32", device="cpu", batch_size=1, max_length=MAX_LENGTH)
    if template is not None:
        model.tokenizer.chat_template = (here / f"../chat/templates/{template}.jinja").read_text(encoding="utf-8")
    manager = TaskManager(include_path=[str(here / "tasks"), str(here / "chat_tasks")], include_defaults=False)
    found = lm_eval.simple_evaluate(
        model=model, tasks=TASKS, task_manager=manager, log_samples=True, bootstrap_iters=0, limit=2,
        apply_chat_template=template is not None, fewshot_as_multiturn=multiturn, system_instruction=system,
    )
    samples = lambda name: sorted(found["samples"][name], key=lambda sample: sample["doc_id"])
    # arguments: context and continuation (or how it is generated); resps: log-likelihood and greedy, or the text
    return {name: [{"arguments": [list(a) for a in s["arguments"]], "resps": s["resps"]} for s in samples(name)] for name in TASKS}


with tempfile.TemporaryDirectory() as folder:
    shutil.copytree(here / "model", folder, dirs_exist_ok=True)
    config = json.loads((here / "model/config.json").read_text())
    (Path(folder) / "config.json").write_text(json.dumps({**config, "max_position_embeddings": MAX_LENGTH}))
    tokenizer = json.loads((here / "model/tokenizer_config.json").read_text())
    (Path(folder) / "tokenizer_config.json").write_text(json.dumps({**tokenizer, "eos_token": "<bos>"}))
    os.chdir(here / "tasks")  # the harness resolves data files from here
    runs = [{**run, "samples": evaluate(folder, **run)} for run in RUNS]
(here / "chat.json").write_text(json.dumps({"lm_eval": lm_eval.__version__, "tasks": TASKS, "runs": runs}) + "\n")
