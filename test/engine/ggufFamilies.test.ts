/**
 * A GGUF file of every architecture, as llama.cpp's converter writes it, is the model that it was made from: the same
 * tensors bit for bit, the same modules, the same losses and per-sample gradients (test/reference/gguf_families).
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { architectures } from '../../server/src/checkpoints/ggufArchitectures.ts';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { architectureOf, families } from '../../server/src/models/families.ts';
import { folder } from '../data/files.ts';
import { casesFolder, gradients, norm, relativeError, samplesOf } from './reference.ts';
import type { Options } from './reference.ts';

interface Case {
  file: string;
  source: string;
  overrides: Record<string, unknown>;
}

const here = path.join(casesFolder, 'gguf_families');
const cases = JSON.parse(fs.readFileSync(path.join(here, 'cases.json'), 'utf8')) as Case[];
const alone: Options = { groups: [[0], [1], [2]], segmentLength: 1, weights: 'resident' };

/** Published GPT-2 files lack the prefix, and hold masks. */
const whole = (name: string) => (/^(h|wte|wpe|ln_f)\./.test(name) ? `transformer.${name}` : name);
const isMask = (name: string) => /\.attn\.bias$/.test(name);
/** 1 + w is stored: what it rounded away, at most half a unit of the last place below 4, is lost. */
const tolerance = (file: string, name: string) =>
  file.startsWith('gemma') && name.endsWith('norm.weight') ? 2 ** -22 : 0;

const reached = new Set<string>();

for (const { file, source, overrides } of cases) {
  test(`${file} is ${source}`, async (t) => {
    const original = folder(t, {});
    for (const name of fs.readdirSync(path.join(casesFolder, source)))
      if (name !== 'config.json') fs.copyFileSync(path.join(casesFolder, source, name), path.join(original, name));
    const text = fs.readFileSync(path.join(casesFolder, source, 'config.json'), 'utf8');
    const config = { ...(JSON.parse(text) as Record<string, unknown>), ...overrides };
    fs.writeFileSync(path.join(original, 'config.json'), JSON.stringify(config));

    const gguf = openCheckpoint(path.join(here, file));
    const folderCheckpoint = openCheckpoint(original);
    const names = [...folderCheckpoint.tensors.keys()].filter((name) => !isMask(name));
    assert.deepEqual([...gguf.tensors.keys()].sort(), names.map(whole).sort());
    for (const name of names) {
      const stored = gguf.read(whole(name));
      const right = folderCheckpoint.read(name);
      assert.deepEqual(gguf.tensors.get(whole(name))!.shape, folderCheckpoint.tensors.get(name)!.shape, name);
      const allowed = tolerance(file, name);
      if (allowed === 0) assert.deepEqual(stored, right, name);
      else
        assert.ok(
          right.every((value, i) => Math.abs(value - stored[i]) <= allowed),
          name,
        );
    }

    const ours = architectureOf(gguf.config, gguf.tensors);
    const theirs = architectureOf(folderCheckpoint.config, folderCheckpoint.tensors);
    reached.add(ours.family);
    assert.equal(ours.family, theirs.family);
    for (let layer = 0; layer < theirs.layers; layer++) assert.deepEqual(ours.modules(layer), theirs.modules(layer));

    const samples = samplesOf(source);
    const expected = await gradients(original, samples, alone);
    const actual = await gradients(path.join(here, file), samples, alone);
    const exact = names.every((name) => tolerance(file, name) === 0);
    const close = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.abs(b);
    assert.ok(actual.loss.every((loss, i) => (exact ? loss === expected.loss[i] : close(loss, expected.loss[i]))));
    assert.deepEqual([...actual.gradient.keys()], [...expected.gradient.keys()]);
    for (const [key, gradient] of actual.gradient) {
      const right = expected.gradient.get(key)!;
      if (exact) assert.deepEqual(gradient, right, key);
      else if (norm(right) > 0) assert.ok(relativeError(gradient, right) <= 1e-5, key);
    }
  });
}

test('every family that llama.cpp converts has a case, every architecture of the table too', () => {
  const notConverted = ['mistral', 'opt']; // Mistral is architecture llama (ggufCheckpoint.test.ts), OPT has none
  assert.deepEqual(
    families.map(({ id }) => id).filter((id) => !reached.has(id)),
    notConverted,
  );
  const ids = new Set(cases.map(({ file }) => file.replace(/(_.*)?\.gguf$/, '')));
  assert.deepEqual(
    [...new Set(architectures.map(({ id }) => id))].filter((id) => !ids.has(id)),
    [],
  );
});
