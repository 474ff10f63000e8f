/**
 * Hidden states of a user's graph: the values between its layers, told without running it.
 *
 * The residual stream is where everything must pass: a value that all ways from the data to the result go through (an
 * articulation of the graph, counted by its ways modulo a prime). Between two layers it is the last such value in front
 * of the next layer; behind the last one it stands as many values behind the layer as behind the others, so that it is
 * before a final norm. Where the graph has no such values, outputs called `hidden_states.0` and so on are taken.
 */
import type { DecodedModel, DecodedNode } from '../onnx/decode.ts';
import { nth } from '../lists/nth.ts';
import { readBy } from './flow.ts';
import { arrayInputs, roleOf } from './inputs.ts';
import type { FoundLayers } from './layers.ts';
import type { GraphModule } from './types.ts';

export interface HiddenStates {
  /** Names of values: before the first layer and behind each. */
  values: string[];
  /** Numbers of a position. */
  width: number;
  /** How they were found, for people. */
  how: string;
}

/** Exported encoders give their states under such names. */
const named = /^(?:encoder_)?hidden_states?[._/]?(\d+)$/;
const PRIME = 2305843009213693951n;

/**
 * @param output the value that everything leads to
 * @throws Error saying what was not found
 */
export function hiddenOf(model: DecodedModel, { layers }: FoundLayers, output: string): HiddenStates {
  try {
    return between(
      model,
      layers.map(({ modules }) => modules.map(({ module }) => module)),
      output,
    );
  } catch (error) {
    const outputs = hiddenOutputs(model);
    if (outputs.length !== layers.length + 1) {
      const beside =
        outputs.length > 0 ? `, and it has ${outputs.length} outputs hidden_states.N, not ${layers.length + 1}` : '';
      throw new Error(`${(error as Error).message}${beside}`, { cause: error });
    }
    const last = model.outputs.find(({ name }) => name === outputs[0])?.shape?.at(-1);
    const width = typeof last === 'number' ? last : widthOf(nth(layers, 0).modules.map(({ module }) => module));
    return { values: outputs, width, how: 'outputs of the graph, the last one perhaps behind a final norm' };
  }
}

/** Outputs that are called hidden states, in their order. */
export function hiddenOutputs({ outputs }: DecodedModel): string[] {
  return outputs
    .flatMap(({ name }) => {
      const found = named.exec(name);
      return found ? [{ name, depth: Number(found[1]) }] : [];
    })
    .sort((a, b) => a.depth - b.depth)
    .map(({ name }) => name);
}

function between(model: DecodedModel, layers: readonly (readonly GraphModule[])[], output: string): HiddenStates {
  if (layers.length < 2) throw new Error('the graph has one layer, so that nothing tells what stands between layers');
  const source = (model.inputs.find((input) => roleOf(input) === 'tokens') ?? arrayInputs(model)[0])?.name;
  if (source === undefined) throw new Error('the graph has no input for tokens or arrays');
  const chain = throughAll(model, source, output);
  const place = new Map(chain.map((name, i) => [name, i]));
  const behind = lastBefore(model, source, place);
  const ends = layers.map((modules) => {
    const places = modules.flatMap(({ uses }) => uses.map(({ node }) => behind.get(nth(node.outputs, 0)) ?? -1));
    return { first: Math.min(...places), last: Math.max(...places) };
  });
  const odd = ends.findIndex(({ first }, l) => first < 0 || (l > 0 && first <= nth(ends, l - 1).last));
  if (odd >= 0) {
    throw new Error(
      odd === 0
        ? 'no single value leads from the data to layer 0'
        : `no single value leads from layer ${odd - 1} to layer ${odd}`,
    );
  }
  const inFront = ends.map(({ first }) => first);
  const [before, last] = [nth(ends, ends.length - 2), nth(ends, ends.length - 1)];
  const lastPlace = last.last + (last.first - before.last);
  if (lastPlace >= chain.length) throw new Error('no value behind the last layer is like those between the layers');
  return {
    values: [...inFront, lastPlace].map((at) => nth(chain, at)),
    width: widthOf(nth(layers, 0)),
    how: 'values that everything passes between two layers',
  };
}

/** A layer ends by writing into the residual stream. */
const widthOf = (modules: readonly GraphModule[]): number => nth(modules, modules.length - 1).rows;

/** Values that a node makes its outputs of, without those of which it reads the shape alone. */
const contents = (node: DecodedNode): string[] => (node.op === 'Shape' || node.op === 'Size' ? [] : readBy(node));

/** The values that all ways from one value to another go through, in their order. */
function throughAll({ nodes }: DecodedModel, from: string, to: string): string[] {
  const down = new Map([[from, 1n]]);
  for (const node of nodes) {
    const ways = contents(node).reduce((sum, name) => (sum + (down.get(name) ?? 0n)) % PRIME, 0n);
    if (ways !== 0n) for (const name of node.outputs) if (name !== '') down.set(name, ways);
  }
  const all = down.get(to);
  if (all === undefined) throw new Error(`output "${to}" does not depend on input "${from}"`);
  const up = new Map([[to, 1n]]);
  for (const node of nodes.toReversed()) {
    const ways = node.outputs.reduce((sum, name) => (sum + (up.get(name) ?? 0n)) % PRIME, 0n);
    if (ways === 0n) continue;
    for (const name of contents(node)) up.set(name, ((up.get(name) ?? 0n) + ways) % PRIME);
  }
  const on = (name: string): boolean => ((down.get(name) ?? 0n) * (up.get(name) ?? 0n)) % PRIME === all;
  return [from, ...nodes.flatMap(({ outputs }) => outputs)].filter(on);
}

/** For each value the place of the last value of the chain that it is made of. */
function lastBefore({ nodes }: DecodedModel, source: string, place: ReadonlyMap<string, number>): Map<string, number> {
  const behind = new Map<string, number>();
  for (const node of nodes) {
    const places = contents(node).flatMap((name) => {
      const own = name === source ? 0 : Math.max(place.get(name) ?? -1, behind.get(name) ?? -1);
      return own >= 0 ? [own] : [];
    });
    if (places.length > 0) for (const name of node.outputs) behind.set(name, Math.max(...places));
  }
  return behind;
}
