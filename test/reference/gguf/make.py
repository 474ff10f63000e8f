"""Small GGUF files and what Python makes of them. Nothing here is needed by `npm test`.

    python make.py [DEMO.gguf]     (gguf 0.19.0, numpy, safetensors 0.8.0, tokenizers 0.23.3, torch 2.13.0, transformers 5.23.0,
                                    sentencepiece 0.2.1)

blocks.gguf, blocks.safetensors     one tensor per number type, and gguf-py's dequantisation
llama.gguf, llama.safetensors       a random Llama as llama.cpp's converter writes it, and the tensors of transformers' GGUF loader
rope.json                           divisors of the rotary frequencies (`rope_freqs.weight`) of Llama 3 models
<pre>.gguf, ids.json                vocabularies, and the ids that tokenizers and sentencepiece give for texts full of traps
demo-ids.json                       with DEMO.gguf: ids of transformers' tokenizer of the demo model
"""
import io
import json
import sys
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import torch
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

here = Path(__file__).parent
random = np.random.default_rng(7)


def writer(name, arch="llama"):
    return gguf.GGUFWriter(here / f"{name}.gguf", arch)


def finish(w):
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


# Where the float16 numbers of a block stand; the other bytes may be anything.
halves = {
    Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q8_0: [0], Type.Q2_K: [80, 82], Type.Q3_K: [108],
    Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208],
}
plain = {Type.F32: np.float32, Type.F16: np.float16}


