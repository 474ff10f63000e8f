/**
 * From llama.cpp's words to Hugging Face's: which row of `ggufArchitectures.ts` a file belongs to, and what its tensors
 * are called there. llama.cpp's names and keys: gguf-py `constants.py`; the other side: the model in transformers.
 */
import type { GgufTensor } from './gguf.ts';
import { architectures } from './ggufArchitectures.ts';
import type { Architecture, Tensors } from './ggufArchitectures.ts';
import type { Metadata } from './ggufMetadata.ts';
import { asStored } from './ggufParts.ts';
import type { Part } from './ggufParts.ts';
import { closestTo } from '../text/nearest.ts';

/** @throws LayerifError `badModel` that names the nearest and lists what is supported */
export function architectureOf(metadata: Metadata, tensors: Tensors): Architecture {
  const id = metadata.required('general.architecture', metadata.text('general.architecture'));
  const rows = architectures.filter((row) => row.id === id);
  if (rows.length === 0) {
    const known = [...new Set(architectures.map((row) => row.id))];
    throw metadata.error(
      `GGUF files of architecture "${id}" are not supported; the nearest that is: ${closestTo(id, known)}; supported: ${known.join(', ')}; where the model is of a supported family, take it as a Hugging Face folder with .safetensors`,
    );
  }
  return rows.find((row) => row.fits?.(tensors) ?? true)!;
}

/**
 * The Hugging Face tensors that a stored one holds; none for a tensor that only the configuration needs.
 * @throws LayerifError `badModel` for a name that is not in the table
 */
export function partsOf(
  { id, names, changes, absorbed }: Architecture,
  metadata: Metadata,
  tensor: GgufTensor,
): Part[] {
  if (absorbed?.includes(tensor.name)) return [];
  const { key, named } = entryOf(names, tensor.name);
  if (named === null) {
    throw metadata.error(
      `tensor ${tensor.name} is none that a model of architecture "${id}" is known to have; leaving it out would give wrong scores`,
    );
  }
  const change = (changes && Object.hasOwn(changes, key) ? changes[key] : undefined) ?? asStored;
  return change({ tensor, name: named, metadata, id });
}

/** A stored name's key in a row's table, and Hugging Face's name; a `#` that is left stands for all experts. */
function entryOf(names: Architecture['names'], stored: string): { key: string; named: string | null } {
  const parts = /^(?:blk\.(\d+)\.)?(.+?)(?:\.(\d+))?\.(weight|bias)$/.exec(stored);
  const [, block, module, expert, ending] = parts ?? [];
  const key = `${block === undefined ? '' : 'blk.{}.'}${module}${expert === undefined ? '' : '.#'}`;
  const known = parts && Object.hasOwn(names, key) ? names[key] : undefined;
  if (known === undefined) return { key, named: null };
  return { key, named: `${known.replace('{}', block ?? '').replace('#', expert ?? '#')}.${ending}` };
}

/** Hugging Face's name of a stored tensor, for those who only show it; null where none is known. */
export function namesShown(id: unknown, stored: Tensors): (name: string) => string | null {
  const row = architectures.find((one) => one.id === id && (one.fits?.(stored) ?? true));
  return (name) => (row ? entryOf(row.names, name).named : null);
}
