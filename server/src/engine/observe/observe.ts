/**
 * One pass of texts through the model for any number of observations. Groups of batches go one after the other, each
 * from the embedding to the last layer that anybody looks at; a group's activations are in memory or in files. What is
 * finished is saved from time to time, numbers and activations together, so that an interrupted pass goes on at the
 * layer where it was.
 */
import fs from 'node:fs';
import path from 'node:path';
import type { ObserveRequest, ObserveSummary, Tensors } from '../../../../protocol/scores.ts';
import { dtypeOf, openSafetensors, readSafetensors, writeSafetensors } from '../../checkpoints/safetensors.ts';
import { observationOf } from '../../scores/observations.ts';
import { ActivationStore } from '../sweep/activations.ts';
import type { Activations } from '../sweep/activations.ts';
import { makeBatches } from '../sweep/batch.ts';
import type { Model } from '../sweep/model.ts';
import type { Report } from '../runtime/report.ts';
import { floats, numbers } from '../runtime/runtime.ts';
import type { Tensor } from '../runtime/runtime.ts';
import { zeros } from '../grams/observedGradients.ts';
import { shapeOf } from '../sweep/observedShape.ts';
import { throughLayers } from './layerSweep.ts';
import { reducerOf } from './reducers.ts';
import { makeFolders } from '../../files/writing.ts';

/** @throws LayerifError; the AbortSignal's reason when cancelled. What is finished stays in `request.workDir`. */
export async function observe(model: Model, request: ObserveRequest, report: Report): Promise<ObserveSummary> {
  const started = performance.now();
  const { architecture, weights, runtime } = model;
  const runsBefore = runtime.runs;
  if (!request.keepChanges) weights.restore();
  weights.mode = request.weights;
  const tokens = request.texts.reduce((sum, text) => sum + text.tokens.length, 0);
  const shape = shapeOf(model, request.texts.length, tokens);
  const opened = request.observations.map(({ name, of, options }) => {
    const reducer = reducerOf(of);
    const spec = observationOf(reducer.id);
    const tensors = zeros(spec, shape, options);
    const fold = reducer.open({ model, options, texts: request.texts, shape, tensors, headRows: request.headRows });
    return { name, tensors, fold, spec };
  });
  const folds = opened.map(({ fold }) => fold);
  const byWeights = folds.filter((fold) => 'weights' in fold);
  const byHidden = folds.filter((fold) => 'hidden' in fold);
  const byInputs = folds.filter((fold) => 'inputs' in fold);
  const byLogits = folds.filter((fold) => 'logits' in fold);

  const observed = Object.fromEntries(opened.map(({ name, tensors }) => [name, tensors]));
  const state =
    request.workDir === null ? null : new SavedPass(request.workDir, request.key, request.checkpointSeconds);
  const resumed = state?.load(observed) ?? null;
  const steps = architecture.layers;
  const groups = byHidden.length + byInputs.length + byLogits.length > 0 ? request.groups : [];
  const ablations = folds.flatMap(({ own }) =>
    own ? Array.from({ length: own.rounds }, (_, i) => ({ own, round: i })) : [],
  );
  const ablated = ablations.flatMap(({ own, round }) =>
    request.ablated.flatMap((group) => {
      const texts = group.map((batch) => batch.filter(own.reads)).filter(({ length }) => length > 0);
      return texts.length > 0 ? [{ run: own.run, round, texts }] : [];
    }),
  );
  // Weights are one more round of layers, before the texts; passes with layers left out come behind.
  const rounds = (byWeights.length > 0 ? 1 : 0) + groups.length + ablated.length;
  const at = (round: number, layer: number): void =>
    report({ type: 'observing', done: round * steps + layer, total: Math.max(1, rounds * steps) });
  const from = resumed ? { round: resumed.round, layer: resumed.layer + 1 } : { round: 0, layer: 0 };
  at(from.round, from.layer);

  let round = 0;
  if (byWeights.length > 0) {
    // Nothing runs, so this is no sweep over the blocks.
    for (let layer = from.round > 0 ? steps : from.layer; layer < steps; layer++) {
      for (const fold of byWeights) await fold.weights!(layer);
      state?.save({ round, layer }, observed, null);
      at(round, layer + 1);
    }
    round++;
  }
  const store = new ActivationStore(
    request.boundaries === 'files' && request.workDir !== null ? path.join(request.workDir, 'activations') : null,
  );
  try {
    for (const group of groups) {
      const here = round++;
      if (here < from.round || (here === from.round && from.layer >= steps)) continue;
      const batches = makeBatches(architecture, 'train', request.texts, group);
      const start =
        here === from.round && resumed?.activations
          ? { from: from.layer, inputs: refill(store.make(), resumed.activations) }
          : undefined;
      const last = await throughLayers(model, batches, {
        store,
        start,
        inputs:
          byInputs.length > 0
            ? {
                statistic: 'squaredNorms',
                from: 0,
                changes: false,
                see: async (layer, inputs) => {
                  for (const fold of byInputs) await fold.inputs!(layer, inputs);
                },
              }
            : undefined,
        toTheEnd: byHidden.length + byLogits.length > 0,
        hidden: async (layer, before, after) => {
          for (const fold of byHidden) await fold.hidden!(layer, batches, before, after);
        },
        onLayer: async (layer, after) => {
          if (layer === steps - 1 && after) for (const fold of byLogits) await fold.logits!(batches, after);
          state?.save({ round: here, layer }, observed, after && { batches: batches.length, states: [after] });
          at(here, layer + 1);
        },
      });
      if (last) store.release(last);
    }
    for (const { run, round: own, texts } of ablated) {
      const here = round++;
      if (here < from.round || (here === from.round && from.layer >= steps)) continue;
      const batches = makeBatches(architecture, 'train', request.texts, texts);
      const kept = here === from.round ? resumed?.activations : null;
      const start = kept ? { layer: from.layer, states: refillAll(store.make, kept, batches.length) } : undefined;
      const states = await run(own, batches, {
        store,
        start,
        onLayer: (layer, after) => {
          // Losses are added up behind the last layer: before that it is not finished.
          if (layer === steps - 1) return;
          state?.save({ round: here, layer }, observed, { batches: batches.length, states: after });
          at(here, layer + 1);
        },
      });
      for (const held of states) store.release(held);
      state?.save({ round: here, layer: steps - 1 }, observed, null);
      at(here, steps);
    }
  } finally {
    store.close();
  }
  state?.remove();
  for (const { tensors, spec } of opened) for (const name of spec.scratch ?? []) delete tensors[name];
  return {
    observations: observed,
    sessionRuns: runtime.runs - runsBefore,
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    resumedLayers: from.round * steps + from.layer,
  };
}

