"""A tiny random speech encoder as an ONNX graph, short synthetic audio, its log-mel spectrogram and hidden states.

    python make.py        (torch, transformers, onnx, safetensors; writes beside itself)

`tones.wav`, `noise.wav`: 16 kHz, 16-bit, one channel. `speech.safetensors`: `features.<audio>` [80, 100] by transformers'
WhisperFeatureExtractor for one second, `states.<audio>` [3, 50, 16] of transformers' WhisperEncoder in float64: before the first layer
and behind each, by hooks. `encoder.onnx` has the outputs last_hidden_state and hidden_states.0 to hidden_states.2, of which the last is
behind the final norm.
"""
import wave
from pathlib import Path

import numpy as np
import onnx
import torch
from safetensors.torch import save_file
from transformers import WhisperConfig, WhisperFeatureExtractor
from transformers.models.whisper.modeling_whisper import WhisperEncoder

HERE = Path(__file__).parent
rng = np.random.default_rng(3)
t = np.arange(int(0.8 * 16000)) / 16000
audio = {
    "tones": 0.4 * np.sin(2 * np.pi * (300 + 900 * t) * t) + 0.2 * np.sin(2 * np.pi * 2500 * t) + 0.01 * rng.normal(size=len(t)),
    "noise": 0.3 * rng.normal(size=8000) * np.sin(np.pi * np.arange(8000) / 8000),
}
extractor = WhisperFeatureExtractor(feature_size=80, chunk_length=1)
config = WhisperConfig(
    d_model=16, encoder_layers=2, encoder_attention_heads=2, encoder_ffn_dim=24, num_mel_bins=80, max_source_positions=50,
    attn_implementation="eager", dropout=0.0,
)
encoder = WhisperEncoder(config).eval()
generator = torch.Generator().manual_seed(11)
with torch.no_grad():
    for name, tensor in encoder.named_parameters():
        noise = torch.randn(tensor.shape, generator=generator)
        if tensor.dim() > 1:
            tensor.copy_(noise * (0.3 if tensor.dim() == 2 else 0.1))
        else:
            tensor.add_(0.1 * noise)


class States(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = encoder

    def forward(self, input_features):
        found = self.encoder(input_features, output_hidden_states=True, return_dict=True)
        return (found.last_hidden_state, *found.hidden_states)


out = {}
for name, samples in audio.items():
    numbers = np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2")
    with wave.open(str(HERE / f"{name}.wav"), "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(16000)
        file.writeframes(numbers.tobytes())
    features = extractor(numbers.astype(np.float32) / 32768, sampling_rate=16000, return_tensors="pt").input_features
    out[f"features.{name}"] = features[0].contiguous()
first = lambda value: value[0] if isinstance(value, tuple) else value
torch.onnx.export(
    States(), (out["features.tones"][None],), str(HERE / "encoder.onnx"), dynamo=False, opset_version=17,
    input_names=["input_features"], output_names=["last_hidden_state", *(f"hidden_states.{i}" for i in range(3))],
)
double = encoder.double()
for name in audio:
    states = []
    hooks = [double.layers[0].register_forward_pre_hook(lambda _, a, k: states.append(first(a) if a else k["hidden_states"]), with_kwargs=True)]
    hooks += [layer.register_forward_hook(lambda _, __, result: states.append(first(result))) for layer in double.layers]
    with torch.no_grad():
        double(out[f"features.{name}"][None].double())
    for hook in hooks:
        hook.remove()
    out[f"states.{name}"] = torch.cat(states).float()
save_file(out, str(HERE / "speech.safetensors"))
graph = onnx.load(HERE / "encoder.onnx")
for node in graph.graph.node:
    node.doc_string = ""
onnx.save(graph, HERE / "encoder.onnx")
print({k: tuple(v.shape) for k, v in out.items()}, [n.name for n in graph.graph.output], {p.name: p.stat().st_size for p in HERE.iterdir()})
