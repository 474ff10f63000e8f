/** Influence of the tokens of a validation sample as `layerif tokens` writes it beside a result. */
import fs from 'node:fs';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { TokenInfluence } from '../../../../protocol/trust.ts';
import { faultWords } from '../../files/reading.ts';

/** Of a sample, in names of files and folders. */
export const tokensStem = (task: string, validation: number): string =>
  `tokens-${task.replace(/\W+/g, '_')}-${validation}`;

export const tokensFile = (resultFile: string, task: string, validation: number): string =>
  resultFile.replace(/\.layerif-result\.json$/, `.${tokensStem(task, validation)}.layerif-tokens.json`);

/** @returns null where it was not computed @throws LayerifError `badRequest` for a file that is damaged */
export function keptTokenInfluence(resultFile: string, task: string, validation: number): TokenInfluence | null {
  const file = tokensFile(resultFile, task, validation);
  if (!fs.existsSync(file)) return null;
  const damaged = (why: string, cause?: unknown) =>
    new LayerifError(
      'badRequest',
      `${file} is damaged: ${why}; remove it and run layerif tokens ${resultFile} --task ${task} --validation ${validation} again`,
      { cause },
    );
  let found: Partial<TokenInfluence>;
  try {
    found = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<TokenInfluence>;
  } catch (error) {
    throw damaged(faultWords(error), error);
  }
  const { format, tokens, layers } = found;
  if (format !== 'layerif-tokens' || !Array.isArray(tokens) || !Array.isArray(layers))
    throw damaged('it holds no influence of tokens');
  if (layers.some(({ influence }) => influence.length !== tokens.length))
    throw damaged('a layer has not one number for each token');
  return found as TokenInfluence;
}
