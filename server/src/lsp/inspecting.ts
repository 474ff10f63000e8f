/**
 * The editor's question what a model is made of: answered from headers while the pattern of the layers is being typed.
 */
import { LayerifError } from '../../../protocol/errors.ts';
import type { InspectAnswer, InspectParams } from '../../../protocol/lsp.ts';
import { inspectFile } from '../run/inputs/inspectFile.ts';
import { answered } from './answered.ts';

/** An empty pattern or output is one that is not given. */
export async function inspect({ path, layersPattern, output }: InspectParams): Promise<InspectAnswer> {
  return answered<Pick<InspectAnswer, 'model'>>({ model: null }, () => {
    // A page fills in the fields, the extension the path: without one there is nothing that could be meant.
    if (typeof path !== 'string' || path === '')
      throw new LayerifError('badRequest', 'inspecting needs the path of a model');
    const options = { pattern: layersPattern?.trim() || undefined, output: output?.trim() || undefined };
    return Promise.resolve({ model: inspectFile(path, options) });
  });
}
