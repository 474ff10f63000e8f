/**
 * Layer drop, logit lens and the vectors that a probe reads, of a model with an adapter and of a mixture of experts,
 * against float64 PyTorch (test/reference/scores/variants.py), whole and with streamed weights.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Tensors } from '../../protocol/scores.ts';
import { observe } from '../../server/src/engine/observe/observe.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Random } from '../../server/src/random/random.ts';
import { findScore } from '../../server/src/scores/scores.ts';
import { optionValues } from '../../server/src/scores/options.ts';
import { casesFolder, relativeError, samplesOf } from './reference.ts';

interface Reference {
  base: number[];
  block: number[][];
  /** By depth and counted token, texts in order. */
  crossEntropy: number[][];
  last: number[][][];
  mean: number[][][];
}
const reference = JSON.parse(fs.readFileSync(path.join(casesFolder, 'scores/variants.json'), 'utf8')) as Record<
  string,
  Reference
>;

const asked = [
  { name: 'drop', of: 'ablated_losses', options: { samples: 0, parts: false } },
  { name: 'lens', of: 'logit_lens', options: { tokens: 60, seed: 0 } },
  { name: 'last', of: 'text_states', options: { pool: 'last' } },
  { name: 'mean', of: 'text_states', options: { pool: 'mean' } },
] as const;

for (const name of ['lora/all_linear', 'mixtral/two_of_four']) {
  const own = path.join(casesFolder, name);
  const adapter = fs.existsSync(path.join(own, 'adapter')) ? path.join(own, 'adapter') : undefined;
  const folder = adapter ? path.join(casesFolder, fs.readFileSync(path.join(own, 'base.txt'), 'utf8').trim()) : own;
  for (const weights of ['resident', 'streamed'] as const) {
    test(`${name}, ${weights}: losses without blocks, cross-entropy by depth, vectors of texts`, async () => {
      const model = Model.open(new Runtime('cpu', 1), folder, adapter);
      const texts = samplesOf(name);
      // Rotations of one of the models depend on the length, so texts go through it one by one.
      const alone = texts.map((_, i) => [i]);
      const { observations } = await observe(
        model,
        {
          modelPath: folder,
          ...(adapter ? { adapter } : {}),
          texts,
          groups: [alone],
          ablated: [alone],
          weights,
          keepChanges: false,
          boundaries: 'memory',
          headRows: 5,
          observations: asked.map(({ options, ...one }) => ({ ...one, options: { ...options } })),
          workDir: null,
          key: 'test',
          checkpointSeconds: 0,
        },
        () => undefined,
      );
      const { base, block, crossEntropy, last, mean } = reference[name];
      const counted = crossEntropy[0].length;
      const lens = crossEntropy.map((_, depth) =>
        Array.from(observations.lens.crossEntropy.data.subarray(60 * depth, 60 * depth + counted)),
      );
      const near = (what: string, found: ArrayLike<number>, expected: number[]) => {
        const error = relativeError(found, expected);
        assert.ok(found.length === expected.length && error < 2e-5, `${what}: relative error ${error}`);
      };
      near('whole', observations.drop.whole.data, base);
      near('without a block', observations.drop.block.data, block.flat());
      near('logit lens', lens.flat(), crossEntropy.flat());
      near('last token', observations.last.states.data, last.flat(2));
      near('mean', observations.mean.states.data, mean.flat(2));

      // From there the scores: what they say follows from the reference alone.
      const { layers, hidden } = model.architecture;
      const shape = { layers, hidden, texts: texts.length, modules: () => [] };
      const numbersOf = (id: string, observed: Record<string, Tensors>) =>
        findScore(id).score(observed, optionValues(findScore(id), {}), { model: shape, random: new Random(0, 'test') });
      const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      near(
        'layer_drop',
        numbersOf('layer_drop', { losses: observations.drop }).values as number[],
        block.map((without) => (sum(without) - sum(base)) / counted),
      );
      near(
        'logit_lens',
        numbersOf('logit_lens', { lens: observations.lens }).values as number[],
        crossEntropy.slice(1).map((after, l) => (sum(crossEntropy[l]) - sum(after)) / counted),
      );
      await model.release();
    });
  }
}
