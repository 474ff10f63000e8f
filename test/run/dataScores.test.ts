/**
 * Scores of rows from the file to the tables, against test/reference/data_scores: both definitions of IFD in both ways,
 * losses, similarity, diversity and BM25; rows that have no value; what is computed once; refused and resumed.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { ScoresFile, ScoreTable } from '../../protocol/scores.ts';
import { fileKinds } from '../../protocol/files/kinds.ts';
import { parseFile } from '../../protocol/files/read.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import type { RunOptions } from '../../server/src/run/influence/runExperiment.ts';
import { rowAgreements } from '../../server/src/run/scores/rowAgreement.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { machine, tinyWorkspace } from './workspace.ts';

const folderOfReference = path.join(import.meta.dirname, '..', 'reference', 'data_scores');

type Pair = [conditioned: number | null, alone: number | null];
interface Ways {
  compat_ppl: Pair[];
  compat_loss: Pair[];
  apart_ppl: Pair[];
  apart_loss: Pair[];
  loss: (number | null)[];
  similarity_mean: (number | null)[];
  similarity_last: (number | null)[];
  diversity_euclidean: { order: number[]; gains: number[] };
  diversity_cosine: { order: number[]; gains: number[] };
}
const reference = JSON.parse(fs.readFileSync(path.join(folderOfReference, 'data_scores.json'), 'utf8')) as {
  max_length: number;
  begins: Ways;
  plain: Ways;
  bm25: number[];
};

/** The rows of the reference with these scores. @param begins whether the tokenizer begins texts with a token */
function workspace(t: TestContext, begins: boolean, scores: string): { file: string; folder: string; data: string } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-rows-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const model = path.join(folder, 'model');
  writeTinyLlama(model);
  if (!begins) {
    const tokenizer = path.join(model, 'tokenizer.json');
    const json = JSON.parse(fs.readFileSync(tokenizer, 'utf8')) as object;
    fs.writeFileSync(tokenizer, JSON.stringify({ ...json, post_processor: null }));
  }
  for (const name of ['rows', 'targets']) {
    fs.copyFileSync(path.join(folderOfReference, `${name}.jsonl`), path.join(folder, `${name}.jsonl`));
  }
  const file = path.join(folder, 'rows.layerif.yaml');
  fs.writeFileSync(
    file,
    `version: 1
model: { path: ./model, max_length: ${reference.max_length} }
datasets:
  qa: { data_files: { train: rows.jsonl, validation: targets.jsonl } }
tasks:
  - task: answers
    dataset: qa
    training_split: train
    validation_split: validation
    output_type: generate_until
    doc_to_text: "{{instruction}}"
    doc_to_target: "{{output}}"
    target_delimiter: ""
data_scores: ${scores}
`,
  );
  return { file, folder, data: path.join(folder, 'rows.jsonl') };
}

const engine = new EnginePool();
after(() => engine.dispose());

const run = (file: string, options: Partial<RunOptions> = {}) => runExperiment({ file, machine, engine, ...options });

const tableOf = ({ tables }: ScoresFile, id: string, options: Record<string, unknown> = {}): ScoreTable =>
  tables.find(
    (one) => one.score === id && Object.entries(options).every(([name, value]) => one.options[name] === value),
  )!;

/** Null where the reference is. */
function near(
  found: readonly (number | null)[],
  expected: readonly (number | null)[],
  tolerance: number,
  what: string,
): void {
  assert.deepEqual(
    found.map((value) => value === null),
    expected.map((value) => value === null),
    what,
  );
  for (const [row, value] of expected.entries()) {
    if (value === null) continue;
    assert.ok(Math.abs(found[row]! - value) < tolerance, `${what}, row ${row}: ${found[row]} is not ${value}`);
  }
}

const ALL =
  '[ifd_ppl, ifd_loss, { ifd_ppl: { compat: true } }, { ifd_loss: { compat: true } }, loss, similarity, { similarity: { pool: last } }, ' +
  'diversity, { diversity: { similarity: cosine, count: 2 } }, bm25, length, random]';

