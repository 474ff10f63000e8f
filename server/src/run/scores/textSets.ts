/** Texts of an experiment as scores ask for them, each set read once; with labels where a score looks for them. */
import type { Experiment, ScoredTexts, TextSource } from '../../../../protocol/experiment.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { Labels } from '../../scores/types.ts';
import { LayerifError } from '../../../../protocol/errors.ts';
import { dataHashes } from '../files/provenance.ts';
import { graphInputs } from '../inputs/openModel.ts';
import type { OpenExperiment } from '../inputs/openExperiment.ts';
import { calibrationOf } from '../inputs/pruneInput.ts';
import { limitsOf, requireTexts } from '../inputs/sampleRefusals.ts';
import { answerTexts } from './answerTexts.ts';
import type { AnswerTools } from './answerTexts.ts';
import type { View, ViewAsk } from '../../scores/views.ts';
import { audioTexts } from './audioTexts.ts';
import { labelledTexts } from './labelledTexts.ts';
import type { LabelSource } from './labelledTexts.ts';
import { textsId } from './texts.ts';
import type { SecondModel } from './secondModel.ts';
import { drawnStretches, drawnTokens, wordTexts } from './viewedTexts.ts';
import { nth } from '../../lists/nth.ts';

export interface TextSet {
  /** Hash of the token ids. */
  id: string;
  words: string;
  samples: EncodedSample[];
  labels?: Labels;
  /** Where vectors of stretches are looked at: what is known of each. */
  view?: View;
}

/** How many texts the words of a table name; 0 where they name none. */
export function countOf(words: string | null): number {
  return Number(/: ([\d,]+) (?:texts|samples)\b/.exec(words ?? '')?.[1]?.replaceAll(',', '') ?? 0);
}

/** Texts of the experiment, read once for all scores that ask for the same. */
export class TextSets {
  readonly #opened: OpenExperiment;
  readonly #experiment: Experiment;
  /** Task that was chosen, whose samples are the default texts. */
  readonly #task: string | null;
  readonly #known: Map<string, TextSet>;
  readonly dataSha256: Record<string, string>;

  constructor(opened: OpenExperiment, chosen?: { task: string; sets: TextSets }) {
    this.#opened = opened;
    this.#task = chosen?.task ?? null;
    this.#experiment = chosen ? withTaskFirst(opened.experiment, chosen.task) : opened.experiment;
    this.#known = chosen ? chosen.sets.#known : new Map<string, TextSet>();
    this.dataSha256 = chosen?.sets.dataSha256 ?? {};
  }

