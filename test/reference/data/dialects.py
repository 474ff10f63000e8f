"""Small JSON and CSV files in many dialects, and the rows that Hugging Face datasets and pandas read from them.

Writes dialects.json: [{name, content (latin-1 text of the bytes), rows}], rows null where datasets refuses the file, and
csv_dialects.json: the same with every value as the text that pandas.read_csv finds in the file (dtype=str, keep_default_na=False), and
csv_types.json: with the values that datasets gives to columns of one type.
NaN in an array, which datasets makes null, is as json.loads reads it.
Floats that JSON has no word for are written as {"float": "nan"}.
Run: python test/reference/data/dialects.py (datasets 5.2, pyarrow, pandas)
"""

import io
import json
import math
import os
import subprocess
import tempfile

import datasets
import pandas

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


csv_cases = {
    "quote-inside.csv": 'text,label\nsay "hi" now,1\nhe said "no",0\n',
    "quote-inside.tsv": 'text\tlabel\nit"s ok\t0\nfine\t1\n',
    "quote-behind-space.csv": 'a,b\n "x",1\n',
    "doubled-in-quoted.csv": 'a,b\n"x ""y"" z",1\n',
    "doubled-in-unquoted.csv": 'a,b\nx ""y"" z,1\n',
    "quoted-delimiter.csv": 'a,b\n"x,y",1\n',
    "quoted-delimiter.tsv": 'a\tb\n"x\ty"\t1\n',
    "comma.tsv": "a\tb\nx,y\t1\n",
    "quoted-break.csv": 'a,b\n"x\ny",1\nz,2\n',
    "quoted-crlf.csv": 'a,b\r\n"x\r\ny",1\r\nz,2\r\n',
    "quoted-cr.csv": 'a,b\r"x\ry",1\rz,2\r',
    "quoted-empty.csv": 'a\nx\n""\ny\n',
    "quoted-header.csv": '"a b","c,d"\n1,2\n',
    "open-quote.csv": 'a,b\n1,"2\n',
    "crlf.csv": "a,b\r\n1,2\r\n3,4\r\n",
    "cr.csv": "a,b\r1,2\r3,4\r",
    "mixed-breaks.csv": "a,b\n1,2\r\n3,4\n",
    "no-last-break.csv": "a,b\n1,2\n3,4",
    "blank-lines.csv": "\n\na,b\n\n1,2\n\n   \n3,4\n\n",
    "blank-lines-one-column.csv": "a\nx\n\ny\n",
    "only-commas.csv": "a,b\n,\n1,2\n",
    "spaces-in-values.csv": "a,b\n 1, 2 \n",
    "bom.csv": bom + "a,b\n1,2\n",
    "accents.csv": "a,b\n\u00c3\u00a9,2\n",
    "index.csv": ",text,label\n0,a,0\n1,b,1\n",
    "nameless-columns.csv": "a,,\n1,2,3\n",
    "last-comma.csv": "a,b,\n1,2,\n",
    "same-names.csv": "a,a,a\n1,2,3\n",
    "same-names-taken.csv": "a,a.1,a\n1,2,3\n",
    "nameless-and-same.csv": ",a,,a\n1,2,3,4\n",
    "more-values.csv": "a,b\n1,2\n1,2,3\n",
    "no-rows.csv": "a,b\n",
}

# Columns of one type without gaps: the values, not only their texts, are those of datasets.
typed_cases = {
    "bool.csv": "t,v\na,True\nb,False\n",
    "int.csv": "t,v\na,1\nb,-20\n",
    "float.csv": "t,v\na,0.0\nb,1.0\n",
    "float-small.csv": "t,v\na,0.25\nb,1e-07\n",
    "text.csv": "t,v\na,x\nb,True\n",
    "mixed.csv": "t,v\na,True\nb,x1\n",
}


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


def texts_of(name, content):
    try:
        table = pandas.read_csv(
            io.BytesIO(content.encode("latin-1")), dtype=str, keep_default_na=False, sep="\t" if name.endswith("tsv") else ","
        )
        return table.to_dict("records")
    except Exception:
        return None


def write(name, cases):
    with open(os.path.join(os.path.dirname(__file__), name), "w") as f:
        json.dump(cases, f, indent=1)
        f.write("\n")


def typed(value):
    """Floats that are whole lose their point in JSON."""
    return {"float": repr(value)} if isinstance(value, float) else value


write("dialects.json", [{"name": n, "content": c, "rows": rows_of(n, c, "json")} for n, c in json_cases()])
write("csv_dialects.json", [{"name": n, "content": c, "rows": texts_of(n, c)} for n, c in csv_cases.items()])
write(
    "csv_types.json",
    [
        {"name": n, "content": c, "rows": [{k: typed(v) for k, v in row.items()} for row in read(n, c, "csv")]}
        for n, c in typed_cases.items()
    ],
)


def zstd(data):
    return subprocess.run(["zstd", "-c", "-q", "-3"], input=data, stdout=subprocess.PIPE, check=True).stdout


rows = "".join('{"text":"row %d","n":%d}\n' % (i, i) for i in range(3000)).encode()
for name, data in {"rows": zstd(rows[:30000]) + zstd(rows[30000:]), "bomb": zstd(b" " * 2**28)}.items():
    with open(os.path.join(os.path.dirname(__file__), f"{name}.jsonl.zst"), "wb") as f:
        f.write(data)
