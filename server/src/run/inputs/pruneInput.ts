/** Everything a pruning needs to know before it starts: experiment, model, calibration texts, sparsities. */
import { defaultPruner } from '../../../../protocol/methods.ts';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment, Prune } from '../../../../protocol/experiment.ts';
import type { NOfM } from '../../../../protocol/pruning.ts';
import type { Machine } from '../../../../protocol/run.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { Checkpoint } from '../../checkpoints/types.ts';
import { loadExperiment } from '../../config/experiment.ts';
import type { GraphInputs } from '../../data/graphSamples.ts';
import { loadTask } from '../../data/loadTask.ts';
import { readPlainTexts } from '../../data/plainTexts.ts';
import type { TextTokenizer } from '../../data/tokenizer.ts';
import { languageConfig } from '../../models/wrappers.ts';
import type { Architecture } from '../../models/types.ts';
import { findPruner } from '../../pruning/pruners.ts';
import { parseStructure } from '../../pruning/structure.ts';
import type { Pruner } from '../../pruning/types.ts';
import { dataHashes } from '../files/provenance.ts';
import type { FetchOptions } from './hubInputs.ts';
import { experimentFor, openExperiment } from './openExperiment.ts';
import { requireNone } from './refusals.ts';
import { limitsOf, requireTexts } from './sampleRefusals.ts';
import type { EncodedText } from './sampleRefusals.ts';
import { prunedModelRefusals, pruneRefusals } from './supported.ts';
import type { EnginePool } from '../machine/enginePool.ts';
import { nth } from '../../lists/nth.ts';
import { take } from '../../lists/take.ts';

/** Fewer tokens say nothing about what a model's inputs look like. */
const FEWEST_TOKENS = 64;

/** What is asked for beside the experiment's `prune` section, and wins over it. */
export type PruneRequestOptions = Omit<Prune, 'calibration' | 'output'>;

export interface Calibration {
  dataset: string;
  split: string;
  samples: EncodedSample[];
  /** The same with the places that they come from. */
  texts: EncodedText[];
  tokens: number;
  dataSha256: Record<string, string>;
}

export interface PruneInput {
  /** The texts of an evaluation are read with it too. */
  readonly tokenizer: TextTokenizer;
  file: string;
  baseDir: string;
  experiment: Experiment;
  checkpoint: Checkpoint;
  model: Architecture;
  pruner: Pruner;
  /** `layers` leaves out whole layers; null = unstructured. */
  structure: NOfM | 'layers' | null;
  asked: Required<Pick<Prune, 'sparsity' | 'map'>> & Pick<Prune, 'by'>;
  /** Null where the method looks at no inputs. */
  calibration: Calibration | null;
}

/** @throws LayerifError `badExperiment`, `badModel`, `badData`, `badRequest` */
export async function preparePruning(
  file: string,
  options: PruneRequestOptions,
  fetching: FetchOptions = {},
): Promise<PruneInput> {
  const absolute = path.resolve(file);
  return pruneInputOf(loadExperiment(absolute), absolute, options, fetching);
}

/**
 * The same of an experiment that is read already.
 * @param file absolute
 * @param fetching null: what has to be downloaded is missing
 */
