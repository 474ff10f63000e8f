/**
 * Log-mel spectrogram as Whisper's front end makes it: frames of 400 samples every 160 under a Hann window, with the
 * signal mirrored at both ends, squared magnitudes, Slaney's mel filters, then
 *
 *   x = max(log10(max(mel power, 1e-10)), largest - 8),   (x + 4) / 4
 *
 * of the audio padded with zeros, or cut, to the length that the graph takes. A frame of 400 samples is no power of
 * two, which is all that the registry's kept FFT packages take, and only 201 of its frequencies count: they are summed
 * as they are written, for the frames with sound. transformers' WhisperFeatureExtractor is the reference in the tests.
 */

export const SAMPLE_RATE = 16000;
const WINDOW = 400;
export const HOP = 160;
const BINS = WINDOW / 2 + 1;
const FLOOR = 1e-10;

export interface LogMel {
  /** mels x frames, row-major. */
  shape: [mels: number, frames: number];
  data: Float32Array;
  /** Frames with sound; those behind them are padding. */
  used: number;
}

export function logMel({ samples }: { samples: Float32Array }, mels: number, frames: number): LogMel {
  const length = frames * HOP;
  const padded = new Float64Array(length + WINDOW);
  const half = WINDOW / 2;
  const sound = Math.min(samples.length, length);
  padded.set(samples.subarray(0, sound), half);
  for (let i = 1; i <= half; i++) {
    padded[half - i] = padded[half + i]!;
    padded[half + length - 1 + i] = padded[half + length - 1 - i]!;
  }
  const filters = melFilters(mels);
  const logs = new Float64Array(mels * frames).fill(Math.log10(FLOOR));
  for (let frame = 0; frame < frames; frame++) {
    const start = frame * HOP;
    if (start - half >= sound && frame < frames - 2) continue; // silence, whose power is below the floor
    const power = powerOf(padded, start);
    for (let mel = 0; mel < mels; mel++) {
      let sum = 0;
      for (let bin = 0; bin < BINS; bin++) sum += filters[mel * BINS + bin] * power[bin];
      logs[mel * frames + frame] = Math.log10(Math.max(sum, FLOOR));
    }
  }
  let largest = -Infinity;
  for (const value of logs) largest = Math.max(largest, value);
  return {
    shape: [mels, frames],
    data: Float32Array.from(logs, (value) => (Math.max(value, largest - 8) + 4) / 4),
    used: Math.max(1, Math.min(frames, Math.ceil(sound / HOP))),
  };
}

const hann = Float64Array.from({ length: WINDOW }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW));
const cosines = Float64Array.from({ length: WINDOW }, (_, i) => Math.cos((2 * Math.PI * i) / WINDOW));
const sines = Float64Array.from({ length: WINDOW }, (_, i) => Math.sin((2 * Math.PI * i) / WINDOW));
const even = new Float64Array(WINDOW / 2 + 1);
const odd = new Float64Array(WINDOW / 2 + 1);

/** |DFT|^2 of a frame, from the sums and differences of samples that share a cosine. */
function powerOf(padded: Float64Array, start: number): Float64Array {
  const half = WINDOW / 2;
  even[0] = hann[0] * padded[start];
  even[half] = hann[half] * padded[start + half];
  for (let i = 1; i < half; i++) {
    const [a, b] = [hann[i] * padded[start + i], hann[WINDOW - i] * padded[start + WINDOW - i]];
    even[i] = a + b;
    odd[i] = a - b;
  }
  const power = new Float64Array(BINS);
  for (let bin = 0; bin < BINS; bin++) {
    let [real, imaginary] = [even[0] + (bin % 2 === 0 ? even[half] : -even[half]), 0];
    for (let i = 1, at = bin; i < half; i++, at = (at + bin) % WINDOW) {
      real += even[i] * cosines[at];
      imaginary += odd[i] * sines[at];
    }
    power[bin] = real * real + imaginary * imaginary;
  }
  return power;
}

const known = new Map<number, Float64Array>();

/** Triangles between neighbouring mels of Slaney's scale, each of area 1 in Hz: mels x bins. */
function melFilters(mels: number): Float64Array {
  const found = known.get(mels);
  if (found) return found;
  const top = hertzToMel(SAMPLE_RATE / 2);
  const edges = Array.from({ length: mels + 2 }, (_, i) => melToHertz((i * top) / (mels + 1)));
  const filters = new Float64Array(mels * BINS);
  for (let mel = 0; mel < mels; mel++) {
    const [low, middle, high] = [edges[mel], edges[mel + 1], edges[mel + 2]];
    for (let bin = 0; bin < BINS; bin++) {
      const hertz = (bin * SAMPLE_RATE) / WINDOW;
      const height = Math.min((hertz - low) / (middle - low), (high - hertz) / (high - middle));
      filters[mel * BINS + bin] = (Math.max(0, height) * 2) / (high - low);
    }
  }
  known.set(mels, filters);
  return filters;
}

/** Straight to 1000 Hz, then logarithmic. */
function hertzToMel(hertz: number): number {
  return hertz < 1000 ? (3 * hertz) / 200 : 15 + Math.log(hertz / 1000) * (27 / Math.log(6.4));
}

function melToHertz(mel: number): number {
  return mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp((mel - 15) * (Math.log(6.4) / 27));
}
