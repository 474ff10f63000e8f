/**
 * Names that lack the model's first word or have others before it, in every layout of names; and tensors that nothing
 * reads.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { modelNames } from '../../server/src/checkpoints/tensorNames.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { architecture, namedUnread, scopeOf } from '../../server/src/run/inputs/scope.ts';
import { weightBytes } from '../../server/src/run/machine/memory.ts';
import { folder } from '../data/files.ts';
import { casesFolder, gradients, referenceOf, samplesOf } from '../engine/reference.ts';
import { bytesOf, complaint } from './files.ts';
import { copyCase, rawTensors } from './rewrite.ts';
import type { Raw } from './rewrite.ts';

/** One of every way of naming. */
const layouts = [
  'llama/tied',
  'qwen3/tied',
  'mixtral/two_of_four',
  'gpt2/by_layer',
  'gpt_neox/parallel',
  'opt/before',
  'falcon/grouped',
];

/** How others write a name of the causal language model. */
const ways: Record<string, (name: string) => string> = {
  'of torch.compile': (name) => `_orig_mod.${name}`,
  'of torch.compile of each layer': (name) => name.replace(/\.(\d+)\./, '.$1._orig_mod.'),
  'of DistributedDataParallel': (name) => `module.${name}`,
  'of PEFT': (name) => `base_model.model.${name}`,
  'of a model with a value head': (name) => `pretrained_model.${name}`,
  'of a module that holds the model': (name) => `model.${name}`,
  'of two wrappers': (name) => `module._orig_mod.${name}`,
  'of FSDP': (name) =>
    `_fsdp_wrapped_module.${name.replace(/\.(\d+)\./, '.$1._fsdp_wrapped_module._checkpoint_wrapped_module.')}`,
  'of the inner model alone': (name) => (isHead(name) ? name : name.replace(/^(?:model|transformer|gpt_neox)\./, '')),
  'of the inner model below another word': (name) =>
    isHead(name) ? name : name.replace(/^(?:model|transformer|gpt_neox)\./, 'llm.'),
};
const isHead = (name: string): boolean => /^(lm_head|embed_out)\./.test(name);

for (const layout of layouts) {
  test(`${layout}: tensors under the names of wrappers are those of the causal language model`, (t) => {
    const from = path.join(casesFolder, layout);
    const right = openCheckpoint(from);
    const stored = rawTensors(from);
    for (const [way, renamed] of Object.entries(ways)) {
      const opened = openCheckpoint(
        copyCase(
          from,
          folder(t, {}),
          stored.map((raw) => ({ ...raw, name: renamed(raw.name) })),
        ),
      );
      const model = architecture(opened);
      assert.ok(opened.tensors.size === stored.length && scopeOf(opened, model, everything).coverage > 0.99, way);
      assert.deepEqual(namedUnread(opened, model), [], way);
      for (const { name } of stored) {
        // Files of these families' inner models are published, and keep their names.
        const own = way === 'of the inner model alone' && !opened.tensors.has(name) ? renamed(name) : name;
        assert.deepEqual(opened.read(own), right.read(name), `${way}: ${name}`);
      }
    }
  });
}

const everything = { layers: 'all', modules: ['*'] } as const satisfies Parameters<typeof scopeOf>[2];

test('llama/tied without its first word: losses of PyTorch', async (t) => {
  const from = path.join(casesFolder, 'llama/tied');
  const bare = rawTensors(from).map((raw) => ({ ...raw, name: raw.name.replace('model.', '') }));
  const { loss } = await gradients(copyCase(from, folder(t, {}), bare), samplesOf('llama/tied'), {
    groups: [[0], [1], [2]],
    segmentLength: 1,
    weights: 'resident',
  });
  const right = referenceOf('llama/tied').tensor('loss') as Float64Array;
  loss.forEach((value, i) => assert.ok(Math.abs(value - right[i]) < 2e-6 * right[i], `${value} for ${right[i]}`));
});

