/**
 * Included task files are read as lm-evaluation-harness reads them with PyYAML (test/reference/harness/makeYaml.py).
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { YamlSource } from '../../server/src/config/yamlSource.ts';

type Read = { value: unknown } | { error: true };
interface Reference {
  words: Record<string, Read>;
  files: ({ name: string; text: string } & Read)[];
}
const { words, files } = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../reference/harness/yaml.json'), 'utf8'),
) as Reference;

/** As the script writes them. */
function plain(value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return { float: Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf' };
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value === 0 ? 0 : value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function read(text: string): Read {
  const source = new YamlSource(text, 't.yaml', 'pyyaml');
  if (source.problems.some(({ severity }) => severity === 'error')) return { error: true };
  return { value: plain(source.value) };
}

for (const [word, expected] of Object.entries(words)) {
  test(`the word ${word}`, () => assert.deepEqual(read(`a: ${word}\n`), expected));
}

for (const { name, text, ...expected } of files) {
  test(name, () => assert.deepEqual(read(text), expected));
}

test('the experiment itself is YAML 1.2, its quoted texts may go on at any column', () => {
  const source = new YamlSource("a: yes\nb: 010\nc: 1e3\nd: 'x\ny'\ne: 5\n", 'x.layerif.yaml');
  assert.deepEqual(source.value, { a: 'yes', b: 10, c: 1000, d: 'x y', e: 5 });
  assert.deepEqual(source.problems, []);
});

test('places are those of the file, also behind lines that were indented', () => {
  const source = new YamlSource("k: {a: 'x\ny', b: 1}\nc: 2\n", 't.yaml', 'pyyaml');
  const { line, column, endColumn } = source.valueRange(['k', 'b']);
  assert.deepEqual([line, column, endColumn], [2, 8, 9]);
  assert.deepEqual(source.pathAt(2, 8), { path: ['k', 'b'], on: 'value' });
  assert.equal(source.keyRange(['c']).line, 3);
});

test('of two equal keys the later one has the place', () => {
  const source = new YamlSource('a: 1\nb: 2\na: 3\n', 't.yaml', 'pyyaml');
  assert.equal(source.valueRange(['a']).line, 3);
});
