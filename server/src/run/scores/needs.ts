/**
 * From chosen scores to passes of texts through the model: every need once, less what is there already, grouped by what
 * goes through the model together, and split while a pass takes more memory than there is. Pure.
 */
import { createHash } from 'node:crypto';
import type { Json, Need } from '../../../../protocol/scores.ts';
import type { ScoreNeed } from '../../scores/types.ts';
import { isForwardObservation, isGradientObservation, observationOf } from '../../scores/observations.ts';

export interface KeyedNeed {
  need: Need;
  /** Canonical JSON of the need. */
  key: string;
  /** Names its file. */
  hash: string;
}

/** @param texts hash of the token ids that the score reads */
export function keyed({ of, options }: ScoreNeed, texts: string | null, variant: Need['model']): KeyedNeed {
  const spec = observationOf(of);
  const need: Need = {
    of,
    version: spec.version,
    options,
    texts: spec.reads === 'weights' ? null : texts,
    // Spectra are those of the checkpoint's own matrices.
    model: spec.reads === 'weights' ? { variant: 'base' } : variant,
  };
  const key = canonical(need as unknown as Json);
  return { need, key, hash: createHash('sha256').update(key).digest('hex').slice(0, 16) };
}

/** JSON with the keys of every object in order, so that equal things have equal texts. */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, own]) => `${JSON.stringify(name)}:${canonical(own)}`);
  return `{${entries.join(',')}}`;
}

/**
 * Needs that go through the model together, in the order in which they are first asked for.
 * @param fits whether one pass may carry all of these; a need that does not fit alone is a pass of its own
 */
export function passesOf(needs: readonly KeyedNeed[], fits: (pass: readonly KeyedNeed[]) => boolean): KeyedNeed[][] {
  const unique = new Map(needs.map((need) => [need.key, need]));
  const groups = new Map<string, KeyedNeed[]>();
  for (const need of unique.values()) {
    const together = canonical([need.need.texts, need.need.model as unknown as Json, directionOf(need)]);
    // Each step from the weights is a pair of sweeps of its own, each mask a training.
    const apart = directionOf(need) === 'moved' || directionOf(need) === 'changes';
    const own = apart ? `${together} ${need.key}` : together;
    groups.set(own, [...(groups.get(own) ?? []), need]);
  }
  return [...groups.values()].flatMap((group) => split(group, fits));
}

/**
 * Gradients come from a backward sweep, those at moved weights from three, masks from a training, everything else from
 * a forward one.
 */
export function directionOf({ need }: Pick<KeyedNeed, 'need'>): 'forward' | 'backward' | 'moved' | 'changes' {
  if (isForwardObservation(need.of)) return 'forward';
  if (need.of === 'delta_masks') return 'changes';
  return isGradientObservation(need.of) ? 'backward' : 'moved';
}

function split(group: KeyedNeed[], fits: (pass: readonly KeyedNeed[]) => boolean): KeyedNeed[][] {
  if (group.length === 1 || fits(group)) return [group];
  const half = Math.ceil(group.length / 2);
  return [...split(group.slice(0, half), fits), ...split(group.slice(half), fits)];
}
