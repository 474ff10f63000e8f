/**
 * Influence from sums of gradients equals that of the Grams of all samples, for every family, GGUF files, adapters'
 * factors and heads; whatever is held in memory, batched, padded or streamed; with weights that had to be guessed.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { CollectPlan, CollectRequest, SumsPlan, WeightBlock } from '../../protocol/engine.ts';
import type { EncodedSample } from '../../protocol/samples.ts';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { collect } from '../../server/src/engine/grams/collect.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { findEstimator } from '../../server/src/estimators/estimators.ts';
import { overValidation } from '../../server/src/estimators/layerScores.ts';
import type { Damping } from '../../server/src/estimators/types.ts';
import { readLayerGrams } from '../../server/src/run/files/gramFiles.ts';
import { Random } from '../../server/src/random/random.ts';
import { cases, casesFolder } from './reference.ts';

interface Options {
  adapter?: string;
  /** Samples of each split; of these so many have Grams. */
  n?: number;
  m?: number;
  chosen?: number;
  /** Training batches that are held; all without. */
  held?: number;
  /** Samples a batch, of different lengths. */
  together?: number;
  plan?: Partial<CollectPlan>;
  estimator?: 'datainf' | 'dot';
  damping?: Damping;
  /** Counted tokens begin here. */
  countedFrom?: number;
  modules?: (name: string) => boolean;
  blocks?: WeightBlock[];
}

interface Layer {
  modules: {
    module: string;
    influence: Float64Array;
    trainSquares: Float64Array;
    validationSquares: Float64Array;
    damping: number | null;
    K: Float64Array;
  }[];
  tokens: Float32Array | null;
}

const MEAN_SQUARE: Damping = { rule: 'mean_square', factor: 0.1 };

function randomSamples(model: Model, count: number, stream: string, countedFrom: number): EncodedSample[] {
  const random = new Random(3, stream);
  const { vocabulary, outputs } = model.architecture;
  return Array.from({ length: count }, (_, i) => ({
    tokens: Int32Array.from({ length: countedFrom + 2 + (i % 5) }, () => Math.floor(random.uniform() * vocabulary)),
    countedFrom,
    ...(outputs?.classes ? { label: i % 2 } : {}),
  }));
}

/** The same samples both ways. */
async function both(
  t: TestContext,
  folder: string,
  options: Options,
): Promise<{ grams: Layer[]; sums: Layer[]; lengths: number[]; subsample: number[] }> {
  const { n = 12, m = 4, chosen = 5, together = 3, estimator = 'datainf', damping = MEAN_SQUARE } = options;
  const { countedFrom = 1, adapter, modules = (name: string) => name !== '', blocks } = options;
  const model = Model.open(new Runtime('cpu', 1), folder, adapter);
  t.after(() => model.release());
  const { architecture } = model;
  const layers = Array.from({ length: architecture.layers }, (_, i) => i);
  const names = [...new Set(layers.flatMap((layer) => architecture.modules(layer).map(({ name }) => name)))];
  const train = randomSamples(model, n, 'train', countedFrom);
  const validation = randomSamples(model, m, 'validation', countedFrom);
  const subsample = {
    train: Array.from({ length: chosen }, (_, i) => Math.floor((i * n) / chosen)),
    validation: Array.from({ length: Math.min(2, m) }, (_, j) => m - Math.min(2, m) + j),
  };
  const grouped = (samples: number[], list: EncodedSample[]) => {
    const groups: number[][] = [];
    for (const i of samples) {
      const last = groups.at(-1);
      const length = list[i].tokens.length;
      const fits =
        last &&
        last.length < together &&
        (list[last[0]].tokens.length === length || !architecture.lengthMatters(length));
      if (fits) last.push(i);
      else groups.push([i]);
    }
    return groups;
  };
  const apart = (of: number[], count: number) => [
    of,
    Array.from({ length: count }, (_, i) => i).filter((i) => !of.includes(i)),
  ];
  const batches = {
    train: apart(subsample.train, n).flatMap((part) => grouped(part, train)),
    validation: apart(subsample.validation, m).flatMap((part) => grouped(part, validation)),
  };
  const own = grouped(subsample.train, train).length;
  const asked: SumsPlan = { estimator, damping, subsample, held: Math.max(own, options.held ?? batches.train.length) };
  const run = async (sums: SumsPlan | undefined): Promise<Layer[]> => {
    const workDir = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-linear-'));
    t.after(() => fs.rmSync(workDir, { recursive: true, force: true }));
    const request: CollectRequest = {
      modelPath: folder,
      adapter,
      layers,
      modules: names.filter(modules),
      blocks,
      train,
      validation,
      plan: {
        segmentLength: 1,
        weights: 'resident',
        boundaries: 'memory',
        batches,
        gradientTile: 1 << 18,
        projection: null,
        check: null,
        headRows: 64,
        checkpointSeconds: 1000,
        ...(sums ? { sums, ...options.plan } : {}),
      },
      workDir,
    };
    await collect(model, request, () => undefined);
    return layers.map((layer) => {
      const file = path.join(workDir, `layer-${layer}.safetensors`);
      const stored = readSafetensors(file);
      const found = stored.names().flatMap((name) => {
        const [, module] = new RegExp(`^${layer}\\.(.+)\\.K$`).exec(name) ?? [];
        return module === undefined ? [] : [module];
      });
      const sizes = new Map(architecture.modules(layer).map(({ name, rows, columns }) => [name, rows * columns]));
      for (const { layer: at, name, module, first, last } of blocks ?? []) {
        const whole = architecture.modules(layer).find((one) => one.name === module);
        if (at === layer && whole) sizes.set(name, (last - first) * whole.columns);
      }
      const read = readLayerGrams(file, layer, found, (name) => sizes.get(name)!);
      return {
        modules: read.map(({ module, grams, sums: summed }) => {
          if (summed) return { module, ...summed, K: grams.K };
          const { B, damping: lambda } = findEstimator(estimator).influence(grams, { damping });
          return {
            module,
            influence: overValidation(B, grams.n, grams.m),
            trainSquares: Float64Array.from({ length: n }, (_, i) => grams.K[i * n + i]),
            validationSquares: grams.diagV,
            damping: lambda,
            K: Float64Array.from(subsample.train.flatMap((i) => subsample.train.map((j) => grams.K[i * n + j]))),
          };
        }),
        tokens: sums ? (stored.tensor(`${layer}.token_influence`) as Float32Array) : null,
      };
    });
  };
  const grams = await run(undefined);
  const sums = await run(asked);
  return { grams, sums, lengths: train.map(({ tokens }) => tokens.length), subsample: subsample.train };
}

