"""Every task file of the installed lm_eval, with made-up rows in its columns: the input of `checkAll.ts`.

    python rows.py OUT

OUT/files.jsonl gets a line for each YAML file: { file, kind, rows, splits, lm_eval }. `kind` is task, group or none (no task: files that
others include); `rows` names a folder of OUT with train.jsonl, validation.jsonl and test.jsonl, shared by tasks with the same
templates; `splits` says which of them stands for which split of the task; `lm_eval` is null where lm_eval builds its requests from these
rows, else why it does not ("function" where Python code of the task would be needed to say).
"""

import json
import os
import random
import sys

from make import KINDS, ROWS, TASKS, attempt, every_file, names_of, templates_of, value_of


def plain_rows(config):
    """Rows of a task that lm_eval cannot build from any of ours."""
    names, rows = names_of(config), {}
    for split in ("train", "validation", "test"):
        rnd = random.Random(split)
        rows[split] = [{"row_id": f"{split} {i}", **{name: value_of(name, inner, KINDS[0], rnd) for name, inner in sorted(names.items())}} for i in range(ROWS)]
    return rows


def splits_of(config):
    """Split of the task -> file of rows."""
    splits = {}
    for key, name in (("training_split", "train"), ("validation_split", "validation"), ("test_split", "test")):
        if isinstance(config.get(key), str):
            splits.setdefault(config[key].split("[")[0], name)
    few = config.get("fewshot_config")
    for split in (config.get("fewshot_split"), few.get("split") if isinstance(few, dict) else None):
        if isinstance(split, str):
            splits.setdefault(split.split("[")[0], "train")
    return splits


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    known = {}
    with open(os.path.join(out, "files.jsonl"), "w") as stream:
        for path, config, reason in every_file():
            line = {"file": os.path.relpath(path, TASKS), "kind": "task", "rows": None, "splits": {}, "lm_eval": reason}
            if reason in ("group", "no task") or config is None:
                line["kind"] = "group" if reason == "group" else "none"
            else:
                line["splits"] = splits_of(config)
                key = templates_of(config)
                if key not in known:
                    rows, error = None, "function"
                    if reason is None:
                        rows, _, _, error = attempt(config)
                    folder = f"rows{len(known)}"
                    os.makedirs(os.path.join(out, folder), exist_ok=True)
                    for split, items in (rows or plain_rows(config)).items():
                        with open(os.path.join(out, folder, f"{split}.jsonl"), "w") as file:
                            file.writelines(json.dumps(item) + "\n" for item in items)
                    known[key] = (folder, error)
                line["rows"], error = known[key]
                line["lm_eval"] = "function" if reason else error
            stream.write(json.dumps(line) + "\n")
    print(len(known), "kinds of templates")


if __name__ == "__main__":
    main()
