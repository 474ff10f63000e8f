import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forPage, parseResult, summarise, topLayers } from '../../extension/src/resultFile.ts';
import { sampleResult } from '../webview/sampleResult.ts';

const result = sampleResult({ layers: 6, tasks: ['a', 'b'], train: 5, validation: 2 });

test('a result reads back unchanged', () => {
  assert.deepEqual(parseResult(JSON.stringify(result)), result);
});

test('a partial result without any layer is a result', () => {
  const partial = {
    ...sampleResult({ layers: 6, tasks: ['a'], train: 5, validation: 2, finished: 0 }),
    status: 'partial',
  };
  assert.equal(parseResult(JSON.stringify(partial)).tasks[0].layers.length, 0);
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
  const rows: [string, RegExp][] = [
    ['', /empty/],
    ['  \n', /empty/],
    ['{"format": "layerif-', /not valid JSON/],
    ['[]', /not a LayerIF result/],
    ['{"format":"other"}', /"format" must be "layerif-result"/],
    [broken(['version'], 2), /version 2; this LayerIF reads version 1/],
    [broken(['model']), /"model" is missing/],
    [broken(['experiment', 'score']), /"experiment.score" is missing/],
    [broken(['tasks'], 'x'), /"tasks" is missing/],
    [broken(['tasks', 1, 'task']), /"tasks\[1\]" has no name/],
    [broken(['tasks', 0, 'train', 'rows']), /"tasks\[0\]" has no "train.rows"/],
    [broken(['tasks', 0, 'influence'], result.tasks[0].influence.slice(1)), /6 layers but influence for 5/],
    [broken(['tasks', 0, 'layers', 3, 'score'], null), /without index, score or modules/],
  ];
  for (const [text, message] of rows) {
    assert.throws(
      () => parseResult(text),
      (error: Error) => message.test(error.message) && !error.message.includes('\n'),
      String(message),
    );
  }
});

test('the summary names the strongest layers of each task, strongest first', () => {
  const copy = structuredClone(result);
  [5, 9, 1, 9, 0, 7].forEach((score, i) => (copy.tasks[0].layers[i].score = score));
  assert.deepEqual(topLayers(copy.tasks[0], 3), [1, 3, 5]);
  const summary = summarise(copy);
  assert.equal(summary.tasks.length, 2);
  assert.deepEqual(summary.tasks[0], { task: 'a', finished: 6, topLayers: [1, 3, 5] });
  assert.equal(summary.status, 'complete');
});

test('pages get everything but the gradient norms', () => {
  const page = forPage(result);
  assert.deepEqual(page.tasks[0].train.gradientSquaredNorm, []);
  assert.deepEqual(page.tasks[0].influence, result.tasks[0].influence);
  assert.notEqual(result.tasks[0].train.gradientSquaredNorm.length, 0, 'the original keeps them');
});
