"""Compares a LayerIF result with the PyTorch reference that `reference.py` wrote. See README.md.

    python test/reference/demo/compare.py --reference DIR --result NAME.layerif-result.json [--gradients ours.safetensors] [--json]

Beside every error of ours stands that of PyTorch float32; both are against PyTorch float64. Exit code 1 when a limited row is
above `--times` (3) times PyTorch float32's error and above 1e-5.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

# Matrices whose gradients are smaller than this share of the largest are listed apart: their relative error says nothing.
NEGLIGIBLE = 1e-6
FLOOR = 1e-5


class Table:
    """Rows: what, our error, PyTorch float32's error, whether it is within the limit (always, where there is none)."""

    def __init__(self, times: float):
        self.times, self.rows = times, []

    def add(self, what: str, ours: float, torch32: float, limited: bool = True) -> None:
        ok = not limited or ours <= max(self.times * torch32, FLOOR)
        self.rows.append({"what": what, "ours": ours, "torchFloat32": torch32, "ok": bool(ok)})

    def markdown(self) -> str:
        lines = ["| against PyTorch float64 | LayerIF | PyTorch float32 | |", "| --- | --- | --- | --- |"]
        for row in self.rows:
            digits = ".8f" if "Spearman" in row["what"] else ".1e"
            lines.append(f"| {row['what']} | {row['ours']:{digits}} | {row['torchFloat32']:{digits}} | {'' if row['ok'] else 'over the limit'} |")
        return "\n".join(lines)


def ranks(x: np.ndarray) -> np.ndarray:
    """Ranks; ties share their mean."""
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[inverse]


def spearman(a, b) -> float:
    a, b = ranks(np.ravel(a)), ranks(np.ravel(b))
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) and np.ptp(b) else float("nan")


def error(ours, exact, scale=None) -> float:
    """Largest difference in units of `scale`, by default of each exact value itself."""
    ours, exact = np.asarray(ours, float), np.asarray(exact, float)
    return float(np.max(np.abs(ours - exact) / (np.abs(exact) if scale is None else scale)))


def our_grams(place: Path, task: str | None) -> dict[str, np.ndarray]:
    """`<layer>.<module>.<K|C|diagV>` -> array, from one file or a folder of them; a name may carry its task before it."""
    tensors = {}
    for file in sorted(place.glob("*.safetensors")) if place.is_dir() else [place]:
        tensors |= load_file(file)
    found = {}
    for name, array in tensors.items():
        match = re.fullmatch(r"(.*?)(\d+\.[\w.]+\.(?:K|C|diagV))", name)
        if match and (not match[1] or task is None or match[1][:-1] == task):
            found[match[2]] = array
    return found


def compare_grams(table: Table, ours: dict, exact: dict, single: dict, keys: list[str]) -> None:
    worst: dict[str, tuple[float, float]] = {}
    for key in keys:
        train, validation = np.sqrt(np.diag(exact[f"{key}.K"])), np.sqrt(exact[f"{key}.diagV"])
        scales = {"K": np.outer(train, train), "C": np.outer(train, validation), "diagV": validation**2}
        for kind, scale in scales.items():
            name = f"{key}.{kind}"
            pair = [error(x[name].reshape(scale.shape), exact[name], scale) for x in (ours, single)]
            worst[kind] = tuple(map(max, worst.get(kind, (0, 0)), pair))
        norms = [error(np.diag(x[f"{key}.K"].reshape(len(train), -1)), train**2) for x in (ours, single)]
        worst["norms"] = tuple(map(max, worst.get("norms", (0, 0)), norms))
    table.add("entries of K, in units of ‖g_i‖ ‖g_j‖", *worst["K"])
    table.add("entries of C, in units of ‖g_i‖ ‖v_j‖", *worst["C"])
    table.add("squared training gradient norms, relative", *worst["norms"])
    table.add("squared validation gradient norms, relative", *worst["diagV"])


def compare_gradients(table: Table, ours: dict, exact: dict, reference: dict) -> None:
    trains = len(reference["float64"]["loss"]["train"])
    for name, gradient in exact.items():
        key, split = name.rsplit(".", 1)
        g, mine = gradient.reshape(len(gradient), -1), ours[name].astype(float).reshape(len(gradient), -1)
        mistakes = np.linalg.norm(mine - g, axis=1) / np.linalg.norm(g, axis=1)
        torch32 = reference["gradientErrorFloat32"][key]
        torch32 = torch32[:trains] if split == "train" else torch32[trains:]
        table.add(f"gradients of {key}, {split}, worst sample", float(mistakes.max()), max(torch32))


