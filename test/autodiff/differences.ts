/**
 * The check behind the rule tests: runs a graph with its cotangents in ONNX Runtime and compares, in random directions,
 * with central differences of fourth order,
 *
 *   f'(0) ≈ (8 (f(h) − f(−h)) − (f(2h) − f(−2h))) / 12 h,     f(s) = Σ seed · y(x + s · direction).
 */
import assert from 'node:assert/strict';
import { backward } from '../../server/src/autodiff/backward.ts';
import { Graph } from '../../server/src/onnx/graph.ts';
import type { Dim, Value } from '../../server/src/onnx/graph.ts';
import { open } from '../onnx/session.ts';
import type { Feed, Feeds } from '../onnx/session.ts';
import { bound } from './cases.ts';
import type { GradCase } from './cases.ts';
import { randomNumbers } from './random.ts';

const steps = { float64: 1e-3, float32: 4e-2 } as const;
const directionsPerInput = 2;

/**
 * The largest error over all inputs and directions, relative to Σ |gradient · direction| (absolute where that is 0).
 * Shapes inferred for outputs and cotangents must be those that ONNX Runtime finds.
 */
export async function largestError(row: GradCase, seed: number): Promise<number> {
  const type = row.type === 'float32' ? 'float32' : 'float64';
  const random = randomNumbers(seed);
  const [low, high] = row.range ?? [-2, 2];
  const feeds = Object.fromEntries(
    row.shapes.map((dims, i): [string, Feed] => {
      const shape = dims.map((dim) => (typeof dim === 'number' ? dim : bound[dim]));
      const data = Array.from({ length: size(shape) }, () => low + (high - low) * random());
      for (const kink of row.kinks ?? []) data.forEach((x, k) => (data[k] = awayFrom(kink, x)));
      return [`x${i}`, { type, shape, data }];
    }),
  );

  const forward = forwardGraph(row, type);
  forward.y.forEach((value, i) => forward.g.output(value, `y${i}`));
  const runForward = await open(forward.g);
  const seeds = Object.fromEntries(
    Object.entries(await runForward(feeds)).map(([name, y]): [string, Feed] => [
      name.replace('y', 'seed'),
      { ...y, data: y.data.map(() => 2 * random() - 1) },
    ]),
  );
  const loss = async (moved: Feeds): Promise<number> => {
    const results = await runForward(moved);
    return forward.y.reduce((total, _, i) => total + dot(results[`y${i}`].data, seeds[`seed${i}`].data), 0);
  };

  const { g, x, y } = forwardGraph(row, type);
  const starts = y.map((of, i) => ({ of, cotangent: g.input(`seed${i}`, of.type, of.shape) }));
  const wanted = backward(g, starts, x);
  wanted.forEach((value, i) => value && g.output(value, `dx${i}`));
  const gradients = await (await open(g))({ ...feeds, ...seeds });

  [...forward.y, ...wanted].forEach((value, i) => {
    const got = i < y.length ? seeds[`seed${i}`].shape : gradients[`dx${i - y.length}`].shape;
    assert.deepEqual(
      got,
      (value?.shape ?? []).map((dim, axis) => bound[dim] ?? (isNew(dim) ? got[axis] : dim)),
    );
  });

  let worst = 0;
  for (const [i, { name }] of x.entries()) {
    for (let k = 0; k < directionsPerInput; k += 1) {
      const direction = feeds[name].data.map(() => 2 * random() - 1);
      const at = (s: number): Promise<number> => {
        const data = feeds[name].data.map((value, j) => value + s * direction[j]);
        return loss({ ...feeds, [name]: { ...feeds[name], data } });
      };
      const h = steps[type];
      const numeric = (8 * ((await at(h)) - (await at(-h))) - ((await at(2 * h)) - (await at(-2 * h)))) / (12 * h);
      const gradient = gradients[`dx${i}`].data;
      const scale = gradient.reduce((total, value, j) => total + Math.abs(value * direction[j]), 0);
      worst = Math.max(worst, Math.abs(dot(gradient, direction) - numeric) / (scale || 1));
    }
  }
  return worst;
}

function forwardGraph(row: GradCase, type: 'float32' | 'float64'): { g: Graph; x: Value[]; y: readonly Value[] } {
  const g = new Graph(row.op);
  const x = row.shapes.map((shape, i) => g.input(`x${i}`, type, shape));
  const built = row.build ? row.build(g, x) : g.node(row.op, x, row.attributes);
  if (!g.nodes.some(({ op }) => op === row.op)) throw new Error(`the case for ${row.op} builds no such node`);
  return { g, x, y: Array.isArray(built) ? built : [built] };
}

/** A size that inference could not tell. */
function isNew(dim: Dim): boolean {
  return typeof dim === 'string' && dim.startsWith('?');
}

function awayFrom(kink: number, x: number): number {
  return Math.abs(x - kink) > 0.2 ? x : kink + (x < kink ? -0.2 : 0.2);
}

function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((total, value, i) => total + value * b[i], 0);
}
