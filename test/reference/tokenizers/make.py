"""Small tokenizers in every form a checkpoint has them, and the ids that transformers' AutoTokenizer gives for texts full of traps.

    python make.py     (transformers 5.24.0, tokenizers 0.23.3, sentencepiece 0.2.3, protobuf 7)

models.json      `model` sections of tokenizer.json, trained here; `charsmap` is the table of a sentencepiece normaliser in base64
texts.json       the texts
parts.json       one tokenizer.json of each kind of part (normalizer, pre_tokenizer, post_processor, flags of added tokens): ids
folders.json     Hugging Face folders: which file and which class decides; a model is named by "@name"
pre.json         names of llama.cpp's ways of splitting: ids; bytelevel.gguf is their vocabulary, written by gguf-py 0.19.0
harness.json     what lm-evaluation-harness 0.4.13 makes of texts that begin with BOS
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

import gguf
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
                wordlevel=wordlevel, charsmap=charsmap)


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


# Names of llama.cpp -> what the text is cut by, one after the other; None: the words of GPT-2 in the byte-level step itself.
CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
CL100K = CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
HAN = r"[一-龥\u3040-ゟ゠-ヿ]+"
DEEPSEEK = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+SIGNS|\s+(?!\S)|\s+"""
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
CJK = r"[一-龥\u0800-一가-\ud7ff]+"


