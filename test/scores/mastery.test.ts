/** How well facts are known, on literal completions and probabilities. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import type { FactSeen } from '../../server/src/scores/dataTypes.ts';
import { folded, idle, names, prefixFree } from '../../server/src/scores/factAnswers.ts';
import { levelOf, mastery, surrogateLevelOf, surrogateOf } from '../../server/src/scores/mastery.ts';
import { optionValues } from '../../server/src/scores/options.ts';

const fact = (changes: Partial<FactSeen> = {}): FactSeen => ({
  relation: 'capital',
  answers: ['Paris'],
  prompts: ['The capital of France is '],
  continuations: [[{ tokens: [1], logProbability: Math.log(0.5) }]],
  completions: [['It is Paris.', 'Lyon']],
  ...changes,
});

async function numbers(known: FactSeen[], options: Record<string, string | number> = {}) {
  const fold = mastery.open(optionValues(mastery, options));
  fold.rows({ facts: [], known, observed: {} });
  return fold.numbers({ random: new Random(0, 'test'), breathe: () => Promise.resolve() });
}

test('levels: none, and quarters that end where they say', () => {
  const shares = [0, 1e-9, 0.25, 0.2500001, 0.5, 0.75, 0.7500001, 1];
  assert.deepEqual(shares.map(levelOf), [0, 1, 1, 2, 2, 3, 4, 4]);
  for (let hits = 0; hits <= 84; hits++) {
    const level = hits === 0 ? 0 : hits <= 21 ? 1 : hits <= 42 ? 2 : hits <= 63 ? 3 : 4;
    assert.equal(levelOf(hits / 84), level, `${hits} of 84`);
  }
  // A probability is never 0, and its sum may pass 1 by rounding.
  assert.deepEqual([0.002, 0.003, 1 + 1e-12].map(surrogateLevelOf), [0, 1, 4]);
});

test('a model that always names the object knows it, one that never does not; aliases count once each completion', async () => {
  const completions = (text: string) => [
    [text, text],
    [text, text],
  ];
  const table = await numbers([
    fact({ completions: completions('surely Paris') }),
    fact({ completions: completions('surely not') }),
    fact({
      answers: ['USA', 'United States'],
      completions: [['USA, the United States', 'The united  states.', 'Peru', '']],
    }),
    fact({ completions: [['Paris', 'Paris', 'Paris', 'Rome']] }),
  ]);
  assert.deepEqual(table.values, [1, 0, 0.5, 0.75]);
  assert.deepEqual(table.parts!.level, [4, 0, 2, 3]);
  assert.deepEqual(
    [table.parts!.hits, table.parts!.completions],
    [
      [4, 0, 2, 3],
      [4, 4, 4, 4],
    ],
  );
  for (const [row, [low, high]] of table.intervals!.map((one) => one!).entries())
    assert.ok(low <= table.values[row] && table.values[row] <= high && high - low > 0.4, 'four completions say little');
  assert.deepEqual(
    table.marks!.map(({ at, words }) => [words.slice(0, 7), at]),
    [
      ['level 0', [1]],
      ['level 2', [2]],
      ['level 3', [3]],
      ['level 4', [0]],
    ],
  );
  assert.match(table.notes.join('\n'), /for 0 of 4 facts they lie within one level/);
});

test('texts are compared as Python folds them: unicodedata NFKC and casefold', () => {
  const python: [string, string][] = [
    ['STRASSE', 'strasse'],
    ['Straße', 'strasse'],
    ['ﬁn', 'fin'],
    ['İstanbul', 'i̇stanbul'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['ὈΔΥΣΣΕΎΣ', 'ὀδυσσεύσ'],
    ['São  Tomé', 'são tomé'],
    ['Sa\u0303o Tomé', 'são tomé'],
    ['ＡＢＣ', 'abc'],
    ['Ⅷ', 'viii'],
    ['ǅ', 'dž'],
    ['ŉ', 'ʼn'],
  ];
  for (const [text, expected] of python) assert.equal(folded(text), expected, text);
});

test('contains, words and exact: parts of words, case, alphabets without spaces', () => {
  const found = (text: string, answer: string) =>
    (['contains', 'words', 'exact'] as const).map((match) => names(text, [answer], match));
  assert.deepEqual(found('It is Paris.', 'Paris'), [true, true, true]);
  assert.deepEqual(found('it is PARIS', 'Paris'), [true, true, false]);
  assert.deepEqual(found('the must', 'US'), [true, false, false]);
  assert.deepEqual(found('must US, or', 'US'), [true, true, true], 'a later place stands alone');
  assert.deepEqual(found('Café', 'Cafe'), [false, false, false]);
  assert.deepEqual(found('首都は東京です', '東京'), [true, false, true]);
  assert.deepEqual(found('New\nYork', 'New York'), [true, true, false]);
  assert.deepEqual(found('𝐏aris', 'Paris'), [true, true, false], 'mathematical letters are letters');
  assert.deepEqual(found('𐐀Paris', 'Paris'), [true, false, true], 'a letter beyond 16 bits stands before');
});

test('answers that another one is a part of never decide', () => {
  assert.deepEqual(idle(['United States', 'United States of America', 'USA'], 'contains'), [
    'United States of America',
  ]);
  assert.deepEqual(idle(['US', 'USA'], 'contains'), ['USA']);
  assert.deepEqual(idle(['US', 'USA'], 'words'), []);
  assert.deepEqual(idle(['USA', 'usa'], 'contains'), [], 'the same answer twice');
  assert.deepEqual(idle(['USA', 'usa'], 'exact'), []);
});

test('the surrogate is the enumerated probability on a vocabulary of five tokens', () => {
  const random = new Random(1, 'five tokens');
  const vocabulary = [0, 1, 2, 3, 4];
  const rows = vocabulary.map(() => vocabulary.map(() => 0.1 + random.uniform()));
  /** P(next | last). */
  const step = rows.map((row) => row.map((value) => value / row.reduce((a, b) => a + b, 0)));
  const probability = (start: number, tokens: number[]) =>
    tokens.reduce(({ p, last }, token) => ({ p: p * step[last][token], last: token }), { p: 1, last: start }).p;
  // [1, 2] is the beginning of [1, 2, 3]; [4] and [4] are one.
  const answers = [[1, 2, 3], [1, 2], [4], [0, 0, 0], [4]];
  const starts = [0, 3, 2];
  const long = vocabulary.flatMap((a) => vocabulary.flatMap((b) => vocabulary.map((c) => [a, b, c])));
  const enumerated = starts.map((start) =>
    long
      .filter((text) => answers.some((answer) => answer.every((token, i) => text[i] === token)))
      .reduce((sum, text) => sum + probability(start, text), 0),
  );
  const continuations = starts.map((start) =>
    answers.map((tokens) => ({ tokens, logProbability: Math.log(probability(start, tokens)) })),
  );
  const expected = enumerated.reduce((a, b) => a + b, 0) / 3;
  assert.ok(Math.abs(surrogateOf({ continuations }) - expected) < 1e-12);
  assert.deepEqual(
    prefixFree(continuations[0]).map(({ tokens }) => tokens),
    [[4], [1, 2], [0, 0, 0]],
  );
});

