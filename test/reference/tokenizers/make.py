"""Small tokenizers in every form a checkpoint has them, and the ids that transformers' AutoTokenizer gives for texts full of traps.

    python make.py     (transformers 5.24.0, tokenizers 0.23.3, sentencepiece 0.2.3, protobuf 7)

models.json      `model` sections of tokenizer.json, trained here; `spm` is the sentencepiece file in base64
texts.json       the texts
parts.json       one tokenizer.json of each kind of part (normalizer, pre_tokenizer, post_processor, flags of added tokens): ids
folders.json     Hugging Face folders: which file and which class decides; a model is named by "@name"
Ids stand as one line of numbers per text.
"""
import base64
import copy
import io
import itertools
import json
import logging
import tempfile
import warnings
from pathlib import Path

import sentencepiece
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer
from transformers.convert_slow_tokenizer import import_protobuf

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
logging.disable(logging.CRITICAL)
here = Path(__file__).parent

words = """the a of and to in is that it was for on are as with his they at be this from have or by one had not but what all were
when we there can an your which their said if do will each about how up out them then she many some so these would other into has more
two like him see time could no make than first been its who now people made over did down only way find use may water long little very
review sentence capital answer question positive negative France Paris city country layer influence gradient weight model""".split()
corpus = [" ".join(words[(i * k) % len(words)] for i in range(1, 40)) + "." for k in range(1, 60)]
corpus += ["def f(x):\n    return x + 1\n", "naïve café, résumé", "1234 5678 90", "日本語のテキスト 中文", "🙂👍🏽", "DON'T we'll I'm", "สวัสดี",
           "مرحبا بالعالم", "नमस्ते", "  ", "\n\n", "ﬁne Ⅷ ½", "iPhoneXR GetHTTPResponse"] * 4

texts = [
    "", " ", "  ", "\n", "\t\t", "the", " the answer is Paris.", "The capital of France is Paris.", "  two  spaces  and   three ",
    "a\nb\r\n\tc\n\n\nd \n e", "\n\n  indented\n    more\n", "12345 + 67 = 12412", "1 22 333 4444 55555 666666 7777777", "3.14 (1,234,567) 10%",
    "٣٤٥ १२३ Ⅷ ½ x²", "naïve café vs cafe\u0301 A\u030a Å", "日本語のテキスト、中文。", "한국어 문장", "สวัสดีครับ ภาษาไทย", "مرحبا بالعالم", "नमस्ते दुनिया",
    "🙂👩\u200d👩\u200d👧\u200d👦 👍🏽🏳️\u200d🌈", "don't DON'T we'll WE'LL I'm it's 'tis '' rock'n'roll d'accord", "ı’m it’s", "def f(x):\n    return x  # comment\n",
    "iPhoneXR GetHTTPResponse camelCase re-do//it\n/ ok", "UPPER lower MiXeD ΣΑΣ ŒUVRE straße İstanbul", "no\u00a0break\u2003em\u3000wide",
    "zero\u200bwidth \ufeffbom a\u0085b \u2028line", "\u0000nul \u0013control \u007fdel", "ﬁ ligature ２ ｆｕｌｌ ™ ①", "ab" * 60, "x" * 300, "_under_score __init__",
    "!?.,;:-()[]{}<>@#$%^&*+=|\\/~`\"'", "...!!??", "$100 €20 ¥3 <=> += ->", "𝔘nicode 𠀀𠀁 𐍈", "https://example.com/a?b=c&d=e", "tail space ", "tail newline\n",
    "<s>begin", "a<s>b", "a <s> b", " <s>", "</s></s>", "the <t> end", "the<t>end", "the  <t>  end", "<t><t> <t>", "\n<t>\n", "x<t> y <t>z", "<T> <t>s the_<t>",
    "<unk>", "<|im_start|>user\nhi<|im_end|>\n", "<|im_start|> user <|im_end|> the", "a<extra>b <extra> c", "the <EXTRA> of", "▁the ▁ of", "<0x41> <0x0A>",
    "Ġthe Ċ", "''s 's", "\r\n\r\n x\r", "a.b.c . d", "the\n\n\n\n\nof\n \n \n", "cafe\u0301\u0327 e\u0327\u0301", "\u1100\u1161\u11a8", "\U0001F1E9\U0001F1EA", "a\u200db", "१॰२",
]

