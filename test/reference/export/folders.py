"""Loads folders that `layerif export --to peft` wrote, as a user of PEFT does, and writes what PEFT makes of them.

    for KIND in rank experts tune: layerif export RESULT --to peft --kind KIND --task sentiment [--count 2] --output FOLDER/KIND/adapter_config.json
    python test/reference/export/folders.py FOLDER    # writes folders.json and folders/KIND.adapter_config.json beside it

RESULT is a copy of test/golden/files/tiny.layerif-result.json beside the workspace of test/tinyLlama.ts, whose model is loaded from the
path in the folders' own configuration. peft 0.21.0, transformers 5.24, torch 2.13 (versions are in folders.json).
"""
import importlib.metadata as metadata
import json
import pathlib
import sys
import tempfile

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

here = pathlib.Path(__file__).parent
out = {"versions": {p: metadata.version(p) for p in ("peft", "transformers", "torch")}, "kinds": {}}
ids = torch.tensor([[1, 5, 9, 12]])


def factors(model):
    return {
        name.removeprefix("base_model.model."): {"rank": m.lora_A["default"].weight.shape[0], "scaling": m.scaling["default"]}
        for name, m in model.named_modules()
        if hasattr(m, "lora_A")
    }


for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    config = LoraConfig.from_pretrained(folder)
    base = lambda: AutoModelForCausalLM.from_pretrained(config.base_model_name_or_path)  # noqa: E731
    model = get_peft_model(base(), config)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.02)
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved)
        again = PeftModel.from_pretrained(base(), saved)
    assert factors(again) == factors(model)
    with torch.no_grad():
        assert torch.equal(again.eval()(ids).logits, model.eval()(ids).logits)
        assert not torch.allclose(model(ids).logits, base().eval()(ids).logits)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    out["kinds"][folder.name] = {"factors": factors(model), "trained": trained}
    text = (folder / "adapter_config.json").read_text().replace(config.base_model_name_or_path, "MODEL")
    (here / "folders").mkdir(exist_ok=True)
    (here / "folders" / f"{folder.name}.adapter_config.json").write_text(text)

(here / "folders.json").write_text(json.dumps(out) + "\n")
