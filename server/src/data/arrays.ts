/**
 * One cell -> numbers for an input of a graph: a list of numbers, a .npy file, or a PNG or JPEG image, by path or as
 * bytes (the form of image columns in Parquet). Images become height x width x channels, are brought to the asked size,
 * multiplied by `rescale`, and normalised by channel; then their axes are put in the graph's order.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../protocol/errors.ts';
import type { GraphInput } from '../../../protocol/experiment.ts';
import { decodeImage, resized } from './images.ts';
import type { Image } from './images.ts';
import { parseNpy } from './npy.ts';
import { placeOf } from './splits.ts';
import { WholeFloat } from './jinja/numbers.ts';
import type { Row } from './types.ts';
import { requireRegularFile } from '../files/textFile.ts';
import { nth } from '../lists/nth.ts';
import { faultWords } from '../files/reading.ts';

export interface NumberArray {
  shape: number[];
  data: Float32Array;
}

/**
 * @param shape what the graph takes, without the batch; symbols are open
 * @throws LayerifError `badData` with file and row
 */
export async function arrayOf(
  row: Row,
  cell: unknown,
  input: GraphInput,
  shape: readonly (number | string)[],
  name: string,
): Promise<NumberArray> {
  const fail = (text: string, cause?: unknown): never => {
    throw new LayerifError('badData', `row ${row.row}: column "${input.column}" for input "${name}": ${text}`, {
      place: placeOf(row),
      cause,
    });
  };
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      return fail((error as Error).message, error);
    }
  };
  const made = attempt(() => read(cell, row));
  const array =
    'channels' in made
      ? normalised(
          attempt(() => made),
          input,
          shape,
        )
      : made;
  const open = shape.every((dim, i) => typeof dim !== 'number' || dim === array.shape[i]);
  if (array.shape.length !== shape.length || !open) {
    fail(`the data are [${array.shape.join(', ')}], the graph takes [${shape.join(', ')}] for one sample`);
  }
  return Promise.resolve(array);
}

function read(cell: unknown, row: Row): NumberArray | Image {
  if (isArray(cell)) return cell;
  if (Array.isArray(cell)) return nested(cell);
  if (typeof cell === 'number' || cell instanceof WholeFloat) return { shape: [], data: Float32Array.of(Number(cell)) };
  if (cell instanceof Uint8Array) return decodeImage(cell);
  if (typeof cell === 'object' && cell !== null && 'bytes' in cell && cell.bytes instanceof Uint8Array)
    return decodeImage(cell.bytes);
  const named = typeof cell === 'object' && cell !== null && 'path' in cell ? cell.path : cell;
  if (typeof named !== 'string' || named === '')
    throw new Error('expected a list of numbers, the path of a .npy, .png or .jpg file, or the bytes of an image');
  const file = path.resolve(path.dirname(row.file), named);
  let bytes: Uint8Array;
  try {
    requireRegularFile(file);
    bytes = fs.readFileSync(file);
  } catch (error) {
    throw new Error(`${named} cannot be read: ${faultWords(error)}`, { cause: error });
  }
  return /\.npy$/i.test(file) ? parseNpy(bytes) : decodeImage(bytes);
}

function isArray(cell: unknown): cell is NumberArray {
  return (
    typeof cell === 'object' && cell !== null && 'shape' in cell && 'data' in cell && cell.data instanceof Float32Array
  );
}

function nested(list: readonly unknown[]): NumberArray {
  const shape: number[] = [];
  for (let inner: unknown = list; Array.isArray(inner) || ArrayBuffer.isView(inner);) {
    const own = inner as ArrayLike<unknown>;
    shape.push(own.length);
    inner = own[0];
  }
  const flat = (list as unknown[])
    .flat(Infinity)
    .flatMap((x) => (ArrayBuffer.isView(x) ? [...(x as Float32Array)] : [x]));
  const data = Float32Array.from(flat, Number);
  if (data.length !== shape.reduce((a, b) => a * b, 1)) throw new Error('the lists in the list differ in length');
  if (data.some(Number.isNaN)) throw new Error('the list holds something that is no number');
  return { shape, data };
}

/** The channels that the graph takes tell whether a grey image is spread or a coloured one is refused. */
function normalised(image: Image, input: GraphInput, shape: readonly (number | string)[]): NumberArray {
  const last = input.layout === 'channels_last';
  const [wantedChannels, ...wantedSize] = last ? [shape[2], shape[0], shape[1]] : shape;
  const fixed = wantedSize.every((dim) => typeof dim === 'number') ? (wantedSize as [number, number]) : null;
  const size = input.size ?? (fixed?.length === 2 ? fixed : [image.height, image.width]);
  const { height, width, channels: own, data } = resized(image, size[0], size[1]);
  const channels =
    typeof wantedChannels === 'number' && (wantedChannels === 1 || wantedChannels === 3) ? wantedChannels : 3;
  const { mean, std, rescale = 1 / 255 } = input;
  const out = new Float32Array(channels * height * width);
  const at = (list: readonly number[] | undefined, c: number, fallback: number) => list?.[c % list.length] ?? fallback;
  for (let p = 0; p < height * width; p++) {
    for (let c = 0; c < channels; c++) {
      // Luma of ITU-R 601, as Pillow takes it.
      const grey = own === 3 && channels === 1;
      const raw = grey
        ? 0.299 * nth(data, 3 * p) + 0.587 * nth(data, 3 * p + 1) + 0.114 * nth(data, 3 * p + 2)
        : nth(data, own * p + (own === 1 ? 0 : c));
      const value = (raw * rescale - at(mean, c, 0)) / at(std, c, 1);
      out[last ? p * channels + c : c * height * width + p] = value;
    }
  }
  return { shape: last ? [height, width, channels] : [channels, height, width], data: out };
}