SPECIAL = ["<unk>", "<s>", "</s>"]


def base_models():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=430, special_tokens=SPECIAL, show_progress=False,
                                                     initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    bytelevel = json.loads(t.to_str())["model"]

    special = SPECIAL + [f"<0x{b:02X}>" for b in range(256)]
    t = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=560, special_tokens=special, limit_alphabet=80, show_progress=False))
    fallback = json.loads(t.to_str())["model"]

    t = Tokenizer(models.BPE(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=260, special_tokens=SPECIAL, limit_alphabet=60, show_progress=False,
                                                     continuing_subword_prefix="##", end_of_word_suffix="</w>"))
    affixes = json.loads(t.to_str())["model"]

    t = Tokenizer(models.Unigram())
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.train_from_iterator(corpus, trainers.UnigramTrainer(vocab_size=300, unk_token="<unk>", special_tokens=SPECIAL, show_progress=False))
    unigram = json.loads(t.to_str())["model"]
    withbytes = copy.deepcopy(unigram)
    withbytes["vocab"] += [[f"<0x{b:02X}>", 0.0] for b in range(256)]
    withbytes["byte_fallback"] = True

    t = Tokenizer(models.WordPiece(unk_token="<unk>"))
    t.normalizer = normalizers.BertNormalizer()
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.train_from_iterator(corpus, trainers.WordPieceTrainer(vocab_size=330, special_tokens=SPECIAL, show_progress=False))
    wordpiece = json.loads(t.to_str())["model"]

    t = Tokenizer(models.WordLevel(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    t.train_from_iterator(corpus, trainers.WordLevelTrainer(vocab_size=120, special_tokens=SPECIAL, show_progress=False))
    wordlevel = json.loads(t.to_str())["model"]

    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in corpus for line in text.split("\n") if line.strip()]), model_writer=file, vocab_size=560,
        model_type="bpe", byte_fallback=True, character_coverage=0.99, normalization_rule_name="identity", split_digits=True,
        remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, user_defined_symbols=["<extra>"], minloglevel=2)
    spm = base64.b64encode(file.getvalue()).decode()
    rules = {chr(0xFB01): "fi", chr(0x2167): "VIII", chr(0xBD): "1/2", chr(0xFF52): "r", chr(0xFF4C): "l", "e\u0301": "é", "A\u030a": "Å",
             "\t": " ", "\n": " ", "\u3000": " ", "\u00a0": " ", "\u200b": "", "\ufeff": "", "...": "\u2026", "\u1100\u1161": "\uac00", "²": "2", "™": "TM"}
    table = Path(tempfile.mkdtemp()) / "rules.tsv"
    table.write_text("".join(" ".join(f"{ord(c):X}" for c in k) + "\t" + " ".join(f"{ord(c):X}" for c in v) + "\n" for k, v in rules.items()))
    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in corpus for line in text.split("\n") if line.strip()]), model_writer=file, vocab_size=140,
        model_type="unigram", character_coverage=0.99, normalization_rule_tsv=str(table), minloglevel=2)
    proto = import_protobuf().ModelProto.FromString(file.getvalue())
    charsmap = base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()
    return dict(bytelevel=bytelevel, fallback=fallback, affixes=affixes, unigram=unigram, withbytes=withbytes, wordpiece=wordpiece,
                wordlevel=wordlevel, spm=spm, charsmap=charsmap)


BASE = base_models()


def file_of(value):
    """What "@name" stands for."""
    if isinstance(value, dict):
        return {k: file_of(v) for k, v in value.items()}
    if isinstance(value, list):
        return [file_of(v) for v in value]
    if isinstance(value, str) and value.startswith("@"):
        return copy.deepcopy(BASE[value[1:]])
    return value


