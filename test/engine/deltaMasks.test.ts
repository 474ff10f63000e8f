/**
 * Masks on the changes of fine-tuning equal PyTorch's by autograd and Adam in float64; the same changes as a second
 * checkpoint give the same masks; the ends are the losses of both models; the closed form is the derivative of the
 * loss.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { DeltaMaskRequest } from '../../protocol/deltaMasks.ts';
import { openSafetensors, readFloat32, writeSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { learnMask } from '../../server/src/engine/grams/deltaMasks.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { casesFolder, relativeError, samplesOf } from './reference.ts';

interface Masks {
  s: Record<string, number>;
  loss: number[];
  ends: [number, number];
}

const reference = JSON.parse(fs.readFileSync(path.join(casesFolder, 'scores/masks.json'), 'utf8')) as {
  settings: { steps: number; learning_rate: number; start: number };
} & Record<'0' | '0.01', Masks>;

const adapterCase = path.join(casesFolder, 'lora/all_linear');
const base = path.join(casesFolder, fs.readFileSync(path.join(adapterCase, 'base.txt'), 'utf8').trim());
const adapter = path.join(adapterCase, 'adapter');

const request: DeltaMaskRequest = {
  modelPath: base,
  adapter,
  texts: samplesOf('lora/all_linear'),
  weights: 'resident',
  headRows: 5,
  tokensPerRun: 1024,
  steps: reference.settings.steps,
  batch: 99,
  learningRate: reference.settings.learning_rate,
  penalty: 0,
  start: reference.settings.start,
  seed: 0,
};

async function learned(change: Partial<DeltaMaskRequest>) {
  const asked = { ...request, ...change };
  const model = Model.open(new Runtime('cpu', 1), asked.modelPath, asked.adapter);
  try {
    return await learnMask(model, asked, () => undefined);
  } finally {
    await model.release();
  }
}

const byName = ({ modules }: Awaited<ReturnType<typeof learned>>) =>
  Object.fromEntries(modules.flatMap(({ layer, module, s }) => (s === null ? [] : [[`${layer}.${module}`, s]])));

function requireAlike(found: Awaited<ReturnType<typeof learned>>, { s, loss, ends }: Masks) {
  const own = byName(found);
  assert.deepEqual(Object.keys(own).sort(), Object.keys(s).sort());
  const moved = (values: Record<string, number>) => Object.keys(s).map((name) => values[name] - request.start);
  assert.ok(relativeError(moved(own), moved(s)) < 1e-3, `${JSON.stringify(own)} and ${JSON.stringify(s)}`);
  assert.ok(relativeError(found.loss, loss) < 1e-5);
  assert.ok(relativeError([found.ends.none, found.ends.all], ends) < 1e-5);
}

for (const penalty of ['0', '0.01'] as const) {
  test(`an adapter's masks are PyTorch's, penalty ${penalty}, resident and streamed, together and one text a run`, async () => {
    for (const change of [{}, { weights: 'streamed' as const }, { tokensPerRun: 1 }]) {
      requireAlike(await learned({ ...change, penalty: Number(penalty) }), reference[penalty]);
    }
  });
}

/** The base model with the adapter's product added to its matrices, as a folder. */
function merged(folder: string): void {
  const { r, lora_alpha: alpha } = JSON.parse(fs.readFileSync(path.join(adapter, 'adapter_config.json'), 'utf8')) as {
    r: number;
    lora_alpha: number;
  };
  const factors = new Map(
    openSafetensors(path.join(adapter, 'adapter_model.safetensors')).tensors.map((info) => [info.name, info] as const),
  );
  const tensors = openSafetensors(path.join(base, 'model.safetensors')).tensors.map((info) => {
    const data = Float32Array.from(readFloat32(info));
    const stem = `base_model.model.${info.name.replace(/\.weight$/, '')}`;
    const [A, B] = ['A', 'B'].map((side) => factors.get(`${stem}.lora_${side}.weight`));
    if (A && B) {
      const [rows, columns] = info.shape;
      const [a, b] = [readFloat32(A), readFloat32(B)];
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          for (let k = 0; k < r; k++) data[i * columns + j] += (alpha / r) * b[i * r + k] * a[k * columns + j];
        }
      }
    }
    return { name: info.name, dtype: 'F32' as const, shape: info.shape, data };
  });
  writeSafetensors(path.join(folder, 'model.safetensors'), tensors);
  fs.copyFileSync(path.join(base, 'config.json'), path.join(folder, 'config.json'));
}

test('the same changes as a second checkpoint give the same masks; what is not changed has none', async (t) => {
  const tuned = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-tuned-'));
  t.after(() => fs.rmSync(tuned, { recursive: true, force: true }));
  merged(tuned);
  for (const weights of ['resident', 'streamed'] as const) {
    const found = await learned({ adapter: undefined, tuned, weights });
    requireAlike(found, reference['0']);
    const still = found.modules.filter(({ s }) => s === null).map(({ module }) => module);
    assert.deepEqual([...new Set(still)], ['self_attn.o_proj'], 'the adapter leaves it out');
  }
  const none = await learned({ adapter: undefined, tuned: base });
  assert.ok(none.modules.every(({ s }) => s === null));
  assert.equal(none.ends.all, none.ends.none);
});

test('another seed draws other texts, the same one the same', async () => {
  const masks: Record<string, number>[] = [];
  for (const seed of [0, 0, 1, 2, 3]) masks.push(byName(await learned({ batch: 1, seed })));
  assert.deepEqual(masks[1], masks[0]);
  assert.ok(masks.slice(2).some((other) => JSON.stringify(other) !== JSON.stringify(masks[0])));
});
