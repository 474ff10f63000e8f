/** Sections that completion offers: each fits the schema where it is offered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExperiment } from '../../server/src/config/experiment.ts';
import { snippetItems, snippets } from '../../server/src/lsp/snippets.ts';

/** With the texts of its placeholders. */
const filled = (body: string) => body.replace(/\$\{\d+:([^}]*)\}/g, '$1');
const whole = filled(snippets.find(({ label }) => label === 'experiment')!.body);

/** Where the section of a pattern stands in a whole experiment. */
const places: Record<string, (body: string) => string> = {
  '': (body) => (body.startsWith('version') ? body : `${whole}${body}\n`),
  'tasks/*': (body) =>
    whole.replace('score:', `  - ${body.replaceAll('\n', '\n    ').replace('task: task', 'task: other')}\nscore:`),
  datasets: (body) => whole.replace('tasks:', `  ${body.replaceAll('\n', '\n  ').replace('data:', 'other:')}\ntasks:`),
};

for (const { label, pattern, body } of snippets)
  test(`the section ${label} fits the schema`, () => {
    const text = places[pattern](filled(body));
    assert.deepEqual(
      parseExperiment(text, '/x/a.layerif.yaml').problems.map(({ line, message }) => `${line}: ${message}`),
      [],
      text,
    );
  });

test('a section is offered where it may stand, and not twice', () => {
  const edit = (newText: string) => ({
    range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
    newText,
  });
  const labels = (place: (string | number)[], siblings: string[]) =>
    snippetItems(place, siblings, edit).map(({ label }) => label);
  assert.deepEqual(labels([], []), ['experiment', 'scores of layers', 'pruning']);
  assert.deepEqual(labels([], ['tasks', 'scores']), ['pruning']);
  assert.deepEqual(labels(['tasks', 2], []), ['whole task']);
  assert.deepEqual(labels(['tasks', 2], ['task']), []);
  assert.deepEqual(labels(['datasets'], ['reviews']), ['dataset']);
  assert.deepEqual(labels(['model'], []), []);
});
