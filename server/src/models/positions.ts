/**
 * What tells the blocks of a model where a token stands: masks, rotary angles, ALiBi. From it come the tables that
 * graphs are fed with, for whole texts (`placed`) and for tokens that follow what a cache of keys and values holds
 * (`cachedTables`).
 *
 * Rotations that depend on the length of the text (dynamic NTK, LongRoPE) follow transformers: a text that is read
 * whole has those of its length, a token that is generated those of the length with it, and keys in the cache stay as
 * they were rotated.
 */
import { causalMask, HIDDEN } from './masks.ts';
import { rotaryTables } from './rotary.ts';
import type { Positions, Table } from './tables.ts';
import { nth } from '../lists/nth.ts';

/** Tables for sequences padded to `length`, of which the longest sample really has `longest` tokens. */
function tablesOf({ masks, rotary = {}, biases = {} }: Positions, length: number, longest: number) {
  const tables: Record<string, Table> = {};
  for (const [name, window] of Object.entries(masks)) tables[name] = causalMask(length, window);
  for (const [name, setting] of Object.entries(rotary)) {
    const { cos, sin } = rotaryTables(setting, length, longest);
    tables[`${name}.cos`] = cos;
    tables[`${name}.sin`] = sin;
  }
  for (const [name, bias] of Object.entries(biases)) tables[name] = bias(length);
  return tables;
}

/** Whether rotations depend on the sample's own length, so that it may share a batch only with its equals. */
function lengthMatters({ rotary = {} }: Positions, length: number): boolean {
  return Object.values(rotary).some(({ fixedUpTo }) => length > fixedUpTo);
}

/** The part of an architecture that follows from its positions. */
export function placed(positions: Positions) {
  return {
    positions,
    tables: (length: number, longest: number) => tablesOf(positions, length, longest),
    lengthMatters: (length: number) => lengthMatters(positions, length),
  };
}

/**
 * Tokens of one text in a run: how many the cache holds of it, how many follow, and the length that its rotations are
 * those of.
 */
export interface CachedRow {
  cached: number;
  count: number;
  length: number;
}

/**
 * Tables for `width` new tokens a row behind `slots` places of the cache, of which a row fills its first `cached`:
 * masks [B, 1, 1, width, slots + width], rotations [B, 1, width, size], biases [B, kvHeads, group, 1, slots + width].
 */
export function cachedTables(
  { masks, rotary = {}, biases = {} }: Positions,
  rows: readonly CachedRow[],
  slots: number,
  width: number,
): Record<string, Table> {
  const tables: Record<string, Table> = {};
  const columns = slots + width;
  for (const [name, window] of Object.entries(masks)) {
    const data = new Float32Array(rows.length * width * columns).fill(HIDDEN);
    rows.forEach(({ cached }, r) => {
      for (let t = 0; t < width; t++) {
        const at = (r * width + t) * columns;
        const first = window === null ? 0 : Math.max(0, cached + t - window + 1);
        if (first < cached) data.fill(0, at + first, at + cached);
        data.fill(0, at + slots + Math.max(0, first - cached), at + slots + t + 1);
      }
    });
    tables[name] = { shape: [rows.length, 1, 1, width, columns], data };
  }
  for (const [name, setting] of Object.entries(rotary)) {
    const parts = rows.map(({ cached, length }) => rotaryTables(setting, width, length, cached));
    for (const side of ['cos', 'sin'] as const) {
      const size = nth(nth(parts, 0)[side].shape, 1);
      const data = new Float32Array(rows.length * width * size);
      parts.forEach((part, r) => data.set(part[side].data, r * width * size));
      tables[`${name}.${side}`] = { shape: [rows.length, 1, width, size], data };
    }
  }
  for (const [name, bias] of Object.entries(biases)) {
    const { shape, data: whole } = bias(Math.max(...rows.map(({ cached }) => cached)) + columns);
    const length = nth(shape, 3);
    const heads = nth(shape, 0) * nth(shape, 1);
    const data = new Float32Array(rows.length * heads * columns);
    rows.forEach(({ cached }, r) => {
      for (let head = 0; head < heads; head++) {
        const at = (r * heads + head) * columns;
        const from = head * length;
        data.set(whole.subarray(from, from + slots), at);
        data.set(whole.subarray(from + cached, from + cached + width), at + slots);
      }
    });
    tables[name] = { shape: [rows.length, nth(shape, 0), nth(shape, 1), 1, columns], data };
  }
  return tables;
}
