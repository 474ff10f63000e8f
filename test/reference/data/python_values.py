"""Columns of decimals, times, durations and time zones as Parquet and Arrow, and what templates print -> python_values.json.

    python test/reference/data/python_values.py > test/reference/data/python_values.json

`columns`: name -> { parquet, arrow: the file in base64; texts: a row's `{{ v }}` and `{{ [v] }}` with datasets and Jinja }.
`templates`: expressions with a = Decimal("1.50"), b = Decimal("-0.125"), z = Decimal("0.00") -> the text, or null for an error.
"""
import base64
import datetime as dt
import decimal
import io
import json
import tempfile
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
from jinja2 import Environment, StrictUndefined

datasets.disable_progress_bars()
D, utc = decimal.Decimal, dt.timezone.utc
spring = dt.datetime(2024, 3, 31, 0, 30, 0, 123456, tzinfo=utc)
summer = dt.datetime(2024, 7, 1, 12, 0, tzinfo=utc)
old = dt.datetime(1883, 1, 1, tzinfo=utc)
clock = pa.timestamp("us", "Europe/Berlin")
price = pa.decimal128(9, 2)

columns = {
    f"{unit} {zone}": ([spring.replace(microsecond={"s": 0, "ms": 123000}.get(unit, 123456)), summer, None], pa.timestamp(unit, zone))
    for unit, zone in [
        ("s", "UTC"), ("ms", None), ("ms", "Europe/Berlin"), ("us", "America/New_York"), ("us", "+05:30"), ("us", "-03:00"),
        ("us", "+00:00"), ("ns", None), ("ns", "Asia/Kolkata"), ("ns", "+05:30"), ("us", "Etc/GMT+5"),
    ]
} | {
    "zone with seconds": ([old, None], clock),
    "date": ([dt.date(2024, 2, 29), dt.date(1, 1, 1), None], pa.date32()),
    "date of milliseconds": ([dt.date(2024, 2, 29), dt.date(1969, 12, 31)], pa.date64()),
    "decimal of 32 bits": ([D("1.50"), D("-1234567.89"), None], price),
    "decimal of 64 bits": ([D("0.0000"), D("-0.0500")], pa.decimal128(18, 4)),
    "decimal of 128 bits": ([D("1234567890123456789012345678.0123456789"), D("-1")], pa.decimal128(38, 10)),
    "decimal without a fraction": ([D("5"), D("-12")], pa.decimal128(5, 0)),
    "small decimal": ([D("0.0000000001"), D("0"), D("0.0000123")], pa.decimal128(20, 10)),
    "decimal of 256 bits": ([D("1.25"), D("-99.99")], pa.decimal256(50, 2)),
    "time of seconds": ([dt.time(1, 2, 3), dt.time(0, 0), None], pa.time32("s")),
    "time of milliseconds": ([dt.time(1, 2, 3, 4000), dt.time(23, 59)], pa.time32("ms")),
    "time of microseconds": ([dt.time(1, 2, 3, 4)], pa.time64("us")),
    "duration": (
        [dt.timedelta(days=1, seconds=5, microseconds=7), dt.timedelta(seconds=-1), dt.timedelta(0), dt.timedelta(days=-3), None],
        pa.duration("us"),
    ),
    "duration of seconds": ([dt.timedelta(days=2)], pa.duration("s")),
    "struct": (
        [{"p": D("1.50"), "when": dt.date(2020, 1, 2), "l": [1.0, None]}, {"p": None, "when": None, "l": []}, None],
        pa.struct([("p", price), ("when", pa.date32()), ("l", pa.list_(pa.float64()))]),
    ),
    "list of decimals": ([[D("1.50"), None], [], None], pa.list_(price)),
    "list of structs": ([[{"x": 1, "t": summer}], [], None], pa.list_(pa.struct([("x", pa.int32()), ("t", clock)]))),
    "list of lists": ([[[summer], []], [None], None], pa.list_(pa.list_(clock))),
    "struct in a struct": (
        [{"s": {"l": [{"m": [D("2.00")]}]}}, {"s": None}, None],
        pa.struct([("s", pa.struct([("l", pa.list_(pa.struct([("m", pa.list_(price))])))]))]),
    ),
}
env = Environment(undefined=StrictUndefined)


def both(name, values, kind):
    table = pa.table({"v": pa.array(values, kind)})
    parquet, arrow = io.BytesIO(), io.BytesIO()
    pq.write_table(table, parquet)
    feather.write_feather(table, arrow, compression="uncompressed")
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder) / "a.parquet"
        at.write_bytes(parquet.getvalue())
        rows = datasets.load_dataset("parquet", data_files=str(at), split="train", cache_dir=folder)
        texts = [[env.from_string(t).render(**row) for t in ("{{ v }}", "{{ [v] }}")] for row in rows]
    files = {"parquet": parquet, "arrow": arrow}
    return {key: base64.b64encode(file.getvalue()).decode() for key, file in files.items()} | {"texts": texts}


templates = [
    "a + 1", "a - b", "a * 100", "a * b", "-b", "2 - a", "a == 1.5", "a == 1", "b < 0", "a > 1", "a < 1.6", "b == -0.125", "a > b",
    "[a, b, 0]|sort", "a|float", "a|int", "b|int", "b|float", "a|round", "b|round(2)", "a|round(1)", "'yes' if z else 'no'",
    "'%.1f' % a", "'%d' % b", "'%s' % a", "'%6.2f' % b", "a|string", "a is number", "a + 0.5", "a in [1.5]", "{a: 1}[1.5]",
    "a|tojson", "z + z", "a * a * a", "[a, a]|sum", "a ~ 'x'", "a is string", "a != b", "a >= 1.5", "a|default(1)", "[a, b]|max",
]
row = {"a": D("1.50"), "b": D("-0.125"), "z": D("0.00")}


def printed(expression):
    try:
        return env.from_string("{{ " + expression + " }}").render(**row)
    except Exception:
        return None


out = {
    "columns": {name: both(name, *column) for name, column in columns.items()},
    "templates": {expression: printed(expression) for expression in templates},
}
print(json.dumps(out, indent=0))