for (const begins of [true, false]) {
  test(`${begins ? 'with' : 'without'} a token that begins texts: losses, IFD both ways, similarity, diversity and BM25 equal the reference`, async (t) => {
    const { file } = workspace(t, begins, ALL);
    const { scores, passes } = await run(file, { rowsPerChunk: begins ? 4 : 2048 });
    const way = reference[begins ? 'begins' : 'plain'];
    const ofPairs = (pairs: Pair[], of: (conditioned: number, alone: number) => number) =>
      pairs.map(([conditioned, alone]) => (conditioned === null || alone === null ? null : of(conditioned, alone)));
    for (const compat of [false, true]) {
      const [ppl, loss] = compat ? [way.compat_ppl, way.compat_loss] : [way.apart_ppl, way.apart_loss];
      const byPerplexity = tableOf(scores!, 'ifd_ppl', { compat });
      near(
        byPerplexity.values,
        ofPairs(ppl, (c, a) => Math.exp(c - a)),
        1e-5,
        `ifd_ppl compat ${compat}`,
      );
      for (const [name, at] of [
        ['loss with prompt', 0],
        ['loss alone', 1],
      ] as const)
        near(
          byPerplexity.parts![name],
          ppl.map((pair) => pair[at]),
          1e-5,
          `ifd_ppl compat ${compat} ${name}`,
        );
      near(
        tableOf(scores!, 'ifd_loss', { compat }).values,
        ofPairs(loss, (c, a) => c / a),
        1e-5,
        `ifd_loss compat ${compat}`,
      );
    }
    near(tableOf(scores!, 'loss').values, way.loss, 1e-5, 'loss');
    near(tableOf(scores!, 'similarity', { pool: 'mean' }).values, way.similarity_mean, 1e-5, 'similarity mean');
    near(tableOf(scores!, 'similarity', { pool: 'last' }).values, way.similarity_last, 1e-5, 'similarity last');
    near(tableOf(scores!, 'bm25').values, reference.bm25, 1e-9, 'bm25');
    const order = ({ parts }: ScoreTable) =>
      parts!.place.flatMap((place, row) => (place === null ? [] : [{ place, row }])).sort((a, b) => a.place - b.place);
    for (const [similarity, count] of [
      ['euclidean', 0],
      ['cosine', 2],
    ] as const) {
      const table = tableOf(scores!, 'diversity', { similarity });
      const { order: rows, gains } = way[`diversity_${similarity}`];
      const expected = rows.slice(0, count || rows.length);
      assert.deepEqual(
        order(table).map(({ row }) => row),
        expected,
      );
      near(
        expected.map((row) => table.values[row]),
        gains.slice(0, expected.length),
        1e-4,
        `diversity ${similarity}`,
      );
    }
    // Empty answers, an empty prompt, texts that are too long, merges across the boundary: said and marked.
    const table = tableOf(scores!, 'ifd_ppl', { compat: false });
    const marked = (words: RegExp) => table.marks?.find((one) => words.test(one.words) && one.drop)?.at ?? [];
    assert.deepEqual(marked(/^empty answer$/), [5]);
    assert.ok(marked(/longer than model.max_length/).includes(8));
    assert.deepEqual(
      marked(/the prompt does not help/),
      table.values.flatMap((value, row) => (value !== null && value >= 1 ? [row] : [])),
    );
    assert.equal(table.values[4], 1, 'an empty prompt helps nothing');
    assert.match(table.notes.join('\n'), /merges the end of the prompt with the answer in 1 of 10 rows/);
    assert.deepEqual(table.rows!.line, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.deepEqual([table.rows!.files, table.rows!.task, table.rows!.split], [['rows.jsonl'], 'answers', 'train']);
    assert.equal(parseFile('scores', JSON.stringify(scores), fileKinds.scores.schema).fault, null);
    // Texts of each form go through the model once, whatever the number of scores.
    assert.ok(passes.length > 0);
    const again = await run(file);
    assert.deepEqual([again.passes, again.scores!.tables], [[], scores!.tables]);
  });
}

test('token scores cost one sweep: loss and IFD share it, and another score more costs nothing', async (t) => {
  const { file } = workspace(t, true, '[loss]');
  const alone = await run(file);
  assert.equal(alone.passes.length, 1);
  const sweep = alone.passes[0].sessionRuns;
  const other = workspace(
    t,
    true,
    '[loss, { loss: { texts: { dataset: qa, split: "train[:10]" } } }, similarity, diversity, length]',
  );
  const { passes } = await run(other.file);
  // One of the validation samples, one of the rows.
  assert.deepEqual(passes.map(({ sessionRuns }) => sessionRuns).filter((runs) => runs === sweep).length, 1);
  assert.equal(passes.length, 2);
});

test('killed between chunks, it goes on behind the last finished one; chunks of any size give the same tables', async (t) => {
  const { file } = workspace(t, true, '[ifd_ppl, diversity, bm25]');
  const abort = new AbortController();
  let seen = 0;
  await assert.rejects(
    run(file, {
      rowsPerChunk: 3,
      signal: abort.signal,
      onProgress: ({ done }) => {
        if (done >= 3 + 6 && seen++ === 0) abort.abort();
      },
    }),
  );
  const { scores, passes } = await run(file, { rowsPerChunk: 3 });
  const whole = workspace(t, true, '[ifd_ppl, diversity, bm25]');
  const once = await run(whole.file);
  // Two texts of each of four chunks, one of the validation samples; what came before the end is not observed again.
  assert.ok(passes.length > 0 && passes.length < 2 * 4, `${passes.length} passes`);
  for (const { score, values } of once.scores!.tables) near(tableOf(scores!, score).values, values, 1e-5, score);
});

test('a row that is changed makes another table; scores among rows of another; a second model as scorer', async (t) => {
  const { file, folder, data } = workspace(
    t,
    true,
    '[ifd_ppl, { ifd_ppl: { scorer: ./small } }, { diversity: { among: ifd_ppl, share: 0.5 } }]',
  );
  writeTinyLlama(path.join(folder, 'small'), { layers: 1, seed: 5 });
  const { scores } = await run(file);
  const [own, small] = ['', './small'].map((scorer) => tableOf(scores!, 'ifd_ppl', { scorer }));
  assert.notDeepEqual(own.values, small.values);
  const left = new Set(own.marks!.filter(({ drop }) => drop).flatMap(({ at }) => at));
  const placed = tableOf(scores!, 'diversity').values.flatMap((value, row) => (value === null ? [] : [row]));
  assert.ok(placed.length > 0 && placed.every((row) => !left.has(row)));
  const [agreement] = rowAgreements([own, small]);
  assert.deepEqual([agreement.a, agreement.b], ['ifd_ppl scorer default', 'ifd_ppl scorer ./small']);
  assert.ok(Math.abs(agreement.spearman!) <= 1 && agreement.k === 1);
  fs.appendFileSync(data, '{"instruction": "One more.\\n", "output": "That meal was lovely."}\n');
  const changed = await run(file);
  const now = tableOf(changed.scores!, 'ifd_ppl', { scorer: '' });
  assert.equal(now.values.length, 11);
  assert.deepEqual(
    now.values.slice(0, 10).map((value) => value?.toFixed(4)),
    own.values.map((value) => value?.toFixed(4)),
  );
  assert.notEqual(now.rows!.sha256['rows.jsonl'], own.rows!.sha256['rows.jsonl']);
  assert.equal(changed.scores!.tables.length, 3, 'in place of those of the rows as they were');
});

test('an encoder as an .onnx graph orders rows by its own vectors and tokens; what it cannot say is refused by name', async (t) => {
  const encoder = JSON.parse(fs.readFileSync(path.join(folderOfReference, 'encoder.json'), 'utf8')) as {
    tokenizer: object;
    rows: object[];
    order: number[];
    gains: number[];
  };
  const { file, folder, data } = workspace(
    t,
    true,
    '[ifd_ppl, { diversity: { scorer: ./bert.onnx } }, { diversity: { scorer: ./bert.onnx, among: ifd_ppl, share: 0.5 } }]',
  );
  const graphs = path.join(import.meta.dirname, '..', 'reference', 'onnx_graphs');
  fs.copyFileSync(path.join(graphs, 'bert-torchscript.onnx'), path.join(folder, 'bert.onnx'));
  fs.writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(encoder.tokenizer));
  fs.writeFileSync(data, encoder.rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('target_delimiter: ""', 'target_delimiter: " "'));
  const { scores } = await run(file);
  const { values, parts } = tableOf(scores!, 'diversity', { among: '' });
  const order = values.map((_, row) => row).sort((a, b) => parts!.place[a]! - parts!.place[b]!);
  assert.deepEqual(order, encoder.order);
  near(
    order.map((row) => values[row]),
    encoder.gains,
    1e-4,
    'gains',
  );
  const among = tableOf(scores!, 'diversity', { among: 'ifd_ppl' }).values.filter((value) => value !== null);
  assert.ok(among.length > 0 && among.length <= 6);

  const refused: [scores: string, says: RegExp][] = [
    [
      '[{ ifd_ppl: { scorer: ./bert.onnx } }]',
      /score ifd_ppl reads what the head makes of hidden states, and of the ONNX graph .*bert\.onnx/,
    ],
    [
      `[{ diversity: { scorer: ${path.join(graphs, 'resnet-torchscript.onnx')} } }]`,
      /the scorer .*resnet-torchscript\.onnx takes no tokens, so it reads no texts/,
    ],
    [
      '[{ mastery: { scorer: ./bert.onnx } }]',
      /mastery\.scorer .*bert\.onnx is an ONNX graph, which writes no answers/,
    ],
  ];
  const text = fs.readFileSync(file, 'utf8');
  for (const [asked, says] of refused) {
    fs.writeFileSync(file, text.replace(/data_scores: .*/, `data_scores: ${asked}`));
    await assert.rejects(run(file), says);
  }
});