def lines(t):
    return [" ".join(map(str, t(x)["input_ids"])) for x in texts]


def folder(files):
    at = Path(tempfile.mkdtemp())
    for name, content in files.items():
        content = file_of(content)
        if name == "tokenizer.model":
            (at / name).write_bytes(base64.b64decode(content))
        else:
            (at / name).write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return at


def vocabulary_files(name):
    model = BASE[name]
    return {"vocab.json": model["vocab"], "merges.txt": "#version: 0.2\n" + "\n".join(" ".join(m) for m in model["merges"]) + "\n"}


def added(token, **flags):
    return dict(id=0, content=token, single_word=False, lstrip=False, rstrip=False, normalized=False, special=True) | flags


def size(model):
    return len(BASE[model]["vocab"])


def specials(model):
    """The three tokens of every model by their own ids, and <t>, which is outside of it."""
    vocab = BASE[model]["vocab"]
    ids = {p[0]: i for i, p in enumerate(vocab)} if isinstance(vocab, list) else vocab
    return [added(x, id=ids[x]) for x in SPECIAL] + [added("<t>", id=size(model))]


def state(model, normalizer=None, pre=None, post=None, tokens=None, decoder=None):
    as_json = lambda part: part if part is None or isinstance(part, dict) else json.loads(part.__getstate__())
    return dict(version="1.0", truncation=None, padding=None, added_tokens=specials(model) if tokens is None else tokens,
                normalizer=as_json(normalizer), pre_tokenizer=as_json(pre), post_processor=as_json(post), decoder=as_json(decoder),
                model="@" + model)


def split(regex, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(regex), behavior, invert)


