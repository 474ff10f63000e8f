"""Parquet with the older codec LZ4, in the framing of Hadoop and as a bare block: parquet_lz4.json.

pyarrow writes LZ4_RAW alone. Its file is taken apart (Thrift's compact protocol), the codec named LZ4, the page put into Hadoop's
frames (big-endian length of the text and of the block before each block), and pyarrow has to read the same rows from what comes out.
Run: python test/reference/data/parquet_lz4.py (pyarrow 26.0.1)
"""

import base64
import io
import json
import os
import struct

import pyarrow as pa
import pyarrow.parquet as pq

LZ4, STRUCT, LIST = 5, 12, 9


class Reader:
    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def varint(self):
        value = shift = 0
        while True:
            b = self.byte()
            value |= (b & 127) << shift
            shift += 7
            if b < 128:
                return value

    def value(self, kind):
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self.byte()
        if kind in (4, 5, 6):
            v = self.varint()
            return (v >> 1) ^ -(v & 1)
        if kind == 7:
            self.at += 8
            return self.data[self.at - 8 : self.at]
        if kind == 8:
            n = self.varint()
            self.at += n
            return self.data[self.at - n : self.at]
        if kind == LIST:
            head = self.byte()
            n = head >> 4 if head >> 4 < 15 else self.varint()
            return (head & 15, [self.value(head & 15) for _ in range(n)])
        assert kind == STRUCT, kind
        fields, last = {}, 0
        while True:
            head = self.byte()
            if head == 0:
                return fields
            if head >> 4:
                last += head >> 4
            else:
                last = self.value(4)
            fields[last] = (head & 15, self.value(head & 15))


def varint(v):
    out = bytearray()
    while v > 127:
        out.append(v & 127 | 128)
        v >>= 7
    return bytes(out + bytes([v]))


def written(kind, v):
    if kind in (1, 2):
        return b""
    if kind == 3:
        return bytes([v])
    if kind in (4, 5, 6):
        return varint((v << 1) ^ (v >> 63))
    if kind == 7:
        return v
    if kind == 8:
        return varint(len(v)) + v
    if kind == LIST:
        head = bytes([len(v[1]) << 4 | v[0]]) if len(v[1]) < 15 else bytes([15 << 4 | v[0]]) + varint(len(v[1]))
        return head + b"".join(written(v[0], item) for item in v[1])
    out, last = b"", 0
    for number, (of, item) in v.items():
        out += bytes([number - last << 4 | of]) + written(of, item)
        last = number
    return out + b"\0"


def framed(block, size):
    return struct.pack(">II", size, len(block)) + block


def with_codec(table, frame):
    out = io.BytesIO()
    pq.write_table(table, out, compression="lz4", use_dictionary=False, write_statistics=False, data_page_size=2**20, store_schema=False)
    data = out.getvalue()
    length = struct.unpack("<I", data[-8:-4])[0]
    footer = Reader(data, len(data) - 8 - length).value(STRUCT)
    body, moved = b"PAR1", 0
    (group,) = footer[4][1][1]
    for chunk in group[1][1][1]:
        meta = chunk[3][1]
        start, stop = meta[9][1], meta[9][1] + meta[7][1]
        reader, pages, total = Reader(data, start), b"", 0
        while reader.at < stop:
            header = reader.value(STRUCT)
            size = header[3][1]
            block = data[reader.at : reader.at + size]
            reader.at += size
            block = frame(block, header[2][1])
            header[3] = (header[3][0], len(block))
            pages += written(STRUCT, header) + block
            total += header[2][1]
        meta[4] = (meta[4][0], LZ4)
        meta[9] = (meta[9][0], len(body))
        meta[7] = (meta[7][0], len(pages))
        chunk[2] = (chunk[2][0], 0)
        body += pages
    for key in (5, 6):
        group.pop(key, None)
    footer_bytes = written(STRUCT, footer)
    whole = body + footer_bytes + struct.pack("<I", len(footer_bytes)) + b"PAR1"
    assert pq.read_table(io.BytesIO(whole)).equals(table.cast(pq.read_schema(io.BytesIO(whole)))), "pyarrow reads other rows"
    return base64.b64encode(whole).decode()


table = pa.table({"n": pa.array(range(40), pa.int64()), "text": [f"row {i % 7} " * (i % 5) for i in range(40)]})
files = {"Hadoop frames": with_codec(table, framed), "bare block": with_codec(table, lambda block, size: block)}
with open(os.path.join(os.path.dirname(__file__), "parquet_lz4.json"), "w") as f:
    json.dump({"files": files, "rows": table.to_pylist()}, f)
    f.write("\n")
print({name: len(text) for name, text in files.items()})
