/** The editor's question what the header of a model file says; of a hub id, what the headers of its weights say. */
import { LayerifError } from '../../../protocol/errors.ts';
import type { ModelHeaderAnswer, ModelHeaderParams } from '../../../protocol/lsp.ts';
import { modelHeader } from '../run/inputs/modelHeader.ts';
import { answered } from './answered.ts';

export async function header({ path }: ModelHeaderParams): Promise<ModelHeaderAnswer> {
  return answered<Pick<ModelHeaderAnswer, 'header'>>({ header: null }, async () => {
    // The extension fills in the path.
    if (typeof path !== 'string' || path === '')
      throw new LayerifError('badRequest', 'a header needs the path of a model file, or a hub id org/name');
    return { header: await modelHeader(path) };
  });
}
