/**
 * Scores that are made of the other scores of a run: who takes part, what is made again when another one comes, that
 * layers left out are measured.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import type { ScoresFile } from '../../protocol/scores.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { spearman } from '../../server/src/statistics/rankCorrelation.ts';
import { engine, machine, tinyWorkspace } from './workspace.ts';

const run = (file: string) => runExperiment({ file, machine, engine });
const only = (file: ScoresFile | null, score: string) => {
  const found = file!.tables.filter((table) => table.score === score);
  assert.equal(found.length, 1, score);
  return found[0];
};

test('agreement beside influence: each score of the run and influence; made again with one more, from what is there', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const plain = fs.readFileSync(experiment, 'utf8');
  const scores = (list: string) => {
    fs.writeFileSync(experiment, `${plain}scores: [${list}]\n`);
  };
  scores('agreement, block_influence, layer_drop, angular_distance, alpha_hill');
  const first = await run(experiment);
  const table = only(first.scores, 'agreement');
  const labels = [
    'block_influence',
    'layer_drop',
    'angular_distance',
    'alpha_hill',
    'influence sentiment',
    'influence capital',
  ];
  assert.deepEqual(table.axes[0].labels, labels);
  assert.deepEqual(new Set(table.axes[0].groups).size, 3);
  const [drop, influence, alpha] = [
    only(first.scores, 'layer_drop').values as number[],
    first.result!.tasks[0].layers.map(({ score }) => score),
    only(first.scores, 'alpha_hill').values as number[],
  ];
  const at = (a: string, b: string) => labels.indexOf(a) * labels.length + labels.indexOf(b);
  assert.equal(table.values[at('layer_drop', 'influence sentiment')], spearman(drop, influence));
  assert.equal(
    table.values[at('alpha_hill', 'layer_drop')],
    spearman(
      alpha.map((value) => -value),
      drop,
    ),
  );
  assert.ok(table.intervals![at('block_influence', 'influence capital')]);
  assert.match(
    table.notes.join('\n'),
    /With layer_drop, which is measured; where adapters help: influence (sentiment|capital)/,
  );

  scores('agreement, block_influence, layer_drop, angular_distance, alpha_hill, relative_magnitude');
  const second = await run(experiment);
  assert.deepEqual(
    second.passes.map(({ observations }) => Object.values(observations).length),
    [1],
  );
  assert.deepEqual(only(second.scores, 'agreement').axes[0].labels.length, labels.length + 1);
  const third = await run(experiment);
  assert.deepEqual([third.passes, third.scores!.tables], [[], second.scores!.tables]);
});

test('layer drop: a layer whose halves add nothing costs nothing, and the loss is that of the run', async (t) => {
  const { experiment } = tinyWorkspace(t);
  fs.appendFileSync(experiment, 'scores: [{ layer_drop: { samples: 0, parts: true, greedy: 2 } }]\n');
  const { result, scores } = await run(experiment);
  const table = only(scores, 'layer_drop');
  const { loss, rows } = result!.tasks[0].train;
  const counted = rows.map(({ tokens }) => tokens - 1);
  const whole = loss.reduce((sum, value, i) => sum + value * counted[i], 0) / counted.reduce((a, b) => a + b, 0);
  const said = Number(/whole model ([\d.]+)/.exec(table.notes[0])![1]);
  assert.ok(Math.abs(Math.log(said) - whole) < 1e-3, `${Math.log(said)} and ${whole}`);
  const place = table.parts!['place in the greedy removal'];
  assert.equal(place.indexOf(1), table.values.indexOf(Math.min(...(table.values as number[]))));
  assert.deepEqual(Object.keys(table.parts!), [
    'perplexity',
    'without its attention',
    'without its MLP',
    'place in the greedy removal',
  ]);
});

test('probe: labels of a column, of the task, held out; what cannot be told apart is refused by name while the others finish', async (t) => {
  const { experiment } = tinyWorkspace(t, { train: 30 });
  const plain = fs.readFileSync(experiment, 'utf8').replace(/score:\n[\s\S]*/, '');
  const probed = async (options: string, others = '') => {
    fs.writeFileSync(experiment, `${plain}scores: [{ probe: { texts: { dataset: reviews, ${options} } } }${others}]\n`);
    return (await run(experiment)).scores!;
  };
  const table = only(await probed('split: "train[:20]", held_out: "train[20:30]"'), 'probe');
  assert.match(table.texts!, /^train\[:20\] of reviews, train\[20:30\] held out: 30 texts with 2 labels$/);
  assert.equal(table.needs.length, 2);
  for (const [options, message] of [
    ['split: "train[:20]", label: nothing', /no column "nothing" for the labels; columns: /],
    ['split: "train[:20]", label: "always"', /no column "always"/],
    [
      'split: "train[:20]", label: "{{ 1 }}"',
      /all 20 texts \(train\[:20\] of reviews\) have the label "1": at least two/,
    ],
    ['split: "train[:4]"', /of 4 texts .* at least 5 are needed for five folds/],
  ] as const) {
    await assert.rejects(probed(options), message, 'alone it is the error of the run');
    const { refused, status, tables } = await probed(options, ', block_influence');
    assert.equal(status, 'complete');
    assert.ok(tables.some(({ score }) => score === 'block_influence'));
    assert.deepEqual([refused!.length, refused![0].score], [1, 'probe']);
    assert.match(refused![0].message, message);
  }
});

