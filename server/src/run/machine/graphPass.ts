/**
 * A pass of observations over a user's graph: it runs as a whole, sample by sample. In float32 numbers, t = positions
 * of the longest sample, or of all where a reducer wants all texts of a layer at once:
 *
 *   weights   twice: the file as it was read, and what the session is fed with
 *   states    (layers + 1) t width
 */
import type { EncodedSample } from '../../../../protocol/samples.ts';
import { hiddenOf } from '../../graphs/hidden.ts';
import type { OpenedGraph } from '../../graphs/open.ts';
import type { GraphOptions } from '../../graphs/open.ts';
import { observationOf } from '../../scores/observations.ts';
import { observationCosts, totalOf } from './fitting.ts';
import { PROGRAMS } from './memory.ts';
import { observedShape } from './observing.ts';
import type { AskedObservation, ObservedPass } from './observing.ts';

/** Activations of one layer beside its output, in widths. */
const WIDTHS_PER_LAYER = 24;
/** Positions of samples that are arrays: their axes tell at most so many. */
const POSITIONS_OF_ARRAYS = 1500;

/** Numbers of a position between the layers. @throws Error saying what was not found */
export function hiddenWidth({ file, found, logits }: OpenedGraph): number {
  return hiddenOf(file.model, found, logits).width;
}

export function planGraphPass(
  { graph, options }: { graph: OpenedGraph; options: GraphOptions },
  texts: EncodedSample[],
  observations: readonly AskedObservation[],
): ObservedPass {
  const { architecture, checkpoint } = graph;
  const specs = observations.map(({ of }) => observationOf(of));
  const states = specs.some(({ reads }) => reads === 'hidden');
  const reads = states || specs.some(({ reads }) => reads === 'inputs');
  const apart = specs.every(({ textsApart }) => textsApart);
  const hidden = states ? hiddenWidth(graph) : architecture.hidden;
  const lengths = texts.map(({ tokens }) => tokens.length || POSITIONS_OF_ARRAYS);
  const longest = Math.max(0, ...lengths);
  const kept = apart ? longest : lengths.reduce((a, b) => a + b, 0);
  const weights = [...checkpoint.tensors.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  return {
    request: {
      modelPath: checkpoint.path,
      graph: options,
      texts: reads ? texts : [],
      groups: !reads ? [] : apart ? texts.map((_, i) => [[i]]) : [texts.map((_, i) => [i])],
      ablated: [],
      weights: 'resident',
      boundaries: 'memory',
      headRows: 1,
      observations: observations.map(({ name, of, options }) => ({ name, of, options })),
    },
    memoryBytes: totalOf({
      programs: PROGRAMS,
      weights: 8 * weights,
      ...observationCosts(observations, observedShape({ ...architecture, hidden }, texts.length)),
      work: 4 * longest * (WIDTHS_PER_LAYER * hidden + 16 * longest),
      // Of matrices the inputs of one sample at a time.
      boundaries: 4 * (architecture.layers + 1) * (states ? kept : 0) * hidden,
    }),
  };
}
