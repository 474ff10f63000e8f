/**
 * Samples that share a run: token ids right-padded to the longest, and which positions are counted with which weight.
 */
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { classifiedPosition } from '../../models/head.ts';
import type { Architecture } from '../../models/types.ts';
import { floats, integers } from '../runtime/runtime.ts';
import type { Feeds, Tensor } from '../runtime/runtime.ts';

export interface Batch {
  /** `fisher`: the training samples again, with labels drawn from the model (engine/grams/sampledLabels.ts). */
  split: 'train' | 'validation' | 'fisher';
  /** Index of each row's sample in its split. */
  samples: number[];
  /** Tokens of each row, without padding. */
  lengths: number[];
  /** A batch with the same tokens, whose activations are these too. */
  twin?: Batch;
  /** Padded length. */
  length: number;
  tokens: Tensor;
  /** Tables for this length, as graph inputs. */
  tables: Feeds;
  /**
   * Flat position (row * length + t) whose hidden state predicts a counted token or class, with label and weight 1 /
   * count.
   */
  counted: { position: Int32Array; label: Int32Array; weight: Float32Array; row: Int32Array };
}

export function makeBatches(
  architecture: Architecture,
  split: Batch['split'],
  samples: EncodedSample[],
  groups: number[][],
): Batch[] {
  const tables = new Map<string, Feeds>();
  return groups.map((group) => {
    const lengths = group.map((i) => samples[i].tokens.length);
    const length = Math.max(...lengths);
    const tokens = new BigInt64Array(group.length * length); // padding is token 0: causality keeps it away from counted positions
    const predictions = group.map((i) => predictionsOf(architecture, samples[i]));
    const total = predictions.reduce((sum, { places }) => sum + places.length, 0);
    const counted = {
      position: new Int32Array(total),
      label: new Int32Array(total),
      weight: new Float32Array(total),
      row: new Int32Array(total),
    };
    let at = 0;
    group.forEach((index, row) => {
      const { tokens: ids } = samples[index];
      for (let t = 0; t < ids.length; t++) tokens[row * length + t] = BigInt(ids[t]);
      const { places, labels, position } = predictions[row];
      for (const t of places) {
        counted.position[at] = row * length + position + t;
        counted.label[at] = labels[t];
        counted.weight[at] = 1 / places.length;
        counted.row[at++] = row;
      }
    });
    const key = `${length}`;
    let made = tables.get(key);
    if (!made) {
      const entries = Object.entries(architecture.tables(length, length));
      made = Object.fromEntries(entries.map(([name, table]) => [`table.${name}`, floats(table.data, table.shape)]));
      tables.set(key, made);
    }
    const ids = integers(tokens, [group.length, length]);
    return { split, samples: group, lengths, length, tokens: ids, tables: made, counted };
  });
}

/**
 * What a sample predicts: label t of `labels`, for each t of `places`, at position `position` + t. A language model
 * tells a token one position earlier, a classifier its class at the last token; a text without a class, as calibration
 * has it, predicts nothing.
 */
function predictionsOf(
  { outputs }: Architecture,
  { tokens, countedFrom, counted, label }: EncodedSample,
): { places: readonly number[]; labels: ArrayLike<number>; position: number } {
  if (!outputs?.classes) {
    const places: number[] = [];
    for (let t = countedFrom; t < tokens.length; t++) if (counted === undefined || counted[t] === 1) places.push(t);
    return { places, labels: tokens, position: -1 };
  }
  const labels = label === undefined ? [] : [label];
  return { places: [...labels.keys()], labels, position: classifiedPosition(tokens, outputs.classes) };
}

/** The tables that a graph asks for. */
export function tablesFor(batch: Batch, names: string[]): Feeds {
  return Object.fromEntries(names.map((name) => [`table.${name}`, batch.tables[`table.${name}`]]));
}

/**
 * Samples that share a run: neighbours by length, few enough padded tokens; where tables depend on the length, equals
 * only.
 */
export function groupsOf(
  architecture: Architecture,
  samples: readonly EncodedSample[],
  tokensPerRun: number,
): number[][] {
  const lengthOf = (i: number) => samples[i].tokens.length;
  const order = samples.map((_, i) => i).sort((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  const groups: number[][] = [];
  let longest = 0;
  for (const i of order) {
    const group = groups.at(-1);
    const alike =
      lengthOf(i) === longest || !(architecture.lengthMatters(longest) || architecture.lengthMatters(lengthOf(i)));
    if (group && alike && (group.length + 1) * longest <= tokensPerRun) group.push(i);
    else {
      groups.push([i]);
      longest = lengthOf(i);
    }
  }
  return groups;
}

/** Rows of hidden states at some positions, for a run of the head. @returns positions x width */
export function statesAt(states: Float32Array, positions: Int32Array, width: number): Float32Array {
  const x = new Float32Array(positions.length * width);
  positions.forEach((at, p) => x.set(states.subarray(at * width, (at + 1) * width), p * width));
  return x;
}
