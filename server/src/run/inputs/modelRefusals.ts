/**
 * What of a model cannot be used, told from headers alone: every tensor that its graphs are fed with has to be there,
 * in the shape that the configuration asks for and in a type that can be read. Where a method of quantisation is the
 * reason, it is named.
 */
import picomatch from 'picomatch';
import type { Experiment } from '../../../../protocol/experiment.ts';
import type { Checkpoint, TensorInfo } from '../../checkpoints/types.ts';
import { floatTypes } from '../../checkpoints/dtypes.ts';
import { quantisationOf } from '../../checkpoints/quantised.ts';
import type { Quantisation } from '../../checkpoints/quantised.ts';
import { sameTail } from '../../checkpoints/tensorNames.ts';
import { shapesRead } from '../../models/tensorsRead.ts';
import type { Architecture } from '../../models/types.ts';
import type { OpenedGraph } from '../../graphs/open.ts';
import { logitPositions } from '../../graphs/lastToken.ts';
import { nodeText } from '../../graphs/read.ts';
import { withoutRule } from '../../graphs/withoutRule.ts';
import { verbs } from './refusals.ts';
import type { Refusal } from './refusals.ts';

/** The first weight that does not fit. */
interface Fault {
  kind: 'missing' | 'shape' | 'type' | 'scale';
  wanted: { tensor: string; shape: readonly number[] };
  found: TensorInfo | undefined;
}

export interface WeightFacts {
  checkpoint: Checkpoint;
  model: Architecture;
  fault: Fault | null;
  quantisation: Quantisation | null;
}

/** @throws Error for a configuration that no graph can be built of */
export function weightFacts(checkpoint: Checkpoint, model: Architecture): WeightFacts {
  const fault = firstFault(checkpoint, model);
  return { checkpoint, model, fault, quantisation: fault && quantisationOf(checkpoint) };
}

/** Of the layers first: a wrong prefix or a wrong size is told best by them. */
function firstFault(checkpoint: Checkpoint, model: Architecture): Fault | null {
  // Without a word of quantisation, 8-bit floats are the numbers themselves.
  const quantised = quantisationOf({ config: checkpoint.config, tensors: new Map() }) !== null;
  const layers = model.layerName(0).replace(/\d+$/, '');
  const outside = (tensor: string): number => (tensor.startsWith(layers) ? 0 : 1);
  for (const [tensor, shape] of [...shapesRead(model)].sort(([a], [b]) => outside(a) - outside(b))) {
    const wanted = { tensor, shape };
    const found = checkpoint.tensors.get(wanted.tensor);
    if (!found) return { kind: 'missing', wanted, found };
    if (!readable(checkpoint, found)) return { kind: 'type', wanted, found };
    if (found.dtype.startsWith('F8_') && !found.scales && quantised) return { kind: 'scale', wanted, found };
    if (found.shape.join() !== wanted.shape.join()) return { kind: 'shape', wanted, found };
  }
  return null;
}

/** Block types of GGUF are told from others when the file is opened. */
function readable({ format }: Checkpoint, { dtype, scales }: TensorInfo): boolean {
  return format !== 'safetensors' || scales?.kind === 'mxfp4' || Object.hasOwn(floatTypes, dtype);
}

const list = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** What is wrong, beginning with `tensor NAME`. */
function faultText({ checkpoint, model, fault }: WeightFacts): string {
  const { kind, wanted, found } = fault!;
  const tensor = `tensor ${wanted.tensor}`;
  if (kind === 'type')
    return `${tensor} has type ${found!.dtype}; weights must be ${Object.keys(floatTypes).join(', ')}`;
  if (kind === 'scale') return `${tensor} of type ${found!.dtype} has no scale beside it`;
  if (kind === 'missing') {
    const alike = sameTail(wanted.tensor, checkpoint.tensors.keys());
    const hint = alike === null ? '' : `, among them ${alike}, whose prefix is not known`;
    return `${tensor} is missing; config.json asks for ${model.layers} layers, the weight files hold ${checkpoint.tensors.size} tensors${hint}`;
  }
  const factor = /\.lora_[AB]\.weight$/.test(wanted.tensor);
  const asker = factor ? `the model ${checkpoint.path}` : 'config.json';
  const keys = factor ? '' : keysOf(checkpoint, wanted.shape, found!.shape);
  return `${tensor} has shape ${list(found!.shape)}, ${asker} asks for ${list(wanted.shape)}${keys}`;
}

/** The keys whose value is the size that differs: ` (vocab_size 320)`. */
function keysOf({ config, format }: Checkpoint, wanted: readonly number[], found: readonly number[]): string {
  if (format !== 'safetensors') return '';
  const sizes = new Set(wanted.filter((size, axis) => size !== found[axis]));
  const parts = [config, config.text_config].filter((part) => typeof part === 'object' && part !== null);
  const keys = parts.flatMap((part) => Object.entries(part)).filter(([, value]) => sizes.has(value as number));
  return keys.length === 0 ? '' : ` (${[...new Set(keys.map(([key, value]) => `${key} ${value}`))].join(', ')})`;
}

