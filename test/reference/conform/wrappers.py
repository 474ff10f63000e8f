"""Writes tiny models of several kinds of input and the losses of their language model on text alone, in float64, for sweep.ts.

    python test/reference/conform/wrappers.py FOLDER      (needs torch, transformers, safetensors)

Each as transformers 5 saves it (config.json and tensor names), and with the tensor names of transformers 4 (`old`).
"""

import json
import sys
import warnings
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.utils import logging

sys.path.insert(0, str(Path(__file__).parent.parent))
from causal_lm import Float64Mode, sample_loss, write_tokenizer  # noqa: E402

logging.set_verbosity_error()
warnings.simplefilter("ignore")
VOCABULARY = 40
SIZES = {"vocab_size": VOCABULARY, "hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4,
         "max_position_embeddings": 64, "rope_parameters": {"rope_type": "default", "rope_theta": 200.0}, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}  # fmt: skip
CLIP = {"model_type": "clip_vision_model", "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 8, "patch_size": 4, "projection_dim": 8}
SIGLIP = CLIP | {"model_type": "siglip_vision_model"}
MROPE = SIZES | {"rope_parameters": {"rope_type": "default", "rope_theta": 200.0, "mrope_section": [1, 1, 0]}}
QWEN_VISION = {"depth": 1, "embed_dim": 8, "hidden_size": 16, "num_heads": 2, "mlp_ratio": 1, "patch_size": 4}
GEMMA_ROPE = {"full_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 300.0}, "sliding_attention": {"rope_type": "default", "rope_theta": 50.0}}

CASES = {
    "gemma3": ("Gemma3", {"text_config": SIZES | {"model_type": "gemma3_text", "sliding_window": 3, "layer_types": ["sliding_attention", "full_attention"], "query_pre_attn_scalar": 4, "rope_parameters": GEMMA_ROPE}, "vision_config": SIGLIP, "mm_tokens_per_image": 4}),
    "llava": ("Llava", {"text_config": SIZES | {"model_type": "llama"}, "vision_config": CLIP}),
    "llava_mistral": ("Llava", {"text_config": SIZES | {"model_type": "mistral", "sliding_window": 3}, "vision_config": CLIP}),
    "llava_tied": ("Llava", {"text_config": SIZES | {"model_type": "qwen2", "tie_word_embeddings": True}, "vision_config": CLIP}),
    "llava_next": ("LlavaNext", {"text_config": SIZES | {"model_type": "llama"}, "vision_config": CLIP}),
    "llava_onevision": ("LlavaOnevision", {"text_config": SIZES | {"model_type": "qwen2"}, "vision_config": SIGLIP}),
    "vipllava": ("VipLlava", {"text_config": SIZES | {"model_type": "llama"}, "vision_config": CLIP, "vision_feature_layers": [-1]}),
    "mistral3": ("Mistral3", {"text_config": SIZES | {"model_type": "mistral"}, "vision_config": {"model_type": "pixtral", "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 8, "patch_size": 4}}),
    "internvl": ("InternVL", {"text_config": SIZES | {"model_type": "qwen2"}, "vision_config": {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": [8, 8], "patch_size": [4, 4]}}),
    "idefics3": ("Idefics3", {"text_config": SIZES | {"model_type": "llama"}, "vision_config": {k: v for k, v in CLIP.items() if k != "model_type"}}),
    "smolvlm": ("SmolVLM", {"text_config": SIZES | {"model_type": "llama"}, "vision_config": {k: v for k, v in CLIP.items() if k != "model_type"}}),
    "qwen2_vl": ("Qwen2VL", {"text_config": {k: v for k, v in MROPE.items() if k != "head_dim"}, "vision_config": QWEN_VISION}),
    "qwen2_5_vl": ("Qwen2_5_VL", {"text_config": {k: v for k, v in MROPE.items() if k != "head_dim"}, "vision_config": {"depth": 1, "hidden_size": 8, "out_hidden_size": 16, "intermediate_size": 8, "num_heads": 2, "patch_size": 4, "fullatt_block_indexes": [0]}}),
    "qwen3_vl": ("Qwen3VL", {"text_config": MROPE, "vision_config": {"depth": 1, "hidden_size": 8, "out_hidden_size": 16, "intermediate_size": 8, "num_heads": 2, "patch_size": 4, "num_position_embeddings": 4, "deepstack_visual_indexes": [0]}}),
}  # fmt: skip


def old_name(name, kind):
    if kind in ("Qwen2VL", "Qwen2_5_VL"):
        return name.replace("model.language_model.", "model.").replace("model.visual.", "visual.")
    if kind in ("Idefics3", "SmolVLM"):
        return name
    if name.startswith("lm_head."):
        return f"language_model.{name}"
    return name.replace("model.language_model.", "language_model.model.").replace("model.vision_tower.", "vision_tower.")


def write(out, name, kind, keys, seed):
    model_class, config_class = (getattr(transformers, f"{kind}{end}") for end in ("ForConditionalGeneration", "Config"))
    config = config_class(**keys)
    torch.manual_seed(seed)
    model = model_class(config).float().eval()
    tied = model.all_tied_weights_keys
    gemma = "gemma" in config.get_text_config().model_type
    tensors = {}
    for key, value in model.state_dict().items():
        if key not in tied and value.is_floating_point():
            noise = torch.randn(value.shape)
            gain = key.endswith("weight") and not gemma
            tensors[key] = float(gain) + 0.3 * noise if value.dim() <= 1 else noise / value.shape[-1] ** 0.5
    model.load_state_dict(tensors, strict=False)
    model.tie_weights()
    new = out / "wrappers" / name
    model.save_pretrained(new)
    samples = [torch.randint(3, VOCABULARY - 4, (n,)).tolist() for n in (14, 9, 6)]
    with Float64Mode():
        double = model_class(config).double().eval()
        double.load_state_dict({k: v.double() for k, v in tensors.items()}, strict=False)
        double.tie_weights()
        losses = [sample_loss(double(input_ids=torch.tensor([t]), attention_mask=torch.ones(1, len(t), dtype=torch.long)).logits[0], t, 1).item() for t in samples]
    write_tokenizer(new, VOCABULARY)
    (new / "expected.json").write_text(json.dumps({"tokens": samples, "loss": losses}) + "\n")
    old = out / "wrappers" / f"{name}_old"
    old.mkdir(exist_ok=True)
    for file in ("config.json", "expected.json", "tokenizer.json", "tokenizer_config.json"):
        (old / file).write_text((new / file).read_text())
    stored = load_file(new / "model.safetensors")
    save_file({old_name(key, kind): value for key, value in stored.items()}, old / "model.safetensors", {"format": "pt"})


if __name__ == "__main__":
    for number, (name, (kind, keys)) in enumerate(CASES.items()):
        try:
            write(Path(sys.argv[1]), name, kind, keys, number)
        except Exception as error:
            print(name, type(error).__name__, str(error)[:300], flush=True)