def block_types():
    w = writer("blocks")
    reference = {}
    for kind in [*plain, Type.BF16, *halves]:
        numbers, size = gguf.GGML_QUANT_SIZES[kind]
        rows, columns = 3, 512
        if kind in plain:
            raw = random.standard_normal((rows, columns)).astype(plain[kind])
            raw[0, :4] = [0, -0.0, 6e-8, -65504]
            w.add_tensor(kind.name, raw)
            reference[kind.name] = raw.astype(np.float32)
            continue
        if kind == Type.BF16:
            raw = gguf.quants.quantize(random.standard_normal((rows, columns)).astype(np.float32), kind)
        else:
            raw = random.integers(0, 256, (rows, columns // numbers * size), dtype=np.uint8)
            blocks = raw.reshape(-1, size)
            for at in halves[kind]:
                scale = (random.standard_normal(len(blocks)) * 0.1).astype(np.float16)
                scale[:3] = [6e-8, -0.0, 30000]  # subnormal, negative zero, large
                blocks[:, at:at + 2] = scale.view(np.uint8).reshape(-1, 2)
        w.add_tensor(kind.name, raw, raw_dtype=kind)
        reference[kind.name] = gguf.quants.dequantize(raw, kind).reshape(rows, columns)
    finish(w)
    save_file(reference, here / "blocks.safetensors")


def permuted(matrix, heads):
    """The row order of llama.cpp's converter: of each head, row (half, pair) becomes (pair, half)."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def llama():
    torch.manual_seed(3)
    config = LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                         num_key_value_heads=2, max_position_embeddings=128, rms_norm_eps=1e-5, tie_word_embeddings=False,
                         rope_parameters={"rope_type": "default", "rope_theta": 50000.0})
    state = {name: value.numpy() for name, value in LlamaForCausalLM(config).state_dict().items()}
    w = writer("llama")
    w.add_block_count(2), w.add_context_length(128), w.add_embedding_length(32), w.add_feed_forward_length(64)
    w.add_head_count(4), w.add_head_count_kv(2), w.add_layer_norm_rms_eps(1e-5), w.add_rope_freq_base(50000.0)
    w.add_rope_dimension_count(8), w.add_vocab_size(64)
    vocabulary(w, "gpt2", [chr(65 + i) for i in range(64)], [1] * 64, merges=[])
    kinds = {"q_proj": Type.Q5_1, "k_proj": Type.F16, "v_proj": Type.Q8_0, "o_proj": Type.BF16, "gate_proj": Type.Q4_0,
             "up_proj": Type.Q4_1, "down_proj": Type.Q5_0, "embed_tokens": Type.Q8_0, "lm_head": Type.F16}
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, 2)
    for name, value in state.items():
        module = name.split(".")[-2]
        if module == "q_proj":
            value = permuted(value, 4)
        if module == "k_proj":
            value = permuted(value, 2)
        kind = kinds.get(module, Type.F32)
        stored = names.get_name(name, try_suffixes=(".weight",))
        if kind in plain:
            w.add_tensor(stored, value.astype(plain[kind]))
        else:
            w.add_tensor(stored, gguf.quants.quantize(value, kind), raw_dtype=kind)
    finish(w)
    loaded = AutoModelForCausalLM.from_pretrained(here, gguf_file="llama.gguf", dtype=torch.float32)
    save_file({name: value.contiguous().numpy() for name, value in loaded.state_dict().items()}, here / "llama.safetensors")


def rope():
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
    cases = []
    for factor, head in [(8.0, 128), (32.0, 64)]:
        scaling = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": factor, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                   "original_max_position_embeddings": 8192}
        config = LlamaConfig(hidden_size=4 * head, num_attention_heads=4, max_position_embeddings=131072, rope_parameters=scaling)
        stretched, _ = ROPE_INIT_FUNCTIONS["llama3"](config, "cpu")
        plain_frequencies = 1.0 / 500000.0 ** (torch.arange(0, head, 2, dtype=torch.float32) / head)
        cases.append({"factor": factor, "head": head, "theta": 500000.0, "divisors": (plain_frequencies / stretched).tolist()})
    (here / "rope.json").write_text(json.dumps(cases) + "\n")


words = """the a of and to in is that it was for on are as with his they at be this from have or by one had not but what all were
when we there can an your which their said if do will each about how up out them then she many some so these would other into has more
two like him see time could no make than first been its who now people made over did down only way find use may water long little very
review sentence capital answer question positive negative France Paris city country layer influence gradient weight model""".split()
corpus = [" ".join(words[(i * k) % len(words)] for i in range(1, 40)) + "." for k in range(1, 60)]
corpus += ["def f(x):\n    return x + 1\n", "naïve café, résumé", "1234 5678 90", "日本語のテキスト", "🙂👍🏽", "DON'T we'll"] * 4
texts = [
    "The capital of France is Paris.", "  two  spaces \n\n\tand tabs ", "12345 + 67 = 12412", "naïve café vs cafe\u0301", "日本語のテキスト🙂👩‍👩‍👧",
    "def f(x):\n    return x  # don't WE'LL", "iPhoneXR DON'T re-do//it\n/ 3.14 (1,234,567) м x²½ 999", "<|im_start|>user<|end|> the end</s>", "tail space ", "zero\u200bwidth no\u00a0break", "",
]


def vocabulary(w, model, tokens, kinds, merges=None, scores=None, pre=None):
    w.add_tokenizer_model(model)
    if pre:
        w.add_tokenizer_pre(pre)
    w.add_token_list(tokens)
    w.add_token_types(kinds)
    if merges is not None:
        w.add_token_merges(merges)
    if scores is not None:
        w.add_token_scores(scores)


LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def regex(pattern):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def cased(ending, digits):
    """Words end where a capital begins another: o200k_base, and Tekken with each digit for itself and no English endings."""
    word = r"[^\r\n\p{L}\p{N}]?"
    return (rf"{word}{UPPER}*{LOWER}+{ending}|{word}{UPPER}+{LOWER}*{ending}|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*"
            r"|\s*[\r\n]+|\s+(?!\S)|\s+")


# As in the tokenizer.json of SmolLM2, Llama 3, Qwen2, GPT-2, Falcon, Phi-4, StableLM 2, Phi-4-mini and Mistral Nemo.
byte_level = {
    "smollm": dict(pre=pre_tokenizers.Sequence([pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)])),
    "llama-bpe": dict(pre=regex(LLAMA3), ignore_merges=True, bos=True),
    "qwen2": dict(pre=regex(LLAMA3.replace("{1,3}", "")), normalizer=normalizers.NFC()),
    "gpt-2": dict(pre=pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "falcon": dict(pre=pre_tokenizers.Sequence([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(False),
        pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated")])),
    "dbrx": dict(pre=regex(LLAMA3)),
    "stablelm2": dict(pre=regex(LLAMA3.replace("{1,3}", "")), normalizer=normalizers.NFC()),
    "gpt-4o": dict(pre=regex(cased("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", r"\p{N}{1,3}"))),
    "tekken": dict(pre=regex(cased("", r"\p{N}")), ignore_merges=True, bos=True),
}


def tokenizers_ids():
    ids = {}
    special = ["<|im_start|>", "</s>"]
    for name, setting in byte_level.items():
        t = Tokenizer(models.BPE(ignore_merges=setting.get("ignore_merges", False)))
        t.normalizer = setting.get("normalizer")
        t.pre_tokenizer = setting["pre"]
        t.decoder = decoders.ByteLevel()
        t.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=420, special_tokens=special, show_progress=False,
                                                         initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
        t.add_tokens([AddedToken("<|end|>", normalized=False)])
        if setting.get("bos"):
            t.post_processor = processors.TemplateProcessing(single="<|im_start|> $A", special_tokens=[("<|im_start|>", 0)])
        model = json.loads(t.to_str())["model"]
        tokens = [t.id_to_token(i) for i in range(t.get_vocab_size())]
        w = writer(name)
        vocabulary(w, "gpt2", tokens, [3 if x in special else 4 if x == "<|end|>" else 1 for x in tokens],
                   merges=[" ".join(m) for m in model["merges"]], pre=name)
        w.add_bos_token_id(0), w.add_eos_token_id(1)
        if name in ("qwen2", "stablelm2"):
            w.add_add_bos_token(False)
        finish(w)
        ids[name] = [{"text": x, "ids": t.encode(x).ids} for x in texts]

    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in corpus for line in text.split("\n") if line]), model_writer=file, vocab_size=600,
        model_type="bpe", byte_fallback=True, character_coverage=1.0, normalization_rule_name="identity",
        remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True)
    sp = sentencepiece.SentencePieceProcessor(model_proto=file.getvalue())
    kinds = [2 if sp.is_unknown(i) else 3 if sp.is_control(i) else 6 if sp.is_byte(i) else 1 for i in range(sp.get_piece_size())]
    w = writer("sentencepiece")
    vocabulary(w, "llama", [sp.id_to_piece(i) for i in range(len(kinds))], kinds, scores=[sp.get_score(i) for i in range(len(kinds))])
    w.add_unk_token_id(sp.unk_id()), w.add_bos_token_id(sp.bos_id()), w.add_eos_token_id(sp.eos_id())
    finish(w)
    # sentencepiece takes "</s>" in a text as characters, Hugging Face as the token: left out here.
    ids["sentencepiece"] = [{"text": x, "ids": [sp.bos_id(), *sp.encode(x)]} for x in texts if "</s>" not in x]
    (here / "ids.json").write_text("{" + ",\n".join(f"{json.dumps(name)}: {lines(rows)}" for name, rows in ids.items()) + "}\n")


def lines(rows):
    return "[\n" + ",\n".join(" " + json.dumps(row, ensure_ascii=False) for row in rows) + "\n]"


def demo(path):
    t = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    rows = [{"text": x, "ids": t(x)["input_ids"]} for x in texts]
    (here / "demo-ids.json").write_text(lines(rows) + "\n")


block_types()
llama()
rope()
tokenizers_ids()
if len(sys.argv) > 1:
    demo(Path(sys.argv[1]))