function refill(activations: Activations, tensors: readonly Tensor[]): Activations {
  for (const tensor of tensors) activations.push(tensor);
  return activations;
}

/** Several states, each of `batches` tensors. */
function refillAll(make: () => Activations, tensors: readonly Tensor[], batches: number): Activations[] {
  return Array.from({ length: tensors.length / batches }, (_, i) =>
    refill(make(), tensors.slice(i * batches, (i + 1) * batches)),
  );
}

interface Place {
  round: number;
  layer: number;
}

/** Numbers of all observations behind a layer, and its output, in one file that is replaced as a whole. */
class SavedPass {
  readonly #file: string;
  readonly #key: string;
  readonly #milliseconds: number;
  #saved = performance.now();

  constructor(folder: string, key: string, seconds: number) {
    makeFolders(folder);
    this.#file = path.join(folder, 'pass.safetensors');
    this.#key = key;
    this.#milliseconds = 1000 * seconds;
  }

  /**
   * Fills in what an interrupted pass of the same key has left; a file of another pass, or a damaged one, counts for
   * nothing.
   */
  load(observed: Record<string, Tensors>): (Place & { activations: Tensor[] | null }) | null {
    if (!fs.existsSync(this.#file)) return null;
    try {
      const { metadata, tensor } = readSafetensors(this.#file);
      if (metadata.key !== this.#key) return null;
      const parts = each(observed).map(({ name, data }) => ({ data, stored: tensor(name) as typeof data }));
      const kept = openSafetensors(this.#file).tensors.filter(({ name }) => name.startsWith('activations.'));
      const activations = kept.map(({ name, shape }) => floats(tensor(name) as Float32Array, shape));
      for (const { data, stored } of parts) data.set(stored);
      const place = { round: Number(metadata.round), layer: Number(metadata.layer) };
      return { ...place, activations: activations.length > 0 ? activations : null };
    } catch {
      return null;
    }
  }

  save(
    { round, layer }: Place,
    observed: Record<string, Tensors>,
    state: { batches: number; states: readonly Activations[] } | null,
  ): void {
    const begun = performance.now();
    if (begun - this.#saved < this.#milliseconds) return;
    const places = (state?.states ?? []).flatMap((of) => Array.from({ length: state!.batches }, (_, b) => ({ of, b })));
    const activations = places.map(({ of, b }, i) => {
      const { dims } = of.at(b)!;
      const data = () => numbers(of.at(b)!);
      return { name: `activations.${String(i).padStart(6, '0')}`, dtype: 'F32' as const, shape: [...dims], data };
    });
    const sums = each(observed).map((one) => ({ ...one, dtype: dtypeOf(one.data) }));
    const metadata = { key: this.#key, round: String(round), layer: String(layer) };
    writeSafetensors(this.#file, [...sums, ...activations], metadata);
    const end = performance.now();
    // Saving takes at most a tenth of the time, however large the activations are.
    const pause = this.#milliseconds === 0 ? 0 : Math.max(this.#milliseconds, 9 * (end - begun));
    this.#saved = end + pause - this.#milliseconds;
  }

  remove(): void {
    fs.rmSync(this.#file, { force: true });
  }
}

function each(observed: Record<string, Tensors>): ({ name: string } & Tensors[string])[] {
  return Object.entries(observed).flatMap(([of, tensors]) =>
    Object.entries(tensors).map(([name, tensor]) => ({ name: `${of}/${name}`, ...tensor })),
  );
}

/**
 * Adds another part of the same observation: other layers, or other texts.
 * @throws Error for numbers of another shape
 */
export function mergeObservations(into: Tensors, other: Tensors): void {
  for (const [name, { data }] of Object.entries(into)) {
    const more = other[name]?.data;
    if (more?.length !== data.length) throw new Error(`${name} has ${more?.length ?? 0} numbers, not ${data.length}`);
    for (let i = 0; i < data.length; i++) data[i] += more[i];
  }
}
