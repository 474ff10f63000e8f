/**
 * PEFT adapters: which modules, which rank and factor, and everything that cannot be applied. Numbers:
 * test/engine/lora.test.ts.
 */
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCheckpoint } from '../../server/src/checkpoints/openCheckpoint.ts';
import { openAdapter } from '../../server/src/checkpoints/peftAdapter.ts';
import { peftConfig } from '../../server/src/checkpoints/peftConfig.ts';
import { adapted } from '../../server/src/models/adapter.ts';
import { architectureOf } from '../../server/src/models/families.ts';
import { openSafetensors, readSafetensors } from '../../server/src/checkpoints/safetensors.ts';
import { writeSafetensors } from '../tinyLlama.ts';
import { folder } from '../data/files.ts';
import { roundToBfloat16 } from '../../server/src/engine/check/gradientCheck.ts';
import { readTensorBytes } from '../../server/src/checkpoints/fileBytes.ts';
import { writtenTypes } from '../../server/src/checkpoints/dtypes.ts';
import { writeRaw } from './rewrite.ts';
import { complaint } from './files.ts';

const reference = join(import.meta.dirname, '../reference');
const base = { peft_type: 'LORA', r: 8, lora_alpha: 16, bias: 'none', target_modules: ['q_proj'] };
const of = (changes: Record<string, unknown>) => peftConfig('adapter_config.json', { ...base, ...changes });

const q = (layer: number, module = 'self_attn.q_proj') => `model.layers.${layer}.${module}`;

test('rank and factor: alpha / r, rank-stabilised alpha / sqrt(r), patterns with the first that fits', () => {
  assert.deepEqual(of({}).factorOf(q(0)), { rank: 8, scale: 2 });
  assert.deepEqual(of({ use_rslora: true }).factorOf(q(0)), { rank: 8, scale: 16 / Math.sqrt(8) });
  const patterns = of({
    rank_pattern: { 'layers.1.self_attn.q_proj': 2, q_proj: 4, '.*_proj': 3 },
    alpha_pattern: { 'self_attn\\..*': 6 },
  });
  assert.deepEqual(patterns.factorOf(q(1)), { rank: 2, scale: 3 });
  assert.deepEqual(patterns.factorOf(q(0)), { rank: 4, scale: 1.5 });
  assert.deepEqual(patterns.factorOf(q(0, 'mlp.up_proj')), { rank: 3, scale: 16 / 3 });
  // A key is whole names: "proj" is not the end of "q_proj", and layer 11 does not end in layer 1.
  assert.equal(of({ rank_pattern: { proj: 2 } }).factorOf(q(0)).rank, 8);
  assert.equal(of({ rank_pattern: { '1.self_attn.q_proj': 2 } }).factorOf(q(11)).rank, 8);
  // PEFT's own defaults for keys that an old file lacks.
  assert.deepEqual(of({ r: undefined, lora_alpha: undefined }).factorOf(q(0)), { rank: 8, scale: 1 });
});

test('target modules: ends of paths, whole paths, one expression, everything, layers', () => {
  const targeted = (changes: Record<string, unknown>, path: string) => of(changes).targets(path);
  assert.equal(targeted({}, q(0)), true);
  assert.equal(targeted({}, q(0, 'self_attn.kq_proj')), false);
  assert.equal(targeted({ target_modules: [q(3)] }, q(3)), true);
  assert.equal(targeted({ target_modules: [q(3)] }, q(4)), false);
  assert.equal(targeted({ target_modules: '.*\\.(q|v)_proj' }, q(0)), true);
  assert.equal(targeted({ target_modules: 'q_proj' }, q(0)), false, 'an expression fits the whole path');
  assert.equal(targeted({ target_modules: 'all-linear' }, q(0)), null);
  assert.equal(targeted({ target_modules: 'all-linear', exclude_modules: ['q_proj'] }, q(0)), false);
  assert.equal(targeted({ exclude_modules: '.*\\.0\\..*' }, q(0)), false);
  const layers = { layers_to_transform: [1, 2] };
  assert.deepEqual(
    [q(0), q(1), q(12)].map((path) => targeted(layers, path)),
    [false, true, false],
  );
  assert.equal(targeted({ layers_to_transform: 1 }, q(1)), true);
  assert.equal(targeted({ ...layers, layers_pattern: 'h' }, q(1)), false);
  assert.equal(targeted({ ...layers, layers_pattern: ['h', 'layers'] }, q(1)), true);
  const expert = (layer: number, number: number) => `model.layers.${layer}.mlp.experts.${number}.q_proj`;
  assert.deepEqual(
    [expert(1, 7), expert(7, 1)].map((path) => targeted(layers, path)),
    [true, false],
  );
});

