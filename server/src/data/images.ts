/** PNG and JPEG images as numbers, and bilinear resizing. */
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { nth } from '../lists/nth.ts';

/** Height x width x channels, row-major, 0 to 255; 1 channel (grey) or 3. */
export interface Image {
  height: number;
  width: number;
  channels: 1 | 3;
  data: Float32Array;
}

/** Most pixels that are decoded: an image of a few bytes can claim to be enormous. */
const MOST_PIXELS = 64e6;
const PNG_MAGIC = [0x89, 0x50, 0x4e, 0x47];

/** @throws Error for what is neither PNG nor JPEG, or broken */
export function decodeImage(bytes: Uint8Array): Image {
  if (PNG_MAGIC.every((byte, i) => bytes[i] === byte)) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 24) throw new Error('the PNG image is cut off');
    const [width, height] = [view.getUint32(16), view.getUint32(20)];
    requirePixels(width, height);
    return withoutAlpha(PNG.sync.read(Buffer.from(bytes)));
  }
  if (bytes[0] === 0xff && bytes[1] === 0xd8) {
    const options = { useTArray: true as const, maxResolutionInMP: MOST_PIXELS / 1e6, maxMemoryUsageInMB: 1024 };
    return withoutAlpha(jpeg.decode(bytes, options));
  }
  throw new Error('the file is neither a PNG nor a JPEG image');
}

function requirePixels(width: number, height: number): void {
  if (width * height > MOST_PIXELS || width * height === 0)
    throw new Error(`the image says that it has ${width} x ${height} pixels; at most ${MOST_PIXELS} are read`);
}

function withoutAlpha({ width, height, data }: { width: number; height: number; data: Uint8Array }): Image {
  const out = new Float32Array(3 * width * height);
  for (let p = 0; p < width * height; p++) out.set(data.subarray(4 * p, 4 * p + 3), 3 * p);
  return { height, width, channels: 3, data: out };
}

/**
 * Bilinear with a triangle as wide as the step where the image gets smaller, so that no pixel is skipped: Pillow's and
 * therefore Hugging Face's image processors' rule, but for their rounding to whole numbers.
 */
export function resized(image: Image, height: number, width: number): Image {
  if (image.height === height && image.width === width) return image;
  const { channels } = image;
  const columns = weightsOf(image.width, width);
  const rows = weightsOf(image.height, height);
  const wide = new Float32Array(image.height * width * channels);
  for (let y = 0; y < image.height; y++)
    columns.forEach(({ first, weights }, x) => {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        weights.forEach((w, k) => (sum += w * nth(image.data, (y * image.width + first + k) * channels + c)));
        wide[(y * width + x) * channels + c] = sum;
      }
    });
  const data = new Float32Array(height * width * channels);
  const line = width * channels;
  rows.forEach(({ first, weights }, y) => {
    for (let i = 0; i < line; i++) {
      let sum = 0;
      weights.forEach((w, k) => (sum += w * nth(wide, (first + k) * line + i)));
      data[y * line + i] = sum;
    }
  });
  return { height, width, channels, data };
}

function weightsOf(from: number, to: number): { first: number; weights: number[] }[] {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const last = Math.min(from, Math.floor(centre + support + 0.5));
    const raw = Array.from({ length: last - first }, (_, k) =>
      Math.max(0, 1 - Math.abs((first + k + 0.5 - centre) / support)),
    );
    const sum = raw.reduce((a, b) => a + b, 0);
    return { first, weights: raw.map((w) => w / sum) };
  });
}
