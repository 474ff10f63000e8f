/** A chunk of rows through one model: every form of the texts that is asked for, observed where it is not yet. */
import { usesChat } from '../../data/chatTurns.ts';
import { byHarness } from '../../data/continuations.ts';
import { createHash } from 'node:crypto';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { Json, ModelVariant, ObserveSummary, ScoresFile, Tensors } from '../../../../protocol/scores.ts';
import type { Chunk, FactSeen, RowFacts, RowFold, RowNeed, RowTexts } from '../../scores/dataTypes.ts';
import { placeOf } from '../../data/splits.ts';
import { observationOf } from '../../scores/observations.ts';
import { requireUnchanged } from '../files/modelStamp.ts';
import { limitsOf, requireTexts } from '../inputs/sampleRefusals.ts';
import { memoryLimit } from '../machine/machine.ts';
import { observedShape, requireMemory } from '../machine/observing.ts';
import { drawnCompletions } from './factCompletions.ts';
import { factsSeen, factTexts } from './factTexts.ts';
import type { FactTexts } from './factTexts.ts';
import { observedModel } from './graphScores.ts';
import { keyed, passesOf } from './needs.ts';
import type { KeyedNeed } from './needs.ts';
import { plannedPass } from './plannedPass.ts';
import { encoded, factsOf, formed } from './rowForms.ts';
import type { Encoded } from './rowForms.ts';
import { readsTokens } from './rowPlans.ts';
import type { Plan, Scorer } from './rowPlans.ts';
import type { RowSource, SourceRow } from './rowSource.ts';
import type { ScoresOptions } from './scores.ts';
import { textsId } from './texts.ts';
import { keepPass } from './scoresFile.ts';
import { nth } from '../../lists/nth.ts';

/** Rows whose texts and observations are in memory at a time. */
export const ROWS_PER_CHUNK = 2048;
/** Rows between two looks at the event loop. */
const ROWS_PER_TURN = 64;

export interface ObservingTools {
  options: Pick<ScoresOptions, 'run' | 'signal' | 'onProgress' | 'checkpointSeconds'>;
  file: ScoresFile;
  /** Program and device. */
  engine: unknown;
  baseDir: string;
}

export type Folded = { plan: Plan; fold: RowFold };

/** Chunks of one source through one model. */
export class Observing {
  readonly #scorer: Scorer;
  readonly #source: RowSource;
  readonly #tools: ObservingTools;
  readonly #passes: ObserveSummary[];
  readonly #breathe: () => Promise<void>;
  readonly #encodes: boolean;
  readonly #texts: boolean;
  /** Of the rows' own texts, as they are trained on. */
  tokens = 0;

  constructor(
    scorer: Scorer,
    source: RowSource,
    folds: readonly Folded[],
    tools: ObservingTools,
    passes: ObserveSummary[],
    breathe: () => Promise<void>,
  ) {
    this.#scorer = scorer;
    this.#source = source;
    this.#tools = tools;
    this.#passes = passes;
    this.#breathe = breathe;
    this.#encodes = folds.some(({ plan }) => readsTokens(plan.score));
    this.#texts = folds.some(({ plan }) => plan.score.texts === true);
  }

