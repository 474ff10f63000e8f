/** Every option of the command line: one row each, and how a row's text becomes a value. */
import { allocationKinds } from '../../../protocol/allocation.ts';
import { deviceIds } from '../../../protocol/devices.ts';
import type { DeviceId } from '../../../protocol/devices.ts';
import { LayerifError } from '../../../protocol/errors.ts';
import { protocolIds } from '../../../protocol/experiment.ts';
import { aggregationIds, defaultPruner, prunerIds, tailFits } from '../../../protocol/methods.ts';
import { layerRules } from '../../../protocol/rows.ts';
import { explained } from './wrap.ts';

interface OptionSpec {
  type: 'string' | 'boolean';
  short?: string;
  multiple?: boolean;
  /** Name of the value in the help. */
  value?: string;
  help: string;
}

export const optionTable = {
  task: {
    type: 'string',
    multiple: true,
    value: 'NAME',
    help: 'only this task; may be given several times (default: all)',
  },
  only: {
    type: 'string',
    value: 'WORD',
    help: 'influence | scores | data_scores: only this of what the file declares',
  },
  set: {
    type: 'string',
    multiple: true,
    value: 'SCORE.OPTION=VALUE',
    help: 'an option of a score, such as avss.epsilon=0.1; may be given several times',
  },
  until: {
    type: 'string',
    value: 'SHARE',
    help: 'add rows until the rank intervals of two thirds of the layers span at most this share of the layers, such as 0.33',
  },
  'until-rows': { type: 'string', value: 'N', help: 'most training samples of a task with --until (default 2000)' },
  layer: { type: 'string', value: 'L', help: 'only this layer, counted from 0 (default: all)' },
  over: {
    type: 'string',
    value: 'WORD',
    help: `${layerRules.join(' | ')}: how the influences of several layers become one number a row (default rank)`,
  },
  top: { type: 'string', value: 'N', help: 'how many rows (default 10)' },
  keep: { type: 'string', value: 'N|P%', help: 'how many rows, or which share of them' },
  lowest: { type: 'boolean', help: 'the lowest rows in place of the highest' },
  level: { type: 'string', value: 'N', help: 'of facts: how well they are known, 0 to 4; several with commas' },
  dedup: { type: 'boolean', help: 'of rows with the same prompt and answer one alone' },
  balance: { type: 'string', value: 'COLUMN', help: 'as many rows of each value of this column, as far as there are' },
  text: { type: 'boolean', help: 'whole texts' },
  csv: { type: 'boolean', help: 'print comma-separated values' },
  markdown: { type: 'boolean', help: 'print a Markdown table' },
  without: {
    type: 'string',
    value: 'FILE',
    help: 'write the rows of the other training samples to this new file, as JSON lines',
  },
  output: { type: 'string', value: 'DIR', help: 'where results go, in place of output_dir of the experiment file' },
  method: { type: 'string', value: 'ID', help: `pruner: ${prunerIds.join(' | ')} (default ${defaultPruner})` },
  sparsity: { type: 'string', value: 'SHARE', help: 'share of weights, or of layers, to remove (default 0.5)' },
  map: { type: 'string', value: 'RULE|FILE', help: 'sparsity by layer: uniform, a rule, or an allocation file' },
  result: {
    type: 'string',
    value: 'FILE',
    help: 'result whose scores a rule reads (default: the newest of the experiment)',
  },
  structure: { type: 'string', value: 'WORD', help: 'unstructured | N:M such as 2:4 | layers (default unstructured)' },
  to: { type: 'string', value: 'TARGET', help: 'the program to write for: a target of `layerif list exports`' },
  'lora-rank': {
    type: 'string',
    value: 'N',
    help: 'LoRA rank of one expert, or where layers have none of their own (default 8)',
  },
  'lora-alpha': { type: 'string', value: 'X', help: 'LoRA alpha at that rank (default twice the rank)' },
  kind: { type: 'string', value: 'WORD', help: `${allocationKinds.join(' | ')} (default experts)` },
  rule: { type: 'string', value: 'ID', help: 'a rule of `layerif list rules` (default layerif)' },
  by: { type: 'string', value: 'ID', help: 'a layer score in place of influence: an id of `layerif list scores`' },
  total: {
    type: 'string',
    value: 'N',
    help: 'sum over layers: of experts (default 5 a layer), of ranks (default 8 a layer)',
  },
  minimum: { type: 'string', value: 'N', help: 'experts or rank that every layer gets at least (default 1)' },
  'top-k': { type: 'string', value: 'N', help: 'experts that are active per token (default 2)' },
  beta: { type: 'string', value: 'B', help: 'exponent on the scores; larger is more uneven (default 3)' },
  budget: { type: 'string', value: 'N', help: 'trainable LoRA weights, in place of a total of ranks' },
  step: { type: 'string', value: 'N', help: 'every rank is a multiple of it (default 1)' },
  count: { type: 'string', value: 'N', help: 'layers to freeze, tune or drop' },
  ratio: { type: 'string', value: 'SHARE', help: 'share of the weights that is removed (default 0.5)' },
  epsilon: { type: 'string', value: 'E', help: 'how far a layer may differ from the ratio, relatively (default 0.3)' },
  lambda: { type: 'string', value: 'X', help: 'of OWL: half the range of sparsities (default 0.08)' },
  unit: { type: 'string', value: 'WORD', help: 'block (one sparsity a layer) | matrix (default block)' },
  paper: { type: 'boolean', help: 'as the reference code: what the cap cuts off is not given to other layers' },
  aggregation: { type: 'string', value: 'ID', help: `${aggregationIds.join(' | ')} (default: the run's)` },
  fit: {
    type: 'string',
    value: 'WORD',
    help: `tail of the spectrum, for alphalora and alphapruning: ${tailFits.join(' | ')}`,
  },
  outliers: { type: 'string', value: 'FILE', help: 'JSON list of outlier ratios in %, one a layer, for the rule owl' },
  seed: { type: 'string', value: 'N', help: 'of what is drawn at random (default 0)' },
  protocol: {
    type: 'string',
    value: 'ID',
    help: `${protocolIds.join(', ')} or all (those of influence); several with commas (default: those of the experiment)`,
  },
  estimator: { type: 'string', value: 'ID', help: "estimators, several with commas (default: the run's own)" },
  factor: { type: 'string', value: 'X', help: 'damping factors, several with commas (default 0.001 to 1000)' },
  'by-depth': { type: 'boolean', help: 'compare models of different depth by relative depth' },
  validation: { type: 'string', value: 'J', help: 'validation sample, counted from 0' },
  model: { type: 'string', value: 'PATH', help: "model in place of the experiment's" },
  limit: { type: 'string', value: 'N', help: 'only the first N documents of each task' },
  'log-samples': { type: 'boolean', help: 'keep the log-likelihoods of every document in the file' },
  prompt: { type: 'string', multiple: true, value: 'TEXT', help: 'a prompt; may be given several times' },
  prompts: {
    type: 'string',
    value: 'FILE',
    help: 'prompts: .jsonl with a text under "prompt", or a conversation under "messages", in every line',
  },
  'apply-chat-template': { type: 'boolean', help: "prompts are a user's turn, rendered by the model's chat template" },
  'chat-template': { type: 'string', value: 'NAME', help: 'the same with one of several templates of the model' },
  'system-instruction': { type: 'string', value: 'TEXT', help: "the system's message before a conversation" },
  adapter: { type: 'string', value: 'DIR', help: 'folder of a PEFT LoRA adapter that is applied to the model' },
  'max-new-tokens': { type: 'string', value: 'N', help: 'most new tokens of a text (default 128)' },
  stop: { type: 'string', multiple: true, value: 'TEXT', help: 'the text ends before it; may be given several times' },
  temperature: { type: 'string', value: 'X', help: 'draw tokens at this temperature; without, the likeliest is taken' },
  'top-p': { type: 'string', value: 'P', help: 'draw from the likeliest tokens that reach this probability' },
  'min-p': { type: 'string', value: 'P', help: 'leave out tokens below this share of the largest probability' },
  'repetition-penalty': { type: 'string', value: 'X', help: 'make tokens that the text has already less likely' },
  layers: { type: 'string', value: 'N', help: 'layers of the model' },
  hidden: { type: 'string', value: 'H', help: 'hidden size' },
  ffn: { type: 'string', value: 'D', help: 'size of the feed-forward network' },
  parameters: { type: 'string', value: 'COUNT', help: 'weights, such as 8B (default: counted, else estimated)' },
  tokens: { type: 'string', value: 'COUNT', help: 'training tokens, such as 15T or 300B' },
  'precision-loss': { type: 'string', value: 'G', help: 'loss of precision from 1, BF16 (default 1)' },
  measured: { type: 'string', value: 'MMLU', help: 'a measured MMLU, 0 to 100, to compare with' },
  remove: { type: 'string', value: 'K', help: 'layers that are taken away (default: 1 to 8)' },
  search: { type: 'boolean', help: 'look for the best shapes under a budget' },
  flops: { type: 'string', value: 'N', help: 'operations of a training, such as 1e24' },
  response: {
    type: 'string',
    multiple: true,
    value: 'NAMES',
    help: 'columns to explain (default: the first with numbers)',
  },
  bins: {
    type: 'string',
    multiple: true,
    value: 'NAME=EDGES',
    help: 'groups of a column with numbers, such as Params=1.5,3,7,13',
  },
  smooth: { type: 'string', multiple: true, value: 'NAMES', help: 'columns whose effect is a smooth curve' },
  fixed: { type: 'string', multiple: true, value: 'NAMES', help: 'columns whose groups have a parameter each' },
  random: { type: 'string', value: 'NAME', help: 'column whose groups are a random effect' },
  log: { type: 'string', multiple: true, value: 'NAMES', help: 'columns that the model takes the logarithm of' },
  features: {
    type: 'string',
    multiple: true,
    value: 'NAMES',
    help: 'columns by which rows are clustered and projected',
  },
  clusters: { type: 'string', value: 'N', help: 'of k-means (default: 2 to 8, by the silhouette)' },
  project: { type: 'string', value: 'IDS', help: 'tsne, umap or both with a comma' },
  perplexity: { type: 'string', value: 'X', help: 'of t-SNE (default 30, less for few rows)' },
  neighbours: { type: 'string', value: 'N', help: 'of UMAP (default 15, less for few rows)' },
  'cluster-by': {
    type: 'string',
    value: 'NAME',
    help: 'column of what belongs together, such as the base of fine-tunes: adds a cluster bootstrap',
  },
  json: { type: 'boolean', help: 'print one JSON document on standard output and nothing else there' },
  gradients: { type: 'boolean', help: 'run the model on a few samples and check its gradients too' },
  yes: { type: 'boolean', help: 'agree to sizes and licences that are shown, and install' },
  cudnn: { type: 'boolean', help: 'install cuDNN too (517 MB more), for graphs with convolutions' },
  device: { type: 'string', value: 'ID', help: `${deviceIds.join(' | ')} (default auto)` },
  threads: { type: 'string', value: 'N', help: 'threads of the engine (default: all physical cores)' },
  memory: { type: 'string', value: 'GiB', help: 'most memory to use (default: 75 % of what is available)' },
  verbose: { type: 'boolean', help: 'log lines of the run, and a stack trace with an error' },
  help: { type: 'boolean', short: 'h', help: 'show this help' },
  version: { type: 'boolean', help: 'show the version' },
} as const satisfies Record<string, OptionSpec>;

