/** `layerif predict` without a process: models of several forms, numbers by hand, a search, and what is refused. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Prediction, ShapeSearch } from '../../protocol/prediction.ts';
import { commandLine } from './commandLine.ts';
import { writeTinyWorkspace } from '../tinyLlama.ts';

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-predict-')));
after(() => fs.rmSync(folder, { recursive: true }));

const run = (...words: string[]) => commandLine(folder, ['predict', ...words]);
const predicted = async (...words: string[]) => JSON.parse((await run(...words, '--json')).out) as Prediction;
const llama3 = ['--layers', '32', '--hidden', '4096', '--ffn', '14336', '--parameters', '8B', '--tokens', '15T'];

test('numbers by hand: Llama-3-8B, with what is unconfirmed said', async () => {
  const found = await predicted(...llama3);
  assert.equal(found.score.toFixed(2), '65.43');
  assert.deepEqual([found.parametersFrom, found.tokensFrom, found.name], ['given', 'given', null]);
  assert.deepEqual(
    found.removed.map(({ layers, left }) => [layers, left]),
    [1, 2, 3, 4, 5, 6, 7, 8].map((layers) => [layers, 32 - layers]),
  );
  assert.ok(found.notes.some((note) => note.startsWith('Unconfirmed')));
  const { out } = await run(...llama3);
  assert.match(out, /Predicted MMLU 65\.43, 90 % band 54\.3 to 76\.6/);
  for (const words of [/Unconfirmed/, /Empirical/, /extrapolation/]) assert.match(out, words);
});

test('a measured score far above hints at contamination; one near says that this proves nothing', async () => {
  assert.equal((await predicted(...llama3, '--measured', '66.6')).measured!.verdict, 'within');
  assert.equal((await predicted(...llama3, '--measured', '90')).measured!.verdict, 'above');
  assert.equal((await predicted(...llama3, '--measured', '30')).measured!.verdict, 'below');
  assert.match((await run(...llama3, '--measured', '90')).out, /contamination/);
});

test('a checkpoint: weights are counted, a shape that is changed is estimated; a config.json alone is enough', async () => {
  const { model } = writeTinyWorkspace(folder);
  const found = await predicted(model);
  assert.equal(found.parametersFrom, 'counted');
  assert.deepEqual([found.tokensFrom, found.input.tokens], ['saturated', found.input.parameters]);
  assert.equal((await predicted(model, '--layers', '30')).parametersFrom, 'estimated');
  const alone = path.join(folder, 'alone');
  fs.mkdirSync(alone);
  fs.copyFileSync(path.join(model, 'config.json'), path.join(alone, 'config.json'));
  for (const target of ['alone', 'alone/config.json']) {
    const { name, input, parametersFrom } = await predicted(target);
    assert.deepEqual([name, input.layers, parametersFrom], ['alone', found.input.layers, 'estimated']);
  }
});

test('a search', async () => {
  const { out } = await run('--search', '--flops', '1e24', '--parameters', '8B', '--top', '3', '--json');
  const { shapes, budget } = JSON.parse(out) as ShapeSearch;
  assert.equal(shapes.length, 3);
  assert.deepEqual(budget, { flops: 1e24, parameters: 8, tokens: null, precisionLoss: 1 });
});

const refused: [words: string[], message: RegExp][] = [
  [[], /needs a model .* or all of --layers, --hidden and --ffn/],
  [['--layers', '3'], /needs a model/],
  [['--layers', '0', '--hidden', '8', '--ffn', '8'], /--layers "0" is not allowed/],
  [['--layers', '3', '--hidden', '8', '--ffn', '8', '--tokens', '15'], /--tokens "15" is not an amount: .*15T or 300B/],
  [['--layers', '3', '--hidden', '8', '--ffn', '8', '--tokens', '-1T'], /--tokens/],
  [[...llama3, '--precision-loss', '0.5'], /--precision-loss 0.5 is not allowed: use 1/],
  [[...llama3, '--measured', '101'], /MMLU is a number from 0 to 100/],
  [[...llama3, '--remove', '32'], /use a whole number from 1 to 31/],
  [[...llama3, '--flops', '1e20'], /goes with --search/],
  [['--search'], /--search needs a budget/],
  [['--search', '--parameters', '100M'], /below the smallest shape of the search/],
  [['nowhere'], /nowhere does not exist/],
  [['moe.json'], /mixture of experts \(num_local_experts is 8\)/],
  [['list.json'], /list\.json is not a JSON object/],
  [['broken.json'], /broken\.json cannot be read/],
  [['empty.json'], /no positive number under num_hidden_layers/],
];

test('what is refused, in one line each, with exit code 2', async () => {
  fs.writeFileSync(path.join(folder, 'moe.json'), '{"num_local_experts": 8, "num_hidden_layers": 2}');
  fs.writeFileSync(path.join(folder, 'list.json'), '[1]');
  fs.writeFileSync(path.join(folder, 'broken.json'), '{');
  fs.writeFileSync(path.join(folder, 'empty.json'), '{}');
  for (const [words, message] of refused) {
    const { code, out, err } = await run(...words);
    assert.deepEqual([code, out], [2, ''], words.join(' '));
    assert.match(err, message);
    assert.equal(err.trimEnd().split('\n').length, 1);
  }
});
