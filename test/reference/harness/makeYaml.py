"""Values and whole task files as lm_eval 0.4.13 reads them (PyYAML, C loader): python makeYaml.py > yaml.json"""

import json
import tempfile
from pathlib import Path

from lm_eval.tasks._yaml_loader import load_yaml

WORDS = """yes Yes YES yEs no No NO on On ON off Off OFF y Y n N true True TRUE tRue false ~ null Null NULL nULL
010 0010 08 09 0 -0 +7 -010 0o10 0x1F 0xZ 0b101 1_000 1:30 1:75 -1:30:15 190:20:30 1:30.5 1e3 1.0e3 1.0e+3 1.5e-2 1. .5 -.5
+.5 1.5 1_0.5 .inf -.inf .Inf +.INF .nan .NaN inf nan 1.2.3 0. 007 0_7 -0x10 0b2 _1 2020 12e03 1e+3 + - -- 0x 1__0""".split()

FILES = {
    "single quotes, next line at column 0": "doc_to_choice: '{{[text+\", a\",\ntext+\", b\"]}}'\ndoc_to_text: \"\"\n",
    "double quotes, the next line looks like a key": 'a: "x\ny: 2"\nb: 1\n',
    "within a list, with an empty line": 'k:\n  - a: "x\n\n  y\n  z: 1"\n    b: 1\n',
    "three lines, doubled quote": "a: 'it''s\nb\n\n\nc'\nb: 2\n",
    "like a comment and like an item": "a: 'x\n# y\n- z'\n",
    "escaped ends of lines": 'a: "x\n\ny\\\nz \\\n  w"\n',
    "in a flow mapping": "a: {b: 'x\ny', c: 1}\nd: 2\n",
    "a flow list from column 0": "a: [1,\n2,\n]\nb: 1\n",
    "lines end in CR LF": "a: 'x\r\ny'\r\nb: 1\r\n",
    "a document's end in quotes": 'a: "x\n---\n y"\n',
    "never closed": "a: 'x\nb: 1\n",
    "closed too early": 'a: "x\nb: "y"\n',
    "equal keys": "a: 1\nb: 2\na: 3\n",
    "equal keys within": "k: {a: 1, a: 2}\n",
    "merge key": "x: &x {a: yes, b: 2}\ny: {<<: *x, b: 010}\n",
    "tagged": "a: !!str 010\nb: !!int '7'\nc: !!bool yes\n",
    "keys are read too": "a: {1: x, '2': y}\n",
    "empty value": "a:\nb: ''\n",
    "a quoted text of 200 lines, with a quote in it": 'a: "{\n' + '  \\"x\\": 1,\n' * 200 + '}"\nb: "{\n' + '\\"y\\"\n' * 3 + '}"\n',
    "quoted JSON in a list of mappings": 'k:\n  - a: "{\n      \\"x\\": {\n          \\"y\\": 1\n      },\n      \\"z\\": 2\n    }"\n    b: "{\n      \\"w\\": 3\n    }"\n  - a: "{\n      \\"v\\": [\n          4\n      ]\n    }"\n    b: "{}"\n',
    "quoted JSON that ends at the column of its key": 'k:\n  - a: "{\n      \\"t\\": \\"o\\"\n    }"\n',
    "block texts stay": "a: |\n  yes\n  no\nb: >\n  on\n",
}


def read(text):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "t.yaml"
        file.write_bytes(text.encode())
        try:
            return {"value": load_yaml(file)}
        except Exception:
            return {"error": True}


def plain(value):
    """JSON has neither NaN nor infinity, nor dates."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return {"float": str(value)}
    return value


words = {word: plain(read(f"a: {word}\n")) for word in WORDS}
files = [{"name": name, "text": text, **plain(read(text))} for name, text in FILES.items()]
print(json.dumps({"words": words, "files": files}, indent=1))
