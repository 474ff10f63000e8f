/** `layerif generate`: texts that a model writes behind prompts, given or made of a task's rows. */
import path from 'node:path';
import type { GeneratedFile, Sampling } from '../../../../protocol/generation.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { endTokens, generationConfig } from '../../checkpoints/generationConfig.ts';
import { harnessIds } from '../../data/continuations.ts';
import { conversationOf, type Message } from '../../data/chatTemplate.ts';
import { promptOf } from '../../data/context.ts';
import { fewshotForEvaluation, fewshotPool } from '../../data/fewshot.ts';
import { formatOf, readRows } from '../../data/formats.ts';
import { defaultValidation, openDataset, readSlice } from '../../data/splits.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import type { Row } from '../../data/types.ts';
import type { Architecture } from '../../models/types.ts';
import { languageConfig } from '../../models/wrappers.ts';
import { relativeTo } from '../files/paths.ts';
import { untilEnd } from '../files/ending.ts';
import { dataHashes, provenanceOf } from '../files/provenance.ts';
import { chatTemplateOf, renderPrompt } from '../inputs/chat.ts';
import { fetchModel } from '../inputs/hubInputs.ts';
import { openExperiment, readExperiment, tokenizerOf } from '../inputs/openExperiment.ts';
import { openModel } from '../inputs/openModel.ts';
import { requireTexts } from '../inputs/sampleRefusals.ts';
import { requireLanguageModel } from '../inputs/scope.ts';
import { engineFor } from '../machine/enginePool.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { generateTexts } from './generateTexts.ts';
import type { Prompt } from './generateTexts.ts';
import { samplingNotes, samplingOf } from '../../generation/settings.ts';
import type { AskedSampling } from '../../generation/settings.ts';
import { nth } from '../../lists/nth.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';

/** A prompt, and where it comes from. */
interface GivenPrompt {
  text: string;
  /** In place of the text: what a chat template renders. */
  messages?: readonly Message[] | undefined;
  tools?: readonly unknown[] | undefined;
  /** The text was rendered by a chat template: it brings its special tokens along. */
  rendered?: boolean;
  file?: string | undefined;
  line?: number | null | undefined;
}

export interface GenerateOptions {
  /** An experiment file, or a model: a folder, a .gguf file or a hub id. */
  target: string;
  /** Where relative paths start. */
  baseDir: string;
  /** In place of the rows of an experiment's tasks. */
  prompts?: readonly string[] | undefined;
  /** A file of rows with a column `prompt` or `messages`; they follow `prompts`. */
  promptsFile?: string | undefined;
  /** Of an experiment; the first one by default. */
  task?: string | undefined;
  /** First rows only. */
  limit?: number | undefined;
  /** Prompts are what a user says: rendered by the model's chat template, as conversations always are. */
  chat?: { template: true | string; system?: string | undefined } | undefined;
  /** Folder of a PEFT adapter, for a model. */
  adapter?: string | undefined;
  maxNewTokens: number;
  stop: readonly string[];
  sampling: AskedSampling;
  machine: Machine;
  engine?: EnginePool | undefined;
  onText?: ((prompt: number, piece: string) => void) | undefined;
  onNote?: ((note: string) => void) | undefined;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  signal?: AbortSignal | undefined;
}

interface Opened {
  checkpoint: Checkpoint;
  model: Architecture;
  tokenizer: TextTokenizer;
  prompts: GivenPrompt[];
  /** Whether the prompts are made of a task's rows, which say themselves whether a chat template renders them. */
  ownTexts: boolean;
}

/** Whether a word of the command line names an experiment file and no model. */
export function isExperimentFile(target: string): boolean {
  return /\.(ya?ml|json)$/i.test(target);
}

/** @throws LayerifError */
export function generateFile(options: GenerateOptions): Promise<GeneratedFile> {
  const started = performance.now();
  return untilEnd(options.signal, async (onEnd) => {
    const given = await givenPrompts(options);
    const opened = await (isExperimentFile(options.target) ? ofExperiment(options, given) : ofModel(options, given));
    const { checkpoint, model, tokenizer } = opened;
    onEnd(() => checkpoint.close());
    const prompts = rendered(opened, options);
    const pool = engineFor(options.engine, onEnd);
    requireLanguageModel(model, checkpoint, 'generation');
    const config = generationConfig(checkpoint);
    const sampling = samplingOf(options.sampling, config);
    const eos = endTokens(checkpoint, languageConfig(checkpoint.config), (token) => tokenizer.idOf(token));
    const encoded = prompts.map((prompt) => encodedPrompt(prompt, tokenizer, model, options));
    const cut = encoded.filter(({ maxNewTokens }) => maxNewTokens < options.maxNewTokens).length;
    const notes = [
      ...samplingNotes(config),
      ...tokenizer.warnings,
      ...(cut > 0
        ? [`${cut} of ${prompts.length} texts get fewer new tokens: the model has ${model.longest} positions`]
        : []),
    ];
    const texts = encoded.map(({ tokens }, i) => ({ tokens, ...placeOf(nth(prompts, i)) }));
    const facts = { what: 'prompt', task: 'generate', vocabulary: model.vocabulary, longest: undefined, tokenizer };
    requireTexts({ ...facts, texts }, 'generate');
    for (const note of notes) options.onNote?.(note);
    const engine = await pool.start(options.machine);
    const target = { checkpoint, model, adapter: checkpoint.adapter?.path ?? null };
    const made = await generateTexts(target, encoded, { eos, sampling }, { ...options, pool, tokenizer });
    return fileOf(made, { started, sampling, eos, notes, prompts, encoded, engine, checkpoint, model, options });
  });
}