/** Largest difference as a part of the largest number. */
function apartBy(got: ArrayLike<number>, right: ArrayLike<number>): number {
  assert.equal(got.length, right.length);
  const all = Array.from(right);
  const largest = Math.max(...all.map(Math.abs));
  return largest === 0
    ? Math.max(0, ...Array.from(got, Math.abs))
    : Math.max(...all.map((value, i) => Math.abs(got[i] - value))) / largest;
}

function requireSame({ grams, sums, lengths }: Awaited<ReturnType<typeof both>>, within = 1e-5): number {
  let worst = 0;
  for (const [at, { modules, tokens }] of sums.entries()) {
    const right = grams[at];
    assert.deepEqual(modules.map(({ module }) => module).sort(), right.modules.map(({ module }) => module).sort());
    const layer = new Float64Array(lengths.length);
    for (const own of modules) {
      const expected = right.modules.find(({ module }) => module === own.module)!;
      for (const key of ['influence', 'trainSquares', 'validationSquares', 'K'] as const) {
        const error = apartBy(own[key], expected[key]);
        worst = Math.max(worst, error);
        assert.ok(error < within, `layer ${at} ${own.module} ${key}: ${error}`);
      }
      assert.equal(own.damping === null, expected.damping === null);
      if (own.damping !== null)
        assert.ok(Math.abs(own.damping / expected.damping! - 1) < 1e-6 || own.damping === expected.damping);
      expected.influence.forEach((value, i) => (layer[i] += value));
    }
    // The tokens of a sample add up to its influence on the layer.
    let start = 0;
    const added = lengths.map((length) => tokens!.subarray(start, (start += length)).reduce((a, b) => a + b, 0));
    const error = apartBy(added, layer);
    assert.ok(error < 10 * within, `layer ${at} tokens: ${error}`);
  }
  assert.equal(sums.length, grams.length);
  return worst;
}

/** One of every family. */
const families = [...new Map(cases.map((name) => [name.split('/')[0], name])).values()];

for (const name of families) {
  test(`${name}: the same as from Grams, with captures held and computed again`, async (t) => {
    const folder = path.join(casesFolder, name);
    requireSame(await both(t, folder, { held: 3 }));
  });
}

for (const file of ['llama.gguf', 'mixtral.gguf', 'gemma3.gguf'])
  test(`${file}: the same as from Grams`, async (t) => {
    requireSame(await both(t, path.join(casesFolder, 'gguf_families', file), { held: 2 }));
  });

for (const name of ['all_linear', 'conv1d'])
  test(`factors of the adapter ${name}: the same as from Grams`, async (t) => {
    const at = path.join(casesFolder, 'lora', name);
    const base = path.join(casesFolder, fs.readFileSync(path.join(at, 'base.txt'), 'utf8').trim());
    requireSame(
      await both(t, base, { adapter: path.join(at, 'adapter'), held: 2, modules: (m) => m.includes('.lora_') }),
    );
  });

const llama = path.join(casesFolder, 'llama/biases');

const ways: Record<string, Options> = {
  'everything held': {},
  'samples alone, nothing but the subsample held': { together: 1, held: 0 },
  'streamed, activations in files, all blocks in one segment': {
    held: 0,
    plan: { weights: 'streamed', boundaries: 'files', segmentLength: 9 },
  },
  'the answer alone counted': { countedFrom: 4, held: 0 },
  dot: { estimator: 'dot', held: 0 },
  'damping by the mean eigenvalue, so large that guesses of it are far off': {
    damping: { rule: 'mean_eigenvalue', factor: 10 },
    held: 0,
  },
  'absolute damping': { damping: { rule: 'absolute', factor: 1e-3 }, held: 0 },
  heads: {
    held: 0,
    blocks: [0, 1].flatMap((layer) =>
      [0, 1].map((head) => {
        const [first, last] = [8 * head, 8 * head + 8];
        return {
          layer,
          module: 'self_attn.q_proj',
          name: `self_attn.q_proj.head.${head}`,
          side: 'rows' as const,
          first,
          last,
        };
      }),
    ),
  },
};

for (const [way, options] of Object.entries(ways))
  test(`${way}: the same as from Grams`, async (t) => {
    requireSame(await both(t, llama, options));
  });

test('300 training samples: the same as from Grams to 1e-6', async (t) => {
  const worst = requireSame(await both(t, llama, { n: 300, m: 20, chosen: 30, together: 25, held: 4 }), 1e-6);
  t.diagnostic(`largest difference ${worst.toExponential(1)}`);
});
