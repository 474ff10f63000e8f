/**
 * The machine's float32 MatMul rate, the base of time estimates: best of three products of 512 x 1024 with 1024 x 1024
 * numbers.
 */
import { Graph } from '../../onnx/graph.ts';
import { floats } from './runtime.ts';
import type { Runtime } from './runtime.ts';

const [ROWS, SIZE] = [512, 1024];
/** It does not change while the engine runs. */
const known = new WeakMap<Runtime, number>();

/** @returns floating-point operations per second, a multiply-add counting as two */
export async function matMulRate(runtime: Runtime): Promise<number> {
  const before = known.get(runtime);
  if (before !== undefined) return before;
  const g = new Graph('rate');
  g.output(g.matMul(g.input('a', 'float32', [ROWS, SIZE]), g.input('b', 'float32', [SIZE, SIZE])), 'y');
  const session = await runtime.session(g);
  const matrix = (rows: number) => floats(new Float32Array(rows * SIZE).fill(0.5), [rows, SIZE]);
  const feeds = { a: matrix(ROWS), b: matrix(SIZE) };
  let best = Infinity;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    await session.run(feeds);
    best = Math.min(best, performance.now() - start);
  }
  await session.release();
  const rate = (2 * ROWS * SIZE ** 2) / (best / 1000);
  known.set(runtime, rate);
  return rate;
}

/** Sizes of `sizedRate`, and how long a product must at least take to be a measurement. */
const SIZES = [64, 128, 256, 512, 1024, 2048];
const ENOUGH_MS = 30;

/**
 * The rate of square products that are large enough to take a while but not long: for devices whose rate nobody knows.
 */
export async function sizedRate(runtime: Runtime): Promise<number> {
  let rate = 0;
  for (const size of SIZES) {
    const g = new Graph('rate');
    g.output(g.matMul(g.input('a', 'float32', [size, size]), g.input('b', 'float32', [size, size])), 'y');
    const session = await runtime.session(g);
    const matrix = () => floats(new Float32Array(size * size).fill(0.5), [size, size]);
    const feeds = { a: matrix(), b: matrix() };
    await session.run(feeds); // the first one compiles
    const start = performance.now();
    await session.run(feeds);
    const milliseconds = performance.now() - start;
    await session.release();
    rate = Math.max(rate, (2 * size ** 3) / (milliseconds / 1000));
    if (milliseconds >= ENOUGH_MS) break;
  }
  return rate;
}