test('by probability: no completions, no intervals, and said to be ours', async () => {
  const none = { completions: null };
  const table = await numbers([fact(none), fact({ ...none, continuations: [[{ tokens: [1], logProbability: -9 }]] })], {
    by: 'probability',
  });
  assert.deepEqual([table.values[0], table.parts!.level, table.intervals], [0.5, [2, 0], undefined]);
  assert.match(table.notes.join('\n'), /a formula of ours/);
  assert.equal(mastery.facts!(optionValues(mastery, { by: 'probability' })).completions, null);
});

test('at temperature 0 a template has one completion, whatever number is asked for', () => {
  const { completions } = mastery.facts!(optionValues(mastery, { temperature: 0, samples: 10 }));
  assert.equal(completions!.samples, 1);
});

test('what makes a fact look better known than it is, is said', async () => {
  const { notes } = await numbers([
    fact({ answers: ['US', 'USA'], prompts: ['Cheeseburgers come from the '] }),
    fact({ answers: ['Mexico City'], prompts: ['The capital of Mexico is '] }),
    fact({ answers: ['Luxembourg'], prompts: ['The capital of Luxembourg is '] }),
  ]);
  const all = notes.join('\n');
  assert.match(all, /in 1 of \d+ facts an answer has another one as its part, such as "USA"/);
  assert.match(all, /in 1 of \d+ facts an answer has at most 2 characters/);
  assert.match(all, /in 1 of \d+ facts an answer stands in the prompt/);
});
