/** Counts that only a damaged config.json can have are refused, and never allocated. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { architectureOf } from '../../server/src/models/families.ts';

const folder = path.join(import.meta.dirname, '../reference/llama/biases');
const config = JSON.parse(fs.readFileSync(path.join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;

test('a width or a count beyond any model', () => {
  const open = (changed: Record<string, unknown>) =>
    architectureOf({ ...config, ...changed }, new Map([['lm_head.weight', 0]]));
  assert.throws(() => open({ head_dim: 2 ** 52 }), /head_dim is 4503599627370496; no model has more than/);
  assert.throws(() => open({ head_dim: 2 ** 20 }), /heads of 1048576 components; at most 65536 are read/);
  assert.throws(() => open({ num_hidden_layers: 5000 }), /num_hidden_layers is 5000; no model has more than 4096/);
  assert.throws(() => open({ num_hidden_layers: 2 ** 40 }), /num_hidden_layers is 1099511627776; no model has more/);
});
