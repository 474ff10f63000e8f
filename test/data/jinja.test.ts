import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { literalList } from '../../server/src/data/jinja/literal.ts';
import { UnknownName } from '../../server/src/data/jinja/objects.ts';
import { compileTemplate } from '../../server/src/data/jinja/template.ts';
import { pythonText } from '../../server/src/data/jinja/text.ts';
import { parseJson } from '../../server/src/data/readers/jsonText.ts';
import { readRows } from '../../server/src/data/formats.ts';
import { collect } from './files.ts';

interface Case {
  template: string;
  columns: Record<string, unknown>;
  rendered?: string;
  error?: string;
}

const path = join(import.meta.dirname, '../reference/data/templates.json');

test('templates render as with Jinja2 in the set-up of lm-evaluation-harness', () => {
  const cases = JSON.parse(readFileSync(path, 'utf8')) as Case[];
  assert.ok(cases.length > 50);
  for (const { template, columns, rendered, error } of cases) {
    if (error !== undefined) assert.throws(() => compileTemplate(template).render(columns), Error, template);
    else assert.equal(compileTemplate(template).render(columns), rendered, template);
  }
});

interface Table {
  columns: Record<string, unknown>;
  rows: [template: string, text: string | null][];
}

/** What Jinja renders and this program refuses by name: with what the message says. */
const refused: [template: RegExp, message: RegExp][] = [
  [/\|random/, /filter random is not run here: .* at column \d+$/],
  [/autoescape/, /unknown tag \{% autoescape %\}/],
  [/__class__/, /there is no .*__class__$/],
];

test('every expression of the table renders as with Jinja 3.1, or is refused', () => {
  const source = readFileSync(join(import.meta.dirname, '../reference/data/jinja.json'), 'utf8');
  const { columns, rows } = parseJson(source) as Table;
  assert.ok(rows.length > 700);
  const wrong: unknown[] = [];
  for (const [template, text] of rows) {
    try {
      const found = compileTemplate(template).render(columns);
      if (found !== text) wrong.push([template, text, found]);
    } catch (error) {
      const refusal = refused.find(([which]) => which.test(template));
      if (text !== null && !refusal?.[1].test((error as Error).message))
        wrong.push([template, text, (error as Error).message]);
    }
  }
  assert.deepEqual(wrong, []);
});

test('an unknown name is told by name, whatever the depth', () => {
  for (const template of [
    '{{ a ~ missing }}',
    '{% for x in [1] %}{{ missing }}{% endfor %}',
    '{{ a[missing] }}',
    '{{ missing.find("x") }}',
  ]) {
    assert.throws(
      () => compileTemplate(template).render({ a: 'x' }),
      (error) => error instanceof UnknownName && error.unknown === 'missing',
      template,
    );
  }
  assert.throws(() => compileTemplate('{{ a.b.c }}').render({ a: { b: {} } }), /there is no a\.b\.c$/);
  assert.throws(() => compileTemplate('{{ a[3] }}').render({ a: [1] }), /there is no a\[3\]$/);
});

test('names that a template reads', () => {
  const source =
    "{% set x = first.a %}{% for i, y in pairs %}{{ i }}{{ y | join(sep) }}{{ loop.index }}{% endfor %}{{ x if t is defined else u['k'] }}{% macro m(p) %}{{ p }}{{ q }}{% endmacro %}{{ range(3) }}";
  assert.deepEqual(compileTemplate(source).names.sort(), ['first', 'pairs', 'q', 'sep', 't', 'u']);
});

test('a template is data: prototypes, files, clock and host objects are out of reach', () => {
  for (const template of [
    '{{ "".constructor }}',
    '{{ a.__proto__ }}',
    '{{ a.constructor.constructor("return process")() }}',
    '{{ process }}',
    '{{ strftime_now("%Y") }}',
    '{{ [].__class__ }}',
    '{{ range(100000000) }}',
  ]) {
    assert.throws(() => compileTemplate(template).render({ a: { b: 1 } }), Error, template);
  }
  for (const template of ['{% include "/etc/passwd" %}', '{% import "x" as y %}']) {
    assert.throws(() => compileTemplate(template).render({}), Error, template);
  }
});

test('columns may be called like built-in names, or like properties of every object', () => {
  const columns = { range: 'r', namespace: 'n', true: 't', loop: 'l', constructor: 'c' };
  assert.equal(compileTemplate('{{ range }}{{ namespace }}{{ loop }}{{ constructor }}').render(columns), 'rnlc');
});

test('rendered list literals', () => {
  assert.deepEqual(literalList(`['no', "it's", 3]`), ['no', "it's", 3]);
  assert.deepEqual(literalList(`["a \\" b", '\\n']`), ['a " b', '\n']);
  for (const text of ['no list', '[a]', "[f('x')]", '[1', "['a'] + ['b']", "['a']}}{{x"])
    assert.equal(literalList(text), null, text);
});

test("Python's str", () => {
  const cases: [unknown, string][] = [
    ['x', 'x'],
    [3, '3'],
    [0.5, '0.5'],
    [true, 'True'],
    [null, 'None'],
    [['a', 1, false], "['a', 1, False]"],
    [{ a: ["it's", '"'] }, `{'a': ["it's", '"']}`],
  ];
  for (const [value, text] of cases) assert.equal(pythonText(value), text);
});

test('numbers of Parquet and JSON print as in Python', async () => {
  const folder = join(import.meta.dirname, '../reference/data');
  const expected = JSON.parse(readFileSync(join(folder, 'numbers.json'), 'utf8')) as string[];
  const rows = await collect(readRows({ path: join(folder, 'numbers.parquet'), format: 'parquet' }));
  assert.deepEqual(
    rows.map(({ values }) => pythonText(values)),
    expected,
  );
  // Python's json.loads and str.
  for (const [source, printed] of [
    [
      '[3.0, 3, -0.0, 1e3, 1E-7, 0.10, 1e16, 100000000000000000000]',
      '[3.0, 3, -0.0, 1000.0, 1e-07, 0.1, 1e+16, 100000000000000000000]',
    ],
    [
      '[9007199254740993, -9007199254740993, 9007199254740993.0]',
      '[9007199254740993, -9007199254740993, 9007199254740992.0]',
    ],
    ['{"a": "3.0", "b": "NaN, 1.0"}', "{'a': '3.0', 'b': 'NaN, 1.0'}"],
    ['[NaN, -Infinity, Infinity, 1e999]', '[nan, -inf, inf, inf]'],
    ['{"layerif:": 1.0, "x": "layerif:0"}', "{'layerif:': 1.0, 'x': 'layerif:0'}"],
  ])
    assert.equal(pythonText(parseJson(source)), printed);
});
