"""Greedy token ids of transformers in float32 for the demo model of examples/models, which its GGUF reader dequantises.

    python demo.py            # writes demo.json; about a minute
"""

import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = Path(__file__).parent
models = HERE.parents[2] / "examples" / "models"
file = "SmolLM2-135M-Instruct.Q4_1.gguf"
tokenizer = AutoTokenizer.from_pretrained(models, gguf_file=file)
model = AutoModelForCausalLM.from_pretrained(models, gguf_file=file, dtype=torch.float32).eval()
prompts = [
    "The capital of France is",
    "<|im_start|>user\nWhat is the capital of Italy?<|im_end|>\n<|im_start|>assistant\n",
    "2 + 2 =",
]
texts = []
for prompt in prompts:
    ids = tokenizer(prompt, return_tensors="pt").input_ids
    with torch.no_grad():
        out = model.generate(
            ids, do_sample=False, max_new_tokens=16, pad_token_id=0, output_logits=True, return_dict_in_generate=True
        )
    best = torch.cat(out.logits).topk(2).values
    margin = float((best[:, 0] - best[:, 1]).min())
    texts.append({"prompt": prompt, "ids": ids[0].tolist(), "tokens": out.sequences[0, ids.shape[1] :].tolist(), "margin": margin})
    print(texts[-1], tokenizer.decode(texts[-1]["tokens"]), model.generation_config.eos_token_id)
(HERE / "demo.json").write_text(json.dumps(texts, indent=1) + "\n")