  /** The same for a score of one task. @throws LayerifError `badRequest` for a task that is not there */
  ofTask(task: string | undefined): TextSets {
    return task === undefined ? this : new TextSets(this.#opened, { task, sets: this });
  }

  /** A set that is read already, by what it was asked by; else it is read and kept. */
  async #kept(asked: unknown, read: () => Promise<TextSet>): Promise<TextSet> {
    const name = JSON.stringify([this.#task, asked]);
    const known = this.#known.get(name);
    if (known) return known;
    const set = await read();
    const words = `task ${this.#task ?? ''}, `;
    if (this.#task !== null && !set.words.startsWith(words)) set.words = `${words}${set.words}`;
    this.#known.set(name, set);
    return set;
  }

  /** @throws LayerifError `badData` */
  of(asked: TextSource | undefined): Promise<TextSet> {
    const source = asked ?? this.#experiment.prune?.calibration;
    return this.#kept(source ?? null, () => this.#plain(asked, source));
  }

  async #plain(asked: TextSource | undefined, source: TextSource | undefined): Promise<TextSet> {
    const { baseDir, model } = this.#opened;
    const experiment = this.#experiment;
    await this.#opened.fetchDatasets([source?.dataset ?? nth(experiment.tasks, 0).dataset]);
    const { graph } = this.#opened;
    const tokenizer = graph?.tokens === false ? null : this.#opened.tokenizer;
    if (!tokenizer && asked) {
      throw new LayerifError(
        'badRequest',
        `texts: ${graph!.file.path} takes no tokens, so it reads no texts of dataset "${asked.dataset}"; leave the key out: the samples of the first task are read`,
      );
    }
    const key = source && !asked ? 'prune.calibration' : 'texts';
    const { dataset, split, samples, texts, tokens, dataSha256 } = await calibrationOf(
      experiment,
      source === undefined ? {} : { calibration: source },
      baseDir,
      tokenizer,
      graph && graphInputs(this.#opened),
      key,
    );
    requireTexts({ what: 'calibration text', task: key, texts, tokenizer, ...limitsOf(model, graph) }, 'score');
    const words = tokenizer
      ? `${split} of ${dataset}: ${samples.length} texts, ${tokens.toLocaleString('en-US')} tokens`
      : `${split} of ${dataset}: ${samples.length} samples`;
    Object.assign(this.dataSha256, dataSha256);
    return { id: textsId(samples), words, samples };
  }

  /** @throws LayerifError `badData` for texts without labels, of one class, or too few */
  labelled(asked: ScoredTexts | undefined): Promise<TextSet> {
    const source = asked ?? this.#training();
    return this.#kept(['labelled', source], () => this.#withLabels(source));
  }

  /** Training samples of the first task, or of the chosen one, whose answers are the labels then. */
  #training(): LabelSource {
    const task = nth(this.#experiment.tasks, 0);
    const source = { dataset: task.dataset, split: task.training_split };
    return this.#task === null ? source : { ...source, answers: true };
  }

  /** The same rows by the tokenizer of a second model. @throws LayerifError `badData` */
  labelledBy(asked: ScoredTexts | undefined, second: SecondModel): Promise<TextSet> {
    const source = asked ?? this.#training();
    return this.#kept(['labelled by', second.variant.sha256, source], () => this.#withLabels(source, second));
  }

  async #withLabels(source: LabelSource, second?: SecondModel): Promise<TextSet> {
    const { baseDir } = this.#opened;
    const experiment = this.#experiment;
    await this.#opened.fetchDatasets([source.dataset]);
    const { model, graph } = second?.opened ?? this.#opened;
    const { tokenizer } = second ?? this.#opened;
    const { texts, labels, words, files } = await labelledTexts(experiment, source, baseDir, tokenizer);
    requireTexts({ what: 'labelled text', task: 'texts', texts, tokenizer, ...limitsOf(model, graph) }, 'score');
    const samples = texts.map(({ tokens }) => ({ tokens, countedFrom: 1 }));
    Object.assign(this.dataSha256, await dataHashes(files, baseDir));
    return { id: textsId(samples), words, samples, labels };
  }

  /**
   * @param write of the model itself
   * @throws LayerifError `badData` for answers of one kind alone, or of which nothing says whether they are
   *   hallucinated
   */
  answers(asked: ScoredTexts | undefined, write: AnswerTools['write']): Promise<TextSet> {
    const source = asked ?? this.#training();
    return this.#kept(['answers', source], () => this.#answers(source, write));
  }

  async #answers(source: ScoredTexts, write: AnswerTools['write']): Promise<TextSet> {
    const { baseDir, model } = this.#opened;
    const experiment = this.#experiment;
    await this.#opened.fetchDatasets([source.dataset]);
    const { tokenizer } = this.#opened;
    const { samples, places, labels, words, files } = await answerTexts(experiment, source, baseDir, {
      tokenizer,
      write,
    });
    const texts = samples.map(({ tokens }, i) => ({ tokens, ...places[i] }));
    requireTexts({ what: 'answer', task: 'texts', texts, tokenizer, ...limitsOf(model, this.#opened.graph) }, 'score');
    Object.assign(this.dataSha256, await dataHashes(files, baseDir));
    return { id: textsId(samples), words, samples, labels };
  }

  /** @throws LayerifError `badData` for texts without labels where the view needs them, or too few */
  viewed(asked: ScoredTexts | undefined, ask: ViewAsk): Promise<TextSet> {
    return this.#kept(['viewed', asked ?? null, ask], async () => {
      const { words, viewed } =
        asked?.audio !== undefined
          ? await this.#audio(asked, ask)
          : ask.view === 'label'
            ? await this.#stretches(asked, ask)
            : await this.#tokens(asked, ask);
      return { id: textsId(viewed.samples), words, samples: viewed.samples, view: viewed.view };
    });
  }

  async #audio(asked: ScoredTexts, ask: ViewAsk) {
    const { baseDir, graph } = this.#opened;
    const experiment = this.#experiment;
    await this.#opened.fetchDatasets([asked.dataset]);
    const { words, files, ...viewed } = await audioTexts(experiment, asked, ask, { baseDir, graph });
    Object.assign(this.dataSha256, await dataHashes(files, baseDir));
    return { words, viewed };
  }

  async #tokens(asked: ScoredTexts | undefined, ask: ViewAsk) {
    const { words, samples } = await this.of(asked && sourceOf(asked));
    return { words, viewed: drawnTokens(samples, ask, words) };
  }

