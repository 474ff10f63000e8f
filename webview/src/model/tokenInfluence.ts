/** Influence of the tokens of a validation sample: over all layers or one, how deep each is coloured. Pure: no DOM. */
import type { TokenInfluence } from '../../../protocol/trust.ts';
import { formatSigned } from './format.ts';

/** By token. @param layer index of the layer; null for the sum over all */
export function influenceOf({ tokens, layers }: TokenInfluence, layer: number | null): number[] {
  const chosen = layers.filter(({ index }) => layer === null || index === layer);
  return tokens.map((_, t) => chosen.reduce((sum, { influence }) => sum + (influence[t] ?? 0), 0));
}

/** Depths of the colour; the last one is that of the largest influence. */
export const DEPTHS = 4;

/** 0 for none, to `DEPTHS`. @param largest of all tokens, without sign */
export const depthOf = (value: number, largest: number): number =>
  largest > 0 ? Math.ceil((DEPTHS * Math.abs(value)) / largest) : 0;

export const influenceWords = (value: number): string =>
  `influence ${formatSigned(value)}: training ${value > 0 ? 'helps' : value < 0 ? 'harms' : 'neither helps nor harms'} its prediction`;

export const influenceColumns = ['Position', 'Text', 'Id', 'Influence'];