function encodedPrompt(
  prompt: GivenPrompt,
  tokenizer: TextTokenizer,
  { longest = Infinity }: Architecture,
  { maxNewTokens, stop }: Pick<GenerateOptions, 'maxNewTokens' | 'stop'>,
): Prompt {
  const ids = prompt.rendered ? tokenizer.encodePlain(prompt.text) : harnessIds(tokenizer, prompt.text);
  const tokens = ids.length === 0 && tokenizer.prefix !== null ? Int32Array.of(tokenizer.prefix) : ids;
  if (tokens.length >= longest) {
    throw new LayerifError(
      'badRequest',
      `a prompt has ${tokens.length} tokens, the model has ${longest} positions and needs one for every new token; shorten ${JSON.stringify(prompt.text.slice(0, 40))}`,
      { place: placeOf(prompt) },
    );
  }
  return { tokens, maxNewTokens: Math.min(maxNewTokens, longest - tokens.length), stop };
}

function placeOf({ file, line }: GivenPrompt): { file: string; line?: number } | undefined {
  if (file === undefined) return undefined;
  return line === null || line === undefined ? { file } : { file, line };
}

/** Null where none are given. @throws LayerifError `badData` with file and line */
async function givenPrompts({ prompts = [], promptsFile, baseDir }: GenerateOptions): Promise<GivenPrompt[] | null> {
  const given: GivenPrompt[] = prompts.map((text) => ({ text }));
  if (promptsFile === undefined) return given.length > 0 ? given : null;
  const file = path.resolve(baseDir, promptsFile);
  const format = formatOf(file);
  if (format === null) {
    throw new LayerifError('badData', `${file}: prompts are read from .jsonl, .json, .csv, .tsv and .parquet files`);
  }
  for await (const { values, line, row } of readRows({ path: file, format })) {
    const messages = conversationOf(values.messages ?? values.prompt);
    if (messages === null && typeof values.prompt !== 'string') {
      throw new LayerifError(
        'badData',
        `row ${row} has neither a text in the column "prompt" nor a list of messages with role and content in "messages"; its columns: ${Object.keys(values).join(', ')}`,
        { place: placeOf({ text: '', file, line })! },
      );
    }
    const tools = Array.isArray(values.tools) ? (values.tools as unknown[]) : undefined;
    const text = typeof values.prompt === 'string' ? values.prompt : '';
    given.push({ text, file, line, ...(messages === null ? {} : { messages, tools }) });
  }
  if (given.length === 0)
    throw new LayerifError(
      'badData',
      `${file} holds no prompts; write one JSON object a line, such as {"prompt": "..."}`,
      { place: { file } },
    );
  return given;
}

/** Conversations, and with a chat template texts too, as the template renders them. @throws LayerifError */
function rendered({ checkpoint, prompts, ownTexts }: Opened, { chat }: GenerateOptions): GivenPrompt[] {
  const asked = chat !== undefined && !ownTexts;
  if (!asked && prompts.every(({ messages }) => messages === undefined)) return prompts;
  const template = chatTemplateOf(checkpoint, chat?.template);
  return prompts.map((prompt) => {
    const { text, messages, tools } = prompt;
    if (messages === undefined && !asked) return prompt;
    const said = messages ?? [{ role: 'user', content: text }];
    const system = chat?.system === undefined ? [] : [{ role: 'system', content: chat.system }];
    const conversation = said[0]?.['role'] === 'system' ? said : [...system, ...said];
    return { ...prompt, text: renderPrompt(template, conversation, { tools }, placeOf(prompt)), rendered: true };
  });
}

