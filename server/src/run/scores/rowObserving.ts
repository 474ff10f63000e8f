/** A chunk of rows through one model: every form of the texts that is asked for, observed where it is not yet. */
import { createHash } from 'node:crypto';
import type { ObserveSummary, ScoresFile, Tensors } from '../../../../protocol/scores.ts';
import type { Chunk, FactSeen, RowFold, RowNeed, RowTexts } from '../../scores/dataTypes.ts';
import { placeOf } from '../../data/splits.ts';
import { observationOf } from '../../scores/observations.ts';
import { requireUnchanged } from '../files/modelStamp.ts';
import { memoryLimit } from '../machine/machine.ts';
import { observedShape, requireMemory } from '../machine/observing.ts';
import { drawnCompletions } from './factCompletions.ts';
import { factsSeen } from './factTexts.ts';
import type { FactTexts } from './factTexts.ts';
import { observedModel } from './graphScores.ts';
import { passesOf } from './needs.ts';
import type { KeyedNeed } from './needs.ts';
import { plannedPass } from './plannedPass.ts';
import { RowForming } from './rowForming.ts';
import type { Formed } from './rowForming.ts';
import type { Plan, Scorer } from './rowPlans.ts';
import type { RowSource, SourceRow } from './rowSource.ts';
import type { ScoresOptions } from './scores.ts';
import { keepPass } from './scoresFile.ts';
import { nth } from '../../lists/nth.ts';

/** Roughly the share of a chunk's time that its pass through the model takes where completions are drawn behind it. */
const OBSERVING_SHARE = 0.2;

/** Rows whose texts and observations are in memory at a time. */
export const ROWS_PER_CHUNK = 2048;

export interface ObservingTools {
  options: Pick<ScoresOptions, 'run' | 'signal' | 'onProgress' | 'checkpointSeconds'>;
  file: ScoresFile;
  /** Program and device. */
  engine: unknown;
  baseDir: string;
}

export type Folded = { plan: Plan; fold: RowFold };

/** What a part of a chunk's work is of all rows. */
interface Span {
  from: number;
  span: number;
  total: number;
}

/** Completions that a score draws for facts. */
const completionsOf = ({ score, values }: Plan) => score.facts?.(values as never).completions ?? null;

/** Chunks of one source through one model. */
export class Observing {
  readonly #scorer: Scorer;
  readonly #tools: ObservingTools;
  readonly #passes: ObserveSummary[];
  readonly #forming: RowForming;

  constructor(
    scorer: Scorer,
    source: RowSource,
    folds: readonly Folded[],
    tools: ObservingTools,
    passes: ObserveSummary[],
    breathe: () => Promise<void>,
  ) {
    this.#scorer = scorer;
    this.#tools = tools;
    this.#passes = passes;
    const plans = folds.map(({ plan }) => plan);
    this.#forming = new RowForming(scorer, source, plans, breathe);
  }

  /** Of the rows' own texts so far, as they are trained on. */
  get tokens(): number {
    return this.#forming.tokens;
  }

  /** @returns for each score what it is shown of these rows */
  async chunk(
    rows: readonly SourceRow[],
    folds: readonly Folded[],
    { done, total, what }: { done: number; total: number; what: string },
  ): Promise<Chunk[]> {
    const plans = folds.map(({ plan }) => plan);
    const { facts, asked, ofFacts } = await this.#forming.texts(rows, plans, what);
    const asksFacts = ofFacts.flatMap((texts) => (texts ? [texts] : []));
    const drawing = plans.filter((plan) => completionsOf(plan) !== null);
    const observing = drawing.length === 0 ? rows.length : OBSERVING_SHARE * rows.length;
    const known = await this.#observed([...asked.flat(), ...asksFacts], {
      ...{ from: done, span: observing, total },
      words: `observing ${rows.length} ${what}`,
    });
    const span = (rows.length - observing) / drawing.length;
    const seen: (FactSeen[] | null)[] = [];
    for (const [i, { plan }] of folds.entries()) {
      const texts = ofFacts[i];
      if (!texts) {
        seen.push(null);
        continue;
      }
      const place = { from: done + observing + span * drawing.indexOf(plan), span, total };
      seen.push(
        factsSeen(texts.all, known.get(texts.need.key)!, await this.#completions(plan, texts.all, rows, place)),
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

  async #completions(
    plan: Plan,
    all: readonly FactTexts[],
    rows: readonly SourceRow[],
    { from, span, total }: Span,
  ): Promise<string[][][] | null> {
    const completions = completionsOf(plan);
    if (completions === null) return null;
    const { opened, files, sha256 } = this.#scorer;
    const { run, signal, onProgress } = this.#tools.options;
    const asked = all.map((one, i) => ({ ...one, place: placeOf(nth(rows, i).row) }));
    const begun = performance.now();
    const drawn = await drawnCompletions(opened, asked, completions, {
      ...{ run: run!, folder: files.folder, modelSha256: sha256, signal },
      onProgress: ({ message, ...event }) =>
        onProgress?.({ message, done: from + (span * event.done) / event.total, total }),
    });
    const { seconds } = this.#tools.file.provenance;
    seconds.completions = (seconds.completions ?? 0) + (performance.now() - begun) / 1000;
    return drawn;
  }

  async #observed(
    asked: readonly { texts: Formed; need: KeyedNeed }[],
    { from, span, total, words }: Span & { words: string },
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
      requireMemory(plan, limit, words);
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
              done: from + span * ((index + event.done / event.total) / passes.length),
              total,
              message: words,
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