test('several layers left out: as listed, and as another score chooses, whose table is made first', async (t) => {
  const { experiment } = tinyWorkspace(t);
  const plain = fs.readFileSync(experiment, 'utf8').replace(/score:\n[\s\S]*/, '');
  const scores = (list: string) => fs.writeFileSync(experiment, `${plain}scores: [${list}]\n`);
  scores('{ layer_drop: { samples: 0, greedy: 2 } }, { removal: { layers: "1", samples: 0, random: 3 } }');
  const { scores: file } = await run(experiment);
  const [drop, one] = [only(file, 'layer_drop'), only(file, 'removal')];
  const near = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-6, `${a} and ${b}`);
  near(one.values[0]!, drop.values[1]!);
  // Random sets of one layer are layers.
  assert.ok((one.reference!.value as number) >= Math.min(...(drop.values as number[])) - 1e-6);
  const place = drop.parts!['place in the greedy removal'];
  const gone = [place.indexOf(1), place.indexOf(2)].sort((a, b) => a - b);
  scores(`{ layer_drop: { samples: 0, greedy: 2 } }, { removal: { layers: "${gone.join(',')}", samples: 0 } }`);
  const both = (await run(experiment)).scores!.tables.findLast(({ score }) => score === 'removal')!;
  const said = Number(
    /Greedy removal 2: .*perplexity ([\d.]+)\.$/.exec(drop.notes.find((note) => /removal 2/.test(note))!)![1],
  );
  near(Math.log(both.parts!.perplexity[0]!) / 1e3, Math.log(said) / 1e3);

  scores('{ removal: { by: alpha_hill, share: 0.4, samples: 0, random: 0 } }');
  const followed = await run(experiment);
  const tables = followed.scores!.tables;
  const alpha = tables.find(({ score }) => score === 'alpha_hill')!.values as number[];
  const { options, values } = tables.findLast(({ score }) => score === 'removal')!;
  assert.deepEqual([options.by, options.layers], ['alpha_hill', String(alpha.indexOf(Math.max(...alpha)))]);
  near(values[0]!, drop.values[Number(options.layers)]!);
  scores('{ removal: { layers: "9" } }');
  await assert.rejects(run(experiment), /removal\.layers "9": "9" is no layer of 0 to 2; write numbers and ranges/);
  scores('removal');
  await assert.rejects(run(experiment), /set removal\.layers, such as "3, 8-10", or removal\.by to a score/);
  scores('{ removal: { by: influence } }');
  await assert.rejects(run(experiment), /cannot follow influence: there is no complete result beside/);
});
