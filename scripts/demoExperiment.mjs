/**
 * The example experiment over whichever form of the demo model is there: the 4-bit file it names, or the original
 * weights.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';

/** The line of an example that names the 4-bit demo model. */
const packaged = /^( +path: )\.\/models\/SmolLM2-135M-Instruct\.Q4_1\.gguf$/m;

/**
 * @param example path of an experiment file over the 4-bit model; @param model what `ensureDemoModel` returned
 * @returns path of the experiment to score: `example` itself, or a copy beside it
 *   (`NAME-original-weights.layerif.yaml`), so that its relative paths stay right and its runs have a folder of their
 *   own
 */
export async function experimentOver(example, { path, source }) {
  if (source === 'package') return example;
  const text = await readFile(example, 'utf8');
  if (!packaged.test(text)) throw new Error(`${example} no longer names the demo model as its model.path`);
  const folder = relative(dirname(example), path).split(sep).join('/');
  const copy = join(dirname(example), basename(example).replace('.layerif.yaml', '-original-weights.layerif.yaml'));
  const temporary = `${copy}.${process.pid}.tmp`;
  const head = `# Made from ${basename(example)} by npm start: the same experiment over the original weights.\n`;
  await writeFile(temporary, head + text.replace(packaged, (_, key) => `${key}./${folder}`));
  await rename(temporary, copy);
  return copy;
}
