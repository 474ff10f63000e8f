/**
 * Names that every JavaScript object inherits, given as each id, name and key that the command line and an experiment
 * take.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { Linter } from 'eslint';
import type { Rule } from 'eslint';
import ts from 'typescript';
import tseslint from 'typescript-eslint';
import { runCommandLine } from '../../server/src/cli/cli.ts';
import { checkExperiment } from '../../server/src/run/check/check.ts';
import { lookup } from '../../server/src/text/lookup.ts';
import { tinyWorkspace } from '../run/workspace.ts';

const names = ['constructor', '__proto__'];
const golden = path.join(import.meta.dirname, '../golden/files');

/** A message of ours: one line, no function's or object's text, no error of the language. */
function assertOurs(message: string, where: string): void {
  assert.doesNotMatch(
    message,
    /native code|\[object |TypeError|is not a function|is not iterable|please report/i,
    `${where}: ${message}`,
  );
}

test('a table gives what it holds itself', () => {
  for (const name of names) assert.equal(lookup({ a: 1 }, name), undefined);
  assert.equal(lookup(JSON.parse('{"__proto__":1}') as Record<string, number>, '__proto__'), 1);
  assert.equal(lookup({ a: 1 }, 'a'), 1);
  assert.equal(lookup({ a: 1 }, ['a']), undefined);
});

/** Where a name stands in the file: what is replaced, by what, and whether the name is wrong there. */
const places: [from: string, to: string, wrong: boolean][] = [
  ['estimator: datainf', 'estimator: KEY', true],
  ['estimator: datainf', 'damping: { rule: KEY, factor: 0.1 }', true],
  ['estimator: datainf', 'loss: KEY', true],
  ['estimator: datainf', 'aggregation: KEY', true],
  ['estimator: datainf', 'projection: KEY', true],
  ['estimator: datainf', 'params: KEY', true],
  ['estimator: datainf', 'per: KEY', true],
  ['estimator: datainf', 'granularity: KEY', true],
  ['estimator: datainf', 'modules: [KEY]', true],
  ['estimator: datainf', 'layers: KEY', true],
  ['estimator: datainf', 'KEY: 1', true],
  ['score:', 'KEY: 1\nscore:', true],
  ['score:', 'scores: [KEY]\nscore:', true],
  ['score:', 'scores: [{ owl: { KEY: 1 } }]\nscore:', true],
  ['score:', 'prune: { method: KEY }\nscore:', true],
  ['score:', 'prune: { structure: KEY }\nscore:', true],
  ['score:', 'evaluate: { tasks: [KEY] }\nscore:', true],
  ['score:', 'validate: { protocols: [KEY] }\nscore:', true],
  ['score:', 'validate: { retrain: { optimizer: KEY } }\nscore:', true],
  ['score:', 'train_experts: { schedule: KEY }\nscore:', true],
  ['path: data/capitals.jsonl', 'path: data/capitals.KEY', true],
  ['path: data/capitals.jsonl', 'path: data/capitals.jsonl\n    ds_type: KEY', true],
  ['path: data/capitals.jsonl', 'path: data/capitals.jsonl\n    KEY: 1', true],
  ['path: data/capitals.jsonl', 'path: data/capitals.jsonl\n    split_column: KEY', true],
  ['path: data/capitals.jsonl', 'path: data/capitals.jsonl\n    field_mapping: { capital: KEY }', true],
  ['path: data/capitals.jsonl', 'path: data/capitals.jsonl\n    field_mapping: { KEY: capital }', false],
  ['path: ./model', 'path: ./KEY', true],
  ['dataset: capitals', 'dataset: KEY', true],
  ['  - task: capital', '  - task: KEY', false],
  ['  capitals:\n    path', '  KEY:\n    path', true],
  ['output_type: loglikelihood', 'output_type: KEY', true],
  ['output_type: loglikelihood', 'metric_list: [{ metric: KEY }]', false],
  ['output_type: loglikelihood', 'num_fewshot: 1\n    fewshot_config: { sampler: KEY }', true],
  ['doc_to_target: capital', 'doc_to_target: KEY', true],
  ['doc_to_text: "The capital', 'doc_to_text: "{{KEY}}The capital', true],
  ['doc_to_text: "The capital', 'doc_to_text: "{{country | KEY}}The capital', true],
  ['doc_to_text: "The capital', 'doc_to_text: "{{country.KEY}}The capital', true],
  ['doc_to_text: "The capital', 'doc_to_text: "{{country.KEY()}}The capital', true],
  ['doc_to_text: "The capital', "doc_to_text: \"{{country['KEY']}}The capital", true],
  ['doc_to_text: "The capital', 'doc_to_text: "{% if country is KEY %}x{% endif %}The capital', true],
  ['doc_to_text: "The capital', 'doc_to_text: "{{KEY(country)}}The capital', true],
  ['dataset: capitals\n    training_split: train', 'dataset: capitals\n    training_split: KEY', true],
];

test('every place of an experiment that takes a name', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const sound = fs.readFileSync(experiment, 'utf8');
  assert.deepEqual((await checkExperiment(experiment, sound)).problems, []);
  for (const [from, to, wrong] of places) {
    assert.ok(sound.includes(from), from);
    for (const name of names) {
      const where = to.replaceAll('KEY', name);
      const { problems } = await checkExperiment(experiment, sound.replace(from, where));
      for (const { message } of problems) assertOurs(message, where);
      // A name that is only unusual stays one; one that nothing has is refused. An undefined value is Jinja's empty
      // text.
      const refused = problems.some(({ severity }) => severity === 'error');
      if (!/\{\{/.test(to)) assert.equal(refused, wrong, `${where}: ${JSON.stringify(problems)}`);
    }
  }
});

/** Words of the command line; FILE is a result, ALLOCATIONS a file of allocations, EXPERIMENT an experiment. */
const lines = [
  'KEY',
  'score EXPERIMENT --KEY',
  'score EXPERIMENT --task KEY',
  'score EXPERIMENT --device KEY',
  'score EXPERIMENT --only KEY',
  'score EXPERIMENT --set KEY.KEY=1',
  'list KEY',
  'inspect KEY',
  'check KEY',
  'allocate FILE --kind KEY',
  'allocate FILE --rule KEY',
  'allocate FILE --by KEY',
  'allocate FILE --task KEY',
  'allocate FILE --aggregation KEY',
  'export FILE --to KEY',
  'export FILE --to peft --kind KEY',
  'export ALLOCATIONS --to peft --kind KEY',
  'compare FILE FILE --estimator KEY',
  'damping FILE --estimator KEY',
  'damping FILE --task KEY',
  'prune EXPERIMENT --method KEY',
  'prune EXPERIMENT --map KEY',
  'prune EXPERIMENT --structure KEY',
  'evaluate EXPERIMENT --task KEY',
  'validate EXPERIMENT --protocol KEY',
  'prune-and-compare EXPERIMENT --method KEY',
  'tokens FILE --validation 0 --task KEY',
];

test('every name on the command line', async (t) => {
  const { experiment, folder } = tinyWorkspace(t);
  const files = ['tiny.layerif-result.json', 'tiny.layerif-allocation.json', 'grams.safetensors'];
  for (const file of files) fs.copyFileSync(path.join(golden, file), path.join(folder, file));
  for (const line of lines)
    for (const name of names) {
      const words = line
        .replaceAll('KEY', name)
        .replaceAll('FILE', files[0])
        .replaceAll('ALLOCATIONS', files[1])
        .replaceAll('EXPERIMENT', path.basename(experiment))
        .split(' ');
      let said = '';
      const code = await runCommandLine(words, {
        out: () => undefined,
        err: (text) => void (said += text),
        fitted: false,
        columns: 100,
        interactive: false,
        baseDir: folder,
        signal: new AbortController().signal,
      });
      assertOurs(said, words.join(' '));
      assert.equal(code, 2, `${words.join(' ')}: ${said}`);
      assert.ok(said.includes(name), `${words.join(' ')}: ${said}`);
    }
});

test('the lint rule finds a table that is indexed by any text, and nothing else', async (t) => {
  const place = new URL('../../scripts/lookupRule.mjs', import.meta.url).href;
  const { lookupRule } = (await import(place)) as { lookupRule: Rule.RuleModule };
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-lint-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'a.ts');
  const text = `const table: { [name: string]: number } = { a: 1 };
const ids = ['a', 'b'] as const;
const known: { [name in 'a' | 'b']: number } = { a: 1, b: 2 };
const rows = [1, 2];
export function read(name: string, id: 'a' | 'b', at: number, own: { [name: string]: number }): unknown[] {
  const local = { b: 2 } as { [name: string]: number };
  table[name] = 1;
  return [table[name], name in table, table.a, table['a'], known[id], rows[at], ids[at], own[name], local[name]];
}
`;
  fs.writeFileSync(file, text);
  const program = ts.createProgram([file], { noLib: true, types: [], strict: true });
  const messages = new Linter({ cwd: folder }).verify(
    text,
    {
      files: ['**/*.ts'],
      languageOptions: { parser: tseslint.parser, parserOptions: { programs: [program] } },
      plugins: { layerif: { rules: { lookup: lookupRule } } },
      rules: { 'layerif/lookup': 'error' },
    },
    { filename: file },
  );
  assert.deepEqual(
    messages.map(({ ruleId, line, column }) => [ruleId, line, column]),
    [
      ['layerif/lookup', 8, 11],
      ['layerif/lookup', 8, 24],
    ],
  );
});
