/** Files of validations and comparisons as the editor reads them, and the words of Prune and Evaluate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseComparison } from '../../extension/src/comparisonFile.ts';
import { durationWords, readSparsities } from '../../extension/src/pruningWords.ts';
import { parseValidation } from '../../extension/src/validationFile.ts';
import { validation } from '../webview/answers.ts';
import { sampleComparison } from '../webview/sampleComparison.ts';
import { sampleResult } from '../webview/sampleResult.ts';

const result = sampleResult({ layers: 3, tasks: ['a'], train: 4, validation: 2 });

test('a comparison is read whole; another file, another version and a damaged one are named', () => {
  const comparison = sampleComparison([0.5]);
  assert.deepEqual(parseComparison(JSON.stringify(comparison)), comparison);
  const refuse = (change: object, why: RegExp) =>
    assert.throws(() => parseComparison(JSON.stringify({ ...comparison, ...change })), why);
  refuse({ format: 'layerif-result' }, /not a LayerIF comparison/);
  refuse({ version: 2 }, /has version 2/);
  refuse({ prunings: [{}] }, /damaged: "prunings\[0\]" has no metrics/);
  refuse({ model: null }, /damaged: "model" is missing/);
  assert.throws(() => parseComparison('{'), /not valid JSON.*Run Prune and Evaluate again/);
  assert.throws(() => parseComparison('null'), /not a LayerIF comparison/);
});

test('a validation is read whole; what cannot be drawn is named', () => {
  const made = validation(result);
  assert.deepEqual(parseValidation(JSON.stringify(made)), JSON.parse(JSON.stringify(made)));
  assert.throws(() => parseValidation('{"format":"x"}'), /not a LayerIF validation/);
  assert.throws(() => parseValidation(JSON.stringify({ ...made, version: 9 })), /has version 9/);
  assert.throws(() => parseValidation(JSON.stringify({ ...made, protocols: null })), /"protocols" is missing/);
});

test('sparsities: shares and percentages, each once; anything else is explained', () => {
  assert.deepEqual(readSparsities('0.3, 50 %;0.5'), [0.3, 0.5]);
  for (const bad of ['0', '1', '150 %', 'half', '-0.2']) assert.match(readSparsities(bad) as string, /is no sparsity/);
  assert.match(readSparsities(' , ') as string, /at least one number/);
});

test('durations in the largest fitting unit', () => {
  assert.deepEqual([0.2, 59, 61, 5399, 7200].map(durationWords), ['1 s', '59 s', '1 min', '90 min', '2.0 h']);
});
