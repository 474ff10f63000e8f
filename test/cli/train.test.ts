/** `layerif train` as a process: what it prints and writes, that it goes on where it was interrupted, exit codes. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TrainingResult } from '../../protocol/training.ts';
import { tinyWorkspace } from '../run/workspace.ts';
import { layerif } from './layerifProcess.ts';

const settings = 'batch_size: 4, learning_rate: 0.01, rank: 2, seed: 3';

test('train: a report and an adapter, the same numbers as one JSON document, one sentence for a bad mask', async (t) => {
  const { experiment, folder } = tinyWorkspace(t);
  const plain = fs.readFileSync(experiment, 'utf8');
  const run = (section: string, ...words: string[]) => {
    fs.writeFileSync(experiment, `${plain}\ntrain: { ${settings}, ${section} }\n`);
    return layerif(['train', path.basename(experiment), '--device', 'cpu', '--threads', '1', ...words], {
      cwd: folder,
    });
  };

  const said = await run('steps: 3');
  assert.equal(said.code, 0, said.stderr);
  const report =
    /^sentiment: model, LoRA factors of rank 2 of 3 layers, [\d,]+ trained numbers\n8 training samples, 3 steps of 4, adamw, constant learning rate 0\.01\nLoss of 8 training samples: (\d\.\d{4}) before, (\d\.\d{4}) after \(nats per counted token\)\nLoss of 4 validation samples: .*\nTook .* on cpu\.\nAdapter (.*)\nResult (.*)\n$/;
  const [, before, after, adapter, resultFile] = report.exec(said.stdout) ?? assert.fail(said.stdout);
  assert.ok(Number(after) < Number(before), `${before} to ${after}`);
  assert.deepEqual(fs.readdirSync(path.resolve(folder, adapter)).sort(), [
    'adapter_config.json',
    'adapter_model.safetensors',
  ]);
  const kept = JSON.parse(fs.readFileSync(path.resolve(folder, resultFile), 'utf8')) as TrainingResult;
  assert.equal(kept.train!.after.toFixed(4), after);

  const json = await run('steps: 3', '--json');
  assert.equal(json.code, 0, json.stderr);
  assert.deepEqual((JSON.parse(json.stdout) as TrainingResult).curve, kept.curve);

  const bad = await run('steps: 3, loss_mask: nomask');
  assert.equal(bad.code, 2);
  assert.equal(bad.stdout, '');
  assert.match(
    bad.stderr,
    /data\/reviews\.jsonl:1: row 0: there is no column "nomask" \(train\.loss_mask\); its columns: /,
  );
});
