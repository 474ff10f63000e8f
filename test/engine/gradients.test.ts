/**
 * Per-sample gradients of every scored matrix against PyTorch autograd in float64 (test/reference/<family>), and the
 * ways of running that must not change them: alone, batched, padded, streamed, resident, one or several blocks per
 * segment.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { architectureOf } from '../../server/src/models/families.ts';
import type { Config } from '../../server/src/models/types.ts';
import { cases, casesFolder, gradients, norm, referenceOf, relativeError, samplesOf } from './reference.ts';
import type { Options } from './reference.ts';

const alone: Options = { groups: [[0], [1], [2]], segmentLength: 1, weights: 'resident' };

test('there are reference cases', () => {
  assert.ok(cases.length >= 10, `found ${cases.join(', ')}`);
});

for (const name of cases) {
  test(`${name}: loss and gradients agree with PyTorch float64`, async () => {
    const folder = path.join(casesFolder, name);
    const reference = referenceOf(name);
    const ours = await gradients(folder, samplesOf(name), alone);
    const loss = reference.tensor('loss') as Float64Array;
    for (let i = 0; i < loss.length; i++)
      assert.ok(Math.abs(ours.loss[i] - loss[i]) < 2e-6 * loss[i], `loss ${i}: ${ours.loss[i]} for ${loss[i]}`);

    const expected = new Map(
      [...ours.gradient.keys()].map((key) => [key, reference.tensor(ours.names.get(key)!) as Float64Array]),
    );
    const largest = Math.max(...[...expected.values()].map(norm));
    let compared = 0;
    for (const [key, gradient] of ours.gradient) {
      const right = expected.get(key)!;
      assert.equal(gradient.length, right.length, key);
      // No token of the sample is routed to this expert: exactly nothing.
      if (norm(right) === 0) {
        assert.equal(norm(gradient), 0, key);
        compared++;
        continue;
      }
      if (norm(right) < 1e-6 * largest) {
        assert.ok(norm(gradient) < 2e-6 * largest, `${key}: ${norm(gradient)} for ${norm(right)}`);
        continue;
      }
      const error = relativeError(gradient, right);
      assert.ok(error <= 1e-5, `${key}: relative error ${error}`);
      compared++;
    }
    const scored = reference.names().filter((n) => n.startsWith('gradient.')).length;
    assert.equal(ours.gradient.size, scored, 'every matrix of the reference is scored, and no other');
    assert.ok(compared > 0.9 * scored, `${compared} of ${scored} compared`);
  });
}

const ways: Record<string, Options> = {
  'batched and padded': { ...alone, groups: [[0, 1, 2]] },
  'in another order': { ...alone, groups: [[2, 0], [1]] },
  streamed: { ...alone, weights: 'streamed' },
  'all blocks in one segment': { ...alone, segmentLength: 3 },
  'batched, streamed, two blocks per segment': { groups: [[1, 2], [0]], segmentLength: 2, weights: 'streamed' },
};

function architecture(name: string) {
  const config = JSON.parse(fs.readFileSync(path.join(casesFolder, name, 'config.json'), 'utf8')) as Config;
  return architectureOf(config, { has: () => true });
}

const everyWay = ['llama/tied', 'llama/sliding_window', 'llama/biases'];
for (const name of cases.filter((c) => everyWay.includes(c) || !c.startsWith('llama/'))) {
  // Where the tables depend on a text's own length, texts of different lengths never share a batch
  // (test/run/plan.test.ts).
  const apart = samplesOf(name).some(({ tokens }) => architecture(name).lengthMatters(tokens.length));
  const some = apart
    ? ['streamed', 'all blocks in one segment']
    : ['batched and padded', 'batched, streamed, two blocks per segment'];
  const chosen = everyWay.includes(name) ? Object.keys(ways) : some;
  for (const way of chosen) {
    test(`${name}: ${way} gives the same as alone`, async () => {
      const folder = path.join(casesFolder, name);
      const expected = await gradients(folder, samplesOf(name), alone);
      const actual = await gradients(folder, samplesOf(name), ways[way]);
      assert.equal(actual.gradient.size, expected.gradient.size);
      for (const [key, gradient] of expected.gradient) {
        const error = relativeError(actual.gradient.get(key)!, gradient);
        assert.ok(error <= 1e-5, `${key}: relative error ${error}`);
      }
    });
  }
}
