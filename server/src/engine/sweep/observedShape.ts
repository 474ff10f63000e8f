/** What the numbers of an observation are laid out by, of an open model. */
import type { ObservedShape } from '../../scores/observations.ts';
import type { Model } from './model.ts';

export function shapeOf({ architecture }: Model, texts: number): ObservedShape {
  const { layers, hidden } = architecture;
  return { layers, hidden, texts, modules: (layer) => architecture.modules(layer).filter(({ factor }) => !factor) };
}
