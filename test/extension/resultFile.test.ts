import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forPage, summarise, topLayers } from '../../extension/src/resultFile.ts';
import { parseFile } from '../../protocol/files/read.ts';
import { sampleResult } from '../webview/sampleResult.ts';

const result = sampleResult({ layers: 6, tasks: ['a', 'b'], train: 5, validation: 2 });

test('a result reads back unchanged', () => {
  assert.deepEqual(parseFile('result', JSON.stringify(result)).value, result);
});

test('a partial result without any layer is a result', () => {
  const partial = {
    ...sampleResult({ layers: 6, tasks: ['a'], train: 5, validation: 2, finished: 0 }),
    status: 'partial',
  };
  assert.equal(parseFile('result', JSON.stringify(partial)).value!.tasks[0].layers.length, 0);
});

test('every fault is one readable sentence that names what is wrong', () => {
  /** The result with one value replaced; without `value` it is removed. */
  const broken = (path: (string | number)[], value?: unknown) => {
    const copy = structuredClone(result);
    let at = copy as unknown as Record<string | number, unknown>;
    for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
    at[path[path.length - 1]] = value;
    return JSON.stringify(copy);
  };
  const rows: [string, string][] = [
    ['', 'it is empty'],
    ['  \n', 'it is empty'],
    ['{"format": "layerif-', 'it is not JSON, perhaps cut off'],
    ['[]', 'it is no JSON object'],
    ['{"format":"other"}', '(format "other", version missing)'],
    [broken(['version'], 2), '(format "layerif-result", version 2): it is of a newer LayerIF'],
    [broken(['model']), 'model is missing; it should be an object'],
    [broken(['experiment', 'score']), 'experiment.score is missing; it should be an object'],
    [broken(['tasks'], 'x'), 'tasks is "x"; it should be a list'],
    [broken(['tasks', 1, 'task']), 'tasks[1].task is missing; it should be a text'],
    [broken(['tasks', 0, 'train', 'rows']), 'tasks[0].train.rows is missing; it should be a list'],
    [
      broken(['tasks', 0, 'influence'], result.tasks[0].influence.slice(1)),
      'tasks[0].influence has 5 rows for 6 layers',
    ],
    [broken(['tasks', 0, 'layers', 3, 'score'], null), 'tasks[0].layers[3].score is null; it should be a number'],
  ];
  for (const [text, words] of rows) assert.equal(parseFile('result', text).fault?.words, words);
});

test('the summary names the strongest layers of each task, strongest first', () => {
  const copy = structuredClone(result);
  [5, 9, 1, 9, 0, 7].forEach((score, i) => (copy.tasks[0].layers[i].score = score));
  assert.deepEqual(topLayers(copy.tasks[0], 3), [1, 3, 5]);
  const summary = summarise(copy);
  assert.equal(summary.tasks.length, 2);
  assert.deepEqual(summary.tasks[0], { task: 'a', finished: 6, topLayers: [1, 3, 5], badge: null });
  assert.equal(summary.status, 'complete');
});

test('pages get everything but the gradient norms', () => {
  const page = forPage(result);
  assert.deepEqual(page.tasks[0].train.gradientSquaredNorm, []);
  assert.deepEqual(page.tasks[0].influence, result.tasks[0].influence);
  assert.notEqual(result.tasks[0].train.gradientSquaredNorm.length, 0, 'the original keeps them');
});
