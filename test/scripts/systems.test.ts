/** Experiments of the systems beside LayerIF: each is valid and has a row; verdicts follow from the committed runs. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { against, fileOf, systems, systemsPage } from '../../scripts/systemClaims.mjs';
import { knownModels } from '../../server/src/planning/knownModels.ts';
import { parseExperiment } from '../../server/src/config/experiment.ts';

const folder = fileURLToPath(new URL('../../examples/systems/', import.meta.url));

test('every experiment is valid and belongs to a system', () => {
  const files = fs.readdirSync(folder).filter((name) => name.endsWith('.layerif.yaml'));
  const named = systems.flatMap(({ experiments }) => experiments.map(fileOf));
  assert.deepEqual([...named].sort(), [...files, 'performance-law.csv'].sort());
  for (const name of files) {
    const text = fs.readFileSync(`${folder}${name}`, 'utf8');
    assert.deepEqual(
      parseExperiment(text, `${folder}${name}`).problems.map(({ message }) => message),
      [],
      name,
    );
    assert.match(text, /^# .*arXiv/, name);
  }
});

test('a verdict follows from the interval; what cannot be told names the n that would', () => {
  const words = { below: 'b', above: 'a', between: 'open' };
  assert.deepEqual(against(1, [0.5, 1.5], 2, 10, words), { verdict: 'holds', because: 'b' });
  assert.deepEqual(against(3, [2.5, 3.5], 2, 10, words), { verdict: 'does not hold', because: 'a' });
  // Half a width of 1 and a distance of 0.5: four times as many texts.
  assert.deepEqual(against(1.5, [0.5, 2.5], 2, 10, words), {
    verdict: 'cannot be told',
    because: 'open; n = 40 would tell a difference of this size',
  });
});

test('the page names every measured system with claim, value and verdict', () => {
  const results = JSON.parse(fs.readFileSync(`${folder}results.json`, 'utf8')) as Parameters<typeof systemsPage>[0];
  const page = systemsPage(results);
  for (const { id, title } of systems) {
    if (!results.systems[id]) continue;
    assert.ok(page.includes(`### ${title}`), title);
    for (const { claim, because } of results.systems[id].claims) {
      assert.ok(page.includes(claim) && page.includes(because), claim);
    }
  }
});

test('the models of the table are those of the error band', () => {
  const [head, ...lines] = fs.readFileSync(`${folder}performance-law.csv`, 'utf8').trim().split('\n');
  assert.equal(head, 'model,layers,hidden,ffn,parameters,tokens,published');
  const size = (word: string, of: 'B' | 'T') => {
    const scale = { M: 1e6, B: 1e9, T: 1e12 }[word.at(-1) as 'M' | 'B' | 'T'];
    return (Number(word.slice(0, -1)) * scale) / { B: 1e9, T: 1e12 }[of];
  };
  assert.deepEqual(
    lines.map((line) => {
      const [name, layers, hidden, ffn, parameters, tokens, published] = line.split(',');
      return {
        name,
        layers: Number(layers),
        hidden: Number(hidden),
        feedForward: Number(ffn),
        tokens: size(tokens, 'T'),
        parameters: size(parameters, 'B'),
        published: Number(published),
      };
    }),
    knownModels,
  );
});
