"""bzip2 and xz as Python's bz2 and lzma and the xz program write them -> compressed.json.

    python test/reference/data/compressed.py > test/reference/data/compressed.json

Each case: the file in base64, and the SHA-256 and length of its text.
"""
import base64
import bz2
import hashlib
import json
import lzma
import random
import subprocess

rng = random.Random(0)
words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9))) for _ in range(200)]
rows = b"".join(
    (json.dumps({"text": " ".join(rng.choices(words, k=rng.randint(3, 20))), "n": n}) + "\n").encode()
    for n in range(150)
)
noise = rng.randbytes(3000)
runs = b"a" * 300_000 + b"ab" * 2000 + noise[:50] + b"\0" * 1000
mixed = rows[:2000] + noise + rows[:6000] + runs + noise[500:2500] + rows[-500:]


def lzma2(**settings):
    return [{"id": lzma.FILTER_LZMA2, "preset": 6, **settings}]


def program(data, *options):
    return subprocess.run(["xz", "--stdout", *options], input=data, capture_output=True, check=True).stdout


files = {
    "bzip2, rows": (bz2.compress(rows), rows),
    "bzip2, runs on blocks of 100 kB": (bz2.compress(runs * 2, 1), runs * 2),
    "bzip2, mixed": (bz2.compress(mixed, 1), mixed),
    "bzip2, two streams": (bz2.compress(rows[:1000]) + bz2.compress(rows[1000:2000], 1), rows[:2000]),
    "bzip2, nothing": (bz2.compress(b""), b""),
    "xz, rows": (lzma.compress(rows), rows),
    "xz, mixed": (lzma.compress(mixed, preset=9), mixed),
    "xz, no check": (lzma.compress(rows[:3000], check=lzma.CHECK_NONE), rows[:3000]),
    "xz, CRC32": (lzma.compress(rows[:3000], check=lzma.CHECK_CRC32), rows[:3000]),
    "xz, SHA-256": (lzma.compress(rows[:3000], check=lzma.CHECK_SHA256), rows[:3000]),
    "xz, lc 0, lp 2, pb 0": (lzma.compress(mixed, filters=lzma2(lc=0, lp=2, pb=0)), mixed),
    "xz, lc 4, lp 0, pb 4": (lzma.compress(mixed, filters=lzma2(lc=4, lp=0, pb=4)), mixed),
    "xz, a dictionary of 4 KiB": (lzma.compress(mixed, filters=lzma2(dict_size=4096)), mixed),
    "xz, only noise": (lzma.compress(noise), noise),
    "xz, many blocks": (program(rows, "--block-size=3000", "--threads=2"), rows),
    "xz, zeros behind two streams": (
        lzma.compress(rows[:500]) + bytes(8) + lzma.compress(rows[500:900]) + bytes(4),
        rows[:900],
    ),
    "xz, more than two megabytes": (lzma.compress(runs * 8), runs * 8),
    "xz, nothing": (lzma.compress(b""), b""),
}
refused = {
    "delta": lzma.compress(rows[:300], filters=[{"id": lzma.FILTER_DELTA, "dist": 4}, *lzma2()]),
    "dictionary": lzma.compress(b"a", filters=lzma2(dict_size=1 << 28)),
}
print(
    json.dumps(
        {
            "cases": {
                name: {
                    "file": base64.b64encode(file).decode(),
                    "sha256": hashlib.sha256(text).hexdigest(),
                    "bytes": len(text),
                }
                for name, (file, text) in files.items()
            },
            "refused": {name: base64.b64encode(file).decode() for name, file in refused.items()},
            "rows": rows[:200].decode().split("\n")[0],
        },
        indent=1,
    )
)
