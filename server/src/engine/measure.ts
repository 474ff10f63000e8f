/** The machine's float32 MatMul rate, the base of time estimates: best of three products of 1024 x 1024 matrices. */
import { Graph } from '../onnx/graph.ts';
import { floats } from './runtime.ts';
import type { Runtime } from './runtime.ts';

const SIZE = 1024;

/** @returns floating-point operations per second, a multiply-add counting as two */
export async function matMulRate(runtime: Runtime): Promise<number> {
  const g = new Graph('rate');
  g.output(g.matMul(g.input('a', 'float32', [SIZE, SIZE]), g.input('b', 'float32', [SIZE, SIZE])), 'y');
  const session = await runtime.session(g);
  const matrix = () => floats(new Float32Array(SIZE * SIZE).fill(0.5), [SIZE, SIZE]);
  const feeds = { a: matrix(), b: matrix() };
  let best = Infinity;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    await session.run(feeds);
    best = Math.min(best, performance.now() - start);
  }
  await session.release();
  return (2 * SIZE ** 3) / (best / 1000);
}
