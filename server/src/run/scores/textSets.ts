/** Texts of an experiment as scores ask for them, each set read once; with labels where a score looks for them. */
import type { ScoredTexts, TextSource } from '../../../../protocol/experiment.ts';
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
import { textsId } from './texts.ts';
import { drawnStretches, drawnTokens, wordTexts } from './viewedTexts.ts';

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
  return Number(/: ([\d,]+) (?:texts|samples)\b/.exec(words ?? '')?.[1].replaceAll(',', '') ?? 0);
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
    const { graph } = this.#opened;
    const tokenizer = graph?.tokens === false ? null : this.#opened.tokenizer;
    if (!tokenizer && asked) {
      throw new LayerifError(
        'badRequest',
        `texts: ${graph!.file.path} takes no tokens, so it reads no texts of dataset "${asked.dataset}"; leave the key out: the samples of the first task are read`,
      );
    }
    const { dataset, split, samples, texts, tokens, dataSha256 } = await calibrationOf(
      experiment,
      source === undefined ? {} : { calibration: source },
      baseDir,
      tokenizer,
      graph && graphInputs(this.#opened),
    );
    const task = asked ? 'texts' : 'prune.calibration';
    requireTexts({ what: 'calibration text', task, texts, tokenizer, ...limitsOf(model, graph) }, 'score');
    const words = tokenizer
      ? `${split} of ${dataset}: ${samples.length} texts, ${tokens.toLocaleString('en-US')} tokens`
      : `${split} of ${dataset}: ${samples.length} samples`;
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
    requireTexts(
      { what: 'labelled text', task: 'texts', texts, tokenizer, ...limitsOf(model, this.#opened.graph) },
      'score',
    );
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
    requireTexts({ what: 'answer', task: 'texts', texts, tokenizer, ...limitsOf(model, this.#opened.graph) }, 'score');
    Object.assign(this.dataSha256, await dataHashes(files, baseDir));
    const set = { id: textsId(samples), words, samples, labels };
    this.#known.set(name, set);
    return set;
  }

  /** @throws LayerifError `badData` for texts without labels where the view needs them, or too few */
  async viewed(asked: ScoredTexts | undefined, ask: ViewAsk): Promise<TextSet> {
    const name = JSON.stringify(['viewed', asked ?? null, ask]);
    const known = this.#known.get(name);
    if (known) return known;
    const { words, viewed } =
      asked?.audio !== undefined
        ? await this.#audio(asked, ask)
        : ask.view === 'label'
          ? await this.#stretches(asked, ask)
          : await this.#tokens(asked, ask);
    const set = { id: textsId(viewed.samples), words, samples: viewed.samples, view: viewed.view };
    this.#known.set(name, set);
    return set;
  }

  async #audio(asked: ScoredTexts, ask: ViewAsk) {
    const { experiment, baseDir, graph } = this.#opened;
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
    const { experiment, baseDir, model } = this.#opened;
    const [task] = experiment.tasks;
    const source = asked ?? { dataset: task.dataset, split: task.training_split };
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
      label: labels.names[labels.of[text]],
    }));
    return { words, viewed: drawnStretches(samples, labelled, ask, { words, what: 'vectors' }) };
  }

  samples(id: string | null): EncodedSample[] {
    return [...this.#known.values()].find((set) => set.id === id)?.samples ?? [];
  }
}

function sourceOf({ dataset, split, max_length }: ScoredTexts): TextSource {
  return { dataset, split, ...(max_length === undefined ? {} : { max_length }) };
}
