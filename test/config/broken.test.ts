/** Whatever a file holds, reading it gives problems with places inside the text, never an exception. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseExperiment } from '../../server/src/config/experiment.ts';
import { cursorAt } from '../../server/src/lsp/cursor.ts';
import { outlineOf } from '../../server/src/lsp/locate.ts';
import { full, small } from './files.ts';

const yamlPieces = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ': ',
  ',',
  '- ',
  '\n',
  '\n  ',
  '"',
  "'",
  '|\n',
  '>',
  '&a',
  '*a',
  '<<: ',
  '!',
  '!function x',
  '#',
  '\t',
  '%',
  '@',
  '\u0000',
  '\r\n',
  '\uFEFF',
  '🌱',
  '---\n',
  'null',
  '1e999',
  '.inf',
  '.nan',
  '0x',
  '__proto__: ',
];

/** Cuts, doublings and insertions of pieces that mean something to YAML. */
const mangled = fc
  .tuple(
    fc.constantFrom(small, full),
    fc.array(fc.tuple(fc.nat(), fc.nat(40), fc.constantFrom('', ...yamlPieces)), { minLength: 1, maxLength: 6 }),
  )
  .map(([text, edits]) =>
    edits.reduce<string>((now, [where, length, piece]) => {
      const start = where % (now.length + 1);
      return now.slice(0, start) + piece + now.slice(start + length);
    }, text),
  );

function check(text: string): void {
  const parsed = parseExperiment(text, 'x.layerif.yaml', () => {
    throw new Error('no file');
  });
  const lines = text.split(/\r?\n/);
  for (const { line, column, endLine, endColumn, message } of parsed.problems) {
    assert.ok(line >= 1 && line <= lines.length + 1, `line ${line} of ${lines.length}: ${message}`);
    assert.ok(
      column >= 1 && endLine === line && endColumn >= column,
      `${line}:${column}-${endLine}:${endColumn} ${message}`,
    );
    assert.ok(!/undefined|\[object/.test(message), message);
    assert.ok(!message.includes('\n'), message);
  }
  assert.equal(
    parsed.experiment === null,
    parsed.problems.some(({ severity }) => severity === 'error'),
  );
  for (const { path } of [...outlineOf(parsed).tasks, ...outlineOf(parsed).datasets])
    assert.ok(parsed.positions.key(path).line >= 1);
  for (let line = 0; line < lines.length; line += 3) {
    cursorAt(text, line, lines[line].length);
    parsed.positions.at(line + 1, 3);
  }
}

test('mangled experiments', () => {
  fc.assert(fc.property(mangled, check), { numRuns: 1500, seed: 3 });
});

test('any text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), check), { numRuns: 500, seed: 4 });
});

test('any value in any place', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const key = fc.constantFrom(
    'version',
    'model',
    'datasets',
    'tasks',
    'score',
    'allocate',
    'prune',
    'evaluate',
    'output_dir',
  );
  fc.assert(
    fc.property(key, value, fc.dictionary(key, value), (name, first, rest) =>
      check(JSON.stringify({ ...rest, [name]: first })),
    ),
    { numRuns: 500, seed: 5 },
  );
  const inTask = fc.constantFrom(
    'task',
    'dataset',
    'dataset_path',
    'dataset_kwargs',
    'training_split',
    'doc_to_text',
    'doc_to_choice',
    'include',
    'process_docs',
    'metadata',
  );
  fc.assert(
    fc.property(fc.dictionary(inTask, value), (task) =>
      check(JSON.stringify({ version: 1, model: { path: 'm' }, datasets: { a: { path: 'a' } }, tasks: [task] })),
    ),
    { numRuns: 500, seed: 6 },
  );
});