def o200k(digits, contractions=CONTRACTIONS + "?"):
    word = r"[^\r\n\p{L}\p{N}]?"
    return (word + UPPER + "*" + LOWER + "+" + contractions + "|" + word + UPPER + "+" + LOWER + "*" + contractions + "|" + digits
            + r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def llama_cpp():
    nfc, digit, three = normalizers.NFC(), pre_tokenizers.Digits(True), CL100K.replace("DIGITS", r"\p{N}{1,3}")
    one, tiny = CL100K.replace("DIGITS", r"\p{N}"), [r"\d{1,3}(?=(?:\d{3})*\b)", o200k(r"\p{N}{1,3}")]
    deepseek3 = [r"\p{N}{1,3}", HAN, DEEPSEEK.replace("SIGNS", r"[\r\n]*|\s*[\r\n]+")]
    bailing = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
    kimi = [u.replace("]", "&&[^\\p{Han}]]") for u in (UPPER, LOWER)]
    word = r"[^\r\n\p{L}\p{N}]?"
    kimi = (r"[\p{Han}]+|" + word + kimi[0] + "*" + kimi[1] + "+" + CONTRACTIONS + "?|" + word + kimi[0] + "+" + kimi[1] + "*" + CONTRACTIONS + "?"
            + r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    scripts = r"[一-\u9fff\u3400-\u4dbf\uf900-\ufaff\u3040-ゟ゠-ヿ･-ﾟ\u2f00-\u2fdfเ-\u0e7f\u0e80-\u0effក-\u17ffက-႟ꩠ-ꩿꧠ-\ua9ff가-\ud7afᄀ-ᇿ]+"
    letters = ("A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌῐ-\u1fd3ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿ"
               "ⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃")
    runs = "|".join(rf"\s{{{n}}}(?!\S)" for n in (512, 256, 128, 64, 32, 16, 8, 4, "1,2"))
    # cuts, normaliser, ignore_merges
    rows = {
        "default": ([r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],),
        "gpt-2 phi-2 jais trillion granite-docling exaone4 gigachat a.x-4.0 mellum jina-es jina-de jina-v2-es jina-v2-de modern-bert": ([None],),
        "olmo mpt": ([None], nfc),
        "smollm starcoder refact codeshell exaone minerva-7b mellum2": ([digit, None],),
        "command-r": ([digit, None], nfc),
        "falcon": ([pre_tokenizers.Punctuation("contiguous"), None, pre_tokenizers.Digits(False), "[0-9][0-9][0-9]"],),
        "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2": ([three], None, True),
        "dbrx smaug-bpe glm4 chatglm-bpe": ([three],),
        "qwen2 stablelm2 deepseek-r1-qwen megrez kormo f2llmv2": ([one], nfc),
        "hunyuan solar-open grok-2": ([one],),
        "qwen35": ([one.replace(r"?\p{L}+", r"?[\p{L}\p{M}]+").replace(r" ?[^\s\p{L}\p{N}]", r" ?[^\s\p{L}\p{M}\p{N}]")], nfc),
        "jais-2": ([three.replace(r"\s+(?!\S)|\s+", runs + r"|\s{1}")],),
        "minicpm5": ([r"\p{N}{1,3}", CL100K.replace("DIGITS", r"\p{N}+")], None, True),
        "laguna": ([r"[^\n]+|[\n]+", one],),
        "ufakzeka": ([one.removeprefix(CONTRACTIONS + "|")],),
        "seed-coder": ([one.replace(r" ?[^\s\p{L}\p{N}]+[\r\n]*", r" ?[^\s\p{L}\p{N}\r\n]+")],),
        "exaone-moe": ([CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"],),
        "gpt-4o llama4 kanana2 talkie minimax-m2": ([o200k(r"\p{N}{1,3}")],),
        "tiny_aya cohere2moe": (tiny,),
        "youtu": ([r"[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|" + HAN, o200k(r"\p{N}")], None, True),
        "tekken": ([o200k(r"\p{N}", "")], None, True),
        "kimi-k2": ([kimi],),
        "deepseek-llm": ([r"[\r\n]", rf"\s?[{letters}]+", r"\s?[!-/:-~！-／：-～‘-‟\u3000-。]+", r"\s+$", CJK, r"\p{N}+"],),
        "deepseek-coder": ([r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", CJK, r"\p{N}"],),
        "deepseek-v3 hunyuan-dense joyai-llm hy_v4": (deepseek3,),
        "spark2_5": ([r"\p{N}{1,3}", HAN, DEEPSEEK.replace("SIGNS", r"|[\r\n]"), r"\p{N}"],),
        "afmoe": ([r"\p{Nd}{1,3}(?=(?:\p{Nd}{3})*(?!\p{Nd}))", scripts, deepseek3[2]],),
        "bloom poro-chat gpt3-finnish": ([BLOOM],), "viking": ([BLOOM, r"\p{N}"],), "superbpe": ([r"\p{N}+", r"(?=(\d{3})+(?!\d))"],),
        "bailingmoe bailingmoe2 llada-moe": ([bailing],),
        "chameleon": (["<sentinel:[0-9]+>", "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z", r"([\t\n]|    |  )", r"\p{N}", r"[\p{P}!-/:-@\[-`{-~]", GPT2],),
    }
    return {name: row for names, row in rows.items() for name in names.split(" ")}


def make_pre():
    model, rows = BASE["bytelevel"], {}
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    w = gguf.GGUFWriter(here / "bytelevel.gguf", "llama")
    w.add_tokenizer_model("gpt2"), w.add_token_list(tokens), w.add_token_types([3 if x in SPECIAL else 1 for x in tokens])
    w.add_token_merges([" ".join(m) for m in model["merges"]]), w.add_bos_token_id(1), w.add_eos_token_id(2)
    w.write_header_to_file(), w.write_kv_data_to_file(), w.close()
    for name, row in llama_cpp().items():
        cuts, normal, ignore = (*row, None, False)[:3] if len(row) < 3 else row
        steps = [pre_tokenizers.ByteLevel(add_prefix_space=False) if c is None else split(c) if isinstance(c, str) else c for c in cuts]
        if None not in cuts:
            steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
        content = file_of(state("bytelevel", normal, pre_tokenizers.Sequence(steps), tokens=specials("bytelevel")[:3]))
        content["model"]["ignore_merges"] = bool(ignore)
        t = Tokenizer.from_str(json.dumps(content))
        rows[name] = dict(ids=[" ".join(map(str, t.encode(x).ids)) for x in texts])
    write("pre.json", rows)
    print(len(rows), "ways of splitting")


def folders():
    """Folder -> its files; a class that rebuilds, files of special tokens beside tokenizer.json, forms without it."""
    P, N = pre_tokenizers, normalizers
    legacy = state("fallback", N.Sequence([N.Prepend("▁"), N.Replace(" ", "▁")]),
                   post=processors.TemplateProcessing(single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 1)]))
    level = state("bytelevel", None, P.ByteLevel(add_prefix_space=False))
    qwen = state("bytelevel", None, P.Sequence([split(CL100K.replace("DIGITS", r"\p{N}{1,3}")), P.ByteLevel(add_prefix_space=False, use_regex=False)]))
    gemma = state("fallback", N.Replace(" ", "▁"))
    files = lambda json_, model, **config: {"tokenizer.json": json_, "config.json": dict(model_type=model), "tokenizer_config.json": config}
    named = dict(unk_token="<unk>", bos_token="<s>", eos_token="</s>")
    out = {
        "no settings": {"tokenizer.json": legacy, "config.json": dict(model_type="llama")},
        "class of the model's settings": {"tokenizer.json": legacy, "config.json": dict(model_type="llama", tokenizer_class="LlamaTokenizer")},
        "generic": files(legacy, "llama", tokenizer_class="PreTrainedTokenizerFast", **named),
        "unknown class": files(legacy, "llama", tokenizer_class="MyTokenizer", **named),
        "llama with bytes": files(level, "llama", tokenizer_class="LlamaTokenizerFast", **named),
        "mistral": files(legacy, "mistral", tokenizer_class="LlamaTokenizer", legacy=True, **named),
        "mixtral": files(legacy, "mixtral", tokenizer_class="LlamaTokenizerFast", legacy=False, **named),
        "phi3": files(legacy, "phi3", tokenizer_class="LlamaTokenizer", legacy=False, **named),
        "stablelm": files(level, "stablelm", tokenizer_class="GPTNeoXTokenizerFast", **named),
        "olmo2": files(level, "olmo2", tokenizer_class="GPT2Tokenizer", **named),
        "olmo2 with llama": files(legacy, "olmo2", tokenizer_class="LlamaTokenizer", **named),
        "falcon": files(level, "falcon", tokenizer_class="PreTrainedTokenizerFast", **named),
        "gpt2": files(qwen, "gpt2", tokenizer_class="GPT2Tokenizer", **named), "gpt2 prefix": files(level, "gpt2", tokenizer_class="GPT2Tokenizer", add_prefix_space=True, **named),
        "gpt2 without class": files(qwen, "gpt2", **named), "gpt2 generic": files(qwen, "gpt2", tokenizer_class="PreTrainedTokenizerFast", **named),
        "opt": files(level, "opt", tokenizer_class="GPT2Tokenizer", add_bos_token=True, **named),
        "phi": files(qwen, "phi", tokenizer_class="CodeGenTokenizer", **named), "smollm": files(qwen, "llama", tokenizer_class="GPT2Tokenizer", **named),
        "gpt_neox": files(qwen, "gpt_neox", tokenizer_class="GPTNeoXTokenizerFast", **named), "gpt_neox bos": files(level, "gpt_neox", tokenizer_class="GPTNeoXTokenizer", add_bos_token=True, **named),
        "qwen2": files(qwen, "qwen2", tokenizer_class="Qwen2Tokenizer", **named), "qwen3 without class": files(qwen, "qwen3", **named),
        "qwen2 as llama": files(qwen, "qwen2", tokenizer_class="LlamaTokenizerFast", **named), "llama as qwen2": files(level, "llama", tokenizer_class="Qwen2Tokenizer", **named),
        "gemma": files(legacy, "gemma", tokenizer_class="GemmaTokenizer", **named), "gemma2 without class": files(gemma, "gemma2", **named),
        "gemma3_text": files(gemma, "gemma3_text", tokenizer_class="GemmaTokenizerFast", **named), "cohere class": files(level, "llama", tokenizer_class="CohereTokenizerFast", **named),
    }
    for old, space in itertools.product([None, True, False], repeat=2):
        extra = {k: v for k, v in dict(legacy=old, add_prefix_space=space).items() if v is not None}
        out[f"llama legacy {old} space {space}"] = files(legacy, "llama", tokenizer_class="LlamaTokenizer", **extra, **named)
    token = lambda x, **flags: {k: v for k, v in added(x, **flags).items() if k != "id"}
    n, b = size("fallback"), size("bytelevel")
    for base, model, clas, count in [(legacy, "llama", "LlamaTokenizer", n), (legacy, "llama", "PreTrainedTokenizerFast", n), (level, "gpt2", "GPT2Tokenizer", b)]:
        short = f"{clas}: "
        decoder = {"0": token("<unk>"), "1": token("<s>"), "2": token("</s>", rstrip=True), str(count): token("<t>", lstrip=True, rstrip=True),
                   str(count + 1): token("<extra>", normalized=True, special=False), str(count + 2): token("<|im_start|>"), str(count + 3): token("<|im_end|>", rstrip=True)}
        out[short + "decoder"] = files(base, model, tokenizer_class=clas, added_tokens_decoder=decoder, **named)
        out[short + "decoder, other order"] = files(base, model, tokenizer_class=clas, added_tokens_decoder={str(count + 5): token("<extra>"), str(count + 3): token("<|im_end|>"), "2": token("</s>")}, **named)
        out[short + "added_tokens.json"] = files(base, model, tokenizer_class=clas, **named) | {"added_tokens.json": {"<extra>": count + 1, "<|im_start|>": count + 2}}
        out[short + "special_tokens_map.json"] = files(base, model, tokenizer_class=clas) | {"special_tokens_map.json": {
            "bos_token": token("<s>", rstrip=True), "eos_token": "<|im_end|>", "additional_special_tokens": ["<extra>"]}}
        out[short + "both maps"] = files(base, model, tokenizer_class=clas, added_tokens_decoder=decoder, **named) | {
            "special_tokens_map.json": {"eos_token": token("<EXTRA>")}, "added_tokens.json": {"<|im_start|>": count + 7}}
        out[short + "named outside"] = files(base, model, tokenizer_class=clas, **(named | dict(eos_token="<|im_end|>", pad_token="<EXTRA>")))
        out[short + "additional"] = files(base, model, tokenizer_class=clas, additional_special_tokens=["<extra>", "the"], **named)
        out[short + "extra list"] = files(base, model, tokenizer_class=clas, extra_special_tokens=["<extra>"], **named)
        out[short + "extra by name"] = files(base, model, tokenizer_class=clas, extra_special_tokens={"image_token": "<extra>"}, image_end_token="<EXTRA>", **named)
        out[short + "flags of a name"] = files(base, model, tokenizer_class=clas, **(named | dict(bos_token=dict(__type="AddedToken", content="<s>", lstrip=True, rstrip=True, normalized=False, single_word=False))))
        out[short + "add_bos_token"] = files(base, model, tokenizer_class=clas, add_bos_token=True, add_eos_token=True, **named)
        out[short + "add_bos_token false"] = files(base, model, tokenizer_class=clas, add_bos_token=False, **named)
        out[short + "split_special_tokens"] = files(base, model, tokenizer_class=clas, split_special_tokens=True, added_tokens_decoder=decoder, **named)
    out["qwen2 split_special_tokens"] = files(qwen, "qwen2", tokenizer_class="Qwen2Tokenizer", split_special_tokens=True, **named)
    out["gemma split_special_tokens"] = files(gemma, "gemma", tokenizer_class="GemmaTokenizer", split_special_tokens=True, **named)
    slow = lambda model, config, **more: vocabulary_files("bytelevel") | {"config.json": dict(model_type=model), "tokenizer_config.json": dict(**more, **config)}
    out["slow gpt2"] = slow("gpt2", named, tokenizer_class="GPT2Tokenizer")
    out["slow gpt2 bos"] = slow("gpt2", named, tokenizer_class="GPT2Tokenizer", add_bos_token=True, add_eos_token=True)
    out["slow opt"] = slow("opt", named, tokenizer_class="GPT2Tokenizer", add_bos_token=True)
    out["slow qwen2"] = slow("qwen2", named, tokenizer_class="Qwen2Tokenizer")
    out["slow gpt_neox"] = slow("gpt_neox", named, tokenizer_class="GPTNeoXTokenizer")
    out["slow without settings"] = vocabulary_files("bytelevel") | {"config.json": dict(model_type="gpt2"), "special_tokens_map.json": named, "added_tokens.json": {"<extra>": b}}
    return out


def make_folders():
    rows = {}
    for name, content in folders().items():
        try:
            ids = lines(AutoTokenizer.from_pretrained(folder(content)))
        except Exception as error:
            print("REFUSED", name, type(error).__name__, str(error)[:120])
            continue
        rows[name] = dict(files=content, ids=ids)
    write("folders.json", rows)
    print(len(rows), "folders")


def make_harness():
    """Context and continuation as lm-evaluation-harness encodes them, with a tokenizer that puts <s> in front."""
    from lm_eval.models.huggingface import HFLM
    template = processors.TemplateProcessing(single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 1)])
    content = state("bytelevel", None, pre_tokenizers.ByteLevel(add_prefix_space=False), template)
    at = folder({"tokenizer.json": content, "config.json": dict(model_type="llama"),
                 "tokenizer_config.json": dict(tokenizer_class="PreTrainedTokenizerFast", bos_token="<s>", eos_token="</s>")})

    class Harness(HFLM):
        def __init__(self, tokenizer):
            self.tokenizer, self.add_bos_token, self.backend, self.custom_prefix_token_id = tokenizer, None, "causal", None

    harness = Harness(AutoTokenizer.from_pretrained(at))
    pairs = [("<s>the city", " of"), ("<s>the city ", "of"), ("the city", " of"), ("<s>", "the"), ("<s> ", "the"), (" <s>the", " of"),
             ("<s><s>the", " of"), ("</s>the", " of"), ("<s>the", " <s>of")]
    rows = []
    for context, continuation in pairs:
        before, after = harness._encode_pair(context, continuation)
        rows.append(dict(context=context, continuation=continuation, before=before, after=after))
    rolling = [dict(text=x, ids=harness.tok_encode(x)) for x in ["<s>the city", "the city", "<s>", "<s><s>of"]]
    write("harness.json", dict(tokenizer=content, pairs=rows, rolling=rolling))


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
    make_pre()
    make_harness()
    make_folders()
