/** Words that are written down more than once, each compared with the table that computes by it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allocationKinds } from '../../protocol/allocation.ts';
import { protocolIds } from '../../protocol/experiment.ts';
import {
  aggregationIds,
  comparedMapIds,
  comparedMaps,
  dampingRuleIds,
  defaultPruner,
  estimatorIds,
  estimatorNames,
  prunerIds,
  prunerNames,
  sparsityUnits,
  tailFits,
} from '../../protocol/methods.ts';
import { optimizerIds, scheduleIds } from '../../protocol/optimizer.ts';
import { countRules } from '../../server/src/allocation/countRules.ts';
import { sparsityRules } from '../../server/src/allocation/sparsityRules.ts';
import { commands } from '../../server/src/cli/commands.ts';
import { commandHelp } from '../../server/src/cli/help.ts';
import { schemaAt } from '../../server/src/config/jsonSchema.ts';
import { defaultTrainExperts } from '../../server/src/config/trainExpertsSchema.ts';
import { aggregations } from '../../server/src/estimators/aggregation.ts';
import { dampingRules } from '../../server/src/estimators/damping.ts';
import { estimators } from '../../server/src/estimators/estimators.ts';
import type { Grams } from '../../server/src/estimators/types.ts';
import { metrics } from '../../server/src/evaluation/metrics.ts';
import { exportTargets } from '../../server/src/export/targets.ts';
import { pruners } from '../../server/src/pruning/pruners.ts';
import { allocationChoices, layerScoreIds, listOf } from '../../server/src/run/inputs/lists.ts';
import { dataScores } from '../../server/src/scores/dataScores.ts';
import { scores } from '../../server/src/scores/scores.ts';
import { optimizers } from '../../server/src/training/optimizers.ts';
import * as layerPage from '../../webview/src/model/layers.ts';
import { countForm, sparsityForm } from '../../webview/src/model/allocation.ts';
import * as rescorePage from '../../webview/src/model/rescore.ts';

const sorted = (ids: Iterable<string>) => [...ids].sort();
const idsOf = (table: readonly { id: string }[]) => sorted(table.map(({ id }) => id));

/** Word of a list -> ids that it must hold, from the table that computes. */
const lists: [what: string, found: Iterable<string>, table: Iterable<string>][] = [
  ['estimators of the protocol', estimatorIds, idsOf(estimators)],
  ['estimators of the schema', enumAt('score', 'estimator'), idsOf(estimators)],
  ['estimators of the list', idsOf(listOf('estimators')), idsOf(estimators)],
  ['pruners of the protocol', prunerIds, idsOf(pruners)],
  ['pruners of the schema', enumAt('prune', 'method'), idsOf(pruners)],
  ['pruners of the list', idsOf(listOf('pruners')), idsOf(pruners)],
  ['aggregations of the protocol', aggregationIds, Object.keys(aggregations)],
  ['aggregations of the schema', enumAt('score', 'aggregation'), Object.keys(aggregations)],
  ['aggregations of the page', idsOf(layerPage.aggregations), Object.keys(aggregations)],
  ['damping rules of the protocol', dampingRuleIds, Object.keys(dampingRules)],
  ['damping rules of the schema', enumAt('score', 'damping', 'rule'), Object.keys(dampingRules)],
  ['damping rules of the page', idsOf(rescorePage.dampingRules), Object.keys(dampingRules)],
  ['maps that are compared', comparedMapIds, idsOf(sparsityRules)],
  ['rules of the menus', idsOf(allocationChoices().rules), idsOf([...countRules, ...sparsityRules])],
  ['export targets of the menus', idsOf(allocationChoices().targets), idsOf(exportTargets)],
  ['export targets of the list', idsOf(listOf('exports')), idsOf(exportTargets)],
  ['metrics of the list', idsOf(listOf('metrics')), idsOf(metrics)],
  ['scores of the key scores', layerScoreIds(), idsOf(scores)],
  [
    'scores of the list',
    idsOf(listOf('scores')),
    [...idsOf(scores), ...idsOf(dataScores), ...Object.keys(aggregations)],
  ],
  ['tail fits of the schema', enumAt('allocate', 'experts', 'fit'), tailFits],
  ['units of the schema', enumAt('allocate', 'sparsity', 'unit'), sparsityUnits],
  ['optimisers of the protocol', optimizerIds, Object.keys(optimizers)],
  ['schedules of the schema', enumAt('validate', 'retrain', 'schedule'), scheduleIds],
];

