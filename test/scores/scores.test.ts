/** Every score on literal observations, and what must hold of all of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../server/src/random/random.ts';
import { marchenkoPastur } from '../../server/src/statistics/marchenkoPastur.ts';
import { isObservation } from '../../server/src/scores/observations.ts';
import type { ObservedShape } from '../../server/src/scores/observations.ts';
import { isAllowed, optionValues, readOption } from '../../server/src/scores/options.ts';
import { findScore, scores } from '../../server/src/scores/scores.ts';
import { tableOf } from '../../server/src/scores/tables.ts';
import { tailExponents } from '../../server/src/statistics/tailExponent.ts';
import { squaredSingularValues } from '../../server/src/linear/eigenvalues.ts';
import { scoreCases } from './cases.ts';
import type { ScoreCase } from './cases.ts';

const shape = (texts: number): ObservedShape => ({
  layers: 3,
  hidden: 4,
  texts,
  modules: () => [
    { name: 'a', rows: 6, columns: 6 },
    { name: 'b', rows: 6, columns: 12 },
  ],
});

async function numbersOf({ score: id, options, texts, observed, members, influence, labels, view }: ScoreCase) {
  const score = findScore(id);
  const values = optionValues(score, options);
  if (members) return score.among!(members, values, { random: new Random(0, 'test') });
  if (influence) return score.ofInfluence!(influence, values, { model: shape(0), random: new Random(0, 'test') });
  if (score.fitted) {
    const tools = { model: shape(texts), random: new Random(0, 'test'), labels: labels ?? null, view: view ?? null };
    return score.fitted(observed, values, tools);
  }
  return score.score(observed, values, { model: shape(texts), random: new Random(0, 'test') });
}

test('every score has a case, names what there is to observe, and says what it is', () => {
  assert.deepEqual([...new Set(scoreCases.map(({ score }) => score))].sort(), scores.map(({ id }) => id).sort());
  for (const score of scores) {
    for (const { of } of Object.values(score.needs(optionValues(score, {}), shape(2)))) assert.ok(isObservation(of));
    for (const text of [score.title, score.formula, score.source]) assert.ok(text.length > 5, score.id);
    assert.match(score.id, /^[a-z][a-z_]*$/);
    for (const row of Object.values(score.options)) assert.ok(isAllowed(row, row.default), `${score.id}: a default`);
  }
});

for (const one of scoreCases) {
  test(`${one.score} ${JSON.stringify(one.options)}: values, parts and notes`, async () => {
    const numbers = await numbersOf(one);
    const near = (found: readonly (number | null)[], expected: readonly (number | null)[]) =>
      assert.deepEqual(
        found.map((value) => (value === null ? null : Number(value.toPrecision(9)))),
        expected.map((value) => (value === null ? null : Number(value.toPrecision(9)))),
      );
    if (one.expected.values.length > 0) near(numbers.values, one.expected.values);
    else assert.ok(one.also, 'values are looked at elsewhere');
    if (one.expected.layers) near(numbers.layers!.values, one.expected.layers);
    for (const [name, part] of Object.entries(one.expected.parts ?? {})) near(numbers.parts![name], part);
    assert.match(numbers.notes.join('\n'), one.notes ?? /^$/);
    one.also?.(numbers);
  });

  test(`${one.score} ${JSON.stringify(one.options)}: a table of finite numbers or null, intervals around the values, the same each time`, async () => {
    const numbers = await numbersOf(one);
    const score = findScore(one.score);
    const table = tableOf(score, numbers, { options: one.options, texts: 'two texts', needs: ['{}'], layers: 3 });
    assert.deepEqual(JSON.parse(JSON.stringify(table)), table);
    assert.deepEqual(table.axes, one.axes ?? [{ name: 'layer', labels: [0, 1, 2] }]);
    assert.equal(table.subject === 'layer', one.axes === undefined);
    const tools = { model: shape(one.texts), labels: one.labels ?? null };
    const drawn = score.drawn?.(one.observed, optionValues(score, one.options), tools);
    const all = Array.from({ length: one.texts }, (_, text) => text);
    if (drawn)
      assert.deepEqual(drawn(all), (numbers.layers ?? numbers).values, 'drawn once each, the texts give the values');
    for (const part of Object.values(table.parts ?? {})) assert.equal(part.length, table.values.length);
    table.values.forEach((value, i) => {
      const interval = table.intervals?.[i];
      if (interval && value !== null) assert.ok(interval[0] <= value && value <= interval[1]);
      if (value === null) assert.ok(table.notes.length > 0, 'what is undefined has a note');
    });
    assert.deepEqual(await numbersOf(one), numbers);
  });
}

test('options: defaults, and one line for what is unknown or not allowed', () => {
  const owl = findScore('owl');
  assert.deepEqual(optionValues(owl, {}), { multiple: 5 });
  assert.throws(() => optionValues(owl, { multiple: 0 }), /owl\.multiple 0 is not allowed: use a number above 0/);
  assert.throws(() => optionValues(owl, { factor: 2 }), /score owl has no option "factor"; its options: multiple/);
  assert.throws(() => findScore('owls'), /there is no score "owls": use one of .*owl/);
  assert.equal(readOption(owl.options.multiple, '2.5'), 2.5);
  assert.equal(readOption(owl.options.multiple, 'many'), 'many');
  assert.equal(readOption(findScore('block_influence').options.skip_first_token, 'true'), true);
});

test('the exponent of Gaussian matrices follows from the Marchenko-Pastur law', () => {
  const random = new Random(3, 'gauss');
  for (const [rows, columns] of [
    [200, 200],
    [100, 300],
  ]) {
    const matrix = Float32Array.from({ length: rows * columns }, () => random.normal());
    const drawn = tailExponents(squaredSingularValues(matrix, rows, columns)).mid;
    const law = tailExponents(marchenkoPastur(rows / columns)).mid;
    assert.ok(Math.abs(drawn - law) < 0.1, `${rows} x ${columns}: ${drawn} and ${law}`);
  }
  // Of drawn matrices, measured once with numpy: 2.12 at 576 x 576 and 2.99 at 1536 x 576.
  assert.ok(Math.abs(tailExponents(marchenkoPastur(1)).mid - 2.12) < 0.02);
  assert.ok(Math.abs(tailExponents(marchenkoPastur(576 / 1536)).mid - 2.99) < 0.02);
});