function owner({ checkpoint, fault }: WeightFacts): string {
  const factor = fault !== null && /\.lora_[AB]\.weight$/.test(fault.wanted.tensor);
  return (factor ? checkpoint.adapter?.path : null) ?? checkpoint.path;
}

const plain = (id: string, kind: Fault['kind'], advice: (facts: WeightFacts) => string): Refusal<WeightFacts> => ({
  id,
  verbs,
  code: 'badModel',
  path: ['model', 'path'],
  says: (facts) =>
    facts.fault?.kind === kind && facts.quantisation === null
      ? `${owner(facts)}: ${faultText(facts)}${advice(facts)}`
      : null,
});

export const weightRefusals: readonly Refusal<WeightFacts>[] = [
  {
    id: 'quantised',
    verbs,
    code: 'badModel',
    path: ['model', 'path'],
    says: (facts) => {
      const { fault, quantisation } = facts;
      if (!fault || !quantisation) return null;
      const { title, evidence, advice } = quantisation;
      return `${owner(facts)} is quantised (${title}): ${evidence}, and ${faultText(facts)}; ${advice}`;
    },
  },
  plain('weightMissing', 'missing', () => ''),
  plain('weightShape', 'shape', ({ fault }) =>
    /embed|lm_head|wte/.test(fault!.wanted.tensor)
      ? '; set the key to the number of rows that the file has, or take the config.json of these weights'
      : '',
  ),
  plain('weightType', 'type', () => '; save the model in one of these (transformers: save_pretrained)'),
];

export const graphRefusals: readonly Refusal<OpenedGraph>[] = [
  {
    id: 'lastTokenLogits',
    verbs: ['score', 'validate'],
    code: 'badModel',
    path: ['model', 'path'],
    says: ({ file, logits, task }) => {
      if (task !== 'causal') return null;
      const why = logitPositions(file.model, logits);
      return why === null
        ? null
        : `${file.path}: output "${logits}" has logits for one token, not for all of a text (${why}); export the graph with logits for every token`;
    },
  },
];

/** An opened model that is fine by itself, and what an experiment asks of it. */
export interface ModelFacts {
  model: Architecture;
  graph: OpenedGraph | null;
  experiment: Experiment;
}

export const modelRefusals: readonly Refusal<ModelFacts>[] = [
  {
    id: 'encoderWithoutLogits',
    verbs: ['score'],
    code: 'badModel',
    path: ['model', 'path'],
    says: ({ graph, experiment: { scores_alone } }) =>
      graph?.task !== 'encoder' || scores_alone === true
        ? null
        : `${graph.file.path} gives hidden states and no logits, from which no loss follows: export a model with its head, name the output that holds the logits with model.output, or ask for scores alone (key scores, without score)`,
  },
  {
    id: 'retrainedLayers',
    verbs: ['validate'],
    code: 'badExperiment',
    path: ['validate', 'retrain', 'layers'],
    says({ model, experiment: { validate } }) {
      const outside = validate?.retrain.layers?.filter((layer) => layer >= model.layers) ?? [];
      if (outside.length === 0) return null;
      return `layer ${outside.join(', ')} does not exist; the model has layers 0 to ${model.layers - 1}`;
    },
  },
  {
    id: 'operatorWithoutRule',
    verbs: ['score'],
    code: 'badModel',
    path: ['model', 'path'],
    says({ graph, experiment: { score, scores_alone } }) {
      if (!graph || scores_alone === true) return null;
      const scored = (layer: number, module: string) =>
        (score.layers === 'all' || score.layers.includes(layer)) && matchesModule(score.modules, module);
      const node = withoutRule(graph, scored);
      if (node === null) return null;
      return `${graph.file.path}: operator "${node.op}" ${nodeText(node)} has no differentiation rule, and gradients have to go through it; export the model without it (layerif list operators names those that have one), or score layers behind it with score.layers`;
    },
  },
  {
    id: 'ekfacOfGroups',
    verbs: ['score'],
    code: 'badExperiment',
    path: ['score', 'estimator'],
    says({ graph, experiment: { score } }) {
      if (score.estimator !== 'ekfac' || !graph) return null;
      for (const { name: layer, modules } of graph.found.layers) {
        const grouped = modules.find(({ module }) => module.groups > 1);
        if (grouped && matchesModule(score.modules, grouped.name))
          return `ekfac has no factors for ${grouped.name} of ${layer}, a convolution in ${grouped.module.groups} groups; leave it out with score.modules or use datainf`;
      }
      return null;
    },
  },
];

function matchesModule(globs: readonly string[], name: string): boolean {
  if (globs.includes('*')) return true;
  const asPath = (text: string): string => text.replaceAll('.', '/');
  return picomatch([...globs])(name) || picomatch(globs.map(asPath))(asPath(name));
}
