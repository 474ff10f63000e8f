/**
 * UMAP against test/reference/analysis/projections.py (umap-learn): the fuzzy graph over the same neighbours, and how
 * far the plane keeps neighbourhoods; coordinates are chance.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { UMAP } from 'umap-js';
import { Random } from '../../server/src/random/random.ts';
import { umap } from '../../server/src/statistics/umap.ts';

interface Reference {
  graphs: { rows: number[][]; neighbours: number; indices: number[][]; graph: [number, number, number][] }[];
  embeddings: { name: string; rows: number[][]; neighbours: number; trustworthiness: number[] }[];
}
const reference = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../reference/analysis/umap.json'), 'utf8'),
) as Reference;

const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((x, k) => x - b[k]));

/** Ranks of all rows by their distance from a row, itself 0. */
function ranksFrom(rows: readonly number[][], from: number): number[] {
  const order = rows.map((_, i) => i).sort((a, b) => distance(rows[a], rows[from]) - distance(rows[b], rows[from]));
  const ranks: number[] = [];
  order.forEach((row, rank) => (ranks[row] = rank));
  return ranks;
}

/** Venna and Kaski 2001: 1 where the k nearest in the plane are the k nearest of the rows. */
function trustworthiness(rows: readonly number[][], plane: readonly number[][], k: number): number {
  const n = rows.length;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const [own, drawn] = [ranksFrom(rows, i), ranksFrom(plane, i)];
    for (let j = 0; j < n; j++) if (j !== i && drawn[j] <= k) sum += Math.max(0, own[j] - k);
  }
  return 1 - (2 * sum) / (n * k * (2 * n - 3 * k - 1));
}

test("the fuzzy graph over given neighbours is umap-learn's", () => {
  for (const { rows, neighbours, indices, graph } of reference.graphs) {
    const made = new UMAP({ nNeighbors: neighbours });
    made.setPrecomputedKNN(
      indices,
      indices.map((row, i) => row.map((j) => distance(rows[i], rows[j]))),
    );
    made.initializeFit(rows);
    const found = (made as unknown as { graph: { get(i: number, j: number): number } }).graph;
    for (const [i, j, value] of graph)
      assert.ok(Math.abs(found.get(i, j) - value) < 2e-3, `${i}, ${j}: ${found.get(i, j)}, umap-learn ${value}`);
    const edges = new Set(graph.map(([i, j]) => `${i} ${j}`));
    for (let i = 0; i < rows.length; i++)
      for (let j = i + 1; j < rows.length; j++)
        if (!edges.has(`${i} ${j}`)) assert.ok(found.get(i, j) < 1e-6, `${i}, ${j}: no edge`);
  }
});

test('neighbourhoods are kept as well as by umap-learn, and a seed gives the same plane again', () => {
  for (const { name, rows, neighbours, trustworthiness: kept } of reference.embeddings) {
    const [count, width] = [rows.length, rows[0].length];
    const plane = (seed: number) => {
      const flat = umap({ data: Float64Array.from(rows.flat()), count, width }, neighbours, new Random(seed, 'umap'));
      return rows.map((_, i) => [flat[2 * i], flat[2 * i + 1]]);
    };
    const first = plane(0);
    const own = [first, plane(1)].map((one) => trustworthiness(rows, one, 10));
    const least = Math.min(...kept);
    for (const value of own) assert.ok(value > least - 0.02, `${name}: ${value}, umap-learn at least ${least}`);
    assert.deepEqual(plane(0), first);
  }
});
