/** Where a text stops to be JSON: what is wrong by hand, and that the scanner agrees with JSON.parse on any text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonFault, NotJson, parsedJson } from '../../server/src/text/jsonFault.ts';
import { ourWords } from '../../server/src/text/languageErrors.ts';

test('what is wrong, with line and column', () => {
  const rows: [text: string, line: number, column: number, what: string][] = [
    ['', 1, 1, 'it is empty'],
    [' \n', 2, 1, 'it ends before its value is complete: it is cut off'],
    ['{"a": 1,\n "b', 2, 4, 'it ends before its value is complete: it is cut off'],
    ['{"a":\r\n', 2, 1, 'it ends before its value is complete: it is cut off'],
    ['<!DOCTYPE html>', 1, 1, '"<" stands where a value is expected'],
    ['{"a": 1,}', 1, 9, '"}" stands where a name in double quotes is expected'],
    ["{'a': 1}", 1, 2, `"'" stands where a name in double quotes or } is expected`],
    ['{"a" 1}', 1, 6, '"1" stands where a colon is expected'],
    ['[1 2]', 1, 4, '"2" stands where a comma or ] is expected'],
    ['{"a": 1 "b": 2}', 1, 9, '"\\"" stands where a comma or } is expected'],
    ['[1,\n\n  True]', 3, 3, '"True" stands where a value is expected'],
    ['[01]', 1, 2, '"01" stands where a value or ] is expected'],
    ['{} {}', 1, 4, '"{" stands where the end of the text is expected'],
    [
      '["a\nb"]',
      1,
      2,
      'a text that is not closed, or with a line break or a wrong escape in it, stands where a value or ] is expected',
    ],
    ['[1]]', 1, 4, '"]" stands where the end of the text is expected'],
  ];
  for (const [text, line, column, what] of rows) assert.deepEqual(jsonFault(text), { line, column, what }, text);
});

test('a fault is found where JSON.parse finds one, and nowhere else', () => {
  const piece = fc.constantFrom(
    ...'{}[],:"\\ \n\t01-.eE+tfn\u0001\u007f',
    'true',
    'null',
    '"a"',
    '"\\u00e9"',
    '12.5e-3',
    '"a":',
  );
  const damaged = fc.tuple(fc.json(), fc.nat(), fc.nat(3), piece).map(([text, at, cut, by]) => {
    const from = at % (text.length + 1);
    return text.slice(0, from) + by + text.slice(from + cut);
  });
  const mixed = fc.array(piece, { maxLength: 12 }).map((list) => list.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.json(), damaged, mixed), (text) => {
      const fault = jsonFault(text);
      let parsed = true;
      try {
        JSON.parse(text);
      } catch {
        parsed = false;
      }
      assert.equal(fault === null, parsed, `${JSON.stringify(text)}: ${JSON.stringify(fault)}`);
    }),
    { seed: 3, numRuns: 2000 },
  );
});

test('an error of parsing holds no words of the parser', () => {
  assert.deepEqual(parsedJson('{"a": [1]}'), { a: [1] });
  assert.throws(
    () => parsedJson('{"a": }'),
    (error) => {
      assert.ok(error instanceof NotJson && error instanceof SyntaxError);
      assert.equal(error.message, 'line 1, column 7: "}" stands where a value is expected');
      assert.equal(ourWords(error), error.message);
      assert.match((error.cause as Error).message, /JSON/);
      return true;
    },
  );
});

test("the language's own errors are said in words about the file", () => {
  const said = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      return ourWords(error as Error);
    }
    return 'nothing';
  };
  const nothing = null as unknown as { a: number };
  const other = 'a part of it is missing or of another type than belongs there';
  assert.equal(
    said(() => nothing.a),
    other,
  );
  assert.equal(
    said(() => [...(3 as unknown as number[])]),
    other,
  );
  assert.equal(
    said(() => new DataView(new ArrayBuffer(2)).getInt32(0)),
    'it ends too early, or a length in it is wrong',
  );
  assert.equal(
    said(() => new RegExp(['('].join(''))),
    'a regular expression in it is not valid',
  );
  assert.equal(
    said(() => 'a'.repeat(2 ** 30)),
    'it makes a text longer than this program can hold',
  );
  assert.equal(
    said(() => assert.fail('of ours')),
    'of ours',
  );
});

test('a large text whose brackets stand too deep is refused before it is parsed', () => {
  const long = `"${'x['.repeat(600_000)}\\""`;
  assert.equal(JSON.stringify(parsedJson(`[${long}]`)), `[${long}]`);
  assert.throws(() => parsedJson(`{"a": ${long}, "b":\n${'[{"c":'.repeat(501)}`), {
    message: 'line 2, column 2996: more than 1000 lists and objects stand within each other',
  });
});
