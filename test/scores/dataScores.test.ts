/** What must hold of every score of rows, on literal observations. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { quartiles } from '../../server/src/run/scores/quartiles.ts';
import { wordsOf } from '../../server/src/scores/bm25.ts';
import { dataScores, findDataScore } from '../../server/src/scores/dataScores.ts';
import type { RowFacts, RowTexts } from '../../server/src/scores/dataTypes.ts';
import { facilityLocation } from '../../server/src/scores/facilityLocation.ts';
import { isObservation } from '../../server/src/scores/observations.ts';
import { isAllowed, optionValues } from '../../server/src/scores/options.ts';
import { middlingRows } from '../../server/src/scores/preExperience.ts';
import { scores } from '../../server/src/scores/scores.ts';

const fact = (changes: Partial<RowFacts> = {}): RowFacts => ({
  ...{ prompt: 3, answer: 2, truncated: false, merged: false, text: '', emptyPrompt: false, emptyAnswer: false },
  ...changes,
});

/** Rows of one token before and as many counted ones as there are losses; null for a row without a text. */
function observed(losses: (number[] | null)[]): RowTexts {
  const known = losses.filter((row) => row !== null);
  const samples = known.map((row) => ({ tokens: new Int32Array(row.length + 1), countedFrom: 1 }));
  let next = 0;
  const text = Int32Array.from(losses, (row) => (row === null ? -1 : next++));
  const data = Float32Array.from(known.flatMap((row) => [0, ...row.map((loss) => -loss)]));
  return { samples, text, tensors: { logProbability: { shape: [data.length], data } } };
}

const end = { random: new Random(0, 'test'), breathe: () => Promise.resolve() };

test('every score of rows says what it is, and its id is that of no other score', () => {
  const ids = [...dataScores, ...scores].map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const score of dataScores) {
    for (const text of [score.title, score.formula, score.source]) assert.ok(text.length >= 6, score.id);
    assert.match(score.id, /^[a-z][a-z_0-9]*$/);
    for (const row of Object.values(score.options)) assert.ok(isAllowed(row, row.default), `${score.id}: a default`);
    for (const { of } of Object.values(score.needs(optionValues(score, {})))) assert.ok(isObservation(of));
  }
});

test('IFD: the two definitions differ as their formulas do; rows of the rule are marked', async () => {
  const conditioned = observed([[0.5], [2.5], [3], null, [1, 2]]);
  const alone = observed([[1], [3], [3], null, [2, 2]]);
  const facts = [fact(), fact(), fact({ truncated: true }), fact({ emptyAnswer: true }), fact()];
  const values = async (id: string) => {
    const score = findDataScore(id);
    const fold = score.open(optionValues(score, {}));
    fold.rows({ facts, observed: { conditioned, alone } });
    return fold.numbers(end);
  };
  const byPerplexity = await values('ifd_ppl');
  const rounded = (numbers: (number | null)[]) => numbers.map((value) => value && Number(value.toFixed(3)));
  assert.deepEqual(rounded(byPerplexity.values), [0.607, 0.607, 1, null, 0.607]);
  assert.deepEqual(rounded((await values('ifd_loss')).values), [0.5, 0.833, 1, null, 0.75]);
  const left = (numbers: typeof byPerplexity) => numbers.marks!.filter(({ drop }) => drop).map(({ at }) => at);
  // Empty, from 1 on, too long; Cherry_LLM leaves out what is above 1.
  assert.deepEqual(left(byPerplexity), [[3], [2], [2]]);
  assert.deepEqual(left(await values('ifd_loss')), [[3], [2]]);
});

test('facility location chooses as if every gain were computed anew, and its gains fall', async () => {
  const random = new Random(3, 'points');
  const points = Array.from({ length: 40 }, () => [random.normal(), random.normal(), random.normal()]);
  const like = (i: number, j: number) => Math.exp(-Math.hypot(...points[i].map((x, h) => x - points[j][h])));
  const found = await facilityLocation(
    40,
    (row, into) => points.forEach((_, i) => (into[i] = like(i, row))),
    12,
    () => Promise.resolve(),
  );
  const chosen: number[] = [];
  const value = (rows: number[]) =>
    points.reduce((sum, _, i) => sum + Math.max(0, ...rows.map((row) => like(i, row))), 0);
  for (let step = 0; step < 12; step++) {
    const gains = points.map((_, row) => (chosen.includes(row) ? -1 : value([...chosen, row]) - value(chosen)));
    chosen.push(gains.indexOf(Math.max(...gains)));
  }
  assert.deepEqual(found.order, chosen);
  for (let i = 1; i < 12; i++) assert.ok(found.gains[i] <= found.gains[i - 1] + 1e-12);
});

test('words of BM25 are runs of letters and digits of any script', () => {
  assert.deepEqual(wordsOf("Don't stop: 2nd Straße, КОТ"), ['don', 't', 'stop', '2nd', 'straße', 'кот']);
});

test('quartiles lie between values, as numpy.quantile has them', () => {
  assert.deepEqual(quartiles([8, 1, 4, 2]), [1, 1.75, 3, 5, 8]);
  assert.deepEqual(quartiles([3]), [3, 3, 3, 3, 3]);
});

interface Middling {
  labels: number[];
  perplexities: number[];
  rows: number[];
}
const middling = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '..', 'reference', 'data_scores', 'pre_experience.json'), 'utf8'),
) as {
  cases: (Middling & { perCluster: number; low: number; high: number })[];
  blobs: Middling & { points: number[][] };
};

test('pre-experience: the rows of middling perplexity in each cluster are those of numpy', () => {
  for (const { labels, perplexities, rows, ...options } of middling.cases)
    assert.deepEqual(middlingRows(labels, perplexities, options), rows);
});

test('pre-experience: clusters of vectors are those of scikit-learn, a row without a prompt takes no part', async () => {
  const { points, perplexities, labels, rows } = middling.blobs;
  const score = findDataScore('pre_experience');
  const fold = score.open(optionValues(score, { clusters: 3, per_cluster: 3 }));
  const states = {
    ...observed(points.map(() => [1])),
    tensors: { mean: { shape: [points.length, 3], data: Float64Array.from(points.flat()) } },
  };
  fold.rows({
    facts: points.map(() => fact()),
    observed: { states, prompt: observed(perplexities.map((value) => [Math.log(value)])) },
  });
  fold.rows({
    facts: [fact({ emptyPrompt: true })],
    observed: {
      states: { ...observed([null]), tensors: { mean: { shape: [0, 3], data: new Float64Array(0) } } },
      prompt: observed([null]),
    },
  });
  const { values, parts, marks, notes } = await fold.numbers(end);
  const taken = values.flatMap((value, row) => (value === 1 ? [row] : []));
  assert.deepEqual(taken, rows);
  assert.equal(values.at(-1), null);
  // The same rows are together, whatever their clusters are called.
  const { cluster } = parts!;
  for (let i = 0; i < points.length; i++)
    for (let j = 0; j < i; j++) assert.equal(cluster[i] === cluster[j], labels[i] === labels[j]);
  const dropped = marks!.flatMap(({ at, drop }) => (drop ? at : []));
  assert.deepEqual(
    dropped.sort((a, b) => a - b),
    Array.from({ length: points.length + 1 }, (_, row) => row).filter((row) => !rows.includes(row)),
  );
  assert.match(notes.join(), /9 of 28 rows take part, of 3 clusters/);
});