def parts():
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    both = lambda *steps: pre_tokenizers.Sequence([*steps, level])
    N, P = normalizers, pre_tokenizers
    cases = {"bytes": state("bytelevel", None, P.ByteLevel(add_prefix_space=False)), "bytes prefix": state("bytelevel", None, P.ByteLevel(add_prefix_space=True)),
             "bytes no pre": state("bytelevel", N.ByteLevel()), "fallback no pre": state("fallback"), "affixes": state("affixes", None, P.Whitespace()),
             "unigram": state("unigram", N.NFKC(), P.Metaspace()), "unigram bytes": state("withbytes", None, P.Metaspace()),
             "unigram whole": state("unigram", None, P.Metaspace(split=False)),
             "wordpiece": state("wordpiece", N.BertNormalizer(), P.BertPreTokenizer()), "wordlevel": state("wordlevel", None, P.Whitespace())}
    for i, pre in enumerate([P.Digits(True), P.Digits(False), P.Punctuation("isolated"), P.Punctuation("contiguous"), P.Punctuation("removed"),
                             P.Punctuation("merged_with_previous"), P.Punctuation("merged_with_next"), P.Whitespace(), P.WhitespaceSplit(),
                             P.BertPreTokenizer(), P.CharDelimiterSplit("e"), P.FixedLength(3), P.Split(" ", "merged_with_previous"),
                             P.Split(" ", "merged_with_next"), P.Split("e", "contiguous"), P.Split(" ", "removed"), P.Split(" ", "isolated", invert=True)]):
        cases[f"pre {i}"] = state("bytelevel", None, both(pre))
    llama3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    upper, lower = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
    o200k = (rf"[^\r\n\p{{L}}\p{{N}}]?{upper}*{lower}+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{{L}}\p{{N}}]?{upper}+{lower}*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
             r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    possessive = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
    for i, regex in enumerate([llama3, o200k, possessive, r"\d{1,3}(?=(?:\d{3})*\b)", r"(?=(\d{3})+(?!\d))", r"\w+|[^\w\s]+", r" ?[^(\s|[.,!?…。，、।۔،])]+",
                               r"[\p{Han}]+|[\u0E00-\u0E7F]+", r"\S+\s*"]):
        cases[f"regex {i}"] = state("bytelevel", None, both(split(regex)))
    cases["regex removed"] = state("bytelevel", None, both(split(r"[aeiou]+", "removed")))
    cases["regex inverted"] = state("bytelevel", None, both(split(r"\w+", "removed", True)))
    for scheme, cut in itertools.product(["always", "first", "never"], [True, False]):
        cases[f"metaspace {scheme} {cut}"] = state("fallback", None, P.Metaspace(prepend_scheme=scheme, split=cut))
    cases["words, metaspace"] = state("unigram", None, P.Sequence([P.WhitespaceSplit(), P.Metaspace(prepend_scheme="first")]))
    cases["older metaspace"] = state("unigram", None, dict(type="Metaspace", replacement="▁", add_prefix_space=True))
    charsmap = dict(type="Precompiled", precompiled_charsmap="@charsmap")
    for i, normal in enumerate([N.NFC(), N.NFD(), N.NFKC(), N.NFKD(), N.Lowercase(), N.Strip(), N.Strip(left=False), N.StripAccents(), N.Nmt(), charsmap,
                                dict(type="Sequence", normalizers=[charsmap, dict(type="Replace", pattern=dict(Regex=" {2,}"), content=" ")]),
                                N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]), N.Replace("a", "$&"), N.Replace(Regex(r"\s+"), " "), N.Prepend("x"),
                                N.BertNormalizer(), N.BertNormalizer(lowercase=False), N.BertNormalizer(strip_accents=False, clean_text=False),
                                N.BertNormalizer(handle_chinese_chars=False, strip_accents=True, lowercase=False)]):
        cases[f"normalizer {i}"] = state("bytelevel", normal, P.ByteLevel(add_prefix_space=False))
        cases[f"normalizer {i} unigram"] = state("unigram", normal, P.Metaspace())
    template = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B", special_tokens=[("<s>", 1), ("</s>", 2)])
    for i, post in enumerate([template, processors.RobertaProcessing(("</s>", 2), ("<s>", 1)), processors.BertProcessing(("</s>", 2), ("<s>", 1)),
                              processors.ByteLevel(), processors.Sequence([processors.ByteLevel(), template])]):
        cases[f"post {i}"] = state("bytelevel", None, P.ByteLevel(add_prefix_space=False), post)
    # Flags of an added token, with a normaliser that changes it and without one.
    flags = ["single_word", "lstrip", "rstrip", "normalized"]
    for which in itertools.product([False, True], repeat=4):
        token = added("<t>", id=size("bytelevel"), special=not which[3], **dict(zip(flags, which)))
        name = " ".join(f for f, on in zip(flags, which) if on) or "plain"
        cases[f"token {name}"] = state("bytelevel", N.Lowercase(), P.ByteLevel(add_prefix_space=False), tokens=specials("bytelevel")[:3] + [token])
    overlap = [added(x, id=size("fallback") + i, normalized=n, special=False)
               for i, (x, n) in enumerate([("the ", True), ("he answer", False), ("answer", False), (" of", True), ("  ", False), ("\n\n", True), ("\n", True)])]
    cases["tokens that overlap"] = state("fallback", N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]), None, tokens=specials("fallback")[:3] + overlap)
    return cases


def write(name, rows):
    out = ",\n".join(f"{json.dumps(key)}: {json.dumps(row, ensure_ascii=False, separators=(',', ':'))}" for key, row in rows.items())
    (here / name).write_text("{\n" + out + "\n}\n", encoding="utf-8")


def make_parts():
    rows = {}
    for name, content in parts().items():
        at = folder({"tokenizer.json": content})
        t = Tokenizer.from_file(str(at / "tokenizer.json"))
        try:
            ids = [" ".join(map(str, t.encode(x).ids)) for x in texts]
        except Exception as error:  # a text that a unigram without <unk> cannot take
            raise SystemExit(f"{name}: {error}")
        rows[name] = dict(tokenizer=content, ids=ids)
    write("parts.json", rows)
    print(len(rows), "parts")


if __name__ == "__main__":
    (here / "models.json").write_text(json.dumps(BASE, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    (here / "texts.json").write_text(json.dumps(texts, indent=0) + "\n")
    make_parts()
