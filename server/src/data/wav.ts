/** Samples of a .wav file: 16-bit PCM, one channel, as numbers from -1 to below 1. */

export interface Audio {
  rate: number;
  samples: Float32Array;
}

const PCM = 1;
/** PCM with more said of its channels; its sub-format begins with the same number. */
const EXTENSIBLE = 0xfffe;

/** @throws Error saying what the file is instead: no .wav, another coding, several channels, another rate, no sound */
export function decodeWav(bytes: Uint8Array, rate: number): Audio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 12 || word(0) !== 'RIFF' || word(8) !== 'WAVE')
    throw new Error('the file is no .wav (RIFF/WAVE) file');
  let format: { kind: number; channels: number; rate: number; bits: number } | null = null;
  for (let at = 12; at + 8 <= bytes.length;) {
    const [name, size, start] = [word(at), view.getUint32(at + 4, true), at + 8];
    if (name === 'fmt ' && start + 16 <= bytes.length) {
      const kind = view.getUint16(start, true);
      format = {
        kind: kind === EXTENSIBLE && size >= 40 ? view.getUint16(start + 24, true) : kind,
        channels: view.getUint16(start + 2, true),
        rate: view.getUint32(start + 4, true),
        bits: view.getUint16(start + 14, true),
      };
    }
    if (name === 'data') {
      if (!format) throw new Error('the .wav file says nothing of its format before its samples');
      requireFormat(format, rate);
      // Written while it was not known how long it would be: up to the end.
      const end = Math.min(bytes.length, size === 0xffffffff ? bytes.length : start + size);
      const count = Math.floor((end - start) / 2);
      if (count === 0) throw new Error('the .wav file holds no samples');
      return {
        rate,
        samples: Float32Array.from({ length: count }, (_, i) => view.getInt16(start + 2 * i, true) / 32768),
      };
    }
    at = start + size + (size % 2);
  }
  throw new Error('the .wav file holds no samples');
}

function requireFormat(format: { kind: number; channels: number; rate: number; bits: number }, rate: number): void {
  const convert = `convert it (ffmpeg -i IN -ar ${rate} -ac 1 -c:a pcm_s16le OUT.wav)`;
  if (format.kind !== PCM || format.bits !== 16)
    throw new Error(
      `the samples are ${format.bits}-bit of format ${format.kind}, 16-bit PCM (format 1) is read; ${convert}`,
    );
  if (format.channels !== 1) throw new Error(`the audio has ${format.channels} channels, one is read; ${convert}`);
  if (format.rate !== rate)
    throw new Error(`the audio has ${format.rate} samples a second, ${rate} are read; ${convert}`);
}
