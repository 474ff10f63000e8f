/** Every pruner against PyTorch (test/reference/pruning/make.py), and what holds for any matrix. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';
import fc from 'fast-check';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { inverseCholesky } from '../../server/src/linear/inverseCholesky.ts';
import { findPruner, pruners } from '../../server/src/pruning/pruners.ts';
import { nearestStructure, parseStructure, valueAt } from '../../server/src/pruning/structure.ts';
import type { InputStatistics, Pruner } from '../../server/src/pruning/types.ts';
import { Random } from '../../server/src/random/random.ts';
import { plainProducts } from './products.ts';

const reference = readSafetensors(path.join(import.meta.dirname, '../reference/pruning/pruning.safetensors'));
const [rows, columns] = [20, 160];

function statistics(): InputStatistics {
  return {
    sequences: 5,
    squaredNorms: reference.tensor('squared_norms') as Float64Array,
    products: Float64Array.from(reference.tensor('products') as Float32Array),
  };
}

const cases = reference.names().flatMap((name) => {
  const [id, amount] = name.split('/');
  if (amount === undefined) return [];
  const structure = amount.includes(':') ? parseStructure(amount) : null;
  return [{ name, pruner: findPruner(id), structure, sparsity: structure ? 0.5 : Number(amount) }];
});

test('the reference has every pruner, unstructured and N:M', () => {
  assert.deepEqual(new Set(cases.map((c) => c.pruner)), new Set(pruners));
  assert.equal(cases.length, pruners.length * 5);
});

for (const { name, pruner, structure, sparsity } of cases) {
  test(`${name}: the mask of PyTorch, and its weights`, async () => {
    const weight = Float32Array.from(reference.tensor('W') as Float32Array);
    await pruner.prune({ weight, rows, columns }, statistics(), { sparsity, structure }, plainProducts);
    const expected = reference.tensor(name) as Float32Array;
    const differing = [...weight].filter((w, i) => (w === 0) !== (expected[i] === 0)).length;
    assert.equal(differing, 0, `${differing} of ${weight.length} entries are masked otherwise`);
    let error = 0;
    let norm = 0;
    for (let i = 0; i < weight.length; i++) {
      error += (weight[i] - expected[i]) ** 2;
      norm += expected[i] ** 2;
    }
    assert.ok(Math.sqrt(error / norm) < 1e-5, `relative difference ${Math.sqrt(error / norm)}`);
  });
}

test('the updates of SparseGPT make up for a part of what its mask does to the output', async () => {
  const W = reference.tensor('W') as Float32Array;
  const G = statistics().products!;
  const damage = (weight: Float32Array): number => {
    const change = weight.map((w, i) => w - W[i]);
    let sum = 0;
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < columns; i++) {
        for (let j = 0; j < columns; j++) sum += change[r * columns + i] * G[i * columns + j] * change[r * columns + j];
      }
    }
    return sum;
  };
  const weight = Float32Array.from(W);
  const amount = { sparsity: 0.5, structure: null };
  await findPruner('sparsegpt').prune({ weight, rows, columns }, statistics(), amount, plainProducts);
  const masked = W.map((w, i) => (weight[i] === 0 ? 0 : w));
  assert.ok(damage(weight) < 0.9 * damage(masked), `${damage(weight)} against ${damage(masked)}`);
});

const randomMatrix = (seed: number, r: number, c: number) => {
  const random = new Random(seed);
  const X = Float64Array.from({ length: 3 * c * c }, () => random.normal());
  const products = new Float64Array(c * c);
  for (let t = 0; t < 3 * c; t++) {
    for (let i = 0; i < c; i++) for (let j = 0; j < c; j++) products[i * c + j] += X[t * c + i] * X[t * c + j];
  }
  return {
    weight: Float32Array.from({ length: r * c }, () => random.normal()),
    statistics: {
      sequences: 3,
      squaredNorms: Float64Array.from({ length: c }, (_, j) => products[j * c + j]),
      products,
    },
  };
};

const zeros = (weight: Float32Array) => weight.reduce((count, w) => count + (w === 0 ? 1 : 0), 0);

async function pruned(pruner: Pruner, seed: number, r: number, c: number, sparsity: number, word = 'unstructured') {
  const { weight, statistics } = randomMatrix(seed, r, c);
  const amount = { sparsity, structure: parseStructure(word) };
  await pruner.prune({ weight, rows: r, columns: c }, statistics, amount, plainProducts);
  return weight;
}

for (const pruner of pruners) {
  test(`${pruner.id}: as many zeros as asked for, none at sparsity 0, more with more sparsity`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 2, max: 24 }),
        async (seed, r, c) => {
          let before = -1;
          for (const sparsity of [0, 0.25, 0.5, 0.9, 1]) {
            const count = zeros(await pruned(pruner, seed, r, c, sparsity));
            // per matrix and per slab one entry more than the floor, per row never more than the floor
            const [least, most] =
              pruner.id === 'wanda'
                ? [r * Math.floor(c * sparsity), r * Math.floor(c * sparsity)]
                : [
                    Math.floor(r * c * sparsity),
                    sparsity === 0 ? 0 : Math.min(r * c, Math.floor(r * c * sparsity) + 1),
                  ];
            assert.ok(count >= least && count <= most, `${count} zeros at ${sparsity} of ${r} x ${c}`);
            assert.ok(count >= before);
            before = count;
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test(`${pruner.id}: N:M keeps N of every M`, async () => {
    for (const word of ['2:4', '4:8', '1:4', '3:5']) {
      const { n, m } = parseStructure(word)!;
      const weight = await pruned(pruner, 5, 4, 30 * m, 0.5, word);
      for (let start = 0; start < weight.length; start += m) {
        assert.equal(m - zeros(weight.subarray(start, start + m)), n, `${word} at ${start}`);
      }
    }
  });
}

test('ties go by the lower index', async () => {
  const weight = new Float32Array(8).fill(1);
  const stats = { sequences: 1, squaredNorms: new Float64Array(8).fill(1) };
  await findPruner('wanda').prune(
    { weight, rows: 1, columns: 8 },
    stats,
    { sparsity: 0.5, structure: null },
    plainProducts,
  );
  assert.deepEqual([...weight], [0, 0, 0, 0, 1, 1, 1, 1]);
});

test('statistics that are missing are named', () => {
  const matrix = { weight: new Float32Array(4), rows: 1, columns: 4 };
  const amount = { sparsity: 0.5, structure: null };
  assert.throws(() => findPruner('wanda').prune(matrix, null, amount, plainProducts), /4 input norms, got none/);
  assert.throws(() => findPruner('wnada'), /"wnada" is not available: use one of magnitude, wanda, sparsegpt/);
});

test('structures: words, the nearest N of M, and what is refused', () => {
  assert.deepEqual(parseStructure('2:4'), { n: 2, m: 4 });
  assert.equal(parseStructure('unstructured'), null);
  for (const word of ['4:4', '0:4', '2:65', '2-4', '']) assert.throws(() => parseStructure(word), /is not a structure/);
  const kept = [0, 0.3, 0.5, 0.7, 1].map((sparsity) => nearestStructure({ n: 4, m: 8 }, sparsity).n);
  assert.deepEqual(kept, [8, 6, 4, 2, 0]);
});

test('valueAt is the sorted value', () => {
  fc.assert(
    fc.property(fc.float32Array({ min: 0, minLength: 1, maxLength: 60, noNaN: true }), fc.nat(), (values, at) => {
      const magnitudes = values.map(Math.abs);
      const index = at % values.length;
      assert.equal(valueAt(magnitudes, index), magnitudes.slice().sort()[index]);
    }),
  );
});

test('the inverse Cholesky factor inverts, by halves as in one piece; an indefinite matrix is refused', async () => {
  const n = 250;
  const { statistics } = randomMatrix(9, 1, n);
  const A = statistics.products;
  const inverse = (await inverseCholesky(A, n, plainProducts))!;
  // L⁻¹ A L⁻ᵀ = I
  const left = await plainProducts.multiply(inverse, A, n, n, n);
  let worst = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += left[i * n + k] * inverse[j * n + k];
      worst = Math.max(worst, Math.abs(sum - (i === j ? 1 : 0)));
    }
  }
  assert.ok(worst < 1e-10, `${worst}`);
  A[240 * n + 240] = -1;
  assert.equal(await inverseCholesky(A, n, plainProducts), null);
});
