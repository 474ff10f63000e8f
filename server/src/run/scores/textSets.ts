/** Texts of an experiment as scores ask for them, each set read once; with labels where a score looks for them. */
import type { ScoredTexts, TextSource } from '../../../../protocol/experiment.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { Labels } from '../../scores/types.ts';
import { dataHashes } from '../files/provenance.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';
import { calibrationOf } from '../inputs/pruneInput.ts';
import { limitsOf, requireTexts } from '../inputs/sampleRefusals.ts';
import { answerTexts } from './answerTexts.ts';
import type { AnswerTools } from './answerTexts.ts';
import { labelledTexts } from './labelledTexts.ts';
import { textsId } from './texts.ts';

export interface TextSet {
  /** Hash of the token ids. */
  id: string;
  words: string;
  samples: EncodedSample[];
  labels?: Labels;
}

/** How many texts the words of a table name; 0 where they name none. */
export function countOf(words: string | null): number {
  return Number(/: ([\d,]+) texts\b/.exec(words ?? '')?.[1].replaceAll(',', '') ?? 0);
}

/** Texts of the experiment, read once for all scores that ask for the same. */
export class TextSets {
  readonly #opened: OpenExperiment;
  readonly #known = new Map<string, TextSet>();
  readonly dataSha256: Record<string, string> = {};

  constructor(opened: OpenExperiment) {
    this.#opened = opened;
  }

  /** @throws LayerifError `badData` */
  async of(asked: TextSource | undefined): Promise<TextSet> {
    const { experiment, baseDir, model } = this.#opened;
    const source = asked ?? experiment.prune?.calibration;
    const name = JSON.stringify(source ?? null);
    const known = this.#known.get(name);
    if (known) return known;
    await this.#opened.fetchDatasets([source?.dataset ?? experiment.tasks[0].dataset]);
    const { tokenizer } = this.#opened;
    const { dataset, split, samples, texts, tokens, dataSha256 } = await calibrationOf(
      experiment,
      source === undefined ? {} : { calibration: source },
      baseDir,
      tokenizer,
    );
    const task = asked ? 'texts' : 'prune.calibration';
    requireTexts({ what: 'calibration text', task, texts, tokenizer, ...limitsOf(model) }, 'score');
    const words = `${split} of ${dataset}: ${samples.length} texts, ${tokens.toLocaleString('en-US')} tokens`; // read by countOf
    const set = { id: textsId(samples), words, samples };
    Object.assign(this.dataSha256, dataSha256);
    this.#known.set(name, set);
    return set;
  }

  /** @throws LayerifError `badData` for texts without labels, of one class, or too few */
  async labelled(asked: ScoredTexts | undefined): Promise<TextSet> {
    const { experiment, baseDir, model } = this.#opened;
    const [task] = experiment.tasks;
    const source = asked ?? { dataset: task.dataset, split: task.training_split };
    const name = JSON.stringify(['labelled', source]);
    const known = this.#known.get(name);
    if (known) return known;
    await this.#opened.fetchDatasets([source.dataset]);
    const { tokenizer } = this.#opened;
    const { texts, labels, words, files } = await labelledTexts(experiment, source, baseDir, tokenizer);
    requireTexts({ what: 'labelled text', task: 'texts', texts, tokenizer, ...limitsOf(model) }, 'score');
    const samples = texts.map(({ tokens }) => ({ tokens, countedFrom: 1 }));
    Object.assign(this.dataSha256, await dataHashes(files, baseDir));
    const set = { id: textsId(samples), words, samples, labels };
    this.#known.set(name, set);
    return set;
  }

  /**
   * @param write of the model itself
   * @throws LayerifError `badData` for answers of one kind alone, or of which nothing says whether they are
   *   hallucinated
   */
  async answers(asked: ScoredTexts | undefined, write: AnswerTools['write']): Promise<TextSet> {
    const { experiment, baseDir, model } = this.#opened;
    const [task] = experiment.tasks;
    const source = asked ?? { dataset: task.dataset, split: task.training_split };
    const name = JSON.stringify(['answers', source]);
    const known = this.#known.get(name);
    if (known) return known;
    await this.#opened.fetchDatasets([source.dataset]);
    const { tokenizer } = this.#opened;
    const { samples, places, labels, words, files } = await answerTexts(experiment, source, baseDir, {
      tokenizer,
      write,
    });
    const texts = samples.map(({ tokens }, i) => ({ tokens, ...places[i] }));
    requireTexts({ what: 'answer', task: 'texts', texts, tokenizer, ...limitsOf(model) }, 'score');
    Object.assign(this.dataSha256, await dataHashes(files, baseDir));
    const set = { id: textsId(samples), words, samples, labels };
    this.#known.set(name, set);
    return set;
  }

  samples(id: string | null): EncodedSample[] {
    return [...this.#known.values()].find((set) => set.id === id)?.samples ?? [];
  }
}