for (const [what, found, table] of lists) {
  test(`${what} are those of their table`, () => {
    assert.deepEqual(sorted(found), sorted(table));
  });
}

/** Sentence -> the ids that it has to name. */
const sentences: [what: string, text: () => string, ids: readonly string[]][] = [
  ['prune --method', () => helpOf('prune'), prunerIds],
  ['the summary of prune', () => summaryOf('prune'), Object.values(prunerNames)],
  ['prune.method of the schema', () => descriptionAt('prune', 'method'), prunerIds],
  ['score.damping.rule of the schema', () => descriptionAt('score', 'damping', 'rule'), dampingRuleIds],
  ['score.aggregation of the schema', () => descriptionAt('score', 'aggregation'), aggregationIds],
  ['validate.protocols of the schema', () => descriptionAt('validate', 'protocols'), protocolIds],
  ['allocate.sparsity.rule of the schema', () => descriptionAt('allocate', 'sparsity', 'rule'), idsOf(sparsityRules)],
  [
    'allocate.experts.rule of the schema',
    () => descriptionAt('allocate', 'experts', 'rule'),
    idsOf(countRules.filter(({ id }) => !id.startsWith('mola_'))),
  ],
  ['allocate --kind', () => helpOf('allocate'), allocationKinds],
  ['allocate --aggregation and --fit', () => helpOf('allocate'), [...aggregationIds, ...tailFits, ...sparsityUnits]],
  ['prune-and-compare', () => helpOf('prune-and-compare'), comparedMapIds],
  ['validate --protocol', () => helpOf('validate'), protocolIds],
];

for (const [what, text, ids] of sentences) {
  test(`${what} names every id`, () => {
    const words = text().toLowerCase();
    const missing = ids.filter((id) => !words.includes(id.toLowerCase()));
    assert.deepEqual(missing, []);
  });
}

test('estimators say of themselves whether a damping changes their numbers, and what they need beside Grams', () => {
  const grams = (): Grams => ({
    n: 2,
    m: 1,
    parameters: 3,
    K: Float64Array.of(2, 0.5, 0.5, 1),
    C: Float64Array.of(1, -0.5),
    diagV: Float64Array.of(1),
    ekfac: { meanEigenvalue: 1, dampings: Float64Array.of(0.1, 10), B: Float64Array.of(1, 2, 3, 4) },
    checkpoints: { learningRates: Float64Array.of(1), C: Float64Array.of(1, -0.5) },
  });
  for (const estimator of estimators) {
    const own = estimatorNames[estimator.id];
    const beside = estimator.needs.some((need) => need === 'ekfac' || need === 'checkpoints');
    assert.equal(own.ownRunOnly, beside, estimator.id);
    const [low, high] = [0.1, 10].map((factor) =>
      estimator.influence(grams(), { damping: { rule: 'mean_square', factor } }),
    );
    assert.equal(own.damped, low.damping !== null, estimator.id);
    assert.equal(own.damped, low.B.join() !== high.B.join(), estimator.id);
  }
});

test('what is chosen where nothing is said is in its table', () => {
  assert.ok((prunerIds as readonly string[]).includes(defaultPruner));
  const known = new Set(idsOf([...countRules, ...sparsityRules]));
  for (const rule of [
    ...countForm.baselines,
    ...sparsityForm.baselines,
    countForm.rule,
    sparsityForm.rule,
    ...defaultTrainExperts.allocations,
    ...Object.keys(comparedMaps),
  ])
    assert.ok(known.has(rule), rule);
});

function nodeAt(path: readonly string[]) {
  const node = schemaAt(path);
  assert.ok(node, path.join('.'));
  return node;
}

function enumAt(...path: string[]): string[] {
  const words = nodeAt(path).enum;
  assert.ok(words, path.join('.'));
  return words.map(String);
}

function descriptionAt(...path: string[]): string {
  return nodeAt(path).description ?? '';
}

function commandOf(name: string) {
  const command = commands.find((one) => one.name === name);
  assert.ok(command, name);
  return command;
}

function helpOf(name: string): string {
  return commandHelp(commandOf(name), 1000);
}

function summaryOf(name: string): string {
  return commandOf(name).summary;
}
