/**
 * What `train-experts` prints: the report of a fixed result as a golden text, and the command itself on a tiny model.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import type { ComparedExperts, ExpertsDifference, ExpertsResult } from '../../protocol/experts.ts';
import { parseCommandLine } from '../../server/src/cli/arguments.ts';
import { expertsReport, trainExperts } from '../../server/src/cli/trainExperts.ts';
import { defaultTrainExperts } from '../../server/src/config/trainExpertsSchema.ts';
import { assertGolden } from '../golden/golden.ts';
import { tinyWorkspace } from '../run/workspace.ts';

const metric = (name: string, values: [number, number], againstFirst: ExpertsDifference | null) => ({
  metric: name,
  higherIsBetter: name === 'acc',
  mean: (values[0] + values[1]) / 2,
  standardError: Math.abs(values[0] - values[1]) / 2,
  values,
  againstFirst,
});

const allocation = (id: string, experts: number[], metrics: ComparedExperts['metrics']): ComparedExperts => ({
  id,
  title: id,
  experts,
  topK: experts.map((count) => Math.min(2, count)),
  total: experts.reduce((a, b) => a + b, 0),
  parameters: 1_234_567,
  notes: id === 'uniform' ? ['a note'] : [],
  trainings: [],
  metrics,
});

const result = {
  task: 'sentiment',
  model: { name: 'SmolLM2-135M-Instruct', family: 'llama', layers: 3, sha256: '' },
  settings: { ...defaultTrainExperts, seeds: 2 },
  modules: ['self_attn.q_proj', 'mlp.down_proj'],
  samples: { train: 240, tokens: 7000, evaluated: 60, split: 'test[16:76]' },
  scores: 'runs/x.layerif-result.json',
  untrained: { acc: 0.5, answer_loss: 6.02 },
  allocations: [
    allocation('layerif', [2, 3, 10], [metric('acc', [0.8, 0.9], null), metric('answer_loss', [0.4, 0.3], null)]),
    allocation(
      'uniform',
      [5, 5, 5],
      [
        metric('acc', [0.7, 0.8], { difference: -0.1, interval: [-0.2, 0.01], p: 0.08, standardError: 0 }),
        metric('answer_loss', [0.5, 0.6], { difference: 0.2, interval: null, p: 0.004, standardError: null }),
      ],
    ),
  ],
  findings: ['Not told apart from layerif on these documents: uniform.'],
  provenance: { seconds: 754, device: 'cpu', threads: 2 },
} as unknown as ExpertsResult;

test('the report of a result', () => {
  assertGolden('cli/experts-report.txt', expertsReport(result, 'runs/x.layerif-experts.json'));
});

async function command(words: string[], signal = new AbortController().signal) {
  const { argument, options } = parseCommandLine(['train-experts', ...words], [trainExperts]);
  const said = { out: '', err: '' };
  const terminal = {
    out: (text: string) => void (said.out += text),
    err: (text: string) => void (said.err += text),
    columns: 100,
    fitted: false,
    interactive: false,
    baseDir: '/',
    signal,
  };
  const code = await trainExperts.run(argument!, options, terminal);
  return { code, ...said };
}

test('the command: one JSON document with --json, the same numbers as in the file, a bad limit refused', async (t) => {
  const { experiment } = tinyWorkspace(t, { train: 8 });
  fs.appendFileSync(
    experiment,
    'train_experts: { allocations: [uniform, random], total: 6, rank: 2, steps: 2, batch_size: 4, seeds: 1 }\n',
  );
  const machine = ['--device', 'cpu', '--threads', '1'];
  await assert.rejects(command([experiment, '--limit', 'all', ...machine]), /--limit "all" is not a number/);
  const { code, out, err } = await command([experiment, '--limit', '3', '--json', ...machine]);
  assert.equal(code, 0);
  const printed = JSON.parse(out) as ExpertsResult;
  assert.equal(printed.samples.evaluated, 3);
  assert.deepEqual(
    printed.allocations.map(({ id }) => id),
    ['uniform', 'random'],
  );
  assert.match(err, /random, seed 0: evaluating/);
});
