/** Sparsity maps: the released numbers, scipy's smoothing, and what holds for any scores. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { allocate } from '../../server/src/allocation/allocate.ts';
import { achieved, CAP } from '../../server/src/allocation/bounds.ts';
import { readStructure, roundToGroups } from '../../server/src/allocation/groups.ts';
import type { AllocationInput } from '../../server/src/allocation/layers.ts';
import { relativeSparsity } from '../../server/src/allocation/relativeSparsity.ts';
import { savitzkyGolay } from '../../server/src/allocation/savitzkyGolay.ts';
import { sparsityRules } from '../../server/src/allocation/sparsityRules.ts';
import type { SparsityInput } from '../../server/src/allocation/types.ts';
import { inputOf, reference, type Reference, type Released } from './inputs.ts';

const { pruning } = reference<Released>('released');
const sparsity = (values: readonly number[], rest: object = {}) =>
  allocate({ kind: 'sparsity', ...rest }, inputOf(values));
const close = (found: readonly number[], expected: readonly number[], tolerance: number) =>
  expected.forEach((value, i) =>
    assert.ok(Math.abs(found[i] - value) <= tolerance, `${i}: ${found[i]} against ${value}`),
  );
const plain = (values: readonly number[], rest: Partial<SparsityInput> = {}): SparsityInput => ({
  values,
  weights: values.map(() => 1),
  series: [values.map((_, i) => i)],
  ratio: 0.5,
  epsilon: 0.3,
  lambda: 0.08,
  paper: false,
  ...rest,
});

test("the released Mistral scores are smoothed to LayerIF's released file, to its four decimals", () => {
  close(savitzkyGolay(pruning.mistralScores), pruning.mistralSmoothed, 5e-5);
});

test('smoothing equals scipy.signal.savgol_filter(mode="interp"), short series included', () => {
  for (const { values, smooth } of reference<Reference>('reference').smoothing)
    close(savitzkyGolay(values), smooth, 1e-12);
  assert.deepEqual(savitzkyGolay([3, 1, 2, 5]), [3, 1, 2, 5]);
  const cubic = Array.from({ length: 20 }, (_, i) => i ** 3 - 4 * i + 1);
  close(savitzkyGolay(cubic), cubic, 1e-8);
});

test("the map of the authors' notebook: ratio 0.7, epsilon 0.1", () => {
  const { sparsity: p } = relativeSparsity(
    pruning.mistralSmoothed,
    plain(pruning.mistralSmoothed, { ratio: pruning.ratio, epsilon: pruning.epsilon }),
    String,
  );
  close(p, pruning.firstSparsities, 5e-7);
  assert.ok(Math.abs(Math.max(...p) - pruning.largest.sparsity) < 5e-7);
  assert.equal(p.indexOf(Math.max(...p)), pruning.largest.layer);
  // From the raw scores through the whole rule: the released file is rounded, so three decimals.
  const whole = sparsity(pruning.mistralScores, { ratio: 0.7, epsilon: 0.1 }).layers.map((l) => l.value);
  close(whole, pruning.firstSparsities, 5e-5);
});

test('Gemma: one layer far above the others reaches the cap at 70 %; only `paper` loses what it cuts off', () => {
  const w = pruning.gemmaSmoothed;
  const input = plain(w, { ratio: 0.7, epsilon: 0.3 });
  const ours = relativeSparsity(w, input, String);
  const paper = relativeSparsity(w, { ...input, paper: true }, String);
  assert.deepEqual([ours.sparsity.indexOf(CAP), paper.sparsity.indexOf(CAP)], [27, 27]);
  assert.deepEqual(ours.atBound, [27]);
  assert.ok(Math.abs(achieved(ours.sparsity, input.weights) - 0.7) < 1e-12);
  assert.ok(achieved(paper.sparsity, input.weights) < 0.7 - 1e-3);
  // Before the cap: eta t with t = 1.3 for the largest.
  const t = w.map((v) => 0.7 + (0.6 * (v - Math.min(...w))) / (Math.max(...w) - Math.min(...w)));
  const eta = (0.7 * w.length) / t.reduce((a, b) => a + b);
  close(
    paper.sparsity,
    t.map((value) => Math.min(CAP, eta * value)),
    1e-12,
  );
});

/** Layers of different size, two matrices each. */
const uneven = fc
  .array(
    fc.record({
      value: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      rows: fc.integer({ min: 1, max: 40 }),
      scale: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((items): AllocationInput => ({
    values: items.map(({ value }) => value),
    matrixValues: items.map(({ value, scale }) => [value, value * scale]),
    layers: items.map(({ rows }, index) => ({
      index,
      name: `layers.${index}`,
      modules: [
        { name: 'a', rows, columns: 8 },
        { name: 'b', rows: 16, columns: 4 },
      ],
    })),
  }));

test('for any scores, sizes, ratios and ranges: the global sparsity is exact, every layer within 0 and the cap', () => {
  fc.assert(
    fc.property(
      uneven,
      fc.double({ min: 0, max: CAP, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      fc.constantFrom('block' as const, 'matrix' as const),
      (input, ratio, epsilon, lambda, unit) => {
        for (const { id } of sparsityRules) {
          const found = allocate({ kind: 'sparsity', rule: id, ratio, epsilon, lambda, unit }, input);
          assert.ok(Math.abs(found.total - ratio) < 1e-9, `${id} ${unit}: ${found.total} against ${ratio}`);
          for (const layer of found.layers)
            for (const p of [layer.value, ...Object.values(layer.modules ?? {})])
              assert.ok(p >= 0 && p <= CAP + 1e-12, `${id}: ${p}`);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test('monotone: LayerIF after smoothing, AlphaPruning rising and OWL falling with their values; reversed mirrors LayerIF', () => {
  const values = fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 2, maxLength: 30 });
  fc.assert(
    fc.property(
      values,
      fc.double({ min: 0.05, max: 0.95, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (v, ratio, epsilon) => {
        const of = (id: string) =>
          sparsityRules.find((rule) => rule.id === id)!.map(plain(v, { ratio, epsilon })).sparsity;
        const [alpha, outliers] = [of('alphapruning'), of('owl')];
        const u = savitzkyGolay(v.map((value) => (value - Math.min(...v)) / (Math.max(...v) - Math.min(...v) || 1)));
        const [map, reversed] = [of('layerif'), of('reversed')];
        for (let a = 0; a < v.length; a++)
          for (let b = 0; b < v.length; b++) {
            if (v[a] > v[b]) assert.ok(alpha[a] >= alpha[b] && outliers[a] <= outliers[b]);
            if (u[a] > u[b] + 1e-9) assert.ok(map[a] >= map[b] && reversed[a] <= reversed[b]);
          }
      },
    ),
  );
});

test('OWL: the formula by hand, the plain mean only with `paper`', () => {
  const input: AllocationInput = { ...inputOf([0.5, 2.5, 1.5]) };
  const found = allocate({ kind: 'sparsity', rule: 'owl', ratio: 0.7 }, input).layers.map((l) => l.value);
  close(found, [0.78, 0.62, 0.7], 1e-12); // t = 0, 0.16, 0.08; mean 0.08
  const layers = input.layers.map((layer, l) =>
    l === 1 ? { ...layer, modules: [{ name: 'a', rows: 64, columns: 4 }] } : layer,
  );
  const heavy = (paper: boolean) =>
    allocate({ kind: 'sparsity', rule: 'owl', ratio: 0.7, paper }, { ...input, layers });
  assert.ok(Math.abs(heavy(false).total - 0.7) < 1e-12);
  assert.ok(heavy(true).total < 0.65); // 8 : 64 : 8 parts of 0.78, 0.62, 0.7
  assert.deepEqual(
    allocate({ kind: 'sparsity', rule: 'owl', ratio: 0.7 }, inputOf([2, 2])).layers.map((l) => l.value),
    [0.7, 0.7],
  );
});

test('N:M: a uniform map keeps the structure, a varying one chooses N per layer nearest to the whole', () => {
  const uniform = sparsity([1, 5, 2, 9], { rule: 'uniform', structure: '2:4' });
  assert.deepEqual(
    uniform.layers.map((l) => l.group),
    Array(4).fill({ zeros: 2, of: 4 }),
  );
  assert.equal(uniform.total, 0.5);
  const varying = sparsity([1, 5, 2, 9, 3, 4, 8], { structure: '4:8', epsilon: 0.5 });
  assert.equal(varying.total, 0.5);
  assert.ok(new Set(varying.layers.map((l) => l.group!.zeros)).size > 1);
  for (const layer of varying.layers) assert.equal(layer.value, layer.group!.zeros / 8);
  assert.match(varying.notes.join(), /exactly 50\.0000 %/);
  assert.throws(
    () => sparsity([1, 2], { structure: '2:4', ratio: 0.6 }),
    /structure 2:4 removes 50\.0 %, not the ratio 0\.6/,
  );
  assert.throws(() => sparsity([1, 2], { structure: '4:4' }), /structure "4:4" is unknown/);
});

test('N:M counts what is kept', () => {
  assert.deepEqual(readStructure('1:4'), { zeros: 3, of: 4 });
  assert.equal(sparsity([1, 2], { rule: 'uniform', structure: '1:4' }).total, 0.75);
});

test('N:M rounding is the nearest among all that keep the order, by trying them all', () => {
  const items = fc.array(
    fc.record({ p: fc.double({ min: 0, max: 0.75, noNaN: true }), w: fc.integer({ min: 1, max: 9 }) }),
    { minLength: 1, maxLength: 7 },
  );
  fc.assert(
    fc.property(items, (list) => {
      const [p, w] = [list.map((i) => i.p), list.map((i) => i.w)];
      const zeros = roundToGroups(p, w, 4);
      const wanted = p.reduce((sum, value, i) => sum + value * 4 * w[i], 0);
      const off = (n: readonly number[]) => Math.abs(n.reduce((sum, value, i) => sum + value * w[i], 0) - wanted);
      // Thresholds on the fraction: everything above is raised.
      const fraction = p.map((value) => value * 4 - Math.floor(value * 4));
      for (const threshold of [-1, ...fraction]) {
        const n = p.map((value, i) =>
          Math.min(3, Math.floor(value * 4) + (fraction[i] > threshold && fraction[i] > 0 ? 1 : 0)),
        );
        assert.ok(off(zeros) <= off(n) + 1e-6, `${zeros.join()} against ${n.join()}`);
      }
      zeros.forEach((n, i) => assert.ok(n <= 3 && Math.abs(n - p[i] * 4) < 1 + 1e-6));
    }),
  );
});

test('equal scores, one layer, negative scores: a map all the same', () => {
  assert.deepEqual(
    sparsity([4, 4, 4], { ratio: 0.6 }).layers.map((l) => l.value),
    [0.6, 0.6, 0.6],
  );
  assert.match(sparsity([4, 4]).notes.join(), /the map is uniform/);
  assert.deepEqual(
    sparsity([7]).layers.map((l) => l.value),
    [0.5],
  );
  // LayerIF takes absolute values.
  assert.deepEqual(
    sparsity([-1, 2, -3]).layers.map((l) => l.value),
    sparsity([1, 2, 3]).layers.map((l) => l.value),
  );
});

test('bad input: ratios above the cap, epsilon, lambda, NaN', () => {
  assert.throws(() => sparsity([1, 2], { ratio: 0.995 }), /a ratio of 0\.995 cannot be reached/);
  assert.throws(() => sparsity([1, 2], { ratio: -0.1 }), /cannot be reached/);
  assert.throws(() => sparsity([1, 2], { epsilon: 1.5 }), /epsilon 1\.5 is outside 0 to 1/);
  assert.throws(() => sparsity([1, 2], { rule: 'owl', lambda: 0.7 }), /lambda 0\.7 is outside/);
  assert.throws(() => sparsity([1, NaN]), /the score of layer 1 is NaN/);
  // Nearly everything at the cap is still exact.
  assert.ok(Math.abs(sparsity([1, 2, 3, 4], { ratio: 0.98, epsilon: 1 }).total - 0.98) < 1e-12);
});
