/** Probabilities of the next token equal those behind transformers' logits processors; draws follow them. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Sampling } from '../../protocol/generation.ts';
import { choicesOf, draw, likeliest, nextToken, penalised } from '../../server/src/generation/sampling.ts';
import { Random } from '../../server/src/random/random.ts';

interface Reference {
  logits: number[];
  seen: number[];
  cases: { setting: Record<string, number>; probabilities: number[] }[];
}

const {
  logits: list,
  seen,
  cases,
} = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../reference/generation/sampling.json'), 'utf8'),
) as Reference;
const logits = Float32Array.from(list);

function samplingOf(setting: Record<string, number>): Sampling {
  return {
    doSample: true,
    temperature: setting.temperature ?? 1,
    topK: setting.top_k ?? 0,
    topP: setting.top_p ?? 1,
    minP: setting.min_p ?? 0,
    repetitionPenalty: setting.repetition_penalty ?? 1,
    seed: 0,
  };
}

function probabilities(sampling: Sampling): Float64Array {
  const { tokens, probabilities } = choicesOf(penalised(logits, seen, sampling.repetitionPenalty), sampling);
  const all = new Float64Array(logits.length);
  tokens.forEach((token, i) => (all[token] = probabilities[i]));
  return all;
}

for (const { setting, probabilities: expected } of cases) {
  test(`transformers' probabilities: ${JSON.stringify(setting)}`, () => {
    const found = probabilities(samplingOf(setting));
    expected.forEach((p, token) => {
      assert.ok(Math.abs(found[token] - p) < 1e-6, `token ${token}: ${found[token]} and not ${p}`);
      assert.equal(found[token] > 0, p > 0, `token ${token} is left out in one of the two`);
    });
  });
}

test('draws have the frequencies of their probabilities, the same for the same seed', () => {
  const sampling = samplingOf({ temperature: 1.7, top_k: 12, top_p: 0.9 });
  const expected = probabilities(sampling);
  const drawn = (seed: number): number[] => {
    const random = new Random(seed, 'text 0');
    return Array.from({ length: 20_000 }, () => draw(choicesOf(logits, sampling), random));
  };
  const [first, again] = [drawn(3), drawn(3)];
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, drawn(4));
  // Pearson's χ² below its 99.9 % point for the tokens that may be drawn (11 degrees of freedom at most: 31.3).
  let chi = 0;
  expected.forEach((p, token) => {
    const count = first.filter((t) => t === token).length;
    if (p === 0) assert.equal(count, 0);
    else chi += (count - 20_000 * p) ** 2 / (20_000 * p);
  });
  assert.ok(chi < 31.3, `χ² ${chi}`);
});

test('greedy takes the first of the largest, after the penalty', () => {
  assert.equal(likeliest(Float32Array.of(1, 5, 5, 2)), 1);
  const sampling = { ...samplingOf({ repetition_penalty: 2 }), doSample: false };
  assert.equal(nextToken(Float32Array.of(1, 5, 4.9, -1), [1], sampling, null), 2);
  assert.equal(nextToken(Float32Array.of(-1, -3, -1.5, -4), [0], sampling, null), 2, 'negative logits are multiplied');
  assert.throws(() => nextToken(Float32Array.of(NaN, 1), [], { ...sampling, repetitionPenalty: 1 }, null), /NaN/);
});
