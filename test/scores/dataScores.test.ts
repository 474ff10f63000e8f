/** What must hold of every score of rows, on literal observations. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { quartiles } from '../../server/src/run/scores/quartiles.ts';
import { wordsOf } from '../../server/src/scores/bm25.ts';
import { dataScores, findDataScore } from '../../server/src/scores/dataScores.ts';
import type { RowFacts, RowTexts } from '../../server/src/scores/dataTypes.ts';
import { facilityLocation } from '../../server/src/scores/facilityLocation.ts';
import { isObservation } from '../../server/src/scores/observations.ts';
import { isAllowed, optionValues } from '../../server/src/scores/options.ts';
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