test('target parameters: the weight of a linear module is adapted as the module is', () => {
  const parameters = of({
    target_modules: ['v_proj'],
    target_parameters: ['self_attn.q_proj.weight', `${q(0, 'mlp.up_proj')}.weight`],
  });
  const targeted = ['self_attn.q_proj', 'self_attn.v_proj', 'self_attn.k_proj', 'mlp.up_proj'].map((module) =>
    parameters.targets(q(0, module)),
  );
  assert.deepEqual(targeted, [true, true, false, true]);
  assert.equal(parameters.targets(q(1, 'mlp.up_proj')), false);
  // Without target_modules PEFT adds what its own table has for the model.
  assert.equal(of({ target_modules: null, target_parameters: ['q_proj.weight'] }).targets(q(0)), true);
  assert.equal(
    of({ target_modules: null, target_parameters: ['q_proj.weight'] }).targets(q(0, 'self_attn.v_proj')),
    null,
  );
});

/** What is wrong -> keys of adapter_config.json and what is said. */
const configurations: Record<string, [Record<string, unknown>, RegExp]> = {
  'another method': [{ peft_type: 'IA3' }, /peft_type is "IA3"; only "LORA" adapters can be applied/],
  'no method': [{ peft_type: undefined }, /peft_type is missing; only "LORA"/],
  DoRA: [{ use_dora: true }, /use_dora is true: DoRA rescales the columns of the weights; merge the adapter/],
  biases: [{ bias: 'lora_only' }, /bias is "lora_only"; only "none" is supported: merge the adapter/],
  'factors that act on some tokens': [
    { alora_invocation_tokens: [1, 2] },
    /alora_invocation_tokens is \[1,2\]: the factors act only on tokens from the invocation sequence on .*; train a plain LoRA/,
  ],
  'repeated layers': [
    {
      layer_replication: [
        [0, 2],
        [1, 2],
      ],
    },
    /layer_replication is \[\[0,2\],\[1,2\]\]: layers are repeated, .*; merge the adapter/,
  ],
  'modules that were trained whole': [
    { modules_to_save: ['lm_head'] },
    /modules_to_save is \["lm_head"\]: whole modules were trained too/,
  ],
  'experts in one tensor': [
    { target_parameters: ['mlp.experts.gate_up_proj'] },
    /target_parameters is \["mlp\.experts\.gate_up_proj"\]: parameters that are no linear modules/,
  ],
  'trained embeddings': [{ trainable_token_indices: [1, 2] }, /trainable_token_indices is \[1,2\]/],
  PiSSA: [
    { init_lora_weights: 'pissa_niter_4' },
    /init_lora_weights is "pissa_niter_4", which changes the base weights/,
  ],
  'a key of the future': [
    { use_warp: { speed: 9 } },
    /use_warp is \{"speed":9\}: this version does not know the key and what it changes/,
  ],
  'a rank of no whole number': [{ r: 2.5 }, /r is 2\.5; a positive whole number is needed/],
  'a rank pattern that is a list': [{ rank_pattern: [4] }, /rank_pattern is \[4\]; an object of module names/],
  'a pattern of no number': [{ alpha_pattern: { q_proj: '4' } }, /alpha_pattern\.q_proj is "4"; a positive number/],
  'no regular expression': [{ target_modules: '(' }, /target_modules is "\(", which holds no regular expression: /],
  'targets of another type': [{ target_modules: 7 }, /target_modules is 7; a text or a list of texts is needed/],
  'layers that are no numbers': [{ layers_to_transform: ['1'] }, /layers_to_transform is \["1"\]; a layer's number/],
};

for (const [what, [changes, message]] of Object.entries(configurations)) {
  test(`refused: ${what}`, () => {
    const said = complaint(() => of(changes), '<none>');
    assert.match(said, message);
    assert.match(said, /^adapter_config\.json: /);
  });
}

test('a pattern of modules that backtracks ends by its time, with key and module', () => {
  const endless = '([\\w.]+)+!';
  const module = 'model.layers.0.self_attn_of_a_very_long_name_without_any_point';
  const message = (key: string) =>
    new RegExp(`${key} is .*, which takes longer than 1 s for "${module}": it backtracks`);
  assert.match(
    complaint(() => of({ target_modules: endless }).targets(module), '<none>'),
    message('target_modules'),
  );
  assert.match(
    complaint(() => of({ rank_pattern: { [endless]: 4 } }).factorOf(module), '<none>'),
    message('rank_pattern'),
  );
});

test('what does not change a trained adapter is accepted', () => {
  const neutral = {
    use_dora: false,
    modules_to_save: null,
    lora_dropout: 0.3,
    task_type: 'CAUSAL_LM',
    loftq_config: {},
  };
  assert.equal(of({ ...neutral, fan_in_fan_out: true, init_lora_weights: 'gaussian', peft_version: '9.9' }).rank, 8);
});

/** A copy of a reference adapter that may be changed. */
function copy(t: TestContext, name = 'patterns'): string {
  const root = folder(t, {});
  cpSync(join(reference, 'lora', name, 'adapter'), join(root, 'adapter'), { recursive: true });
  return root;
}

function editConfig(root: string, changes: Record<string, unknown>): void {
  const file = join(root, 'adapter/adapter_config.json');
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...changes }));
}

