/**
 * The text of an experiment about a model that was inspected, as a snippet: Tab goes from one value to the next. What
 * the data must bring follows from the model: prompts and answers for a causal one, classes for a classifier, columns
 * for inputs that are no tokens. No `vscode` here.
 */
import type { InspectedGraph, InspectedModel } from '../../protocol/inspection.ts';
import { scalar } from './yamlText.ts';

export interface ExperimentParts {
  model: Pick<InspectedModel, 'graph'>;
  /** Relative to the experiment, with `/`. */
  modelPath: string;
  /** As typed; empty where layers and output are found by themselves. */
  layersPattern: string;
  output: string;
}

/** Tokens of a sample, as in the template of new experiments. */
const LENGTH = 128;

export function inspectedExperiment({ model: { graph }, modelPath, layersPattern, output }: ExperimentParts): string {
  const hole = holes();
  const pictures = graph !== null && graph.arrays.some(({ shape }) => isImage(shape));
  const text = graph === null || graph.tokens;
  const description = hole('Which layers matter for my task?');
  const dataset = text ? 'reviews' : pictures ? 'images' : 'rows';
  const place = hole(dataset);
  const data = hole(`data/${dataset}.jsonl`);
  const task = hole(text ? 'sentiment' : 'classes');
  const beside = graph?.tokens ? '            # with the tokenizer.json of the model beside it' : '';
  return [
    'version: 1',
    `description: ${description}`,
    'model:',
    `  path: ${fixed(scalar(modelPath))}${beside}`,
    ...(layersPattern.trim() ? [`  layers_pattern: ${fixed(scalar(layersPattern.trim()))}`] : []),
    ...(output.trim() ? [`  output: ${fixed(scalar(output.trim()))}`] : []),
    ...(text ? [`  max_length: ${Math.min(LENGTH, graph?.length ?? LENGTH)}`] : []),
    'datasets:',
    `  ${place}:`,
    `    path: ${data}        # .jsonl .json .csv .tsv .parquet .arrow`,
    'tasks:',
    `  - task: ${task}`,
    `    dataset: ${place}`,
    '    training_split: train[:300]',
    '    validation_split: train[300:350]',
    ...(text ? [`    doc_to_text: "${hole(promptOf(graph))}"`] : []),
    `    doc_to_target: ${hole('label')}${classesOf(graph)}`,
    ...inputsOf(graph, hole),
    '$0',
  ].join('\n');
}

const promptOf = (graph: InspectedGraph | null) =>
  graph?.task === 'classification' ? '{{text}}' : 'Review: {{text}}\\nSentiment:';

function classesOf(graph: InspectedGraph | null): string {
  if (graph?.task !== 'classification') return '';
  const range = graph.classes === null ? 'a class, counted from 0' : `a class, 0 to ${graph.classes - 1}`;
  return `        # ${range}; or its name, with the names of all classes as doc_to_choice`;
}

type Hole = (value: string) => string;

function inputsOf(graph: InspectedGraph | null, hole: Hole): string[] {
  if (!graph || graph.arrays.length === 0) return [];
  return ['    inputs:', ...graph.arrays.flatMap((input) => inputLines(input, graph.normalisation, hole))];
}

/** Statistics of ImageNet, which most vision models were trained with. */
const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

function inputLines(
  { name, shape }: InspectedGraph['arrays'][0],
  declared: InspectedGraph['normalisation'],
  hole: Hole,
): string[] {
  const key = `      ${fixed(scalar(name))}:`;
  const axes = fixed(shape.slice(1).join(' x '));
  if (!isImage(shape))
    return [key, `        column: ${hole(scalar(name))}        # numbers or .npy files, ${axes || 'one number'}`];
  const last = shape[1] !== 1 && shape[1] !== 3;
  const channels = Number(last ? shape[3] : shape[1]);
  const sizes = last ? shape.slice(1, 3) : shape.slice(2);
  const known = declared?.mean.length === channels ? declared : null;
  const { mean, std } = known ?? (channels === 3 ? imageNet : { mean: [0.5], std: [0.5] });
  const source = known ? 'preprocessor_config.json' : 'as in training';
  return [
    key,
    `        column: ${hole('image')}        # PNG, JPEG or .npy files, ${axes}`,
    ...(sizes.every((size) => typeof size === 'number')
      ? []
      : [`        size: [${hole('224')}, ${hole('224')}]        # height and width`]),
    `        mean: [${known ? mean.join(', ') : hole(mean.join(', '))}]        # of values from 0 to 1, by channel; ${source}`,
    `        std: [${known ? std.join(', ') : hole(std.join(', '))}]`,
    ...(last ? ['        layout: channels_last'] : []),
  ];
}

/** Batch, one or three channels before or behind the sizes. */
function isImage(shape: readonly (number | string)[]): boolean {
  return shape.length === 4 && [shape[1], shape[3]].some((size) => size === 1 || size === 3);
}

/** Numbered places of a snippet. */
function holes(): Hole {
  let count = 0;
  return (value) => `\${${++count}:${fixed(value)}}`;
}

/** Text that a snippet leaves as it is. */
const fixed = (text: string) => text.replace(/[\\$}]/g, '\\$&');