export async function pruneInputOf(
  experiment: Experiment,
  file: string,
  options: PruneRequestOptions,
  fetching: FetchOptions | null,
): Promise<PruneInput> {
  const section: Prune = { ...experiment.prune, ...withoutGaps(options) };
  const read = experimentFor(experiment, file, 'prune');
  requireNone(pruneRefusals, section, 'prune');
  const pruner = findPruner(section.method ?? defaultPruner);
  const { structure: word = 'unstructured' } = section;
  const structure = word === 'layers' ? word : parseStructure(word);
  const sparsity = section.sparsity ?? (structure && structure !== 'layers' ? 1 - structure.n / structure.m : 0.5);
  const opened = await openExperiment(read, { fetching });
  const { baseDir, checkpoint, model } = opened;
  try {
    if (languageConfig(checkpoint.config) !== checkpoint.config) {
      throw new LayerifError(
        'badModel',
        `${checkpoint.path}: the language model inside a multimodal model cannot be pruned in place; save it by itself first (transformers: model.language_model.save_pretrained)`,
      );
    }
    requireNone(prunedModelRefusals, { section, model }, 'prune');
    const wantsTexts = structure !== 'layers' && pruner.needs !== 'nothing';
    const tokenizer = wantsTexts ? opened.tokenizer : null;
    if (tokenizer) await opened.fetchDatasets([section.calibration?.dataset ?? nth(experiment.tasks, 0).dataset]);
    const calibration = tokenizer && (await calibrationOf(experiment, section, baseDir, tokenizer));
    if (calibration && tokenizer)
      requireTexts(
        {
          what: `calibration text`,
          task: 'prune.calibration',
          texts: calibration.texts,
          tokenizer,
          ...limitsOf(model),
        },
        'prune',
      );
    return {
      get tokenizer() {
        return opened.tokenizer;
      },
      file,
      baseDir,
      experiment,
      checkpoint,
      model,
      pruner,
      structure,
      asked: { sparsity, map: mapOf(section), ...(section.by === undefined ? {} : { by: section.by }) },
      calibration,
    };
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

/**
 * Texts as token ids, each up to `max_length` tokens; by default the training samples of the first task.
 * @param tokenizer null for a graph that takes no tokens: then samples of the first task with their arrays
 * @param key of the experiment file that names such texts
 * @throws LayerifError `badData` when they have too few tokens
 */
export async function calibrationOf(
  experiment: Experiment,
  section: Prune,
  baseDir: string,
  tokenizer: TextTokenizer | null,
  graph: GraphInputs | null = null,
  key: 'prune.calibration' | 'texts' = 'prune.calibration',
): Promise<Calibration> {
  const { dataset, split, files, samples, texts } =
    section.calibration && tokenizer
      ? await ofDataset(experiment, section.calibration, baseDir, tokenizer)
      : await ofTask(experiment, baseDir, tokenizer, graph);
  const tokens = samples.reduce((sum, sample) => sum + sample.tokens.length, 0);
  if (tokenizer && tokens < FEWEST_TOKENS) {
    throw new LayerifError(
      'badData',
      `the ${key === 'texts' ? '' : 'calibration '}texts (${split} of ${dataset}) have ${tokens} tokens together, at least ${FEWEST_TOKENS} are needed; give more or longer texts with ${key}`,
    );
  }
  const dataSha256 = await dataHashes(files, baseDir);
  return { dataset, split, samples, texts, tokens, dataSha256 };
}

type Texts = Pick<Calibration, 'dataset' | 'split' | 'samples' | 'texts'> & { files: string[] };

async function ofDataset(
  experiment: Experiment,
  { dataset, split, max_length }: NonNullable<Prune['calibration']>,
  baseDir: string,
  tokenizer: TextTokenizer,
): Promise<Texts> {
  const { texts, files } = await readPlainTexts(experiment, { dataset, split }, baseDir);
  const encoded = texts
    .map(({ text, row: { file, line } }) => ({
      tokens: tokenizer.encodeStart(text, max_length ?? experiment.model.max_length).tokens,
      file,
      line,
    }))
    .filter(({ tokens }) => tokens.length > 0);
  return { dataset, split, files, texts: encoded, samples: encoded.map(({ tokens }) => ({ tokens, countedFrom: 1 })) };
}

async function ofTask(
  experiment: Experiment,
  baseDir: string,
  tokenizer: TextTokenizer | null,
  graph: GraphInputs | null,
): Promise<Texts> {
  const [task] = take(experiment.tasks, 1);
  const { datasets, model, score } = experiment;
  const loaded = await loadTask({
    task,
    datasets,
    baseDir,
    maxLength: model.max_length,
    loss: score.loss,
    tokenizer,
    graph,
  });
  const samples = loaded.train.map(({ tokens, countedFrom, classIndex, arrays }) => ({
    tokens,
    countedFrom,
    ...(arrays ? { arrays } : {}),
    ...(classIndex === undefined ? {} : { label: classIndex }),
  }));
  return { dataset: task.dataset, split: task.training_split, files: loaded.files, samples, texts: loaded.train };
}

function withoutGaps<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** With a score alone: the rule that follows it. */
const mapOf = ({ map, by }: Prune) => map ?? (by === undefined ? 'uniform' : 'layerif');

export interface PruneOptions extends PruneRequestOptions {
  file: string;
  /** Folder of the pruned model, absolute. */
  output?: string | undefined;
  /** Result whose scores a rule reads; default: the newest complete one of the experiment. */
  resultFile?: string | undefined;
  task?: string | undefined;
  machine: Machine;
  engine?: EnginePool | undefined;
  onProgress?: ((event: { done: number; total: number; message: string }) => void) | undefined;
  onWarning?: FetchOptions['onWarning'];
  signal?: AbortSignal | undefined;
}
