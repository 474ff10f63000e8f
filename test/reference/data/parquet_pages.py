"""Tiny Parquet files in every codec, page version and encoding of pyarrow, as base64 with their rows: parquet_pages.json.

Run: python test/reference/data/parquet_pages.py (pyarrow)
"""

import base64
import io
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq

table = pa.table(
    {
        "text": ["a", "b", None, "a"],
        "note": pa.array([None] * 4, pa.string()),
        "n": pa.array([1, None, -3, 2**40], pa.int64()),
        "x": pa.array([0.5, None, -1.25, 2.75], pa.float64()),
        "tags": [["p", None], [], None, ["q"]],
        "part": [{"k": 1, "none": None}, None, {"k": 3, "none": None}, {"k": 4, "none": None}],
    }
)
table = table.set_column(5, "part", table["part"].cast(pa.struct([("k", pa.int64()), ("none", pa.string())])))

encodings = {"plain": {"use_dictionary": False}, "dictionary": {"use_dictionary": True}}
encodings["delta"] = {
    "use_dictionary": False,
    "column_encoding": {"text": "DELTA_BYTE_ARRAY", "note": "DELTA_LENGTH_BYTE_ARRAY", "n": "DELTA_BINARY_PACKED", "x": "BYTE_STREAM_SPLIT"},
}

cases = []
for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
    for version in ["1.0", "2.0"]:
        for name, options in encodings.items():
            out = io.BytesIO()
            pq.write_table(table, out, compression=codec, data_page_version=version, **options)
            cases.append({"name": f"{codec}, pages {version}, {name}", "file": base64.b64encode(out.getvalue()).decode()})
with open(os.path.join(os.path.dirname(__file__), "parquet_pages.json"), "w") as f:
    json.dump({"rows": table.to_pylist(), "cases": cases}, f, indent=1)
    f.write("\n")
