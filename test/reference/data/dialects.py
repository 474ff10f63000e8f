"""Small JSON and CSV files in many dialects, and the rows that Hugging Face datasets reads from them.

Writes dialects.json: [{name, content (latin-1 text of the bytes), rows}], rows null where datasets refuses the file.
NaN in an array, which datasets makes null, is as json.loads reads it.
Floats that JSON has no word for are written as {"float": "nan"}.
Run: python test/reference/data/dialects.py (datasets 5.2, pyarrow, pandas)
"""

import json
import math
import os
import tempfile

import datasets

datasets.disable_progress_bars()
datasets.logging.set_verbosity(datasets.logging.CRITICAL + 1)

json_rows = ['{"a":1,"t":"x"}', '{"a":2,"t":"y z"}', '{"a":3,"t":"\\u00e9{[\\"]}"}']
pretty = [json.dumps(json.loads(r), indent=2) for r in json_rows]
bom = "\u00ef\u00bb\u00bf"
turns = '{"messages":[{"role":"user","content":"hi %d"},{"role":"assistant","content":"yo"}]}'
shared = '{"conversations":[{"from":"human","value":"hi %d"},{"from":"gpt","value":"yo"}]}'


def json_cases():
    forms = {
        "lines": "\n".join(json_rows) + "\n",
        "array": "[" + ",".join(json_rows) + "]",
        "array-lines": "[\n" + ",\n".join(json_rows) + "\n]\n",
        "array-pretty": json.dumps([json.loads(r) for r in json_rows], indent=4),
        "pretty-objects": "\n".join(pretty) + "\n",
        "one-pretty-object": pretty[0],
        "objects-on-a-line": "".join(json_rows),
        "crlf": "\r\n".join(json_rows) + "\r\n",
        "cr": "\r".join(json_rows) + "\r",
        "blank-lines": "\n\n".join(json_rows) + "\n\n",
        "no-last-break": "\n".join(json_rows),
        "bom-lines": bom + "\n".join(json_rows) + "\n",
        "bom-array": bom + "[" + ",".join(json_rows) + "]",
        "nan": '{"a":NaN,"t":"NaN"}\n{"a":1.5,"t":"-Infinity"}\n',
        "infinity": '{"a":Infinity,"t":"x\\"NaN"}\n{"a":-Infinity,"t":"y"}\n',
        "nan-nested": '{"a":[1.5,NaN],"b":{"c":-Infinity}}\n',
        "nan-array": '[{"a":NaN,"t":"x"},{"a":2.5,"t":"NaN"}]',
        "optional-first": '{"i":"1","input":"x"}\n{"i":"2"}\n',
        "optional-later": '{"i":"1"}\n{"i":"2","input":"x"}\n',
        "optional-array": '[{"i":"1","input":"x"},{"i":"2"}]',
        "keys-in-other-order": '{"a":1,"b":2}\n{"b":3,"a":4}\n',
        "null-column": '{"a":null,"t":"x"}\n{"a":null,"t":"y"}\n',
        "texts": '["x","y"]',
        "chat": "\n".join(turns % i for i in range(3)),
        "chat-one": turns % 0,
        "sharegpt": "\n".join(shared % i for i in range(3)),
        "chat-pretty": json.dumps(json.loads(turns % 1), indent=1),
        "nested": '{"a":{"b":{"c":[1,[2],[]]}},"t":"x"}\n'.replace("[1,[2],[]]", "[[1],[2],[]]"),
        "empty-values": '{"a":"","b":[],"c":false}\n',
        "escapes": '{"t":"tab\\t quote\\" slash\\/ \\ud83d\\ude00 line\\nbreak"}\n',
        "duplicate-key-array": '[{"a":1,"a":2}]',
        "missing-brace": '{"a":1\n{"a":2}\n',
        "spare-comma": '[{"a":1},]',
        "no-comma": '[{"a":1} {"a":2}]',
        "not-closed": '[{"a":1},{"a":2}',
        "single-quotes": "{'a': 1}\n",
        "break-in-string": '{"a":"x\ny"}\n',
    }
    for ending in ["json", "jsonl"]:
        for name, content in forms.items():
            yield f"{name}.{ending}", content


def plain(value):
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan")}
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def read(name, content, kind):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        with open(path, "wb") as f:
            f.write(content.encode("latin-1"))
        try:
            rows = datasets.load_dataset(kind, data_files=path, split="train", cache_dir=os.path.join(folder, "c"))
            return [plain(row) for row in rows]
        except Exception:
            return None


def rows_of(name, content, kind):
    if name.startswith("nan-array"):
        return [plain(row) for row in json.loads(content)]
    return read(name, content, kind)


cases = [{"name": n, "content": c, "rows": rows_of(n, c, "json")} for n, c in json_cases()]
with open(os.path.join(os.path.dirname(__file__), "dialects.json"), "w") as f:
    json.dump(cases, f, indent=1)
    f.write("\n")