test('influence of the result beside it as a score of its rows; refused where the data are other ones', async (t) => {
  const workspace = tinyWorkspace(t);
  fs.appendFileSync(workspace.experiment, 'data_scores: [influence, influence_rank, influence_vote, random]\n');
  const { result, scores, scoresFile } = await run(workspace.experiment);
  const [{ influence }] = result!.tasks;
  const mean = influence[0].map((_, row) => influence.reduce((sum, layer) => sum + layer[row], 0) / influence.length);
  near(tableOf(scores!, 'influence').values, mean, 1e-12, 'influence');
  const lower = (values: number[], row: number) => values.filter((value) => value < values[row]).length;
  const ranks = mean.map((_, row) => influence.reduce((sum, layer) => sum + lower(layer, row), 0));
  assert.deepEqual(tableOf(scores!, 'influence_rank').values, ranks);
  const k = Math.ceil(0.3 * mean.length);
  const votes = mean.map((_, row) => -influence.reduce((sum, layer) => sum + Math.max(0, k - lower(layer, row)), 0));
  assert.deepEqual(
    tableOf(scores!, 'influence_vote').values.map((value) => value! + 0),
    votes.map((value) => value + 0),
  );
  assert.match(scoresFile!, /tiny\.layerif-scores\.json$/);
  fs.appendFileSync(
    path.join(workspace.folder, 'data', 'reviews.jsonl'),
    '{"review": "More.", "sentiment": "positive"}\n',
  );
  await assert.rejects(
    run(workspace.experiment, { only: 'data_scores', set: ['influence.task=sentiment'] }),
    /data\/reviews.jsonl was changed since its influence was computed: run layerif score again/,
  );
});

test('refused in one sentence', async (t) => {
  const cases: [scores: string, says: RegExp, set?: string[]][] = [
    ['[{ diversity: { among: ifd_ppl } }]', /diversity.among "ifd_ppl" is not among the data_scores of the experiment/],
    ['[{ similarity: { layer: 9 } }]', /similarity.layer 9 is beyond the last layer: use -1 to 2/],
    ['[loss]', /there is no score "noise": use one of block_influence, .*, ifd_ppl, /, ['noise.x=1']],
    ['[loss]', /--set ifd_ppl.compat=true: the experiment does not ask for ifd_ppl/, ['ifd_ppl.compat=true']],
    ['[{ loss: { texts: { dataset: qa, split: gone } } }]', /has no split "gone"/],
    ['[{ loss: { scorer: ./gone } }]', /gone/],
  ];
  for (const [scores, says, set] of cases) {
    const { file } = workspace(t, true, scores);
    await assert.rejects(run(file, { set }), says);
  }
  const bare = tinyWorkspace(t);
  fs.appendFileSync(bare.experiment, 'data_scores: [influence]\n');
  await assert.rejects(
    run(bare.experiment, { only: 'data_scores' }),
    /influence as a score of rows comes from the result beside it, and there is none/,
  );
});
