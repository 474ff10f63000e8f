/** A template that asks for more than a rendering may take is refused in a sentence; one that is large is rendered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTemplate } from '../../server/src/data/jinja/template.ts';
import { wideningTemplates } from './wideningTemplates.ts';

const rendered = (template: string): string => compileTemplate(template).render({});

test('what asks for more text, elements or work than there is is refused', () => {
  const wrong: unknown[] = [];
  for (const [template, refusal] of wideningTemplates) {
    let said: string;
    try {
      said = `renders ${rendered(template).length} characters`;
    } catch (error) {
      said = (error as Error).message;
    }
    if (!refusal.test(said)) wrong.push([template, said.slice(0, 200)]);
  }
  assert.deepEqual(wrong, []);
});

test('a limit is no failure that a filter has another value for', () => {
  assert.throws(() => rendered("{{ ('1' * 200000)|float(7) }}"), /at most 100000 are computed with/);
  assert.throws(() => rendered("{{ ('1' * 200000)|int(7) }}"), /at most 100000 are computed with/);
});

/** Values of Jinja 3.1.6 on CPython 3.12. */
const asJinja: readonly [template: string, text: string][] = [
  ["{{ 'a'.center(200001)|length }} {{ ('a'|center(200001))|length }}", '200001 200001'],
  [
    "{{ 'a'.ljust(200000)|length }} {{ 'a'.rjust(200000)|length }} {{ '-1'.zfill(200000)|length }}",
    '200000 200000 200000',
  ],
  ["{{ 'x'|indent(20000, true)|length }}", '20001'],
  ["{{ ('%200000d' % 1)|length }} {{ '{:>200000}'.format(1)|length }}", '200000 200000'],
  ["{{ '{:,}'.format(1234567) }} {{ '{:,}'.format(123) }} {{ '{:_x}'.format(1048575) }}", '1,234,567 123 f_ffff'],
  [
    "{{ '{:012,}'.format(1234) }} {{ '{:013,}'.format(1234) }} {{ '{:010,}'.format(-1234.5) }}",
    '0,000,001,234 0,000,001,234 -001,234.5',
  ],
  [
    "{{ 'abc'|batch(0)|list }} {{ 'abc'|batch(-1)|list }} {{ []|batch(0)|list }}",
    "[[], ['a', 'b', 'c']] [['a', 'b', 'c']] []",
  ],
  ["{{ 'abcd'|batch(3, 'x')|list }}", "[['a', 'b', 'c'], ['d', 'x', 'x']]"],
  ['{{ 15|round(-3) }} {{ 15|round(-(10**8)) }} {{ 95|round(-2) }} {{ 0|round(-1) }}', '0 0 100 0'],
  ["{{ ('9' * 5000)|int }} {{ ('9' * 5000)|int(7) }} {{ ('f' * 5000)|int(0, 16) > 1 }}", '0 7 True'],
  ['{{ 1 ** (10**15) }} {{ 0 ** (10**15) }} {{ (-1) ** (10**15) }}', '1 0 1'],
  [
    "{{ ['b', 'a', '\\uffff', '\\U0001F600', 'ab', 'a\\U0001F600', '']|sort }}",
    "['', 'a', 'ab', 'a\u{1F600}', 'b', '\\uffff', '\u{1F600}']",
  ],
  ["{{ '<b>x</b> <!-- <i> --> y <!-- z'|striptags }} {{ 'a <!--> b'|striptags }}", 'x y <!-- z a <!--> b'],
  ["{{ 'é ü/&'|urlencode }} {{ {'a b': 'é/'}|urlencode }}", '%C3%A9%20%C3%BC/%26 a+b=%C3%A9%2F'],
  ["{{ 'aaa'.replace('a', 'b', 2) }} {{ 'ab'.replace('', '-') }} {{ 'ab'.replace('', '-', 2) }}", 'bba -a-b- -a-b'],
  ["{{ '%5.d|%5.2d|%.f' % (3, 3, 2.5) }}", '    3|   03|2'],
];

test('what is large, and what stands at the edge, renders as with Jinja', () => {
  for (const [template, text] of asJinja) assert.equal(rendered(template), text, template);
});

test('what Python refuses is refused', () => {
  assert.throws(() => rendered("{{ 'a'.center(9, 'xy') }}"), /The fill character must be exactly one character long/);
  assert.throws(() => rendered("{{ '%c' % 1114112 }}"), /%c arg not in range\(0x110000\)/);
});
