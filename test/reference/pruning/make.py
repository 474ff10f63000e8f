"""Masks and weights of magnitude, Wanda and SparseGPT by PyTorch, written from the papers' descriptions.

    python make.py        (torch, safetensors; writes pruning.safetensors beside itself)

W [rows, columns] in float32, X [sequences, tokens, columns] with one input that is always zero. Per method and structure the
pruned weight. Everything is done the slow and plain way: a full inverse, one entry of a group after the other.
"""
from pathlib import Path

import torch
from safetensors.torch import save_file

torch.manual_seed(11)
ROWS, COLUMNS, SEQUENCES, TOKENS = 20, 160, 5, 64
SPARSITIES = [0.3, 0.5, 0.7]
STRUCTURES = [(2, 4), (4, 8)]  # kept, of

W = torch.randn(ROWS, COLUMNS)
X = torch.randn(SEQUENCES, TOKENS, COLUMNS) * torch.linspace(0.2, 3, COLUMNS)
X = X + 0.5 * X.roll(1, -1)  # correlated inputs, so that SparseGPT's updates matter
X[..., 37] = 0
out = {"W": W, "squared_norms": (X.double() ** 2).sum((0, 1)), "products": torch.einsum("stc,std->cd", X.double(), X.double()).float()}


def smallest_of_groups(metric, keep, of):
    mask = torch.zeros_like(metric, dtype=torch.bool)
    for start in range(0, metric.shape[1], of):
        order = torch.argsort(metric[:, start : start + of], dim=1, stable=True)[:, : of - keep]
        mask.scatter_(1, order + start, True)
    return mask


def magnitude(w, sparsity=None, structure=None):
    metric = w.abs()
    if structure:
        return w.masked_fill(smallest_of_groups(metric, *structure), 0)
    threshold = metric.flatten().sort().values[int(w.numel() * sparsity)]
    return w.masked_fill(metric <= threshold, 0)


def wanda(w, sparsity=None, structure=None):
    scaler = torch.zeros(COLUMNS)
    for sequence in range(SEQUENCES):  # running mean over sequences of the sum over tokens
        scaler *= sequence / (sequence + 1)
        scaler += X[sequence].norm(dim=0) ** 2 / (sequence + 1)
    metric = w.abs() * scaler.sqrt()
    if structure:
        return w.masked_fill(smallest_of_groups(metric, *structure), 0)
    order = torch.argsort(metric, dim=1, stable=True)[:, : int(COLUMNS * sparsity)]
    return w.scatter(1, order, 0)


def sparsegpt(w, sparsity=None, structure=None):
    """In float64, so that the reference is the more exact side."""
    w = w.double().clone()
    tokens = X.double().reshape(-1, COLUMNS)
    H = 2 / SEQUENCES * tokens.T @ tokens
    dead = H.diag() == 0
    H[dead, dead] = 1
    w[:, dead] = 0
    H += 0.01 * H.diag().mean() * torch.eye(COLUMNS)
    U = torch.linalg.cholesky(torch.linalg.inv(H), upper=True)
    for start in range(0, COLUMNS, 128):
        end = min(start + 128, COLUMNS)
        slab = w[:, start:end].clone()
        errors = torch.zeros_like(slab)
        u = U[start:end, start:end]
        if not structure:
            metric = slab**2 / u.diag() ** 2
            mask = metric <= metric.flatten().sort().values[int(metric.numel() * sparsity)]
        else:
            mask = torch.zeros_like(slab, dtype=torch.bool)
        for j in range(end - start):
            if structure and j % structure[1] == 0:
                group = slab[:, j : j + structure[1]] ** 2 / u.diag()[j : j + structure[1]] ** 2
                mask[:, j : j + structure[1]] = smallest_of_groups(group, *structure)
            q = slab[:, j].masked_fill(mask[:, j], 0)
            errors[:, j] = (slab[:, j] - q) / u[j, j]
            slab[:, j:] -= errors[:, j : j + 1] * u[j, j:]
            slab[:, j] = q
        w[:, start:end] = slab
        w[:, end:] -= errors @ U[start:end, end:]
    return w.float()


for name, prune in {"magnitude": magnitude, "wanda": wanda, "sparsegpt": sparsegpt}.items():
    for sparsity in SPARSITIES:
        out[f"{name}/{sparsity}"] = prune(W, sparsity=sparsity)
    for structure in STRUCTURES:
        out[f"{name}/{structure[0]}:{structure[1]}"] = prune(W, structure=structure)
save_file({k: v.contiguous() for k, v in out.items()}, Path(__file__).parent / "pruning.safetensors", metadata={"torch": torch.__version__})
