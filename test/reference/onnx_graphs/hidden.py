"""Hidden states of the tiny models of make.py: the residual stream before the first layer and behind each, before the final norm.

    python test/reference/onnx_graphs/hidden.py

Needs what make.py needs. `hidden.safetensors` holds `<model>.<sample>` [layers + 1, tokens, hidden], float64 models, kept as float32,
caught by hooks on the layers of Hugging Face's own code.
"""
from pathlib import Path

import torch
from safetensors.torch import save_file

from make import MODELS, Float64Mode, randomise, samples_of

LAYERS = {
    "gpt2": lambda m: m.transformer.h,
    "llama": lambda m: m.model.layers,
    "bert": lambda m: m.bert.encoder.layer,
    "vit": lambda m: (m.vit.encoder if hasattr(m.vit, "encoder") else m.vit).layer
    if hasattr(getattr(m.vit, "encoder", m.vit), "layer")
    else m.vit.layers,
}


def main():
    out = {}
    for name, layers_of in LAYERS.items():
        torch.manual_seed(0)
        model = randomise(MODELS[name][0]()).double()
        layers = layers_of(model)
        for i, sample in enumerate(samples_of(name)):
            states = []
            first = lambda value: value[0] if isinstance(value, tuple) else value
            hooks = [layers[0].register_forward_pre_hook(lambda _, args, kw: states.append(first(args) if args else kw["hidden_states"]), with_kwargs=True)]
            hooks += [layer.register_forward_hook(lambda _, __, result: states.append(first(result))) for layer in layers]
            with Float64Mode(), torch.no_grad():
                model(**{k: v.double() if v.is_floating_point() else v for k, v in sample.items()})
            for hook in hooks:
                hook.remove()
            out[f"{name}.{i}"] = torch.cat(states).float()
    save_file(out, str(Path(__file__).parent / "hidden.safetensors"))
    print({k: tuple(v.shape) for k, v in out.items()})


if __name__ == "__main__":
    main()
