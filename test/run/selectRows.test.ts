/**
 * Rows that a score chooses as a dataset of their own, and token masks: which tokens, against
 * test/reference/data_scores; as `layerif train`, TRL and axolotl read them.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { TOKEN_SCORES } from '../../protocol/rowRequests.ts';
import type { ScoreTable } from '../../protocol/scores.ts';
import { rowTokens } from '../../server/src/run/decide/rowTokens.ts';
import { selectRows } from '../../server/src/run/decide/selectRows.ts';
import type { SelectOptions } from '../../server/src/run/decide/selectRows.ts';
import { chosenRows, keptCount } from '../../server/src/run/decide/selection.ts';
import { runExperiment } from '../../server/src/run/influence/runExperiment.ts';
import { EnginePool } from '../../server/src/run/machine/enginePool.ts';
import { prepareTraining } from '../../server/src/run/train/trainInput.ts';
import { dataScores } from '../../server/src/scores/dataScores.ts';
import { optionValues } from '../../server/src/scores/options.ts';
import { maskedTokens } from '../../server/src/scores/tokenMask.ts';
import type { MaskVariant } from '../../server/src/scores/tokenMask.ts';
import { writeTinyLlama } from '../tinyLlama.ts';
import { machine } from './workspace.ts';

const folderOfReference = path.join(import.meta.dirname, '..', 'reference', 'data_scores');
const reference = JSON.parse(fs.readFileSync(path.join(folderOfReference, 'data_scores.json'), 'utf8')) as {
  begins: { tokens: ({ from: number; logp: number[] } | null)[] };
};
const engine = new EnginePool();
after(() => engine.dispose());

interface Line {
  instruction: string;
  output: string;
}
const lines = fs
  .readFileSync(path.join(folderOfReference, 'rows.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Line);

function workspace(
  t: TestContext,
  scores: string,
  data: { name: string; text: string },
): { file: string; folder: string } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-select-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  writeTinyLlama(path.join(folder, 'model'));
  fs.writeFileSync(path.join(folder, data.name), data.text);
  const file = path.join(folder, 'rows.layerif.yaml');
  fs.writeFileSync(
    file,
    `version: 1
model: { path: ./model, max_length: 64 }
datasets:
  qa: { data_files: { train: ${data.name}, validation: ${data.name} } }
tasks:
  - task: answers
    dataset: qa
    training_split: train
    validation_split: validation[:3]
    output_type: generate_until
    doc_to_text: "{{instruction}}"
    doc_to_target: "{{output}}"
    target_delimiter: ""
data_scores: ${scores}
`,
  );
  return { file, folder };
}

const jsonl = (rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const run = (file: string) => runExperiment({ file, machine, engine });
const readLines = <T>(file: string): T[] =>
  fs
    .readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

test('masks are those of the reference at every threshold, written for train, TRL and axolotl', async (t) => {
  const rows = lines.filter(({ output }) => output !== '');
  const { file, folder } = workspace(t, '[{ token_mask: { threshold: 300 } }]', {
    name: 'rows.jsonl',
    text: jsonl(rows),
  });
  const { scores, passes } = await run(file);
  assert.equal(passes.length, 1);
  const [table] = scores!.tables;
  const expected = reference.begins.tokens.filter((row) => row !== null);
  const share = (threshold: number) => {
    const all = expected.flatMap(({ logp }) => logp.map((value) => Math.exp(-value)));
    return all.filter((perplexity) => perplexity > threshold).length / all.length;
  };
  assert.ok(share(300) > 0.2 && share(300) < 0.9, 'the threshold tells tokens apart');
  for (const [row, { logp }] of expected.entries()) {
    const masked = logp.filter((value) => Math.exp(-value) > 300).length;
    assert.equal(table.parts!['masked tokens'][row], masked);
    assert.ok(Math.abs(table.values[row]! - (1 - masked / logp.length)) < 1e-12);
    const sequence = Math.exp(-logp.reduce((sum, value) => sum + value, 0) / logp.length);
    assert.ok(Math.abs(table.parts!.perplexity[row]! / sequence - 1) < 1e-5);
  }
  const { at, masked } = table.thresholds!;
  at.forEach((threshold, i) => assert.ok(Math.abs(masked[i] - share(threshold)) < 1e-12, `threshold ${threshold}`));
  assert.equal(masked[at.indexOf(1)], 1);
  assert.ok(masked.every((value, i) => i === 0 || value <= masked[i - 1]));

  const written = await selectRows({ file, by: 'token_mask', to: 'loss_mask' });
  const column = readLines<Line & { loss_mask: number[] }>(written.file);
  assert.deepEqual(
    column.map(({ instruction, output }) => ({ instruction, output })),
    rows,
  );
  const trl = readLines<{ input_ids: number[]; completion_mask: number[] }>(
    (await selectRows({ file, by: 'token_mask', to: 'trl' })).file,
  );
  const axolotl = readLines<{ input_ids: number[]; attention_mask: number[]; labels: number[] }>(
    (await selectRows({ file, by: 'token_mask', to: 'axolotl' })).file,
  );
  for (const [row, { logp }] of expected.entries()) {
    const mask = column[row].loss_mask;
    const { input_ids, completion_mask } = trl[row];
    const own = logp.map((value) => Number(!(Math.exp(-value) > 300)));
    assert.ok(mask.join('').includes(own.join('')), `row ${row}`);
    assert.equal(
      mask.reduce((sum, one) => sum + one, 0),
      own.reduce((sum, one) => sum + one, 0),
    );
    assert.deepEqual([completion_mask, input_ids.length], [mask, mask.length]);
    assert.deepEqual(
      axolotl[row].labels,
      input_ids.map((id, t) => (mask[t] === 1 ? id : -100)),
    );
    assert.deepEqual(
      axolotl[row].attention_mask,
      input_ids.map(() => 1),
    );
    assert.deepEqual(Object.keys(axolotl[row]), ['input_ids', 'attention_mask', 'labels']);
  }
  const provenance = JSON.parse(fs.readFileSync(written.provenanceFile, 'utf8')) as Record<string, { sha256: string }>;
  assert.match(provenance.tokenizer.sha256, /^[0-9a-f]{64}$/);

  // What `layerif train` makes of it: the same tokens are counted.
  fs.copyFileSync(written.file, path.join(folder, 'masked.jsonl'));
  const text = fs
    .readFileSync(file, 'utf8')
    .replaceAll('rows.jsonl', 'masked.jsonl')
    .replace(/data_scores.*\n/, '');
  const training = path.join(folder, 'train.layerif.yaml');
  fs.writeFileSync(training, `${text}train: { loss: target, loss_mask: loss_mask }\n`);
  const { train, checkpoint } = await prepareTraining(training, {});
  checkpoint.close();
  train.forEach(({ counted, countedFrom }, row) => {
    const own = expected[row].logp.map((value) => Number(!(Math.exp(-value) > 300)));
    assert.deepEqual([...counted!].slice(countedFrom), own, `row ${row} in training`);
  });
});

test('tokens of a row: perplexities of the reference, masks of the score, refusals', async (t) => {
  const { file } = workspace(t, '[{ token_mask: { threshold: 300 } }, loss, ifd_ppl, length]', {
    name: 'rows.jsonl',
    text: jsonl(lines),
  });
  const { scoresFile } = await runExperiment({ file, machine, engine, rowsPerChunk: 4 });
  const tokensOf = (by: string, row: number) => rowTokens(scoresFile!, by, row, { rowsPerChunk: 4 });
  for (const [row, expected] of reference.begins.tokens.entries()) {
    const tokens = await tokensOf('token_mask', row);
    if (expected === null) {
      assert.deepEqual(tokens, [], `row ${row} has no answer`);
      continue;
    }
    const counted = tokens.filter(({ perplexity }) => perplexity !== null);
    assert.equal(counted.length, expected.logp.length);
    counted.forEach(({ perplexity, masked }, i) => {
      assert.ok(Math.abs(Math.log(perplexity!) + expected.logp[i]) < 1e-5, `row ${row}, token ${i}`);
      assert.equal(masked, perplexity! > 300);
    });
    assert.ok(tokens.every(({ perplexity, masked }) => (perplexity === null) === (masked === null)));
    if (row > 1) continue;
    const losses = await tokensOf('loss', row);
    assert.deepEqual(
      losses,
      tokens.map((token) => ({ ...token, masked: null })),
    );
    const alike = await tokensOf('ifd_ppl', row);
    assert.equal(alike.map(({ text }) => text).join(''), losses.map(({ text }) => text).join(''));
  }
  assert.deepEqual(
    dataScores
      .filter((score) =>
        Object.values(score.needs(optionValues(score, {}) as never)).some(
          // Of prompts alone there are no tokens of an answer to show.
          ({ of, text }) => of === 'token_log_probabilities' && text?.form !== 'prompt',
        ),
      )
      .map(({ id }) => id)
      .sort(),
    [...TOKEN_SCORES].sort(),
  );
  await assert.rejects(tokensOf('length', 0), /length reads no single tokens: ask for those of token_mask or loss/);
  await assert.rejects(tokensOf('loss', lines.length), new RegExp(`there is no row ${lines.length}`));
  fs.appendFileSync(path.join(path.dirname(file), 'rows.jsonl'), '{}\n');
  await assert.rejects(tokensOf('loss', 0), /rows\.jsonl was changed since loss was computed/);
});

test('rows without an answer have no numbers, and none are made up', async (t) => {
  const { file } = workspace(t, '[token_mask, ifd_ppl, loss]', {
    name: 'rows.jsonl',
    text: jsonl([
      { ...lines[0], output: '' },
      { ...lines[0], output: null },
    ]),
  });
  const { scores } = await run(file);
  const [masks, ...others] = scores!.tables;
  assert.deepEqual(
    [masks.values, masks.thresholds, masks.notes],
    [[null, null], undefined, ['no answer has a token, so that nothing is masked']],
  );
  for (const { values, marks } of others) {
    assert.deepEqual(values, [null, null]);
    assert.ok(marks!.some(({ drop, at }) => drop && at.join() === '0,1'));
  }
});

test('variants: lowest is the other side, random masks as many at most, adapters are compared with their base', () => {
  const perplexities = [1, 2, 3, 10, 100];
  const of = (variant: MaskVariant, base: number[] | null = null, threshold = 2.5) => [
    ...maskedTokens(perplexities, base, 0, { threshold, variant, seed: 42 }),
  ];
  assert.deepEqual(of('highest'), [0, 0, 1, 1, 1]);
  assert.deepEqual(of('lowest'), [1, 1, 0, 0, 0]);
  assert.deepEqual(of('highest', null, 1), [0, 1, 1, 1, 1], 'a perplexity of 1 is never above 1');
  assert.deepEqual(of('highest', null, Infinity), [0, 0, 0, 0, 0]);
  const random = of('random').reduce((sum, one) => sum + one, 0);
  assert.ok(random >= 1 && random <= 3);
  assert.deepEqual(of('random'), of('random'));
  const base = [1, 1, 1, 20, 97];
  assert.deepEqual(of('dpf', base), [0, 0, 0, 0, 1]);
  assert.deepEqual(of('stm_dpf', base), [0, 1, 1, 1, 1]);
});

test('a choice: share, rule of the score, doubles, classes, controls beside it; in the format of the data', async (t) => {
  const rows = [...lines, lines[0], { ...lines[1], instruction: 'Name the  staff.' }];
  // Cells whose columns have other types than texts are written as they stand there.
  const given = (row: number) => `00${row + 1},${row % 2 ? 'NA' : '1.50'},+3,TRUE`;
  const csv = `instruction,output,code,price,sign,good,kind\n${rows
    .map(({ instruction, output }, row) => `"${instruction}","${output}",${given(row)},${row % 3 === 0 ? 'a' : 'b'}`)
    .join('\n')}\n`;
  const { file, folder } = workspace(t, '[ifd_ppl, { ifd_ppl: { threshold: 100 } }, loss, length, random]', {
    name: 'rows.csv',
    text: csv,
  });
  const { scores, scoresFile } = await run(file);
  const select = (options: Partial<SelectOptions>) => selectRows({ file, by: 'ifd_ppl threshold 100', ...options });
  const table = scores!.tables.find(({ score, options }) => score === 'ifd_ppl' && options.threshold === 100)!;
  const best = await select({ keep: '3' });
  const order = table.values
    .flatMap((value, row) =>
      value === null || table.marks!.some(({ drop, at }) => drop && at.includes(row)) ? [] : [row],
    )
    .sort((a, b) => table.values[b]! - table.values[a]!);
  const text = fs.readFileSync(best.file, 'utf8');
  assert.ok(text.startsWith('instruction,output,code,price,sign,good,kind\n'));
  assert.equal(path.extname(best.file), '.csv');
  assert.equal(path.dirname(best.file), path.dirname(scoresFile!));
  assert.deepEqual([best.rows, text.match(/,[ab]$/gm)!.length], [3, 3]);
  for (const row of order.slice(0, 3)) {
    assert.ok(text.includes(rows[row].output), rows[row].output);
    assert.ok(text.includes(`,${given(row)},`), text);
  }
  assert.deepEqual(best.overlaps.map(({ control }) => control).sort(), ['length', 'loss', 'random']);
  for (const { shared, chance } of best.overlaps) assert.ok(shared <= 3 && chance > 0 && chance <= 3);
  assert.match(best.notes.join(), /not beside it: bm25, similarity; add them to data_scores/);
  // The same rows again and the one whose white space differs are doubles.
  const single = await select({ keep: '100%', dedup: true });
  assert.equal(single.doubles, 2);
  const classes = await select({ keep: '4', balance: 'kind' });
  const kinds = fs.readFileSync(classes.file, 'utf8').match(/,[ab]$/gm)!;
  assert.deepEqual(kinds.sort(), [',a', ',a', ',b', ',b']);
  const low = await select({ keep: '2', lowest: true });
  assert.ok(fs.readFileSync(low.file, 'utf8').includes(rows[order.at(-1)!].output));
  const refused: [Partial<SelectOptions>, RegExp][] = [
    [{ keep: '0' }, /--keep 0 keeps none of the 12 rows/],
    [{ keep: '13' }, /--keep 13 is more than the 12 rows that are scored/],
    [{ keep: 'ten' }, /--keep ten is not allowed: use a number of rows such as 100, or a share such as 10%/],
    [{}, /how many rows\? give --keep N or --keep P%/],
    [{ keep: '3', by: 'ifd_loss' }, /has no score of rows "ifd_loss": use one of/],
    [{ keep: '3', balance: 'kid' }, /--balance kid: the dataset has no such column; columns: .*did you mean "kind"/],
    [{ keep: '3', to: 'trl' }, /--to trl writes token masks, which ifd_ppl threshold 100 has none of/],
    [{ keep: '3', output: path.join(folder, 'rows.csv') }, /rows.csv exists already: give the name of a new file/],
  ];
  for (const [options, says] of refused) await assert.rejects(select(options), says);
  fs.appendFileSync(path.join(folder, 'rows.csv'), '"More.","A",a\n');
  await assert.rejects(
    select({ keep: '3' }),
    /rows.csv was changed since ifd_ppl was computed: run layerif score rows.layerif.yaml --only data_scores again/,
  );
});

test('shares round, classes that run out leave their places', () => {
  assert.deepEqual([keptCount('10%', 64), keptCount('0.5%', 1000), keptCount('7', 7)], [6, 5, 7]);
  assert.throws(() => keptCount('1%', 20), /keeps none/);
  assert.throws(() => keptCount('2.5', 20), /rows are whole/);
  const table = { values: [9, 8, 7, 6, null], marks: [{ at: [0], words: '', drop: true }] } as unknown as ScoreTable;
  const rows = (keep: number, classes?: string[]) => chosenRows(table, { keep, lowest: false, classes }).rows;
  assert.deepEqual(rows(2), [1, 2]);
  assert.deepEqual(rows(3, ['a', 'a', 'a', 'b', 'b']), [1, 2, 3]);
  assert.deepEqual(rows(2, ['a', 'a', 'a', 'b', 'b']), [1, 3]);
});
