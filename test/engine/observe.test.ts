/**
 * Every observation equals float64 PyTorch, however its texts go through the model: together and padded, one by one,
 * with streamed weights, with activations in files, in two parts that are added up, and continued after an interruption
 * at every layer.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { ObserveRequest, ObserveSummary } from '../../protocol/scores.ts';
import { mergeObservations, observe } from '../../server/src/engine/observe/observe.ts';
import { reducers } from '../../server/src/engine/observe/reducers.ts';
import { Model } from '../../server/src/engine/sweep/model.ts';
import { Runtime } from '../../server/src/engine/runtime/runtime.ts';
import { observationOf, observations } from '../../server/src/scores/observations.ts';
import { observationCases, scoresReference, withSpans } from './observations.ts';
import type { Family, ObservationCase } from './observations.ts';
import { casesFolder, relativeError, samplesOf } from './reference.ts';

const families: Family[] = ['llama/biases', 'gpt2/by_layer'];
const reference = scoresReference();

function open(family: Family, cases: readonly ObservationCase[]) {
  const modelPath = path.join(casesFolder, family);
  const model = Model.open(new Runtime('cpu', 1), modelPath);
  const texts = withSpans(samplesOf(family));
  const all = texts.map((_, i) => i);
  const request: ObserveRequest = {
    modelPath,
    texts,
    groups: [[all]],
    ablated: [[all]],
    weights: 'resident',
    keepChanges: false,
    boundaries: 'memory',
    headRows: 5,
    observations: cases.map(({ of, options }, i) => ({ name: String(i), of, options })),
    workDir: null,
    key: 'test',
    checkpointSeconds: 0,
  };
  const singles = all.map((i) => [i]);
  return { model, request, all, singles };
}

function temporary(t: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-observe-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function requireRight(
  family: Family,
  cases: readonly ObservationCase[],
  found: ObserveSummary['observations'],
  layers: number,
) {
  const texts = samplesOf(family);
  for (const [i, { of, options, expected, seen }] of cases.entries()) {
    const data = Object.fromEntries(Object.entries(found[i]).map(([name, tensor]) => [name, tensor.data]));
    const numbers: Record<string, ArrayLike<number>> = seen ? seen(data, layers, reference[family], texts) : data;
    for (const [name, values] of Object.entries(expected(reference[family], family, texts))) {
      const what = `${family} ${of} ${JSON.stringify(options)} ${name}`;
      assert.equal(numbers[name].length, values.length, what);
      const error = relativeError(numbers[name], values);
      assert.ok(error < 2e-5, `${what}: relative error ${error}`);
    }
  }
}

test('every observation has a reducer and a case', () => {
  const ids = Object.entries(observations).flatMap(([id, { reads }]) => (/gradients|changes/.test(reads) ? [] : [id]));
  assert.deepEqual(Object.keys(reducers).sort(), ids.sort());
  assert.deepEqual([...new Set(observationCases.map(({ of }) => of))].sort(), ids.sort());
});

for (const family of families) {
  test(`${family}: padded, alone, in groups, streamed and from files, all observations in one pass`, async (t) => {
    const { model, request, singles } = open(family, observationCases);
    const apart = observationCases.filter(({ of }) => observationOf(of).textsApart);
    const only = { observations: apart.map(({ of, options }, i) => ({ name: String(i), of, options })) };
    const { layers } = model.architecture;
    for (const change of [{}, { groups: [singles], ablated: [singles] }, { weights: 'streamed' as const }]) {
      requireRight(
        family,
        observationCases,
        (await observe(model, { ...request, ...change }, () => undefined)).observations,
        layers,
      );
    }
    const groups = singles.map((one) => [one]);
    requireRight(
      family,
      apart,
      (await observe(model, { ...request, ...only, groups, ablated: groups }, () => undefined)).observations,
      layers,
    );
    const files = { boundaries: 'files' as const, workDir: temporary(t) };
    requireRight(
      family,
      observationCases,
      (await observe(model, { ...request, ...files }, () => undefined)).observations,
      layers,
    );
    assert.deepEqual(fs.readdirSync(files.workDir), []);
    await model.release();
  });

  test(`${family}: two parts of the texts, added up`, async () => {
    const apart = observationCases.filter(
      ({ of }) => observationOf(of).textsApart && observationOf(of).reads !== 'weights',
    );
    const { model, request, all } = open(family, apart);
    const part = async (texts: number[]) =>
      (await observe(model, { ...request, groups: [[texts]], ablated: [[texts]] }, () => undefined)).observations;
    const [first, second] = [await part(all.slice(0, 1)), await part(all.slice(1))];
    for (const name of Object.keys(first)) mergeObservations(first[name], second[name]);
    requireRight(family, apart, first, model.architecture.layers);
    assert.throws(() => mergeObservations(first[0], {}), /has 0 numbers, not/);
    await model.release();
  });

  test(`${family}: stopped behind each layer and continued there; another pass's state is not taken over`, async (t) => {
    const { model, request, singles } = open(family, observationCases);
    const { layers } = model.architecture;
    const whole = await observe(model, request, () => undefined);
    // Weights, texts, the losses without each layer with and without parts, and the rounds of the greedy removal.
    const rounds = 4 + (layers - 1);
    for (let stop = 1; stop < rounds * layers; stop++) {
      const asked = { ...request, groups: [singles], ablated: [singles], workDir: temporary(t) };
      const abort = new AbortController();
      model.runtime.signal = abort.signal;
      await assert.rejects(
        observe(model, asked, (event) => {
          if (event.type === 'observing' && event.done === stop) abort.abort(new Error('enough'));
        }),
        /enough/,
      );
      model.runtime.signal = undefined;
      const resumed = await observe(model, asked, () => undefined);
      assert.equal(resumed.resumedLayers, stop);
      requireRight(family, observationCases, resumed.observations, layers);
      assert.ok(stop <= layers || resumed.sessionRuns < whole.sessionRuns * singles.length);
    }
    const workDir = temporary(t);
    const abort = new AbortController();
    model.runtime.signal = abort.signal;
    const stopped = observe(model, { ...request, workDir }, ({ type }) => {
      if (type === 'observing' && fs.existsSync(path.join(workDir, 'pass.safetensors')))
        abort.abort(new Error('enough'));
    });
    await assert.rejects(stopped, /enough/);
    model.runtime.signal = undefined;
    assert.equal((await observe(model, { ...request, workDir, key: 'other' }, () => undefined)).resumedLayers, 0);
    await model.release();
  });
}

test('a pass runs the embedding and each layer once, whatever is observed, and the head only for log-probabilities', async () => {
  const hidden = observationCases.filter(({ of }) => ['hidden_pooled', 'hidden_cosine'].includes(of));
  const runs = async (cases: readonly ObservationCase[]) => {
    const { model, request } = open('llama/biases', cases);
    const { sessionRuns } = await observe(model, request, () => undefined);
    await model.release();
    return sessionRuns;
  };
  const layers = 2;
  assert.equal(await runs(hidden), 1 + layers); // features of all layers: L runs and not L (L + 1) / 2
  const inputs = observationCases.filter(({ of }) => ['outliers', 'input_norms'].includes(of));
  assert.equal(await runs([...hidden, ...inputs]), 1 + layers);
  assert.equal(await runs(observationCases.filter(({ of }) => of === 'weight_spectra')), 0);
  const counted = samplesOf('llama/biases').reduce(
    (sum, { tokens, countedFrom }) => sum + tokens.length - countedFrom,
    0,
  );
  const alone = ['logit_lens', 'token_log_probabilities']; // each of them goes through the head too
  const common = observationCases.filter(({ of }) => observationOf(of).reads !== 'ablated' && !alone.includes(of));
  const heads = Math.ceil(counted / 5);
  assert.equal(await runs(common), 1 + layers + heads);
  const [tokens] = observationCases.filter(({ of }) => of === 'token_log_probabilities');
  assert.equal(await runs([tokens, ...hidden]), 1 + layers + heads);
  // The model without each layer shares what lies below it: L (L - 1) / 2 more runs of a layer, and a run of the head
  // for each.
  const ablated = observationCases.filter(({ of, options }) => of === 'ablated_losses' && options.samples === 2);
  const two = samplesOf('llama/biases')
    .slice(0, 2)
    .reduce((sum, { tokens, countedFrom }) => sum + tokens.length - countedFrom, 0);
  assert.equal(await runs(ablated), 1 + layers + (layers * (layers - 1)) / 2 + (1 + layers) * Math.ceil(two / 5));
});