def compare_scores(table: Table, result: dict, task: dict, reference: dict) -> None:
    exact, single = reference["float64"], reference["float32"]
    for split in ("train", "validation"):
        torch32 = error(single["loss"][split], exact["loss"][split])
        table.add(f"{split} losses, relative", error(task[split]["loss"], exact["loss"][split]), torch32)
    row_of = {layer["index"]: row for row, layer in enumerate(task["layers"])}
    rows = [row_of[layer] for layer in reference["layers"]]
    names = [[f"{layer}.{module}" for module in result["model"]["modules"]] for layer in reference["layers"]]
    damping, damping32 = ([[p["damping"][name] for name in layer] for layer in names] for p in (exact, single))
    table.add("DataInf damping, relative", error([task["damping"][row] for row in rows], damping), error(damping32, damping))
    B, B64, B32 = (np.array(x) for x in ([task["influence"][row] for row in rows], exact["influence"], single["influence"]))
    scale = np.abs(B64).max(axis=1, keepdims=True)
    table.add("DataInf influence, in units of the layer's largest", error(B, B64, scale), error(B32, B64, scale), False)
    table.add("DataInf influence, Spearman over layers x samples", spearman(B, B64), spearman(B32, B64), False)
    for kind in ("positive", "top25", "sum"):
        mine = [task["layers"][row][kind] for row in rows]
        theirs, theirs32 = ([layer[kind] for layer in p["layers"]] for p in (exact, single))
        table.add(f"layer scores `{kind}`, relative", error(mine, theirs), error(theirs32, theirs), False)
        table.add(f"layer scores `{kind}`, Spearman over layers", spearman(mine, theirs), spearman(theirs32, theirs), False)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--reference", type=Path, required=True)
    options.add_argument("--result", type=Path, help="a result file whose estimator is datainf")
    options.add_argument("--grams", type=Path, help="file or folder; default: grams.safetensors beside the result")
    options.add_argument("--gradients", type=Path, help="our per-sample gradients, named as in gradients-float64.safetensors")
    options.add_argument("--task", help="default: the first")
    options.add_argument("--times", type=float, default=3)
    options.add_argument("--json", action="store_true")
    args = options.parse_args()
    reference = json.loads((args.reference / "reference.json").read_text())
    exact, single = (load_file(args.reference / f"grams-{p}.safetensors") for p in ("float64", "float32"))
    largest = max(max(norms) for norms in reference["gradientNorm"].values())
    keys = [key for key, norms in reference["gradientNorm"].items() if max(norms) >= NEGLIGIBLE * largest]
    table = Table(args.times)

    task_name = args.task
    if args.result:
        result = json.loads(args.result.read_text())
        assert result["score"]["estimator"] == "datainf", "the reference holds DataInf only"
        task = next(t for t in result["tasks"] if args.task in (None, t["task"]))
        task_name = task["task"]
        compare_scores(table, result, task, reference)
    place = args.grams or (args.result.parent / "grams.safetensors" if args.result else None)
    if place:
        ours = our_grams(place, task_name)
        lost = [key for key in keys if f"{key}.K" not in ours]
        if lost:
            sys.exit(f"{place} holds no Grams for {len(lost)} of {len(keys)} matrices, such as {lost[0]}")
        compare_grams(table, ours, exact, single, keys)
    if args.gradients:
        dumped = load_file(args.reference / "gradients-float64.safetensors")
        compare_gradients(table, load_file(args.gradients), dumped, reference)

    print(json.dumps(table.rows, indent=1) if args.json else table.markdown())
    own = [max(reference["gradientErrorFloat32"][key]) for key in keys]
    apart = sorted(set(reference["gradientNorm"]) - set(keys))
    note = f"PyTorch float32 gradients: worst matrix and sample {max(own):.1e}, median over matrices {np.median(own):.1e}."
    print(f"{note} {len(keys)} matrices compared, {len(apart)} negligible: {apart[:5]}", file=sys.stderr)
    return 0 if all(row["ok"] for row in table.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
