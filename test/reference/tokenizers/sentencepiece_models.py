"""Folders that hold a tokenizer.model and no tokenizer.json, and the ids that AutoTokenizer gives for the texts of texts.json.

    python sentencepiece_models.py     (transformers 5.24.0, sentencepiece 0.2.3, tiktoken 0.14.0)

Writes sentencepiece.json: `models` in base64, trained here (unigram and BPE of SentencePiece, ranks of tiktoken), and `folders`
[{ name, files, ids }], where "@name" is a model and ids is null where AutoTokenizer cannot read the folder.
"""

import base64
import io
import json
import logging
import tempfile
import warnings
from pathlib import Path

import sentencepiece
import transformers
from transformers import AutoTokenizer

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
logging.disable(logging.CRITICAL)
here = Path(__file__).parent
texts = json.loads((here / "texts.json").read_text())

words = """the a of and to in is that it was for on are as with his they at be this from have or by one had not but what all were
when we there can an your which their said if do will each about how up out them then she many some so these would other into has more
review sentence capital answer question positive negative France Paris city country layer influence gradient weight model""".split()
corpus = [" ".join(words[(i * k) % len(words)] for i in range(1, 30)) + "." for k in range(1, 60)]
corpus += ["def f(x): return x + 1", "naïve café, résumé", "1234 5678 90", "日本語のテキスト 中文", "DON'T we'll I'm", "two  spaces   three"] * 4


def train(**options):
    file = io.BytesIO()
    defaults = dict(vocab_size=420, character_coverage=0.995, normalization_rule_name="identity", hard_vocab_limit=False, minloglevel=2, num_threads=1)
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(corpus), model_writer=file, **{**defaults, **options})
    return file.getvalue()


def rules():
    table = Path(tempfile.mkdtemp()) / "rules.tsv"
    found = {chr(0xFB01): "fi", chr(0x2167): "VIII", "e\u0301": "é", "A\u030a": "Å", "\t": " ", "\n": " ", "\u3000": " ", "\u00a0": " ", "\u200b": "", "...": "\u2026", "²": "2"}
    table.write_text("".join(" ".join(f"{ord(c):X}" for c in k) + "\t" + " ".join(f"{ord(c):X}" for c in v) + "\n" for k, v in found.items()))
    return str(table)


def tiktoken():
    """Bytes, then words and their beginnings, as ranks."""
    ranks = [bytes([b]) for b in range(256)]
    for word in words:
        for start in ("", " "):
            text = (start + word).encode()
            for end in range(2, len(text) + 1):
                if text[:end] not in ranks:
                    ranks.append(text[:end])
    return b"".join(base64.b64encode(token) + f" {rank}\n".encode() for rank, token in enumerate(ranks[:700]))


models = {
    "unigram": train(model_type="unigram", vocab_size=230),
    "unigram_bytes": train(model_type="unigram", vocab_size=480, byte_fallback=True, user_defined_symbols=["<t>", "the_"], control_symbols=["<|im_start|>", "<|im_end|>"]),
    "unigram_rules": train(model_type="unigram", vocab_size=230, normalization_rule_name="", normalization_rule_tsv=rules()),
    "unigram_bare": train(model_type="unigram", vocab_size=230, add_dummy_prefix=False, remove_extra_whitespaces=False),
    "bpe": train(model_type="bpe", byte_fallback=True, split_digits=True, remove_extra_whitespaces=False, allow_whitespace_only_pieces=True),
    "bpe_user": train(model_type="bpe", byte_fallback=True, user_defined_symbols=["<t>", "  ", "the_", "?!"], control_symbols=["<|im_start|>", "<|im_end|>"]),
    "bpe_unknown": train(model_type="bpe", vocab_size=230, normalization_rule_name="", normalization_rule_tsv=rules()),
    "bpe_gemma": train(model_type="bpe", byte_fallback=True, add_dummy_prefix=False, remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True,
                       pad_id=0, eos_id=1, bos_id=2, unk_id=3, eos_piece="<eos>", bos_piece="<bos>", user_defined_symbols=["<mask>", "<start_of_turn>", "\n\n"]),
    "tiktoken": tiktoken(),
}

llama = {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "legacy": False}
decoder = {"3": {"content": "<extra>", "special": True, "normalized": False}, "480": {"content": "<|im_end|>", "special": True}}
folders = {}
for model in ("unigram", "unigram_bytes", "unigram_rules", "unigram_bare", "bpe", "bpe_user", "bpe_unknown"):
    folders[f"{model}, mistral"] = {"config.json": {"model_type": "mistral"}, "tokenizer.model": f"@{model}"}
