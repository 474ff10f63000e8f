import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { experimentJsonSchema, experimentJsonSchemaText, schemaAt } from '../../server/src/config/jsonSchema.ts';
import type { JsonSchema } from '../../server/src/config/jsonSchema.ts';

test('media/layerif.schema.json is fresh', () => {
  const committed = fs.readFileSync(new URL('../../media/layerif.schema.json', import.meta.url), 'utf8');
  assert.equal(committed, experimentJsonSchemaText(), 'run node scripts/generate-schema.mjs');
});

test('every key has a sentence, every mapping with fixed keys refuses others', () => {
  const visit = (node: JsonSchema, path: string): number => {
    let count = 0;
    for (const [key, property] of Object.entries(node.properties ?? {})) {
      const where = `${path}.${key}`;
      if (path !== '.score.checkpoints[]')
        assert.ok((property.description ?? '').length > 3, `${where} has no description`);
      count += 1 + visit(property, where);
    }
    // What Hugging Face's load_dataset takes is open.
    if (node.properties && path !== '.tasks[].dataset_kwargs') assert.equal(node.additionalProperties, false, path);
    if (node.items) count += visit(node.items, `${path}[]`);
    if (typeof node.additionalProperties === 'object') count += visit(node.additionalProperties, `${path}.*`);
    for (const option of node.anyOf ?? []) count += visit(option, path);
    return count;
  };
  assert.ok(visit(experimentJsonSchema(), '') > 90);
});

test('every key is snake_case', () => {
  const names = [...JSON.stringify(experimentJsonSchema().properties).matchAll(/"([A-Za-z_]+)":\{/g)].map(
    (match) => match[1],
  );
  const words = new Set(['properties', 'items', 'additionalProperties', 'propertyNames']);
  for (const name of names) assert.ok(words.has(name) || /^[a-z]+(_[a-z]+)*$/.test(name), name);
});

test('a schema is found by path', () => {
  assert.deepEqual(schemaAt(['score', 'loss'])?.enum, ['all', 'target']);
  assert.equal(schemaAt(['tasks', 3, 'num_fewshot'])?.type, 'integer');
  assert.equal(schemaAt(['datasets', 'any', 'path'])?.type, 'string');
  assert.equal(schemaAt(['score', 'layers', 0])?.type, 'integer');
  assert.equal(schemaAt(['score', 'nothing']), null);
  assert.equal(schemaAt(['version', 'x']), null);
});
