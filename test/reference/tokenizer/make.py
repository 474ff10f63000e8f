"""Five tiny tokenizers and the ids that Python's `tokenizers` gives for texts full of traps.

    python make.py        (tokenizers 0.23.3)

Writes `<name>.json` (a tokenizer.json each) and `ids.json`: name -> [{text, ids, plain, decoded}], where `plain` is without
special tokens and `decoded` is the text of `ids` with special tokens kept.
"""
import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

here = Path(__file__).parent

words = """the a of and to in is that it was for on are as with his they at be this from have or by one had not but what all were
when we there can an your which their said if do will each about how up out them then she many some so these would other into has more
her two like him see time could no make than first been its who now people my made over did down only way find use may water long little
very after words called just where most know review sentence capital answer question positive negative France Paris city country layer
influence gradient weight model token loss training validation score""".split()
corpus = [" ".join(words[(i * k) % len(words)] for i in range(1, 40)) + "." for k in range(1, 60)]
corpus += ["def f(x):\n    return x + 1\n", "naïve café, résumé; Ünïcödé", "1234 5678 90", "日本語のテキスト", "नमस्ते दुनिया", "🙂👍🏽"] * 4

texts = [
    "", " ", "the", " the answer is Paris.", "The capital of France is Paris", "  two  spaces  ", "a\nb\r\n\tc\n\n", "naïve café",
    "cafe\u0301 vs café", "日本語のテキスト。", "नमस्ते", "👩‍👩‍👧‍👦 family", "12345 + 67 = 12412", "def f(x):\n    return x", "don't we'll I'm",
    "<s>literal</s> special", "<|end|>tail", "no\u00a0break", "zero\u200bwidth", "tail space ", "\u0013control", "ﬁ ligature Å", "x" * 40,
    "unknown ☃ snowman 𝔘", "UPPER lower Mixed", "question, answer; token: loss!",
]

SPECIAL = ["<unk>", "<s>", "</s>", "<|end|>"]


def trainer(kind, size, special=SPECIAL, **more):
    return kind(vocab_size=size, special_tokens=special, show_progress=False, **more)


def byte_level():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(corpus, trainer(trainers.BpeTrainer, 420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return t


def qwen():
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    t.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    t.train_from_iterator(corpus, trainer(trainers.BpeTrainer, 420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return t


def llama():
    """Llama 2: no pre-tokenizer, spaces as U+2581, bytes for what is unknown, <s> in front."""
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    trained = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    trained.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trained.train_from_iterator(corpus, trainer(trainers.BpeTrainer, 560, special, limit_alphabet=80))
    state = json.loads(trained.to_str())
    state["pre_tokenizer"] = None
    state["model"]["fuse_unk"] = True
    state["added_tokens"] = state["added_tokens"][:3]  # the byte tokens belong to the vocabulary only
    t = Tokenizer.from_str(json.dumps(state))
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    t.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return t


def unigram():
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizers.NFKC()
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.decoder = decoders.Metaspace()
    t.train_from_iterator(corpus, trainer(trainers.UnigramTrainer, 300, unk_token="<unk>"))
    t.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    return t


def wordpiece():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer()
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece(cleanup=False)
    t.train_from_iterator(corpus, trainer(trainers.WordPieceTrainer, 400, special))
    t.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return t


ids = {}
for make in (byte_level, qwen, llama, unigram, wordpiece):
    t, name = make(), make.__name__
    (here / f"{name}.json").write_text(json.dumps(json.loads(t.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n")
    ids[name] = [
        {"text": text, "ids": t.encode(text).ids, "plain": t.encode(text, add_special_tokens=False).ids,
         "decoded": t.decode(t.encode(text).ids, skip_special_tokens=False)} for text in texts]
(here / "ids.json").write_text(json.dumps(ids, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n")
