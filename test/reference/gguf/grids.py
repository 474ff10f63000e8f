"""Prints server/src/checkpoints/ggufGrids.ts from gguf-py's own tables.

    python test/reference/gguf/grids.py > server/src/checkpoints/ggufGrids.ts       (gguf 0.19.0)
"""
import base64
import textwrap

from gguf import quants

GRIDS = {
    "iq1": quants.IQ1_S, "iq2xxs": quants.IQ2_XXS, "iq2xs": quants.IQ2_XS, "iq2s": quants.IQ2_S, "iq3xxs": quants.IQ3_XXS,
    "iq3s": quants.IQ3_S,
}  # fmt: skip

print("""/**
 * Codebooks of llama.cpp's IQ types (ggml, MIT licence): every point of a grid is 4 or 8 small numbers. Written by
 * test/reference/gguf/grids.py from gguf-py's tables; base64 of indices into `values`, 2 or 4 bits each, the low ones first.
 */

interface Packed {
  /** Numbers of a point. */
  width: 4 | 8;
  values: readonly number[];
  bits: 2 | 4;
  points: string;
}

const packed = {""")
for name, kind in GRIDS.items():
    raw = bytes.fromhex(kind.grid_hex.decode())
    bits = 2 if len(kind.grid_map) < 5 else 4
    assert len(raw) * (8 // bits) == kind.grid_shape[0] * kind.grid_shape[1]
    print(f"  {name}: {{")
    print(f"    width: {kind.grid_shape[1]},")
    print(f"    values: [{', '.join(map(str, kind.grid_map))}],")
    print(f"    bits: {bits},")
    lines = textwrap.wrap(base64.b64encode(raw).decode(), 110)
    print("    points:\n      " + " +\n      ".join(f"'{line}'" for line in lines) + ",")
    print("  },")
print("""} as const satisfies Record<string, Packed>;

const unpacked = new Map<string, Int8Array>();

/** The points of a grid one after the other, unpacked on first use. */
export function grid(name: keyof typeof packed): Int8Array {
  const known = unpacked.get(name);
  if (known) return known;
  const { bits, values, points } = packed[name];
  const bytes = Buffer.from(points, 'base64');
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const numbers = Int8Array.from({ length: bytes.length * perByte }, (_, i) => {
    return values[(bytes[Math.floor(i / perByte)] >> (bits * (i % perByte))) & mask];
  });
  unpacked.set(name, numbers);
  return numbers;
}""")
