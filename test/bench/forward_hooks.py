"""What forward-only scores need, by hooks on the blocks and linear modules of the same model in PyTorch, float32.

    python forward_hooks.py MODEL.gguf TOKENS.json TEXTS_A_BATCH THREADS      (torch, transformers, gguf)

TOKENS.json: token ids of each text, all of one length. Reduced like `layerif`'s observations, batch by batch: cosine and relative change of
every block at every token, variance and small entries of its outputs, last tokens for angular distances, squared norms of the inputs of every
linear module (those that share one read it once) and OWL's outliers from these, 512 drawn tokens at every depth and unbiased CKA between depths.
Entries are small below an absolute 1e-5: the relative threshold would take a second sweep here. Prints JSON: seconds and CPU seconds of
the sweep without hooks and with them and of what is made of the reductions, and the highest resident memory in bytes; loading is left out.
"""
import json
import os
import resource
import sys
import time

import torch
import transformers

path, tokens, size, threads = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
folder, file = os.path.split(os.path.abspath(path))
model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).eval().model
ids = torch.tensor(tokens)
L, d, n, T = len(model.layers), model.config.hidden_size, *ids.shape


def timed(work):
    start, used = time.perf_counter(), time.process_time()
    with torch.no_grad():
        value = work()
    return {"wall": time.perf_counter() - start, "cpu": time.process_time() - used}, value


def sweep(texts):
    for start in range(0, len(texts), size):
        model(input_ids=texts[start : start + size], use_cache=False)


def hooked(texts):
    per_text = lambda: torch.zeros(L, len(texts), dtype=torch.float64)
    cosine, change, variance, below = per_text(), per_text(), per_text(), per_text()
    last = torch.zeros(L + 1, len(texts), d)
    squares = {}
    drawn = torch.randperm(len(texts) * (T - 1), generator=torch.Generator().manual_seed(0))[:512].sort().values
    text_of, position = drawn // (T - 1), 1 + drawn % (T - 1)
    states = torch.zeros(L + 1, len(drawn), d)
    at = {"first": 0}

    def of_block(layer):
        def hook(_module, given, out):
            x, y = given[0], out[0] if isinstance(out, tuple) else out
            first, count = at["first"], x.shape[0]
            rows = slice(first, first + count)
            cosine[layer, rows] = torch.nn.functional.cosine_similarity(x, y, dim=-1).double().sum(1)
            change[layer, rows] = ((y - x).norm(dim=-1) / y.norm(dim=-1)).double().sum(1)
            variance[layer, rows] = y.double().mean(1).var(-1)
            below[layer, rows] = (y.abs() < 1e-5).sum((1, 2)).double()
            own = ((text_of >= first) & (text_of < first + count)).nonzero().flatten()
            for depth, value in ((0, x), (layer + 1, y)) if layer == 0 else ((layer + 1, y),):
                last[depth, rows] = value[:, -1]
                states[depth, own] = value[text_of[own] - first, position[own]]

        return hook

    def of_linear(name, shared):
        def hook(_module, given):
            if shared not in squares:
                squares[shared] = torch.zeros(given[0].shape[-1], dtype=torch.float64)
            if shared == name:
                squares[name] += given[0].double().square().sum((0, 1))

        return hook

    shares = {"k_proj": "q_proj", "v_proj": "q_proj", "up_proj": "gate_proj"}
    linears = [(name, module) for name, module in model.layers.named_modules() if isinstance(module, torch.nn.Linear)]
    shared = {name: ".".join([*name.split(".")[:-1], shares.get(name.split(".")[-1], name.split(".")[-1])]) for name, _ in linears}
    hooks = [block.register_forward_hook(of_block(layer)) for layer, block in enumerate(model.layers)]
    hooks += [module.register_forward_pre_hook(of_linear(name, shared[name])) for name, module in linears]
    for start in range(0, len(texts), size):
        at["first"] = start
        model(input_ids=texts[start : start + size], use_cache=False)
    for hook in hooks:
        hook.remove()
    outliers = torch.zeros(L)
    for layer in range(L):
        values = [
            (module.weight.abs() * squares[shared[name]].sqrt().float()).flatten()
            for name, module in linears
            if int(name.split(".")[0]) == layer
        ]
        limit = 5 * sum(value.double().sum() for value in values) / sum(map(len, values))
        outliers[layer] = 100 * sum((value > limit).sum() for value in values) / sum(map(len, values))
    return cosine, change, variance, below, last, states, outliers


def tables(last, states):
    angles = torch.stack([
        torch.nn.functional.cosine_similarity(last[:-k], last[k:], dim=-1).clamp(-1, 1).acos().mean(-1).sum() for k in range(1, L + 1)
    ])
    n = states.shape[1]
    kernels = [(x @ x.T).double().fill_diagonal_(0) for x in states]

    def hsic(K, M):
        return ((K * M).sum() + K.sum() * M.sum() / ((n - 1) * (n - 2)) - 2 / (n - 2) * (K.sum(0) @ M.sum(0))) / (n * (n - 3))

    own = [hsic(K, K) for K in kernels]
    return angles, [[hsic(K, M) / (a * b).sqrt() for M, b in zip(kernels, own)] for K, a in zip(kernels, own)]


hooked(ids[:size])
bare, _ = timed(lambda: sweep(ids))
observed, found = timed(lambda: hooked(ids))
made, _ = timed(lambda: tables(found[4], found[5]))
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
versions = {"torch": torch.__version__, "transformers": transformers.__version__}
print(json.dumps({"bare": bare, "observed": observed, "tables": made, "memory": memory, "versions": versions}))