  async #stretches(asked: ScoredTexts | undefined, ask: ViewAsk) {
    const { baseDir, model } = this.#opened;
    const experiment = this.#experiment;
    const source = asked ?? this.#training();
    await this.#opened.fetchDatasets([source.dataset]);
    const { tokenizer } = this.#opened;
    const inWords = Object.hasOwn(experiment.datasets, source.dataset)
      ? await wordTexts(experiment, source, ask, { baseDir, tokenizer })
      : null;
    if (inWords) {
      const { texts, labelled, left, words, files } = inWords;
      requireTexts(
        { what: 'labelled text', task: 'texts', texts, tokenizer, ...limitsOf(model, this.#opened.graph) },
        'score',
      );
      Object.assign(this.dataSha256, await dataHashes(files, baseDir));
      const samples = texts.map(({ tokens }) => ({ tokens, countedFrom: 1 }));
      const viewed = drawnStretches(samples, labelled, ask, { words, what: 'words' });
      if (left > 0) viewed.view.words += `, ${left} words left out that are cut off or share a token with another`;
      return { words, viewed };
    }
    const { texts, labels, words, files } = await labelledTexts(experiment, source, baseDir, tokenizer, 1);
    requireTexts(
      { what: 'labelled text', task: 'texts', texts, tokenizer, ...limitsOf(model, this.#opened.graph) },
      'score',
    );
    Object.assign(this.dataSha256, await dataHashes(files, baseDir));
    const samples = texts.map(({ tokens }) => ({ tokens, countedFrom: 1 }));
    const labelled = samples.map(({ tokens }, text) => ({
      text,
      from: ask.pool === 'mean' ? 0 : tokens.length - 1,
      to: tokens.length,
      label: nth(labels.names, nth(labels.of, text)),
    }));
    return { words, viewed: drawnStretches(samples, labelled, ask, { words, what: 'vectors' }) };
  }

  samples(id: string | null): EncodedSample[] {
    return [...this.#known.values()].find((set) => set.id === id)?.samples ?? [];
  }
}

/** The experiment as if it had this task first, and texts of its own nowhere else. */
function withTaskFirst(experiment: Experiment, name: string): Experiment {
  const task = experiment.tasks.find((one) => one.task === name);
  if (!task) {
    const known = experiment.tasks.map((one) => one.task).join(', ');
    throw new LayerifError('badRequest', `there is no task "${name}" to take texts from; tasks: ${known}`);
  }
  return { ...experiment, prune: {}, tasks: [task, ...experiment.tasks.filter((one) => one !== task)] };
}

function sourceOf({ dataset, split, max_length }: ScoredTexts): TextSource {
  return { dataset, split, ...(max_length === undefined ? {} : { max_length }) };
}
