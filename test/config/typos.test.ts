/** Whatever key is misspelt by one slip, it is reported at that key with what was meant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { distance } from 'fastest-levenshtein';
import { isMap, isScalar, parseDocument, visit } from 'yaml';
import { parseExperiment } from '../../server/src/config/experiment.ts';
import { knownKeys, schemaAt } from '../../server/src/config/jsonSchema.ts';
import { full, small } from './files.ts';

interface Key {
  text: string;
  name: string;
  start: number;
  siblings: string[];
}

/** Keys whose names are given by the schema; names of datasets, mapped columns and splits are free. */
function keysOf(text: string): Key[] {
  const keys: Key[] = [];
  visit(parseDocument(text), {
    Pair: (_, pair, ancestors) => {
      const path = ancestors.flatMap((node, i): (string | number)[] => {
        const next = ancestors[i + 1] ?? pair;
        if (node && typeof node === 'object' && 'key' in node && isScalar(node.key)) return [String(node.key.value)];
        if (node && typeof node === 'object' && 'items' in node && !isMap(node)) return [node.items.indexOf(next)];
        return [];
      });
      const parent = schemaAt(path);
      if (!isScalar(pair.key) || !parent) return;
      const siblings = knownKeys(parent);
      const name = String(pair.key.value);
      if (siblings.includes(name)) keys.push({ text, name, start: pair.key.range![0], siblings });
    },
  });
  return keys;
}

const slips: Record<string, (word: string, at: number, letter: string) => string> = {
  omission: (word, at) => word.slice(0, at) + word.slice(at + 1),
  doubling: (word, at) => word.slice(0, at + 1) + word.slice(at),
  insertion: (word, at, letter) => word.slice(0, at) + letter + word.slice(at),
  substitution: (word, at, letter) => word.slice(0, at) + letter + word.slice(at + 1),
  swap: (word, at) => word.slice(0, at) + (word[at + 1] ?? '') + word[at] + word.slice(at + 2),
};

test('a misspelt key is found and the right one is suggested', () => {
  const keys = [...keysOf(small), ...keysOf(full)];
  assert.ok(keys.length > 60, `only ${keys.length} keys`);
  const slip = fc.record({
    key: fc.constantFrom(...keys),
    kind: fc.constantFrom(...Object.keys(slips)),
    at: fc.nat(),
    letter: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz'),
  });
  fc.assert(
    fc.property(slip, ({ key, kind, at, letter }) => {
      const typo = slips[kind](key.name, at % key.name.length, letter);
      fc.pre(typo !== '' && !key.siblings.includes(typo));
      const text = key.text.slice(0, key.start) + typo + key.text.slice(key.start + key.name.length);
      const { experiment, problems } = parseExperiment(text, 'x.layerif.yaml');
      const before = key.text.slice(0, key.start).split('\n');
      const [line, column] = [before.length, before.at(-1)!.length + 1];
      const found = problems.find((problem) => problem.line === line && problem.message.includes(JSON.stringify(typo)));
      assert.ok(found, `${typo} for ${key.name}: ${JSON.stringify(problems)}`);
      assert.equal(experiment, null);
      assert.equal(found.column, column);
      assert.equal(found.endColumn, column + typo.length);
      const meant = /did you mean "(.*)"\?$/.exec(found.message)?.[1];
      assert.ok(meant !== undefined, `no suggestion: ${found.message}`);
      // Another key may be as near as the one that was meant ("test_split" and "text_split"), never nearer.
      assert.ok(
        meant === key.name || distance(typo, meant) <= distance(typo, key.name),
        `${typo}: ${meant} for ${key.name}`,
      );
    }),
    { numRuns: 1500, seed: 1 },
  );
});
