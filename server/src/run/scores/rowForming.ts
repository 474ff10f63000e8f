/**
 * A chunk of rows in the forms that scores ask for, before a model runs: what is wrong with a row is said here, by
 * whoever reads the rows.
 */
import { usesChat } from '../../data/chatTurns.ts';
import { byHarness } from '../../data/continuations.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import type { Json, ModelVariant } from '../../../../protocol/scores.ts';
import type { RowFacts, RowNeed } from '../../scores/dataTypes.ts';
import { placeOf } from '../../data/splits.ts';
import { limitsOf, requireTexts } from '../inputs/sampleRefusals.ts';
import { factTexts } from './factTexts.ts';
import type { FactTexts } from './factTexts.ts';
import { keyed } from './needs.ts';
import type { KeyedNeed } from './needs.ts';
import { encoded, factsOf, formed } from './rowForms.ts';
import type { Encoded } from './rowForms.ts';
import { readsTokens } from './rowPlans.ts';
import type { Plan, Scorer } from './rowPlans.ts';
import type { RowSource, SourceRow } from './rowSource.ts';
import { textsId } from './texts.ts';
import { nth } from '../../lists/nth.ts';

/** Rows between two looks at the event loop. */
const ROWS_PER_TURN = 64;

export interface Formed {
  samples: EncodedSample[];
  text: Int32Array;
  id: string;
}

export class RowForming {
  readonly #scorer: Scorer;
  readonly #source: RowSource;
  readonly #breathe: () => Promise<void>;
  readonly #encodes: boolean;
  readonly #texts: boolean;
  /** Of the rows' own texts, as they are trained on. */
  tokens = 0;

  /** @param plans of one source and one model */
  constructor(scorer: Scorer, source: RowSource, plans: readonly Plan[], breathe: () => Promise<void>) {
    this.#scorer = scorer;
    this.#source = source;
    this.#breathe = breathe;
    this.#encodes = plans.some(({ score }) => readsTokens(score));
    this.#texts = plans.some(({ score }) => score.texts === true);
  }

  /** What the rows are to the model, before it runs. @throws LayerifError `badData`, `badModel` with file and line */
  async texts(rows: readonly SourceRow[], plans: readonly Plan[], what: string) {
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
    const asked = plans.map((plan) =>
      Object.entries(plan.score.needs(plan.values as never)).map(([name, need]) => {
        const form = JSON.stringify(need.text);
        const texts = forms.get(form) ?? this.#formed(all as Encoded[], need, rows);
        forms.set(form, texts);
        return { name, texts, need: keyed(this.#filled(need), texts.id, this.#variant(need)) };
      }),
    );
    return { facts, asked, ofFacts: plans.map((plan) => this.#factTexts(plan, rows)) };
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
}
