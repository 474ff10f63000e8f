/**
 * What lenses and hints show of finished runs. A result may be of many megabytes, so what was read of it is remembered
 * in the user's cache folder by path, size and time: it is parsed once, and by the process that ran it.
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { whatScored } from '../../../../protocol/files/result.ts';
import type { Experiment } from '../../../../protocol/experiment.ts';
import type { Result } from '../../../../protocol/result.ts';
import { writeAtomically } from '../../checkpoints/fileBytes.ts';
import { cacheFolder } from '../../checkpoints/hashFiles.ts';
import { makeFolders } from '../../files/writing.ts';
import { lookup } from '../../text/lookup.ts';
import { readFileOf } from './readFile.ts';
import { resultFiles } from './results.ts';

export type Side = 'train' | 'validation';

interface Counts {
  samples: number;
  tokens: number;
  truncated: number;
}

export interface ScoredTask {
  task: string;
  /** ISO 8601. */
  date: string;
  /** Of everything that decides the rows and tokens of a side: `textsKey`. */
  keys: Record<Side, string>;
  /** Null in a file that does not tell. */
  train: Counts | null;
  validation: Counts | null;
}

interface Entry {
  size: number;
  mtimeMs: number;
  /** Empty for a run that did not come to its end, and for an unreadable file. */
  tasks: ScoredTask[];
}

/** Runs of an experiment that are looked at. */
const NEWEST = 10;
/** Results of which something is remembered. */
const REMEMBERED = 2000;

/** Every task of an experiment file, as it was last scored to the end. */
export function lastScored(outputDir: string, name: string): Map<string, ScoredTask> {
  const files = resultFiles(outputDir, name).slice(0, NEWEST);
  const index = new Index();
  const last = new Map<string, ScoredTask>();
  for (const file of files)
    for (const scored of index.of(file)) {
      const known = last.get(scored.task);
      if (!known || known.date < scored.date) last.set(scored.task, scored);
    }
  index.save();
  return last;
}

/** Equal for two experiments whose task gives the same texts and tokens. */
export function textsKey({ model, score, datasets, tasks }: Experiment, name: string, side: Side): string {
  const task = tasks.find((one) => one.task === name);
  const slice = side === 'train' ? task?.training_split : task?.validation_split;
  const parts = [
    [model.path, model.revision, model.max_length],
    score.loss,
    slice,
    lookup(datasets, task?.dataset),
    [task?.doc_to_text, task?.doc_to_target, task?.doc_to_choice, task?.target_delimiter, task?.output_type],
    [task?.num_fewshot, task?.description],
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** The cache file; one that another program or version left in another form is as good as none. */
class Index {
  readonly #file = path.join(cacheFolder(), 'scored.json');
  readonly #entries = new Map<string, Entry>();
  #changed = false;

  constructor() {
    try {
      const { version, entries } = JSON.parse(fs.readFileSync(this.#file, 'utf8')) as {
        version: unknown;
        entries: Record<string, Entry>;
      };
      if (version !== 1) return;
      for (const [file, entry] of Object.entries(entries))
        if (Array.isArray(entry.tasks)) this.#entries.set(file, entry);
    } catch {
      // no cache yet, or an unreadable one
    }
  }

  of(file: string): ScoredTask[] {
    const { size, mtimeMs } = fs.statSync(file);
    const known = this.#entries.get(file);
    if (known?.size === size && known.mtimeMs === mtimeMs) return known.tasks;
    const tasks = read(file);
    this.#entries.delete(file);
    this.#entries.set(file, { size, mtimeMs, tasks });
    this.#changed = true;
    return tasks;
  }

  /** The newest of them. */
  save(): void {
    if (!this.#changed) return;
    const entries = Object.fromEntries([...this.#entries].slice(-REMEMBERED));
    try {
      makeFolders(path.dirname(this.#file));
      writeAtomically(this.#file, [Buffer.from(JSON.stringify({ version: 1, entries }))]);
    } catch {
      // the next look reads the results again
    }
  }
}

function read(file: string): ScoredTask[] {
  let result: Pick<Result, 'status' | 'tasks' | 'provenance' | 'experiment'>;
  try {
    result = readFileOf('result', file, undefined, whatScored);
  } catch {
    return []; // an unreadable file is nobody's last score
  }
  if (result.status !== 'complete') return [];
  const { experiment, provenance } = result;
  const key = (task: string, side: Side) => {
    try {
      return textsKey(experiment, task, side);
    } catch {
      return ''; // of an experiment in another form, such as one of an older version
    }
  };
  const counts = (side: Partial<Counts> | undefined): Counts | null =>
    typeof side?.samples === 'number' && typeof side.tokens === 'number' && typeof side.truncated === 'number'
      ? { samples: side.samples, tokens: side.tokens, truncated: side.truncated }
      : null;
  const date = new Date(provenance.date).toISOString();
  return result.tasks.map(({ task, train, validation }) => ({
    task,
    date,
    keys: { train: key(task, 'train'), validation: key(task, 'validation') },
    train: counts(train),
    validation: counts(validation),
  }));
}
