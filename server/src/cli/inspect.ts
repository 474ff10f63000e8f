/** `layerif inspect MODEL`: family, layers, modules, shapes, weights, coverage. */
import { inspectModel } from '../run/inspect.ts';
import { count, counted, percent, table } from './format.ts';
import type { Command } from './types.ts';

export const inspect: Command = {
  name: 'inspect',
  argument: 'MODEL',
  summary: 'describe a model: family, layers, modules, shapes, weights, coverage',
  details:
    'MODEL is a folder with config.json and *.safetensors or a .gguf file. Weights are not read, only their headers.',
  options: ['json'],

  async run(argument, options, terminal) {
    const model = await inspectModel(argument, terminal.baseDir);
    if (options.json) {
      terminal.out(`${JSON.stringify(model, null, 2)}\n`);
      return 0;
    }
    const rows = model.modules.map(({ name, shape, parameters }) => [name, shape.join(' × '), count(parameters)]);
    const lines = [
      `${model.name}: ${model.family}, ${model.format}, ${counted(model.layers, 'layer')}, ${count(model.parameters)} weights`,
      `${count(model.scoredParameters)} weights can be scored, coverage ${percent(model.coverage)} of the layers' matrices`,
      '',
      ...table([['module', 'shape', 'weights'], ...rows], [1, 2]),
      ...(model.unscored.length > 0 ? ['', `Not scored: ${model.unscored.join(', ')}`] : []),
    ];
    terminal.out(lines.map((line) => `${line}\n`).join(''));
    return 0;
  },
};
