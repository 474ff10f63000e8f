/** Values of metrics that the comparison with the harness (test/run/evaluate.test.ts) does not reach. */
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { argmax, meanStandardError, metricsOf } from '../../server/src/evaluation/metrics.ts';
import { chosenMetrics, summarise } from '../../server/src/evaluation/summary.ts';

test('acc takes the likeliest, acc_norm per character (code points), acc_bytes per byte', () => {
  const outcome = {
    logLikelihoods: [-4, -6, -9],
    greedy: [false, false, true],
    choices: ['ab', 'abcd', 'äöüß€€'],
    golds: [2],
  };
  const value = (id: string) =>
    metricsOf('multiple_choice')
      .find((m) => m.id === id)!
      .of(outcome)[0];
  // per character -2, -1.5, -1.5: the first of equals; per byte -2, -1.5, -9/14
  assert.deepEqual([value('acc'), value('acc_norm'), value('acc_bytes'), value('exact_match')], [0, 0, 1, 1]);
  assert.equal(argmax([1, 3, 3]), 1);
});

test('the standard error is that of a mean; one document has none', () => {
  assert.equal(meanStandardError([[1, 1]]), null);
  const error = meanStandardError([1, 0, 1, 1].map((v): [number, number] => [v, 1]))!;
  assert.ok(Math.abs(error - 0.25) < 1e-12); // sqrt(0.75 / 3 / 4)
});

test('weighted perplexities add up before they are divided', () => {
  const outcomes = [
    { logLikelihoods: [-10], greedy: [false], choices: ['two words'], golds: [0] },
    { logLikelihoods: [-20], greedy: [false], choices: ['one two three four'], golds: [0] },
  ];
  const { results } = summarise(chosenMetrics('loglikelihood_rolling', undefined), outcomes);
  assert.ok(Math.abs(Number(results['word_perplexity,none']) - Math.exp(5)) < 1e-9);
  assert.ok(Math.abs(Number(results['bits_per_byte,none']) - 30 / 27 / Math.LN2) < 1e-12);
  assert.equal(results['word_perplexity_stderr,none'], 'N/A');
});

interface Reference {
  gold: number[];
  logLikelihoods: number[][];
  /** Metric, and the average behind it -> the harness' number. */
  values: Record<string, number>;
}
const references = JSON.parse(
  fs.readFileSync(path.join(import.meta.dirname, '../reference/evaluation/metrics.json'), 'utf8'),
) as Reference[];

test('f1, mcc and brier_score have the values of the harness and of scikit-learn', () => {
  let compared = 0;
  for (const { gold, logLikelihoods, values } of references) {
    const outcomes = gold.map((right, i) => ({
      logLikelihoods: logLikelihoods[i],
      greedy: logLikelihoods[i].map(() => false),
      choices: logLikelihoods[i].map(String),
      golds: [right],
    }));
    for (const [key, value] of Object.entries(values)) {
      const [name, average] = key.split(' ');
      const [metric] = chosenMetrics('multiple_choice', [
        { name, entry: average === undefined ? { metric: name } : { metric: name, average } },
      ]);
      const ours = metric.aggregate(outcomes.map((outcome) => metric.of(outcome)));
      assert.ok(Math.abs(ours - value) < 1e-12, `${key}: ${ours}, not ${value}`);
      compared++;
    }
  }
  assert.equal(compared, 4 * 5 + 2);
});

test('f1 of more than two classes asks for an average; a deviation over resampled documents is the same twice', () => {
  const [plain] = chosenMetrics('multiple_choice', [{ name: 'f1', entry: { metric: 'f1' } }]);
  assert.equal(plain.mostClasses, 2);
  assert.throws(
    () => chosenMetrics('multiple_choice', [{ name: 'f1', entry: { metric: 'f1', average: 'samples' } }]),
    /f1 has average binary, micro, macro, weighted, and metric_list asks for "samples"/,
  );
  const items = [1, 0, 1, 1, 0].map((right, i): [number, number] => [i % 2, right]);
  assert.equal(plain.standardError(items), plain.standardError(items));
  assert.ok(plain.standardError(items)! > 0.05);
});
