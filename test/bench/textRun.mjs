/** One `layerif score`, and its estimate, of texts of a wanted number of tokens: for tables of memory and cost. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { measured } from './process.mjs';

const root = path.resolve(import.meta.dirname, '../..');
const words =
  'river stone early light carries people across quiet fields where nothing else would grow before winter'.split(' ');
const text = (row, length) =>
  Array.from({ length: 2 * length }, (_, i) => words[(row * 7 + i * (1 + (row % 5))) % 16]).join(' ');

/**
 * @param {{ train: number, validation: number, length: number, projection?: number, memory?: number }} c memory in GiB
 * @param {{ model: string, source: boolean }} options source: the sources instead of dist/
 */
export async function scoreTexts(c, { model, source }) {
  const command = source ? [path.join(root, 'server/src/cli/cliMain.ts')] : [path.join(root, 'dist/cli.cjs')];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'layerif-texts-'));
  try {
    const rows = Array.from({ length: c.train + c.validation }, (_, row) =>
      JSON.stringify({ text: text(row, c.length) }),
    );
    fs.writeFileSync(path.join(folder, 'texts.jsonl'), `${rows.join('\n')}\n`);
    const experiment = {
      version: 1,
      model: { path: path.resolve(model), max_length: c.length },
      datasets: { texts: { path: 'texts.jsonl' } },
      tasks: [
        {
          task: 'texts',
          training_split: `train[:${c.train}]`,
          validation_split: `train[${c.train}:]`,
          doc_to_text: '{{text}}',
          output_type: 'loglikelihood_rolling',
        },
      ],
      score: { projection: c.projection ?? 'none' },
    };
    const file = path.join(folder, 'texts.layerif.yaml');
    fs.writeFileSync(file, JSON.stringify(experiment));
    const memory = c.memory ? ['--memory', String(c.memory)] : [];
    const estimate = execFileSync(process.execPath, [...command, 'estimate', file, '--json', ...memory], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const run = await measured([process.execPath, ...command, 'score', file, '--json', ...memory]);
    return {
      estimate: JSON.parse(estimate),
      result: JSON.parse(run.stdout),
      peak: run.peak,
      cpuSeconds: run.cpuSeconds,
    };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