export type OptionName = keyof typeof optionTable;

/** Options that choose the machine: every computing command takes them. */
export const machineOptions = ['device', 'threads', 'memory'] as const satisfies readonly OptionName[];

/** Options that every command takes. */
export const commonOptions = ['verbose', 'help', 'version'] as const satisfies readonly OptionName[];

/** How a command words an option that means something of its own there. */
export type OptionWords = Partial<Record<OptionName, { value?: string; help: string }>>;

/** Every option with what it does, in the words of the command. */
export function optionHelp(names: readonly OptionName[], width: number, words: OptionWords = {}): string[] {
  const row = (name: OptionName): [string, string] => {
    const { short, value, help }: OptionSpec = { ...optionTable[name], ...words[name] };
    return [`  ${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`, help];
  };
  return explained(names.map(row), width);
}

/** @throws LayerifError `badRequest`, as the two below. */
export function readDevice(text: string): DeviceId {
  if ((deviceIds as readonly string[]).includes(text)) return text as DeviceId;
  throw new LayerifError('badRequest', `--device "${text}" is not a device: use one of ${deviceIds.join(', ')}`);
}

export function readThreads(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new LayerifError(
    'badRequest',
    `--threads "${text}" is not a number of threads: use a whole number from 1, for example --threads 4`,
  );
}

/** GiB on the command line, bytes in the program. */
export function readMemory(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (value > 0) return Math.round(value * 2 ** 30);
  throw new LayerifError(
    'badRequest',
    `--memory "${text}" is not an amount of memory: use a number of GiB above 0, for example --memory 8`,
  );
}
