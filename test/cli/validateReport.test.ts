import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgreementRow, ValidationResult } from '../../protocol/validation.ts';
import { readProtocols } from '../../server/src/cli/validate.ts';
import { validationReport } from '../../server/src/cli/validateReport.ts';
import { defaultValidation } from '../../server/src/config/validateSchema.ts';
import { assertGolden } from '../golden/golden.ts';

const row = (predictor: string, point: string | null, value: number | null, difference?: number): AgreementRow => ({
  predictor,
  point,
  control: point === null || predictor === 'dot',
  value,
  interval: value === null ? null : [value - 0.1, value + 0.05],
  overDot: difference === undefined ? null : { difference, interval: [difference - 0.1, difference + 0.1] },
  ...(point === null || value === null ? {} : { p: value > 0.75 ? 0.0004 : 0.12 }),
});

const result = {
  status: 'complete',
  task: 'sentiment',
  model: { name: 'SmolLM2-135M-Instruct', family: 'llama', layers: 30, sha256: '' },
  settings: defaultValidation,
  layers: [28, 29],
  modules: ['self_attn.q_proj'],
  samples: { train: 48, validation: 16 },
  protocols: [
    {
      protocol: 'mislabel',
      title: 'Mislabel detection',
      how: '10 of 48 training labels changed to another choice.',
      measures: [
        {
          name: 'AUC by self-influence',
          chance: 0.5,
          rows: [
            row('datainf', 'trained', 0.8, 0.05),
            row('dot', 'trained', 0.75),
            row('random', null, 0.52),
            row('cosine', 'trained', null),
          ],
        },
      ],
      recall: {
        shares: [0.1, 0.2, 0.3, 0.4, 0.5],
        rows: [{ predictor: 'datainf', point: 'trained', by: 'self-influence', recall: [0.3, 0.6, 0.8, 0.9, 1] }],
      },
      verdict: ['AUC by self-influence, trained gradients: the best estimator is datainf with 0.80 [0.70, 0.85].'],
      seconds: 12,
    },
  ],
  skipped: [{ protocol: 'surrogate', reason: 'all training samples have the same answer' }],
  provenance: { retrainings: 3, seconds: 12, device: 'cpu', threads: 2 },
} as unknown as ValidationResult;

test('report: tables sorted by value, controls marked, undefined values named, what was not run', () => {
  const text = validationReport(result, '/runs/x.layerif-validation.json');
  assertGolden('cli/validation-report.txt', text);
  const order = ['datainf  ', 'dot *', 'random *', 'cosine'].map((name) => text.indexOf(name));
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
});

test('--protocol: names with commas, all, or an error that lists them', () => {
  assert.equal(readProtocols(undefined), undefined);
  assert.deepEqual(readProtocols('lds, surrogate'), ['lds', 'surrogate']);
  assert.equal(readProtocols('all')!.length, 5);
  assert.throws(() => readProtocols('lds,lsd'), /--protocol "lsd" is not a protocol: use lds, loo, .* or all/);
});
