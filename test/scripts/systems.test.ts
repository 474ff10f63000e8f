/** Experiments of the systems beside LayerIF: each is valid and has a row; verdicts follow from the committed runs. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { against, systems, systemsPage } from '../../scripts/systemClaims.mjs';
import { parseExperiment } from '../../server/src/config/experiment.ts';

const folder = fileURLToPath(new URL('../../examples/systems/', import.meta.url));

test('every experiment is valid and belongs to a system', () => {
  const files = fs.readdirSync(folder).filter((name) => name.endsWith('.layerif.yaml'));
  const named = systems.flatMap(({ experiments }) => experiments.map((name) => `${name}.layerif.yaml`));
  assert.deepEqual([...named].sort(), files.sort());
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
