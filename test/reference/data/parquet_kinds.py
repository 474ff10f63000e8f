"""Parquet with timestamps of 96 bits, decimals in each of their forms, pages of megabytes and many small pages: parquet_kinds.json.

Run: python test/reference/data/parquet_kinds.py (pyarrow 26.0.1). Decimals are {"decimal": text}.
"""

import base64
import datetime as dt
import decimal
import io
import json
import os

import pyarrow as pa
import pyarrow.parquet as pq


def written(table, **options):
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return base64.b64encode(out.getvalue()).decode()


D = decimal.Decimal
moments = [dt.datetime(2024, 2, 29, 12, 30, 15, 250000), dt.datetime(1969, 12, 31, 23, 59, 59), dt.datetime(1900, 1, 1), None]
times = pa.table({"when": pa.array(moments, pa.timestamp("ns")), "n": [1, 2, 3, 4]})
texts = [None if m is None else {"moment": str(m)} for m in moments]
cases = [
    {
        "name": f"timestamps of 96 bits, {name}",
        "file": written(times, use_deprecated_int96_timestamps=True, use_dictionary=dictionary),
        "rows": [{"when": text, "n": n} for text, n in zip(texts, [1, 2, 3, 4])],
    }
    for name, dictionary in (("plain", False), ("dictionary", True))
]

amounts = {
    "small": (pa.decimal128(7, 2), ["12.34", "-0.01", "99999.99", None]),
    "middle": (pa.decimal128(18, 6), ["123456.654321", "-1.000001", "0", None]),
    "large": (pa.decimal128(38, 3), ["-12345678901234567890.125", "0.001", "1", None]),
    "larger": (pa.decimal256(60, 1), ["123456789012345678901234567890.5", "-0.1", "2", None]),
}
decimals = pa.table({name: pa.array([None if t is None else D(t) for t in values], kind) for name, (kind, values) in amounts.items()})
rows = [{name: None if value is None else {"decimal": str(value)} for name, value in row.items()} for row in decimals.to_pylist()]
for integers in (False, True):
    name = "decimals as integers" if integers else "decimals as bytes"
    cases.append({"name": name, "file": written(decimals, store_decimal_as_integer=integers), "rows": rows})
with open(os.path.join(os.path.dirname(__file__), "parquet_kinds.json"), "w") as f:
    pages = {}
    # Four values of 2 MiB on one page; 3,000 rows on pages of a few rows each.
    big = pa.table({"text": [c * 2**21 for c in "abcd"]})
    for codec in ("zstd", "lz4", "gzip", "brotli"):
        pages[codec] = written(big, compression=codec, use_dictionary=False, data_page_size=2**24)
    many = pa.table({"n": pa.array(range(3000), pa.int64()), "text": [f"row {i % 7}" for i in range(3000)]})
    small = written(many, compression="zstd", compression_level=19, data_page_size=256, write_batch_size=64, max_rows_per_page=64)
    json.dump({"cases": cases, "big": pages, "small": small}, f, indent=1)
    f.write("\n")
