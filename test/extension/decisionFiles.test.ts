/** The words of Prune and Evaluate. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readSparsities } from '../../extension/src/pruningWords.ts';
import { durationWords } from '../../protocol/estimateWords.ts';

test('sparsities: shares and percentages, each once; anything else is explained', () => {
  assert.deepEqual(readSparsities('0.3, 50 %;0.5'), [0.3, 0.5]);
  for (const bad of ['0', '1', '150 %', 'half', '-0.2']) assert.match(readSparsities(bad) as string, /is no sparsity/);
  assert.match(readSparsities(' , ') as string, /at least one number/);
});

test('durations in the largest fitting unit', () => {
  assert.deepEqual([0.2, 59, 61, 5399, 7200].map(durationWords), ['1 s', '59 s', '1 min', '90 min', '2.0 h']);
});