async function ofModel(
  { target, baseDir, adapter, signal, onProgress }: GenerateOptions,
  prompts: GivenPrompt[] | null,
): Promise<Opened> {
  const named = { path: target, ...(adapter === undefined ? {} : { adapter }) };
  if (prompts === null) {
    throw new LayerifError(
      'badRequest',
      `${target} is a model: give --prompt TEXT or --prompts FILE.jsonl, or an experiment file in its place`,
    );
  }
  await fetchModel(named, baseDir, { signal, onProgress });
  const { checkpoint, model, graph } = openModel(named, baseDir);
  requireCheckpoint(checkpoint, graph);
  return { checkpoint, model, tokenizer: tokenizerOf(checkpoint), prompts, ownTexts: false };
}

/** @throws LayerifError `badModel` for a user's graph */
function requireCheckpoint(checkpoint: Checkpoint, graph: unknown): void {
  if (!graph) return;
  checkpoint.close();
  throw new LayerifError(
    'badModel',
    `${checkpoint.path} is an ONNX graph; generate needs a checkpoint with its weights by name: the folder or .gguf file that the graph was exported from`,
  );
}

async function ofExperiment(options: GenerateOptions, given: GivenPrompt[] | null): Promise<Opened> {
  const { target, baseDir, task: wanted, limit, signal, onProgress, adapter } = options;
  const read = readExperiment(path.resolve(baseDir, target), 'generate', (experiment) =>
    adapter === undefined
      ? experiment
      : { ...experiment, model: { ...experiment.model, adapter: path.resolve(baseDir, adapter) } },
  );
  const { experiment } = read;
  const task = wanted === undefined ? experiment.tasks[0] : experiment.tasks.find((t) => t.task === wanted);
  if (!task) {
    const known = experiment.tasks.map((t) => t.task).join(', ');
    throw new LayerifError('badRequest', `there is no task "${wanted}" to generate for; tasks: ${known}`);
  }
  const opened = await openExperiment(read, { fetching: { signal, onProgress } });
  requireCheckpoint(opened.checkpoint, opened.graph);
  const { checkpoint, model, tokenizer } = opened;
  if (given) return { checkpoint, model, tokenizer, prompts: given, ownTexts: false };
  await opened.fetchDatasets([task.dataset]);
  const dataset = await openDataset(task.dataset, datasetNamed(experiment.datasets, task.dataset), read.baseDir);
  const split = task.test_split ?? task.validation_split ?? (await defaultValidation(dataset, task.training_split));
  const all = await readSlice(dataset, split);
  const rows = limit === undefined ? all : all.slice(0, limit);
  if (rows.length === 0) {
    throw new LayerifError('badData', `task "${task.task}": ${split} of ${task.dataset} has no rows to generate for`);
  }
  const fewshot = fewshotForEvaluation(task, await fewshotPool(task, dataset));
  const prompts = rows.map((row: Row): GivenPrompt => {
    return { text: promptOf(task, row, fewshot(row)), file: row.file, line: row.line };
  });
  return { checkpoint, model, tokenizer, prompts, ownTexts: true };
}

interface Made {
  started: number;
  sampling: Sampling;
  eos: number[];
  notes: string[];
  prompts: readonly GivenPrompt[];
  encoded: readonly Prompt[];
  engine: Awaited<ReturnType<EnginePool['start']>>;
  checkpoint: Checkpoint;
  model: Architecture;
  options: GenerateOptions;
}

async function fileOf(
  { texts, summary }: Awaited<ReturnType<typeof generateTexts>>,
  { started, sampling, eos, notes, prompts, encoded, engine, checkpoint, model, options }: Made,
): Promise<GeneratedFile> {
  const { seconds, counts } = summary;
  const rate = (count: number, time: number): number | null => (count > 0 && time > 0 ? count / time : null);
  return {
    format: 'layerif-generation',
    version: 1,
    model: { name: checkpoint.name, family: model.family, sha256: await checkpoint.sha256() },
    sampling,
    eos,
    stop: [...options.stop],
    maxNewTokens: options.maxNewTokens,
    notes,
    texts: texts.map(({ text, tokens, ending }, i) => {
      const { text: prompt, file, line } = nth(prompts, i);
      const place = file === undefined ? {} : { file: relativeTo(options.baseDir, file), line: line ?? null };
      return {
        prompt,
        text,
        promptTokens: nth(encoded, i).tokens.length,
        tokens,
        ending,
        ...place,
      };
    }),
    tokensPerSecond: {
      prompts: rate(counts.prompts, seconds.prompts),
      new: rate(counts.tokens, seconds.tokens),
    },
    provenance: {
      ...provenanceOf(engine, {
        seconds: (performance.now() - started) / 1000,
        dataSha256: await dataHashes(
          prompts.flatMap(({ file }) => file ?? []),
          options.baseDir,
        ),
        seed: sampling.seed,
      }),
      peakMemoryBytes: summary.peakMemoryBytes,
    },
  };
}