type Tensors = Map<string, { shape: number[]; data: Float32Array }>;

function editTensors(root: string, change: (tensors: Tensors) => unknown): void {
  const file = join(root, 'adapter/adapter_model.safetensors');
  const stored = readSafetensors(file);
  const tensors: Tensors = new Map(
    openSafetensors(file).tensors.map(({ name, shape }) => [
      name,
      { shape: [...shape], data: stored.tensor(name) as Float32Array },
    ]),
  );
  change(tensors);
  writeSafetensors(file, Object.fromEntries(tensors));
}

const llama = join(reference, 'llama/biases');

function opened(root: string, model = llama) {
  const checkpoint = openCheckpoint(model, { adapter: join(root, 'adapter') });
  return adapted(architectureOf(checkpoint.config, checkpoint.tensors), checkpoint.adapter);
}

test('factors are tensors and modules of the layers, and count for the hash', async () => {
  const adapter = join(reference, 'lora/patterns/adapter');
  const checkpoint = openCheckpoint(llama, { adapter });
  const name = 'model.layers.1.mlp.down_proj.lora_A.weight';
  assert.deepEqual(checkpoint.tensors.get(name)!.shape, [5, 24]);
  const stored = readSafetensors(join(adapter, 'adapter_model.safetensors'));
  assert.deepEqual(checkpoint.read(name), stored.tensor(`base_model.model.${name}`));
  const model = adapted(architectureOf(checkpoint.config, checkpoint.tensors), checkpoint.adapter);
  assert.deepEqual(
    model.modules(1).filter((m) => m.name.startsWith('mlp.down_proj')),
    [
      { name: 'mlp.down_proj', rows: 16, columns: 24 },
      { name: 'mlp.down_proj.lora_A', rows: 5, columns: 24, factor: true },
      { name: 'mlp.down_proj.lora_B', rows: 16, columns: 5, factor: true },
    ],
  );
  assert.notEqual(model.kind(0), model.kind(1), 'other ranks, another graph');
  const hash = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex');
  const files = [
    join(llama, 'model.safetensors'),
    join(adapter, 'adapter_config.json'),
    join(adapter, 'adapter_model.safetensors'),
  ];
  assert.deepEqual(checkpoint.files, files);
  assert.equal(await checkpoint.sha256(), hash(files.map((file) => hash(readFileSync(file))).join('')));
});

const EMBEDDING = 'base_model.model.model.embed_tokens.weight';
const embedding = () => openCheckpoint(llama).read('model.embed_tokens.weight').slice();

