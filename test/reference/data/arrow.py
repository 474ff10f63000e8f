"""Tiny Arrow files and folders of `save_to_disk`, as base64 with their rows: arrow.json.

Run: python test/reference/data/arrow.py (pyarrow 26.0.1, datasets 5.2.0)
Rows are those that `datasets` and pyarrow give, written as LayerIF shows such values: {"float": "3.0"} for a float, {"int": "..."} for
a whole number beyond 2^53, {"moment": "..."} with Python's text for dates, times, timestamps and durations, Base64 for bytes.
"""

import base64
import datetime as dt
import decimal
import io
import json
import os
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Dataset, DatasetDict, Features, LargeList, List, Value

utc = dt.timezone.utc
when = dt.datetime(2024, 2, 29, 12, 30, 15, 250000, tzinfo=utc)
typed = pa.table(
    {
        "i8": pa.array([1, -2, None], pa.int8()),
        "u8": pa.array([255, 0, None], pa.uint8()),
        "u64": pa.array([2**64 - 1, 0, None], pa.uint64()),
        "i64": pa.array([2**53 + 1, -(2**63), None], pa.int64()),
        "f16": pa.array([0.5, 2.0, None], pa.float16()),
        "f32": pa.array([0.1, 3.0, None], pa.float32()),
        "f64": pa.array([0.1, 1e300, None], pa.float64()),
        "bool": [True, False, None],
        "text": ["ü", "", None],
        "large": pa.array(["a", "b", None], pa.large_string()),
        "view": pa.array(["short", "longer than twelve bytes", None], pa.string_view()),
        "bin": pa.array([b"\x00\xff", b"", None], pa.binary()),
        "large_bin": pa.array([b"ab", b"", None], pa.large_binary()),
        "fixed_bin": pa.array([b"ab", b"cd", None], pa.binary(2)),
        "none": pa.nulls(3),
        "date": pa.array([dt.date(1969, 12, 31), dt.date(2024, 2, 29), None], pa.date32()),
        "date64": pa.array([dt.date(1969, 12, 31), dt.date(2024, 2, 29), None], pa.date64()),
        "s": pa.array([when.replace(microsecond=0), None, None], pa.timestamp("s", "UTC")),
        "ms": pa.array([when, None, None], pa.timestamp("ms")),
        "us": pa.array([when, dt.datetime(1900, 1, 1), None], pa.timestamp("us", "UTC")),
        "ns": pa.array([when, None, None], pa.timestamp("ns")),
        "time32": pa.array([dt.time(1, 2, 3), None, None], pa.time32("ms")),
        "time64": pa.array([dt.time(1, 2, 3, 4), None, None], pa.time64("us")),
        "span": pa.array([dt.timedelta(seconds=3), None, None], pa.duration("ms")),
        "money": pa.array([decimal.Decimal("-12.34"), decimal.Decimal("0.10"), None], pa.decimal128(9, 2)),
        "huge": pa.array([decimal.Decimal("12345678901234567890123456789.5"), None, None], pa.decimal256(50, 1)),
        "list": pa.array([[1.0, None, 2.5], [], None], pa.list_(pa.float64())),
        "large_list": pa.array([["a"], [None], None], pa.large_list(pa.string())),
        "pair": pa.array([[1, 2], [3, None], None], pa.list_(pa.int64(), 2)),
        "nested": pa.array([[[1], [2, 3]], [None, []], None], pa.list_(pa.list_(pa.int32()))),
        "struct": pa.array([{"a": 1.0, "b": [{"c": 2**60}]}, {"a": None, "b": None}, None], pa.struct([("a", pa.float64()), ("b", pa.list_(pa.struct([("c", pa.int64())])))])),
        "map": pa.array([[("k", 1.0)], [], None], pa.map_(pa.string(), pa.float64())),
        "word": pa.array(["yes", "no", None]).dictionary_encode(),
        "word_list": pa.array([["x", "y"], ["x"], None], pa.list_(pa.dictionary(pa.int8(), pa.string()))),
    }
)


def shown(value, kind):
    """A value of pyarrow as LayerIF shows it."""
    if value is None:
        return None
    if pa.types.is_dictionary(kind):
        return shown(value, kind.value_type)
    if pa.types.is_map(kind):
        return {key: shown(inner, kind.item_type) for key, inner in value}
    if pa.types.is_struct(kind):
        return {field.name: shown(value[field.name], field.type) for field in kind}
    if hasattr(kind, "value_type"):
        return [shown(item, kind.value_type) for item in value]
    if isinstance(value, bool) or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else {"int": str(value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, decimal.Decimal):
        return {"decimal": str(value)}
    return {"moment": str(value)}


def rows_of(table):
    return [{field.name: shown(table[field.name][i].as_py(), field.type) for field in table.schema} for i in range(table.num_rows)]


def ipc(table, kind, **options):
    out = io.BytesIO()
    write = pa.ipc.new_stream if kind == "stream" else pa.ipc.new_file
    with write(out, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=2)
    return out.getvalue()


def files_below(folder):
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, folder)] = base64.b64encode(f.read()).decode()
    return dict(sorted(found.items()))


