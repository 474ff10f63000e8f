/** The machine's float32 MatMul rate, the base of time estimates: best of three products of 512 x 1024 with 1024 x 1024 numbers. */
import { Graph } from '../onnx/graph.ts';
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
