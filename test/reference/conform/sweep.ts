/**
 * Scores the checkpoints that sweep.py wrote with the engine and compares the losses with transformers' in float64.
 *
 *   node test/reference/conform/sweep.ts FOLDER      prints every disagreement and refusal, and writes summary.json beside this
 */
import fs from 'node:fs';
import path from 'node:path';
import { makeBatches } from '../../../server/src/engine/sweep/batch.ts';
import { Model } from '../../../server/src/engine/sweep/model.ts';
import { segmentsOf } from '../../../server/src/engine/sweep/chain.ts';
import { forward, head } from '../../../server/src/engine/sweep/sweep.ts';
import { Runtime } from '../../../server/src/engine/runtime/runtime.ts';

/**
 * Of a loss, relative to the larger of it and 1. A classifier's is of one position, a language model's the mean over
 * many.
 */
const TOLERANCE = { language: 3e-7, classes: 1e-6 };

interface Expected {
  tokens: number[][];
  loss: number[];
  /** Of classifiers. */
  labels?: number[];
}

interface Row {
  compared: number;
  agree: number;
  refused: number;
  largest: number;
}

const runtime = new Runtime('cpu', 1);
const root = path.resolve(process.argv[2]);
const summary: Record<string, Row> = {};

async function losses(target: string, { tokens, labels }: Expected): Promise<number[]> {
  const model = Model.open(runtime, target);
  try {
    const samples = tokens.map((ids, i) => ({ tokens: Int32Array.from(ids), countedFrom: 1, label: labels?.[i] }));
    const alone = samples.map((_, i) => [i]);
    const batches = makeBatches(model.architecture, 'train', samples, alone);
    const segments = segmentsOf(model.architecture.layers, 0, 1);
    const states = await forward(model, batches, segments, segments.length, () => undefined);
    return (await head(model, batches, states.pop()!, 16, () => undefined)).map(({ loss }) => loss[0]);
  } finally {
    await model.release();
  }
}

for (const family of fs.readdirSync(root).sort()) {
  for (const name of fs.readdirSync(path.join(root, family)).sort()) {
    const folder = path.join(root, family, name);
    const file = path.join(folder, 'expected.json');
    if (!fs.existsSync(file)) continue;
    const expected = JSON.parse(fs.readFileSync(file, 'utf8')) as Expected;
    const key = family === 'gguf' ? name.replace(/_\d+$/, '') : family;
    const row = (summary[key] ??= { compared: 0, agree: 0, refused: 0, largest: 0 });
    const gguf = path.join(folder, 'model.gguf');
    row.compared++;
    try {
      const got = await losses(fs.existsSync(gguf) ? gguf : folder, expected);
      const off = Math.max(...got.map((x, i) => Math.abs(x - expected.loss[i]) / Math.max(1, expected.loss[i])));
      if (off <= TOLERANCE[expected.labels ? 'classes' : 'language']) {
        row.agree++;
        row.largest = Math.max(row.largest, off);
      } else console.log(`DIFFERS ${family}/${name} by ${off.toExponential(1)}`);
    } catch (error) {
      row.refused++;
      console.log(`refused ${family}/${name}: ${(error as Error).message.slice(0, 220)}`);
    }
  }
}
for (const row of Object.values(summary)) row.largest = Number(row.largest.toExponential(1));
const total = Object.values(summary).reduce((sum, row) => sum + row.compared, 0);
const agree = Object.values(summary).reduce((sum, row) => sum + row.agree, 0);
console.log(`${total} compared, ${agree} agree`);
fs.writeFileSync(path.join(import.meta.dirname, 'summary.json'), `${JSON.stringify(summary, null, 1)}\n`);
