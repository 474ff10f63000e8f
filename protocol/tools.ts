/**
 * What a chat model may ask of LayerIF, as tools: the one table that the MCP server (`layerif mcp`), the language-model
 * tools of VS Code, `docs/agents.md` and the tests read. To add one, add a row here and its answer in
 * `server/src/run/tools/answers.ts`, and run `node scripts/generate-tools.mjs`. Pure.
 */
import { allocationKinds } from './allocation.ts';

export type ToolId = 'score' | 'explain_layer' | 'compare' | 'allocate' | 'list_runs' | 'show_chart';

export interface ToolInput {
  type: 'string' | 'integer' | 'number' | 'strings';
  description: string;
  required?: true;
  /** Allowed words. */
  words?: readonly string[];
  minimum?: number;
  /** Of the MCP server alone: in the editor VS Code itself asks before a run. */
  mcpOnly?: true;
}

export interface ToolRow {
  id: ToolId;
  title: string;
  /** For the model: what it answers, and when to use it. */
  description: string;
  /** For people, in the list of tools of a chat. */
  summary: string;
  /** An icon of VS Code. */
  icon: string;
  /** Whether nothing is computed on a model and nothing is written. */
  readOnly: boolean;
  inputs: Readonly<Record<string, ToolInput>>;
}

const result: ToolInput = {
  type: 'string',
  description: 'Path of a NAME.layerif-result.json file, as list_runs names them.',
  required: true,
};
const task: ToolInput = { type: 'string', description: 'Name of one task; default: all tasks.' };

export const tools: readonly ToolRow[] = [
  {
    id: 'score',
    title: 'Score layers',
    description:
      'Computes which layers of a language model matter for the tasks of an experiment file (*.layerif.yaml), by influence functions. It loads the model and may take minutes to hours, so it first says how long it takes and how much memory it needs, and starts only after the user has agreed. Answers with the highest layers, how far their order can be relied on, and the path of the result file.',
    summary: 'Compute layer scores of an experiment; asks first, with time and memory.',
    icon: '$(play)',
    readOnly: false,
    inputs: {
      file: { type: 'string', description: 'Path of the experiment file, *.layerif.yaml.', required: true },
      task,
      confirm: {
        type: 'string',
        description:
          'Only after the user has agreed to the estimate of a first call without it: the word that this call gave.',
        mcpOnly: true,
      },
    },
  },
  {
    id: 'explain_layer',
    title: 'Explain a layer',
    description:
      'Explains the score of one layer of a finished run: its rank with the interval on other samples, its share, the modules that make it up, and the training samples that help and harm validation most in it, by file and line.',
    summary: 'Score, rank, modules and strongest samples of one layer.',
    icon: '$(info)',
    readOnly: true,
    inputs: {
      result,
      layer: { type: 'integer', description: 'Index of the layer, counted from 0.', required: true, minimum: 0 },
      task,
    },
  },
  {
    id: 'compare',
    title: 'Compare layer scores',
    description:
      'Compares the order of layers between runs, between the tasks of one run, or between estimators of one run: rank correlation with its interval, how many of the highest layers are the same, and in which settings the runs differ.',
    summary: 'How alike the layer scores of runs, tasks or estimators are.',
    icon: '$(diff)',
    readOnly: true,
    inputs: {
      results: {
        type: 'strings',
        description: 'Paths of NAME.layerif-result.json files; one alone compares its tasks, or its estimators.',
        required: true,
      },
      task,
      estimators: {
        type: 'strings',
        description: 'Estimators to compare, such as datainf, fisher, dot; default: that of each run.',
      },
    },
  },
  {
    id: 'allocate',
    title: 'Allocate by layer scores',
    description:
      'Shares out LoRA experts, LoRA ranks or sparsity among the layers by the scores of a run, or chooses layers to freeze, tune or drop. Answers with a number for each layer and with how far it would move on other samples. Writes nothing.',
    summary: 'Experts, ranks or sparsity for each layer from a run.',
    icon: '$(split-horizontal)',
    readOnly: true,
    inputs: {
      result,
      kind: { type: 'string', description: 'What is shared out.', required: true, words: allocationKinds },
      task,
      rule: { type: 'string', description: 'A rule of `layerif list rules`; default: layerif.' },
      total: { type: 'integer', description: 'Sum over layers, of experts or ranks.', minimum: 1 },
      count: { type: 'integer', description: 'Layers to freeze, tune or drop.', minimum: 1 },
      ratio: { type: 'number', description: 'Share of the weights that is removed, 0 to 1, for sparsity.', minimum: 0 },
    },
  },
  {
    id: 'list_runs',
    title: 'List runs',
    description:
      'Lists the finished and interrupted runs with their result files, newest first: model, tasks, estimator, highest layers, and whether their order can be relied on.',
    summary: 'The runs of the workspace, newest first.',
    icon: '$(list-unordered)',
    readOnly: true,
    inputs: {
      folder: { type: 'string', description: 'Only runs below this folder; default: all folders that may be read.' },
    },
  },
  {
    id: 'show_chart',
    title: 'Show the layer chart',
    description:
      'Shows the chart of the layer scores of a finished run, and says in words which layers are highest and how far their order can be relied on.',
    summary: 'The chart of layer scores of a run.',
    icon: '$(graph)',
    readOnly: true,
    inputs: { result, task },
  },
];

export function toolOf(id: ToolId): ToolRow {
  return tools.find((tool) => tool.id === id)!;
}

/** Name in VS Code, where tools of all extensions share one list. */
export const editorToolName = (id: ToolId): string => `layerif_${id}`;

export interface InputSchema {
  [key: string]: unknown;
  type: 'object';
  properties: Record<string, Record<string, unknown>>;
  required: string[];
  additionalProperties: false;
}

/** Inputs of a tool as the editor's chat has them. */
export const editorInputs = ({ inputs }: ToolRow): Record<string, ToolInput> =>
  Object.fromEntries(Object.entries(inputs).filter(([, { mcpOnly }]) => !mcpOnly));

/** JSON Schema of inputs. */
export function inputSchema(inputs: Readonly<Record<string, ToolInput>>): InputSchema {
  const property = ({ type, description, words, minimum }: ToolInput) => ({
    ...(type === 'strings' ? { type: 'array', items: { type: 'string' }, minItems: 1 } : { type }),
    description,
    ...(words ? { enum: [...words] } : {}),
    ...(minimum === undefined ? {} : { minimum }),
  });
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, property(input)])),
    required: Object.keys(inputs).filter((name) => inputs[name]!.required),
    additionalProperties: false,
  };
}

/** What the manifest of the extension declares. */
export function editorTools(): Record<string, unknown>[] {
  return tools.map((tool) => ({
    name: editorToolName(tool.id),
    displayName: tool.title,
    toolReferenceName: editorToolName(tool.id),
    userDescription: tool.summary,
    modelDescription: tool.description,
    icon: tool.icon,
    canBeReferencedInPrompt: true,
    tags: ['layerif'],
    inputSchema: inputSchema(editorInputs(tool)),
  }));
}

/** What a tool says: words for the model and the user, and the same as data. */
export interface ToolAnswer {
  text: string;
  data: Record<string, unknown>;
}
