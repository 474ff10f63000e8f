"""Small JSON and CSV files and the values that Hugging Face datasets gives their columns: column_types.json.

[{name, files: {name: text}, rows: {split: rows}}], rows null where datasets refuses the files. Of several files the first tells the types.
Values that JSON has no word for: {"float": repr}, {"int": digits} beyond 2^53, {"moment": [str, repr]}.
Run: python test/reference/data/column_types.py (datasets 5.2, pyarrow, pandas)
"""

import datetime
import json
import os
import tempfile

import datasets

datasets.disable_progress_bars()
datasets.logging.set_verbosity(datasets.logging.CRITICAL + 1)

columns = {
    "int-float": ["1", "2.5"],
    "float-int": ["2.5", "1"],
    "int-whole-float": ["1", "2.0"],
    "int-null": ["1", "null"],
    "float-null-int": ["1.0", "null", "3"],
    "bool-null": ["true", "null"],
    "all-null": ["null", "null"],
    "null-then-list": ["null", "[1,null,2.0]"],
    "list-in-rows": ["[1,2]", "[1.5]"],
    "list-in-one": ["[1,2.5]"],
    "list-null": ["[1,null]", "null", "[]"],
    "lists-of-lists": ["[[1],[2.5]]", "[[]]"],
    "object": ['{"x":1}', '{"x":1.5}'],
    "object-null-field": ['{"x":1,"y":2}', '{"x":null,"y":3.5}', "null"],
    "object-other-keys": ['{"x":1}', '{"y":2.5}'],
    "object-missing-key": ['{"x":1,"y":2}', '{"x":1.5}'],
    "object-order": ['{"x":1,"y":2}', '{"y":2.5,"x":3}'],
    "objects-in-list": ['[{"x":1},{"x":2.5}]', "[]"],
    "objects-in-list-other-keys": ['[{"x":1},{"x":2.5,"y":"s"}]'],
    "empty-object": ["{}", '{"x":1}'],
    "number-text": ["1", '"x"', "2.5"],
    "number-bool": ["1", "true"],
    "list-text": ['["x"]', '"x"'],
    "list-of-kinds": ['["x",1]', "[2.5]"],
    "turns": ['[{"role":"u","n":1},{"role":"a","n":2.5,"tool":null}]'],
    "turns-alike": ['[{"role":"u","n":1},{"role":"a","n":2.5}]'],
    "beyond-2-53": ["9007199254740993", "1"],
    "beyond-2-53-float": ["9007199254740993", "0.5"],
    "int64-max": ["9223372036854775807", "1"],
    "beyond-int64": ["9223372036854775808", "1"],
    "exponent": ["1e3", "1"],
    "minus-zero": ["-0", "1"],
    "minus-zero-float": ["-0.0", "1"],
    "date": ['"2024-01-01"', '"2024-02-29"'],
    "date-null": ['"2024-01-01"', "null"],
    "times": ['"2024-01-01T10"', '"2024-01-01 10:30"', '"2024-01-01T10:30:05Z"', '"2024-01-01 10:30:05+01:30"', '"2024-01-01 00:30:05-0100"'],
    "date-text": ['"2024-01-01"', '"x"'],
    "date-number": ['"2024-01-01"', "1"],
    "dates-in-list": ['["2024-01-01","2024-01-02"]'],
    "date-in-object": ['{"d":"2024-01-01"}'],
    "no-day": ['"2024-02-30"'],
    "no-padding": ['"2024-1-1"'],
    "no-hour": ['"2024-01-01 24:00:00"'],
    "fraction-of-second": ['"2024-01-01T10:30:05.5"'],
    "zone-without-time": ['"2024-01-01Z"'],
    "only-digits": ['"20240101"'],
    "first-day": ['"0001-01-01"', '"9999-12-31 23:59:59"'],
}

cells = {
    "int-float": ["1", "2.5"],
    "int-gap": ["1", "", "3"],
    "float-gap": ["1.5", ""],
    "text-gap": ["p", ""],
    "bool-gap": ["True", ""],
    "only-gaps": ["", ""],
    "missing-words": ["NA", "null", "None", "nan", "N/A", "<NA>", "#N/A", "NULL", "-nan", "n/a"],
    "missing-word-in-text": ["NA", "none", "foo"],
    "missing-word-in-numbers": ["1", "NA"],
    "last-zero": ["1.50", "2"],
    "first-zero": ["007", "8"],
    "beyond-2-53": ["9007199254740993", "1"],
    "uint64": ["18446744073709551615", "2"],
    "exponent": ["1e3", "1"],
    "plus": ["+1", "2"],
    "point-alone": [".5", "1."],
    "infinity": ["inf", "-Infinity", "2"],
    "words-of-truth": ["TRUE", "false", "True"],
    "words-of-no-truth": ["yes", "no"],
    "date": ["2024-01-01", "2024-01-02"],
    "spaces": [" 1", "2 "],
    "quoted": ['"1"', '"2"'],
    "quoted-empty": ['""', "2"],
    "underscore": ["1_000", "2"],
    "thousands": ['"1,000"', "2"],
    "minus-zero": ["-0", "2"],
    "minus-zero-float": ["-0.0", "2"],
    "digits-17": ["0.1234567890123456", "3.14159265358979"],
    "number-text": ["1", "x"],
}


def lines(name, values):
    return "".join(f'{{"t":"{i}","{name}":{v}}}\n' for i, v in enumerate(values))


def cases():
    for name, values in columns.items():
        yield f"lines, {name}", {"a.jsonl": lines("a", values)}
        yield f"array, {name}", {"a.json": "[" + ",".join(lines("a", values).split("\n")[:-1]) + "]"}
    for name, values in cells.items():
        yield f"csv, {name}", {"a.csv": "t,a\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values))}
    yield "lines, missing key", {"a.jsonl": '{"a":1}\n{"b":2}\n{"a":2.5}\n'}
    yield "two files, floats first", {"train.jsonl": lines("a", ["1.5", "2"]), "test.jsonl": lines("a", ["1", "2"])}
    yield "two files, whole numbers first", {"train.jsonl": lines("a", ["1", "2"]), "test.jsonl": lines("a", ["3.0", "4.0"])}
    yield "two csv files, floats first", {"train.csv": "t,a\nx,1.5\n", "test.csv": "t,a\nx,1\n"}


def plain(value):
    if isinstance(value, (datetime.datetime, datetime.date)):
        return {"moment": [str(value), repr(value)]}
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return {"int": str(value)}
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def read(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            with open(os.path.join(folder, name), "w") as f:
                f.write(text)
        kind = "csv" if next(iter(files)).endswith("csv") else "json"
        named = {name.split(".")[0] if len(files) > 1 else "train": os.path.join(folder, name) for name in files}
        try:
            found = datasets.load_dataset(kind, data_files=named, cache_dir=os.path.join(folder, "c"))
            return {split: [plain(row) for row in rows] for split, rows in found.items()}
        except Exception:
            return None


with open(os.path.join(os.path.dirname(__file__), "column_types.json"), "w") as f:
    found = [{"name": name, "files": files, "rows": read(files)} for name, files in cases()]
    f.write("[\n" + ",\n".join(json.dumps(case) for case in found) + "\n]\n")
