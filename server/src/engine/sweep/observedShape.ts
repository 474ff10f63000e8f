/** What the numbers of an observation are laid out by, of an open model. */
import type { ObservedShape } from '../../scores/observations.ts';
import type { Model } from './model.ts';

/** @param tokens of all texts together */
export function shapeOf({ architecture }: Model, texts: number, tokens = 0): ObservedShape {
  const { layers, hidden } = architecture;
  const modules = (layer: number) => architecture.modules(layer).filter(({ factor }) => !factor);
  return { layers, hidden, texts, tokens, modules };
}
