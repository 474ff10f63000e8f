/** Plain sentences of the Trust tab, at both sides of every threshold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DampingSweep } from '../../../protocol/trust.ts';
import { highest, sweepSentences } from '../../../protocol/dampingSentences.ts';
import { uncertaintySentences } from '../../../protocol/readability.ts';
import { checkWord, isCaution, verdicts } from '../../../webview/src/model/trust.ts';
import { check, sweep, validation, withIntervals } from '../answers.ts';
import { sampleResult } from '../sampleResult.ts';

const result = sampleResult({ layers: 12, tasks: ['a'], train: 20, validation: 3 });

test('two halves: the sentence follows the correlation', () => {
  const [task] = withIntervals(result).tasks;
  const sentence = (median: number) =>
    uncertaintySentences({
      ...task,
      uncertainty: { ...task.uncertainty!, halves: { splits: 10, median, low: median, high: median } },
    })[0];
  assert.match(sentence(0.95), /0\.95.*hardly depends/);
  assert.match(sentence(0.75), /much the same/);
  assert.match(sentence(0.5), /only a rough order/);
  assert.match(sentence(-0.1), /\u22120\.10.*depends mostly on which samples/);
  const none = uncertaintySentences({ ...task, uncertainty: { ...task.uncertainty!, halves: null } });
  assert.match(none[0], /too few samples or layers/);
  assert.deepEqual(uncertaintySentences(result.tasks[0]), []);
});

test('unstable layers are counted, and the top third is judged by its rank intervals', () => {
  const stable = uncertaintySentences(withIntervals(result).tasks[0]);
  assert.match(stable[1], /^No layer is unstable/);
  assert.match(stable[2], /Of the 4 highest layers, all would stay.*can be relied on/);
  const best = [...result.tasks[0].layers].sort((a, b) => b.score - a.score)[0].index;
  const shaky = uncertaintySentences(withIntervals(result, [best]).tasks[0]);
  assert.match(shaky[1], /^1 layer is unstable of 12/);
  assert.match(shaky[2], /Of the 4 highest layers, 3 would stay/);
});

test('the sweep says between which factors the order holds', () => {
  const [task] = sweep(result).tasks!;
  const [order, top] = sweepSentences(task);
  assert.match(order, /while the factor lies between 0\.001 and 10; at 1000 it is 0\.55/);
  assert.match(top, /top third/);
  const steady: DampingSweep = {
    ...task,
    steps: task.steps.map((step) => ({ ...step, toDefault: { spearman: 0.97, kendall: null } })),
  };
  assert.match(
    sweepSentences(steady)[0],
    /hardly moves from factor 0\.001 to 1000 \(Spearman at least 0\.97\).*does not depend on/,
  );
});

test('the top third is compared by its members, and steps that failed are named', () => {
  const [task] = sweep(result).tasks!;
  const own = task.steps[2].scores!;
  const turned: DampingSweep = {
    ...task,
    steps: task.steps.map((step, i) =>
      i === 6
        ? { ...step, scores: own.map((score) => -score) }
        : i === 5
          ? { ...step, scores: null, error: 'singular', toDefault: null }
          : { ...step, scores: own },
    ),
  };
  const [, top, failed] = sweepSentences(turned);
  assert.match(top, /Of the top third, 4 layers, at least 0 stay there/);
  assert.match(failed, /Not defined at factor 100: singular/);
  assert.deepEqual(highest([1, 3, 3, 2], 3), [1, 2, 3]);
});

test('a verdict that an estimator is no better than a simple one is a caution', () => {
  const { caution, other } = verdicts(validation(result).protocols);
  assert.equal(caution.length, 1);
  assert.match(caution[0], /does not beat gradient dot/);
  assert.match(other[0], /It beats gradient dot/);
  assert.ok(isCaution('Its interval reaches down to chance (0): too few samples to tell it from guessing.'));
});

test('checks in a word', () => {
  assert.deepEqual(check.checks.map(checkWord), ['passed', 'does not apply', 'failed']);
  assert.equal(checkWord({ ...check.checks[0], passed: null }), 'for information');
});
