import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossSummary } from '../../../webview/src/model/losses.ts';

test('mean, lowest and highest; an empty split has none', () => {
  assert.deepEqual(lossSummary([2, 4, 3]), { mean: 3, lowest: 2, highest: 4 });
  assert.deepEqual(lossSummary([]), { mean: null, lowest: null, highest: null });
  assert.deepEqual(lossSummary([NaN, 1]), { mean: 1, lowest: 1, highest: 1 });
});