folders["bpe_user, mistral, not legacy"] = {"config.json": {"model_type": "mistral"}, "tokenizer_config.json": {"legacy": False, "add_bos_token": True, "add_eos_token": True}, "tokenizer.model": "@bpe_user"}
folders["bpe_user, no class named"] = {"config.json": {"model_type": "llama"}, "tokenizer.model": "@bpe_user"}
folders["bpe, names of tokens"] = {"config.json": {"model_type": "mistral"}, "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "added_tokens_decoder": decoder}, "tokenizer.model": "@bpe"}
folders["bpe, Llama"] = {"config.json": {"model_type": "llama"}, "tokenizer_config.json": llama, "tokenizer.model": "@bpe"}
folders["bpe_user, Llama"] = {"config.json": {"model_type": "llama"}, "tokenizer_config.json": llama, "tokenizer.model": "@bpe_user"}
folders["bpe, Llama, legacy"] = {"config.json": {"model_type": "llama"}, "tokenizer_config.json": {**llama, "legacy": True}, "tokenizer.model": "@bpe"}
folders["bpe, Llama, no prefix"] = {"config.json": {"model_type": "llama"}, "tokenizer_config.json": {**llama, "add_prefix_space": False}, "tokenizer.model": "@bpe"}
folders["bpe, Llama, added tokens"] = {"config.json": {"model_type": "llama"}, "tokenizer_config.json": {**llama, "added_tokens_decoder": {"0": {"content": "<unk>", "special": True}, "420": {"content": "<t>", "special": False, "lstrip": True}}}, "tokenizer.model": "@bpe"}
folders["bpe, Llama, added_tokens.json"] = {"config.json": {"model_type": "llama"}, "tokenizer_config.json": llama, "added_tokens.json": {"<t>": 420}, "special_tokens_map.json": {"bos_token": "<s>", "pad_token": "<t>"}, "tokenizer.model": "@bpe"}
folders["unigram_bytes, Llama"] = {"config.json": {"model_type": "llama"}, "tokenizer_config.json": llama, "tokenizer.model": "@unigram_bytes"}
folders["bpe_gemma, Gemma"] = {"config.json": {"model_type": "gemma2"}, "tokenizer_config.json": {"tokenizer_class": "GemmaTokenizer", "add_bos_token": True}, "tokenizer.model": "@bpe_gemma"}
folders["bpe_gemma, Gemma by its model_type"] = {"config.json": {"model_type": "gemma"}, "tokenizer.model": "@bpe_gemma"}
folders["bpe_gemma, mistral"] = {"config.json": {"model_type": "mistral"}, "tokenizer.model": "@bpe_gemma"}
folders["bpe, phi3"] = {"config.json": {"model_type": "phi3"}, "tokenizer_config.json": llama, "tokenizer.model": "@bpe"}
folders["tiktoken, Llama"] = {"config.json": {"model_type": "llama"}, "tokenizer_config.json": {**llama, "bos_token": "<s>"}, "tokenizer.model": "@tiktoken"}
folders["tiktoken, no class named"] = {"config.json": {"model_type": "llama"}, "tokenizer_config.json": {"extra_special_tokens": ["<t>", "<|im_start|>"]}, "tokenizer.model": "@tiktoken"}
folders["tiktoken, gap in added tokens"] = {"config.json": {"model_type": "mistral"}, "tokenizer_config.json": {"bos_token": "<s>", "add_bos_token": True, "added_tokens_decoder": {"700": {"content": "<s>", "special": True}, "703": {"content": "<t>", "special": True}}}, "tokenizer.model": "@tiktoken"}


def ids_of(files):
    at = Path(tempfile.mkdtemp())
    for name, content in files.items():
        if isinstance(content, str):
            (at / name).write_bytes(models[content[1:]])
        else:
            (at / name).write_text(json.dumps(content))
    try:
        tokenizer = AutoTokenizer.from_pretrained(at)
    except Exception as error:
        print("refused:", type(error).__name__, str(error)[:200])
        return None
    print(type(tokenizer).__name__, end=" ")
    return [" ".join(map(str, tokenizer(text)["input_ids"])) for text in texts]


found = []
for name, files in folders.items():
    ids = ids_of(files)
    print(name)
    found.append({"name": name, "files": files, "ids": ids})
(here / "sentencepiece.json").write_text(
    json.dumps({"models": {name: base64.b64encode(data).decode() for name, data in models.items()}, "folders": found}, ensure_ascii=False, indent=0) + "\n"
)
