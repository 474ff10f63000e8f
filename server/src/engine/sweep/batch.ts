/** Samples that share a run: token ids right-padded to the longest, and which positions are counted with which weight. */
import type { EncodedSample } from '../../../../protocol/samples.ts';
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
  /** Flat position (row * length + t) whose hidden state predicts a counted token, with label and weight 1 / count. */
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
    const total = group.reduce((sum, i) => sum + samples[i].tokens.length - samples[i].countedFrom, 0);
    const counted = {
      position: new Int32Array(total),
      label: new Int32Array(total),
      weight: new Float32Array(total),
      row: new Int32Array(total),
    };
    let at = 0;
    group.forEach((index, row) => {
      const { tokens: ids, countedFrom } = samples[index];
      for (let t = 0; t < ids.length; t++) tokens[row * length + t] = BigInt(ids[t]);
      for (let t = countedFrom; t < ids.length; t++, at++) {
        counted.position[at] = row * length + t - 1;
        counted.label[at] = ids[t];
        counted.weight[at] = 1 / (ids.length - countedFrom);
        counted.row[at] = row;
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

/** The tables that a graph asks for. */
export function tablesFor(batch: Batch, names: string[]): Feeds {
  return Object.fromEntries(names.map((name) => [`table.${name}`, batch.tables[`table.${name}`]]));
}

/** Samples that share a run: neighbours by length, few enough padded tokens; where tables depend on the length, equals only. */
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
