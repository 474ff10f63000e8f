/**
 * What of a score a user's graph can give: what is read of its weights, of hidden states between its layers and of the
 * inputs of its matrices.
 */
import { LayerifError } from '../../../../protocol/errors.ts';
import type { OpenedGraph } from '../../graphs/open.ts';
import type { Architecture } from '../../models/types.ts';
import { observationOf } from '../../scores/observations.ts';
import type { ObservationSpec } from '../../scores/observations.ts';
import type { ScoreNeed } from '../../scores/types.ts';
import { hiddenWidth } from '../machine/graphPass.ts';

/** What is read, in words; null for what a graph gives. */
const missing: Record<ObservationSpec['reads'], string | null> = {
  weights: null,
  hidden: null,
  inputs: null,
  logits: 'what the head makes of hidden states',
  ablated: 'losses with layers left out',
  gradients: 'gradients',
  moved_gradients: 'gradients at moved weights',
  changes: 'changes of fine-tuning',
};

/** @throws LayerifError `badRequest`, `badModel` where hidden states were not found */
export function requireOfGraph(score: string, needs: readonly ScoreNeed[], graph: OpenedGraph): void {
  const { path } = graph.file;
  for (const { of } of needs) {
    const { reads } = observationOf(of);
    const words = missing[reads];
    if (words !== null) {
      throw new LayerifError(
        'badRequest',
        `score ${score} reads ${words}, and of the ONNX graph ${path} weights, hidden states and inputs of matrices are read alone; use the checkpoint that it was exported from`,
      );
    }
    if (reads === 'hidden') requireStates(score, graph);
  }
}

/** @throws LayerifError `badModel` for a graph that reads no texts */
export function requireTokens(named: string, graph: OpenedGraph | null): void {
  if (graph?.tokens !== false) return;
  throw new LayerifError(
    'badModel',
    `${named} takes no tokens, so it reads no texts; take an encoder or a language model`,
  );
}

function requireStates(score: string, graph: OpenedGraph): void {
  try {
    hiddenWidth(graph);
  } catch (error) {
    throw new LayerifError(
      'badModel',
      `score ${score} reads hidden states per layer, which were not found in ${graph.file.path}: ${(error as Error).message}; export the graph with outputs hidden_states.0, hidden_states.1 and so on (output_hidden_states=True), or name its layers with model.layers_pattern`,
      { cause: error },
    );
  }
}

/** Its hidden states are as wide as the residual stream. */
export function observedModel(model: Architecture, graph: OpenedGraph | null): Architecture {
  if (!graph) return model;
  try {
    return { ...model, hidden: hiddenWidth(graph) };
  } catch {
    return model; // what reads hidden states is refused by name
  }
}
