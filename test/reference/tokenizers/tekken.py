"""A small tekken.json, and the ids that mistral-common and transformers give for the texts of texts.json -> tekken.json.

    python tekken.py     (mistral-common 1.13.1, tiktoken 0.14; for `found`: transformers 5.24 without mistral-common)

`vocab` are byte ranks trained by tiktoken's own way of merging; as in Mistral's files the vocabulary is longer than what
is used, and special tokens are fewer than their places. mistral-common takes no special token out of a text; transformers'
conversion does, as tokenizer.json of the same models: `found`.
"""
import base64
import collections
import json
import tempfile
from pathlib import Path

import regex
import tiktoken

here = Path(__file__).parent
texts = json.loads((here / "texts.json").read_text(encoding="utf-8"))
PATTERN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PLACES = 30
SPECIAL = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "<pad>", "<|im_start|>"]
more = ["<s>[INST] the answer [/INST] Paris</s>", "[INST][/INST]", "x<SPECIAL_12>y", "<pad>", " [IMG] [TOOL_CALLS]"]


def ranks(count):
    """Byte pairs, the most frequent first."""
    words = collections.Counter()
    for text in texts:
        words.update(regex.findall(PATTERN, text))
    parts = {word: [bytes([b]) for b in word.encode()] for word in words}
    known = [bytes([b]) for b in range(256)]
    while len(known) < count:
        pairs = collections.Counter()
        for word, pieces in parts.items():
            for pair in zip(pieces, pieces[1:]):
                pairs[pair] += words[word]
        (left, right), _ = max(pairs.items(), key=lambda item: (item[1], item[0]))
        known.append(left + right)
        for word, pieces in parts.items():
            joined = []
            for piece in pieces:
                if joined and (joined[-1], piece) == (left, right):
                    joined[-1] = left + right
                else:
                    joined.append(piece)
            parts[word] = joined
    return known


def file(special):
    known = ranks(420)
    return {
        "config": {
            "pattern": PATTERN,
            "num_vocab_tokens": len(known),
            "default_vocab_size": PLACES + 400,
            "default_num_special_tokens": PLACES,
            "version": "v7" if special else "v3",
        },
        "vocab": [
            {"rank": i, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
            for i, token in enumerate(known)
        ],
        **({"special_tokens": [{"rank": i, "token_str": s, "is_control": True} for i, s in enumerate(SPECIAL)]} if special else {}),
    }


def line(ids):
    return " ".join(map(str, ids))


def main():
    out = json.loads((here / "tekken.json").read_text()) if (here / "tekken.json").exists() else {}
    out["files"] = {"named": file(True), "older": file(False)}
    for name, content in out["files"].items():
        with tempfile.TemporaryDirectory() as folder:
            at = Path(folder) / "tekken.json"
            at.write_text(json.dumps(content))
            try:
                from mistral_common.tokens.tokenizers.tekken import Tekkenizer

                tokenizer = Tekkenizer.from_file(at)
                out.setdefault("ids", {})[name] = [line(tokenizer.encode(t, bos=True, eos=False)) for t in texts]
                direct = tiktoken.Encoding(
                    "t", pat_str=PATTERN, special_tokens={}, mergeable_ranks={k: i for i, k in enumerate(ranks(420)[:400])}
                )
                for text in texts:
                    expected = [1] + [PLACES + i for i in direct.encode(text, disallowed_special=())]
                    assert tokenizer.encode(text, bos=True, eos=False) == expected, text
            except ImportError:
                if name == "older":
                    continue  # needs mistral-common too
                from transformers import AutoTokenizer

                (Path(folder) / "config.json").write_text(json.dumps({"model_type": "mistral"}))
                tokenizer = AutoTokenizer.from_pretrained(folder)
                out["found"] = {text: line([1] + tokenizer(text).input_ids) for text in texts + more if any(s in text for s in SPECIAL)}
                out["found"].update({text: line([1] + tokenizer(text).input_ids) for text in more})
    (here / "tekken.json").write_text(json.dumps(out, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


main()