  /** @returns for each score what it is shown of these rows */
  async chunk(
    rows: readonly SourceRow[],
    folds: readonly Folded[],
    { done, total, what }: { done: number; total: number; what: string },
  ): Promise<Chunk[]> {
    const { maxLength, task } = this.#source;
    const own = this.#scorer.opened.tokenizer;
    const tokenizer = task !== null && usesChat(task) ? byHarness(own) : own;
    const all: (Encoded | null)[] = [];
    const facts: RowFacts[] = [];
    for (const row of rows) {
      if (all.length % ROWS_PER_TURN === ROWS_PER_TURN - 1) await this.#breathe();
      const one = this.#encodes ? encoded(row, tokenizer) : null;
      all.push(one);
      const bare = { prompt: 0, answer: 0, truncated: false, merged: false };
      const known = one
        ? factsOf(one, maxLength)
        : { ...bare, emptyPrompt: row.prompt.trim() === '', emptyAnswer: row.answer.trim() === '' };
      facts.push({ ...known, text: this.#texts ? row.prompt + row.answer : '' });
      if (what === 'rows') this.tokens += one?.whole.length ?? 0;
    }
    const forms = new Map<string, Formed>();
    const asked = folds.map(({ plan }) =>
      Object.entries(plan.score.needs(plan.values as never)).map(([name, need]) => {
        const form = JSON.stringify(need.text);
        const texts = forms.get(form) ?? this.#formed(all as Encoded[], need, rows);
        forms.set(form, texts);
        return { name, texts, need: keyed(this.#filled(need), texts.id, this.#variant(need)) };
      }),
    );
    const ofFacts = folds.map(({ plan }) => this.#factTexts(plan, rows));
    const asksFacts = ofFacts.flatMap((texts) => (texts ? [texts] : []));
    const place = { done, total, rows: rows.length, what };
    const known = await this.#observed([...asked.flat(), ...asksFacts], place);
    const seen: (FactSeen[] | null)[] = [];
    for (const [i, { plan }] of folds.entries()) {
      const texts = ofFacts[i];
      seen.push(
        texts
          ? factsSeen(texts.all, known.get(texts.need.key)!, await this.#completions(plan, texts.all, rows, place))
          : null,
      );
    }
    return asked.map((needs, i) => ({
      facts,
      ...(seen[i] ? { known: seen[i] } : {}),
      observed: Object.fromEntries(
        needs.map(({ name, texts, need }): [string, RowTexts] => [name, { ...texts, tensors: known.get(need.key)! }]),
      ),
    }));
  }

  /** Every answer behind every prompt, as one set of texts; null for a score of other rows. */
  #factTexts(plan: Plan, rows: readonly SourceRow[]): { all: FactTexts[]; texts: Formed; need: KeyedNeed } | null {
    if (!plan.score.facts) return null;
    const { tokenizer } = this.#scorer.opened;
    const all = rows.map((row) => factTexts(row, plan.templates, { tokenizer, maxLength: this.#source.maxLength }));
    const samples = all.flatMap(({ continuations }) => continuations.flat());
    const places = all.flatMap(({ continuations }, i) =>
      continuations.flat().map(({ tokens }) => ({ tokens, ...placeOf(nth(rows, i).row) })),
    );
    this.#requireTexts('fact', places);
    const texts = { samples, text: new Int32Array(0), id: textsId(samples) };
    return { all, texts, need: keyed({ of: 'token_log_probabilities', options: {} }, texts.id, this.#scorer.variant) };
  }

  async #completions(
    plan: Plan,
    all: readonly FactTexts[],
    rows: readonly SourceRow[],
    { done, total }: { done: number; total: number },
  ): Promise<string[][][] | null> {
    const { completions } = plan.score.facts!(plan.values as never);
    if (completions === null) return null;
    const { opened, files, sha256 } = this.#scorer;
    const { run, signal, onProgress } = this.#tools.options;
    const asked = all.map((one, i) => ({ ...one, place: placeOf(nth(rows, i).row) }));
    const begun = performance.now();
    const drawn = await drawnCompletions(opened, asked, completions, {
      ...{ run: run!, folder: files.folder, modelSha256: sha256, signal },
      onProgress: (event) => onProgress?.({ ...event, done: done + event.done, total }),
    });
    const { seconds } = this.#tools.file.provenance;
    seconds.completions = (seconds.completions ?? 0) + (performance.now() - begun) / 1000;
    return drawn;
  }

  #variant({ base }: RowNeed): ModelVariant {
    const { variant } = this.#scorer;
    return base ? { ...variant, variant: 'base' } : variant;
  }

  /** Layer -1 is the last one. */
  #filled({ of, options }: RowNeed): { of: RowNeed['of']; options: Record<string, Json> } {
    const { layers } = this.#scorer.opened.model;
    if (!Array.isArray(options.layers)) return { of, options };
    return { of, options: { ...options, layers: options.layers.map((layer) => (layer === -1 ? layers - 1 : layer)) } };
  }

  #formed(all: readonly Encoded[], need: RowNeed, rows: readonly SourceRow[]): Formed {
    const { tokenizer } = this.#scorer.opened;
    const { maxLength } = this.#source;
    const samples: EncodedSample[] = [];
    const places: { tokens: Int32Array; file: string; line: number | null }[] = [];
    const text = Int32Array.from(all, (row, i) => {
      const sample = formed(row, need.text, { tokenizer, maxLength });
      if (!sample) return -1;
      const { file, line } = nth(rows, i).row;
      places.push({ tokens: sample.tokens, file, line });
      return samples.push(sample) - 1;
    });
    this.#requireTexts('row', places);
    return { samples, text, id: textsId(samples) };
  }

  #requireTexts(what: string, texts: Parameters<typeof requireTexts>[0]['texts']): void {
    const { tokenizer, model, graph } = this.#scorer.opened;
    const task = this.#source.task?.task ?? 'data_scores';
    requireTexts({ what, task, texts, tokenizer, ...limitsOf(model, graph) }, 'score');
  }

  async #observed(
    asked: readonly { texts: Formed; need: KeyedNeed }[],
    { done, total, rows, what }: { done: number; total: number; rows: number; what: string },
  ): Promise<ReadonlyMap<string, Tensors>> {
    const { opened, files, sha256, stamp } = this.#scorer;
    const { checkpoint, graph } = opened;
    const model = observedModel(opened.model, graph);
    const { options, file, engine, baseDir } = this.#tools;
    const known = new Map<string, Tensors>();
    const textsOf = new Map(asked.map(({ texts, need }) => [need.key, texts.samples]));
    const wanted: KeyedNeed[] = [];
    for (const { texts, need } of asked) {
      if (known.has(need.key)) continue;
      const stored = texts.samples.length === 0 ? nothing(need, observedShape(model, 0)) : files.read(need);
      if (stored) known.set(need.key, stored);
      else wanted.push(need);
    }
    if (wanted.length === 0) return known;
    const { run, signal } = options;
    const limit = memoryLimit(run!.machine);
    const planned = (needs: readonly KeyedNeed[]) => {
      const adapter = nth(needs, 0).need.model.variant === 'adapter' ? checkpoint.adapter!.path : null;
      const target = { checkpoint, model, adapter, graph: graph ? { graph, options: {} } : undefined };
      return plannedPass(needs, target, [...textsOf.get(nth(needs, 0).key)!], limit, baseDir);
    };
    const passes = passesOf(wanted, (pass) => planned(pass).memoryBytes <= limit);
    for (const [index, pass] of passes.entries()) {
      const plan = planned(pass);
      requireMemory(plan, limit, `observing ${rows} ${what}`);
      const key = createHash('sha256')
        .update(JSON.stringify([sha256, stamp, engine, pass.map((need) => need.key), plan.composition]))
        .digest('hex');
      const summary = await plan.run(
        {
          pool: run!.engine,
          machine: run!.machine,
          signal,
          onProgress: (event) =>
            options.onProgress?.({
              done: done + rows * ((index + event.done / event.total) / passes.length),
              total,
              message: `observing ${rows} ${what}`,
            }),
        },
        { workDir: files.workDir, key, checkpointSeconds: options.checkpointSeconds },
      );
      requireUnchanged(checkpoint, stamp);
      keepPass(pass, summary, { files, known, file, label: 'observe rows' });
      this.#passes.push(summary);
    }
    return known;
  }
}

interface Formed {
  samples: EncodedSample[];
  text: Int32Array;
  id: string;
}

/** Of no texts. */
function nothing({ need }: KeyedNeed, shape: ReturnType<typeof observedShape>): Tensors {
  const spec = observationOf(need.of as RowNeed['of']);
  return Object.fromEntries(
    Object.entries(spec.tensors(shape, need.options)).map(([name, dims]) => [
      name,
      { shape: dims, data: new Float64Array(0) },
    ]),
  );
}
