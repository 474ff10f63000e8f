/** `layerif inspect MODEL`: family, layers, modules, shapes, weights, coverage. */
import { inspectAdapter, inspectModel, type AdapterInspection, type Inspection } from '../run/inputs/inspect.ts';
import { fetchModel, type DownloadEvent } from '../run/inputs/hubInputs.ts';
import { count, counted, percent, table } from './format.ts';
import { progressOn } from './progress.ts';
import type { Command } from './types.ts';
import { nth } from '../lists/nth.ts';

export const inspect: Command = {
  name: 'inspect',
  argument: 'MODEL',
  summary: 'describe a model: family, layers, modules, shapes, weights, coverage',
  details:
    'MODEL is a folder with config.json and *.safetensors, a .gguf file, a hub id org/name (downloaded when it is not in the cache) or the folder of a PEFT adapter. Weights are not read, only their headers.',
  options: ['json'],

  async run(argument, options, terminal) {
    const adapter = inspectAdapter(argument, terminal.baseDir);
    if (adapter) {
      terminal.out(options.json ? `${JSON.stringify(adapter, null, 2)}\n` : adapterText(adapter));
      return 0;
    }
    const progress = progressOn(terminal);
    const onProgress = (event: DownloadEvent) => progress.update({ task: '', phase: 'download', ...event });
    await fetchModel({ path: argument }, terminal.baseDir, { signal: terminal.signal, onProgress }).finally(() =>
      progress.clear(),
    );
    const model = inspectModel(argument, terminal.baseDir);
    if (options.json) {
      terminal.out(`${JSON.stringify(model, null, 2)}\n`);
      return 0;
    }
    const dtypes = Object.entries(model.dtypes).map(([dtype, tensors]) => `${dtype} (${counted(tensors, 'tensor')})`);
    const lines = [
      `${model.name}: ${model.family}, ${model.format}, ${counted(model.layers, 'layer')}, ${count(model.parameters)} weights`,
      `Stored as ${dtypes.join(', ')}; hidden size ${count(model.hidden)}, vocabulary ${count(model.vocabulary)}`,
      `${count(model.scoredParameters)} weights can be scored, coverage ${percent(model.coverage)} of the layers' matrices`,
      ...(model.classes ? [`Sequence classifier: ${model.classes.join(', ')}`] : []),
      ...model.notes.map((note) => `Warning: ${note}`),
      '',
      ...model.kinds.flatMap((kind) => [...kindTable(model, kind), '']),
      ...unscored(model),
      ...model.warnings.map((warning) => `warning: ${warning}`),
    ];
    terminal.out(lines.map((line) => `${line}\n`).join(''));
    return 0;
  },
};

/** Modules of layers that have the same; those that differ in a number alone, as experts do, share a line. */
function kindTable({ layerNames }: Inspection, { layers, modules }: Inspection['kinds'][0]): string[] {
  const groups = new Map<string, { name: string; shape: string; parameters: number; members: number }>();
  for (const { name, shape, parameters } of modules) {
    const pattern = name.replace(/\.\d+\./, '.*.');
    const key = `${pattern} ${shape.join(' × ')}`;
    const group = groups.get(key) ?? { name, shape: shape.join(' × '), parameters: 0, members: 0 };
    group.members += 1;
    group.parameters += parameters;
    groups.set(key, group.members > 1 ? { ...group, name: `${pattern} (${group.members})` } : group);
  }
  const rows = [...groups.values()].map(({ name, shape, parameters }) => [name, shape, count(parameters)]);
  const others = layers.length > 1 ? ` and ${counted(layers.length - 1, 'layer')} like it` : '';
  return table([[`module of ${layerNames[nth(layers, 0)]}${others}`, 'shape', 'weights'], ...rows], [1, 2]);
}

function adapterText({ name, baseModel, targetModules, modules, parameters, factors }: AdapterInspection): string {
  const targets = targetModules === null ? 'as its base model has them' : [targetModules].flat().join(', ');
  const rows = factors.map(({ rank, scale, modules: count_ }) => [String(rank), scale.toPrecision(4), count(count_)]);
  const lines = [
    `${name}: PEFT LoRA adapter of ${baseModel ?? 'a model that it does not name'}, ${counted(modules, 'module')}, ${count(parameters)} weights`,
    `Target modules: ${targets}`,
    'Give it as model.adapter beside the model.path of its base model; score.params: lora scores its factors',
    '',
    ...table([['rank', 'factor', 'modules'], ...rows], [0, 1, 2]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Tensors that are not scored, and those that the model does not read; the same tensor of every layer on one line. */
function unscored(model: Inspection): string[] {
  return [...section('Not scored', model.unscored, model), ...section('Not read', model.notRead, model)];
}

function section(title: string, found: readonly { name: string }[], model: Inspection): string[] {
  const groups = new Map<string, number>();
  for (const { name } of found) {
    const layer = model.layerNames.find((prefix) => name.startsWith(`${prefix}.`));
    const group = layer === undefined ? name : `${layer.replace(/\d+$/, '*')}${name.slice(layer.length)}`;
    groups.set(group, (groups.get(group) ?? 0) + 1);
  }
  if (groups.size === 0) return [];
  return [title, ...[...groups].map(([name, tensors]) => `  ${name}${tensors > 1 ? ` (${tensors})` : ''}`)];
}