test('embeddings that are those of the base model, also once rounded to the type of the file, are no part of the adapter', (t) => {
  const plain = openCheckpoint(llama, { adapter: join(reference, 'lora/patterns/adapter') });
  const root = copy(t);
  editTensors(root, (tensors) => {
    tensors.set(EMBEDDING, { shape: [40, 16], data: embedding() });
    tensors.set('base_model.model.lm_head.base_layer.weight', {
      shape: [40, 16],
      data: openCheckpoint(llama).read('lm_head.weight'),
    });
  });
  assert.deepEqual(
    [...openCheckpoint(llama, { adapter: join(root, 'adapter') }).tensors.keys()],
    [...plain.tensors.keys()],
  );

  const file = join(root, 'adapter/adapter_model.safetensors');
  const stored = openSafetensors(file).tensors.map((info) => {
    const bytes = readTensorBytes(info);
    if (info.name !== EMBEDDING) return { ...info, bytes };
    return { ...info, dtype: 'BF16', bytes: Buffer.from(writtenTypes.BF16.encode(embedding()).buffer) };
  });
  assert.ok(
    embedding().some((value) => roundToBfloat16(Float32Array.of(value))[0] !== value),
    'rounding changes it',
  );
  writeRaw(join(root, 'adapter'), stored);
  renameSync(join(root, 'adapter/model.safetensors'), file);
  assert.equal(openCheckpoint(llama, { adapter: join(root, 'adapter') }).tensors.size, plain.tensors.size);
});

test('LoRA on the head of a model whose head is the embedding', (t) => {
  const root = copy(t, 'stabilised');
  editConfig(root, { target_modules: 'all-linear' });
  editTensors(root, (tensors) => {
    tensors.set('base_model.model.lm_head.lora_A.weight', { shape: [4, 16], data: new Float32Array(64) });
    tensors.set('base_model.model.lm_head.lora_B.weight', { shape: [40, 4], data: new Float32Array(160) });
  });
  assert.equal(
    complaint(() => opened(root, join(reference, 'llama/tied')), root),
    'adapter adapter adapts lm_head, the output head, which shares its matrix with the embedding in this model (merging would change the embedding too); train the adapter without it in target_modules',
  );
});

const DOWN = 'base_model.model.model.layers.1.mlp.down_proj';

