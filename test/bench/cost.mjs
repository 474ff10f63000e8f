/**
 * CPU time by samples and by tokens: it should grow linearly with both.
 *
 *   node test/bench/cost.mjs --model FOLDER_OR_GGUF [--source]
 *
 * CPU seconds of the whole `layerif score` less those of a run of 2 x 1 samples of 8 tokens (start, hashing, reading the model),
 * in milliseconds per sample and layer, and per sample, layer and 128 tokens.
 */
import { parseArgs } from 'node:util';
import { scoreTexts } from './textRun.mjs';

const { values } = parseArgs({ options: { model: { type: 'string' }, source: { type: 'boolean', default: false } } });
if (!values.model) throw new Error('--model is missing: a folder with a model or a .gguf file');

const configurations = [
  { train: 6, validation: 2, length: 128 },
  { train: 12, validation: 4, length: 128 },
  { train: 24, validation: 8, length: 128 },
  { train: 48, validation: 16, length: 128 },
  { train: 12, validation: 4, length: 32 },
  { train: 12, validation: 4, length: 64 },
  { train: 12, validation: 4, length: 256 },
];

const start = await scoreTexts({ train: 2, validation: 1, length: 8 }, values);
console.log(`start: ${start.cpuSeconds.toFixed(1)} CPU seconds`);
for (const c of configurations) {
  const { result, cpuSeconds } = await scoreTexts(c, values);
  const samples = c.train + c.validation;
  const each = (1000 * (cpuSeconds - start.cpuSeconds)) / (samples * result.model.layers);
  const cells = [samples, c.length, cpuSeconds.toFixed(1), each.toFixed(1), ((each * 128) / c.length).toFixed(1)];
  console.log(`| ${cells.join(' | ')} |`);
}
