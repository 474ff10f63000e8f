/**
 * Rows of audio for a speech encoder: a column with paths of .wav files becomes the log-mel spectrogram that the graph
 * takes; labels stand for the whole audio, or in lists with their times for stretches of it.
 */
import fs from 'node:fs';
import path from 'node:path';
import { LayerifError } from '../../../../protocol/errors.ts';
import type { Experiment, ScoredTexts } from '../../../../protocol/experiment.ts';
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { HOP, logMel, SAMPLE_RATE } from '../../linear/logMel.ts';
import { datasetNamed } from '../../data/datasetNamed.ts';
import { openDataset, placeOf, readSlice } from '../../data/splits.ts';
import type { Row } from '../../data/types.ts';
import { decodeWav } from '../../data/wav.ts';
import { requireRegularFile } from '../../files/textFile.ts';
import type { OpenedGraph } from '../../graphs/open.ts';
import type { ViewAsk } from '../../scores/views.ts';
import { listed } from '../../text/listed.ts';
import { drawnOf, drawnStretches } from './viewedTexts.ts';
import type { Labelled, Viewed } from './viewedTexts.ts';
import { faultWords } from '../../files/reading.ts';

export interface AudioTexts extends Viewed {
  words: string;
  files: string[];
}

/** @throws LayerifError `badRequest` for a graph that takes no spectrogram, `badData` with file and row */
export async function audioTexts(
  { datasets }: Experiment,
  { dataset: name, split, audio, label = 'label', times }: ScoredTexts,
  ask: ViewAsk,
  { baseDir, graph }: { baseDir: string; graph: OpenedGraph | null },
): Promise<AudioTexts> {
  const { input, mels, frames } = spectrogramOf(graph);
  if (ask.view === 'token_frequency') throw new LayerifError('badRequest', 'view token_frequency: audio has no tokens');
  const dataset = await openDataset(name, datasetNamed(datasets, name), baseDir);
  const asked = [audio!, ...(ask.view === 'label' ? [label, ...(times === undefined ? [] : [times])] : [])];
  const missing = asked.find((column) => !dataset.columns.includes(column));
  if (missing !== undefined) {
    throw new LayerifError(
      'badData',
      `dataset "${name}" has no column "${missing}"; columns: ${listed(dataset.columns)}`,
    );
  }
  const rows = await readSlice(dataset, split);
  const samples: EncodedSample[] = [];
  const labelled: Labelled[] = [];
  for (const row of rows) {
    const mel = await spectrumOf(row, audio!, mels, frames);
    const text = samples.length;
    samples.push({
      tokens: new Int32Array(0),
      countedFrom: 1,
      arrays: { [input]: { shape: mel.shape, data: mel.data } },
      frames: { used: mel.used, all: frames },
    });
    if (ask.view === 'label') labelled.push(...stretchesOf(row, text, mel.used, { name, label, times }));
  }
  const words = `${split} of ${name}: ${samples.length} texts of audio`;
  if (ask.view === 'label') {
    const what = times === undefined ? 'vectors' : 'stretches';
    return { words, files: dataset.files, ...drawnStretches(samples, labelled, ask, { words, what }) };
  }
  return { words, files: dataset.files, ...drawnFrames(samples, ask, words) };
}

/** The one array input [1, mels, frames] of a graph. */
function spectrogramOf(graph: OpenedGraph | null): { input: string; mels: number; frames: number } {
  const input = graph?.arrays.find(({ shape }) => shape.length === 3);
  const [, mels, frames] = input?.shape ?? [];
  if (!graph || !input || typeof mels !== 'number' || typeof frames !== 'number') {
    throw new LayerifError(
      'badRequest',
      `texts.audio is for a graph with one input [1, mels, frames] of fixed size, such as input_features of Whisper's encoder${graph ? `; ${graph.file.path} takes ${graph.arrays.map((one) => `${one.name} [${one.shape.join(', ')}]`).join(', ') || 'tokens'}` : ', and the model is a checkpoint'}`,
    );
  }
  return { input: input.name, mels, frames };
}

async function spectrumOf(row: Row, column: string, mels: number, frames: number) {
  const cell = row.values[column];
  const named = typeof cell === 'object' && cell !== null && 'path' in cell ? cell.path : cell;
  if (typeof named !== 'string' || named === '') {
    throw new LayerifError('badData', `row ${row.row}: column "${column}" is no path of a .wav file`, {
      place: placeOf(row),
    });
  }
  const file = path.resolve(path.dirname(row.file), named);
  try {
    requireRegularFile(file);
    return logMel(decodeWav(await fs.promises.readFile(file), SAMPLE_RATE), mels, frames);
  } catch (error) {
    throw new LayerifError('badData', `row ${row.row}: ${file}: ${faultWords(error)}; give the path of a .wav file`, {
      place: placeOf(row),
      cause: error,
    });
  }
}

const FRAMES_PER_SECOND = SAMPLE_RATE / HOP;

/** In frames. What lies behind the end of what the graph takes is left out. */
function stretchesOf(
  row: Row,
  text: number,
  used: number,
  { name, label, times }: { name: string; label: string; times: string | undefined },
): Labelled[] {
  const cell = row.values[label];
  const fail = (message: string): never => {
    throw new LayerifError('badData', `row ${row.row} of dataset "${name}": ${message}`, { place: placeOf(row) });
  };
  if (times === undefined) {
    if (Array.isArray(cell) || cell === null || cell === undefined)
      return fail(
        `column "${label}" is no label of the whole audio; name the column with the times of its labels with times`,
      );
    return [{ text, from: 0, to: used, label: `${cell as string}` }];
  }
  const spans = row.values[times];
  if (!Array.isArray(cell) || !Array.isArray(spans) || cell.length !== spans.length)
    return fail(`"${label}" and "${times}" must be lists of equal length, a label and [start, end] in seconds each`);
  return cell.flatMap((item, i) => {
    const [start = NaN, end = NaN] = Array.isArray(spans[i]) ? spans[i].map(Number) : [];
    if (!(start >= 0 && end > start))
      return fail(`"${times}" entry ${i} is no [start, end] in seconds with 0 <= start < end`);
    if (item === null || item === undefined)
      return fail(`"${label}" entry ${i} is empty; give each stretch a label, or leave it out of both lists`);
    const [from, to] = [start * FRAMES_PER_SECOND, Math.min(used, end * FRAMES_PER_SECOND)];
    return to > from ? [{ text, from, to, label: String(item as string) }] : [];
  });
}

/** Frames with sound that are drawn from all audio. */
function drawnFrames(samples: readonly EncodedSample[], ask: ViewAsk, words: string): Viewed {
  // Two frames make a position of the usual encoders.
  const all = samples.flatMap(({ frames }, text) =>
    Array.from({ length: Math.floor(frames!.used / 2) }, (_, at) => ({ text, from: 2 * at, to: 2 * at + 2 })),
  );
  const chosen = drawnOf(all, ask);
  if (chosen.length < 60)
    throw new LayerifError('badData', `${chosen.length} drawn frames (${words}) are too few: at least 60 are needed`);
  const text = Int32Array.from(chosen, (one) => one.text);
  return {
    samples: samples.map((sample, i) => ({
      ...sample,
      spans: chosen.flatMap(({ text: own, from, to }, place) => (own === i ? [{ place, from, to }] : [])),
    })),
    view: {
      text,
      words: `${chosen.length} frames of ${new Set(text).size} texts of audio`,
      ...(ask.view === 'position' ? { numbers: Float64Array.from(chosen, ({ from }) => from) } : {}),
    },
  };
}