/** What is wrong -> how it came about and what is said. */
const adapters: Record<string, [(root: string) => unknown, RegExp]> = {
  'no folder': [
    (root) => renameSync(join(root, 'adapter'), join(root, 'adaptor')),
    /adapter adapter does not exist \(did you mean "adaptor"\?\); give a folder that peft's save_pretrained wrote/,
  ],
  'no configuration': [
    (root) => rmSync(join(root, 'adapter/adapter_config.json')),
    /^adapter has no adapter_config\.json; give a folder/,
  ],
  'a model': [
    (root) => renameSync(join(root, 'adapter/adapter_config.json'), join(root, 'adapter/config.json')),
    /^adapter has no adapter_config\.json: it holds a model, no adapter/,
  ],
  'a broken configuration': [
    (root) => writeFileSync(join(root, 'adapter/adapter_config.json'), '{'),
    /adapter_config\.json cannot be read: /,
  ],
  'pickled weights': [
    (root) => renameSync(join(root, 'adapter/adapter_model.safetensors'), join(root, 'adapter/adapter_model.bin')),
    /has no adapter_model\.safetensors but adapter_model\.bin: pickled weights can hold code/,
  ],
  'no weights': [
    (root) => rmSync(join(root, 'adapter/adapter_model.safetensors')),
    /has no adapter_model\.safetensors; download/,
  ],
  'weights of embeddings': [
    (root) =>
      editTensors(root, (tensors) =>
        tensors.set('base_model.model.model.embed_tokens.lora_embedding_A', {
          shape: [2, 2],
          data: new Float32Array(4),
        }),
      ),
    /tensor base_model\.model\.model\.embed_tokens\.lora_embedding_A is no LoRA factor of a linear module/,
  ],
  'a lone factor': [
    (root) => editTensors(root, (tensors) => tensors.delete(`${DOWN}.lora_B.weight`)),
    /model\.layers\.1\.mlp\.down_proj has lora_A but no lora_B/,
  ],
  'a module without factors': [
    (root) =>
      editTensors(root, (tensors) => {
        for (const side of ['A', 'B']) tensors.delete(`${DOWN}.lora_${side}.weight`);
      }),
    /target_modules of adapter_config\.json asks for model\.layers\.1\.mlp\.down_proj, adapter_model\.safetensors has no factors of it/,
  ],
  'factors that nobody asked for': [
    (root) => editConfig(root, { target_modules: ['q_proj'] }),
    /holds factors of model\.layers\.0\.mlp\.down_proj, which target_modules of adapter_config\.json leaves out/,
  ],
  'another rank': [
    (root) => editConfig(root, { rank_pattern: {} }),
    /the factors of .* have shapes \[\d, 16\] and \[\d+, \d\]; adapter_config\.json gives rank 4/,
  ],
  'a bias that the configuration does not know': [
    (root) =>
      editTensors(root, (tensors) => tensors.set(`${DOWN}.lora_B.bias`, { shape: [16], data: new Float32Array(16) })),
    /model\.layers\.1\.mlp\.down_proj has a lora_B\.bias, adapter_config\.json says lora_bias false/,
  ],
  'a bias that is not there': [
    (root) => editConfig(root, { lora_bias: true }),
    /has no lora_B\.bias, adapter_config\.json says lora_bias true; the two files do not belong together/,
  ],
  'a bias of another size': [
    (root) => {
      editConfig(root, { lora_bias: true });
      editTensors(root, (tensors) => {
        for (const [name, { shape }] of [...tensors]) {
          const size = shape[0] + (name.startsWith(DOWN) ? 1 : 0);
          if (name.endsWith('lora_B.weight'))
            tensors.set(name.replace('weight', 'bias'), { shape: [size], data: new Float32Array(size) });
        }
      });
    },
    /lora_B\.bias of model\.layers\.1\.mlp\.down_proj has shape \[17\]; \[16\] is needed/,
  ],
  'embeddings of its own': [
    (root) =>
      editTensors(root, (tensors) => {
        const data = embedding();
        data[5] += 1;
        tensors.set(EMBEDDING, { shape: [40, 16], data });
      }),
    /^adapter adapter carries model\.embed_tokens\.weight, which differs from that of the model .*: whole weights were trained beside the factors, or .*; merge the adapter/,
  ],
  'embeddings of another vocabulary': [
    (root) => editTensors(root, (tensors) => tensors.set(EMBEDDING, { shape: [41, 16], data: new Float32Array(656) })),
    /carries model\.embed_tokens\.weight, of shape \[41, 16\], the model .* has it as \[40, 16\]; the vocabulary was resized for the adapter: merge/,
  ],
  'weights that the model has not': [
    (root) =>
      editTensors(root, (tensors) =>
        tensors.set('base_model.model.score.weight', { shape: [2, 16], data: new Float32Array(32) }),
      ),
    /carries score\.weight, which the model .* does not have; it was made for another model/,
  ],
  'a head that was adapted': [
    (root) => {
      editConfig(root, { target_modules: 'all-linear' });
      editTensors(root, (tensors) => {
        tensors.set('base_model.model.lm_head.lora_A.weight', { shape: [4, 16], data: new Float32Array(64) });
        tensors.set('base_model.model.lm_head.lora_B.weight', { shape: [40, 4], data: new Float32Array(160) });
      });
    },
    /adapts lm_head, which is no linear module of a layer; embeddings, head and experts that share one tensor/,
  ],
};

for (const [what, [spoil, message]] of Object.entries(adapters)) {
  test(`refused: ${what}`, (t) => {
    const root = copy(t);
    spoil(root);
    let said: string;
    try {
      said = complaint(() => opened(root), root);
    } catch (error) {
      said = (error as Error).message.replaceAll(`${root}/`, ''); // of the architecture, which knows no LayerifError
    }
    assert.match(said, message);
  });
}

test('an adapter of another model names its own', (t) => {
  const root = copy(t, 'conv1d');
  const said = complaint(() => opened(root), root);
  assert.match(
    said,
    /^adapter adapter adapts transformer\.h\.0\.attn\.c_attn, which .* does not have, it was made for gpt2\/published; nearest of its \d+ tensors: /,
  );
});

test('a folder that holds an adapter is no model', (t) => {
  const root = copy(t);
  assert.match(
    complaint(() => openCheckpoint(join(root, 'adapter')), root),
    /^adapter is a PEFT adapter, no model; give it as model\.adapter/,
  );
  assert.equal(openAdapter(join(root, 'adapter')).config.baseModel, 'llama/biases');
});
