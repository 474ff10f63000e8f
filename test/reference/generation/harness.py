"""What lm-evaluation-harness makes of `generate_until` tasks on a tiny random Llama.

    python harness.py        (lm_eval, transformers, torch; run in this folder)

Writes the model (a byte-level BPE of 400 tokens, two layers, bfloat16), data/questions.jsonl and harness.json. The answers of the rows are made of what the model writes, so that some are right as they
are, some behind a filter or with the options of exact_match, and some are wrong.
"""

import json
import os
from pathlib import Path

import lm_eval
import torch
import transformers
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

here = Path(__file__).parent.resolve()
model_folder = here / "model"
MAX_LENGTH = 64
QUESTIONS = [
    "Which of these is a metal?",
    "What do plants take from the air?",
    "The bell rang and the children ran out of the",
    "He salted the soup and stirred it with a",
    "Does a heron hunt in deep water, or does it stand where the water is shallow and wait for fish all day long, "
    "and what does it do when the water is frozen?",
    "To see a distant star one uses",
]
rows = [{"question": q, "answer": "x", "many": ["x"], "choices": ["x", "y"], "index": 0} for q in QUESTIONS]


def write_model():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<bos>", "<eos>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(QUESTIONS + [Path(__file__).read_text()], trainer)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<bos>", eos_token="<eos>")
    fast.save_pretrained(model_folder)
    torch.manual_seed(5)
    config = transformers.LlamaConfig(
        vocab_size=400, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=MAX_LENGTH, bos_token_id=0, eos_token_id=1, tie_word_embeddings=True,
        initializer_range=0.4,
    )
    transformers.LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(model_folder)


def write():
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (here / "data" / "questions.jsonl").write_text(text)


def run(names):
    os.chdir(here / "tasks")  # the harness resolves data files from here
    model = HFLM(pretrained=str(model_folder), dtype="float32", device="cpu", batch_size=1, max_length=MAX_LENGTH)
    manager = TaskManager(include_path=str(here / "tasks"), include_defaults=False)
    return lm_eval.simple_evaluate(model=model, tasks=names, task_manager=manager, log_samples=True, bootstrap_iters=0)


def responses(found, name):
    first = {}
    for sample in found["samples"][name]:
        first.setdefault(sample["doc_id"], sample)
    return [first[i]["resps"][0] for i in sorted(first)]


write_model()
write()
written = [resps[0] for resps in responses(run(["written"]), "written")]
for i, (row, text) in enumerate(zip(rows, written)):
    answer = [text, text.upper(), text[: len(text) // 2] + "!?," + text[len(text) // 2 :], "wrong", text, "no"][i]
    row.update(answer=answer, many=["wrong", text] if i % 2 else ["wrong", "no"], choices=["no", text], index=i % 2)
write()

names = sorted(file.stem for file in (here / "tasks").glob("*.yaml"))
found = run(names)
out = {"lm_eval": lm_eval.__version__, "results": {}, "samples": {}}
for name in names:
    values = found["results"][name]
    out["results"][name] = {k: v for k, v in values.items() if "," in k}
    filtered = {}
    for sample in found["samples"][name]:
        filtered.setdefault(sample["filter"], {})[sample["doc_id"]] = sample["filtered_resps"][0]
    out["samples"][name] = {
        "resps": responses(found, name),
        "filtered": {f: [docs[i] for i in sorted(docs)] for f, docs in filtered.items()},
    }
    print(name, out["results"][name])
(here / "harness.json").write_text(json.dumps(out, indent=1) + "\n")