delta = pa.schema([("word", pa.dictionary(pa.int32(), pa.string()))])
out = io.BytesIO()
with pa.ipc.new_stream(out, delta, options=pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)) as writer:
    for words in (["a", "b"], ["a", "b", "c"]):
        column = pa.DictionaryArray.from_arrays(pa.array([len(words) - 1, 0], pa.int32()), pa.array(words))
        writer.write_batch(pa.record_batch([column], schema=delta))
deltas = pa.ipc.open_stream(out.getvalue()).read_all()

cases = [
    {"name": "stream", "file": ipc(typed, "stream"), "rows": rows_of(typed)},
    {"name": "file", "file": ipc(typed, "file"), "rows": rows_of(typed)},
    {"name": "stream in zstd", "file": ipc(typed.select(["i64", "f64", "text", "list", "struct"]), "stream", compression="zstd"), "rows": rows_of(typed.select(["i64", "f64", "text", "list", "struct"]))},
    {"name": "stream without rows", "file": ipc(typed.slice(0, 0), "stream"), "rows": []},
    {"name": "stream of a slice", "file": ipc(typed.slice(1, 2), "stream"), "rows": rows_of(typed.slice(1, 2))},
    {"name": "dictionary that grows", "file": out.getvalue(), "rows": rows_of(deltas)},
]
lz4 = base64.b64encode(ipc(typed.select(["text"]), "file", compression="lz4")).decode()
months = base64.b64encode(ipc(pa.table({"gap": pa.array([pa.MonthDayNano([1, 2, 3])])}), "stream")).decode()
for case in cases:
    case["file"] = base64.b64encode(case["file"]).decode()

# The same columns as Parquet where it has the type: both readers give the same values. Parquet's bytes of no fixed length are text
# here, because older writers did not say which bytes are.
common = typed.drop_columns(["none", "span", "bin", "large_bin"])
buffer = io.BytesIO()
pq.write_table(common, buffer)

features = Features(
    {
        "text": Value("string"),
        "label": ClassLabel(names=["neg", "pos"]),
        "score": Value("float32"),
        "ids": List(Value("int64")),
        "turns": LargeList({"role": Value("large_string"), "n": Value("int32")}),
        "when": Value("timestamp[us]"),
    }
)
data = {
    "text": ["good", "bad", None, "fine", "poor"],
    "label": [1, 0, None, 1, 0],
    "score": [1.0, 0.25, None, 2.0, -1.5],
    "ids": [[1, 2**60], [], None, [3], [4, None]],
    "turns": [[{"role": "user", "n": 1}], [], None, [{"role": None, "n": None}], []],
    "when": [when.replace(tzinfo=None), None, None, None, None],
}
dataset = Dataset.from_dict(data, features=features)
folders = []
with tempfile.TemporaryDirectory() as root:

    def folder(name, saved, splits, **options):
        place = os.path.join(root, name)
        saved.save_to_disk(place, **options)
        folders.append({"name": name, "files": files_below(place), "splits": {split: rows_of(part.data.table if part._indices is None else part.flatten_indices().data.table) for split, part in splits.items()}})
        return place

    folder("dataset", dataset, {"train": dataset})
    folder("three_files", dataset, {"train": dataset}, num_shards=3)
    chosen = dataset.select([4, 0])
    folder("chosen_rows", chosen, {"train": chosen})
    parts = {"train": dataset.select(range(3)), "held_out": dataset.select(range(3, 5))}
    folder("dataset_dict", DatasetDict(parts), parts)
    # map writes its cache beside the rows of a dataset that was loaded from disk.
    place = folder("with_caches", dataset, {"train": dataset})
    loaded = Dataset.load_from_disk(place)
    loaded.map(lambda row: {"text": "from the cache"})
    folders[-1]["files"] = files_below(place)
    assert any(name.startswith("cache-") for name in folders[-1]["files"])

with open(os.path.join(os.path.dirname(__file__), "arrow.json"), "w") as f:
    json.dump({"cases": cases, "lz4": lz4, "months": months, "parquet": {"file": base64.b64encode(buffer.getvalue()).decode(), "rows": rows_of(common)}, "folders": folders}, f, indent=1, ensure_ascii=False)
    f.write("\n")
