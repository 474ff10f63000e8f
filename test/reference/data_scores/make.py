"""Scores of rows by transformers in float64, numpy and scikit-learn, written from the papers and what their scripts compute.

    node model.ts /tmp/tiny && python make.py /tmp/tiny      (writes data_scores.json beside itself)

The model is the tiny random Llama of the tests, whose byte-level tokenizer has a few merges; once with the token that begins every text and
once without. Per row: losses of the answer behind its prompt and alone as the published IFD scripts take them (text encoded as one, cut,
counted from the place where the answer is last found), and over the same tokens, the two encoded apart; the loss as it is trained on;
log-probabilities of the answer's tokens and the masks that thresholds make of them; mean states of the last block; BM25 with a loop over
words; facility location by computing every gain anew.
"""
import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

HERE = Path(__file__).parent
MAX_LENGTH = 64
rows = [json.loads(line) for line in (HERE / "rows.jsonl").read_text().splitlines()]
targets = [json.loads(line) for line in (HERE / "targets.jsonl").read_text().splitlines()]
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float64).eval()
states = {}
model.model.layers[-1].register_forward_hook(lambda _m, _a, out: states.update(last=out[0] if isinstance(out, tuple) else out))


def log_probabilities(ids):
    """of tokens 1, 2, ... in nats"""
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    return torch.log_softmax(logits[:-1], -1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0]


def mean_loss(ids, start):
    """over tokens start, start + 1, ...; token 0 is never predicted"""
    start = max(1, start)
    if len(ids) <= start:
        return None
    return -log_probabilities(ids)[start - 1 :].mean().item()


def compat(encode, prompt, answer, prefix):
    """what data_analysis.py of Superfiltering (prefix '') and Cherry_LLM ('### Response:') count"""
    if answer == "":
        return None, None
    text = prompt + answer
    conditioned = mean_loss(encode(text)[:MAX_LENGTH], len(encode(text[: text.rfind(answer)])))
    prompt_length = min(MAX_LENGTH, len(encode(prompt)))
    if prefix == "":
        room = MAX_LENGTH - prompt_length + 1
        return conditioned, mean_loss(encode(answer)[:room], 0)
    room = MAX_LENGTH - prompt_length - 2
    if room <= 4:
        return conditioned, None
    alone = prefix + answer
    return conditioned, mean_loss(encode(alone)[:room], len(encode(alone[: alone.rfind(answer)])))


def apart(encode, plain, begin, prompt, answer, prefix):
    """the same tokens of the answer behind the prompt, and behind the prefix or the token that begins texts"""
    if answer == "":
        return None, None
    kept = prompt.rstrip()
    own = encode(kept) if kept else []
    whole = encode(prompt + answer)
    first = encode("")  # what the tokenizer puts in front of everything
    tokens = whole[len(own) or len(first) :] if whole[: len(own)] == own else plain(prompt[len(kept) :] + answer)

    def loss(before, limit):
        left = tokens[: limit - max(1, len(before))] if limit else tokens
        return mean_loss(before + left, len(before))

    ids = own + tokens
    if not own:
        conditioned = loss([begin], MAX_LENGTH)
    else:
        excess = min(max(0, len(ids) - MAX_LENGTH), len(own) - 1)
        conditioned = mean_loss(ids[excess : excess + MAX_LENGTH], len(own) - excess)
    return conditioned, loss(encode(prefix) if prefix else [begin], MAX_LENGTH)


def trained(encode, prompt, answer):
    """ids, first counted token: encoded as one text, the prompt's own count, cut from the left"""
    ids = encode(prompt + answer)
    kept = prompt.rstrip()
    boundary = max(1, len(encode(kept)) if kept else 0)
    excess = min(max(0, len(ids) - MAX_LENGTH), boundary - 1)
    return ids[excess : excess + MAX_LENGTH], boundary - excess


def pooled(encode, row):
    ids, _ = trained(encode, row["instruction"], row["output"])
    with torch.no_grad():
        model(torch.tensor([ids]))
    last = states["last"].reshape(len(ids), -1)
    return last.mean(0).numpy(), last[-1].numpy()


def bm25(documents, queries, k1=1.5, b=0.75):
    words = lambda text: re.findall(r"[a-z0-9]+", text.lower())
    docs = [words(d) for d in documents]
    mean = sum(map(len, docs)) / len(docs)
    out = []
    for doc in docs:
        total = 0.0
        for query in queries:
            for word in words(query):
                n = sum(word in d for d in docs)
                f = doc.count(word)
                if f:
                    total += math.log(1 + (len(docs) - n + 0.5) / (n + 0.5)) * f / (f + k1 * (1 - b + b * len(doc) / mean))
        out.append(total / len(queries))
    return out


def greedy(similarity, budget):
    """every gain anew at every step"""
    n = len(similarity)
    chosen, gains = [], []
    while len(chosen) < budget:
        covered = np.maximum(0, similarity[:, chosen].max(1)) if chosen else np.zeros(n)
        found = [(np.maximum(0, similarity[:, j] - covered).sum(), -j) for j in range(n) if j not in chosen]
        gain, j = max(found)
        chosen.append(-j)
        gains.append(float(gain))
    return chosen, gains


def every(begins):
    tokenizer = Tokenizer.from_file(f"{sys.argv[1]}/tokenizer.json")
    if not begins:
        data = json.loads(tokenizer.to_str())
        data["post_processor"] = None
        tokenizer = Tokenizer.from_str(json.dumps(data))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
    encode = lambda text: fast.encode(text)
    plain = lambda text: tokenizer.encode(text, add_special_tokens=False).ids
    pairs = [(row["instruction"], row["output"]) for row in rows]
    out = {
        "compat_ppl": [compat(encode, *pair, "") for pair in pairs],
        "compat_loss": [compat(encode, *pair, "### Response:") for pair in pairs],
        "apart_ppl": [apart(encode, plain, 0, *pair, "") for pair in pairs],
        "apart_loss": [apart(encode, plain, 0, *pair, "### Response:") for pair in pairs],
    }
    trainable = [trained(encode, *pair) if pair[1] else None for pair in pairs]
    out["loss"] = [mean_loss(*one) if one else None for one in trainable]
    out["tokens"] = [
        None if one is None else {"from": one[1], "logp": log_probabilities(one[0])[one[1] - 1 :].tolist()} for one in trainable
    ]
    usable = [i for i, one in enumerate(trainable) if one is not None]
    vectors = {i: pooled(encode, rows[i]) for i in usable}
    wanted = [pooled(encode, row) for row in targets]
    for at, pool in enumerate(["mean", "last"]):
        x = np.stack([vectors[i][at] for i in usable])
        v = np.stack([w[at] for w in wanted])
        means = cosine_similarity(x, v).mean(1)
        out[f"similarity_{pool}"] = [float(means[usable.index(i)]) if i in usable else None for i in range(len(rows))]
    x = np.stack([vectors[i][0] / np.linalg.norm(vectors[i][0]) for i in usable])
    for name, similarity in {
        "euclidean": np.exp(-euclidean_distances(x) / x.shape[1]),
        "cosine": x @ x.T,
    }.items():
        order, gains = greedy(similarity, len(usable))
        out[f"diversity_{name}"] = {"order": [usable[j] for j in order], "gains": gains}
    return out


result = {"max_length": MAX_LENGTH, "begins": every(True), "plain": every(False)}
text = lambda row: row["instruction"] + row["output"]
result["bm25"] = bm25([text(r) for r in rows], [text(t) for t in targets])
(HERE / "data_scores.json").write_text(json.dumps(result, indent=1) + "\n")
