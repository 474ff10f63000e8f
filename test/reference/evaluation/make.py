"""What lm-evaluation-harness measures on a tiny random Llama, document by document.

    python make.py [FOLDER OF A MODEL]     (lm_eval, transformers, torch; run in this folder)

Without an argument: writes the model (a byte-level BPE of 300 tokens, two layers, bfloat16) and reference.json. With one: prints the
same numbers for that model as JSON, to compare `layerif evaluate --log-samples` with the harness on a real checkpoint.
The tasks in tasks/ have the seven zero-shot forms that pruning papers report, few-shot, and texts in several windows; the rows are ours.
"""
import json
import os
import sys
from pathlib import Path

import lm_eval
import torch
import transformers
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

here = Path(__file__).parent.resolve()
MAX_LENGTH = 64


def write_model(folder):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    texts = [line for file in sorted((here / "data").glob("*.jsonl")) for line in file.read_text().splitlines()]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<bos>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<bos>")
    fast.save_pretrained(folder)
    torch.manual_seed(5)
    config = transformers.LlamaConfig(
        vocab_size=400, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=MAX_LENGTH, bos_token_id=0, eos_token_id=0, tie_word_embeddings=True,
        initializer_range=0.4,
    )
    transformers.LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)


def evaluate(folder, max_length):
    folder = Path(folder).resolve()
    os.chdir(here / "tasks")  # the harness resolves data files from here
    model = HFLM(pretrained=str(folder), dtype="float32", device="cpu", batch_size=1, max_length=max_length)
    names = sorted(file.stem for file in (here / "tasks").glob("*.yaml"))
    manager = TaskManager(include_path=str(here / "tasks"), include_defaults=False)
    found = lm_eval.simple_evaluate(model=model, tasks=names, task_manager=manager, log_samples=True, bootstrap_iters=100)
    keep = lambda values: {k: v for k, v in values.items() if k.endswith(",none")}
    return {
        "lm_eval": lm_eval.__version__,
        "transformers": transformers.__version__,
        "results": {name: keep(found["results"][name]) for name in names},
        "samples": {
            name: [sample["resps"] for sample in sorted(found["samples"][name], key=lambda s: s["doc_id"])]
            for name in names
        },
    }


if len(sys.argv) > 1:
    print(json.dumps(evaluate(sys.argv[1], 2048)))
else:
    write_model(here / "model")
    (here / "reference.json").write_text(json.dumps(evaluate(here / "model", MAX_LENGTH)) + "\n")
