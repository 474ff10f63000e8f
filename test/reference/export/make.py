"""Loads the golden exports with the packages that consume them and writes what they read.

    python test/reference/export/make.py    # writes loaded.json beside it

numpy 2.4.6, peft 0.21.2, transformers 5.17.0, torch 2.14.0, llmcompressor 0.14.0.1, mergekit 0.1.5 (Python 3.11).
"""
import base64
import importlib.metadata as metadata
import io
import json
import pathlib

import numpy as np
import yaml

golden = pathlib.Path(__file__).parents[2] / "golden" / "export"
out = {"versions": {p: metadata.version(p) for p in ("numpy", "peft", "transformers", "torch", "llmcompressor", "mergekit")}}

out["npy"] = {}
for target in ("layerif-npy", "alphapruning"):
    array = np.load(io.BytesIO(base64.b64decode((golden / f"{target}.npy.base64").read_text())), allow_pickle=False)
    out["npy"][target] = {"dtype": str(array.dtype), "values": array.tolist()}

from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

out["peft"] = {}
for kind in ("rank", "experts", "tune", "freeze"):
    config = LoraConfig.from_peft_type(**json.loads((golden / f"peft-{kind}.adapter_config.json").read_text()))
    llama = LlamaForCausalLM(LlamaConfig(hidden_size=16, intermediate_size=24, num_hidden_layers=5, num_attention_heads=2, num_key_value_heads=1, vocab_size=32))
    model = get_peft_model(llama, config)
    trained = {}
    for name, module in model.base_model.model.named_modules():
        if hasattr(module, "lora_A"):
            trained[name] = {"rank": module.lora_A["default"].weight.shape[0], "scaling": module.scaling["default"]}
    out["peft"][kind] = {"trained": trained}

from llmcompressor.recipe import Recipe

out["llmCompressor"] = []
text = (golden / "llm-compressor-sparsity.recipe.yaml").read_text()
for modifier in ("WandaPruningModifier", "SparseGPTModifier"):
    recipe = Recipe.create_instance(text.replace("WandaPruningModifier:", f"{modifier}:"))
    (found,) = recipe.modifiers
    out["llmCompressor"].append({"modifier": type(found).__name__, "sparsity": list(found.sparsity), "mask_structure": found.mask_structure})

from mergekit.config import MergeConfiguration

merge = MergeConfiguration.model_validate(yaml.safe_load((golden / "mergekit-drop.mergekit.yaml").read_text()))
out["mergekit"] = {
    "kept": [layer for s in merge.slices for source in s.sources for layer in range(*source.layer_range)],
    "merge_method": merge.merge_method,
}
(pathlib.Path(__file__).parent / "loaded.json").write_text(json.dumps(out) + "\n")
