/** Attention heads: their Grams add up to the module's, since a head is some rows or columns of its matrix. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { headBlocks } from '../../server/src/run/inputs/units.ts';
import { rescore } from '../../server/src/run/influence/rescore.ts';
import { score, tinyWorkspace } from './workspace.ts';

test("the heads' Grams add up to those of their module; the layer keeps its dot score", async (t) => {
  const { experiment, edit } = tinyWorkspace(t, { estimator: 'dot' });
  const whole = await score(experiment, { tasks: ['sentiment'] });
  edit('  estimator: dot\n', '  estimator: dot\n  granularity: head\n');
  const split = await score(experiment, { tasks: ['sentiment'] });

  const heads = (name: string, count: number) => Array.from({ length: count }, (_, i) => `self_attn.${name}.head.${i}`);
  const attention = [...heads('q_proj', 4), ...heads('k_proj', 2), ...heads('v_proj', 2), ...heads('o_proj', 4)];
  assert.deepEqual(split.result.model.modules, [...attention, 'mlp.gate_proj', 'mlp.up_proj', 'mlp.down_proj']);
  assert.equal(split.result.model.coverage, whole.result.model.coverage);
  assert.equal(split.result.model.scoredParameters, whole.result.model.scoredParameters);

  const grams = [whole, split].map(({ resultFile }) =>
    readSafetensors(path.join(path.dirname(resultFile), 'grams.safetensors')),
  );
  const value = (of: number, name: string) => grams[of].tensor(`sentiment/1.${name}`) as Float64Array;
  for (const module of whole.result.model.modules) {
    const parts = split.result.model.modules.filter((name) => name === module || name.startsWith(`${module}.head.`));
    for (const gram of ['K', 'C', 'diagV', 'parameters']) {
      const expected = value(0, `${module}.${gram}`);
      const largest = Math.max(...expected.map(Math.abs));
      expected.forEach((number, i) => {
        const sum = parts.reduce((total, part) => total + value(1, `${part}.${gram}`)[i], 0);
        assert.ok(Math.abs(sum - number) < 1e-5 * largest, `${module}.${gram}[${i}]: ${sum}, expected ${number}`);
      });
    }
  }
  split.result.tasks[0].layers.forEach((layer, row) => {
    const expected = whole.result.tasks[0].layers[row];
    assert.ok(Math.abs(layer.sum - expected.sum) < 1e-5 * expected.positive);
    assert.deepEqual(Object.keys(layer.modules), split.result.model.modules);
  });

  // Every head has its own damping, from its own gradients.
  const { tasks } = await rescore(split.resultFile, { estimator: 'datainf' });
  assert.equal(tasks[0].damping[0].length, split.result.model.modules.length);
  assert.equal(new Set(tasks[0].damping[0]).size, split.result.model.modules.length);
});

test('EK-FAC of heads', async (t) => {
  const { experiment, edit } = tinyWorkspace(t, { estimator: 'ekfac' });
  edit(
    '  estimator: ekfac\n',
    '  estimator: ekfac\n  fisher: empirical\n  granularity: head\n  modules: [self_attn.o_proj]\n',
  );
  const { result } = await score(experiment, { tasks: ['sentiment'] });
  assert.equal(result.model.modules.length, 4);
  for (const { modules } of result.tasks[0].layers) assert.ok(Object.values(modules).every((m) => m.score > 0));
});

test('layouts: fused queries, keys and values, matrices without heads', () => {
  const blocksOf = (modules: { name: string; rows: number; columns: number }[], heads: number) => {
    const model = { heads, modules: () => modules };
    const scope = { layers: [0], modules: modules.map(({ name }) => name) };
    const experiment = { score: { granularity: 'head' } };
    return headBlocks({ experiment, model, scope } as unknown as Parameters<typeof headBlocks>[0])!.map(
      ({ name, side, first, last }) => `${name} ${side} ${first}-${last}`,
    );
  };
  // Phi-3: four query heads and two key-value heads of two.
  assert.deepEqual(
    blocksOf(
      [
        { name: 'self_attn.qkv_proj', rows: 16, columns: 8 },
        { name: 'self_attn.o_proj', rows: 8, columns: 8 },
      ],
      4,
    ),
    [
      'self_attn.qkv_proj.q.head.0 rows 0-2',
      'self_attn.qkv_proj.q.head.1 rows 2-4',
      'self_attn.qkv_proj.q.head.2 rows 4-6',
      'self_attn.qkv_proj.q.head.3 rows 6-8',
      'self_attn.qkv_proj.k.head.0 rows 8-10',
      'self_attn.qkv_proj.k.head.1 rows 10-12',
      'self_attn.qkv_proj.v.head.0 rows 12-14',
      'self_attn.qkv_proj.v.head.1 rows 14-16',
      'self_attn.o_proj.head.0 columns 0-2',
      'self_attn.o_proj.head.1 columns 2-4',
      'self_attn.o_proj.head.2 columns 4-6',
      'self_attn.o_proj.head.3 columns 6-8',
    ],
  );
  const gpt2 = blocksOf(
    [
      { name: 'attn.c_attn', rows: 12, columns: 4 },
      { name: 'attn.c_proj', rows: 4, columns: 4 },
      { name: 'mlp.c_proj', rows: 4, columns: 16 },
    ],
    2,
  );
  assert.equal(gpt2.length, 6 + 2);
  assert.ok(gpt2.includes('attn.c_attn.v.head.1 rows 10-12') && !gpt2.some((name) => name.startsWith('mlp')));
  assert.throws(
    () => blocksOf([{ name: 'mlp.up_proj', rows: 8, columns: 4 }], 2),
    /none of the scored modules mlp\.up_proj/,
  );
});

test('heads are refused where they cannot be cut out', async (t) => {
  const { experiment, edit } = tinyWorkspace(t);
  edit('  estimator: datainf\n', '  estimator: datainf\n  granularity: head\n  projection: 8\n');
  await assert.rejects(score(experiment), /granularity head needs exact gradients/);
});