test('names that need nothing, and names under which no embedding lies, stay', () => {
  const same = (...names: string[]) => assert.deepEqual([...modelNames(names).values()], names);
  same('model.embed_tokens.weight', 'model.layers.0.mlp.up_proj.weight', 'lm_head.weight', 'v_head.summary.weight');
  same('wte.weight', 'h.0.attn.c_attn.weight');
  same('tower.embed_tokens.weight', 'tower.layers.0.mlp.up_proj.weight');
  assert.deepEqual(
    [...modelNames(['embed_tokens.weight', 'norm.weight', 'score.weight', 'layers.1.mlp.up_proj.weight']).values()],
    ['model.embed_tokens.weight', 'model.norm.weight', 'score.weight', 'model.layers.1.mlp.up_proj.weight'],
  );
});

test('what cannot be: an unknown prefix, two tensors of one name, unmerged factors', (t) => {
  const from = path.join(casesFolder, 'llama/tied');
  const stored = rawTensors(from);
  const root = folder(t, {});
  const said = (tensors: Raw[]) =>
    complaint(() => {
      const opened = openCheckpoint(copyCase(from, root, tensors));
      scopeOf(opened, architecture(opened), everything);
    }, root);
  assert.match(
    said(stored.map((raw) => ({ ...raw, name: `tower.${raw.name}` }))),
    /tensor model\.layers\.0\.self_attn\.q_proj\.weight is missing; .*, among them tower\.model\.layers\.0\.self_attn\.q_proj\.weight, whose prefix is not known$/,
  );
  assert.match(
    said([...stored, { ...stored[0], name: `_orig_mod.${stored[0].name}` }]),
    /tensor \S+ stands in it twice, once as _orig_mod\./,
  );
  assert.match(
    said([...stored, { ...stored[0], name: 'base_model.model.model.layers.0.mlp.up_proj.lora_A.weight' }]),
    /holds LoRA factors among its weights \(base_model\.model\.model\.layers\.0\.mlp\.up_proj\.lora_A\.weight\); merge them/,
  );
});

test('tensors that nothing reads: not converted, not counted, listed unless they are well-known constants', async (t) => {
  const from = path.join(casesFolder, 'llama/tied');
  const i64 = (name: string): Raw => ({ name, dtype: 'I64', shape: [1, 2], bytes: bytesOf(BigInt64Array.of(0n, 1n)) });
  const nan = (name: string, ...shape: number[]): Raw => {
    return { name, dtype: 'F32', shape, bytes: bytesOf(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(NaN)) };
  };
  const extra: Raw[] = [
    i64('model.embed_tokens.position_ids'),
    i64('model.layers.0.self_attn.position_ids'),
    nan('model.layers.0.self_attn.rotary_emb.inv_freq', 4),
    { name: 'model.layers.1.self_attn.bias', dtype: 'BOOL', shape: [1, 1, 2, 2], bytes: Uint8Array.of(1, 0, 1, 1) },
    { name: 'model.layers.1.routing_table', dtype: 'BOOL', shape: [2, 2], bytes: Uint8Array.of(1, 0, 1, 1) },
    nan('v_head.summary.weight', 1, 32),
  ];
  const plain = openCheckpoint(from);
  const made = copyCase(from, folder(t, {}), [...rawTensors(from), ...extra]);
  const opened = openCheckpoint(made);
  const model = architecture(opened);
  assert.deepEqual(
    namedUnread(opened, model)
      .map(({ name }) => name)
      .sort(),
    ['model.layers.1.routing_table', 'v_head.summary.weight'],
  );
  assert.deepEqual(scopeOf(opened, model, everything), scopeOf(plain, architecture(plain), everything));
  assert.deepEqual(weightBytes(opened, model), weightBytes(plain, architecture(plain)));

  const loaded = Model.open(new Runtime('cpu', 1), made);
  loaded.weights.readAll();
  assert.deepEqual(loaded.weights.names().sort(), [...plain.tensors.keys()].sort());
  await loaded.release();
  const options = { groups: [[0], [1], [2]], segmentLength: 1, weights: 'resident' } as const;
  const ours = await gradients(made, samplesOf('llama/tied'), { ...options, groups: [[0], [1], [2]] });
  const right = referenceOf('llama/tied').tensor('loss') as Float64Array;
  ours.loss.forEach((value, i) => assert.ok(Math.abs(value - right[i]) < 2e-6 * right[i], `${value} for ${right[i]}`));
});
